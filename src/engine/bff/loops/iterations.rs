//! Any loop, one iteration after the other: what has no closed form, and what a closed form
//! leaves.
//!
//! Three things are known of every loop that writes. An iteration ends at once, in its midst, where
//! a write changes what a byte of the loop means. A loop that has changed no byte while both heads
//! came around has settled: all further iterations do what those did, nothing, and are counted
//! instead of run. And if the tape is what it was when both heads were there before, all that lies
//! between repeats, over and over.

use super::copy::{Block, Copy};
use super::effect::Guard;
use super::{Loop, LoopExit, Write};
use crate::engine::bff::registers::Registers;
use crate::engine::simd::Vectors;
use crate::language::bff::Class;
use crate::language::{TAPE_LEN, Tape};

impl Loop<'_> {
    /// Run at most `iterations`, in blocks where the loop is a `copy`. Says also whether a byte
    /// outside the loop may mean something else now; inside none does for as long as it runs.
    #[inline(always)]
    pub(super) fn iterate(
        &self,
        vectors: impl Vectors,
        copy: Option<Copy>,
        tape: &mut Tape,
        at: &mut Registers,
        iterations: u32,
    ) -> (LoopExit, bool) {
        let mut dirty = false;
        // Iterations after which both heads are where they were.
        let period = TAPE_LEN as u32 >> (self.move0 | self.move1 | TAPE_LEN).trailing_zeros();
        // A copy makes no null where there is none.
        let mut has_nulls = copy.is_none() || self.finds_nulls(vectors, tape);
        let mut left = iterations;
        let mut unchanged = 0;
        // The tape a period ago: where it is the same again, all further periods are like that.
        let mut then = if copy.is_none() { *tape } else { [0; TAPE_LEN] };
        // Once a period has changed nothing, nothing ever will.
        while left > 0 && unchanged < period {
            let block = match &copy {
                Some(copy) if has_nulls => copy.block(vectors, self, tape, at, left),
                Some(copy) => copy.block_without_nulls(vectors, self, tape, at, left),
                None => Block::default(),
            };
            let (done, changed) = if block.iterations > 0 {
                dirty |= block.changed;
                (block.iterations, block.changed)
            } else {
                match self.iterate_once(tape, at, &mut dirty) {
                    Ok(changed) => (1, changed),
                    Err(last) => return (self.leave_behind(last, at), dirty),
                }
            };
            self.advance(at, done);
            left -= done;
            if has_nulls && self.dialect.is_null(tape[at.head0]) {
                return (LoopExit::Done, dirty);
            }
            unchanged = if changed { 0 } else { unchanged + done };
            if block.is_settled {
                // Nothing changes any more, and without a null there is no end.
                has_nulls = has_nulls && self.finds_nulls(vectors, tape);
                if !has_nulls {
                    break;
                }
            }
            if copy.is_none() && (iterations - left).is_multiple_of(period) {
                if tape == &then {
                    self.advance(at, left - left % period);
                    left %= period;
                }
                then = *tape;
            }
        }
        self.advance(at, left);
        (LoopExit::OutOfSteps, dirty)
    }

    /// Run at most `iterations` that come to a copy while the guard says so.
    #[inline(always)]
    pub(super) fn iterate_clumsily(
        &self,
        vectors: impl Vectors,
        (copy, guard): (&Copy, &Guard),
        tape: &mut Tape,
        at: &mut Registers,
        (iterations, mut is_led): (u32, bool),
    ) -> (LoopExit, bool) {
        let mut dirty = false;
        is_led |= !guard.leans_back;
        let mut has_nulls = !guard.only_copies || self.finds_nulls(vectors, tape);
        let mut left = iterations;
        let mut unchanged = 0;
        // Once both heads have come around and nothing has changed, nothing ever will.
        while left > 0 && unchanged < TAPE_LEN as u32 {
            let room = if is_led {
                guard.iterations(self, at, left)
            } else {
                0
            };
            let block = match room {
                0 => Block::default(),
                _ if has_nulls => copy.block(vectors, self, tape, at, room),
                _ => copy.block_without_nulls(vectors, self, tape, at, room),
            };
            let (done, changed) = if block.iterations > 0 {
                dirty |= block.changed;
                (block.iterations, block.changed)
            } else {
                is_led = true;
                match self.iterate_once(tape, at, &mut dirty) {
                    Ok(changed) => (1, changed),
                    Err(last) => return (self.leave_behind(last, at), dirty),
                }
            };
            self.advance(at, done);
            left -= done;
            if has_nulls && self.dialect.is_null(tape[at.head0]) {
                return (LoopExit::Done, dirty);
            }
            unchanged = if changed { 0 } else { unchanged + done };
            // All that is left is copies, which change nothing.
            if block.is_settled && room == left + done {
                has_nulls = has_nulls && self.finds_nulls(vectors, tape);
                if !has_nulls {
                    break;
                }
            }
        }
        self.advance(at, left);
        (LoopExit::OutOfSteps, dirty)
    }

    /// Do the writes of an iteration; whether they changed any byte, or the write that
    /// changed what a byte of the loop means, the last one done.
    #[inline(always)]
    pub(super) fn iterate_once(
        &self,
        tape: &mut Tape,
        at: &Registers,
        dirty: &mut bool,
    ) -> Result<bool, &Write> {
        let mut changed = false;
        for write in self.writes() {
            let heads = write.heads(at);
            let place = heads[usize::from(write.to % 2)];
            let new = tape[heads[usize::from(write.from % 2)]].wrapping_add(write.add);
            let old = std::mem::replace(&mut tape[place], new);
            changed |= old != new;
            let change = self.dialect.class(old).bits() ^ self.dialect.class(new).bits();
            if change & Class::COMMAND != 0 {
                *dirty = true;
                if self.contains(place) {
                    return Err(write);
                }
            }
        }
        Ok(changed)
    }

    /// Leave the loop behind `last`, a write of the iteration that begins at `at`.
    #[inline(always)]
    pub(super) fn leave_behind(&self, last: &Write, at: &mut Registers) -> LoopExit {
        let next = usize::from(last.at) + 1;
        at.steps += (next - self.first) as u32;
        at.ops += u32::from(last.ops);
        [at.head0, at.head1] = last.heads(at);
        // A copy may move head 1.
        at.head1 += usize::from(self.dialect.copy_moves() && last.from == 1);
        at.head1 %= TAPE_LEN;
        LoopExit::Rewritten {
            next: self.base + next,
        }
    }
}
