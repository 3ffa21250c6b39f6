//! Tapes whose programs are native code.

use super::{BATCH, Context, FEW_STEPS, NEARLY_OVER, Run, Scratch};
use super::{finish, read_from_start, step_on};
use crate::engine::Batch;
use crate::engine::bff::recurrence::Recurrence;
use crate::engine::bff::registers::Registers;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::jit::bff::{Cache, Frame};
use crate::engine::jit::{Exit, Native, NativeTally};
use crate::engine::simd::{Vectors, Work};
use crate::language::bff::Dialect;
use crate::language::{Ended, Outcome, PROGRAM_LEN, Rules, TAPE_LEN, Tape};

/// Steps in native code beyond which it was worth while to enter it, however it was
/// left.
pub(super) const WORTH_STEPS: u32 = 48;

/// Runs all tapes of a batch, by the native code of their programs where there is some.
pub(super) struct WalkByPrograms<'a> {
    pub context: Context<'a>,
    pub jit: &'a Cache,
    pub batch: Batch<'a>,
}

impl<V: Vectors> Work<V> for WalkByPrograms<'_> {
    type Output = NativeTally;

    #[inline(always)]
    fn run(self, vectors: V) -> NativeTally {
        let WalkByPrograms {
            mut context,
            jit,
            batch,
        } = self;
        let dialect = context.dialect;
        // SAFETY: as in `WalkAll`.
        let scratch = unsafe { &mut *Scratch::get() };
        context.begin(vectors, batch.tapes, &mut scratch.batches);
        let mut tally = NativeTally::default();
        tally.looked_up.programs += batch.tapes.len() as u64;
        let tapes = batch.tapes.chunks_mut(BATCH);
        for (tapes, outcomes) in tapes.zip(batch.outcomes.chunks_mut(BATCH)) {
            let mut natives = [Programs::default(); BATCH];
            let scripts = scratch.scripts.iter_mut();
            for ((programs, tape), script) in natives.iter_mut().zip(tapes.iter()).zip(scripts) {
                *programs = Programs::find(vectors, jit, dialect, tape);
                if programs.left.is_none() {
                    read_from_start(vectors, dialect, tape, script);
                }
            }
            let scripts = scratch.scripts.iter_mut();
            let running = tapes.iter_mut().zip(outcomes).zip(scripts);
            for (((tape, outcome), script), programs) in running.zip(&natives) {
                scratch.recurrence.restart();
                let run = Run {
                    vectors,
                    context,
                    tape,
                    script,
                    recurrence: &mut scratch.recurrence,
                    seen_loops: &mut scratch.seen_loops,
                    tally: &mut tally,
                };
                *outcome = run.by_programs(jit, programs);
            }
        }
        tally
    }
}

impl<V: Vectors> Run<'_, '_, V> {
    /// Run by the programs of the tape, where they are native, and walk the rest. Where the left
    /// one is not, the script tells of the tape already.
    #[inline(always)]
    fn by_programs(mut self, jit: &Cache, programs: &Programs) -> Outcome {
        let (pc, index, taken) = match programs.left {
            None => {
                let pc = self.context.dialect.start(self.tape).pc;
                (pc, self.script.index(self.vectors, pc), (0, 0))
            }
            Some(left) => match self.native_programs(jit, left, programs) {
                Ok((pc, at)) => (pc, 0, (at.steps, at.ops)),
                Err(outcome) => return outcome,
            },
        };
        self.walk((pc, index), taken)
    }

    /// Run by native programs. Where the run goes on, of which the script then tells; or how it
    /// ended.
    #[inline(always)]
    fn native_programs(
        &mut self,
        jit: &Cache,
        left: Native,
        programs: &Programs,
    ) -> Result<(usize, Registers), Outcome> {
        let Context {
            dialect, max_steps, ..
        } = self.context;
        // SAFETY: the programs were found by what the tape means, which has not been run since.
        let (place, at) = unsafe {
            programs.run(
                &self.context,
                (jit, left),
                self.tape,
                self.recurrence,
                self.tally,
            )
        };
        let (place, at) = match place {
            TAPE_LEN => (place, at),
            NEARLY_OVER.. => step_on(dialect, self.tape, place, at, max_steps),
            _ => (place, at),
        };
        if place >= TAPE_LEN {
            return Err(at.outcome(Ended::LeftTape));
        }
        if max_steps - at.steps <= FEW_STEPS {
            return Err(finish(dialect, self.tape, place, at, max_steps));
        }
        self.script.read(self.vectors, dialect, self.tape, place);
        self.script.aim_first(self.vectors, at.head0, at.head1);
        Ok((place, at))
    }
}

/// Native code of the programs of a tape.
#[derive(Clone, Copy, Default)]
struct Programs {
    left: Option<Native>,
    right: Option<Native>,
    skeleton: Skeleton,
}

impl Programs {
    #[inline(always)]
    fn find(vectors: impl Vectors, jit: &Cache, dialect: &Dialect, tape: &Tape) -> Programs {
        let skeleton = vectors.skeleton(dialect, tape);
        Programs {
            left: jit.index().find_left(&skeleton.left(dialect.first_place())),
            right: jit.index().find_right(&skeleton.right()),
            skeleton,
        }
    }

    /// Run `tape` by the left program and, where that comes to its end, by the
    /// right one. The place that the run has come to, and its registers.
    ///
    /// # Safety
    ///
    /// The programs must be those of the tape, found in `jit`.
    #[inline(always)]
    unsafe fn run(
        &self,
        context: &Context<'_>,
        (jit, left): (&Cache, Native),
        tape: &mut Tape,
        recurrence: &mut Recurrence,
        tally: &mut NativeTally,
    ) -> (usize, Registers) {
        let start = context.dialect.start(tape);
        let at = Registers {
            head0: start.head0,
            head1: start.head1,
            steps: 0,
            ops: 0,
        };
        let mut frame = Frame::new(&at, context.max_steps, &self.skeleton, recurrence);
        // SAFETY: the function is that of what the left program means, and code is freed only
        // where `jit` is borrowed for itself alone; skeleton and recurrence outlive the frame.
        let mut exit = unsafe { frame.call(left.function, tape, 0) };
        tally.entered.programs += 1;
        let mut last = left;
        if exit == Exit::End
            && let Some(right) = self.right
        {
            tally.exits[Exit::End as usize] += 1;
            tally.entered.programs += 1;
            // SAFETY: as above, of what the right program means up to the frame's invalidation
            // point, the first place that the left one has changed.
            exit = unsafe { frame.call(right.function, tape, PROGRAM_LEN) };
            last = right;
        }
        let at = frame.registers();
        tally.exits[exit as usize] += 1;
        tally.ops += u64::from(at.ops);
        tally.steps += u64::from(at.steps);
        tally.iterations += frame.run.iterations;
        tally.settled += frame.settled;
        if context.rates {
            let is_over = matches!(exit, Exit::End | Exit::OutOfSteps);
            jit.rate(last, is_over || at.steps > WORTH_STEPS);
        }
        (frame.run.pc as usize, at)
    }
}
