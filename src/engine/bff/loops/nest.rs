//! Copies in a loop of their own, which only makes another byte of each null: `[[,}<]-]`.
//!
//! The inner loop copies to head 0 and then moves it. Once it has found a null, the nest around
//! it adds to that null, so that it is one no more, jumps back, and the inner loop goes on, to
//! write over that very byte in its next iteration. So a null costs the nest's steps and ops, and
//! changes nothing else.

use super::copy::{BLOCK, Copy};
use super::{LEN, Loop, LoopExit};
use crate::engine::bff::registers::Registers;
use crate::engine::bff::script::Script;
use crate::engine::places::{below, range};
use crate::engine::simd::{Track, Vectors};
use crate::language::bff::{Brackets, Class, Dialect};
use crate::language::{TAPE_LEN, Tape};

/// What is around a loop that copies to head 0 and then moves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nest {
    copy: Copy,
    /// Places of its `[` and `]`, counted like those of the loop.
    open: u8,
    close: u8,
    /// Steps and ops from one `]` of the inner loop to behind its `[`.
    steps: u8,
    ops: u8,
}

/// The next iterations of a nest.
struct Ahead<'a> {
    nest: &'a Nest,
    looped: &'a Loop<'a>,
    /// Where they read and where they write.
    source: Track,
    target: Track,
    /// Which of them find a null: of the next 64, and of all places where nothing changes.
    nulls: u128,
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
    ) -> Option<Nest> {
        // Only where brackets have partners does a loop lie in another.
        if !copy.is_to_unmoved_head0() || dialect.brackets() != Brackets::Match || start < 2 {
            return None;
        }
        let is_open = |entry: usize| script.jumps_at[entry % LEN] == Class::NULL;
        if !is_open(start - 1) || !is_open(start - 2) {
            return None;
        }
        let mut add = 0u8;
        for entry in end + 1..script.len.min(end + 8) {
            if script.jumps_at[entry] == Class::SET {
                let [open, inner] = [start - 2, start - 1].map(|entry| script.place[entry]);
                let [inner_close, close] = [end, entry].map(|entry| script.place[entry]);
                let is_null = dialect.is_null(add);
                return (!is_null).then_some(Nest {
                    copy,
                    open,
                    close,
                    steps: (close - inner_close) + (inner - open),
                    ops: (entry - end) as u8 + 1,
                });
            }
            // Adds alone: no bracket, no copy, no move.
            if script.add[entry] == 0 {
                return None;
            }
            // What becomes of a null, whatever its other bits, is no command.
            add = add.wrapping_add(script.add[entry]);
            if dialect.class(add).bits() & Class::COMMAND != 0 {
                return None;
            }
        }
        None
    }

    /// The loop inside.
    #[inline(always)]
    pub(super) fn copy(&self) -> Copy {
        self.copy
    }

    /// Run iterations of `looped`, the loop inside, and of the nest, for as long as
    /// none of them meets the nest's own code or a byte that it has just made.
    /// No exit if the run is at the start of an iteration of which that cannot be said. Whether
    /// any byte has changed its kind, too.
    #[inline(always)]
    pub(super) fn run(
        &self,
        vectors: impl Vectors,
        looped: &Loop<'_>,
        tape: &mut Tape,
        at: &mut Registers,
        max_steps: u32,
    ) -> (Option<LoopExit>, bool) {
        let own = range(
            looped.base + usize::from(self.open),
            looped.base + usize::from(self.close) + 1,
        );
        let until_mirrored = self.copy.iterations_to_mirror(at);
        let mut dirty = false;
        // All iterations, and the last ones, in which nothing has changed.
        let (mut all, mut unchanged) = (0, 0);
        loop {
            let is_settled = all >= until_mirrored || unchanged >= TAPE_LEN as u32;
            let Some(ahead) = Ahead::of(self, vectors, looped, (tape, at), is_settled) else {
                return (None, dirty);
            };
            if is_settled {
                ahead.skip_rounds(at, max_steps);
            }
            let most = if is_settled {
                TAPE_LEN - 1
            } else {
                ahead.iterations_of_block()
            };
            let mut iterations = ahead.covered(most, max_steps - at.steps);
            if iterations > 0 && !is_settled {
                let changed;
                (iterations, changed) =
                    vectors.copy(tape, ahead.source, ahead.target, iterations, own);
                if iterations > 0 {
                    dirty |= changed;
                    unchanged = if changed {
                        0
                    } else {
                        unchanged + iterations as u32
                    };
                    all += iterations as u32;
                }
            }
            if iterations == 0 {
                return (None, dirty);
            }
            if ahead.advance(at, iterations) {
                return (Some(LoopExit::Done), dirty);
            }
            if is_settled {
                // Less than a time around is left, or a null is next.
                return (None, dirty);
            }
        }
    }
}

impl<'a> Ahead<'a> {
    /// Those from here on; nothing where each copies a byte to itself.
    #[inline(always)]
    fn of(
        nest: &'a Nest,
        vectors: impl Vectors,
        looped: &'a Loop<'a>,
        (tape, at): (&Tape, &Registers),
        is_settled: bool,
    ) -> Option<Ahead<'a>> {
        let (source, target) = nest.copy.tracks(at);
        if source == target {
            return None;
        }
        let test = Track {
            start: (at.head0 + looped.move0) % TAPE_LEN,
            ..target
        };
        let mask = looped.dialect.significant_bits();
        let mut nulls = u128::from(vectors.null_iterations(tape, test, mask));
        if is_settled {
            let half = Track {
                start: test.at(TAPE_LEN / 2),
                ..test
            };
            let more = u128::from(vectors.null_iterations(tape, half, mask));
            nulls |= more << (TAPE_LEN / 2);
        }
        Some(Ahead {
            nest,
            looped,
            source,
            target,
            nulls,
        })
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

    /// Where nothing changes any more each time around is like the one before: count as many as
    /// there are steps for.
    #[inline(always)]
    fn skip_rounds(&self, at: &mut Registers, max_steps: u32) {
        let round = self.steps(TAPE_LEN);
        let rounds = (max_steps - at.steps) / round;
        at.steps += rounds * round;
        let ops =
            TAPE_LEN as u32 * self.looped.ops + self.nulls.count_ones() * u32::from(self.nest.ops);
        at.ops += rounds * ops;
    }

    /// How many can be done at once.
    #[inline(always)]
    fn iterations_of_block(&self) -> usize {
        let (source, target) = (self.source, self.target);
        let mut iterations = BLOCK.min(source.iterations_before_reading(target, false));
        // Where a byte is copied to itself, it keeps what the nest made of it.
        let itself = source.iteration_at(target.start) / 2;
        for iteration in [itself, itself + TAPE_LEN / 2] {
            let copies_itself = source.at(iteration) == target.at(iteration);
            if copies_itself && iteration > 0 && self.is_null_last(iteration) {
                iterations = iterations.min(iteration);
            }
        }
        iterations
    }

    /// How many of `iterations` so many steps cover, the last of which finds no null: what the
    /// nest makes of one must not be there in between.
    #[inline(always)]
    fn covered(&self, mut iterations: usize, steps: u32) -> usize {
        let longest = self.looped.steps() + u32::from(self.nest.steps);
        while self.steps(iterations) > steps {
            let over = self.steps(iterations) - steps;
            iterations -= over.div_ceil(longest).max(1) as usize;
        }
        while iterations > 0 && self.is_null_last(iterations) {
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
