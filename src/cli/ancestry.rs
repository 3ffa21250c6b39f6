//! `broth ancestry`

mod winner;

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::files;
use broth::format::{hex, thousands};
use broth::language::{Language, PROGRAM_LEN};
use broth::measure::replicators::{KNIERIM_THRESHOLD, PARTNERS};
use broth::plot::format::Subject;
use broth::run::ancestry::{Ancestor, FirstSeen, Line, Searched};
use broth::run::replay::{PastRun, Replay};
use clap::Args;
use serde_json::{Value, json};

use super::drawing::{self, ThemeArgs, WorkArgs};
use super::interaction::{describe, interaction_json};
use super::interrupt::Interrupt;
use super::number::plural;
use super::output::write_json;
use super::paint::{self, BOLD, RESET};
use super::progress::ReplayProgress;
use super::selfrep::write_copying;
use super::source::run_of;
use super::strip;
use super::{Failure, number, program, shown, start_threads};

const EXAMPLES: &str = "\
A line of descent leads from a program back to the one that most of its bytes came from,
interaction by interaction, to the beginning of the run. The first replicator is the
earliest program that scores 48 or more on the line of the commonest replicator at the
first log point that has one. The run is recomputed from its checkpoints, the last one first;
its soup is not changed. Each interaction on the line is run again by the reference engine,
whose result must agree with the run's.

The first replicator often leaves nothing behind. The winner is the replicator of which there are
most in the end, it and its mirror image counted together: --winner follows its line back to the
first ancestor from which on every member scores 48 or more (but for some that were damaged and
repaired again), and counts the descendants of that one, epoch by epoch.

For the first replicator and the winner, the report also says how it copies itself, and a picture
shows the soup from that birth until the takeover, as `broth strip` does.

Examples:
  broth ancestry runs/bff_noheads-seed-29 --first-replicator
      writes ancestry.txt, ancestry.json and ancestry.png to the run folder
  broth ancestry runs/bff_noheads-seed-29 --winner
      writes winner.txt, winner.json and winner.png there
  broth ancestry runs/bff_noheads-seed-29 --program 4 --epoch 1025 --out program-4.txt";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AncestryArgs {
    /// A run folder, or a checkpoint in one, which then stands for --epoch
    run: PathBuf,

    /// Find the first replicator
    #[arg(long)]
    first_replicator: bool,

    /// Find where the line of the commonest replicator began
    #[arg(long, conflicts_with_all = ["first_replicator", "program"])]
    winner: bool,

    /// Trace the program with this index
    #[arg(
        long,
        value_name = "INDEX",
        conflicts_with = "first_replicator",
        value_parser = number::any::<usize>
    )]
    program: Option<usize>,

    /// ... as it was after this many epochs [default: at the newest checkpoint]
    #[arg(long, value_name = "EPOCHS", conflicts_with = "first_replicator",
          value_parser = number::count)]
    epoch: Option<u64>,

    /// The report to write; the same as JSON and the picture are written beside it [default:
    /// ancestry.txt, or winner.txt, in the run folder]
    #[arg(long, value_name = "FILE.txt")]
    out: Option<PathBuf>,

    /// The picture to write, .png or .svg [default: beside the report, as .png]
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    picture: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,

    /// Number of changes on the line to show
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = number::any::<usize>)]
    changes: usize,

    #[command(flatten)]
    work: WorkArgs,

    /// Write the result as JSON to standard output, instead of the report
    #[arg(long)]
    json: bool,
}

/// The files that are written.
struct Reports {
    /// The folder of the run.
    run: PathBuf,
    text: PathBuf,
    json: PathBuf,
    picture: PathBuf,
}

impl Reports {
    fn of(args: &AncestryArgs, run: &Path) -> Result<Reports, Error> {
        let name = if args.winner {
            "winner.txt"
        } else {
            "ancestry.txt"
        };
        let text = args.out.clone().unwrap_or(run.join(name));
        let json = text.with_extension("json");
        let picture = args.picture.clone();
        let picture = picture.unwrap_or(text.with_extension("png"));
        if [&json, &picture].contains(&&text) {
            return Err(Error::Usage(format!(
                "--out {}: something else goes beside it by this name; choose another, as in \
                 report.txt",
                text.display()
            )));
        }
        Ok(Reports {
            run: run.into(),
            text,
            json,
            picture,
        })
    }

    /// Write the report, as text and as JSON, and show it as `args` ask for.
    fn write(&self, args: &AncestryArgs, report: &[u8], json: &Value) -> Result<(), Failure> {
        let report = String::from_utf8_lossy(report);
        let plain = anstream::adapter::strip_str(&report).to_string();
        files::write_whole(&self.text, |file| file.write_all(plain.as_bytes()))?;
        files::write_whole(&self.json, |file| {
            serde_json::to_writer_pretty(&mut *file, json)?;
            writeln!(file)
        })?;
        if args.is_shown() {
            let mut out = anstream::stdout().lock();
            out.write_all(report.as_bytes())?;
            writeln!(out, "\n{}\n{}", shown(&self.text), shown(&self.json))?;
        }
        if args.json {
            write_json(json)?;
        }
        Ok(())
    }

    /// Draw the soup of these epochs.
    fn draw(
        &self,
        args: &AncestryArgs,
        epochs: Range<u64>,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let replay = Replay::open(&self.run, Some(epochs.start), Some(epochs.end))?;
        interrupt.last_words(strip::nothing_drawn(&self.picture));
        let to = (&*self.picture, args.look.theme());
        strip::draw(replay, (None, None), to, (args.work.quiet, interrupt))?;
        if args.is_shown() {
            writeln!(anstream::stdout(), "{}", shown(&self.picture))?;
        }
        Ok(())
    }
}

impl AncestryArgs {
    /// Whether the report is shown as text.
    fn is_shown(&self) -> bool {
        !self.work.quiet && !self.json
    }
}

pub(super) fn ancestry(args: AncestryArgs) -> Result<ExitCode, Failure> {
    if let Some(given) = &args.picture {
        drawing::check("picture", given, Subject::Chart)?;
    }
    let run = run_of(&args.run)?;
    if !args.first_replicator && !args.winner && args.program.is_none() {
        return Err(choose_what(&run.folder).into());
    }
    let reports = Reports::of(&args, &run.folder)?;
    start_threads(args.work.threads)?;
    let interrupt = Interrupt::at_once()?;
    interrupt.last_words({
        let out = reports.text.display().to_string();
        move || format!("stopped: {out} is not written; the run is as it was")
    });
    let past = PastRun::open(&run.folder)?;
    let newest = past.newest()?.unwrap_or(0);
    if args.winner {
        let epochs_done = args.epoch.or(run.epochs_done).unwrap_or(newest);
        return winner::trace(&args, &past, epochs_done, &reports, &interrupt);
    }
    let mut progress = ReplayProgress::new(args.work.quiet, 0, newest, &interrupt);
    let seen = if args.first_replicator {
        progress.begin("looking for the first replicator", newest);
        let seen = past.first_seen(&mut |searched| match searched {
            Searched::Programs(scored) => progress.see_scored(scored),
            Searched::Epochs(epochs_done) => progress.see(epochs_done),
            _ => {}
        })?;
        Some(seen.ok_or_else(|| no_replicator(&run.folder))?)
    } else {
        None
    };
    let (epochs_done, index) = match &seen {
        Some(seen) => (seen.epochs_done, seen.index),
        None => {
            let epoch = args.epoch.or(run.epochs_done).unwrap_or(newest);
            (epoch, args.program.unwrap_or(0))
        }
    };
    // Each epoch is run twice: see `PastRun::line`.
    let epochs = epochs_done.saturating_sub(past.start());
    progress.begin("tracing back, each epoch twice", 2 * epochs);
    let line = past.line(epochs_done, index, &mut |_| progress.count())?;
    progress.finish();
    interrupt.last_words(|| "stopped while the report was written; the run is as it was".into());
    let mut report = Vec::new();
    write_report(&mut report, &args, &past, seen.as_ref(), &line)?;
    reports.write(&args, &report, &to_json(&past, seen.as_ref(), &line))?;
    if let (Some(seen), Some(first)) = (&seen, line.first_replicator()) {
        let to = past.turned(first.epochs_done)?.max(seen.epochs_done);
        reports.draw(&args, first.epochs_done..to, &interrupt)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What there is to trace, for whoever has not said.
fn choose_what(run: &Path) -> Error {
    let trace = |flags| program::command(&format!("ancestry {} {flags}", program::path(run)));
    Error::Usage(format!(
        "choose what to trace back to its origin: the first replicator of the run, by `{}`, the \
         line of its commonest replicator, by `{}`, or the program with an index, as it is at the newest checkpoint or after --epoch epochs, by \
         `{}`",
        trace("--first-replicator"),
        trace("--winner"),
        trace("--program INDEX [--epoch EPOCHS]")
    ))
}

fn no_replicator(run: &Path) -> Error {
    Error::file(
        run,
        format!(
            "has no program that scores {KNIERIM_THRESHOLD} or more at any log point yet; \
             continue the run, or log more often"
        ),
    )
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
            "first seen   at the log point after {}: {} that score {KNIERIM_THRESHOLD} or \
             more; the commonest, {} alike, is program {}",
            plural(seen.epochs_done, "epoch"),
            number(seen.replicators),
            number(seen.alike),
            seen.index
        )?;
    }
    let first = line.first_replicator();
    let skip = match (args.first_replicator, first) {
        // What came after it are copies and their changes: the line up to it is the story.
        (true, Some(first)) => line
            .ancestors
            .iter()
            .position(|a| a.epochs_done == first.epochs_done)
            .unwrap_or(0),
        _ => 0,
    };
    let (later, earlier) = line.ancestors.split_at(skip);
    let changes: Vec<&Ancestor> = earlier.iter().filter(|a| a.is_new()).collect();
    let changed_later = later.iter().filter(|a| a.is_new()).count();
    let of_these = if skip == 0 {
        String::new()
    } else {
        format!(
            ": {} up to the first replicator, {} after it",
            number(changes.len() as u64),
            number(changed_later as u64)
        )
    };
    writeln!(
        out,
        "line         back to the soup after {}, through {}, {} of which changed it{of_these}",
        plural(line.begun, "epoch"),
        plural(line.ancestors.len() as u64, "interaction"),
        number((changes.len() + changed_later) as u64)
    )?;
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
    write_changes(out, language, &changes, args.changes)
}

/// The newest changes of a line, so many at most.
fn write_changes(
    out: &mut impl Write,
    language: &Language,
    changes: &[&Ancestor],
    most: usize,
) -> Result<(), Failure> {
    writeln!(
        out,
        "\n{BOLD}What shaped it{RESET}, from the newest change back ({} of {})",
        thousands(changes.len().min(most)),
        thousands(changes.len())
    )?;
    writeln!(
        out,
        "  epoch  program  side   from     score  changed  what it was then"
    )?;
    for ancestor in changes.iter().take(most) {
        let before = ancestor.parent.of(&ancestor.interaction.before);
        let differ = before.iter().zip(&ancestor.program).filter(|(a, b)| a != b);
        writeln!(
            out,
            "{:>7}  {:>7}  {:<5}  {:<7}  {:>5}  {:>7}  {}",
            ancestor.interaction.epoch,
            ancestor.index,
            ancestor.side.name(),
            if ancestor.parent == ancestor.side {
                "itself"
            } else {
                "partner"
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
