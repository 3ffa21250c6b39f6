//! `broth selfrep`

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::engine::{Engine, Options};
use broth::files;
use broth::format::thousands;
use broth::language::{self, Language};
use broth::measure::copying::{Copied, copying_loop};
use broth::measure::replicators::{
    AGREEING, Agreement, CUBFF_THRESHOLD, PARTNERS, Partners, Replicators, Scorer,
    knierim_threshold,
};
use broth::random::Streams;
use broth::soup::checkpoint::Checkpoint;
use broth::{Error, Settings};
use clap::Args;

use super::checkpoint::{self, CheckpointArgs};
use super::paint::{self, BOLD, DIM, RESET};
use super::{Failure, parse_language, start_threads};

const EXAMPLES: &str = "\
A program is run beside each of 13 random partners; then, four times, the resulting right half
moves to the left, the same partner goes to the right, and the tape is run again. The score,
0 to 64, is the number of places at which at least 4 of the 13 final tapes agree, in the half
where it is smaller. cubff counts programs that score at least 5 as replicators, Knierim et al.
those that score at least 48 (for the shorter programs of the Z80: three quarters of a program).

Examples:
  broth selfrep '[[{.>]-]                                                ]-]>.{[['
      one program, as if it were alone in a soup of seed 0 after epoch 0
  broth selfrep --lang bff --hex '4041 5b2c 7d5d' --seed 7 --partners
  broth selfrep --lang z80_zff 'c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5 c5'
      a program of another length
  broth selfrep --checkpoint runs/bff_noheads-seed-29/checkpoints/0000001025.dat \\
      --scores scores.txt
      every program of a soup, one score per line";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SelfrepArgs {
    /// What the bytes mean; `broth languages` lists them [default: bff_noheads; of a
    /// checkpoint what its sidecar records]
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// The program as program text: at most 64 bytes (z80 32, z80_zff 16),
    /// padded with zeros
    #[arg(required_unless_present = "checkpoint", allow_hyphen_values = true)]
    program: Option<String>,

    /// Read PROGRAM as pairs of hex digits, whatever the language
    #[arg(long, requires = "program")]
    hex: bool,

    /// Show the result beside each partner
    #[arg(long, requires = "program")]
    partners: bool,

    /// Score every program of this checkpoint instead
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    checkpoint: Option<PathBuf>,

    /// Write the score of every program to this new file, one per line
    #[arg(
        long,
        value_name = "FILE",
        requires = "checkpoint",
        conflicts_with = "program"
    )]
    scores: Option<PathBuf>,

    /// The seed of the soup, which determines the partners [default: 0; of a checkpoint what
    /// its sidecar records]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    #[command(flatten)]
    loading: CheckpointArgs,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// The lowest scores of those that are counted together, and one more than the highest of all.
fn bands(program_len: usize) -> Vec<u8> {
    let thresholds = [CUBFF_THRESHOLD, knierim_threshold(program_len)];
    let quarters = [program_len as u8 / 4, program_len as u8 / 2];
    let mut lowest = [0, 1].to_vec();
    lowest.extend(thresholds.into_iter().chain(quarters));
    lowest.push(program_len as u8 + 1);
    lowest.sort_unstable();
    lowest.dedup();
    lowest
}

pub(super) fn selfrep(args: SelfrepArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.checkpoint {
        let given = checkpoint::given(args.lang, args.seed);
        let loaded = args.loading.load_to_see(path, &given, &["lang", "seed"])?;
        return score_soup(&args, &loaded.settings, &loaded.checkpoint);
    }
    explain(&args)
}

impl SelfrepArgs {
    /// The language of a program.
    fn language(&self) -> &'static Language {
        self.lang.unwrap_or(Settings::default().language)
    }
}

/// The program of the command line.
fn read_program(args: &SelfrepArgs) -> Result<Vec<u8>, Error> {
    let program_len = args.language().program_len;
    let text = args.program.as_deref().unwrap_or_default();
    let mut program = match args.hex {
        true => language::parse_hex(text),
        false => args.language().parse_program(text),
    }
    .map_err(|error| Error::Usage(format!("PROGRAM: {error}")))?;
    if program.len() > program_len {
        return Err(Error::Usage(format!(
            "PROGRAM has {} bytes, and a program has {program_len}; shorten it",
            program.len()
        )));
    }
    program.resize(program_len, 0);
    Ok(program)
}

/// What a score is called.
fn verdict(score: u8, program_len: usize) -> String {
    let most = knierim_threshold(program_len);
    if score >= most {
        format!("a replicator ({most} or more)")
    } else if score >= CUBFF_THRESHOLD {
        format!(
            "in cubff's count a replicator ({CUBFF_THRESHOLD} or more), not in that of \
             Knierim et al. ({most})"
        )
    } else {
        format!("no replicator (less than {CUBFF_THRESHOLD})")
    }
}

fn explain(args: &SelfrepArgs) -> Result<ExitCode, Failure> {
    let language = args.language();
    let scorer = &Scorer::new(language, Engine::Auto, &Options::default());
    let program_len = language.program_len;
    let program = read_program(args)?;
    let partners = Partners::of(language, &Streams::new(args.seed.unwrap_or(0)), 1, 0, 0);
    let agreement @ Agreement { left, right } = scorer.agreement(&program, &partners)?;
    let mut out = BufWriter::new(anstream::stdout().lock());
    let shown = |program: &[u8]| paint::tape(language, program, [None; 4]);

    writeln!(out, "program     {}", shown(&program))?;
    writeln!(
        out,
        "score       {BOLD}{}{RESET} of {program_len}: {}",
        agreement.score(),
        verdict(agreement.score(), program_len)
    )?;
    writeln!(
        out,
        "            places on which at least {AGREEING} of {PARTNERS} tapes agree: \
         {left} on the left (with the program itself), {right} on the right"
    )?;
    write_copying(&mut out, language, scorer, &program, &partners)?;
    if args.partners {
        let generations = scorer.generations(&program, &partners)?;
        for (number, partner) in (1..).zip(partners.programs()) {
            writeln!(out, "{DIM}partner {number:<2}{RESET}  {}", shown(partner))?;
            for (run, tapes) in (1..).zip(&generations) {
                let (left, right) = tapes[number - 1].split_at(program_len);
                writeln!(out, "  run {run}     {}  {}", shown(left), shown(right))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What a program copies beside these partners, generation by generation, and by which loop.
pub(super) fn write_copying(
    out: &mut impl Write,
    language: &'static Language,
    scorer: &Scorer,
    program: &[u8],
    partners: &Partners,
) -> Result<(), Failure> {
    let (program_len, max_steps) = (language.program_len, language.max_steps);
    // Copies there are in what comes to the right, beside the tape before.
    let mut sources = [program; PARTNERS];
    let generations = scorer.generations(program, partners)?;
    for (number, tapes) in (1..).zip(&generations) {
        let mut copies = Vec::new();
        for ((tape, source), partner) in tapes.iter().zip(&mut sources).zip(partners.programs()) {
            let start = [*source, partner].concat();
            copies.push(Copied::to_the_right(language, &start, max_steps)?);
            *source = &tape[program_len..];
        }
        writeln!(out, "run {number}       {}", describe(&copies, program_len))?;
    }
    let mut looping = None;
    for partner in partners.programs() {
        let tape = [program, partner].concat();
        looping = copying_loop(language, &tape, max_steps)?.filter(|it| it.end <= program_len);
        if looping.is_some() {
            break;
        }
    }
    if let Some(places) = looping {
        writeln!(
            out,
            "loop        {}  at {} to {}, changes most bytes",
            paint::tape(language, &program[places.clone()], [None; 4]),
            places.start,
            places.end - 1
        )?;
    }
    Ok(())
}

/// What one run left of its left half on the right, in words, over all partners.
fn describe(copies: &[Copied], program_len: usize) -> String {
    // Less may be chance.
    let least = (program_len / 4) as u8;
    let mut ways: Vec<(Copied, Vec<u8>)> = Vec::new();
    for copy in copies.iter().filter(|copy| copy.bytes >= least) {
        let same = |way: &&mut (Copied, Vec<u8>)| {
            (way.0.mirrored, way.0.first) == (copy.mirrored, copy.first)
        };
        match ways.iter_mut().find(same) {
            Some((_, bytes)) => bytes.push(copy.bytes),
            None => ways.push((*copy, vec![copy.bytes])),
        }
    }
    if ways.is_empty() {
        return "nothing copied to the right".into();
    }
    ways.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    let described = ways.iter().take(3).map(|(way, bytes)| {
        let least = bytes.iter().min().copied().unwrap_or(0);
        let most = bytes.iter().max().copied().unwrap_or(0);
        format!(
            "beside {} of {PARTNERS} partners {}{} of its {program_len} bytes copied {}{}",
            bytes.len(),
            if least < most {
                format!("{least} to ")
            } else {
                String::new()
            },
            most,
            if way.mirrored { "mirrored" } else { "forwards" },
            if way.in_place(program_len) {
                String::new()
            } else {
                format!(", from byte {} on", way.first)
            },
        )
    });
    described.collect::<Vec<_>>().join("; ")
}

fn score_soup(
    args: &SelfrepArgs,
    settings: &Settings,
    soup: &Checkpoint,
) -> Result<ExitCode, Failure> {
    start_threads(args.threads)?;
    let streams = Streams::new(settings.seed);
    let scorer = Scorer::new(settings.language, Engine::Auto, &Options::default());
    let scores = scorer.score_soup(&soup.programs, &streams, soup.epochs_done)?;
    if let Some(path) = &args.scores {
        files::write_new(path, |file| {
            scores
                .iter()
                .try_for_each(|score| writeln!(file, "{score}"))
        })?;
    }
    let program_len = settings.language.program_len;
    let Replicators { cubff, knierim } = Replicators::of(program_len, &scores);
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} programs after {} epochs, as of seed {}: {BOLD}{}{RESET} score at least \
         {CUBFF_THRESHOLD}, {BOLD}{}{RESET} at least {}",
        thousands(scores.len()),
        thousands(soup.epochs_done as usize),
        settings.seed,
        thousands(cubff as usize),
        thousands(knierim as usize),
        knierim_threshold(program_len),
    )?;
    for band in bands(program_len).windows(2) {
        let range = band[0]..band[1];
        let count = scores.iter().filter(|score| range.contains(score)).count();
        let bar = "#".repeat((count * 50).div_ceil(scores.len()));
        let band = format!("{}-{}", band[0], band[1] - 1);
        writeln!(out, "  score {band:<6} {:>9}  {bar}", thousands(count))?;
    }
    let best = scores.iter().max().copied().unwrap_or(0);
    if let Some(index) = scores.iter().position(|score| *score == best) {
        let program = &soup.programs[index * program_len..][..program_len];
        let text = paint::tape(settings.language, program, [None; 4]);
        writeln!(out, "  best  {best:<6} program {index}  {text}")?;
    }
    Ok(ExitCode::SUCCESS)
}
