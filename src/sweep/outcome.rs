//! What came of one run.

use serde::{Deserialize, Serialize};
use toml::Table;

use super::file::Planned;
use super::last::LastRow;
use crate::measure::ALIVE;
use crate::measure::replicators::Replicators;
use crate::measure::row::LogRow;
use crate::run::folder::settings::VERSION;
use crate::run::{Plan, StopRule};
use crate::soup::Tally;

/// High-order entropy that a soup passes on its way to life: the paper's line, in bits per
/// byte.
pub const LINE_OF_PAPER: f32 = 1.0;
/// Points of a run's course that are kept, at most, and the last one.
pub(super) const TRACE_POINTS: u64 = 128;

/// How a run of a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// All its epochs are done.
    Finished,
    /// It met a stop rule.
    Stopped,
    /// It used up its budget of time: what would have come is not known.
    Censored,
    /// It could not be run.
    Failed,
    /// It was asked to stop, and goes on when the sweep does.
    Interrupted,
}

impl Ended {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Ended::Finished => "finished",
            Ended::Stopped => "stopped",
            Ended::Censored => "censored",
            Ended::Failed => "failed",
            Ended::Interrupted => "interrupted",
        }
    }

    /// The one of this name.
    pub fn of_name(name: &str) -> Option<Ended> {
        use Ended::{Censored, Failed, Finished, Interrupted, Stopped};
        let all = [Finished, Stopped, Censored, Failed, Interrupted];
        all.into_iter().find(|it| it.name() == name)
    }

    /// Of two results of the same run, more is known by the one of higher rank.
    pub(super) fn rank(self, epochs: u64) -> (u8, u64) {
        match self {
            Ended::Finished | Ended::Stopped => (2, 0),
            Ended::Censored => (1, epochs),
            Ended::Failed | Ended::Interrupted => (0, epochs),
        }
    }
}

/// What was measured at the log points of a run. Epochs are epochs done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Seen {
    /// The first log point with high-order entropy above [`LINE_OF_PAPER`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entropy_1_at: Option<u64>,
    /// The first one at which the soup was alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alive_at: Option<u64>,
    /// The first one with a program that scores 5 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selfreps_at: Option<u64>,
    /// The first one with a program that scores 48 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selfreps_48_at: Option<u64>,
    /// The last one.
    pub measured_at: u64,
    /// The highest high-order entropy, in bits per byte, and where it was first.
    pub peak_high_order_entropy: f32,
    /// See there.
    pub peak_at: u64,
    /// What the last log point measured.
    #[serde(flatten)]
    pub last: LastRow,
    /// The most programs that score 48 or more at any log point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_selfreps_48: Option<u64>,
    /// High-order entropy by epochs done: of every so manyth log point, and of the last.
    pub trace: Vec<(u64, f32)>,
}

impl Seen {
    /// Add a log point; answers with why the run ends there, if it does.
    pub fn add(&mut self, row: &LogRow, planned: &Planned) -> Option<String> {
        let epoch = row.epoch;
        let first = |at: Option<u64>, is_so: bool| at.or(is_so.then_some(epoch));
        let entropy = row.measures.high_order_entropy;
        self.entropy_1_at = first(self.entropy_1_at, entropy > LINE_OF_PAPER);
        self.alive_at = first(self.alive_at, entropy > ALIVE);
        if self.peak_at == 0 || entropy > self.peak_high_order_entropy {
            (self.peak_high_order_entropy, self.peak_at) = (entropy, epoch);
        }
        self.measured_at = epoch;
        self.last = LastRow::of(row);
        if let Some(Replicators { cubff, knierim }) = row.replicators {
            self.selfreps_at = first(self.selfreps_at, cubff > 0);
            self.selfreps_48_at = first(self.selfreps_48_at, knierim > 0);
            self.peak_selfreps_48 = self.peak_selfreps_48.max(Some(knierim));
        }
        let plan = &planned.combination.plan;
        if ((epoch - 1) / plan.log_interval).is_multiple_of(trace_stride(plan)) {
            self.trace.push((epoch, entropy));
        }
        self.ends_here(row, planned)
    }

    fn ends_here(&self, row: &LogRow, planned: &Planned) -> Option<String> {
        let combination = &planned.combination;
        let soup_bytes = combination.settings.soup_bytes();
        if let Some(rule) = combination.plan.stops_at(&row.past(), soup_bytes) {
            return Some(match rule {
                StopRule::HighOrderEntropyAbove(limit) => {
                    format!("high-order entropy above {limit}")
                }
                StopRule::BitsPerByteBelow(limit) => {
                    format!("brotli's bits per byte below {limit}")
                }
                StopRule::ReplicatorsAtLeast(least) => {
                    format!("{least} or more programs score 5 or more")
                }
            });
        }
        let rules = &combination.rules;
        if let (Some(after), Some(alive_at)) = (rules.epochs_after_alive, self.alive_at)
            && row.epoch - alive_at >= after
        {
            return Some(format!("{after} epochs after it came alive"));
        }
        let least = rules.stop_at_replicators?;
        row.replicators
            .is_some_and(|count| count.knierim >= least)
            .then(|| format!("{least} or more programs score 48 or more"))
    }

    /// Nothing more will be measured.
    pub fn close(&mut self) {
        if self
            .trace
            .last()
            .is_some_and(|last| last.0 != self.measured_at)
        {
            let entropy = self.last.high_order_entropy();
            self.trace.push((self.measured_at, entropy));
        }
    }
}

/// Of how many log points one is kept: a power of two, so that runs that are looked at equally
/// often share their points.
fn trace_stride(plan: &Plan) -> u64 {
    let log_points = plan.max_epochs.div_ceil(plan.log_interval);
    log_points.div_ceil(TRACE_POINTS).next_power_of_two()
}

/// What came of a run, or has come of it so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Outcome {
    /// Of broth.
    pub broth_version: String,
    /// The engine's name.
    pub engine: String,
    /// How it ended.
    pub ended: Ended,
    /// By which rule, or with which error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Epochs done.
    pub epochs: u64,
    /// Pairs that were run.
    pub interactions: u64,
    /// Steps that were not no-ops.
    pub ops: u64,
    /// Steps.
    pub steps: u64,
    /// How long it took, over all sessions.
    pub seconds: f64,
    /// How long it was allowed to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_seconds: Option<f64>,
    /// What was measured; nothing before the first log point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Everything that decides all of this but the times, by the names of flags.
    pub settings: Table,
}

impl Outcome {
    /// Of a run that has not begun.
    pub fn begin(planned: &Planned) -> Outcome {
        let combination = &planned.combination;
        Outcome {
            broth_version: VERSION.into(),
            engine: combination.plan.engine.name().into(),
            ended: Ended::Interrupted,
            why: None,
            epochs: 0,
            interactions: 0,
            ops: 0,
            steps: 0,
            seconds: 0.0,
            budget_seconds: combination.rules.budget_seconds,
            seen: None,
            settings: planned.of_results(),
        }
    }

    /// Of a run that could not be run.
    pub fn failed(planned: &Planned, why: String) -> Outcome {
        Outcome {
            ended: Ended::Failed,
            why: Some(why),
            ..Outcome::begin(planned)
        }
    }

    /// Whether nothing more can be found out about `planned` by going on.
    pub fn is_final(&self, planned: &Planned) -> bool {
        match self.ended {
            Ended::Finished | Ended::Stopped => true,
            Ended::Failed | Ended::Interrupted => false,
            Ended::Censored => {
                let budget = planned.combination.rules.budget_seconds;
                budget.is_some_and(|budget| budget <= self.seconds)
            }
        }
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            interactions: self.interactions,
            ops: self.ops,
            steps: self.steps,
            ..Tally::default()
        }
    }
}
