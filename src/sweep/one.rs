//! One run of a sweep: a soup and its measures, with no more written to disk than is needed to
//! go on with it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::file::{Keep, Planned};
use super::outcome::{Ended, Outcome};
use crate::Error;
use crate::files;
use crate::measure::Measures;
use crate::measure::replicators::{Replicators, Scorer};
use crate::run::folder::settings::{self as settings_file, VERSION};
use crate::run::folder::{self, sidecar};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::{Soup, Tally};

/// What others may see of a run while it goes.
#[derive(Debug, Default)]
pub struct Beat {
    /// Which run of the sweep it is.
    pub run: AtomicU64,
    /// Its epochs done.
    pub epochs: AtomicU64,
    /// Those of them that no save holds.
    pub unsaved: AtomicU64,
    /// Interactions of all runs of this lane, one after the other.
    pub interactions: AtomicU64,
}

/// When a run stops to save itself, or for good.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'a> {
    /// Time between two saves.
    pub save_every: Duration,
    /// Set where all runs are to stop.
    pub interrupt: &'a AtomicBool,
}

/// The folder of one run.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    /// Epochs of all runs of the sweep that no save holds.
    unsaved: Arc<AtomicU64>,
}

impl Home {
    pub fn new(path: PathBuf, unsaved: Arc<AtomicU64>) -> Home {
        Home { path, unsaved }
    }

    fn so_far(&self) -> PathBuf {
        self.path.join("so-far.toml")
    }

    /// What there is of the run already; none where it has to begin, or to begin anew.
    fn saved(&self, planned: &Planned, of_soup: &toml::Table) -> Option<(Outcome, Soup)> {
        let outcome = read_outcome(&self.so_far(), planned).ok()??;
        let path = self.path.join(Checkpoint::file_name(outcome.epochs));
        let settings = &planned.combination.settings;
        let checkpoint = sidecar::read_checkpoint(&path, settings.language, settings.world).ok()?;
        sidecar::check(&path, &checkpoint, of_soup).ok()?;
        if checkpoint.epochs_done != outcome.epochs {
            return None;
        }
        let soup = Soup::from_checkpoint(planned.settings(), checkpoint, true).ok()?;
        Some((outcome, soup))
    }

    /// Epochs done of the run so far, as far as it was saved.
    pub fn saved_epochs(&self, planned: &Planned) -> Option<u64> {
        Some(read_outcome(&self.so_far(), planned).ok()??.epochs)
    }

    /// Save a checkpoint, its sidecar before it.
    fn save_soup(&self, checkpoint: &Checkpoint, of_soup: &toml::Table) -> Result<(), Error> {
        files::make_folder(&self.path)?;
        let path = self
            .path
            .join(Checkpoint::file_name(checkpoint.epochs_done));
        sidecar::write(&path, checkpoint, of_soup)?;
        checkpoint.write(&path)
    }

    /// Save all that is needed to go on; what was saved before is good until then.
    fn save(
        &self,
        checkpoint: &Checkpoint,
        outcome: &Outcome,
        keep: Keep,
        of_soup: &toml::Table,
        beat: &Beat,
    ) -> Result<(), Error> {
        self.save_soup(checkpoint, of_soup)?;
        write_outcome(&self.so_far(), outcome, || {
            let saved = beat.unsaved.swap(0, Ordering::Relaxed);
            self.unsaved.fetch_sub(saved, Ordering::Relaxed);
        })?;
        match keep {
            Keep::All => Ok(()),
            _ => folder::keep_newest(&self.path, checkpoint.epochs_done, 1, of_soup),
        }
    }

    /// Remove what is not needed any more once the result is written down.
    pub fn settle(&self, planned: &Planned, ended: Ended) -> Result<(), Error> {
        let keep = planned
            .combination
            .rules
            .keep(planned.combination.settings.num_programs);
        let gone = |path: &Path, result: std::io::Result<()>| match result {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::cannot("remove", path, error))
            }
            _ => Ok(()),
        };
        // A run that was given up may get more time later.
        if ended == Ended::Censored || !self.path.is_dir() {
            return Ok(());
        }
        files::remove_unfinished(&self.path)?;
        if keep == Keep::None {
            return gone(&self.path, fs::remove_dir_all(&self.path));
        }
        // What it went on from after an interruption goes.
        let of_soup = settings_file::of_soup(&planned.settings())?;
        let interval = planned.combination.plan.checkpoint_interval;
        let mut is_last = true;
        folder::keep_those(&self.path, &of_soup, |epochs, checkpoint| {
            let is_due = keep == Keep::All && epochs % interval == 1 % interval;
            let is_newest = checkpoint.exists() && std::mem::take(&mut is_last);
            is_newest || is_due
        })?;
        let so_far = self.so_far();
        gone(&so_far, fs::remove_file(&so_far))
    }

    /// Whether [`Home::settle`] was kept from its work.
    pub fn is_unsettled(&self) -> bool {
        self.so_far().exists()
    }
}

/// Read what came of `planned`; none where there is no such file.
pub fn read_outcome(path: &Path, planned: &Planned) -> Result<Option<Outcome>, Error> {
    match read_any(path) {
        Err(Error::System { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Ok(outcome) if outcome.settings != planned.of_results() => Err(of_others(path)),
        outcome => outcome.map(Some),
    }
}

/// Read what came of whatever run it is.
pub fn read_any(path: &Path) -> Result<Outcome, Error> {
    toml::from_str(&files::read_text(path)?)
        .map_err(|error| Error::file(path, format!("is no result of a run: {error}")))
}

/// What is wrong with a result that has another run's name.
pub fn of_others(path: &Path) -> Error {
    Error::file(
        path,
        "is the result of other settings than its name says: it was renamed or changed; \
         remove it, and its run is done again",
    )
}

/// Write down what came of a run, whole or not at all, and call `note` once that is there.
pub fn write_outcome(path: &Path, outcome: &Outcome, note: impl FnOnce()) -> Result<(), Error> {
    let text = toml::to_string(outcome)
        .map_err(|error| Error::file(path, format!("cannot be written: {error}")))?;
    files::write_and_note(path, |file| file.write_all(text.as_bytes()), note)
}

/// A log point that a thread of its own measures, since all others are busy with the soup.
struct Pending {
    epoch: u64,
    tally: Tally,
    replicators: Option<Replicators>,
    measures: JoinHandle<(Checkpoint, Measures)>,
}

/// A run under way.
struct Going<'a> {
    planned: &'a Planned,
    soup: Soup,
    outcome: Outcome,
    tally: Tally,
    pending: Option<Pending>,
    /// A copy of the soup, while no thread measures it.
    buffer: Checkpoint,
    /// Whether the run has stopped at the log point in the buffer, which the soup has left
    /// behind.
    stopped_in_buffer: bool,
}

impl Going<'_> {
    /// Take in the log point that is still being measured; says why the run stops there, if it
    /// does.
    fn collect(&mut self) -> Result<Option<String>, Error> {
        let Some(pending) = self.pending.take() else {
            return Ok(None);
        };
        let measured = pending.measures.join();
        let (buffer, measures) = measured.map_err(|_| Error::recorder_gone())?;
        self.buffer = buffer;
        let seen = self.outcome.seen.get_or_insert_default();
        let why = seen.add(pending.epoch, &measures, pending.replicators, self.planned);
        if why.is_some() {
            self.tally = pending.tally;
            self.stopped_in_buffer = true;
        }
        Ok(why)
    }

    /// Measure the soup, at once or beside the epochs that follow.
    fn log(&mut self, scorer: Option<&Scorer>, beside: bool) -> Result<Option<String>, Error> {
        if let Some(why) = self.collect()? {
            return Ok(Some(why));
        }
        let replicators = scorer.map(|scorer| scorer.count(&self.soup));
        let epoch = self.soup.epochs_done();
        if !beside {
            let measures = Measures::of(self.soup.programs());
            let seen = self.outcome.seen.get_or_insert_default();
            return Ok(seen.add(epoch, &measures, replicators, self.planned));
        }
        let mut buffer = std::mem::replace(&mut self.buffer, Checkpoint::empty());
        buffer.copy_from(&self.soup);
        self.pending = Some(Pending {
            epoch,
            tally: self.tally,
            replicators,
            measures: std::thread::spawn(move || {
                let measures = Measures::of(&buffer.programs);
                (buffer, measures)
            }),
        });
        Ok(None)
    }

    /// The soup as the run has it at this moment, and what came of it so far.
    fn state(&mut self, seconds: f64) -> (&Checkpoint, &Outcome) {
        if !self.stopped_in_buffer {
            self.buffer.copy_from(&self.soup);
        }
        self.outcome.epochs = self.buffer.epochs_done;
        self.outcome.interactions = self.tally.interactions;
        self.outcome.ops = self.tally.ops;
        self.outcome.steps = self.tally.steps;
        self.outcome.seconds = seconds;
        (&self.buffer, &self.outcome)
    }
}

/// Run `planned` to its end, from where `home` has it on. Uses the rayon thread pool it is
/// called in; where that has several threads, one thread more for measures.
pub fn run(planned: &Planned, home: &Home, pace: Pace<'_>, beat: &Beat) -> Result<Outcome, Error> {
    let combination = &planned.combination;
    let (plan, rules) = (&combination.plan, &combination.rules);
    let settings = planned.settings();
    let of_soup = settings_file::of_soup(&settings)?;
    let keep = rules.keep(settings.num_programs);
    let (mut outcome, soup) = match home.saved(planned, &of_soup) {
        Some(saved) => saved,
        None => (Outcome::begin(planned), Soup::new(settings)?),
    };
    outcome.broth_version = VERSION.into();
    outcome.engine = plan.engine.name().into();
    outcome.budget_seconds = rules.budget_seconds;
    (outcome.ended, outcome.why) = (Ended::Interrupted, None);
    let mut going = Going {
        planned,
        tally: outcome.tally(),
        soup,
        pending: None,
        buffer: Checkpoint::empty(),
        stopped_in_buffer: false,
        outcome,
    };
    going.soup.set_engine(plan.engine, &plan.options);
    let scorer = plan
        .eval_selfrep
        .then(|| Scorer::new(combination.settings.language, plan.engine, &plan.options));
    let beside = rayon::current_num_threads() > 1;
    let seconds_before = going.outcome.seconds;
    let started = Instant::now();
    let seconds = || seconds_before + started.elapsed().as_secs_f64();
    let mut saved = started;
    let (ended, why) = loop {
        let epoch = going.soup.epochs_done();
        let over = if epoch >= plan.max_epochs {
            Some(Ended::Finished)
        } else if pace.interrupt.load(Ordering::Relaxed) {
            Some(Ended::Interrupted)
        } else if rules
            .budget_seconds
            .is_some_and(|budget| seconds() >= budget)
        {
            Some(Ended::Censored)
        } else {
            None
        };
        if let Some(over) = over {
            // What is still being measured comes first: it may end the run.
            break match going.collect()? {
                Some(why) => (Ended::Stopped, Some(why)),
                None => (over, None),
            };
        }
        let tally = going.soup.step();
        going.tally = going.tally + tally;
        beat.epochs.store(epoch + 1, Ordering::Relaxed);
        home.unsaved.fetch_add(1, Ordering::Relaxed);
        beat.unsaved.fetch_add(1, Ordering::Relaxed);
        beat.interactions
            .fetch_add(tally.interactions, Ordering::Relaxed);
        if epoch.is_multiple_of(plan.log_interval)
            && let Some(why) = going.log(scorer.as_ref(), beside)?
        {
            break (Ended::Stopped, Some(why));
        }
        let save = match keep {
            Keep::All => epoch.is_multiple_of(plan.checkpoint_interval),
            _ => saved.elapsed() >= pace.save_every,
        };
        if save {
            if let Some(why) = going.collect()? {
                break (Ended::Stopped, Some(why));
            }
            let (checkpoint, outcome) = going.state(seconds());
            home.save(checkpoint, outcome, keep, &of_soup, beat)?;
            saved = Instant::now();
        }
    };
    (going.outcome.ended, going.outcome.why) = (ended, why);
    let goes_on = matches!(ended, Ended::Interrupted | Ended::Censored);
    let (checkpoint, outcome) = going.state(seconds());
    if goes_on && outcome.epochs > 0 {
        home.save(checkpoint, outcome, keep, &of_soup, beat)?;
    } else if keep != Keep::None {
        home.save_soup(checkpoint, &of_soup)?;
    }
    // A run that goes on has its last point where its epochs are over.
    if let Some(seen) = &mut going.outcome.seen {
        seen.close();
    }
    Ok(going.outcome)
}
