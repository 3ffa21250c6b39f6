//! What native code of every family and the rest of the program hand to each other.

use std::mem::offset_of;

use crate::language::Tape;

/// The part of a native function's frame that is the same in every family. A family's frame
/// begins with it, so that a pointer to the one is a pointer to the other.
///
/// The numbers are 64 bits wide, each at its own offset, and mean the same on both sides; only
/// native code and this folder touch them.
#[repr(C)]
#[derive(Default)]
pub(crate) struct RunState {
    /// Place of the byte about to be read; set by native code when it is left.
    pub pc: u64,
    /// Place of the unit's first byte.
    pub base: u64,
    /// Steps that the run may still take.
    pub steps_left: u64,
    pub ops: u64,
    /// Iterations of loops that native code ran itself.
    pub iterations: u64,
}

/// Where the numbers of a [`RunState`] are, in bytes from its start.
pub(super) mod offset {
    use super::{RunState, offset_of};

    pub(crate) const PC: i32 = offset_of!(RunState, pc) as i32;
    pub(crate) const BASE: i32 = offset_of!(RunState, base) as i32;
    pub(crate) const STEPS_LEFT: i32 = offset_of!(RunState, steps_left) as i32;
    pub(crate) const OPS: i32 = offset_of!(RunState, ops) as i32;
    pub(crate) const ITERATIONS: i32 = offset_of!(RunState, iterations) as i32;
}

/// A native function: runs the unit that it was made of, on this tape, from what the frame
/// says, which is its family's and begins with this state; answers with the number of an
/// [`Exit`](super::Exit).
pub(super) type Function = unsafe extern "C" fn(*mut Tape, *mut RunState) -> u32;
