//! Runs that are done side by side, by some workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::file::Planned;
use super::one::{self, Pace, Progress};
use super::outcome::{Ended, Outcome};
use super::{BIG, Options, Records, State, UnderWay, folder, is_alive, most_interactions};
use crate::Error;
use crate::memory;

/// Time between two looks at runs under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Bytes that a run needs besides its soup: native code, and what the encoder takes.
const MEMORY_OF_RUN: u64 = 32 << 20;
/// Soups' worth of memory that a run takes: the soup, a copy of it, its pairings, scores.
const SOUPS_OF_RUN: u64 = 3;

/// Some runs that are done side by side.
pub(super) struct Batch<'a> {
    runs: Vec<&'a Planned>,
    workers: usize,
    threads_each: usize,
    /// Threads of all workers.
    threads: usize,
}

/// What is done one after the other: first all soups that can be done side by side.
pub(super) fn batches<'a>(missing: &[&'a Planned], options: &Options) -> Vec<Batch<'a>> {
    let is_big = |run: &&&Planned| run.combination.settings.num_programs > BIG;
    let (big, others): (Vec<&Planned>, Vec<&Planned>) = missing.iter().partition(|run| is_big(run));
    let batch = |runs: Vec<&'a Planned>, usual: usize| {
        let memory = runs.iter().map(|run| {
            let soup = run.combination.settings.soup_bytes() as u64;
            SOUPS_OF_RUN * soup + MEMORY_OF_RUN
        });
        let room = memory::available().unwrap_or(u64::MAX) / 5 * 4;
        let fit = room / memory.max().unwrap_or(1);
        let workers = options
            .jobs
            .unwrap_or(usual)
            .min(runs.len())
            .min(fit as usize)
            .max(1);
        Batch {
            threads_each: (options.threads / workers).max(1),
            threads: options.threads,
            workers,
            runs,
        }
    };
    [batch(others, options.threads), batch(big, 1)]
        .into_iter()
        .filter(|batch| !batch.runs.is_empty())
        .collect()
}

/// How far a sweep is.
pub(super) struct Counts<'a> {
    pub records: &'a Records,
    pub runs: usize,
    pub done: usize,
    pub alive: usize,
    pub failed: Vec<(Planned, String)>,
    pub interactions: u64,
    pub left: u64,
}

impl Counts<'_> {
    /// Write down what came of a run; answers with it, unless it is to go on.
    fn take_in(&mut self, run: &Planned, end: WorkerEnd) -> Option<Outcome> {
        let mut unsaved = end.unsaved;
        let mut settle = || {
            let epochs = std::mem::take(&mut unsaved);
            self.records.unsaved.fetch_sub(epochs, Ordering::Relaxed);
        };
        let written = end.result.and_then(|outcome| {
            if outcome.ended != Ended::Interrupted {
                folder::write_outcome(&self.records.result(&run.key), &outcome, &mut settle)?;
                self.records.folder(&run.key).settle(run, outcome.ended)?;
            }
            Ok(outcome)
        });
        // Where there is no result, nobody can save them any more.
        settle();
        self.left = self.left.saturating_sub(most_interactions(run));
        match written {
            Ok(outcome) if outcome.ended == Ended::Interrupted => None,
            Ok(outcome) => {
                self.done += 1;
                self.alive += usize::from(is_alive(&outcome));
                Some(outcome)
            }
            Err(error) => {
                let why = error.to_string();
                self.failed.push((run.clone(), why.clone()));
                Some(Outcome::failed(run, why))
            }
        }
    }
}

/// What came of a run; or, without a run, of the worker.
struct WorkerEnd {
    /// Which run of the batch.
    run: Option<usize>,
    result: Result<Outcome, Error>,
    /// Its epochs that no save holds.
    unsaved: u64,
}

/// What the workers share.
struct Work<'r> {
    records: &'r Records,
    save_every: Duration,
    /// The first run that nobody has begun.
    next: AtomicUsize,
    /// Set where the workers are to stop: somebody wishes it, or nobody writes down what they do.
    stop: AtomicBool,
}

/// Told how far all is, and of a run that has ended.
type Tell<'t, 'a> =
    &'t mut dyn FnMut(Option<State<'a>>, Option<(&'a Planned, Outcome)>) -> Result<(), Error>;

impl<'a> Batch<'a> {
    /// Do the runs; `tell` is told of each that ends, and ten times a second how far all is.
    pub(super) fn go(
        &self,
        records: &Records,
        options: &Options,
        interrupt: &AtomicBool,
        counts: &mut Counts<'_>,
        tell: Tell<'_, 'a>,
    ) -> Result<(), Error> {
        let progress: Vec<Progress> = (0..self.workers).map(|_| Progress::default()).collect();
        let work = Work {
            records,
            save_every: options.save_every,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        };
        let before = counts.interactions;
        let (sender, ended) = mpsc::channel();
        thread::scope(|scope| {
            for progress in &progress {
                let sender = sender.clone();
                let work = &work;
                scope.spawn(move || self.do_runs(work, progress, &sender));
            }
            drop(sender);
            let mut look = || {
                let mut shown: Option<Instant> = None;
                loop {
                    let news = ended.recv_timeout(LOOK_INTERVAL);
                    if interrupt.load(Ordering::Relaxed) {
                        work.stop.store(true, Ordering::Relaxed);
                    }
                    let sum = progress
                        .iter()
                        .map(|it| it.interactions.load(Ordering::Relaxed))
                        .sum::<u64>();
                    counts.interactions = before + sum;
                    let news = match news {
                        Ok(end) => match end.run {
                            Some(i) => {
                                let run: &Planned = self.runs[i];
                                counts.take_in(run, end).map(|outcome| (run, outcome))
                            }
                            None => return end.result.map(|_: Outcome| ()),
                        },
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => return Ok(()),
                    };
                    let due = shown.is_none_or(|it| it.elapsed() >= LOOK_INTERVAL);
                    let state = due.then(|| self.state(counts, &progress));
                    if due {
                        shown = Some(Instant::now());
                    }
                    tell(state, news)?;
                }
            };
            let result = look();
            work.stop.store(true, Ordering::Relaxed);
            result
        })
    }

    /// What one worker does: one run after the other, as long as there are some.
    fn do_runs(&self, work: &Work<'_>, progress: &Progress, ended: &Sender<WorkerEnd>) {
        let pace = Pace {
            save_every: work.save_every,
            interrupt: &work.stop,
        };
        let mut pool: Option<ThreadPool> = None;
        while !work.stop.load(Ordering::Relaxed) {
            let i = work.next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = self.runs.get(i) else { break };
            let left = self.runs.len() - i;
            let threads = threads_of_run(self.threads, self.threads_each, left);
            let fitting = pool.filter(|pool| pool.current_num_threads() == threads);
            let fitting =
                fitting.map_or_else(|| ThreadPoolBuilder::new().num_threads(threads).build(), Ok);
            let fitting = match fitting {
                Ok(fitting) => fitting,
                Err(error) => {
                    let error = Error::Usage(format!("cannot start threads: {error}"));
                    let _ = ended.send(WorkerEnd {
                        run: None,
                        result: Err(error),
                        unsaved: 0,
                    });
                    return;
                }
            };
            progress.epochs.store(0, Ordering::Relaxed);
            progress.run.store(i as u64 + 1, Ordering::Relaxed);
            let folder = work.records.folder(&run.key);
            let result = catch_unwind(AssertUnwindSafe(|| {
                fitting.install(|| one::run(run, &folder, pace, progress))
            }));
            let result = result.unwrap_or_else(|_| {
                Err(Error::Bug("the run ended in the middle of its work".into()))
            });
            pool = Some(fitting);
            progress.run.store(0, Ordering::Relaxed);
            let end = WorkerEnd {
                run: Some(i),
                result,
                unsaved: progress.unsaved.swap(0, Ordering::Relaxed),
            };
            if ended.send(end).is_err() {
                break;
            }
        }
    }

    fn state(&self, counts: &Counts<'_>, workers: &[Progress]) -> State<'a> {
        let under_way: Vec<UnderWay<'a>> = workers
            .iter()
            .filter_map(|worker| {
                let number = worker.run.load(Ordering::Relaxed) as usize;
                Some(UnderWay {
                    run: self.runs.get(number.checked_sub(1)?)?,
                    epochs: worker.epochs.load(Ordering::Relaxed),
                })
            })
            .collect();
        let done_of_these: u64 = under_way
            .iter()
            .map(|it| it.run.combination.settings.num_programs as u64 / 2 * it.epochs)
            .sum();
        State {
            runs: counts.runs,
            done: counts.done,
            alive: counts.alive,
            failed: counts.failed.len(),
            interactions: counts.interactions,
            interactions_left: counts.left.saturating_sub(done_of_these),
            under_way,
        }
    }
}

/// Threads of `all` for a run of a worker that has `each`, with so many runs left, it included. The
/// last ones get more: there are workers without a run by then.
fn threads_of_run(all: usize, each: usize, left: usize) -> usize {
    each.max(all / left)
}

#[cfg(test)]
mod tests {
    use super::threads_of_run;

    #[test]
    fn the_last_runs_get_the_threads_of_workers_without_one() {
        let threads = |left| threads_of_run(8, 1, left);
        assert_eq!([20, 8, 5, 4, 3, 2, 1].map(threads), [1, 1, 1, 2, 2, 4, 8]);
        assert_eq!(threads_of_run(8, 4, 20), 4);
        assert_eq!(threads_of_run(1, 1, 1), 1);
    }
}
