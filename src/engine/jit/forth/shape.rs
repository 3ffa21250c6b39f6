//! The control flow of a Forth unit.

use super::unit::LoopBody;
use crate::language::forth::{Dialect, Op, distance};

/// Where an op leads to, in places of the loop; nothing where that is out of it.
#[derive(Clone, Copy)]
pub(super) enum Next {
    To(Option<usize>),
    /// On, or over the next byte.
    Either(usize, Option<usize>),
}

/// What is known of a loop before it is translated.
pub(super) struct Shape {
    pub bytes: Vec<u8>,
    pub ops: Vec<Op>,
    /// Whether a run may come to a place.
    pub is_reached: Vec<bool>,
    /// Whether a jump back leads to it, as it did on entering.
    pub is_head: Vec<bool>,
    /// Whether it is a join point: a run may come there in more ways than one.
    pub is_join: Vec<bool>,
}

impl Shape {
    pub(super) fn of(dialect: &Dialect, body: &LoopBody) -> Shape {
        let bytes = body.bytes();
        let len = bytes.len();
        let mut shape = Shape {
            ops: bytes.iter().map(|byte| dialect.op(*byte)).collect(),
            bytes,
            is_reached: vec![false; len],
            is_head: vec![false; len],
            is_join: Vec::new(),
        };
        let mut entries = vec![0; len];
        let mut open = vec![0];
        // The function begins there.
        shape.is_head[0] = true;
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut shape.is_reached[place], true) {
                continue;
            }
            for next in shape.followers(place) {
                entries[next] += 1;
                shape.is_head[next] |= next < place;
                open.push(next);
            }
        }
        let entries = shape.is_head.iter().zip(entries);
        let is_join = entries.map(|(is_head, entries)| *is_head || entries > 1);
        shape.is_join = is_join.collect();
        shape
    }

    pub(super) fn next(&self, place: usize) -> Next {
        let len = self.ops.len();
        let distance = usize::from(distance(self.bytes[place]));
        let within = |next: usize| (next < len).then_some(next);
        match self.ops[place] {
            Op::JumpForward => Next::To(within(place + distance)),
            Op::JumpBack => Next::To(place.checked_sub(distance)),
            // The last byte is a jump.
            Op::SkipIf => Next::Either(place + 1, within(place + 2)),
            _ => Next::To(within(place + 1)),
        }
    }

    fn followers(&self, place: usize) -> impl Iterator<Item = usize> + use<> {
        let both = match self.next(place) {
            Next::To(next) => [next, None],
            Next::Either(next, skipped) => [Some(next), skipped],
        };
        both.into_iter().flatten()
    }

    /// The most steps from `place` until the next time that a jump back leads
    /// somewhere or the function is left.
    pub(super) fn reach(&self, place: usize) -> usize {
        let mut reach = vec![0; self.ops.len()];
        for place in (place..self.ops.len()).rev() {
            let ahead = self.followers(place).filter(|next| *next > place);
            reach[place] = 1 + ahead.map(|next| reach[next]).max().unwrap_or(0);
        }
        reach[place]
    }

    /// What the basic block from `place` on does to a stack that is `rise` entries
    /// deeper than where that is counted from: how many entries it needs there, and
    /// how far it rises above that.
    pub(super) fn stack_use(&self, mut place: usize, mut rise: i64) -> (i64, i64) {
        let (mut needs, mut highest) = (0, rise);
        loop {
            let op = self.ops[place];
            needs = needs.max(op.pops() as i64 - rise);
            rise += op.pushes() as i64 - op.pops() as i64;
            highest = highest.max(rise);
            match self.next(place) {
                Next::To(Some(next)) if next > place && !self.is_join[next] => place = next,
                _ => return (needs, highest),
            }
        }
    }
}
