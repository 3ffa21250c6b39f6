//! What native code and the rest of the program hand to each other, and what
//! native code calls.

use super::exit::Exit;
use crate::engine::bff::loops::{Left, Loop, Progress};
use crate::engine::bff::recurrence::{Recurrence, State};
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::places::{below, range};
use crate::engine::simd::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::engine::simd::vectors::return_for_wide;
use crate::engine::simd::vectors::{Portable, Vectors};
use crate::language::bff::Dialect;
use crate::language::{TAPE_LEN, Tape};

/// A running BFF tape: native code is entered with one and leaves one.
///
/// The numbers are 64 bits wide, each at its own offset (see [`offset`]), and
/// mean the same on both sides; only native code and this folder touch them.
#[repr(C)]
pub struct Frame {
    pub head0: u64,
    pub head1: u64,
    /// Steps that the run may still take.
    pub left: u64,
    pub ops: u64,
    /// Place of the byte about to be read; set on leaving.
    pub pc: u64,
    /// Place of the piece's first byte.
    pub base: u64,
    /// Not 0 once a byte may have changed what it means, but for those that the run
    /// is known not to come to again.
    pub changed: u64,
    /// The first place ahead that has changed what it means; the tape's length if
    /// none has.
    pub stop: u64,
    /// Laps that native code did itself.
    pub laps: u64,
    /// Times that whole periods were skipped.
    pub settled: u64,
    max_steps: u64,
    /// What the tape meant when native code was entered.
    skeleton: *const Skeleton,
    recurrence: *mut Recurrence,
}

/// Where the numbers of a [`Frame`] are, in bytes from its start.
pub mod offset {
    use super::Frame;
    use std::mem::offset_of;

    pub const HEAD0: i32 = offset_of!(Frame, head0) as i32;
    pub const HEAD1: i32 = offset_of!(Frame, head1) as i32;
    pub const LEFT: i32 = offset_of!(Frame, left) as i32;
    pub const OPS: i32 = offset_of!(Frame, ops) as i32;
    pub const PC: i32 = offset_of!(Frame, pc) as i32;
    pub const BASE: i32 = offset_of!(Frame, base) as i32;
    pub const CHANGED: i32 = offset_of!(Frame, changed) as i32;
    pub const STOP: i32 = offset_of!(Frame, stop) as i32;
    pub const LAPS: i32 = offset_of!(Frame, laps) as i32;
}

/// A native function: runs the piece of code it was made of, on this tape, from
/// what the frame says; answers with the number of an [`Exit`].
pub type Function = unsafe extern "C" fn(*mut Tape, *mut Frame) -> u32;

impl Frame {
    /// A frame for a run with `max_steps` steps in all, on a tape that means
    /// `skeleton`.
    #[inline(always)]
    pub fn new(
        at: &Progress,
        max_steps: u32,
        skeleton: &Skeleton,
        recurrence: &mut Recurrence,
    ) -> Frame {
        Frame {
            head0: at.head0 as u64,
            head1: at.head1 as u64,
            left: u64::from(max_steps - at.steps),
            ops: u64::from(at.ops),
            pc: 0,
            base: 0,
            changed: 0,
            stop: TAPE_LEN as u64,
            laps: 0,
            settled: 0,
            max_steps: u64::from(max_steps),
            skeleton,
            recurrence,
        }
    }

    /// Run the piece of code at `base` that `function` was made of.
    ///
    /// # Safety
    ///
    /// `function` must be native code that is not freed, made of what `tape` means
    /// at `base`, up to `stop`; the frame's skeleton and recurrence must still be
    /// there.
    #[inline(always)]
    pub unsafe fn call(&mut self, function: Function, tape: &mut Tape, base: usize) -> Exit {
        self.base = base as u64;
        // SAFETY: the caller's promise. The function touches the tape's 128 bytes, each by a
        // place below 128 (it cuts what it computes, and heads come so), this frame by its
        // offsets, tables and loops that live as long as itself, and returns. Where what it
        // calls panics, the program ends: nothing unwinds through an `extern "C"`.
        Exit::of(unsafe { function(tape, self) })
    }

    /// Where the run stands.
    #[inline(always)]
    pub fn progress(&self) -> Progress {
        Progress {
            head0: self.head0 as usize % TAPE_LEN,
            head1: self.head1 as usize % TAPE_LEN,
            steps: (self.max_steps - self.left) as u32,
            ops: self.ops as u32,
        }
    }
}

/// A loop in a piece, which native code has run by its closed form.
pub struct ClosedLoop {
    pub looped: Loop<'static>,
    pub dialect: &'static Dialect,
    /// First place of the loop's body and the one behind its `]`, in the piece.
    pub first: usize,
    pub behind: usize,
    /// First and last place of the loops that this one is in, from their `[` to
    /// their `]`, or of this one.
    pub nest: (usize, usize),
}

/// What [`ClosedLoop`]s are run by: for native code alone, which [`Frame::call`] entered.
pub type RunLoop = unsafe extern "C" fn(&mut Tape, &mut Frame, &ClosedLoop) -> u32;

/// Run a loop whose `]` has just jumped back. Answers with 0 if the run goes on
/// behind the `]`, else with the number of the exit; the frame is exact.
///
/// # Safety
///
/// This machine must have the instructions of `V`, and the frame's skeleton must still be
/// there.
#[inline(always)]
unsafe fn run_loop<V: Vectors>(tape: &mut Tape, frame: &mut Frame, data: &ClosedLoop) -> u32 {
    let base = frame.base as usize;
    let mut at = Progress {
        head0: frame.head0 as usize,
        head1: frame.head1 as usize,
        steps: 0,
        ops: 0,
    };
    let looped = data.looped.at_base(base);
    // SAFETY: the caller's promise.
    let (left, stale) = unsafe { looped.run::<V>(tape, &mut at, frame.left as u32) };
    frame.head0 = at.head0 as u64;
    frame.head1 = at.head1 as u64;
    frame.left -= u64::from(at.steps);
    frame.ops += u64::from(at.ops);
    frame.changed |= u64::from(stale);
    match left {
        Left::Done => {
            if !stale {
                return 0;
            }
            // SAFETY: the caller's promises. Nothing writes to the skeleton meanwhile.
            let changed = unsafe { V::skeleton(data.dialect, tape).changes(&*frame.skeleton) };
            let (first, last) = data.nest;
            let ahead = changed & !below(base + last + 1);
            if ahead != 0 {
                frame.stop = frame.stop.min(u64::from(ahead.trailing_zeros()));
            }
            // Where the loops end with this one, what lies behind does not matter.
            let is_last = last + 1 == data.behind;
            if is_last || changed & range(base + first, base + last + 1) == 0 {
                return 0;
            }
            frame.pc = (base + data.behind) as u64;
            Exit::Rewritten as u32
        }
        Left::OutOfSteps => {
            frame.pc = (base + data.first) as u64;
            Exit::OutOfSteps as u32
        }
        Left::Rewritten { next } => {
            frame.pc = next as u64;
            Exit::Rewritten as u32
        }
    }
}

/// [`run_loop`], compiled for `lanes`, which this machine must have.
pub fn run_loop_with(lanes: Lanes) -> RunLoop {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! run_with {
            ($vectors:ty, $features:literal) => {{
                #[target_feature(enable = $features)]
                unsafe fn run(tape: &mut Tape, frame: &mut Frame, data: &ClosedLoop) -> u32 {
                    // SAFETY: the instructions that this is compiled for; the caller's promise.
                    unsafe { run_loop::<$vectors>(tape, frame, data) }
                }
                unsafe extern "C" fn call(
                    tape: &mut Tape,
                    frame: &mut Frame,
                    data: &ClosedLoop,
                ) -> u32 {
                    // SAFETY: the machine has `lanes`, of which `Lanes::available` has asked
                    // the CPU for every feature named here; `Frame::call` was promised that the
                    // skeleton is there.
                    unsafe { run(tape, frame, data) }
                }
                call
            }};
        }
        return_for_wide!(lanes, run_with);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = lanes;
    unsafe extern "C" fn call(tape: &mut Tape, frame: &mut Frame, data: &ClosedLoop) -> u32 {
        // SAFETY: needs no instructions beyond those of every machine; `Frame::call` was
        // promised that the skeleton is there.
        unsafe { run_loop::<Portable>(tape, frame, data) }
    }
    call
}

/// What native code calls now and then at a jump back, with the frame exact and
/// its `pc` where the jump goes: whole periods are skipped where the run repeats.
///
/// # Safety
///
/// For native code alone, which [`Frame::call`] entered.
pub unsafe extern "C" fn skip_periods(tape: &mut Tape, frame: &mut Frame) {
    let state = State::new(
        frame.pc as usize,
        frame.head0 as usize,
        frame.head1 as usize,
    );
    let mut steps = (frame.max_steps - frame.left) as u32;
    let mut ops = frame.ops as u32;
    // SAFETY: `Frame::call` was promised that it is there, and nobody else uses it
    // before native code has been left.
    let recurrence = unsafe { &mut *frame.recurrence };
    if recurrence.skip(state, tape, &mut steps, &mut ops, frame.max_steps as u32) {
        frame.left = frame.max_steps - u64::from(steps);
        frame.ops = u64::from(ops);
        frame.settled += 1;
    }
}
