//! What native code of the BFF family calls.

use super::frame::Frame;
use crate::engine::bff::loops::{Loop, LoopExit};
use crate::engine::bff::recurrence::State;
use crate::engine::bff::registers::Registers;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::cycle::Taken;
use crate::engine::jit::Exit;
use crate::engine::places::{below, range};
use crate::engine::simd::{InstructionSet, Vectors, Work};
use crate::language::Tape;
use crate::language::bff::Dialect;

/// A loop in a unit, which native code has run by its closed form.
pub(crate) struct ClosedLoop {
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
pub(super) type RunLoop = unsafe extern "C" fn(&mut Tape, &mut Frame, &ClosedLoop) -> u32;

/// A loop whose `]` has just jumped back, to be run by its closed form.
struct RunClosedLoop<'a> {
    tape: &'a mut Tape,
    frame: &'a mut Frame,
    data: &'a ClosedLoop,
    /// What the tape meant when native code was entered.
    skeleton: &'a Skeleton,
}

impl<V: Vectors> Work<V> for RunClosedLoop<'_> {
    type Output = u32;

    /// Answers with 0 if the run goes on behind the `]`, else with the number of the exit; the
    /// frame is exact.
    #[inline(always)]
    fn run(self, vectors: V) -> u32 {
        let RunClosedLoop {
            tape, frame, data, ..
        } = self;
        let base = frame.run.base as usize;
        let mut at = Registers {
            head0: frame.head0 as usize,
            head1: frame.head1 as usize,
            steps: 0,
            ops: 0,
        };
        let looped = data.looped.at_base(base);
        let (left, is_dirty) =
            looped.run(vectors, tape, &mut at, (frame.run.steps_left as u32, false));
        frame.head0 = at.head0 as u64;
        frame.head1 = at.head1 as u64;
        frame.run.steps_left -= u64::from(at.steps);
        frame.run.ops += u64::from(at.ops);
        frame.dirty |= u64::from(is_dirty);
        let (pc, exit) = match left {
            LoopExit::Done if is_dirty => {
                let changed = vectors.skeleton(data.dialect, tape).changes(self.skeleton);
                match data.is_done(frame, changed) {
                    Ok(()) => return 0,
                    Err(exit) => exit,
                }
            }
            LoopExit::Done => return 0,
            LoopExit::OutOfSteps => (base + data.first, Exit::OutOfSteps),
            LoopExit::Rewritten { next } => (next, Exit::Rewritten),
        };
        frame.run.pc = pc as u64;
        exit as u32
    }
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

/// What runs [`ClosedLoop`]s, compiled for a set of instructions.
pub(super) fn run_loop_with(set: InstructionSet) -> RunLoop {
    unsafe extern "C" fn call<V: Vectors>(
        tape: &mut Tape,
        frame: &mut Frame,
        data: &ClosedLoop,
    ) -> u32 {
        // SAFETY: `run_loop_with`, which alone names this function, was given the value.
        let vectors = unsafe { V::assume() };
        // SAFETY: `Frame::call` was promised that it is there. Nothing writes to it meanwhile.
        let skeleton = unsafe { &*frame.skeleton };
        vectors.run(RunClosedLoop {
            tape,
            frame,
            data,
            skeleton,
        })
    }
    fn with<V: Vectors>(_: V) -> RunLoop {
        call::<V>
    }
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512(vectors) => with(vectors),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2(vectors) => with(vectors),
        InstructionSet::Portable(vectors) => with(vectors),
    }
}

/// The type of [`skip_periods`].
pub(super) type SkipPeriods = unsafe extern "C" fn(&mut Tape, &mut Frame);

/// What native code calls now and then at a jump back, with the frame exact and
/// its `pc` where the jump goes: whole periods are skipped where the run repeats.
///
/// # Safety
///
/// For native code alone, which [`Frame::call`] entered.
pub(super) unsafe extern "C" fn skip_periods(tape: &mut Tape, frame: &mut Frame) {
    let state = State::new(
        frame.run.pc as usize,
        frame.head0 as usize,
        frame.head1 as usize,
    );
    let mut taken = Taken {
        steps: (frame.max_steps - frame.run.steps_left) as u32,
        ops: frame.run.ops as u32,
    };
    // SAFETY: `Frame::call` was promised that it is there, and nobody else uses it
    // before native code has been left.
    let recurrence = unsafe { &mut *frame.recurrence };
    if recurrence.skip(state, tape, &mut taken, frame.max_steps as u32) {
        frame.run.steps_left = frame.max_steps - u64::from(taken.steps);
        frame.run.ops = u64::from(taken.ops);
        frame.settled += 1;
    }
}
