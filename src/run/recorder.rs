//! What a run writes down: measures and checkpoints of copies of the soup,
//! made beside the epochs that follow.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Plan, StopRule};
use crate::Error;
use crate::measure::Measures;
use crate::output::csv::{LogRow, Table};
use crate::soup::Tally;
use crate::soup::checkpoint::Checkpoint;

/// The first line of performance.csv.
pub const PERFORMANCE_HEADER: &str = "epoch,seconds,epochs_per_second,interactions_per_second,\
                                      ops_per_second,steps_per_second,measure_seconds";

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
}

/// A copy of the soup, and what to do with it.
#[derive(Debug)]
pub struct Job {
    pub snapshot: Checkpoint,
    /// What the last epoch came to.
    pub tally: Tally,
    /// Set at a log point.
    pub interval: Option<Interval>,
    /// Write a checkpoint, whatever the measures say.
    pub checkpoint: bool,
}

/// What came of a job: the buffer comes back.
#[derive(Debug)]
pub struct Done {
    pub snapshot: Checkpoint,
    pub row: Option<LogRow>,
    /// Set where the measures say that the run ends here.
    pub stop: Option<StopRule>,
}

/// The files that grow with a run.
#[derive(Debug)]
pub struct Recorder {
    pub metrics: Table,
    pub performance: Table,
    pub log: Option<Table>,
    pub checkpoints: PathBuf,
    pub num_programs: usize,
    pub plan: Plan,
}

impl Recorder {
    /// Do a job. Rows are on disk before the checkpoint that follows them is.
    pub fn record(&mut self, job: Job) -> Result<Done, Error> {
        let Job {
            snapshot,
            tally,
            interval,
            checkpoint,
        } = job;
        let row = match interval {
            Some(interval) => Some(self.log(&snapshot, tally, &interval)?),
            None => None,
        };
        let stop = row.as_ref().and_then(|row| {
            let entropy = f64::from(row.measures.high_order_entropy);
            self.plan.stops_at(entropy, row.measures.brotli_bpb)
        });
        if checkpoint || stop.is_some() {
            for table in [&self.metrics, &self.performance]
                .into_iter()
                .chain(&self.log)
            {
                table.sync()?;
            }
            let name = Checkpoint::file_name(snapshot.epochs_done);
            snapshot.write(&self.checkpoints.join(name))?;
        }
        Ok(Done {
            snapshot,
            row,
            stop,
        })
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
        };
        let measured = before.elapsed();
        self.metrics.append(&row.metrics_line())?;
        if let Some(log) = &mut self.log {
            log.append(&row.past().cubff_line(self.num_programs))?;
        }
        let rate = |count: u64| count as f64 / interval.length.as_secs_f64();
        self.performance.append(&format!(
            "{},{:.3},{:.3},{:.0},{:.0},{:.0},{:.3}",
            row.epoch,
            interval.elapsed.as_secs_f64(),
            rate(interval.epochs),
            rate(interval.tally.interactions),
            rate(interval.tally.ops),
            rate(interval.tally.steps),
            measured.as_secs_f64(),
        ))?;
        Ok(row)
    }
}
