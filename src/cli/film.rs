//! `broth film`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::Error;
use broth::plot::picture::{film, frames};
use broth::plot::series::Series;
use broth::run::folder::RunFolder;
use broth::run::replay::Replay;
use clap::Args;

use super::interrupt::Interrupt;
use super::progress::ReplayProgress;
use super::{Failure, INTERRUPTED, check_out, shown, start_threads, strip};

const EXAMPLES: &str = "\
Examples:
  broth film runs/bff_noheads-seed-29 --from 900 --every 4
      a run, recomputed from the nearest checkpoint
  broth film frames --out takeover.png
      the frames that `broth run --frames frames` wrote

The film is an animated PNG, which browsers play. Without --every, a film of a run has
about 60 frames, and a film of a folder of frames has all of them.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FilmArgs {
    /// A run folder, or a folder of frames
    source: PathBuf,

    /// Begin with the soup after this many epochs [default: the first available]
    #[arg(long, value_name = "EPOCHS")]
    from: Option<u64>,

    /// End with the soup after this many epochs [default: the last available]
    #[arg(long, value_name = "EPOCHS")]
    to: Option<u64>,

    /// Epochs from frame to frame
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,

    /// Frames per second
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    fps: u16,

    /// The PNG to write
    #[arg(long, value_name = "FILE", default_value = "takeover.png")]
    out: PathBuf,

    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Frames of a film, if nobody says how many.
const GOOD_FRAMES: u64 = 60;

pub(super) fn film(args: FilmArgs) -> Result<ExitCode, Failure> {
    check_out(&args.out)?;
    let interrupt = Interrupt::finishing(
        "finishing this epoch, writing the film up to it; once more to stop without it",
        args.quiet,
    )?;
    interrupt.last_words(strip::nothing_drawn(&args.out));
    let count = match RunFolder::look(&args.source) {
        Ok(folder) => of_run(&args, &folder, &interrupt)?,
        Err(_) => of_frames(&args)?,
    };
    if !args.quiet {
        let plural = if count == 1 { "" } else { "s" };
        let out = shown(&args.out);
        writeln!(anstream::stdout(), "{out}: {count} frame{plural}")?;
    }
    Ok(if interrupt.is_asked() {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}

fn of_run(args: &FilmArgs, folder: &RunFolder, interrupt: &Interrupt) -> Result<usize, Error> {
    start_threads(None)?;
    let mut replay = Replay::open(folder.path(), args.from, args.to)?;
    replay.stop_when(interrupt.shared_flag());
    let points = replay.points(args.every, GOOD_FRAMES, film::MAX_FRAMES as u64)?;
    // A run without a table is shown without a curve.
    let metrics = match folder.metrics().exists() {
        true => Some(Series::read(&folder.metrics(), &["high_order_entropy"])?),
        false => None,
    };
    let mut progress = ReplayProgress::new(
        args.quiet,
        replay.soup().epochs_done(),
        replay.to(),
        interrupt,
    );
    let mut watch = |epochs_done| progress.see(epochs_done);
    let count = film::of_replay(
        &mut replay,
        &points,
        metrics.as_ref(),
        args.fps,
        &args.out,
        &mut watch,
    )?;
    progress.finish();
    Ok(count)
}

fn of_frames(args: &FilmArgs) -> Result<usize, Error> {
    let mut found = frames::list(&args.source)?;
    if found.is_empty() {
        return Err(Error::file(
            &args.source,
            "is neither a run folder nor one with frames; give the folder that `broth run` \
             made, or the one of its --frames",
        ));
    }
    found.reverse();
    let range = args.from.unwrap_or(0)..=args.to.unwrap_or(u64::MAX);
    let mut next = 0;
    let chosen: Vec<PathBuf> = found
        .into_iter()
        .filter(|(epochs, _)| range.contains(epochs))
        .filter(|(epochs, _)| {
            let is_due = *epochs >= next;
            if is_due {
                next = epochs.saturating_add(args.every.unwrap_or(0));
            }
            is_due
        })
        .map(|(_, path)| path)
        .collect();
    film::of_frames(&chosen, args.fps, &args.out)
}
