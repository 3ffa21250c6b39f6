//! What native code of the BFF family calls.

use super::frame::Frame;
use crate::engine::bff::loops::{Left, Loop, Progress};
use crate::engine::bff::recurrence::State;
use crate::engine::jit::Exit;
use crate::engine::places::{below, range};
use crate::engine::simd::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::engine::simd::vectors::return_for_wide;
use crate::engine::simd::vectors::{Portable, Vectors};
use crate::language::Tape;
use crate::language::bff::Dialect;

/// A loop in a unit, which native code has run by its closed form.
pub struct ClosedLoop {
    pub looped: Loop<'static>,
    pub dialect: &'static Dialect,
    /// First place of the loop's body and the one behind its `]`, in the unit.
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
    let base = frame.run.base as usize;
    let mut at = Progress {
        head0: frame.head0 as usize,
        head1: frame.head1 as usize,
        steps: 0,
        ops: 0,
    };
    let looped = data.looped.at_base(base);
    // SAFETY: the caller's promise.
    let (left, is_dirty) = unsafe { looped.run::<V>(tape, &mut at, frame.run.steps_left as u32) };
    frame.head0 = at.head0 as u64;
    frame.head1 = at.head1 as u64;
    frame.run.steps_left -= u64::from(at.steps);
    frame.run.ops += u64::from(at.ops);
    frame.dirty |= u64::from(is_dirty);
    let (pc, exit) = match left {
        // SAFETY: the caller's promises. Nothing writes to the skeleton meanwhile.
        Left::Done if is_dirty => unsafe {
            let changed = V::skeleton(data.dialect, tape).changes(&*frame.skeleton);
            match data.is_done(frame, changed) {
                Ok(()) => return 0,
                Err(exit) => exit,
            }
        },
        Left::Done => return 0,
        Left::OutOfSteps => (base + data.first, Exit::OutOfSteps),
        Left::Rewritten { next } => (next, Exit::Rewritten),
    };
    frame.run.pc = pc as u64;
    exit as u32
}

impl ClosedLoop {
    /// Whether the run may go on behind the loop once these places have `changed` what they
    /// mean: note those ahead; else the place and the exit to leave by.
    fn is_done(&self, frame: &mut Frame, changed: u128) -> Result<(), (usize, Exit)> {
        let base = frame.run.base as usize;
        let (first, last) = self.nest;
        let ahead = changed & !below(base + last + 1);
        if ahead != 0 {
            let point = u64::from(ahead.trailing_zeros());
            frame.invalidation_point = frame.invalidation_point.min(point);
        }
        // Where the nest ends with this loop, what lies behind does not matter.
        let is_last = last + 1 == self.behind;
        if is_last || changed & range(base + first, base + last + 1) == 0 {
            return Ok(());
        }
        Err((base + self.behind, Exit::Rewritten))
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

/// The type of [`skip_periods`].
pub type SkipPeriods = unsafe extern "C" fn(&mut Tape, &mut Frame);

/// What native code calls now and then at a jump back, with the frame exact and
/// its `pc` where the jump goes: whole periods are skipped where the run repeats.
///
/// # Safety
///
/// For native code alone, which [`Frame::call`] entered.
pub unsafe extern "C" fn skip_periods(tape: &mut Tape, frame: &mut Frame) {
    let state = State::new(
        frame.run.pc as usize,
        frame.head0 as usize,
        frame.head1 as usize,
    );
    let mut steps = (frame.max_steps - frame.run.steps_left) as u32;
    let mut ops = frame.run.ops as u32;
    // SAFETY: `Frame::call` was promised that it is there, and nobody else uses it
    // before native code has been left.
    let recurrence = unsafe { &mut *frame.recurrence };
    if recurrence.skip(state, tape, &mut steps, &mut ops, frame.max_steps as u32) {
        frame.run.steps_left = frame.max_steps - u64::from(steps);
        frame.run.ops = u64::from(ops);
        frame.settled += 1;
    }
}
