//! What the soup's thread and the server share. The newest of everything is there for whoever
//! looks; nobody waits for anybody who does not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::frame::Frame;
use super::history::History;
use super::protocol::Command;
use super::rows::Rows;
use super::scene::Scene;

/// A command of a page, and where answers go.
#[derive(Debug)]
pub(super) struct Order {
    pub command: Command,
    pub reply: UnboundedSender<String>,
}

impl Order {
    /// Tell the page that asked; it may be gone.
    pub(super) fn tell(&self, level: &str, text: &str) {
        let notice = json!({"type": "notice", "level": level, "text": text});
        let _ = self.reply.send(notice.to_string());
    }
}

/// What keeps the soup from being where it was asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    /// In a word or two.
    pub what: &'static str,
    /// Epochs done where it began.
    pub from: u64,
    /// Epochs done where it will be over.
    pub to: u64,
    /// How far it is, between both.
    pub now: u64,
}

/// What the soup is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub generation: u32,
    pub epoch: u64,
    /// The highest epoch that the past reaches to.
    pub known: u64,
    pub playing: bool,
    pub busy: Option<Busy>,
    /// Epochs a second, of late.
    pub rate: f64,
    pub interactions_rate: f64,
    /// The most epochs a second, where there is a limit.
    pub limit: Option<f64>,
    pub alive_at: Option<u64>,
    pub replicators_at: Option<u64>,
    /// Whether newer checkpoints of a run folder are shown as they come.
    pub following: bool,
    /// Why it does not go on by itself, where that is worth a word.
    pub ended: Option<String>,
}

impl State {
    /// The message that tells a page of it.
    pub(super) fn message(&self) -> String {
        self.to_json().to_string()
    }

    pub(super) fn to_json(&self) -> Value {
        let busy = self
            .busy
            .map(|it| json!({"what": it.what, "from": it.from, "to": it.to, "now": it.now}));
        json!({
            "type": "state",
            "generation": self.generation,
            "epoch": self.epoch,
            "known": self.known,
            "playing": self.playing,
            "busy": busy,
            "rate": self.rate,
            "interactions_rate": self.interactions_rate,
            "limit": self.limit,
            "alive_at": self.alive_at,
            "replicators_at": self.replicators_at,
            "following": self.following,
            "ended": self.ended,
        })
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Shared {
    pub frames: watch::Sender<Arc<Frame>>,
    /// Whether anybody waits for a newer frame.
    wanted: AtomicBool,
    pub scene: watch::Sender<Arc<Scene>>,
    pub state: watch::Sender<State>,
    rows: Mutex<Rows>,
    /// Counts up with each change of the rows.
    pub rows_changed: watch::Sender<u64>,
    /// The commonest programs and the families, as a message; empty where there are none yet.
    pub census: watch::Sender<Arc<str>>,
    history: Mutex<History>,
    orders: Sender<Order>,
}

impl Shared {
    /// Of this soup, and the commands of its pages.
    pub(super) fn new(scene: Scene, history: History) -> (Arc<Shared>, Receiver<Order>) {
        let (orders, inbox) = mpsc::channel();
        let shared = Shared {
            frames: watch::Sender::new(Arc::new(Frame::empty())),
            wanted: AtomicBool::new(false),
            state: watch::Sender::new(State {
                generation: scene.generation,
                ..State::default()
            }),
            scene: watch::Sender::new(Arc::new(scene)),
            rows: Mutex::default(),
            rows_changed: watch::Sender::new(0),
            census: watch::Sender::new("".into()),
            history: Mutex::new(history),
            orders,
        };
        (Arc::new(shared), inbox)
    }

    /// Say that somebody waits for a newer frame.
    pub(super) fn want_frame(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody does.
    pub(super) fn is_frame_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Show a frame to all who wait.
    pub(super) fn show(&self, frame: Arc<Frame>) {
        self.wanted.store(false, Ordering::Relaxed);
        self.frames.send_replace(frame);
    }

    /// Hand a command to the soup's thread; it may be gone.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// The rows, for a look or a change.
    pub(super) fn rows(&self) -> MutexGuard<'_, Rows> {
        lock(&self.rows)
    }

    /// Change the rows, and tell all who wait.
    pub(super) fn change_rows(&self, change: impl FnOnce(&mut Rows)) {
        change(&mut lock(&self.rows));
        self.rows_changed.send_modify(|version| *version += 1);
    }

    /// The past, for a look or a change.
    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    /// Change the state, and tell all who wait where it is another.
    pub(super) fn change_state(&self, change: impl FnOnce(&mut State)) {
        self.state.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            *state != before
        });
    }

    /// The soup as the newest frame has it, with its scene, where both are of the same soup.
    pub(super) fn newest(&self) -> Option<(Arc<Frame>, Arc<Scene>)> {
        let frame = Arc::clone(&self.frames.borrow());
        let scene = Arc::clone(&self.scene.borrow());
        (frame.id > 0 && frame.program_len == scene.settings.language.program_len)
            .then_some((frame, scene))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
