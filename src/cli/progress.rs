//! What a command shows while it works: a moving line on a terminal, else a plain line now and
//! then.

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

/// The moving line of a terminal. It is put together of parts, of which those that do not fit
/// are left out.
#[derive(Clone)]
pub(super) struct MovingLine {
    bar: ProgressBar,
}

impl MovingLine {
    /// A line on standard error, where that is a terminal.
    pub(super) fn on_terminal() -> Option<MovingLine> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Some(MovingLine { bar })
    }

    /// Show which share of the work is done, if that is known, and these parts, the most
    /// important first.
    pub(super) fn show(&self, share: Option<f64>, parts: &[String]) {
        let size = terminal_size::terminal_size_of(std::io::stderr());
        let width = size.map_or(80, |(width, _)| usize::from(width.0));
        self.bar.set_message(fitted(width, share, parts));
        self.bar.tick();
    }

    /// Write around the line.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Have what is said of an interruption go above the line.
    pub(super) fn leaves_room_for(&self, interrupt: &Interrupt) {
        interrupt.draws(&self.bar);
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether standard error takes colours, as NO_COLOR and the like say.
pub(super) fn is_coloured() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// The style of a line with a bar, and `rest` behind it.
pub(super) fn bar_style(rest: &str) -> ProgressStyle {
    let bar = if is_coloured() {
        "{bar:20.cyan/dim}"
    } else {
        "{bar:20}"
    };
    let style = ProgressStyle::with_template(&format!("{bar} {rest}"));
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The parts that fit into a line of the terminal, behind a bar where there is room for one.
fn fitted(width: usize, share: Option<f64>, parts: &[String]) -> String {
    const GAP: &str = "  ";
    // In the last column, some terminals wrap.
    let room = width.saturating_sub(1);
    let length = match width {
        0..60 => 0,
        60..100 => 10,
        _ => 20,
    };
    let mut line = String::new();
    let mut taken = 0;
    if let Some(share) = share.filter(|_| length > 0) {
        let full = ((share.clamp(0.0, 1.0) * length as f64) as usize).min(length);
        let (full, rest) = ("█".repeat(full), "░".repeat(length - full));
        line = format!("\x1b[36m{full}\x1b[2m{rest}\x1b[0m");
        if !is_coloured() {
            line = anstream::adapter::strip_str(&line).to_string();
        }
        taken = length;
    }
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let gap = if taken == 0 { "" } else { GAP };
        let needed = gap.len() + part.chars().count();
        if taken + needed > room {
            break;
        }
        line += gap;
        line += part;
        taken += needed;
    }
    line
}

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
    Terminal(MovingLine),
    Plain,
}

impl Screen {
    /// None where nobody wants to see anything.
    fn new(quiet: bool) -> Option<Screen> {
        if quiet {
            return None;
        }
        Some(MovingLine::on_terminal().map_or(Screen::Plain, Screen::Terminal))
    }
}

impl Progress {
    pub(super) fn new(quiet: bool, run: &Run) -> Progress {
        let (epochs_done, max_epochs) = (run.soup().epochs_done(), run.plan().max_epochs);
        Progress {
            screen: Screen::new(quiet),
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
        if let Some(Screen::Terminal(line)) = &self.screen {
            line.leaves_room_for(interrupt);
        }
    }

    /// A line that stays. Where nobody can read it, the run continues all the same.
    pub(super) fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{}", printable(line));
        };
        match &self.screen {
            Some(Screen::Terminal(line)) => line.suspend(write),
            Some(Screen::Plain) => write(),
            None => {}
        }
    }

    /// Whether it is time to show how far the run is.
    fn is_due(&self, now: Instant, interval: Duration) -> bool {
        self.shown.is_none_or(|shown| now - shown >= interval)
    }

    /// Epochs and interactions per second, of late.
    fn rates(&mut self, now: Instant) -> [f64; 2] {
        self.past.push_back((now, self.epochs, self.interactions));
        while self.past.len() > 2 && now - self.past[1].0 >= WINDOW {
            self.past.pop_front();
        }
        let (then, epochs, interactions) = self.past[0];
        let seconds = (now - then).as_secs_f64().max(1e-9);
        [self.epochs - epochs, self.interactions - interactions].map(|it| it as f64 / seconds)
    }

    /// Entropy, and whether the soup lives.
    fn life(&self) -> [String; 2] {
        let entropy = self
            .entropy
            .map(|entropy| format!("entropy {}", thousandths(entropy)));
        let life = match (self.alive_at, self.entropy) {
            (Some(epoch), _) => format!("alive since {epoch}"),
            (None, Some(_)) => "not alive".into(),
            (None, None) => "not measured yet".into(),
        };
        [entropy.unwrap_or_default(), life]
    }

    fn replicators(&self) -> String {
        self.replicators.map_or(String::new(), |count| {
            format!("{} replicators", thousands(count as usize))
        })
    }

    /// The parts of the moving line, the most important first.
    fn parts(&mut self, now: Instant) -> [String; 7] {
        let [epochs, interactions] = self.rates(now);
        let [entropy, life] = self.life();
        let [first, second] = if self.alive_at.is_some() {
            [life, entropy]
        } else {
            [entropy, life]
        };
        let left = self.max_epochs.saturating_sub(self.epochs) as f64 / epochs;
        let left = Duration::try_from_secs_f64(left).ok();
        [
            format!("{}/{} epochs", self.epochs, self.max_epochs),
            first,
            second,
            self.replicators(),
            epochs_per_second(epochs),
            left.map_or(String::new(), |left| format!("{} left", duration(left))),
            interactions_per_second(interactions),
        ]
    }

    /// What a plain line says besides the epoch.
    fn status(&mut self, now: Instant) -> String {
        let [epochs, interactions] = self.rates(now);
        let [entropy, life] = self.life();
        let parts = [
            rates(epochs, interactions),
            entropy,
            life,
            self.replicators(),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("  ")
    }

    pub(super) fn finish(self) {
        if let Some(Screen::Terminal(line)) = &self.screen {
            line.clear();
        }
    }
}

impl Observer for Progress {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.epochs = soup.epochs_done;
        self.interactions += tally.interactions;
        let now = Instant::now();
        if let Some(Screen::Terminal(line)) = &self.screen
            && self.is_due(now, REDRAW_INTERVAL)
        {
            let line = line.clone();
            self.shown = Some(now);
            let share = self.epochs as f64 / self.max_epochs.max(1) as f64;
            line.show(Some(share), &self.parts(now));
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

/// What recomputing a run shows: how far it is, phase by phase. Within a phase it never goes
/// back.
pub(super) struct ReplayProgress {
    screen: Option<Screen>,
    phase: &'static str,
    /// When the phase began, and how many epochs were done then.
    begun: (Instant, u64),
    done: u64,
    all: u64,
    /// Programs of the soup there that are scored.
    scored: usize,
    shown: Option<Instant>,
    /// What the last plain line said, which is not said twice.
    said: Option<(&'static str, u64, usize)>,
}

impl ReplayProgress {
    /// Of the epochs from `from` to `to`.
    pub(super) fn new(quiet: bool, from: u64, to: u64, interrupt: &Interrupt) -> ReplayProgress {
        let screen = Screen::new(quiet);
        if let Some(Screen::Terminal(line)) = &screen {
            line.leaves_room_for(interrupt);
        }
        ReplayProgress {
            screen,
            phase: "recomputing",
            begun: (Instant::now(), from),
            done: from,
            all: to,
            scored: 0,
            shown: Some(Instant::now()),
            said: None,
        }
    }

    /// A new phase begins, of so many epochs.
    pub(super) fn begin(&mut self, phase: &'static str, all: u64) {
        (self.phase, self.done, self.all, self.scored) = (phase, 0, all, 0);
        self.begun = (Instant::now(), 0);
        if matches!(self.screen, Some(Screen::Terminal(_))) {
            self.shown = None;
        }
        self.show();
    }

    /// The phase has come to this epoch.
    pub(super) fn see(&mut self, epochs_done: u64) {
        self.done = self.done.max(epochs_done);
        self.scored = 0;
        self.all = self.all.max(self.done);
        self.show();
    }

    /// So many programs of the soup there are scored.
    pub(super) fn see_scored(&mut self, programs: usize) {
        self.scored = programs;
        self.show();
    }

    /// One more epoch of the phase is done, whichever it is.
    pub(super) fn count(&mut self) {
        self.see(self.done + 1);
    }

    /// How long the rest of the phase takes, if it goes on as it has.
    fn left(&self) -> Option<String> {
        let (begun, first) = self.begun;
        let done = self.done.checked_sub(first).filter(|done| *done > 0)?;
        let seconds = begun.elapsed().as_secs_f64() / done as f64;
        let epochs_left = self.all.saturating_sub(self.done);
        let left = Duration::try_from_secs_f64(seconds * epochs_left as f64).ok()?;
        (epochs_left > 0).then(|| format!("{} left", duration(left)))
    }

    fn show(&mut self) {
        let (phase, done, all) = (self.phase, self.done, self.all);
        let interval = match &self.screen {
            Some(Screen::Terminal(_)) => REDRAW_INTERVAL,
            _ => PLAIN_INTERVAL,
        };
        if self.shown.is_some_and(|shown| shown.elapsed() < interval) {
            return;
        }
        self.shown = Some(Instant::now());
        let scored = match self.scored {
            0 => String::new(),
            scored => format!("{} programs scored there", thousands(scored)),
        };
        let left = self.left().unwrap_or_default();
        match &self.screen {
            Some(Screen::Terminal(line)) => {
                let share = done as f64 / all.max(1) as f64;
                line.show(
                    Some(share),
                    &[format!("{done}/{all} epochs"), phase.into(), scored, left],
                );
            }
            // Where nobody can read it, the work continues all the same.
            Some(Screen::Plain) => {
                let said = (phase, done, self.scored);
                if self.said == Some(said) {
                    return;
                }
                self.said = Some(said);
                let scored = match scored.as_str() {
                    "" => String::new(),
                    scored => format!(", {scored}"),
                };
                let left = match left.as_str() {
                    "" => String::new(),
                    left => format!(", {left}"),
                };
                let _ = writeln!(
                    std::io::stderr(),
                    "{phase}: epoch {done}/{all}{scored}{left}"
                );
            }
            None => {}
        }
    }

    pub(super) fn finish(self) {
        if let Some(Screen::Terminal(line)) = &self.screen {
            line.clear();
        }
    }
}

/// A time in the two units that say most.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A number with three decimals; what rounds to 0 has no sign.
pub(super) fn thousandths(number: f32) -> String {
    let text = format!("{number:.3}");
    match text.as_str() {
        "-0.000" => "0.000".into(),
        _ => text,
    }
}

/// `31.4 epochs/s`
fn epochs_per_second(rate: f64) -> String {
    if rate >= 1000.0 {
        format!("{} epochs/s", thousands(rate as usize))
    } else {
        format!("{rate:.1} epochs/s")
    }
}

/// `2.06 M interactions/s`
fn interactions_per_second(rate: f64) -> String {
    format!("{:.2} M interactions/s", rate / 1e6)
}

/// `31.4 epochs/s  2.06 M interactions/s`
pub(super) fn rates(epochs: f64, interactions: f64) -> String {
    let (epochs, interactions) = (
        epochs_per_second(epochs),
        interactions_per_second(interactions),
    );
    format!("{epochs}  {interactions}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal of this width shows, without colours.
    fn line(width: usize) -> String {
        let parts = [
            "369/1100 epochs",
            "entropy 0.320",
            "not alive",
            "",
            "178.9 epochs/s",
            "4.1 s left",
            "11.73 M interactions/s",
        ];
        let parts = parts.map(String::from);
        let line = fitted(width, Some(0.335), &parts);
        anstream::adapter::strip_str(&line).to_string()
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        assert_eq!(line(40), "369/1100 epochs  entropy 0.320");
        assert_eq!(
            line(80),
            "███░░░░░░░  369/1100 epochs  entropy 0.320  not alive  178.9 epochs/s"
        );
        assert_eq!(
            line(100),
            "██████░░░░░░░░░░░░░░  369/1100 epochs  entropy 0.320  not alive  178.9 epochs/s  \
             4.1 s left"
        );
        for width in 0..140 {
            assert!(line(width).chars().count() < width.max(1), "{width}");
        }
    }

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        for (number, text) in [(-0.0001, "0.000"), (-0.0006, "-0.001"), (3.3476, "3.348")] {
            assert_eq!(thousandths(number), text);
        }
    }

    #[test]
    fn a_phase_never_goes_back() {
        let mut progress = ReplayProgress {
            screen: None,
            phase: "recomputing",
            begun: (Instant::now(), 0),
            done: 0,
            all: 10,
            scored: 0,
            shown: None,
            said: None,
        };
        for epoch in [1, 5, 2, 7] {
            let before = progress.done;
            progress.see(epoch);
            assert!(progress.done >= before);
        }
        progress.begin("tracing back", 2);
        for _ in 0..3 {
            progress.count();
        }
        assert_eq!((progress.done, progress.all), (3, 3));
        assert_eq!(progress.left(), None);
        progress.all = 6;
        assert!(progress.left().is_some_and(|left| left.ends_with(" left")));
    }
}
