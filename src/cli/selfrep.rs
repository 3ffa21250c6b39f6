//! `broth selfrep`

use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::engine::{Engine, Options};
use broth::files;
use broth::format::{hex, thousands};
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
use serde_json::{Value, json};

use super::checkpoint;
use super::number::plural;
use super::output::{self, write_json};
use super::paint::{self, BOLD, DIM, RESET};
use super::source::SoupArgs;
use super::{Failure, number, parse_language, start_threads};

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
  broth selfrep --checkpoint runs/bff_noheads-seed-29 --scores scores.txt
      every program of a run's newest checkpoint, one score per line";

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

    /// Score every program of this checkpoint, or of a run folder's newest one, instead
    #[arg(long, value_name = "PATH", conflicts_with = "program")]
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
    #[arg(long, value_name = "SEED", value_parser = number::any::<u64>)]
    seed: Option<u64>,

    #[command(flatten)]
    soup: SoupArgs,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    /// Show only the result, no notes
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
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
    if let Some(path) = args.soup_path() {
        let given = checkpoint::given(args.lang, args.seed);
        let found = args.soup.see(path, &given, &["lang", "seed"], args.quiet)?;
        return score_soup(&args, &found.settings, &found.checkpoint);
    }
    explain(&args)
}

impl SelfrepArgs {
    /// The soup whose programs are to be scored: one that is called PROGRAM counts, too.
    fn soup_path(&self) -> Option<&Path> {
        let program = self.program.as_deref().map(Path::new);
        let is_soup = |path: &&Path| path.is_dir() || path.extension() == Some("dat".as_ref());
        let program = program.filter(is_soup).filter(|path| path.exists());
        self.checkpoint.as_deref().or(program)
    }

    /// The language of a program.
    fn language(&self) -> &'static Language {
        self.lang.unwrap_or(Settings::default().language)
    }
}

/// The program of the command line, not padded yet.
pub(super) fn read_program(
    language: &Language,
    text: &str,
    is_hex: bool,
) -> Result<Vec<u8>, Error> {
    let program_len = language.program_len;
    let program = if is_hex {
        language::parse_hex(text)
    } else {
        language.parse_program(text)
    };
    let program = program.map_err(|error| Error::Usage(format!("PROGRAM: {error}")))?;
    if program.len() > program_len {
        return Err(Error::Usage(format!(
            "PROGRAM has {} bytes, and a program has {program_len}; shorten it",
            program.len()
        )));
    }
    Ok(program)
}

/// The score of a short program where it is padded with spaces, no-ops, instead of zeros; `None`
/// where a zero is a no-op as well, or nothing is to be padded.
fn score_padded_with_spaces(
    language: &'static Language,
    scorer: &Scorer,
    program: &[u8],
    partners: &Partners,
) -> Result<Option<u8>, Error> {
    if language.glyphs(program).is_none() || program.len() == language.program_len {
        return Ok(None);
    }
    let mut padded = program.to_vec();
    padded.resize(language.program_len, b' ');
    Ok(Some(scorer.agreement(&padded, partners)?.score()))
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
    let mut program = read_program(
        language,
        args.program.as_deref().unwrap_or_default(),
        args.hex,
    )?;
    let partners = Partners::of(language, &Streams::new(args.seed.unwrap_or(0)), 1, 0, 0);
    let spaced = score_padded_with_spaces(language, scorer, &program, &partners)?;
    program.resize(program_len, 0);
    let agreement @ Agreement { left, right } = scorer.agreement(&program, &partners)?;
    if args.json {
        let mut explained = explain_json(args, scorer, &program, &partners)?;
        explained["score_padded_with_spaces"] = json!(spaced);
        write_json(&explained)?;
        return Ok(ExitCode::SUCCESS);
    }
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
    let said = verdict(agreement.score(), program_len);
    if let Some(spaced) = spaced.filter(|score| verdict(*score, program_len) != said) {
        writeln!(
            out,
            "hint        padded with spaces instead of zeros it scores {spaced}: {}",
            verdict(spaced, program_len)
        )?;
    }
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

fn explain_json(
    args: &SelfrepArgs,
    scorer: &Scorer,
    program: &[u8],
    partners: &Partners,
) -> Result<Value, Failure> {
    let language = args.language();
    let program_len = language.program_len;
    let agreement = scorer.agreement(program, partners)?;
    let copying = copying_places(language, program, partners)?
        .map(|places| json!({"first": places.start, "last": places.end - 1}));
    let mut beside = Vec::new();
    if args.partners {
        let generations = scorer.generations(program, partners)?;
        for (number, partner) in partners.programs().enumerate() {
            let runs = generations.iter().map(|tapes| {
                let (left, right) = tapes[number].split_at(program_len);
                json!([hex(left), hex(right)])
            });
            beside.push(json!({"partner": hex(partner), "runs": runs.collect::<Vec<Value>>()}));
        }
    }
    let score = agreement.score();
    Ok(json!({
        "lang": language.name,
        "program": output::program(language, program),
        "score": score,
        "most": program_len,
        "left": agreement.left,
        "right": agreement.right,
        "replicator": score >= knierim_threshold(program_len),
        "replicator_by_cubff": score >= CUBFF_THRESHOLD,
        "loop": copying,
        "partners": args.partners.then_some(beside),
    }))
}

/// The loop of `program` that changes most bytes beside the first partner beside which one does.
fn copying_places(
    language: &'static Language,
    program: &[u8],
    partners: &Partners,
) -> Result<Option<Range<usize>>, Error> {
    for partner in partners.programs() {
        let tape = [program, partner].concat();
        let found = copying_loop(language, &tape, language.max_steps)?;
        if let Some(places) = found.filter(|it| it.end <= language.program_len) {
            return Ok(Some(places));
        }
    }
    Ok(None)
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
    if let Some(places) = copying_places(language, program, partners)? {
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
    let best = scores.iter().max().copied().unwrap_or(0);
    let best_index = scores.iter().position(|score| *score == best);
    let best_program = |index| &soup.programs[index * program_len..][..program_len];
    if args.json {
        let count = |score| scores.iter().filter(|it| **it == score).count();
        let counts: Vec<usize> = (0..=program_len as u8).map(count).collect();
        let best = best_index.map(|index| {
            let program = output::program(settings.language, best_program(index));
            json!({"score": best, "index": index, "program": program})
        });
        write_json(&json!({
            "lang": settings.language.name,
            "seed": settings.seed,
            "epochs_done": soup.epochs_done,
            "programs": scores.len(),
            "replicators": knierim,
            "replicators_by_cubff": cubff,
            "scores": counts,
            "best": best,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} programs after {}, as of seed {}: {BOLD}{}{RESET} score at least \
         {CUBFF_THRESHOLD}, {BOLD}{}{RESET} at least {}",
        thousands(scores.len()),
        plural(soup.epochs_done, "epoch"),
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
    if let Some(index) = best_index {
        let text = paint::tape(settings.language, best_program(index), [None; 4]);
        writeln!(out, "  best  {best:<6} program {index}  {text}")?;
    }
    Ok(ExitCode::SUCCESS)
}
