//! What a run shows while it goes: a moving line on a terminal, else a plain
//! line now and then.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use broth::Tally;
use broth::format::thousands;
use broth::measure::ALIVE;
use broth::measure::replicators::KNIERIM_THRESHOLD;
use broth::run::{LogPoint, Next, Observer, Run, View};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt::Interrupt;
use super::printable;

/// Time between plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);
/// Rates are those of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(3);
/// Time between updates of the moving line.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct Progress {
    /// None where nobody wants to see anything.
    screen: Option<Screen>,
    max_epochs: u64,
    entropy: Option<f32>,
    alive_at: Option<u64>,
    /// Replicators at the last log point, where they are counted.
    replicators: Option<u64>,
    replicators_at: Option<u64>,
    epochs: u64,
    interactions: u64,
    /// (time, epochs, interactions) of the last few seconds.
    past: VecDeque<(Instant, u64, u64)>,
    shown: Option<Instant>,
}

enum Screen {
    Terminal(ProgressBar),
    Plain,
}

impl Screen {
    fn of_epochs(max_epochs: u64) -> Screen {
        if !std::io::stderr().is_terminal() {
            return Screen::Plain;
        }
        let bar =
            ProgressBar::with_draw_target(Some(max_epochs), ProgressDrawTarget::stderr_with_hz(10));
        let style =
            ProgressStyle::with_template("{bar:20.cyan/dim} {pos}/{len} epochs  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Screen::Terminal(bar)
    }
}

impl Progress {
    pub(super) fn new(quiet: bool, run: &Run) -> Progress {
        let (epochs_done, max_epochs) = (run.soup().epochs_done(), run.plan().max_epochs);
        let screen = match quiet {
            true => None,
            false => Some(Screen::of_epochs(max_epochs)),
        };
        Progress {
            screen,
            max_epochs,
            entropy: None,
            alive_at: run.alive_at(),
            replicators: None,
            replicators_at: run.replicators_at(),
            epochs: epochs_done,
            interactions: 0,
            past: VecDeque::from([(Instant::now(), epochs_done, 0)]),
            shown: None,
        }
    }

    /// Have what is said of an interruption go above the moving line.
    pub(super) fn leaves_room_for(&self, interrupt: &Interrupt) {
        if let Some(Screen::Terminal(bar)) = &self.screen {
            interrupt.draws(bar);
        }
    }

    /// A line that stays. Where nobody can read it, the run goes on all the same.
    pub(super) fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{}", printable(line));
        };
        match &self.screen {
            Some(Screen::Terminal(bar)) => bar.suspend(write),
            Some(Screen::Plain) => write(),
            None => {}
        }
    }

    /// Whether it is time to show how far the run is.
    fn is_due(&self, now: Instant, interval: Duration) -> bool {
        self.shown.is_none_or(|shown| now - shown >= interval)
    }

    /// Rates, entropy, and whether it lives.
    fn status(&mut self, now: Instant) -> String {
        self.past.push_back((now, self.epochs, self.interactions));
        while self.past.len() > 2 && now - self.past[1].0 >= WINDOW {
            self.past.pop_front();
        }
        let (then, epochs, interactions) = self.past[0];
        let rate = |count: u64| count as f64 / (now - then).as_secs_f64().max(1e-9);
        let life = match (self.alive_at, self.entropy) {
            (Some(epoch), _) => format!("alive since {epoch}"),
            (None, Some(_)) => "not alive".into(),
            (None, None) => "not measured yet".into(),
        };
        let entropy = match self.entropy {
            Some(entropy) => format!("entropy {entropy:.3}  "),
            None => String::new(),
        };
        let replicators = match self.replicators {
            Some(count) => format!("  {} replicators", thousands(count as usize)),
            None => String::new(),
        };
        format!(
            "{}  {entropy}{life}{replicators}",
            rates(
                rate(self.epochs - epochs),
                rate(self.interactions - interactions)
            )
        )
    }

    pub(super) fn finish(self) {
        if let Some(Screen::Terminal(bar)) = &self.screen {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.epochs = soup.epochs_done;
        self.interactions += tally.interactions;
        let now = Instant::now();
        if let Some(Screen::Terminal(bar)) = &self.screen
            && self.is_due(now, REDRAW_INTERVAL)
        {
            let bar = bar.clone();
            self.shown = Some(now);
            let message = self.status(now);
            bar.set_position(soup.epochs_done);
            bar.set_message(message);
        }
        Next::AsBefore
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        let (row, now) = (point.row, Instant::now());
        let entropy = row.measures.high_order_entropy;
        self.entropy = Some(entropy);
        if self.alive_at.is_none() && row.measures.is_alive() {
            self.alive_at = Some(row.epoch);
            self.say(&format!(
                "alive at epoch {}: high-order entropy {entropy:.3} is above {ALIVE}",
                row.epoch
            ));
        }
        self.replicators = row.replicators.map(|count| count.knierim);
        if self.replicators_at.is_none() && self.replicators > Some(0) {
            self.replicators_at = Some(row.epoch);
            self.say(&format!(
                "replicators at epoch {}: programs that score {KNIERIM_THRESHOLD} or more",
                row.epoch
            ));
        }
        if matches!(self.screen, Some(Screen::Plain)) && self.is_due(now, PLAIN_INTERVAL) {
            self.shown = Some(now);
            let status = self.status(now);
            self.say(&format!(
                "epoch {}/{}  {status}",
                row.epoch, self.max_epochs
            ));
        }
        Next::AsBefore
    }
}

/// What going through a run again shows: how far it is.
pub(super) struct ReplayProgress {
    /// None where nobody wants to see anything.
    screen: Option<Screen>,
    to: u64,
    shown: Instant,
}

impl ReplayProgress {
    pub(super) fn new(quiet: bool, from: u64, to: u64, interrupt: &Interrupt) -> ReplayProgress {
        let screen = match quiet {
            true => None,
            false => Some(Screen::of_epochs(to)),
        };
        if let Some(Screen::Terminal(bar)) = &screen {
            bar.set_position(from);
            interrupt.draws(bar);
        }
        ReplayProgress {
            screen,
            to,
            shown: Instant::now(),
        }
    }

    /// So many epochs are done.
    pub(super) fn see(&mut self, epochs_done: u64) {
        match &self.screen {
            Some(Screen::Terminal(bar)) => bar.set_position(epochs_done),
            Some(Screen::Plain) if self.shown.elapsed() >= PLAIN_INTERVAL => {
                self.shown = Instant::now();
                // Where nobody can read it, the work goes on all the same.
                let _ = writeln!(std::io::stderr(), "epoch {epochs_done}/{}", self.to);
            }
            _ => {}
        }
    }

    pub(super) fn finish(self) {
        if let Some(Screen::Terminal(bar)) = &self.screen {
            bar.finish_and_clear();
        }
    }
}

/// `31.4 epochs/s  2.06 M interactions/s`
pub(super) fn rates(epochs: f64, interactions: f64) -> String {
    let epochs = match epochs {
        rate if rate >= 1000.0 => thousands(rate as usize),
        rate => format!("{rate:.1}"),
    };
    format!(
        "{epochs} epochs/s  {:.2} M interactions/s",
        interactions / 1e6
    )
}
