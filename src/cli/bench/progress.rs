//! How far a benchmark is.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::cli::interrupt::Interrupt;
use crate::cli::progress::bar_style;

/// Who watches a benchmark.
pub(super) struct Watch<'a> {
    pub interrupt: &'a Interrupt,
    /// Whether nobody wants to see how far it is.
    pub quiet: bool,
}

/// A moving line on a terminal, else one plain line once something takes long.
pub(super) struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    quiet: bool,
    begun: Instant,
    said: Cell<Option<Instant>>,
}

impl Progress {
    /// Time between plain lines.
    const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

    pub(super) fn new(what: String, watch: &Watch<'_>) -> Progress {
        let bar = (io::stderr().is_terminal() && !watch.quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(bar_style("{pos}/{len}  {msg}"));
            bar.set_message(what.clone());
            watch.interrupt.draws(&bar);
            bar
        });
        Progress {
            what,
            bar,
            quiet: watch.quiet,
            begun: Instant::now(),
            said: Cell::new(None),
        }
    }

    pub(super) fn show(&self, done: u64, all: u64) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(all.max(done));
                bar.set_position(done);
            }
            None if self.quiet => {}
            None => {
                let since = self.said.get().unwrap_or(self.begun);
                if since.elapsed() >= Progress::PLAIN_INTERVAL {
                    self.said.set(Some(Instant::now()));
                    // Nobody is left to tell where this fails.
                    let _ = writeln!(anstream::stderr(), "{}: {done}/{all}", self.what);
                }
            }
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
