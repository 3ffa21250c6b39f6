//! What a run does besides running: how long it goes, what it writes when, and what ends it.

use std::path::PathBuf;

use crate::Error;
use crate::engine::{Engine, Options};
use crate::format::outside_counts;
use crate::measure::column::Column;
use crate::measure::row::{Columns, PastRow};
use crate::soup::tokens::MOST_EPOCHS;

/// What a run does besides running: how long, and what it writes when.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Epochs after which the run ends.
    pub max_epochs: u64,
    /// Measures are logged after epochs e (from 0) divisible by this.
    pub log_interval: u64,
    /// A checkpoint is written after epochs e (from 0) divisible by this.
    pub checkpoint_interval: u64,
    /// How many checkpoints are kept, the newest; all where nothing is said.
    pub keep: Option<u64>,
    /// What runs the tapes.
    pub engine: Engine,
    /// How it works.
    pub options: Options,
    /// The checkpoint that the soup started from, where it did.
    pub load: Option<PathBuf>,
    /// cubff's log, where it is wanted.
    pub log: Option<PathBuf>,
    /// Where checkpoints go, if not into the run folder.
    pub checkpoint_dir: Option<PathBuf>,
    /// Where pictures of the soup go while it runs, where they are wanted.
    pub frames: Option<PathBuf>,
    /// They are written after epochs e (from 0) divisible by this.
    pub frame_interval: u64,
    /// Whether the soup is drawn at the end.
    pub picture: bool,
    /// The run ends at the first log point with high-order entropy above this.
    pub stop_high_order_entropy: Option<f64>,
    /// The run ends at the first log point with brotli's bits per byte below this.
    pub stopping_bpb: Option<f64>,
    /// Whether replicators are counted at each log point.
    pub eval_selfrep: bool,
    /// Whether bytes carry tracer tokens, which are measured at each log point.
    pub tracers: bool,
    /// What is measured besides at each log point, in the order of the tables' columns.
    pub also_measure: Vec<&'static Column>,
    /// The run ends at the first log point with at least so many replicators, by cubff's
    /// measure.
    pub stopping_selfrep_count: Option<u64>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            max_epochs: 16384,
            log_interval: 64,
            checkpoint_interval: 1024,
            keep: None,
            engine: Engine::default(),
            options: Options::default(),
            load: None,
            log: None,
            checkpoint_dir: None,
            frames: None,
            frame_interval: 16,
            picture: true,
            stop_high_order_entropy: None,
            stopping_bpb: None,
            eval_selfrep: false,
            tracers: false,
            also_measure: Vec::new(),
            stopping_selfrep_count: None,
        }
    }
}

impl Plan {
    /// Whether this is a plan; the error names the field that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("max_epochs", self.max_epochs),
            ("log_interval", self.log_interval),
            ("checkpoint_interval", self.checkpoint_interval),
            ("frame_interval", self.frame_interval),
        ] {
            if let Some(mend) = outside_counts(value) {
                return Err(Error::Setting(format!("`{name}` {value}: {mend}")));
            }
        }
        if let Some(keep) = self.keep
            && let Some(mend) = outside_counts(keep)
        {
            return Err(Error::Setting(format!("`keep` {keep}: {mend}")));
        }
        for (name, value) in [
            ("stop_high_order_entropy", self.stop_high_order_entropy),
            ("stopping_bpb", self.stopping_bpb),
        ] {
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(Error::Setting(format!(
                    "`{name}`: choose a number of bits per byte"
                )));
            }
        }
        if self.tracers && self.max_epochs > MOST_EPOCHS {
            return Err(Error::Setting(format!(
                "`tracers`: tokens tell {MOST_EPOCHS} epochs apart; choose a `max_epochs` \
                 up to that"
            )));
        }
        if let Some(count) = self.stopping_selfrep_count {
            if !self.eval_selfrep {
                return Err(Error::Setting(
                    "`stopping_selfrep_count` needs replicators to be counted; \
                     give `eval_selfrep` too"
                        .into(),
                ));
            }
            if let Some(mend) = outside_counts(count) {
                return Err(Error::Setting(format!(
                    "`stopping_selfrep_count` {count}: {mend}"
                )));
            }
        }
        Ok(())
    }

    /// What the run's tables hold.
    pub fn columns(&self) -> Columns {
        Columns::of(self.eval_selfrep, self.tracers, &self.also_measure)
    }

    /// The plan for who only looks at the soup's bytes.
    pub(super) fn without_tracers(self) -> Plan {
        Plan {
            tracers: false,
            ..self
        }
    }

    /// Whether any rule may end the run at a log point.
    pub(crate) fn has_stop_rule(&self) -> bool {
        self.stop_high_order_entropy.is_some()
            || self.stopping_bpb.is_some()
            || self.stopping_selfrep_count.is_some()
    }

    /// The rule that says to stop at a log point with these measures.
    pub(crate) fn stops_at(&self, row: &PastRow, soup_bytes: usize) -> Option<StopRule> {
        let above = |limit: &f64| f64::from(row.high_order_entropy) > *limit;
        let below = |limit: &f64| row.brotli_bpb(soup_bytes) < *limit;
        if let Some(limit) = self.stop_high_order_entropy.filter(above) {
            return Some(StopRule::HighOrderEntropyAbove(limit));
        }
        if let Some(limit) = self.stopping_bpb.filter(below) {
            return Some(StopRule::BitsPerByteBelow(limit));
        }
        let enough = |least: &u64| row.replicators.is_some_and(|count| count.cubff >= *least);
        let least = self.stopping_selfrep_count.filter(enough)?;
        Some(StopRule::ReplicatorsAtLeast(least))
    }
}

/// What a resumed run does otherwise than its folder says; nothing, unless it is set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Settings, by the names of flags, as settings.toml has them; `none` lifts a stop rule.
    pub given: toml::Table,
}

/// Why a run stopped before its last epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StopRule {
    /// High-order entropy rose above this.
    HighOrderEntropyAbove(f64),
    /// Brotli's bits per byte fell below this.
    BitsPerByteBelow(f64),
    /// There were so many replicators, by cubff's measure.
    ReplicatorsAtLeast(u64),
}

impl StopRule {
    /// The name of the setting that it comes from.
    pub fn setting(&self) -> &'static str {
        match self {
            StopRule::HighOrderEntropyAbove(_) => "stop-high-order-entropy",
            StopRule::BitsPerByteBelow(_) => "stopping-bpb",
            StopRule::ReplicatorsAtLeast(_) => "stopping-selfrep-count",
        }
    }
}
