//! What native code of the Forth family and the rest of the program hand to each
//! other.

use crate::engine::jit::Exit;
use std::mem::offset_of;

use crate::engine::jit::frame::Function;
use crate::language::forth::{STACK_LEN, State};
use crate::language::{TAPE_LEN, Tape};

/// A running Forth tape: native code is entered with one and leaves one.
///
/// The numbers are 64 bits wide, each at its own offset, and mean the same on both
/// sides; only native code and this file touch them.
#[repr(C)]
struct Frame {
    /// The first of the stack's [`STACK_LEN`] entries.
    stack: *mut u8,
    depth: u64,
    /// Place of the byte about to be read; set on leaving.
    pc: u64,
    /// Place of the loop's first byte.
    base: u64,
    /// Steps that the run may still take.
    left: u64,
    ops: u64,
    laps: u64,
}

/// Where the numbers of a frame are, in bytes from its start.
pub mod offset {
    use super::{Frame, offset_of};

    pub const STACK: i32 = offset_of!(Frame, stack) as i32;
    pub const DEPTH: i32 = offset_of!(Frame, depth) as i32;
    pub const PC: i32 = offset_of!(Frame, pc) as i32;
    pub const BASE: i32 = offset_of!(Frame, base) as i32;
    pub const LEFT: i32 = offset_of!(Frame, left) as i32;
    pub const OPS: i32 = offset_of!(Frame, ops) as i32;
    pub const LAPS: i32 = offset_of!(Frame, laps) as i32;
}

/// What native code did.
pub struct Done {
    pub exit: Exit,
    pub steps: u32,
    pub ops: u32,
    pub laps: u64,
}

/// Go on from `state`, at the first byte of a loop, for at most `max_steps` steps, by
/// the loop's native code.
///
/// # Safety
///
/// `function` must be native code that is not freed, made of the loop that `tape`
/// has there.
#[inline(always)]
pub unsafe fn run(function: Function, tape: &mut Tape, state: &mut State, max_steps: u32) -> Done {
    let mut frame = Frame {
        stack: state.stack.as_mut_ptr(),
        depth: state.depth as u64,
        pc: 0,
        base: state.pc as u64,
        left: u64::from(max_steps),
        ops: 0,
        laps: 0,
    };
    // SAFETY: the caller's promise. The function touches the tape's 128 bytes, each by a place
    // cut to below 128, the stack's entries where it has looked that the depth allows for them,
    // and this frame, whose layout it was made for whatever the pointer's type says; it calls
    // nothing, and returns.
    let code = unsafe { function(tape, (&raw mut frame).cast()) };
    state.depth = (frame.depth as usize).min(STACK_LEN);
    state.pc = frame.pc as usize % TAPE_LEN;
    Done {
        exit: Exit::of(code),
        steps: max_steps - frame.left as u32,
        ops: frame.ops as u32,
        laps: frame.laps,
    }
}
