//! The driver: takes a soup through its epochs and hands out snapshots of it where they are due,
//! to be measured and written beside the epochs that follow. Runs and the runs of sweeps differ
//! in their sinks only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::observer::{LogPoint, Next, Observer};
use super::plan::Plan;
use super::recording::{Counts, Due, Recorded, Recording, Sink, Snapshot, Wait};
use crate::Error;
use crate::measure::column::View;
use crate::measure::replicators::Scorer;
use crate::memory;
use crate::run::folder::performance::PerformanceRow;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::{Soup, Tally};

/// How long a paused run waits before it asks its observer again.
const PAUSE_INTERVAL: Duration = Duration::from_millis(10);

/// When a soup is saved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Saves {
    /// After epochs e (from 0) divisible by this.
    Epochs(u64),
    /// After the first epoch that ends so long after the last save.
    Time(Duration),
}

/// The time that a run may take over all its sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub seconds: f64,
    /// What earlier sessions took of it.
    pub used: f64,
}

/// How a soup is to be driven.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    pub plan: &'a Plan,
    /// Epochs after which the run ends.
    pub max_epochs: u64,
    pub saves: Saves,
    /// Epochs done at the newest checkpoint.
    pub saved_at: Option<u64>,
    pub budget: Option<Budget>,
    /// How many snapshots are measured at a time, each by a thread of its own, beside the epochs;
    /// 0 where the epochs wait instead.
    pub measurers: usize,
    /// Set where the run is to end early.
    pub interrupt: &'a AtomicBool,
}

/// How a soup's epochs ended.
#[derive(Debug)]
pub(crate) enum Ended<Stop> {
    /// All are done.
    Finished,
    /// A rule stopped the run at a log point.
    Stopped(Stop),
    /// It was asked to end.
    Interrupted,
    /// The budget is used up.
    OutOfTime,
}

/// A soup at the end of its epochs.
#[derive(Debug)]
pub(crate) struct Driven<S: Sink> {
    pub sink: S,
    pub ended: Ended<S::Stop>,
    /// The soup that the run ends with.
    pub last: Checkpoint,
    /// Whether the sink has saved it.
    pub is_saved: bool,
    /// What all epochs came to, those that were thrown away not counted.
    pub total: Tally,
    pub elapsed: Duration,
}

/// How many snapshots so many threads measure at a time, where memory has room.
pub(crate) fn most_measurers(threads: usize) -> usize {
    threads.div_ceil(2)
}

/// How many snapshots of `soup` are measured at a time, where that is done beside the epochs:
/// as many as [`most_measurers`] says, as far as their copies of it take an eighth of the memory
/// that is free.
pub(crate) fn measurers(soup: &Soup) -> usize {
    let bytes_per_byte = if soup.tokens().is_some() { 9 } else { 1 };
    let copy = soup.settings().soup_bytes() as u64 * bytes_per_byte;
    let room = memory::available().unwrap_or(u64::MAX) / 8;
    let fit = usize::try_from(room / copy.max(1)).unwrap_or(usize::MAX);
    most_measurers(rayon::current_num_threads()).min(fit).max(1)
}

impl Driver<'_> {
    /// Run the soup to its end. Uses the rayon thread pool it is called in.
    pub(crate) fn drive<S: Sink>(
        &self,
        soup: &mut Soup,
        sink: S,
        observer: &mut dyn Observer,
    ) -> Result<Driven<S>, Error> {
        if self.measurers > 0 {
            thread::scope(|scope| {
                let recording = Recording::beside(scope, sink, self.measurers);
                Drive::new(self, soup, recording, observer).finish()
            })
        } else {
            let recording = Recording::in_turn(sink);
            Drive::new(self, soup, recording, observer).finish()
        }
    }
}

/// A soup being driven.
struct Drive<'a, 'scope, S: Sink> {
    driver: &'a Driver<'a>,
    soup: &'a mut Soup,
    recording: Recording<'scope, S>,
    observer: &'a mut dyn Observer,
    scorer: Option<Scorer>,
    /// What all epochs came to.
    total: Tally,
    /// When it began; pauses move it on.
    started: Instant,
    /// Where the interval to the next log point begins.
    last_log: LastLog,
    last_save: Instant,
    saved_at: Option<u64>,
    /// Epochs to the next pause, where there is to be one.
    steps_left: Option<u64>,
    /// Whether the observer wants the run to end.
    is_to_end: bool,
}

struct LastLog {
    epochs_done: u64,
    total: Tally,
    /// When it was counted; pauses move it on.
    at: Instant,
}

impl<'a, 'scope, S: Sink> Drive<'a, 'scope, S> {
    fn new(
        driver: &'a Driver<'a>,
        soup: &'a mut Soup,
        recording: Recording<'scope, S>,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let plan = driver.plan;
        let started = Instant::now();
        Drive {
            scorer: plan
                .eval_selfrep
                .then(|| Scorer::new(soup.settings().language, plan.engine, &plan.options)),
            total: Tally::default(),
            started,
            last_log: LastLog {
                epochs_done: soup.epochs_done(),
                total: Tally::default(),
                at: started,
            },
            last_save: started,
            saved_at: driver.saved_at,
            steps_left: None,
            is_to_end: false,
            driver,
            soup,
            recording,
            observer,
        }
    }

    fn finish(mut self) -> Result<Driven<S>, Error> {
        let mut ended = loop {
            if let Some(ended) = self.over() {
                break ended;
            }
            let stop = if self.steps_left == Some(0) {
                self.pause()?
            } else {
                self.step()?
            };
            if let Some((stop, snapshot)) = stop {
                return self.close(Ended::Stopped(stop), Some(snapshot));
            }
        };
        // What is still being measured comes first: it may end the run.
        let mut stopped_at = None;
        if let Some((stop, snapshot)) = self.collect(Wait::ForAll)? {
            ended = Ended::Stopped(stop);
            stopped_at = Some(snapshot);
        }
        self.close(ended, stopped_at)
    }

    /// Why there is no further epoch, if there is none.
    fn over(&self) -> Option<Ended<S::Stop>> {
        let driver = self.driver;
        let is_used_up =
            |budget: &Budget| budget.used + self.started.elapsed().as_secs_f64() >= budget.seconds;
        if self.soup.epochs_done() >= driver.max_epochs {
            Some(Ended::Finished)
        } else if self.is_to_end || driver.interrupt.load(Ordering::Relaxed) {
            Some(Ended::Interrupted)
        } else if driver.budget.as_ref().is_some_and(is_used_up) {
            Some(Ended::OutOfTime)
        } else {
            None
        }
    }

    /// Run one epoch and hand out a snapshot where one is due. Answers with the stop rule that
    /// a log point met, and the snapshot of it.
    fn step(&mut self) -> Result<Option<(S::Stop, Snapshot)>, Error> {
        let epoch = self.soup.epochs_done();
        let tally = self.soup.step();
        self.total = self.total + tally;
        self.steps_left = self.steps_left.map(|left| left - 1);
        let next = self.observer.epoch(view(self.soup), &tally);
        self.heed(next);
        let due = self.due_after(epoch);
        let wait = if due.any() { Wait::ForRoom } else { Wait::No };
        let stop = self.collect(wait)?;
        if stop.is_some() || !due.any() {
            return Ok(stop);
        }
        self.submit(tally, due)?;
        self.collect(Wait::No)
    }

    /// What is due after `epoch`, counted from 0.
    fn due_after(&self, epoch: u64) -> Due {
        let plan = self.driver.plan;
        Due {
            log: epoch.is_multiple_of(plan.log_interval),
            frame: plan.frames.is_some() && epoch.is_multiple_of(plan.frame_interval),
            checkpoint: match self.driver.saves {
                Saves::Epochs(interval) => epoch.is_multiple_of(interval),
                Saves::Time(interval) => self.last_save.elapsed() >= interval,
            },
        }
    }

    /// Hand out a copy of the soup.
    fn submit(&mut self, tally: Tally, due: Due) -> Result<(), Error> {
        let counts = due.log.then(|| self.count()).transpose()?;
        let (total, elapsed) = (self.total, self.started.elapsed());
        self.recording.submit(self.soup, |soup| Snapshot {
            soup,
            tally,
            total,
            elapsed,
            counts,
            due,
        })?;
        if due.checkpoint {
            self.saved_at = Some(self.soup.epochs_done());
            self.last_save = Instant::now();
        }
        Ok(())
    }

    /// What a log point needs to know of the soup that takes all threads or is known here only.
    fn count(&mut self) -> Result<Counts, Error> {
        let (now, epochs_done) = (Instant::now(), self.soup.epochs_done());
        // Here and not beside the next epochs: it takes all threads.
        let replicators = self.scorer.as_ref();
        let replicators = replicators
            .map(|scorer| scorer.count(self.soup))
            .transpose()?;
        let programs = self.soup.programs();
        let tokens = self.soup.tokens().map(|tokens| tokens.measure(programs));
        let next = LastLog {
            epochs_done,
            total: self.total,
            // What counting takes is no time of epochs.
            at: Instant::now(),
        };
        let counts = Counts {
            replicators,
            tokens,
            language: self.soup.settings().language,
            also: self.driver.plan.also_measure.clone(),
            performance: PerformanceRow {
                epoch: epochs_done,
                elapsed: now - self.started,
                epochs: epochs_done - self.last_log.epochs_done,
                length: now - self.last_log.at,
                tally: self.total - self.last_log.total,
                measured: next.at - now,
                cache: self.soup.runner().cache_tally(),
            },
        };
        self.last_log = next;
        Ok(counts)
    }

    /// Take back the snapshots that were handed out and are recorded, and those that are waited
    /// for.
    fn collect(&mut self, wait: Wait) -> Result<Option<(S::Stop, Snapshot)>, Error> {
        while let Some(recorded) = self.recording.collect(wait)? {
            let Recorded {
                snapshot,
                row,
                stop,
            } = recorded;
            if let Some(row) = &row {
                let next = self.observer.logged(&LogPoint {
                    row,
                    soup: View {
                        language: self.soup.settings().language,
                        epochs_done: snapshot.soup.epochs_done,
                        programs: &snapshot.soup.programs,
                    },
                });
                self.heed(next);
            }
            if let Some(stop) = stop {
                return Ok(Some((stop, snapshot)));
            }
            self.recording.give_back(snapshot.soup);
        }
        Ok(None)
    }

    fn heed(&mut self, next: Next) {
        match next {
            Next::AsBefore => {}
            Next::Run => self.steps_left = None,
            Next::Step(epochs) => self.steps_left = Some(epochs),
            Next::Pause => self.steps_left = Some(0),
            Next::End => self.is_to_end = true,
        }
    }

    /// Stand still until the observer wants otherwise. What is still being measured comes first.
    fn pause(&mut self) -> Result<Option<(S::Stop, Snapshot)>, Error> {
        let stop = self.collect(Wait::ForAll)?;
        if stop.is_some() {
            return Ok(stop);
        }
        let began = Instant::now();
        while self.steps_left == Some(0) && self.over().is_none() {
            let next = self.observer.paused(view(self.soup));
            self.heed(next);
            if matches!(next, Next::AsBefore | Next::Pause) {
                thread::sleep(PAUSE_INTERVAL);
            }
        }
        let paused = began.elapsed();
        self.started += paused;
        self.last_log.at += paused;
        Ok(None)
    }

    /// The end; where the run stopped at a log point, with its snapshot. What ran ahead of it is
    /// thrown away.
    fn close(
        self,
        ended: Ended<S::Stop>,
        stopped_at: Option<Snapshot>,
    ) -> Result<Driven<S>, Error> {
        let elapsed = self.started.elapsed();
        let is_saved = stopped_at.is_none() && self.saved_at == Some(self.soup.epochs_done());
        let (mut buffer, sink) = self.recording.close()?;
        let (last, total) = match stopped_at {
            Some(snapshot) => (snapshot.soup, snapshot.total),
            None => {
                if is_saved {
                    buffer.copy_from(self.soup);
                } else {
                    buffer.copy_all_from(self.soup);
                }
                (buffer, self.total)
            }
        };
        Ok(Driven {
            sink,
            ended,
            last,
            is_saved,
            total,
            elapsed,
        })
    }
}

/// The soup as it stands.
fn view(soup: &Soup) -> View<'_> {
    View {
        language: soup.settings().language,
        programs: soup.programs(),
        epochs_done: soup.epochs_done(),
    }
}
