//! Loops that write nothing: `[>]`, `[<<]`, also with moves of head 1 between.
//!
//! The tape stays as it is, and head 0 comes to places a fixed stride apart. So the loop ends in
//! the first iteration that brings head 0 to a null, or never: for each null of the tape an
//! equation modulo 128 says in which iteration head 0 comes there.

use super::{Loop, LoopExit};
use crate::engine::bff::registers::Registers;
use crate::engine::simd::Vectors;
use crate::language::{TAPE_LEN, Tape};

impl Loop<'_> {
    /// Run at most `iterations` that write nothing.
    #[inline(always)]
    pub(super) fn scan(
        &self,
        vectors: impl Vectors,
        tape: &Tape,
        at: &mut Registers,
        iterations: u32,
    ) -> LoopExit {
        let nulls = vectors.equal(&vectors.load(tape, self.dialect.significant_bits()), 0);
        match first_iteration_on(nulls, at.head0, self.move0) {
            Some(iteration) if iteration <= iterations => {
                self.advance(at, iteration);
                LoopExit::Done
            }
            _ => {
                self.advance(at, iterations);
                LoopExit::OutOfSteps
            }
        }
    }
}

/// The first iteration, from 1 on, at which a head that starts at `start` and moves by
/// `stride` an iteration comes to one of `places`.
#[inline(always)]
pub(super) fn first_iteration_on(places: u128, start: usize, stride: usize) -> Option<u32> {
    // iteration * stride = distance, modulo 128. With stride = odd * 2^zeros there is
    // an answer for multiples of 2^zeros only, and it repeats after `period`.
    let zeros = (stride | TAPE_LEN).trailing_zeros();
    let period = TAPE_LEN as u32 >> zeros;
    let odd = (stride >> zeros) as u32;
    // Newton's method: right to 3 bits, to 6, to 12.
    let mut inverse = odd;
    for _ in 0..2 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    let mut first = None;
    // By distance from the start.
    let mut rest = places.rotate_right(start as u32);
    while rest != 0 {
        let distance = rest.trailing_zeros();
        rest &= rest - 1;
        if distance & ((1 << zeros) - 1) == 0 {
            let iteration = (distance >> zeros).wrapping_mul(inverse).wrapping_sub(1) % period + 1;
            if first.is_none_or(|first| iteration < first) {
                first = Some(iteration);
            }
        }
    }
    first
}
