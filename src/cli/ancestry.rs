//! `broth ancestry`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::Error;
use broth::files;
use broth::format::thousands;
use broth::language::PROGRAM_LEN;
use broth::measure::replicators::{KNIERIM_THRESHOLD, PARTNERS};
use broth::plot::format::Subject;
use broth::run::ancestry::{Ancestor, FirstSeen, Line};
use broth::run::replay::{PastRun, Replay};
use broth::soup::interaction::Interaction;
use clap::Args;
use serde_json::{Value, json};

use super::drawing::{self, ThemeArgs};
use super::interaction::describe;
use super::interrupt::Interrupt;
use super::paint::{self, BOLD, RESET};
use super::progress::ReplayProgress;
use super::selfrep::write_copying;
use super::strip;
use super::{Failure, hex, shown, start_threads};

const EXAMPLES: &str = "\
A line of descent leads from a program back to the one that most of its bytes came from,
interaction by interaction, to the beginning of the run. The first replicator is the
earliest program that scores 48 or more on the line of the commonest replicator at the
first log point that has one. The run is recomputed from its checkpoints, the last one first;
its soup is not changed. Each interaction on the line is run again by the reference engine,
whose result must agree with the run's.

For the first replicator, the report also says how it copies itself, and a picture shows the
soup from that birth until the takeover, as `broth strip` does.

Examples:
  broth ancestry runs/bff_noheads-seed-29 --first-replicator
      writes ancestry.txt, ancestry.json and ancestry.png to the run folder
  broth ancestry runs/bff_noheads-seed-29 --program 4 --epoch 1025 --out program-4.txt";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AncestryArgs {
    /// A run folder
    run: PathBuf,

    /// Find the first replicator
    #[arg(long, required_unless_present = "program")]
    first_replicator: bool,

    /// Trace the program with this index
    #[arg(
        long,
        value_name = "INDEX",
        conflicts_with = "first_replicator",
        requires = "epoch"
    )]
    program: Option<usize>,

    /// ... as it is after this many epochs
    #[arg(long, value_name = "EPOCHS", conflicts_with = "first_replicator")]
    epoch: Option<u64>,

    /// The report to write; the same as JSON and the picture are written beside it [default:
    /// ancestry.txt in the run folder]
    #[arg(long, value_name = "FILE.txt")]
    out: Option<PathBuf>,

    /// The picture to write, .png or .svg [default: beside the report, as .png]
    #[arg(long, value_name = "FILE", requires = "first_replicator")]
    picture: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,

    /// Number of changes on the line to show
    #[arg(long, value_name = "N", default_value_t = 24)]
    changes: usize,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn ancestry(args: AncestryArgs) -> Result<ExitCode, Failure> {
    let text_path = args.out.clone().unwrap_or(args.run.join("ancestry.txt"));
    let json_path = text_path.with_extension("json");
    let picture = args
        .picture
        .clone()
        .unwrap_or(text_path.with_extension("png"));
    if let Some(given) = &args.picture {
        drawing::check("picture", given, Subject::Chart)?;
    }
    if [&json_path, &picture].contains(&&text_path) {
        return Err(Error::Usage(format!(
            "--out {}: something else goes beside it by this name; choose another, as in \
             report.txt",
            text_path.display()
        ))
        .into());
    }
    start_threads(args.threads)?;
    let interrupt = Interrupt::at_once()?;
    interrupt.last_words({
        let out = text_path.display().to_string();
        move || format!("stopped: {out} is not written; the run is as it was")
    });
    let past = PastRun::open(&args.run)?;
    let mut progress = ReplayProgress::new(
        args.quiet,
        0,
        args.epoch.or(past.newest()?).unwrap_or(0),
        &interrupt,
    );
    let mut watch = |epochs_done| progress.see(epochs_done);
    let seen = match args.first_replicator {
        true => Some(past.first_seen(&mut watch)?.ok_or_else(|| {
            Error::file(
                &args.run,
                format!(
                    "has no program that scores {KNIERIM_THRESHOLD} or more at any log point \
                     yet; go on with the run, or log more often"
                ),
            )
        })?),
        false => None,
    };
    let (epochs_done, index) = match (&seen, args.epoch, args.program) {
        (Some(seen), ..) => (seen.epochs_done, seen.index),
        (None, epoch, program) => (epoch.unwrap_or(0), program.unwrap_or(0)),
    };
    let line = past.line(epochs_done, index, &mut watch)?;
    progress.finish();
    interrupt.last_words(|| "stopped while the report was written; the run is as it was".into());
    let mut report = Vec::new();
    write_report(&mut report, &args, &past, seen.as_ref(), &line)?;
    let report = String::from_utf8_lossy(&report).into_owned();
    let plain = anstream::adapter::strip_str(&report).to_string();
    files::write_whole(&text_path, |file| file.write_all(plain.as_bytes()))?;
    let json = to_json(&past, seen.as_ref(), &line);
    files::write_whole(&json_path, |file| {
        serde_json::to_writer_pretty(&mut *file, &json)?;
        writeln!(file)
    })?;
    if !args.quiet {
        let mut out = anstream::stdout().lock();
        out.write_all(report.as_bytes())?;
        writeln!(out, "\n{}\n{}", shown(&text_path), shown(&json_path))?;
    }
    if let (Some(seen), Some(first)) = (&seen, line.first_replicator()) {
        let to = past.turned(first.epochs_done)?.max(seen.epochs_done);
        let replay = Replay::open(&args.run, Some(first.epochs_done), Some(to))?;
        interrupt.last_words(strip::nothing_drawn(&picture));
        let to = (&*picture, args.look.theme());
        strip::draw(replay, (None, None), to, (args.quiet, &interrupt))?;
        if !args.quiet {
            writeln!(anstream::stdout(), "{}", shown(&picture))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_report(
    out: &mut impl Write,
    args: &AncestryArgs,
    past: &PastRun,
    seen: Option<&FirstSeen>,
    line: &Line,
) -> Result<(), Failure> {
    let settings = past.settings();
    let language = settings.language;
    let number = |number: u64| thousands(number as usize);
    writeln!(
        out,
        "{BOLD}{language}, seed {}, {} programs{RESET}",
        settings.seed,
        thousands(settings.num_programs)
    )?;
    if let Some(seen) = seen {
        writeln!(
            out,
            "first seen   at the log point after {} epochs: {} that score {KNIERIM_THRESHOLD} or \
             more; the commonest, {} alike, is program {}",
            number(seen.epochs_done),
            number(seen.replicators),
            number(seen.alike),
            seen.index
        )?;
    }
    let changed = line.ancestors.iter().filter(|a| a.is_new()).count();
    writeln!(
        out,
        "line         back to the soup after {} epochs, through {} interactions, {} of which \
         changed it",
        number(line.begun),
        number(line.ancestors.len() as u64),
        number(changed as u64)
    )?;
    let first = line.first_replicator();
    if let Some(first) = first {
        let [left, right] = first.interaction.programs;
        writeln!(
            out,
            "\n{BOLD}The first replicator{RESET} was born in epoch {} (counted from 0) as program \
             {}, on the {} of pair {}, of programs {left} and {right}; it scores {}",
            number(first.interaction.epoch),
            first.index,
            first.side.name(),
            number(first.interaction.pair as u64),
            first.score
        )?;
        describe(out, language, &first.interaction)?;
        if let Some(line) = origins_line(first) {
            writeln!(out, "  {line}")?;
        }
        writeln!(
            out,
            "\n{BOLD}How it runs{RESET}, and what comes of it, beside {PARTNERS} random partners"
        )?;
        let partners = past.partners_of(first);
        write_copying(out, language, &past.scorer(), &first.program, &partners)?;
    } else if seen.is_none() {
        writeln!(
            out,
            "no program on the line scores {KNIERIM_THRESHOLD} or more"
        )?;
    }
    let skip = match (args.first_replicator, first) {
        // What came after it are copies and their changes: the line up to it is the story.
        (true, Some(first)) => line
            .ancestors
            .iter()
            .position(|a| a.epochs_done == first.epochs_done)
            .unwrap_or(0),
        _ => 0,
    };
    let changes: Vec<&Ancestor> = line.ancestors[skip..]
        .iter()
        .filter(|a| a.is_new())
        .collect();
    writeln!(
        out,
        "\n{BOLD}What shaped it{RESET}, from the newest change back ({} of {})",
        changes.len().min(args.changes),
        changes.len()
    )?;
    writeln!(
        out,
        "  epoch  program  side   from     score  changed  what it was then"
    )?;
    for ancestor in changes.iter().take(args.changes) {
        let before = ancestor.parent.of(&ancestor.interaction.before);
        let differ = before.iter().zip(&ancestor.program).filter(|(a, b)| a != b);
        writeln!(
            out,
            "{:>7}  {:>7}  {:<5}  {:<7}  {:>5}  {:>7}  {}",
            ancestor.interaction.epoch,
            ancestor.index,
            ancestor.side.name(),
            match ancestor.parent == ancestor.side {
                true => "itself",
                false => "partner",
            },
            ancestor.score,
            differ.count(),
            paint::tape(language, &ancestor.program, [None; 4])
        )?;
    }
    Ok(())
}

/// Where the bytes of a program came from, in words.
fn origins_line(ancestor: &Ancestor) -> Option<String> {
    let origins = ancestor.interaction.origins?;
    let own = ancestor.side.of(&origins);
    let from_left = own
        .iter()
        .filter(|origin| usize::from(**origin) < PROGRAM_LEN)
        .count();
    Some(format!(
        "of its {PROGRAM_LEN} bytes {from_left} come from the left program, {} from the right",
        PROGRAM_LEN - from_left
    ))
}

fn interaction_json(interaction: &Interaction) -> Value {
    let (left, right) = (0..PROGRAM_LEN, PROGRAM_LEN..2 * PROGRAM_LEN);
    let halves = |tape: &[u8]| json!([hex(&tape[left.clone()]), hex(&tape[right.clone()])]);
    let mutations: Vec<Value> = (interaction.mutations.iter())
        .map(|m| json!({"place": m.place, "from": m.from, "to": m.to}))
        .collect();
    json!({
        "epoch": interaction.epoch,
        "pair": interaction.pair,
        "programs": interaction.programs,
        "before": halves(&interaction.before),
        "mutations": mutations,
        "start": halves(&interaction.start),
        "after": halves(&interaction.after),
        "ops": interaction.outcome.map(|outcome| outcome.ops),
        "steps": interaction.outcome.map(|outcome| outcome.steps),
        "ended": interaction.outcome.map(|outcome| outcome.ended.name()),
        "origins": interaction.origins.map(|origins| origins.to_vec()),
    })
}

fn ancestor_json(ancestor: &Ancestor) -> Value {
    json!({
        "epochs_done": ancestor.epochs_done,
        "index": ancestor.index,
        "program": hex(&ancestor.program),
        "score": ancestor.score,
        "side": ancestor.side.name(),
        "parent": ancestor.parent.name(),
        "is_new": ancestor.is_new(),
        "interaction": interaction_json(&ancestor.interaction),
    })
}

fn to_json(past: &PastRun, seen: Option<&FirstSeen>, line: &Line) -> Value {
    let settings = past.settings();
    json!({
        "lang": settings.language.name,
        "num": settings.num_programs,
        "seed": settings.seed,
        "first_seen": seen.map(|seen| json!({
            "epochs_done": seen.epochs_done,
            "replicators": seen.replicators,
            "alike": seen.alike,
            "index": seen.index,
        })),
        "begun": line.begun,
        "first_replicator": line.first_replicator().map(ancestor_json),
        "line": line.ancestors.iter().map(ancestor_json).collect::<Vec<_>>(),
    })
}
