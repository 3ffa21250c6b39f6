//! A run: a soup from its first epoch to its last, with its records.

pub mod ancestry;
pub(crate) mod driver;
pub mod events;
pub mod folder;
mod observer;
mod past;
mod pictures;
mod plan;
mod recorder;
pub(crate) mod recording;
pub mod replay;
mod saved;
mod start;
pub mod winner;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::Error;
use crate::engine::jit::CacheTally;
pub use crate::measure::column::View;
use crate::measure::replicators::Replicators;
use crate::run::folder::RunFolder;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::tokens::TokenMeasures;
use crate::soup::{Soup, Tally};
use driver::{Driver, Ended, Saves};
pub use observer::{LogPoint, Next, Observer};
use past::Past;
pub use pictures::{Frames, LATEST_FRAME, Pictures};
pub use plan::{Changes, Plan, StopRule};
use recorder::Recorder;
pub use recorder::SavedAt;
use replay::PastRun;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// All its epochs are done.
    Finished,
    /// It met a stop rule.
    Stopped(StopRule),
    /// It was asked to stop, and can be resumed.
    Interrupted,
}

/// What a run came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How it ended.
    pub end: End,
    /// Epochs done in all.
    pub epochs_done: u64,
    /// Epochs of this session that count: done since it was started or resumed.
    pub epochs_here: u64,
    /// What they came to.
    pub tally: Tally,
    /// How long they took.
    pub elapsed: Duration,
    /// What native code took, if there may be any.
    pub native: Option<CacheTally>,
    /// Epochs done at the first log point at which the soup was alive.
    pub alive_at: Option<u64>,
    /// High-order entropy at the last log point, in bits per byte.
    pub high_order_entropy: Option<f32>,
    /// Replicators at the last log point, where they are counted.
    pub replicators: Option<Replicators>,
    /// Epochs done at the first log point with a replicator that scores 48 or more.
    pub replicators_at: Option<u64>,
    /// What the tracer tokens measured at the last log point, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// The last checkpoint.
    pub checkpoint: PathBuf,
    /// The picture of the soup at the end, if one was drawn.
    pub picture: Option<PathBuf>,
}

/// The largest soup, in bytes, that is still drawn when its run is interrupted: whoever interrupts a
/// run waits for no more than half a second of drawing.
const DRAWN_WHEN_INTERRUPTED: usize = 1 << 23;

/// The soup of the run in the folder `path` as its newest good checkpoint has it, or
/// as the run began; the folder stays as it is.
pub fn newest_soup(path: &Path) -> Result<Soup, Error> {
    PastRun::open(path)?.saved(u64::MAX)
}

/// A run that is ready to go.
#[derive(Debug)]
pub struct Run {
    folder: RunFolder,
    plan: Plan,
    soup: Soup,
    recorder: Recorder,
    pictures: Option<&'static dyn Pictures>,
    /// Epochs done at the newest good checkpoint.
    saved_at: Option<u64>,
    past: Past,
    /// Checkpoints that could not be used, and why.
    skipped: Vec<Error>,
}

impl Run {
    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The run's plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The soup as it stands.
    pub fn soup(&self) -> &Soup {
        &self.soup
    }

    /// Epochs done at the first log point at which the soup was alive.
    pub fn alive_at(&self) -> Option<u64> {
        self.past.alive_at
    }

    /// Epochs done at the first log point with a replicator that scores 48 or more.
    pub fn replicators_at(&self) -> Option<u64> {
        self.past.replicators_at
    }

    /// The newest checkpoint, which others may ask for while the run goes.
    pub fn saved_at(&self) -> SavedAt {
        self.recorder.saved_at.clone()
    }

    /// Checkpoints of a resumed run that could not be used, and why.
    pub fn skipped(&self) -> &[Error] {
        &self.skipped
    }

    /// Run to the end, or until `interrupt` is set. `observer` is told of every epoch and log
    /// point, in order, and can make the run wait or end; `&mut ()` watches nothing. Uses the
    /// rayon thread pool it is called in, and one thread more for measures and files.
    pub fn go(
        mut self,
        interrupt: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Summary, Error> {
        let epochs_before = self.soup.epochs_done();
        let checkpoints = self.recorder.checkpoints.clone();
        let soup_bytes = self.soup.settings().soup_bytes();
        // A run that met its stop rule before does not go on when resumed.
        let met_before = self
            .past
            .last
            .and_then(|row| self.plan.stops_at(&row, soup_bytes));
        let driver = Driver {
            plan: &self.plan,
            max_epochs: match met_before {
                Some(_) => epochs_before,
                None => self.plan.max_epochs,
            },
            saves: Saves::Epochs(self.plan.checkpoint_interval),
            saved_at: self.saved_at,
            budget: None,
            measurers: driver::measurers(&self.soup),
            interrupt,
        };
        let mut observer = Remembering {
            past: &mut self.past,
            observer,
        };
        let driven = driver.drive(&mut self.soup, self.recorder, &mut observer)?;
        if !driven.is_saved {
            driven.sink.save_soup(&driven.last)?;
        }
        let end = match (met_before, driven.ended) {
            (Some(rule), _) | (None, Ended::Stopped(rule)) => End::Stopped(rule),
            (None, Ended::Finished) => End::Finished,
            (None, Ended::Interrupted | Ended::OutOfTime) => End::Interrupted,
        };
        let epochs_done = driven.last.epochs_done;
        let is_quick =
            end != End::Interrupted || self.soup.programs().len() <= DRAWN_WHEN_INTERRUPTED;
        let picture = match self.pictures.filter(|_| self.plan.picture && is_quick) {
            Some(pictures) => {
                let path = self.folder.picture(epochs_done);
                pictures.draw(&path, self.soup.settings(), &driven.last)?;
                Some(path)
            }
            None => None,
        };
        let last = self.past.last;
        Ok(Summary {
            end,
            epochs_done,
            epochs_here: epochs_done - epochs_before,
            tally: driven.total,
            elapsed: driven.elapsed,
            native: self.soup.runner().jit().map(|jit| jit.tally()),
            alive_at: self.past.alive_at,
            high_order_entropy: last.map(|row| row.high_order_entropy),
            replicators: last.and_then(|row| row.replicators),
            tokens: last.and_then(|row| row.tokens),
            replicators_at: self.past.replicators_at,
            checkpoint: checkpoints.join(Checkpoint::file_name(epochs_done)),
            picture,
        })
    }
}

/// Counts log points in and passes everything on.
struct Remembering<'a> {
    past: &'a mut Past,
    observer: &'a mut dyn Observer,
}

impl Observer for Remembering<'_> {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.observer.epoch(soup, tally)
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        self.past.add(point.row.past());
        self.observer.logged(point)
    }

    fn paused(&mut self, soup: View<'_>) -> Next {
        self.observer.paused(soup)
    }
}
