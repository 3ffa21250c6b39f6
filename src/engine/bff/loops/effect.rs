//! What an iteration comes to, all told.
//!
//! Replicators copy in clumsy ways: a byte twice, or there and back, or a count that a copy then
//! writes over. [`Effect::of`] follows the bytes through the writes of an iteration, each from
//! where it was at the start. What is left is a list of assignments, all of which read the tape
//! as it is at the start of the iteration; a loop with a single one that copies is run by the
//! closed form of copies.
//!
//! An effect is that of the writes as long as
//!
//! - no place by head 0 is one by head 1 in the same iteration, or in the one before it, which
//!   depends on how far the heads are apart,
//! - no byte that an iteration writes for a while only is part of the loop: it might be run, and
//! - an iteration comes before, if it [leaves out](Effect::leans_back) what that one has done.
//!
//! [`Guard`] tells how many iterations that holds for. Ops and steps are those of the loop.

use std::fmt::{self, Display, Formatter};

use super::copy::Copy;
use super::{Loop, MAX_WRITES, Write};
use crate::engine::bff::registers::Registers;
use crate::language::TAPE_LEN;

/// A place, counted from where one of the heads is at the start of an iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    head: u8,
    offset: i8,
}

impl Place {
    /// The place that the next iteration knows as this one.
    #[inline(always)]
    fn next(self, moves: [usize; 2]) -> Place {
        let offset = self
            .offset
            .wrapping_add(moves[usize::from(self.head % 2)] as i8);
        // Modulo 128, as moves are.
        Place {
            offset: offset << 1 >> 1,
            ..self
        }
    }
}

/// `to` becomes what was at `from` at the start of the iteration, plus something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Assignment {
    to: Place,
    from: Place,
    add: u8,
    /// The first write to that place and, if that wrote something else, the last; the same if
    /// not.
    writes: [u8; 2],
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => write!(f, "h{}", self.head),
            offset => write!(f, "h{}{offset:+}", self.head),
        }
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.to)?;
        } else {
            write!(f, "{}→{}", self.from, self.to)?;
        }
        match self.add as i8 {
            0 => Ok(()),
            add => write!(f, " by {add:+}"),
        }
    }
}

impl Assignment {
    /// Whether the place holds something else for a while.
    fn is_late(&self) -> bool {
        self.writes[0] < self.writes[1]
    }
}

/// What an iteration does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    assignments: [Assignment; MAX_WRITES],
    num: usize,
    /// The iterations for which it is that.
    pub(super) guard: Guard,
}

/// Consecutive numbers modulo 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u8,
    len: u8,
}

impl Span {
    /// From `low` to `high`, both within.
    fn new(low: i32, high: i32) -> Span {
        Span {
            start: (low & 127) as u8,
            len: (high - low + 1).clamp(0, 128) as u8,
        }
    }

    /// Of the numbers from `at` on, each by `step`, which is not 0, more than the last: how many
    /// come before one that is within. One less is fine.
    #[inline(always)]
    fn numbers_before(self, at: usize, step: i32) -> usize {
        let (len, from_start) = (
            usize::from(self.len),
            at.wrapping_sub(usize::from(self.start)) % TAPE_LEN,
        );
        if from_start < len {
            0
        } else if step > 0 {
            (TAPE_LEN - from_start).div_ceil(step as usize)
        } else {
            (from_start - len) / -step as usize + 1
        }
    }
}

/// When an [`Effect`] is that of the loop's writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    /// What head 1 must not be ahead of head 0 by.
    near: Span,
    /// By how much more it is after each iteration.
    parting: i32,
    /// The places, counted from each head, that hold something else for a while: from behind the
    /// first of these writes up to the second.
    in_between: [Span; 2],
    between: [u8; 2],
    strides: [i32; 2],
    /// Whether what an iteration leaves out must have been done by the one before.
    pub(super) leans_back: bool,
    /// Whether no iteration makes a null where none was.
    pub(super) only_copies: bool,
    /// Whether what is at head 0 when an iteration starts is written over and never read.
    pub(super) ignores_head0: bool,
}

/// The lowest and the highest of some offsets.
#[derive(Clone, Copy)]
struct Range {
    low: i32,
    high: i32,
}

impl Range {
    const EMPTY: Range = Range {
        low: i32::MAX,
        high: i32::MIN,
    };

    fn add(&mut self, offset: i8) {
        self.low = self.low.min(offset.into());
        self.high = self.high.max(offset.into());
    }

    fn is_empty(self) -> bool {
        self.low > self.high
    }

    fn span(self) -> Span {
        if self.is_empty() {
            Span::default()
        } else {
            Span::new(self.low, self.high)
        }
    }
}

impl Effect {
    /// What `writes` come to where both heads move by one an iteration; `None` where they move
    /// otherwise.
    #[inline(never)]
    pub(super) fn of(writes: &[Write], move0: usize, move1: usize) -> Option<Effect> {
        let stride = |by: usize| match by {
            1 => Some(1),
            127 => Some(-1),
            _ => None,
        };
        let strides = [stride(move0)?, stride(move1)?];
        let mut effect = Effect {
            assignments: [Assignment::default(); MAX_WRITES],
            num: 0,
            guard: Guard {
                near: Span::default(),
                parting: strides[1] - strides[0],
                in_between: [Span::default(); 2],
                between: [u8::MAX, 0],
                strides,
                leans_back: false,
                only_copies: true,
                ignores_head0: false,
            },
        };
        let mut touched = [Range::EMPTY; 2];
        for (index, write) in writes.iter().enumerate() {
            let place = |head: u8| Place {
                head,
                offset: write.moved[usize::from(head % 2)] as i8,
            };
            let (from, to) = (place(write.from), place(write.to));
            for Place { head, offset } in [from, to] {
                touched[usize::from(head % 2)].add(offset);
            }
            effect.guard.only_copies &= write.add == 0;
            effect.assign(from, to, write.add, index as u8);
        }
        let mut in_between = [Range::EMPTY; 2];
        let [mut first, mut last] = effect.guard.between;
        for assignment in effect.assignments().iter().filter(|one| one.is_late()) {
            let Place { head, offset } = assignment.to;
            in_between[usize::from(head % 2)].add(offset);
            first = first.min(assignment.writes[0]);
            last = last.max(assignment.writes[1]);
        }
        effect.guard.in_between = in_between.map(Range::span);
        effect.guard.between = [first, last];
        let at_head0 = Place::default();
        let mut all = effect.assignments().iter();
        effect.guard.ignores_head0 =
            all.clone().any(|one| one.to == at_head0) && all.all(|one| one.from != at_head0);
        effect.leave_out([move0, move1]);
        effect.guard.near = effect.near(touched)?;
        Some(effect)
    }

    /// Follow a write.
    #[inline(always)]
    fn assign(&mut self, from: Place, to: Place, add: u8, write: u8) {
        let find = |place: Place| {
            let all = &self.assignments[..self.num];
            all.iter().position(|assignment| assignment.to == place)
        };
        let (from, added) = match find(from) {
            Some(index) => (self.assignments[index].from, self.assignments[index].add),
            None => (from, 0),
        };
        let add = add.wrapping_add(added);
        match find(to) {
            Some(index) => {
                let old = &mut self.assignments[index];
                if (old.from, old.add) != (from, add) {
                    (old.from, old.add, old.writes[1]) = (from, add, write);
                }
            }
            // A byte that is written to where it is.
            None if (from, add) == (to, 0) => {}
            None => {
                self.assignments[self.num] = Assignment {
                    to,
                    from,
                    add,
                    writes: [write; 2],
                };
                self.num += 1;
            }
        }
    }

    /// Leave out what changes nothing, and what the iteration before has done already.
    #[inline(always)]
    fn leave_out(&mut self, moves: [usize; 2]) {
        let all = self.assignments;
        let num = std::mem::take(&mut self.num);
        let all = &all[..num];
        for one in all {
            if (one.from, one.add) == (one.to, 0) {
                continue;
            }
            let [to, from] = [one.to, one.from].map(|place| place.next(moves));
            // The iteration before has copied from one of the two to the other, and left that one
            // as it was.
            let is_written = |place| all.iter().any(|other| other.to == place);
            let is_copied = |from, to| {
                let mut copies = all.iter().filter(|other| other.add == 0);
                copies.any(|other| (other.from, other.to) == (from, to)) && !is_written(from)
            };
            let is_done = one.add == 0 && (is_copied(from, to) || is_copied(to, from));
            if is_done {
                self.guard.leans_back = true;
            } else {
                self.assignments[self.num] = *one;
                self.num += 1;
            }
        }
    }

    /// The distances of the heads at which places by one are places by the other.
    #[inline(always)]
    fn near(&self, [by0, by1]: [Range; 2]) -> Option<Span> {
        if by0.is_empty() || by1.is_empty() {
            return Some(Span::default());
        }
        // Where two places copied from one to the other are the same, nothing happens.
        let is_pair = by0.low == by0.high && by1.low == by1.high;
        if is_pair && self.guard.only_copies {
            return Some(Span::default());
        }
        let margin = self.guard.parting.abs();
        let near = Span::new(by0.low - by1.high - margin, by0.high - by1.low + margin);
        (usize::from(near.len) < TAPE_LEN).then_some(near)
    }

    /// The assignments, which all read before any writes.
    #[inline(always)]
    pub(super) fn assignments(&self) -> &[Assignment] {
        &self.assignments[..self.num]
    }

    /// The only thing it does, if that is to copy a byte from one head to the other.
    #[inline(always)]
    pub(super) fn copy(&self) -> Option<Copy> {
        let [only] = self.assignments() else {
            return None;
        };
        let mut heads = [0; 2];
        heads[usize::from(only.from.head % 2)] = only.from.offset as usize % TAPE_LEN;
        heads[usize::from(only.to.head % 2)] = only.to.offset as usize % TAPE_LEN;
        let is_copy = only.from.head != only.to.head && only.add == 0;
        is_copy.then(|| Copy::new(only.to.head == 1, heads, self.guard.strides))
    }
}

/// The copies that iterations seen lately come to, by their writes: finding out takes longer than
/// many a loop.
#[derive(Clone)]
pub(crate) struct SeenLoops {
    seen: [Seen; SeenLoops::LEN],
}

/// What the writes of an iteration and the moves of its heads come to.
#[derive(Clone, Copy)]
struct Seen {
    writes: [u32; MAX_WRITES],
    num_writes: usize,
    moves: [usize; 2],
    copy: Option<(Copy, Guard)>,
}

impl SeenLoops {
    const LEN: usize = 64;

    /// Nothing has been seen yet.
    pub(crate) const NONE: SeenLoops = SeenLoops {
        seen: [Seen {
            writes: [0; MAX_WRITES],
            num_writes: 0,
            moves: [0; 2],
            copy: None,
        }; SeenLoops::LEN],
    };

    /// The copy that these writes, and moves of the heads, come to, if they do.
    #[inline(always)]
    pub(super) fn copy(
        &mut self,
        writes: &[Write],
        move0: usize,
        move1: usize,
    ) -> Option<&(Copy, Guard)> {
        let is_one = |by: usize| by == 1 || by == TAPE_LEN - 1;
        if !is_one(move0) || !is_one(move1) {
            return None;
        }
        let mut keys = [0; MAX_WRITES];
        let mut hash = (move0 ^ move1 << 7) as u32;
        for (key, write) in keys.iter_mut().zip(writes) {
            let [moved0, moved1] = write.moved;
            *key = u32::from_le_bytes([moved0, moved1, write.from | write.to << 1, write.add]);
            hash = (hash ^ *key).wrapping_mul(0x9e37_79b1).rotate_left(15);
        }
        let seen = &mut self.seen[hash as usize % SeenLoops::LEN];
        let moves = [move0, move1];
        let is_same = seen.num_writes == writes.len()
            && seen.moves == moves
            && seen.writes[..writes.len()] == keys[..writes.len()];
        if !is_same {
            *seen = Seen {
                writes: keys,
                num_writes: writes.len(),
                moves,
                copy: Effect::of(writes, move0, move1)
                    .and_then(|effect| Some((effect.copy()?, effect.guard))),
            };
        }
        seen.copy.as_ref()
    }
}

impl Guard {
    /// Whether a place counted from head 0 is where that is before an iteration, or after it.
    #[inline(always)]
    pub(super) fn starts_or_ends_at(&self, place: usize) -> bool {
        place == 0 || place == self.strides[0] as usize % TAPE_LEN
    }

    /// The iterations of `looped` from here on that do nothing but its effect, at most `left`.
    #[inline(always)]
    pub(super) fn iterations(&self, looped: &Loop<'_>, at: &Registers, left: u32) -> u32 {
        let mut iterations = left as usize;
        if self.near.len > 0 {
            let apart = at.head1.wrapping_sub(at.head0) % TAPE_LEN;
            let far = match self.parting {
                0 => match self.near.numbers_before(apart, 1) {
                    0 => 0,
                    _ => usize::MAX,
                },
                parting => self.near.numbers_before(apart, parting),
            };
            iterations = iterations.min(far);
        }
        // What is run while a place holds something else.
        let [first, end] = self.between.map(|write| {
            let write = looped.writes[usize::from(write) % MAX_WRITES];
            looped.base + usize::from(write.at) + 1
        });
        let heads = [at.head0, at.head1].into_iter().zip(self.strides);
        for ((head, stride), places) in heads.zip(self.in_between) {
            if places.len > 0 {
                // Where the first of the places must not be.
                let len = usize::from(places.len);
                let own = Span {
                    start: (first.wrapping_sub(len - 1) % TAPE_LEN) as u8,
                    len: (end - first + len - 1).min(TAPE_LEN) as u8,
                };
                let place = head + usize::from(places.start);
                iterations = iterations.min(own.numbers_before(place, stride));
            }
        }
        iterations as u32
    }
}
