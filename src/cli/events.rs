//! `broth events`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::format::thousands;
use broth::run::events::{Events, Format};
use broth::{Error, files};
use clap::Args;
use serde_json::json;

use super::drawing::WorkArgs;
use super::interrupt::Interrupt;
use super::output::{self, write_json};
use super::progress::ReplayProgress;
use super::source::run_of;
use super::{Failure, INTERRUPTED, number, say, shown, start_threads, strip};

const EXAMPLES: &str = "\
Each row is an interaction: epoch, pair, the indices of both programs, hashes of their bytes and
of their classes before and after, mutations, ops, steps, and how it ended. docs/events.md
describes the columns, and answers questions such as who made whom.

The run is recomputed from its nearest checkpoint; its folder is not changed. A soup of the usual
size has 65,536 rows an epoch, some 5 MB as Parquet and 13 MB as CSV.

Examples:
  broth events runs/bff_noheads-seed-29 --from 900 --to 1000
      epochs 900 to 999, to events-900-1000.parquet in the run folder
  broth events runs/bff_noheads-seed-29 --from 940 --to 945 --out birth.csv";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EventsArgs {
    /// A run folder, or a checkpoint in one, at which the table then ends
    run: PathBuf,

    /// Begin with the soup after this many epochs: the first epoch of the table, counted from 0
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    from: u64,

    /// End with the soup after this many epochs [default: the newest checkpoint]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    to: Option<u64>,

    /// The table to write, .parquet or .csv [default: events-FROM-TO in the run folder, as
    /// Parquet]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    work: WorkArgs,

    /// Write what the table holds as JSON to standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn events(args: EventsArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out)?;
    }
    let run = run_of(&args.run)?;
    start_threads(args.work.threads)?;
    let interrupt = Interrupt::finishing("stopping after this epoch", args.work.quiet)?;
    let to = args.to.or(run.epochs_done);
    let mut events = Events::open(&run.folder, args.from, to)?;
    let (from, to) = (events.from(), events.to());
    let ending = if cfg!(feature = "parquet") {
        "parquet"
    } else {
        "csv"
    };
    let name = run.folder.join(format!("events-{from}-{to}.{ending}"));
    let out = args.out.unwrap_or(name);
    check_out(&out)?;
    interrupt.last_words(strip::nothing_drawn(&out));
    events.stop_when(interrupt.shared_flag());
    let begun = events.epochs_done();
    let mut progress = ReplayProgress::new(args.work.quiet, begun, to, &interrupt);
    let rows = events.write(&out, &mut |epochs_done| progress.see(epochs_done))?;
    progress.finish();
    let Some(rows) = rows else {
        say(&format!("broth: {}", strip::nothing_drawn(&out)()))?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if args.json {
        write_json(&json!({
            "from_epoch": from,
            "to_epoch": to,
            "rows": rows,
            "written": output::written(&[out])?,
        }))?;
    } else if !args.work.quiet {
        let rows = thousands(rows as usize);
        writeln!(anstream::stdout(), "{}: {rows} rows", shown(&out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a table may be written to `path`, before the work for it begins: it replaces nothing
/// but another of its format.
fn check_out(path: &Path) -> Result<(), Error> {
    let format = Format::of(path)?;
    let wrong = |problem: &str| {
        let path = path.display();
        Err(Error::Usage(format!("--out {path}: {problem}")))
    };
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return wrong("there is no such folder; make it, or choose another place");
    }
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let mut head = vec![0; format.first_bytes().len()];
    let read = files::open(path).map(|mut file| file.read_exact(&mut head));
    if !matches!(read, Ok(Ok(()))) || head != format.first_bytes() {
        return wrong("exists already and is no table of events; choose another name");
    }
    Ok(())
}
