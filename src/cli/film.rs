//! `broth film`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::plot::format::Subject;
use broth::plot::picture::{film, frames};
use broth::plot::series::Series;
use broth::run::folder::RunFolder;
use broth::run::replay::Replay;
use clap::Args;
use serde_json::json;

use super::drawing::{WorkArgs, check_out};
use super::interrupt::Interrupt;
use super::output::{self, write_json};
use super::progress::ReplayProgress;
use super::source::{OfRun, is_sweep, run_of};
use super::{Failure, INTERRUPTED, number, say, shown, start_threads, strip};

const EXAMPLES: &str = "\
Examples:
  broth film runs/bff_noheads-seed-29 --from 900 --every 4
      a run, recomputed from the nearest checkpoint
  broth film frames --out takeover.gif
      the frames that `broth run --frames frames` wrote

The film is an animated PNG or a GIF, which browsers play. Without --every, a film of a run has
about 60 frames, and a film of a folder of frames has all of them.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FilmArgs {
    /// A run folder, a checkpoint in one, at which the film then ends, or a folder of frames
    source: PathBuf,

    /// Begin with the soup after this many epochs [default: the first available]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    from: Option<u64>,

    /// End with the soup after this many epochs [default: the last available]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    to: Option<u64>,

    /// Epochs from frame to frame
    #[arg(long, value_name = "EPOCHS", value_parser = number::at_least_one)]
    every: Option<u64>,

    /// Frames per second
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = number::within::<u16>(1..=60))]
    fps: u16,

    /// The file to write: .png or .apng (animated PNG) or .gif [default: film.png in the folder
    /// of the run or of the frames]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    work: WorkArgs,

    /// Write what was drawn as JSON to standard output
    #[arg(long)]
    json: bool,
}

/// Frames of a film, if nobody says how many.
const GOOD_FRAMES: u64 = 60;

pub(super) fn film(args: FilmArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        check_out(out, Subject::Film)?;
    }
    let source = Source::of(&args.source)?;
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| source.folder(&args.source).join("film.png"));
    check_out(&out, Subject::Film)?;
    let interrupt = Interrupt::finishing(
        "finishing this epoch, writing the film up to it; once more to stop without it",
        args.work.quiet,
    )?;
    interrupt.last_words(strip::nothing_drawn(&out));
    let filmed = match source {
        Source::Run(run) => of_run(&args, &run, &out, &interrupt)?,
        Source::Frames(frames) => Some(of_frames(&args, frames, &out)?),
    };
    let Some(Filmed { count, from, to }) = filmed else {
        say(&format!("broth: {}", strip::nothing_drawn(&out)()))?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if args.json {
        write_json(&json!({
            "from_epoch": from,
            "to_epoch": to,
            "frames": count,
            "fps": args.fps,
            "interrupted": interrupt.is_asked(),
            "written": output::written(&[out])?,
        }))?;
    } else if !args.work.quiet {
        let plural = if count == 1 { "" } else { "s" };
        let out = shown(&out);
        writeln!(anstream::stdout(), "{out}: {count} frame{plural}")?;
    }
    Ok(if interrupt.is_asked() {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}

/// What came of it: how many frames, and the epochs done at the first and at the last of them.
struct Filmed {
    count: usize,
    from: u64,
    to: u64,
}

/// What a film is made of.
enum Source {
    Run(OfRun),
    /// Frames with their epochs, the oldest first.
    Frames(Vec<(u64, PathBuf)>),
}

impl Source {
    fn of(path: &Path) -> Result<Source, Error> {
        let run = run_of(path);
        if run.is_ok() || !path.is_dir() || is_sweep(path) {
            return run.map(Source::Run);
        }
        let mut found = frames::list(path)?;
        if found.is_empty() {
            return Err(Error::file(
                path,
                "is neither a run folder nor one with frames; give the folder that `broth run` \
                 made, or the one of its --frames",
            ));
        }
        found.reverse();
        Ok(Source::Frames(found))
    }

    /// Where its film goes if nobody says.
    fn folder<'a>(&'a self, given: &'a Path) -> &'a Path {
        match self {
            Source::Run(run) => &run.folder,
            Source::Frames(_) => given,
        }
    }
}

fn of_run(
    args: &FilmArgs,
    run: &OfRun,
    out: &Path,
    interrupt: &Interrupt,
) -> Result<Option<Filmed>, Error> {
    start_threads(args.work.threads)?;
    let folder = RunFolder::look(&run.folder)?;
    let mut replay = Replay::open(&run.folder, args.from, args.to.or(run.epochs_done))?;
    replay.stop_when(interrupt.shared_flag());
    let points = replay.points(args.every, GOOD_FRAMES, film::MAX_FRAMES as u64)?;
    // A run without a table is shown without a curve.
    let metrics = if folder.metrics().exists() {
        Some(Series::read(&folder.metrics(), &["high_order_entropy"])?)
    } else {
        None
    };
    let mut progress = ReplayProgress::new(
        args.work.quiet,
        replay.soup().epochs_done(),
        replay.to(),
        interrupt,
    );
    let mut watch = |epochs_done| progress.see(epochs_done);
    replay.go_to(replay.from(), &mut watch);
    if replay.soup().epochs_done() < replay.from() {
        // Interrupted on the way there: a film of that would show what was not asked for.
        progress.finish();
        return Ok(None);
    }
    let count = film::of_replay(
        &mut replay,
        &points,
        metrics.as_ref(),
        args.fps,
        out,
        &mut watch,
    )?;
    progress.finish();
    Ok(Some(Filmed {
        count,
        from: replay.from(),
        to: replay.soup().epochs_done(),
    }))
}

fn of_frames(args: &FilmArgs, found: Vec<(u64, PathBuf)>, out: &Path) -> Result<Filmed, Error> {
    let range = args.from.unwrap_or(0)..=args.to.unwrap_or(u64::MAX);
    let mut next = 0;
    let chosen: (Vec<u64>, Vec<PathBuf>) = found
        .into_iter()
        .filter(|(epochs, _)| range.contains(epochs))
        .filter(|(epochs, _)| {
            let is_due = *epochs >= next;
            if is_due {
                next = epochs.saturating_add(args.every.unwrap_or(0));
            }
            is_due
        })
        .unzip();
    let (epochs, paths) = chosen;
    let count = film::of_frames(&paths, args.fps, out)?;
    Ok(Filmed {
        count,
        from: epochs.first().copied().unwrap_or(0),
        to: epochs.last().copied().unwrap_or(0),
    })
}
