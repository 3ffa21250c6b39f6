//! `broth watch`

use std::path::PathBuf;
use std::process::ExitCode;

use broth::view::{restore_terminal, watch_folder};
use clap::Args;

use super::interrupt::Interrupt;
use super::{Failure, INTERRUPTED, number, source, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth watch runs/bff_noheads-seed-29
      a run folder, also one that a run is writing to

The soup's newest checkpoint is shown, and the next ones as they come; a run with
--checkpoint-interval 64 moves more often. Relatives share a colour.

Keys:
  q         quit
  space     stand still, and follow again
  c         colours: relatives, or kinds of bytes
  + - 0     closer, farther away, the whole soup
  arrows    move

Nothing is written. Colours are as TERM, COLORTERM and NO_COLOR say; without any, letters
take their place.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct WatchArgs {
    /// A run folder, also of a run that is still going on
    run: PathBuf,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,
}

pub(super) fn watch(args: WatchArgs) -> Result<ExitCode, Failure> {
    let run = source::run_of(&args.run)?;
    start_threads(args.threads)?;
    let interrupt = Interrupt::finishing("giving the terminal back", true)?;
    interrupt.last_words(|| {
        restore_terminal();
        "stopped: nothing is lost, the run is as it was".into()
    });
    Ok(if watch_folder(&run.folder, interrupt.flag())? {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}
