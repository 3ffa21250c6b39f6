//! What a terminal shows of a run: copies of the newest of everything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch::Receiver;

use crate::language::parse_hex;
use crate::view::frame::Frame;
use crate::view::looker::Looker;
use crate::view::protocol::Plane;
use crate::view::rows::drawn_columns;
use crate::view::scene::Scene;
use crate::view::shared::{Shared, State};

/// A run's rate is that of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(20);

/// One of the commonest programs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Common {
    pub program: Vec<u8>,
    pub count: u64,
    pub share: f64,
    pub score: u64,
    pub class: Option<u8>,
}

/// What is shown.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub frame: Arc<Frame>,
    pub scene: Arc<Scene>,
    pub state: State,
    /// The class of each program.
    pub classes: Arc<Vec<u8>>,
    /// High-order entropy at each log point, with its epoch.
    pub entropy: Vec<(u64, f64)>,
    /// The commonest programs, and how many distinct ones there are.
    pub commonest: Option<(Vec<Common>, u64)>,
    /// Epochs a second of the process that writes the folder; none where nothing is written.
    pub rate: Option<f64>,
}

/// Looks at the newest of everything.
pub(super) struct Eye {
    shared: Arc<Shared>,
    looker: Arc<Looker>,
    census: Receiver<Arc<str>>,
    /// When the run was found to be how far.
    past: VecDeque<(Instant, u64)>,
    seen: Seen,
}

impl Eye {
    pub(super) fn new(shared: Arc<Shared>, looker: Arc<Looker>) -> Eye {
        let seen = Seen {
            frame: Arc::clone(&shared.frames.borrow()),
            scene: Arc::clone(&shared.scene.borrow()),
            state: shared.state.borrow().clone(),
            classes: Arc::default(),
            entropy: Vec::new(),
            commonest: None,
            rate: None,
        };
        Eye {
            census: shared.census.subscribe(),
            shared,
            looker,
            past: VecDeque::new(),
            seen,
        }
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Look again.
    pub(super) fn look(&mut self) {
        self.shared.want_frame();
        let seen = &mut self.seen;
        seen.state = self.shared.state.borrow().clone();
        if let Some((frame, scene)) = self.shared.newest() {
            seen.classes = self.looker.plane(Plane::Class, &frame);
            (seen.frame, seen.scene) = (frame, scene);
        }
        seen.entropy = entropy_of(&self.shared);
        if self.census.has_changed().unwrap_or(false) {
            let message = Arc::clone(&self.census.borrow_and_update());
            seen.commonest = commonest(&message);
        }
        let now = Instant::now();
        if seen.state.known > 0 && self.past.back().is_none_or(|it| it.1 != seen.state.known) {
            self.past.push_back((now, seen.state.known));
        }
        seen.rate = rate(&mut self.past, now);
    }
}

/// Epochs a second, by when the run was found to be how far.
fn rate(past: &mut VecDeque<(Instant, u64)>, now: Instant) -> Option<f64> {
    while past.len() > 2 && now - past[1].0 >= WINDOW {
        past.pop_front();
    }
    let ((then, first), (newest, last)) = (*past.front()?, *past.back()?);
    let is_old = now - newest > 2 * WINDOW;
    let seconds = (newest - then).as_secs_f64();
    (seconds > 0.0 && !is_old).then(|| last.saturating_sub(first) as f64 / seconds)
}

fn entropy_of(shared: &Shared) -> Vec<(u64, f64)> {
    let rows = shared.rows();
    // Of no beginning that there was, so all of them.
    let (_, numbers, _) = rows.since((u64::MAX, 0));
    let columns = drawn_columns();
    let at = columns
        .iter()
        .position(|it| it.name == "high_order_entropy");
    let Some(at) = at else { return Vec::new() };
    let rows = numbers.chunks_exact(columns.len() + 1);
    rows.map(|row| (row[0] as u64, row[at + 1])).collect()
}

/// What a message about the commonest programs says.
fn commonest(message: &str) -> Option<(Vec<Common>, u64)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let listed = message["commonest"].as_array()?.iter().map(|it| {
        Some(Common {
            program: parse_hex(it["hex"].as_str()?).ok()?,
            count: it["count"].as_u64()?,
            share: it["share"].as_f64()?,
            score: it["score"].as_u64()?,
            class: it["class"].as_u64().map(|class| class as u8),
        })
    });
    Some((
        listed.collect::<Option<Vec<Common>>>()?,
        message["distinct"].as_u64()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_late_and_end_with_the_run() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut past = VecDeque::from([(begun, 100)]);
        assert_eq!(rate(&mut past, after(1)), None);
        past.push_back((after(10), 200));
        assert_eq!(rate(&mut past, after(10)), Some(10.0));
        past.push_back((after(40), 800));
        assert_eq!(rate(&mut past, after(41)), Some(20.0));
        assert_eq!(rate(&mut past, after(100)), None);
        assert_eq!(rate(&mut VecDeque::new(), begun), None);
    }

    #[test]
    fn messages_about_common_programs_are_read() {
        let message = r#"{"distinct": 9, "commonest": [{"hex": "5b5d", "count": 3, "share": 0.5,
                         "score": 64, "class": null}]}"#;
        let (listed, distinct) = commonest(message).unwrap();
        assert_eq!((distinct, listed[0].class), (9, None));
        assert_eq!((&listed[0].program[..], listed[0].count), (&b"[]"[..], 3));
        for other in ["", "{}", "[]", r#"{"commonest": [{}], "distinct": 1}"#] {
            assert_eq!(commonest(other), None, "{other}");
        }
    }
}
