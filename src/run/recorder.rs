//! What a run writes down: rows, frames and checkpoints.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pictures::Frames;
use super::plan::{Plan, StopRule};
use super::recording::{Sink, Snapshot};
use crate::Error;
use crate::measure::row::LogRow;
use crate::run::folder::csv::Table;
use crate::run::folder::performance::PerformanceRow;
use crate::run::folder::{self, sidecar};
use crate::soup::checkpoint::Checkpoint;

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
pub(super) struct Recorder {
    pub metrics: Table,
    pub performance: Table,
    pub log: Option<Table>,
    pub checkpoints: PathBuf,
    /// Whether that folder may hold checkpoints of others, which stay.
    pub shares_checkpoints: bool,
    pub frames: Option<Box<dyn Frames>>,
    pub num_programs: usize,
    pub soup_bytes: usize,
    pub plan: Plan,
    /// Which checkpoint is the newest.
    pub saved_at: SavedAt,
    /// What the soup's settings are, for sidecars.
    pub of_soup: toml::Table,
}

impl Recorder {
    /// Write a checkpoint: the tables before it are made to last, its sidecar comes first.
    pub(super) fn save_soup(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        for table in [&self.metrics, &self.performance]
            .into_iter()
            .chain(&self.log)
        {
            table.sync()?;
        }
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
}

impl Sink for Recorder {
    type Stop = StopRule;

    fn log(
        &mut self,
        row: &LogRow,
        performance: &PerformanceRow,
    ) -> Result<Option<StopRule>, Error> {
        let past = row.past();
        self.metrics.append(&row.metrics_line())?;
        if let Some(log) = &mut self.log {
            log.append(&past.cubff_line(self.num_programs))?;
        }
        self.performance.append(&performance.line())?;
        Ok(self.plan.stops_at(&past, self.soup_bytes))
    }

    fn draw(&mut self, soup: &Checkpoint) -> Result<(), Error> {
        match &self.frames {
            Some(frames) => frames.write(soup),
            None => Ok(()),
        }
    }

    fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        self.save_soup(&snapshot.soup)
    }

    fn may_stop(&self) -> bool {
        self.plan.has_stop_rule()
    }
}
