//! Copies in a loop of their own, which only makes another byte of each null: `[[,}<]-]`,
//! `[[},>],]`.
//!
//! The inner loop copies to where head 0 is. Once it has found a null, the nest around it makes
//! another byte of that null, jumps back, and the inner loop goes on, to write over that very
//! byte in its next iteration before anything reads it. So a null costs the nest's steps and ops,
//! and changes nothing else.
//!
//! The nest ends where what it makes of a null is null, too. And what it makes of one must not be
//! run: where the null lies in the nest itself, the walk goes on from there.

use super::copy::{BLOCK, Copy};
use super::effect::Guard;
use super::{Form, LEN, Loop, LoopExit};
use crate::engine::bff::registers::Registers;
use crate::engine::bff::script::Script;
use crate::engine::places::{below, range};
use crate::engine::simd::{Track, Vectors};
use crate::language::bff::{Brackets, Class, Dialect};
use crate::language::{TAPE_LEN, Tape};

/// What is around a loop that copies to head 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nest {
    copy: Copy,
    /// Where the loop comes to a copy only for so long.
    guard: Option<Guard>,
    /// Places of its `[` and `]`, counted like those of the loop.
    open: u8,
    close: u8,
    /// Steps and ops from one `]` of the inner loop to behind its `[`.
    steps: u8,
    ops: u8,
    made: Made,
}

/// What a nest makes of a null.
#[derive(Clone, Copy, Debug)]
struct Made {
    /// The byte by head 1 that it is, counted from where that head is then; if not the null.
    from: Option<u8>,
    /// What is added to it.
    add: u8,
    /// Whether neither a null nor what is made of it is a command at any time, whatever is on the
    /// tape.
    is_inert: bool,
}

/// The next iterations of a nest.
struct Ahead<'a> {
    nest: &'a Nest,
    looped: &'a Loop<'a>,
    /// Where they read and where they write.
    source: Track,
    target: Track,
    /// Which of them find a null, of the next 128, and from which of these the walk must go on.
    nulls: u128,
    ends: u128,
    /// How many can be done at once.
    block: usize,
}

impl Made {
    /// What is made of a null from behind the `]` at entry `inner_close` of the script to the next
    /// bracket, and the entry of that, if it is a `]`.
    #[inline(always)]
    fn of(dialect: &Dialect, script: &Script, inner_close: usize) -> Option<(Made, usize)> {
        let is_command = |byte: u8| dialect.class(byte).bits() & Class::COMMAND != 0;
        // A null that is a command, as in bff_selfmove, makes a command of the nest no other, and
        // what is made of it does.
        let mut made = Made {
            from: None,
            add: 0,
            is_inert: !is_command(0),
        };
        let moved = |entry: usize| {
            [
                script.moved0[entry % LEN].wrapping_sub(script.moved0[inner_close % LEN]),
                script.moved1[entry % LEN].wrapping_sub(script.moved1[inner_close % LEN]),
            ]
            .map(|moved| moved % TAPE_LEN as u8)
        };
        let mut events = script.events & below(script.len) as u64 & !1 << inner_close;
        loop {
            if events == 0 {
                return None;
            }
            let event = events.trailing_zeros() as usize % LEN;
            events &= events - 1;
            let [moved0, moved1] = moved(event);
            if script.jumps_at[event] == Class::SET {
                let is_back = (moved0, moved1) == (0, 0);
                let is_null = made.from.is_none() && dialect.is_null(made.add);
                return (is_back && !is_null).then_some((made, event));
            }
            if script.jumps_at[event] != 0 || script.to1 >> event & 1 == 1 || moved0 != 0 {
                return None;
            }
            if script.from1 >> event & 1 == 1 {
                (made.from, made.add) = (Some(moved1), 0);
            }
            made.add = made.add.wrapping_add(script.add[event]);
            // Whatever its other bits.
            made.is_inert &= made.from.is_none() && !is_command(made.add);
        }
    }
}

impl Nest {
    /// The nest around the loop whose body is from entry `start` of the script to
    /// its `]` at entry `end`, if it is one.
    #[inline(always)]
    pub(super) fn around(
        dialect: &Dialect,
        script: &Script,
        (start, end): (usize, usize),
        copy: Copy,
        guard: Option<&Guard>,
    ) -> Option<Nest> {
        // Only where brackets have partners does a loop lie in another.
        let is_open = |entry: usize| script.jumps_at[entry % LEN] == Class::NULL;
        if start < 2 || !is_open(start - 2) || dialect.brackets() != Brackets::Match {
            return None;
        }
        // Head 0's place is written over before anything reads it, and is what is tested before.
        let ignores_head0 = match (copy.place_by_head0()?, guard) {
            (place, None) => place == 0,
            (place, Some(guard)) => guard.ignores_head0 && guard.starts_or_ends_at(place),
        };
        if !is_open(start - 1) || !ignores_head0 {
            return None;
        }
        let (made, last) = Made::of(dialect, script, end)?;
        let [open, inner] = [start - 2, start - 1].map(|entry| script.place[entry]);
        let [inner_close, close] = [end, last].map(|entry| script.place[entry]);
        Some(Nest {
            copy,
            guard: guard.copied(),
            open,
            close,
            steps: (close - inner_close) + (inner - open),
            ops: (last - end) as u8 + 1,
            made: Made {
                is_inert: made.is_inert && guard.is_none(),
                ..made
            },
        })
    }

    /// The form of the loop inside.
    #[inline(always)]
    pub(super) fn inner(&self) -> Form {
        match self.guard {
            Some(guard) => Form::ClumsyCopy(self.copy, guard),
            None => Form::Copy(self.copy),
        }
    }

    /// The place behind its `]`.
    #[inline(always)]
    pub(super) fn end(&self) -> usize {
        usize::from(self.close) + 1
    }

    /// The steps and ops that a null takes.
    #[cfg(feature = "jit")]
    pub(super) fn cost(&self) -> (u8, u8) {
        (self.steps, self.ops)
    }

    /// Run iterations of `looped`, the loop inside, and of the nest, until the inner loop ends
    /// with a null that the walk must see. No exit if the nest may have changed: then all writes of
    /// an iteration have just been done. Whether any byte has changed its kind, too.
    #[inline(always)]
    pub(super) fn run(
        &self,
        vectors: impl Vectors,
        looped: &Loop<'_>,
        tape: &mut Tape,
        at: &mut Registers,
        (max_steps, mut is_led): (u32, bool),
    ) -> (Option<LoopExit>, bool) {
        let own = self.own_places(looped);
        is_led |= !self.guard.is_some_and(|guard| guard.leans_back);
        let mut dirty = false;
        // Whether no copy changes anything any more; the last iterations, in which nothing has.
        let (mut is_copied, mut unchanged) = (false, 0);
        loop {
            if max_steps - at.steps < looped.steps() {
                return (Some(LoopExit::OutOfSteps), dirty);
            }
            let mut is_settled = is_copied || unchanged >= TAPE_LEN as u32;
            let mut ahead = Ahead::of(self, vectors, looped, (tape, at), is_settled);
            let (mut iterations, mut changed) = (0, false);
            if is_led && !is_settled {
                iterations = ahead.covered(max_steps - at.steps);
                if iterations > 0 {
                    let copied = vectors.copy(tape, ahead.source, ahead.target, iterations, own);
                    (iterations, changed) = (copied.iterations, copied.changed);
                    is_copied = copied.is_settled && self.guard.is_none();
                    is_settled = is_copied && !changed;
                }
            }
            if is_settled {
                iterations = ahead.settle(at, max_steps);
            }
            let is_null = if iterations > 0 {
                dirty |= changed;
                ahead.advance(at, iterations)
            } else {
                if max_steps - at.steps < looped.steps() {
                    continue;
                }
                let mut is_rewritten = false;
                match looped.iterate_once(tape, at, &mut is_rewritten) {
                    Ok(any) => changed = any,
                    Err(last) => return (Some(looped.leave_behind(last, at)), true),
                }
                (is_led, iterations) = (true, 1);
                looped.advance(at, 1);
                dirty |= is_rewritten;
                let is_null = looped.dialect.is_null(tape[at.head0]);
                if is_rewritten && !is_null {
                    return (None, true);
                }
                is_null
            };
            if is_null {
                return (Some(LoopExit::Done), dirty);
            }
            unchanged = if changed {
                0
            } else {
                unchanged + iterations as u32
            };
        }
    }

    /// The places from the nest's `[` to its `]`.
    #[inline(always)]
    fn own_places(&self, looped: &Loop<'_>) -> u128 {
        range(
            looped.base + usize::from(self.open),
            looped.base + usize::from(self.close) + 1,
        )
    }
}

impl<'a> Ahead<'a> {
    /// Those from here on.
    #[inline(always)]
    fn of(
        nest: &'a Nest,
        vectors: impl Vectors,
        looped: &'a Loop<'a>,
        (tape, at): (&Tape, &Registers),
        is_settled: bool,
    ) -> Ahead<'a> {
        let (source, target) = nest.copy.tracks(at);
        // Of what the inner loop tests, and the nest makes another byte.
        let test = Track {
            start: (at.head0 + looped.move0) % TAPE_LEN,
            ..target
        };
        let (tests_copied, mask) = (test == target, looped.dialect.significant_bits());
        let tested = if tests_copied { source } else { test };
        let mut ahead = Ahead {
            nest,
            looped,
            source,
            target,
            nulls: nulls_on(vectors, tape, tested, mask),
            ends: Ahead::same_places(source, target) >> 1,
            // The test is of what is written next: after a time around, that has been written.
            block: TAPE_LEN - 1,
        };
        if source == target {
            ahead.ends = !0;
        }
        if !is_settled {
            ahead.block = ahead.iterations_of_block(at, tests_copied);
        }
        if !nest.made.is_inert {
            ahead.ends |= test.iterations_in(nest.own_places(looped));
        }
        if let Some(from) = nest.made.from {
            let made = Track {
                start: (at.head1 + looped.move1 + usize::from(from)) % TAPE_LEN,
                ..source
            };
            let null = nest.made.add.wrapping_neg() & mask;
            let null = vectors.equal(&vectors.load(tape, mask), null);
            ahead.ends |= made.iterations_in(null) | Ahead::same_places(made, test);
            if !is_settled {
                let unwritten = made.iterations_before_reading(target, true);
                ahead.block = ahead.block.min(unwritten);
            }
        }
        ahead.ends &= ahead.nulls;
        ahead
    }

    /// The iterations at which two tracks come to the same place, of the next 128.
    #[inline(always)]
    fn same_places(one: Track, other: Track) -> u128 {
        let distance = one.iteration_at(other.start);
        if one.stride != other.stride {
            // They meet twice, or pass each other.
            let meets = u128::from(distance.is_multiple_of(2));
            (meets | meets << (TAPE_LEN / 2)) << (distance / 2)
        } else if distance == 0 {
            !0
        } else {
            0
        }
    }

    /// How many can be done at once, where something may change.
    #[inline(always)]
    fn iterations_of_block(&self, at: &Registers, tests_copied: bool) -> usize {
        let (source, target) = (self.source, self.target);
        // Going opposite ways, one that reads what another wrote copies it back to where that one
        // read it.
        let mut block = self.block;
        if tests_copied {
            block = BLOCK;
        }
        if tests_copied || source.stride == target.stride {
            block = block.min(source.iterations_before_reading(target, false));
        }
        match self.nest.guard {
            Some(guard) => guard.iterations(self.looped, at, block as u32) as usize,
            None => block,
        }
    }

    /// How many of the first `iterations` find a null.
    #[inline(always)]
    fn nulls_in(&self, iterations: usize) -> u32 {
        (self.nulls & below(iterations)).count_ones()
    }

    /// Whether the last of so many iterations finds a null.
    #[inline(always)]
    fn is_null_last(&self, iterations: usize) -> bool {
        self.nulls >> (iterations - 1) & 1 == 1
    }

    /// The steps of so many iterations.
    #[inline(always)]
    fn steps(&self, iterations: usize) -> u32 {
        iterations as u32 * self.looped.steps()
            + self.nulls_in(iterations) * u32::from(self.nest.steps)
    }

    /// Where nothing changes any more, each time around is like the one before: count as many as
    /// there are steps for, if the walk need not see any. How many iterations the rest covers.
    #[inline(always)]
    fn settle(&mut self, at: &mut Registers, max_steps: u32) -> usize {
        if self.ends == 0 {
            let round = self.steps(TAPE_LEN);
            let rounds = (max_steps - at.steps) / round;
            at.steps += rounds * round;
            let nulls = self.nulls.count_ones();
            let ops = TAPE_LEN as u32 * self.looped.ops + nulls * u32::from(self.nest.ops);
            at.ops += rounds * ops;
        }
        // After a time around, what is tested has been written.
        self.block = TAPE_LEN - 1;
        self.covered(max_steps - at.steps)
    }

    /// How many of a block so many steps cover. The last finds no null, unless the walk must go on
    /// from there: what the nest makes of one must not be there in between.
    #[inline(always)]
    fn covered(&self, steps: u32) -> usize {
        let first_end = self.ends.trailing_zeros() as usize;
        let most = self.block.min(first_end + 1);
        let mut iterations = most;
        if self.steps(most) > steps {
            // Bit by bit: more iterations never take fewer steps.
            iterations = 0;
            for bit in [64, 32, 16, 8, 4, 2, 1] {
                let more = iterations | bit;
                if more < most && self.steps(more) <= steps {
                    iterations = more;
                }
            }
        }
        while iterations > 0 && iterations <= first_end && self.is_null_last(iterations) {
            iterations -= 1;
        }
        iterations
    }

    /// Account for so many iterations; whether the last has found a null, behind which the nest
    /// goes on.
    #[inline(always)]
    fn advance(&self, at: &mut Registers, iterations: usize) -> bool {
        let is_null = self.is_null_last(iterations);
        let nests = self.nulls_in(iterations) - u32::from(is_null);
        self.looped.advance(at, iterations as u32);
        at.steps += nests * u32::from(self.nest.steps);
        at.ops += nests * u32::from(self.nest.ops);
        is_null
    }
}

/// The iterations, of the next 128, at which the byte on `track` is null.
#[inline(always)]
fn nulls_on(vectors: impl Vectors, tape: &Tape, track: Track, mask: u8) -> u128 {
    let half = Track {
        start: track.at(TAPE_LEN / 2),
        ..track
    };
    let first = vectors.null_iterations(tape, track, mask);
    let second = vectors.null_iterations(tape, half, mask);
    u128::from(first) | u128::from(second) << (TAPE_LEN / 2)
}
