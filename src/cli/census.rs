//! `broth census`

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::Error;
use broth::engine::{Engine, Options};
use broth::format::thousands;
use broth::language::Language;
use broth::measure::census::{Census, Group, Portrait, sequences};
use broth::measure::replicators::Scorer;
use broth::random::Streams;
use broth::run::newest_soup;
use broth::soup::settings::World;
use clap::Args;

use super::checkpoint::{self, CheckpointArgs};
use super::paint::{self, BOLD, RESET};
use super::{Failure, parse_language};

const EXAMPLES: &str = "\
Lists the commonest programs of a soup and the commonest skeletons. A skeleton is the sequence of
the kinds of a program's bytes, whatever the bytes of its no-ops. Each group is represented by its
program with the lowest index, with its replicator score (0 to 64), the number of programs that
are its mirror image, and the loop that changes most bytes when it runs beside a random partner.

Examples:
  broth census runs/bff_noheads-seed-29
      the newest checkpoint of a run
  broth census runs/bff_noheads-seed-29/checkpoints/0000001025.dat --top 3
  broth census --sequences 4 runs/i8080-seed-1
      sequences that copy themselves on a long tape, wherever they begin
  broth census cubff/0000000512.dat --lang forthtrivial --seed 1";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CensusArgs {
    /// A run folder, or a checkpoint of broth or of cubff
    path: PathBuf,

    /// The language of a checkpoint; a run folder and a sidecar record it
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// The seed of a checkpoint's soup, which determines the partners; a run folder and a
    /// sidecar record it [default: 0]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    #[command(flatten)]
    loading: CheckpointArgs,

    /// Number of groups to show
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,

    /// Also show the commonest sequences of this many bytes, wherever they begin, not counting
    /// bytes of sequences already listed
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u8).range(1..=64))]
    sequences: Option<u8>,
}

/// A soup, and what is known of it.
struct Subject {
    language: &'static Language,
    seed: u64,
    epochs_done: u64,
    programs: Vec<u8>,
    /// Whether one program goes on where the one before ends.
    is_one_tape: bool,
}

impl Subject {
    fn read(args: &CensusArgs) -> Result<Subject, Failure> {
        if args.path.is_dir() {
            for (flag, given) in [("lang", args.lang.is_some()), ("seed", args.seed.is_some())] {
                if given {
                    return Err(Error::Usage(format!(
                        "--{flag}: the run in {} knows; leave it out, or give a checkpoint",
                        args.path.display()
                    ))
                    .into());
                }
            }
            let soup = newest_soup(&args.path)?;
            return Ok(Subject {
                language: soup.settings().language,
                seed: soup.settings().seed,
                epochs_done: soup.epochs_done(),
                programs: soup.programs().to_vec(),
                is_one_tape: matches!(soup.settings().world, World::LongTape { .. }),
            });
        }
        let given = checkpoint::given(args.lang, args.seed);
        let used = ["lang", "seed", "world"];
        let loaded = args.loading.load_to_see(&args.path, &given, &used)?;
        Ok(Subject {
            language: loaded.settings.language,
            seed: loaded.settings.seed,
            epochs_done: loaded.checkpoint.epochs_done,
            programs: loaded.checkpoint.programs,
            is_one_tape: matches!(loaded.settings.world, World::LongTape { .. }),
        })
    }
}

pub(super) fn census(args: CensusArgs) -> Result<ExitCode, Failure> {
    let subject = Subject::read(&args)?;
    let census = Census::of(subject.language, &subject.programs)?;
    let scorer = Scorer::new(subject.language, Engine::Auto, &Options::default());
    let mut out = BufWriter::new(anstream::stdout().lock());
    writeln!(
        out,
        "{}, seed {}, after {} epochs: {} programs",
        subject.language,
        subject.seed,
        thousands(subject.epochs_done as usize),
        thousands(subject.programs.len() / subject.language.program_len)
    )?;
    for (name, groups) in [
        ("programs", &census.programs),
        ("skeletons", &census.skeletons),
    ] {
        writeln!(
            out,
            "\n{BOLD}The commonest of {} distinct {name}{RESET}",
            thousands(groups.len())
        )?;
        writeln!(
            out,
            "   count   share  mirrored  score  {:<width$}  loop",
            "program of the lowest index",
            width = shown_width(subject.language)
        )?;
        for group in groups.iter().take(args.top.into()) {
            row(&mut out, &subject, &scorer, group)?;
        }
    }
    if let Some(len) = args.sequences {
        show_sequences(&mut out, &subject, len.into(), args.top.into())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn show_sequences(
    out: &mut impl Write,
    subject: &Subject,
    len: usize,
    most: usize,
) -> std::io::Result<()> {
    let stretch = match subject.is_one_tape {
        true => subject.programs.len(),
        false => subject.language.program_len,
    };
    writeln!(out, "\n{BOLD}The commonest sequences of {len} bytes{RESET}")?;
    writeln!(out, "   count  covers  together  sequence")?;
    let mut together = 0;
    let percent = |bytes| 100.0 * bytes as f64 / subject.programs.len() as f64;
    for found in sequences(subject.programs.chunks(stretch), len, most) {
        together += found.covered;
        writeln!(
            out,
            "{:>8}  {:>5.2}%  {:>7.2}%  {}",
            thousands(found.count as usize),
            percent(found.covered),
            percent(together),
            paint::tape(subject.language, &found.bytes, [None; 4]),
        )?;
    }
    Ok(())
}

/// Columns of the terminal that a program takes.
fn shown_width(language: &Language) -> usize {
    language.program_len * language.byte_text(0).chars().count()
}

fn row(
    out: &mut impl Write,
    subject: &Subject,
    scorer: &Scorer,
    group: &Group,
) -> Result<(), Failure> {
    let num_programs = subject.programs.len() / subject.language.program_len;
    let portrait = Portrait::of(
        subject.language,
        scorer,
        &Streams::new(subject.seed),
        num_programs,
        subject.epochs_done,
        (group.index, &group.program),
    )?;
    let shown = |bytes: &[u8]| paint::tape(subject.language, bytes, [None; 4]);
    let copies = match &portrait.copying_loop {
        Some(places) => shown(&group.program[places.clone()]),
        None => "-".into(),
    };
    writeln!(
        out,
        "{:>8}  {:>5.2}%  {:>8}  {:>5}  {}  {copies}",
        thousands(group.count as usize),
        100.0 * group.count as f64 / num_programs as f64,
        thousands(group.mirrored as usize),
        portrait.score,
        shown(&group.program),
    )?;
    Ok(())
}
