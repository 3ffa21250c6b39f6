//! One run of a sweep: a soup and its measures, with no more written to disk than is needed to
//! go on with it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::file::{Keep, Planned};
use super::folder::Folder;
use super::outcome::{Ended, Outcome};
use crate::Error;
use crate::measure::row::LogRow;
use crate::run::driver::{self, Budget, Driver, Saves};
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::settings::{self as settings_file, VERSION};
use crate::run::recording::{Sink, Snapshot};
use crate::run::{Next, Observer, View};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::{Soup, Tally};

/// What others may see of a worker while it runs a soup.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Which run of the sweep it is.
    pub run: AtomicU64,
    /// Its epochs done.
    pub epochs: AtomicU64,
    /// Those of them that no save holds.
    pub unsaved: AtomicU64,
    /// Interactions of all runs of this worker, one after the other.
    pub interactions: AtomicU64,
}

/// Counts the epochs of a run.
struct Counting<'a> {
    folder: &'a Folder,
    progress: &'a Progress,
}

impl Observer for Counting<'_> {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        let progress = self.progress;
        progress.epochs.store(soup.epochs_done, Ordering::Relaxed);
        self.folder.count_unsaved();
        progress.unsaved.fetch_add(1, Ordering::Relaxed);
        progress
            .interactions
            .fetch_add(tally.interactions, Ordering::Relaxed);
        Next::AsBefore
    }
}

/// When a run stops to save itself, or for good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    /// Time between two saves.
    pub save_every: Duration,
    /// Set where all runs are to stop.
    pub interrupt: &'a AtomicBool,
}

/// A run under way: adds up what its log points measure.
struct Sums<'a> {
    planned: &'a Planned,
    folder: &'a Folder,
    progress: &'a Progress,
    /// Epochs done at the last save of this session, or where it began.
    saved_at: u64,
    of_soup: &'a toml::Table,
    keep: Keep,
    outcome: Outcome,
    /// What earlier sessions came to, and how long they took.
    before: (Tally, f64),
}

impl Sums<'_> {
    /// Note how far the run is.
    fn update(&mut self, epochs_done: u64, here: Tally, elapsed: Duration) {
        let total = self.before.0 + here;
        self.outcome.epochs = epochs_done;
        self.outcome.interactions = total.interactions;
        self.outcome.ops = total.ops;
        self.outcome.steps = total.steps;
        self.outcome.seconds = self.before.1 + elapsed.as_secs_f64();
    }

    /// Save all that is needed to go on.
    fn save_all(&mut self, soup: &Checkpoint) -> Result<(), Error> {
        let epochs = soup.epochs_done - self.saved_at;
        let note = || {
            self.progress.unsaved.fetch_sub(epochs, Ordering::Relaxed);
            self.folder.count_saved(epochs);
        };
        self.folder
            .save(soup, &self.outcome, self.keep, self.of_soup, note)?;
        self.saved_at = soup.epochs_done;
        Ok(())
    }
}

impl Sink for Sums<'_> {
    type Stop = String;

    fn log(&mut self, row: &LogRow, _: &PerformanceRow) -> Result<Option<String>, Error> {
        let seen = self.outcome.seen.get_or_insert_default();
        Ok(seen.add(row, self.planned))
    }

    fn draw(&mut self, _: &Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let epochs_done = snapshot.soup.epochs_done;
        self.update(epochs_done, snapshot.total, snapshot.elapsed);
        self.save_all(&snapshot.soup)
    }

    fn may_stop(&self) -> bool {
        true
    }
}

/// Run `planned` to its end, from where `folder` has it on. Uses the rayon thread pool it is
/// called in; where that has several threads, others measure beside them.
pub(super) fn run(
    planned: &Planned,
    folder: &Folder,
    pace: Pace<'_>,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let (plan, rules) = (&planned.combination.plan, &planned.combination.rules);
    let settings = planned.settings();
    let of_soup = settings_file::of_soup(&settings)?;
    let keep = rules.keep(settings.num_programs);
    let (mut outcome, mut soup) = match folder.saved(planned, &of_soup) {
        Some(saved) => saved,
        None => (Outcome::begin(planned), Soup::new(settings)?),
    };
    outcome.broth_version = VERSION.into();
    outcome.engine = plan.engine.name().into();
    outcome.budget_seconds = rules.budget_seconds;
    (outcome.ended, outcome.why) = (Ended::Interrupted, None);
    soup.set_engine(plan.engine, &plan.options);
    let used = outcome.seconds;
    let driver = Driver {
        plan,
        max_epochs: plan.max_epochs,
        saves: match keep {
            Keep::All => Saves::Epochs(plan.checkpoint_interval),
            Keep::Last | Keep::None => Saves::Time(pace.save_every),
        },
        saved_at: None,
        budget: rules.budget_seconds.map(|seconds| Budget { seconds, used }),
        measurers: match rayon::current_num_threads() {
            1 => 0,
            _ => driver::measurers(&soup),
        },
        interrupt: pace.interrupt,
    };
    let sums = Sums {
        planned,
        folder,
        progress,
        saved_at: soup.epochs_done(),
        of_soup: &of_soup,
        keep,
        before: (outcome.tally(), used),
        outcome,
    };
    let driven = driver.drive(&mut soup, sums, &mut Counting { folder, progress })?;
    let (mut sums, last) = (driven.sink, driven.last);
    (sums.outcome.ended, sums.outcome.why) = match driven.ended {
        driver::Ended::Finished => (Ended::Finished, None),
        driver::Ended::Stopped(why) => (Ended::Stopped, Some(why)),
        driver::Ended::Interrupted => (Ended::Interrupted, None),
        driver::Ended::OutOfTime => (Ended::Censored, None),
    };
    sums.update(last.epochs_done, driven.total, driven.elapsed);
    let goes_on = matches!(sums.outcome.ended, Ended::Interrupted | Ended::Censored);
    if goes_on && last.epochs_done > 0 {
        sums.save_all(&last)?;
    } else if keep != Keep::None {
        folder.save_soup(&last, &of_soup)?;
    }
    let mut outcome = sums.outcome;
    // A run that goes on has its last point where its epochs are over.
    if let Some(seen) = &mut outcome.seen {
        seen.close();
    }
    Ok(outcome)
}
