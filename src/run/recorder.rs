//! What a run writes down: measures and checkpoints of copies of the soup,
//! made beside the epochs that follow.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::plan::{Due, Plan, StopRule};
use crate::Error;
use crate::engine::jit::CacheTally;
use crate::measure::Measures;
use crate::measure::replicators::Replicators;
use crate::measure::row::LogRow;
use crate::plot::picture::frames::Frames;
use crate::run::folder::csv::Table;
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::{self, sidecar};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::tokens::TokenMeasures;
use crate::soup::{Soup, Tally};

/// What a log point of performance.csv is about.
#[derive(Debug)]
pub struct Interval {
    /// Epochs since the last log point.
    pub epochs: u64,
    /// What they came to.
    pub tally: Tally,
    /// How long they took.
    pub length: Duration,
    /// Time since the run was started or resumed.
    pub elapsed: Duration,
    /// The code cache.
    pub cache: CacheTally,
    /// How many replicators there are, where they are counted.
    pub replicators: Option<Replicators>,
    /// What the tracer tokens measure, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// How long it took to count both.
    pub counting: Duration,
}

/// A copy of the soup, and what to do with it.
struct Job {
    snapshot: Checkpoint,
    /// What the last epoch came to.
    tally: Tally,
    /// Set at a log point.
    interval: Option<Interval>,
    /// What to write, whatever the measures say.
    due: Due,
}

/// What came of a job.
pub struct Done {
    /// Set at a log point.
    pub row: Option<LogRow>,
    /// Set where the measures say that the run ends here.
    pub stop: Option<StopRule>,
}

/// A recorder at work in a thread of its own, on one job at a time. Its buffer
/// for copies of the soup goes back and forth.
pub struct Desk {
    jobs: Sender<Job>,
    results: Receiver<(Checkpoint, Result<Done, Error>)>,
    /// None while a job is under way.
    buffer: Option<Checkpoint>,
    /// Whether any log point may end the run.
    may_stop: bool,
}

impl Desk {
    /// Put `recorder` to work; its thread ends when the desk is dropped.
    pub fn open<'scope>(scope: &'scope Scope<'scope, '_>, mut recorder: Recorder) -> Desk {
        let may_stop = recorder.plan.has_stop_rule();
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (outbox, results) = mpsc::channel();
        scope.spawn(move || {
            for job in inbox {
                let result = recorder.record(&job);
                if outbox.send((job.snapshot, result)).is_err() {
                    break;
                }
            }
        });
        Desk {
            jobs,
            results,
            buffer: Some(Checkpoint::empty()),
            may_stop,
        }
    }

    /// What came of the job under way: once it is done, or with `wait` for sure.
    pub fn collect(&mut self, wait: bool) -> Result<Option<Done>, Error> {
        if self.buffer.is_some() {
            return Ok(None);
        }
        let (snapshot, result) = match self.results.try_recv() {
            Ok(result) => result,
            Err(_) if wait => self.results.recv().map_err(|_| Error::recorder_gone())?,
            Err(_) => return Ok(None),
        };
        self.buffer = Some(snapshot);
        result.map(Some)
    }

    /// Copy the soup and hand it over; the job before must have been collected.
    pub fn submit(
        &mut self,
        soup: &Soup,
        tally: Tally,
        interval: Option<Interval>,
        due: Due,
    ) -> Result<(), Error> {
        let mut snapshot = self.buffer.take().ok_or_else(Error::recorder_gone)?;
        // A checkpoint that a stop rule asks for needs its tokens too.
        let stops = interval.is_some() && self.may_stop;
        if due.checkpoint || stops {
            snapshot.copy_all_from(soup);
        } else {
            snapshot.copy_from(soup);
        }
        let job = Job {
            snapshot,
            tally,
            interval,
            due,
        };
        self.jobs.send(job).map_err(|_| Error::recorder_gone())
    }

    /// The buffer, which holds the soup of the last job.
    pub fn close(self) -> Checkpoint {
        self.buffer.unwrap_or_else(Checkpoint::empty)
    }
}

/// Epochs done at the newest checkpoint of a run, for others to see while it goes.
#[derive(Clone, Debug)]
pub struct SavedAt(Arc<AtomicU64>);

impl SavedAt {
    /// No checkpoint has so many epochs done.
    const NONE: u64 = u64::MAX;

    pub(super) fn new(epochs_done: Option<u64>) -> SavedAt {
        SavedAt(Arc::new(epochs_done.unwrap_or(SavedAt::NONE).into()))
    }

    /// How many they are; none where the run has no checkpoint yet.
    pub fn epochs_done(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|epochs| *epochs != SavedAt::NONE)
    }

    fn set(&self, epochs_done: u64) {
        self.0.store(epochs_done, Ordering::Relaxed);
    }
}

/// The files that grow with a run.
#[derive(Debug)]
pub struct Recorder {
    pub metrics: Table,
    pub performance: Table,
    pub log: Option<Table>,
    pub checkpoints: PathBuf,
    /// Whether that folder may hold checkpoints of others, which stay.
    pub shares_checkpoints: bool,
    pub frames: Option<Frames>,
    pub num_programs: usize,
    pub soup_bytes: usize,
    pub plan: Plan,
    /// Which checkpoint is the newest.
    pub saved_at: SavedAt,
    /// What the soup's settings are, for sidecars.
    pub of_soup: toml::Table,
}

impl Recorder {
    /// Do a job. Rows and frames are on disk before the checkpoint that follows them is.
    fn record(&mut self, job: &Job) -> Result<Done, Error> {
        let row = match &job.interval {
            Some(interval) => Some(self.log(&job.snapshot, job.tally, interval)?),
            None => None,
        };
        let stop = row
            .as_ref()
            .and_then(|row| self.plan.stops_at(&row.past(), self.soup_bytes));
        if let Some(frames) = self.frames.as_ref().filter(|_| job.due.frame) {
            frames.write(&job.snapshot)?;
        }
        if job.due.checkpoint || stop.is_some() {
            for table in [&self.metrics, &self.performance]
                .into_iter()
                .chain(&self.log)
            {
                table.sync()?;
            }
            self.save(&job.snapshot)?;
        }
        Ok(Done { row, stop })
    }

    /// Write a checkpoint and, before it, its sidecar.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let epochs_done = checkpoint.epochs_done;
        let path = self.checkpoints.join(Checkpoint::file_name(epochs_done));
        if self.shares_checkpoints {
            sidecar::check_place(&path, &self.of_soup)?;
        }
        sidecar::write(&path, checkpoint, &self.of_soup)?;
        checkpoint.write_and_note(&path, || self.saved_at.set(epochs_done))?;
        if let Some(keep) = self.plan.keep {
            folder::keep_newest(&self.checkpoints, epochs_done, keep, &self.of_soup)?;
        }
        Ok(())
    }

    fn log(
        &mut self,
        snapshot: &Checkpoint,
        tally: Tally,
        interval: &Interval,
    ) -> Result<LogRow, Error> {
        let before = Instant::now();
        let row = LogRow {
            epoch: snapshot.epochs_done,
            measures: Measures::of(&snapshot.programs),
            tally,
            replicators: interval.replicators,
            tokens: interval.tokens,
            also: Vec::new(),
        };
        let measured = before.elapsed() + interval.counting;
        self.metrics.append(&row.metrics_line())?;
        if let Some(log) = &mut self.log {
            log.append(&row.past().cubff_line(self.num_programs))?;
        }
        let performance = PerformanceRow {
            epoch: row.epoch,
            elapsed: interval.elapsed,
            epochs: interval.epochs,
            length: interval.length,
            tally: interval.tally,
            measured,
            cache: interval.cache,
        };
        self.performance.append(&performance.line())?;
        Ok(row)
    }
}
