//! The control flow of a BFF unit.

use super::unit::Unit;
use crate::engine::bff::loops::{Loop, SeenLoops};
use crate::engine::bff::script::Script;
use crate::engine::jit::unit::EntryKind;
use crate::engine::simd::Portable;
use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// What is known of a unit before it is translated.
pub(super) struct Shape {
    pub ops: Vec<Op>,
    pub entry: usize,
    /// For each bracket the place behind its partner, where that is in the unit
    /// (its end included).
    pub target: Vec<Option<usize>>,
    /// First and last place of each loop that lies in no other one, from its `[`
    /// to its `]`; loops that overlap count as one.
    pub nests: Vec<(usize, usize)>,
}

impl Shape {
    pub(super) fn of(dialect: &Dialect, unit: &Unit) -> Shape {
        let len = unit.len();
        let ops: Vec<Op> = (0..len).map(|place| unit.skeleton.op(place)).collect();
        let entry = unit.entry(dialect);
        let target = match dialect.brackets() {
            // Of a loop also its `[`, of a program only what is run.
            Brackets::Match if unit.kind == EntryKind::Loop => matched(&ops, 0),
            Brackets::Match => matched(&ops, entry),
            Brackets::Jump(distance) => jumps(&ops, entry, distance),
        };
        let mut shape = Shape {
            ops,
            entry,
            target,
            nests: Vec::new(),
        };
        shape.nests = shape.nests();
        shape
    }

    fn nests(&self) -> Vec<(usize, usize)> {
        let mut loops: Vec<(usize, usize)> = (0..self.ops.len())
            .filter(|place| self.is_loop_end(*place))
            .filter_map(|close| Some((self.target[close]? - 1, close)))
            .collect();
        loops.sort_unstable();
        let mut nests: Vec<(usize, usize)> = Vec::new();
        for (first, last) in loops {
            match nests.last_mut() {
                Some(nest) if first <= nest.1 => nest.1 = nest.1.max(last),
                _ => nests.push((first, last)),
            }
        }
        nests
    }

    /// The nest that `place` is in.
    pub(super) fn nest(&self, place: usize) -> Option<(usize, usize)> {
        let mut nests = self.nests.iter().copied();
        nests.find(|(first, last)| (*first..=*last).contains(&place))
    }

    /// Steps that may be taken from `place` on before they are checked again.
    pub(super) fn reach(&self, place: usize) -> usize {
        let close = (place..self.ops.len()).find(|place| self.is_loop_end(*place));
        close.map_or(self.ops.len(), |close| close + 1) - place
    }

    /// Whether a basic block begins at `place`, where the steps are checked: a jump leads
    /// there, or a loop ends before it.
    pub(super) fn begins_block(&self, place: usize) -> bool {
        place == self.entry
            || self.target.contains(&Some(place))
            || place > 0 && self.is_loop_end(place - 1)
    }

    /// Whether a `]` at `place` jumps back within the unit.
    pub(super) fn is_loop_end(&self, place: usize) -> bool {
        self.ops[place] == Op::Close && self.target[place].is_some()
    }

    /// The loop that the `]` at `close` ends, where it has a closed form.
    pub(super) fn closed_form(
        &self,
        dialect: &'static Dialect,
        close: usize,
    ) -> Option<Loop<'static>> {
        let looped = self.decoded(dialect, close)?;
        looped.has_closed_form().then_some(looped)
    }

    /// The loop that the `]` at `close` ends, where there are no brackets inside.
    pub(super) fn decoded(&self, dialect: &'static Dialect, close: usize) -> Option<Loop<'static>> {
        let first = self.target[close]?;
        let mut tape: Tape = [dialect.byte_of(Op::Noop)?; TAPE_LEN];
        for (byte, op) in tape.iter_mut().zip(&self.ops) {
            *byte = dialect.byte_of(*op)?;
        }
        let mut script = Script::EMPTY;
        script.read_around(Portable, dialect, &tape, first);
        if !script.tells_of(close) {
            return None;
        }
        Loop::decode(
            Portable,
            dialect,
            &script,
            (first, close),
            &mut SeenLoops::NONE.clone(),
        )
    }

    /// Whether there are loops.
    pub(super) fn has_loops(&self) -> bool {
        (0..self.ops.len()).any(|place| self.is_loop_end(place))
    }

    /// Whether anything that is run before `place` writes.
    pub(super) fn writes_before(&self, place: usize) -> bool {
        let writes = |op: &Op| {
            matches!(
                op,
                Op::Increment | Op::Decrement | Op::CopyTo0 | Op::CopyTo1
            )
        };
        self.ops[self.entry..place].iter().any(writes)
    }
}

/// For each bracket from `first` on that has a partner, the place behind that.
fn matched(ops: &[Op], first: usize) -> Vec<Option<usize>> {
    let mut target = vec![None; ops.len()];
    let mut open = Vec::new();
    for place in first..ops.len() {
        match ops[place] {
            Op::Open => open.push(place),
            Op::Close => {
                if let Some(partner) = open.pop() {
                    target[partner] = Some(place + 1);
                    target[place] = Some(partner + 1);
                }
            }
            _ => {}
        }
    }
    target
}

/// The same where brackets jump by `distance`.
fn jumps(ops: &[Op], entry: usize, distance: usize) -> Vec<Option<usize>> {
    let mut target = vec![None; ops.len()];
    for place in entry..ops.len() {
        let to = match ops[place] {
            Op::Open => Some(place + distance + 1),
            Op::Close => place.checked_sub(distance).map(|to| to + 1),
            _ => None,
        };
        target[place] = to.filter(|to| (entry..=ops.len()).contains(to));
    }
    target
}
