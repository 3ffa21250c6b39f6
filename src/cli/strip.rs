//! `broth strip`

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::plot::format::Subject;
use broth::plot::strip::{GOOD_POINTS, MAX_POINTS, Strip};
use broth::plot::theme::Theme;
use broth::run::replay::Replay;
use clap::Args;
use serde_json::json;

use super::drawing::{ThemeArgs, WorkArgs, check_out};
use super::interrupt::Interrupt;
use super::output::{self, write_json};
use super::progress::ReplayProgress;
use super::source::run_of;
use super::{Failure, number, shown, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth strip runs/bff_noheads-seed-29
      the whole run, recomputed
  broth strip runs/bff_noheads-seed-29 --from 900 --to 1000 --every 1
  broth strip runs/bff_noheads-seed-29 --programs 0..512

Epochs run from left to right. Above: the share of each kind among the soup's bytes.
Below: the bytes of eight programs, or of those given by --programs. If there are more
than eight, each program is one row, in the colour of its commonest kind other than no-op.

The run is recomputed from its nearest checkpoint; its folder is not changed.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StripArgs {
    /// A run folder, or a checkpoint in one, at which the strip then ends
    run: PathBuf,

    /// Begin with the soup after this many epochs [default: the run's beginning]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    from: Option<u64>,

    /// End with the soup after this many epochs [default: the newest checkpoint]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    to: Option<u64>,

    /// Epochs from column to column [default: as many as fit the picture]
    #[arg(long, value_name = "EPOCHS", value_parser = number::at_least_one)]
    every: Option<u64>,

    /// Programs A to B - 1, counted from 0 [default: eight, evenly spaced]
    #[arg(long, value_name = "A..B", value_parser = parse_programs)]
    programs: Option<Range<usize>>,

    /// The file to write, .png or .svg [default: strip.png in the run folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    look: ThemeArgs,

    #[command(flatten)]
    work: WorkArgs,

    /// Write what was drawn as JSON to standard output
    #[arg(long)]
    json: bool,
}

fn parse_programs(text: &str) -> Result<Range<usize>, String> {
    let range = text
        .split_once("..")
        .and_then(|(from, to)| Some(number::any(from).ok()?..number::any(to).ok()?));
    range.ok_or_else(|| format!("`{text}` is no range of programs; write A..B, as in 0..512"))
}

pub(super) fn strip(args: StripArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Chart)?;
    }
    let run = run_of(&args.run)?;
    let out = args.out.unwrap_or(run.folder.join("strip.png"));
    start_threads(args.work.threads)?;
    let interrupt = Interrupt::at_once()?;
    interrupt.last_words(nothing_drawn(&out));
    let replay = Replay::open(&run.folder, args.from, args.to.or(run.epochs_done))?;
    check_out(&out, Subject::Chart)?;
    let columns = (args.every, args.programs);
    let screen = (args.work.quiet, &interrupt);
    let points = draw(replay, columns, (&out, args.look.theme()), screen)?;
    if args.json {
        write_json(&json!({
            "from_epoch": points.first(),
            "to_epoch": points.last(),
            "columns": points.len(),
            "written": output::written(&[out])?,
        }))?;
    } else if !args.work.quiet {
        writeln!(anstream::stdout(), "{}", shown(&out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a picture of a run loses that ends at once.
pub(super) fn nothing_drawn(out: &Path) -> impl Fn() -> String + Send + 'static {
    let out = out.display().to_string();
    move || format!("stopped: {out} is not written; the run is as it was")
}

/// Go through all of `replay` and draw it to `out`; gives the epochs done at each column.
pub(super) fn draw(
    mut replay: Replay,
    (every, programs): (Option<u64>, Option<Range<usize>>),
    (out, theme): (&Path, Theme),
    (quiet, interrupt): (bool, &Interrupt),
) -> Result<Vec<u64>, Error> {
    let points = replay.points(every, GOOD_POINTS, MAX_POINTS)?;
    let mut strip = Strip::new(replay.soup(), programs)?;
    let mut progress =
        ReplayProgress::new(quiet, replay.soup().epochs_done(), replay.to(), interrupt);
    for point in &points {
        replay.go_to(*point, &mut |epochs_done| progress.see(epochs_done));
        strip.push(replay.soup())?;
    }
    progress.finish();
    strip.write(out, theme)?;
    Ok(points)
}
