//! Loops that count one byte up or down: `[-]` and its like.
//!
//! Head 0 is at the same place in each iteration, so that each adds the same to the same byte.
//! How many lead to null is a subtraction; where the test is of another byte, none does. What
//! the byte comes to be in between matters to nobody, as long as the loop itself does not contain
//! it.

use super::{Loop, LoopExit, Write};
use crate::engine::bff::registers::Registers;
use crate::language::Tape;
use crate::language::bff::Class;

/// Whether the only write of an iteration, after which head 0 has moved so far, makes it a count.
#[inline(always)]
pub(super) fn is_count(write: &Write, move0: usize) -> bool {
    write.from == 0 && write.to == 0 && move0 == 0
}

impl Loop<'_> {
    /// The place that a loop that counts does so at, if the loop does not depend on it.
    #[inline(always)]
    pub(super) fn counted_place(&self, at: &Registers) -> Option<usize> {
        let [place, _] = self.writes[0].heads(at);
        (!self.contains(place)).then_some(place)
    }

    /// Count at `place`, until it is null or for all `iterations`; says also whether the byte
    /// has become another command.
    #[inline(always)]
    pub(super) fn count(
        &self,
        tape: &mut Tape,
        at: &mut Registers,
        iterations: u32,
        place: usize,
    ) -> (LoopExit, bool) {
        let old = tape[place];
        let add = self.writes[0].add;
        // From 1 to all values that the dialect tells apart.
        let to_null = if add == 1 { old.wrapping_neg() } else { old };
        let mask = self.dialect.significant_bits();
        let to_null = u32::from(to_null.wrapping_sub(1) & mask) + 1;
        let (iterations, exit) = if place == at.head0 && to_null <= iterations {
            (to_null, LoopExit::Done)
        } else {
            (iterations, LoopExit::OutOfSteps)
        };
        self.advance(at, iterations);
        tape[place] = old.wrapping_add(add.wrapping_mul(iterations as u8));
        let change = self.dialect.class(old).bits() ^ self.dialect.class(tape[place]).bits();
        (exit, change & Class::COMMAND != 0)
    }
}
