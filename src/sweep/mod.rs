//! Sweeps: thousands of runs, side by side where they are small, whose results make one table.
//!
//! A run's result is named by the hash of everything that determines it, and written as a whole. So
//! a sweep can be stopped at any moment and continued, only runs that were added to its file are
//! run, and parts of it can run on other machines.

mod batch;
mod file;
mod folder;
mod last;
mod merge;
mod one;
mod outcome;
pub mod statistics;
mod table;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use file::{Combination, Keep, MOST_RUNS, Planned, Rules, SMALL, Shard, Sweep};
pub use last::LastRow;
pub use merge::Merged;
pub use outcome::{Ended, LINE_OF_PAPER, Outcome, Seen};
pub use table::{Cell, Kind, TOLD, Table, parse_trace};

use crate::Error;
use crate::files;
use crate::run::folder as run_folder;
use batch::{Counts, batches};
use folder::Folder;

/// Soups of more programs than this are run one after the other, with all threads: even two of
/// them are larger than any cache.
pub(crate) const BIG: usize = 1 << 20;
/// Time between two tables, while runs go on.
const TABLE_INTERVAL: Duration = Duration::from_secs(60);
/// Bytes that a row and its result take on disk, at most.
const DISK_OF_RESULT: u64 = 24 << 10;

/// How a sweep is done. None of it changes a result.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads in all.
    pub threads: usize,
    /// How many runs go on at once; as many as threads and memory allow, where nothing is said.
    pub jobs: Option<usize>,
    /// Time between two saves of a run.
    pub save_every: Duration,
}

/// The folder of a sweep.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    /// Held by the one sweep that writes to it.
    _lock: Option<Arc<fs::File>>,
    unsaved: Arc<AtomicU64>,
}

impl Records {
    /// The folder at `path`, which is made if it is not there, to write to.
    pub fn open(path: &Path) -> Result<Records, Error> {
        Records::check(path)?;
        files::make_folder(&path.join("results"))?;
        let records = Records {
            _lock: run_folder::lock(path, "a sweep is already running in it")?,
            path: path.into(),
            unsaved: Arc::default(),
        };
        files::remove_unfinished(path)?;
        files::remove_unfinished(&path.join("results"))?;
        Ok(records)
    }

    /// The folder at `path`, whether it is there or not, to look at only.
    pub fn look(path: &Path) -> Result<Records, Error> {
        Records::check(path)?;
        Ok(Records {
            path: path.into(),
            _lock: None,
            unsaved: Arc::default(),
        })
    }

    fn check(path: &Path) -> Result<(), Error> {
        let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if path.symlink_metadata().is_err() || path.join("results").is_dir() || is_empty() {
            return Ok(());
        }
        Err(Error::Setting(format!(
            "`out` {} exists already and is no folder of a sweep; choose another one",
            path.display()
        )))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Epochs of runs under way that are neither saved nor part of a result yet; others may ask
    /// for them while a sweep goes.
    pub fn unsaved_epochs(&self) -> Arc<AtomicU64> {
        self.unsaved.clone()
    }

    /// The table as CSV.
    pub fn csv(&self) -> PathBuf {
        self.path.join("results.csv")
    }

    /// The table as Parquet, which is written where the feature `parquet` is on.
    pub fn parquet(&self) -> PathBuf {
        self.path.join("results.parquet")
    }

    /// Where the result of a run is.
    pub fn result(&self, key: &str) -> PathBuf {
        self.path.join("results").join(format!("{key}.toml"))
    }

    /// The folder of a run.
    pub fn run(&self, key: &str) -> PathBuf {
        self.path.join("runs").join(key)
    }

    fn folder(&self, key: &str) -> Folder {
        Folder::new(self.run(key), self.unsaved.clone())
    }

    /// An error where there are results, but none of a run with one of these keys: the table of
    /// such a sweep would take the place of another's.
    pub fn check_is_of(&self, keys: &HashSet<String>) -> Result<(), Error> {
        let results = self.path.join("results");
        let entries =
            fs::read_dir(&results).map_err(|error| Error::cannot("read", &results, error))?;
        let others = entries.count();
        if others == 0 || keys.iter().any(|key| self.result(key).exists()) {
            return Ok(());
        }
        Err(Error::Setting(format!(
            "`out` {} has the results of {others} runs of another sweep, whose table this one \
             would replace; choose another",
            self.path.display()
        )))
    }

    /// What has come of the runs of `sweep` already, by their keys; and results that cannot be
    /// used, which are made anew.
    pub fn load(&self, sweep: &Sweep) -> (HashMap<String, Outcome>, Vec<Error>) {
        let (mut outcomes, mut skipped) = (HashMap::new(), Vec::new());
        for run in &sweep.runs {
            if outcomes.contains_key(&run.key) {
                continue;
            }
            match folder::read_outcome(&self.result(&run.key), run) {
                Ok(Some(outcome)) => {
                    outcomes.insert(run.key.clone(), outcome);
                }
                Ok(None) => {}
                Err(error) => skipped.push(error),
            }
        }
        (outcomes, skipped)
    }

    /// Epochs done of a run that can be gone on with.
    pub fn saved_epochs(&self, run: &Planned) -> Option<u64> {
        self.folder(&run.key).saved_epochs(run)
    }

    /// Write the table as CSV and, with the feature `parquet`, as Parquet.
    pub(crate) fn write_tables(&self, table: &Table) -> Result<(), Error> {
        table.write_csv(&self.csv())?;
        #[cfg(feature = "parquet")]
        table.write_parquet(&self.parquet())?;
        Ok(())
    }
}

/// A run under way, as one may see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UnderWay<'a> {
    /// Which one.
    pub run: &'a Planned,
    /// Its epochs done.
    pub epochs: u64,
}

/// How far a sweep is.
#[derive(Debug)]
#[non_exhaustive]
pub struct State<'a> {
    /// Different runs in all.
    pub runs: usize,
    /// How many of them are done.
    pub done: usize,
    /// How many of those came alive.
    pub alive: usize,
    /// How many failed.
    pub failed: usize,
    /// Interactions of this session.
    pub interactions: u64,
    /// Interactions that are left at most: of runs that do not end early.
    pub interactions_left: u64,
    /// Runs under way.
    pub under_way: Vec<UnderWay<'a>>,
}

/// What happened, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run has ended, and its result is on disk, unless it failed.
    Ended(&'a Planned, &'a Outcome),
    /// Time has passed.
    Passed(State<'a>),
}

/// What a sweep came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Whether it was asked to stop.
    pub interrupted: bool,
    /// How many different runs are done now.
    pub done: usize,
    /// How many are not.
    pub left: usize,
    /// Runs that failed, with what they failed with.
    pub failed: Vec<(Planned, String)>,
    /// Interactions of this session.
    pub interactions: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What has come of all runs.
    pub table: Table,
}

impl Sweep {
    /// The number of each run, from 1, in the whole file.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let (first, step) = self
            .shard
            .map_or((1, 1), |it| (it.number as u64, it.of as u64));
        (0..).map(move |i| first + i * step)
    }

    /// The keys of its runs.
    pub fn keys(&self) -> HashSet<String> {
        self.runs.iter().map(|run| run.key.clone()).collect()
    }

    /// The runs, each once, though several conditions may ask for it.
    pub fn different_runs(&self) -> Vec<&Planned> {
        let mut seen = HashSet::new();
        self.runs
            .iter()
            .filter(|run| seen.insert(&run.key))
            .collect()
    }

    /// Do all runs that are not done yet, and write what came of them to `records`. `watch` is
    /// told of each run that ends, and ten times a second how far all of it is.
    pub fn go(
        &self,
        records: &Records,
        options: &Options,
        interrupt: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Summary, Error> {
        let started = Instant::now();
        let (mut outcomes, _) = records.load(self);
        let all = self.different_runs();
        let (mut missing, mut alive) = (Vec::new(), 0);
        for run in &all {
            match outcomes
                .get(&run.key)
                .filter(|outcome| outcome.is_final(run))
            {
                Some(outcome) => {
                    alive += usize::from(is_alive(outcome));
                    let folder = records.folder(&run.key);
                    if folder.is_unsettled() {
                        folder.settle(run, outcome.ended)?;
                    }
                }
                None => missing.push(*run),
            }
        }
        check_disk(records, &missing, options.threads)?;
        file::keep_copy(self, &records.path.join("sweep.toml"))?;
        records.write_tables(&Table::of_sweep(self, &outcomes))?;
        let mut counts = Counts {
            records,
            runs: all.len(),
            done: all.len() - missing.len(),
            alive,
            failed: Vec::new(),
            interactions: 0,
            left: missing.iter().map(|run| most_interactions(run)).sum(),
        };
        let mut table_written = Instant::now();
        for batch in batches(&missing, options) {
            if interrupt.load(Ordering::Relaxed) {
                break;
            }
            batch.go(
                records,
                options,
                interrupt,
                &mut counts,
                &mut |state, news| {
                    if let Some((run, outcome)) = news {
                        watch(Event::Ended(run, &outcome));
                        // What is known already stays where a run cannot go on.
                        if outcome.ended != Ended::Failed || !outcomes.contains_key(&run.key) {
                            outcomes.insert(run.key.clone(), outcome);
                        }
                    }
                    if let Some(state) = state {
                        watch(Event::Passed(state));
                    }
                    if table_written.elapsed() >= TABLE_INTERVAL {
                        records.write_tables(&Table::of_sweep(self, &outcomes))?;
                        table_written = Instant::now();
                    }
                    Ok(())
                },
            )?;
        }
        let table = Table::of_sweep(self, &outcomes);
        records.write_tables(&table)?;
        Ok(Summary {
            interrupted: interrupt.load(Ordering::Relaxed) && counts.done < counts.runs,
            done: counts.done,
            left: counts.runs - counts.done,
            failed: counts.failed,
            interactions: counts.interactions,
            elapsed: started.elapsed(),
            table,
        })
    }
}

fn is_alive(outcome: &Outcome) -> bool {
    outcome
        .seen
        .as_ref()
        .is_some_and(|seen| seen.alive_at.is_some())
}

fn most_interactions(run: &Planned) -> u64 {
    let pairs = run.combination.settings.num_programs as u64 / 2;
    pairs.saturating_mul(run.combination.plan.max_epochs)
}

/// Refuse a sweep that the disk has no room for; as many as `at_once` runs save themselves.
fn check_disk(records: &Records, missing: &[&Planned], at_once: usize) -> Result<(), Error> {
    let soup_of = |run: &Planned| run.combination.settings.soup_bytes() as u64 + 4096;
    // A run writes what it goes on from before it removes what it went on from.
    let largest = missing.iter().map(|run| soup_of(run)).max().unwrap_or(0);
    let saves = largest.saturating_mul(2 * at_once.min(missing.len()) as u64);
    let needed: u64 = missing
        .iter()
        .map(|run| {
            let combination = &run.combination;
            let soup = soup_of(run);
            let soups = match combination.rules.keep(combination.settings.num_programs) {
                // One that is given up keeps what it may go on from.
                Keep::None => u64::from(combination.rules.budget_seconds.is_some()),
                Keep::Last => 1,
                Keep::All => {
                    let plan = &combination.plan;
                    plan.max_epochs.div_ceil(plan.checkpoint_interval) + 1
                }
            };
            soup.saturating_mul(soups) + DISK_OF_RESULT
        })
        .fold(saves, u64::saturating_add);
    match free_disk(&records.path) {
        Some(free) if free < needed => Err(Error::file(
            &records.path,
            format!(
                "has {} MiB of disk free, and this sweep may write {} MiB: free some, choose \
                 another folder, or keep fewer soups (`checkpoints = \"none\"` in the file)",
                free >> 20,
                needed.div_ceil(1 << 20)
            ),
        )),
        _ => Ok(()),
    }
}

/// Bytes that may be written to the disk that `path` is on, where the system tells.
fn free_disk(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(path).ok()?;
        disk.f_bavail.checked_mul(disk.f_frsize)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
