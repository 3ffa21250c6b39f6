//! What native code of the BFF family and the walk hand to each other.

use std::mem::offset_of;

use crate::engine::bff::recurrence::Recurrence;
use crate::engine::bff::registers::Registers;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::jit::Exit;
use crate::engine::jit::frame::{Function, RunState};
use crate::language::{TAPE_LEN, Tape};

/// A running BFF tape: native code is entered with one and leaves one. As in [`RunState`], all
/// numbers are 64 bits wide.
#[repr(C)]
pub(crate) struct Frame {
    pub run: RunState,
    pub head0: u64,
    pub head1: u64,
    /// Not 0 once a byte may have changed what it means, but for those that the run
    /// is known not to come to again.
    pub dirty: u64,
    /// The first place ahead that has changed what it means; the tape's length if
    /// none has.
    pub invalidation_point: u64,
    /// Times that whole periods were skipped.
    pub settled: u64,
    pub(super) max_steps: u64,
    /// What the tape meant when native code was entered.
    pub(super) skeleton: *const Skeleton,
    pub(super) recurrence: *mut Recurrence,
}

/// Where the family's own numbers are, in bytes from the frame's start.
pub(super) mod offset {
    use super::{Frame, offset_of};

    pub(crate) const HEAD0: i32 = offset_of!(Frame, head0) as i32;
    pub(crate) const HEAD1: i32 = offset_of!(Frame, head1) as i32;
    pub(crate) const DIRTY: i32 = offset_of!(Frame, dirty) as i32;
    pub(crate) const INVALIDATION_POINT: i32 = offset_of!(Frame, invalidation_point) as i32;
}

impl Frame {
    /// A frame for a run with `max_steps` steps in all, on a tape that means
    /// `skeleton`.
    #[inline(always)]
    pub(crate) fn new(
        at: &Registers,
        max_steps: u32,
        skeleton: &Skeleton,
        recurrence: &mut Recurrence,
    ) -> Frame {
        Frame {
            run: RunState {
                pc: 0,
                base: 0,
                steps_left: u64::from(max_steps - at.steps),
                ops: u64::from(at.ops),
                iterations: 0,
            },
            head0: at.head0 as u64,
            head1: at.head1 as u64,
            dirty: 0,
            invalidation_point: TAPE_LEN as u64,
            settled: 0,
            max_steps: u64::from(max_steps),
            skeleton,
            recurrence,
        }
    }

    /// Run the unit at `base` that `function` was made of.
    ///
    /// # Safety
    ///
    /// `function` must be native code that is not freed, made of what `tape` means
    /// at `base`, up to the invalidation point; the frame's skeleton and recurrence must
    /// still be there.
    #[inline(always)]
    pub(crate) unsafe fn call(&mut self, function: Function, tape: &mut Tape, base: usize) -> Exit {
        self.run.base = base as u64;
        // SAFETY: the caller's promise. The function touches the tape's 128 bytes, each by a
        // place below 128 (it cuts what it computes, and heads come so), this frame by its
        // offsets, tables and loops that live as long as itself, and returns; the pointer is
        // that of the whole frame. Where what it calls panics, the program ends: nothing
        // unwinds through an `extern "C"`.
        Exit::of(unsafe { function(tape, (&raw mut *self).cast()) })
    }

    /// Where the run stands.
    #[inline(always)]
    pub(crate) fn registers(&self) -> Registers {
        Registers {
            head0: self.head0 as usize % TAPE_LEN,
            head1: self.head1 as usize % TAPE_LEN,
            steps: (self.max_steps - self.run.steps_left) as u32,
            ops: self.run.ops as u32,
        }
    }
}
