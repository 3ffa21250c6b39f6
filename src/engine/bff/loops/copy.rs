//! Loops that copy one byte an iteration, both heads moving by one: `[.>}]` and its like.
//!
//! The places read, written and tested are three tracks around the tape. Iterations are done
//! together, in a block, for as long as none reads what an earlier one of the block wrote, since
//! then all read the tape as it is before the block. The block ends with the first iteration
//! whose test finds a null, and before one that would change a byte of the loop itself.
//!
//! Where the heads go opposite ways, the loop makes the tape a mirror image of itself; once it is
//! one, nothing changes any more.

use super::{Loop, Write};
use crate::engine::bff::registers::Registers;
use crate::engine::simd::{Copied, Stride, Track, Vectors};
use crate::language::{TAPE_LEN, Tape};

/// Iterations of a block, at most.
pub(super) const BLOCK: usize = 64;

/// An iteration that copies one byte, both heads moving by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    to_head1: bool,
    /// The heads at the copy, counted from those at the start of the iteration.
    head0: usize,
    head1: usize,
    move0: Stride,
    move1: Stride,
}

/// Iterations of a loop that copies, done at once.
#[derive(Default)]
pub(super) struct Block {
    pub iterations: u32,
    pub changed: bool,
    /// Whether no iteration that copies changes anything any more.
    pub is_settled: bool,
}

impl Block {
    #[inline(always)]
    fn of(copied: Copied) -> Block {
        Block {
            iterations: copied.iterations as u32,
            changed: copied.changed,
            is_settled: copied.is_settled,
        }
    }
}

impl Copy {
    /// An iteration whose only write this is, and after which the heads have moved so far, if it
    /// is a copy.
    #[inline(always)]
    pub(super) fn of(write: &Write, move0: usize, move1: usize) -> Option<Copy> {
        let stride = |by: usize| match by {
            1 => Some(Stride::Up),
            127 => Some(Stride::Down),
            _ => None,
        };
        let (move0, move1) = (stride(move0)?, stride(move1)?);
        if write.from == write.to {
            return None;
        }
        let [head0, head1] = write.moved.map(usize::from);
        Some(Copy {
            to_head1: write.to == 1,
            head0,
            head1,
            move0,
            move1,
        })
    }

    /// A copy between the places by both heads, which move by these strides.
    #[inline(always)]
    pub(super) fn new(to_head1: bool, heads: [usize; 2], strides: [i32; 2]) -> Copy {
        let [move0, move1] = strides.map(|stride| match stride {
            1 => Stride::Up,
            _ => Stride::Down,
        });
        let [head0, head1] = heads;
        Copy {
            to_head1,
            head0,
            head1,
            move0,
            move1,
        }
    }

    /// Where it copies to, counted from head 0 at the start of the iteration, if from head 1.
    #[inline(always)]
    pub(super) fn place_by_head0(&self) -> Option<usize> {
        (!self.to_head1).then_some(self.head0)
    }

    /// Where iterations from here on read and where they write.
    #[inline(always)]
    pub(super) fn tracks(&self, at: &Registers) -> (Track, Track) {
        let track = |start: usize, stride| Track {
            start: start % TAPE_LEN,
            stride,
        };
        let track0 = track(at.head0 + self.head0, self.move0);
        let track1 = track(at.head1 + self.head1, self.move1);
        if self.to_head1 {
            (track0, track1)
        } else {
            (track1, track0)
        }
    }

    /// Do as many iterations at once as read nothing that they write and leave the
    /// loop itself as it is, the one that finds a null the last; maybe none. At most `left`.
    #[inline(always)]
    pub(super) fn block(
        &self,
        vectors: impl Vectors,
        looped: &Loop<'_>,
        tape: &mut Tape,
        at: &Registers,
        left: u32,
    ) -> Block {
        let (source, target) = self.tracks(at);
        let test = Track {
            start: (at.head0 + looped.move0) % TAPE_LEN,
            stride: self.move0,
        };
        // `[<,}]`: the test is of the byte that was just copied.
        let tests_copied = test.stride == target.stride && test.start == target.start;
        let mut iterations = BLOCK
            .min(left as usize)
            .min(source.iterations_before_reading(target, false));
        let mask = looped.dialect.significant_bits();
        let tested = if tests_copied { source } else { test };
        let mut null = vectors.first_null(tape, tested, mask, iterations);
        // Where the test reads what was copied before, its bytes were null and
        // are not, or are now, only if there are nulls among either.
        let unread = test.iterations_before_reading(target, true);
        if !tests_copied && unread < iterations {
            let copied_null = vectors.first_null(tape, source, mask, iterations);
            if null.is_some() || copied_null.is_some() {
                iterations = unread;
                null = null.filter(|iteration| *iteration < iterations);
            }
        }
        if let Some(iteration) = null {
            iterations = iteration + 1;
        }
        if iterations == 0 {
            return Block::default();
        }
        let own = looped.own_places();
        Block::of(vectors.copy(tape, source, target, iterations, own))
    }

    /// As [`Copy::block`], on a tape without a null: no test ends it.
    #[inline(always)]
    pub(super) fn block_without_nulls(
        &self,
        vectors: impl Vectors,
        looped: &Loop<'_>,
        tape: &mut Tape,
        at: &Registers,
        left: u32,
    ) -> Block {
        let (source, target) = self.tracks(at);
        // Going opposite ways, an iteration that reads what another wrote copies it back to where
        // that one read it.
        let clear = if source.stride == target.stride {
            source.iterations_before_reading(target, false)
        } else {
            TAPE_LEN
        };
        let iterations = clear.min(TAPE_LEN).min(left as usize);
        let own = looped.own_places();
        Block::of(vectors.copy(tape, source, target, iterations, own))
    }
}

impl Track {
    /// Iterations before this track reads what `written` wrote in an earlier one or,
    /// with `same`, up to the same one; right for up to 64 iterations.
    #[inline(always)]
    pub(super) fn iterations_before_reading(self, written: Track, same: bool) -> usize {
        let distance = self.iteration_at(written.start);
        if self.stride == written.stride {
            // Iteration k reads what iteration k - distance wrote.
            match distance {
                0 if same => 0,
                0 => usize::MAX,
                _ => distance,
            }
        } else {
            // Iteration k reads what iteration distance - k wrote.
            match distance {
                _ if same => distance.div_ceil(2),
                0 => usize::MAX,
                _ => distance / 2 + 1,
            }
        }
    }
}
