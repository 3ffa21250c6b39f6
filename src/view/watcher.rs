//! Watches a soup while it runs: shows frames to those who wait for them, tells how far it is, and
//! does what pages ask.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use super::frame::Camera;
use super::protocol::Command;
use super::rows::Rows;
use super::shared::{Order, Shared};
use crate::measure::column::View;
use crate::run::{LogPoint, Next, Observer};
use crate::soup::Tally;

/// Frames follow each other no faster.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// The state is told no more often.
const STATE_INTERVAL: Duration = Duration::from_millis(100);
/// Rates are those of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(2);
/// While the soup waits for its next epoch, commands are looked for this often.
const NAP: Duration = Duration::from_millis(4);

/// An observer that shows a run to pages in browsers, which can pause and step it.
#[derive(Debug)]
pub struct Watcher {
    pub(super) shared: Arc<Shared>,
    orders: Receiver<Order>,
    camera: Camera,
    /// Commands that need the soup itself, for whoever owns it.
    pub(super) pending: VecDeque<Order>,
    /// Whether the soup is its run's own, which can be paused and stepped only.
    is_of_run: bool,
    limit: Option<f64>,
    next_epoch: Instant,
    last_frame: Option<Instant>,
    last_state: Option<Instant>,
    /// (time, epochs, interactions) of the last seconds.
    past: VecDeque<(Instant, u64, u64)>,
    epochs: u64,
    interactions: u64,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, orders: Receiver<Order>, is_of_run: bool) -> Watcher {
        Watcher {
            shared,
            orders,
            camera: Camera::default(),
            pending: VecDeque::new(),
            is_of_run,
            limit: None,
            next_epoch: Instant::now(),
            last_frame: None,
            last_state: None,
            past: VecDeque::new(),
            epochs: 0,
            interactions: 0,
        }
    }

    /// Show the soup as it stands.
    pub(super) fn show(&mut self, soup: View<'_>) {
        self.last_frame = Some(Instant::now());
        let generation = self.shared.state.borrow().generation;
        let len = soup.language.program_len;
        let frame = self
            .camera
            .take(soup.programs, len, soup.epochs_done, generation);
        self.shared.show(frame);
    }

    /// Show the soup as it stands if anybody waits for it, and it is not shown already.
    pub(super) fn show_if_wanted(&mut self, soup: View<'_>) {
        let is_early = |last: Instant| last.elapsed() < FRAME_INTERVAL;
        if !self.shared.is_frame_wanted() || self.last_frame.is_some_and(is_early) {
            return;
        }
        let (epoch, generation) = (soup.epochs_done, self.shared.state.borrow().generation);
        let is_shown = {
            let frame = self.shared.frames.borrow();
            frame.id > 0 && (frame.epoch, frame.generation) == (epoch, generation)
        };
        if !is_shown {
            self.show(soup);
        }
    }

    /// Tell how far the soup is; not too often, unless it is to be `now`.
    pub(super) fn tell(&mut self, epoch: u64, now: bool) {
        let time = Instant::now();
        let is_early = |last: Instant| time - last < STATE_INTERVAL;
        if !now && self.last_state.is_some_and(is_early) {
            return;
        }
        self.last_state = Some(time);
        self.past.push_back((time, self.epochs, self.interactions));
        while self.past.len() > 2 && time - self.past[1].0 >= WINDOW {
            self.past.pop_front();
        }
        let (then, epochs, interactions) = self.past[0];
        let seconds = (time - then).as_secs_f64();
        let rate = |count: u64| {
            if seconds > 0.0 {
                (count as f64 / seconds * 10.0).round() / 10.0
            } else {
                0.0
            }
        };
        let limit = self.limit;
        let rates = (
            rate(self.epochs - epochs),
            rate(self.interactions - interactions),
        );
        self.shared.change_state(|state| {
            state.epoch = epoch;
            state.known = state.known.max(epoch);
            state.limit = limit;
            (state.rate, state.interactions_rate) = rates;
        });
    }

    /// The soup stands still from now on, or begins anew: rates are no longer those of before.
    pub(super) fn forget_rates(&mut self) {
        self.past.clear();
        self.next_epoch = Instant::now();
    }

    /// The next command, if there is one by then.
    pub(super) fn wait_for_order(&mut self, time: Duration) -> Option<Order> {
        self.pending
            .pop_front()
            .or_else(|| self.orders.recv_timeout(time).ok())
    }

    /// Whether a page has asked for something meanwhile.
    pub(super) fn has_order(&mut self) -> bool {
        self.pending.extend(self.orders.try_recv());
        !self.pending.is_empty()
    }

    /// Do what pages have asked for meanwhile.
    fn obey(&mut self) -> Next {
        let mut next = Next::AsBefore;
        while let Ok(order) = self.orders.try_recv() {
            if let Command::Speed { rate } = order.command {
                self.set_limit(rate);
                continue;
            }
            if !self.is_of_run {
                self.pending.push_back(order);
                next = Next::End;
                continue;
            }
            let (now, playing) = match order.command {
                Command::Play {} => (Next::Run, true),
                Command::Pause {} => (Next::Pause, false),
                Command::Step { epochs } => (Next::Step(epochs), false),
                _ => {
                    order.tell(
                        "error",
                        "this soup is that of a run that keeps its records: it can be paused and \
                         stepped, and nothing else",
                    );
                    continue;
                }
            };
            next = now;
            self.forget_rates();
            self.shared.change_state(|state| state.playing = playing);
        }
        next
    }

    pub(super) fn set_limit(&mut self, rate: Option<f64>) {
        self.limit = rate;
        self.next_epoch = Instant::now();
        self.shared.change_state(|state| state.limit = rate);
    }

    /// Wait until the next epoch is due, or there is a command.
    fn keep_pace(&mut self) -> Next {
        let Some(rate) = self.limit else {
            return Next::AsBefore;
        };
        // What was missed is not made up for.
        let pace = Duration::from_secs_f64(1.0 / rate);
        self.next_epoch = (self.next_epoch + pace).max(Instant::now() - pace);
        loop {
            let next = self.obey();
            let left = self.next_epoch.saturating_duration_since(Instant::now());
            if left.is_zero() || next != Next::AsBefore || self.limit != Some(rate) {
                return next;
            }
            thread::sleep(left.min(NAP));
        }
    }
}

impl Observer for Watcher {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.epochs += 1;
        self.interactions += tally.interactions;
        self.show_if_wanted(soup);
        self.tell(soup.epochs_done, false);
        match self.obey() {
            Next::AsBefore => self.keep_pace(),
            next => next,
        }
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        let row = point.row;
        self.shared
            .change_rows(|rows| rows.add(&Rows::numbers(row)));
        let is_first = |at: Option<u64>, is_so: bool| {
            let now = is_so.then_some(row.epoch);
            at.map_or(now, |at| Some(now.map_or(at, |now| now.min(at))))
        };
        let replicates = row.replicators.is_some_and(|count| count.knierim > 0);
        self.shared.change_state(|state| {
            state.alive_at = is_first(state.alive_at, row.measures.is_alive());
            state.replicators_at = is_first(state.replicators_at, replicates);
        });
        Next::AsBefore
    }

    fn paused(&mut self, soup: View<'_>) -> Next {
        let told = self.shared.state.borrow().epoch;
        self.tell(soup.epochs_done, told != soup.epochs_done);
        self.shared.change_state(|state| state.playing = false);
        self.show_if_wanted(soup);
        self.obey()
    }
}
