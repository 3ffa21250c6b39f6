//! `broth census`

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::Error;
use broth::engine::{Engine, Options};
use broth::format::thousands;
use broth::language::Language;
use broth::measure::census::{Census, Group, Portrait, Sequence, sequences};
use broth::measure::replicators::Scorer;
use broth::random::Streams;
use broth::soup::settings::World;
use clap::Args;
use serde_json::{Value, json};

use super::checkpoint;
use super::number::plural;
use super::output::{self, write_json};
use super::paint::{self, BOLD, RESET};
use super::source::SoupArgs;
use super::{Failure, number, parse_language};

const EXAMPLES: &str = "\
Lists the commonest programs of a soup and the commonest skeletons. A skeleton is the sequence of
the kinds of a program's bytes, whatever the bytes of its no-ops. Each group is represented by its
program with the lowest index, with its replicator score (0 to 64), the number of programs that
are its mirror image, and the loop that changes most bytes when it runs beside a random partner.

Examples:
  broth census runs/bff_noheads-seed-29
      the newest checkpoint of a run, also of one that is still going on
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
    #[arg(long, value_name = "SEED", value_parser = number::any::<u64>)]
    seed: Option<u64>,

    #[command(flatten)]
    soup: SoupArgs,

    /// Number of groups to show
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = number::within::<u16>(1..=1000))]
    top: u16,

    /// Also show the commonest sequences of this many bytes, wherever they begin, not counting
    /// bytes of sequences already listed
    #[arg(long, value_name = "BYTES", value_parser = number::within::<u8>(1..=64))]
    sequences: Option<u8>,

    /// Show only the result, no notes
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
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
        let given = checkpoint::given(args.lang, args.seed);
        let used = ["lang", "seed", "world"];
        let found = args.soup.see(&args.path, &given, &used, args.quiet)?;
        Ok(Subject {
            language: found.settings.language,
            seed: found.settings.seed,
            epochs_done: found.checkpoint.epochs_done,
            programs: found.checkpoint.programs,
            is_one_tape: matches!(found.settings.world, World::LongTape { .. }),
        })
    }

    fn num_programs(&self) -> usize {
        self.programs.len() / self.language.program_len
    }

    /// How a group's representative copies.
    fn portrait(&self, scorer: &Scorer, group: &Group) -> Result<Portrait, Error> {
        Portrait::of(
            self.language,
            scorer,
            &Streams::new(self.seed),
            self.num_programs(),
            self.epochs_done,
            (group.index, &group.program),
        )
    }

    /// The commonest sequences of so many bytes.
    fn sequences(&self, len: usize, most: usize) -> Vec<Sequence> {
        let stretch = if self.is_one_tape {
            self.programs.len()
        } else {
            self.language.program_len
        };
        sequences(self.programs.chunks(stretch), len, most)
    }
}

pub(super) fn census(args: CensusArgs) -> Result<ExitCode, Failure> {
    let subject = Subject::read(&args)?;
    let census = Census::of(subject.language, &subject.programs)?;
    let scorer = Scorer::new(subject.language, Engine::Auto, &Options::default());
    if args.json {
        write_json(&to_json(&args, &subject, &census, &scorer)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    writeln!(
        out,
        "{}, seed {}, after {}: {} programs",
        subject.language,
        subject.seed,
        plural(subject.epochs_done, "epoch"),
        thousands(subject.num_programs())
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
    writeln!(out, "\n{BOLD}The commonest sequences of {len} bytes{RESET}")?;
    writeln!(out, "   count  covers  together  sequence")?;
    let mut together = 0;
    let percent = |bytes| 100.0 * bytes as f64 / subject.programs.len() as f64;
    for found in subject.sequences(len, most) {
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

fn to_json(
    args: &CensusArgs,
    subject: &Subject,
    census: &Census,
    scorer: &Scorer,
) -> Result<Value, Error> {
    let share = |part: u64, whole: usize| part as f64 / whole as f64;
    let of_group = |group: &Group| {
        let portrait = subject.portrait(scorer, group)?;
        let copying = portrait
            .copying_loop
            .as_ref()
            .map(|places| json!({"first": places.start, "last": places.end - 1}));
        Ok(json!({
            "count": group.count,
            "share": share(group.count, subject.num_programs()),
            "mirrored": group.mirrored,
            "score": portrait.score,
            "index": group.index,
            "program": output::program(subject.language, &group.program),
            "loop": copying,
        }))
    };
    let of_groups = |groups: &[Group]| {
        let shown = groups.iter().take(args.top.into());
        shown.map(of_group).collect::<Result<Vec<Value>, Error>>()
    };
    let sequences = args.sequences.map(|len| {
        let found = subject.sequences(len.into(), args.top.into()).into_iter();
        let found = found.map(|found| {
            json!({
                "count": found.count,
                "covers": share(found.covered, subject.programs.len()),
                "bytes": output::program(subject.language, &found.bytes),
            })
        });
        found.collect::<Vec<Value>>()
    });
    Ok(json!({
        "lang": subject.language.name,
        "seed": subject.seed,
        "epochs_done": subject.epochs_done,
        "programs": subject.num_programs(),
        "distinct_programs": census.programs.len(),
        "distinct_skeletons": census.skeletons.len(),
        "commonest_programs": of_groups(&census.programs)?,
        "commonest_skeletons": of_groups(&census.skeletons)?,
        "sequences": sequences,
    }))
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
    let portrait = subject.portrait(scorer, group)?;
    let shown = |bytes: &[u8]| paint::tape(subject.language, bytes, [None; 4]);
    let copies = match &portrait.copying_loop {
        Some(places) => shown(&group.program[places.clone()]),
        None => "-".into(),
    };
    writeln!(
        out,
        "{:>8}  {:>5.2}%  {:>8}  {:>5}  {}  {copies}",
        thousands(group.count as usize),
        100.0 * group.count as f64 / subject.num_programs() as f64,
        thousands(group.mirrored as usize),
        portrait.score,
        shown(&group.program),
    )?;
    Ok(())
}
