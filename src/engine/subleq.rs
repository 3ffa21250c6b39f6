//! The interpreter of the subleq family: the rules' own steps, the first of several tapes
//! interleaved, and whole periods skipped.

use crate::engine::cycle::{self, Cyclic, Running, Taken};
use crate::engine::interleave::interleave;
use crate::engine::jit::{Jit, NativeTally};
use crate::engine::{Batch, RunTapes};
use crate::language::subleq::{State, Variant};
use crate::language::{Rules, Tape};

/// Steps after which a run may be in a cycle.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// How far a run is.
///
/// The place in eight bits, as every place that an instruction goes to has them
/// apart from those on the tape; the steps above. (In one number, which is
/// written and read as a whole: parts that are read together wait for each other.)
#[derive(Clone, Copy, Default)]
struct Run(u32);

impl Run {
    #[inline(always)]
    fn state(self) -> State {
        State {
            pc: self.0 as u8 as usize,
        }
    }

    #[inline(always)]
    fn steps(self) -> u32 {
        self.0 >> 8
    }

    /// Once it has taken a step more, which led to `state`.
    #[inline(always)]
    fn then(self, state: State) -> Run {
        Run((self.steps() + 1) << 8 | u32::from(state.pc as u8))
    }
}

/// The interpreter of a variant.
#[derive(Debug)]
pub(super) struct Interpreter<const ADDRESSES: usize, const RELATIVE: bool>(
    pub &'static Variant<ADDRESSES, RELATIVE>,
);

impl<const ADDRESSES: usize, const RELATIVE: bool> RunTapes for Interpreter<ADDRESSES, RELATIVE> {
    fn run_tapes(&self, batch: Batch<'_>, _: Option<&Jit>) -> NativeTally {
        run_all(self.0, batch);
        NativeTally::default()
    }
}

/// Run all tapes of a batch.
fn run_all<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    batch: Batch<'_>,
) {
    let Batch {
        tapes,
        outcomes,
        max_steps,
    } = batch;
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut runs = [Run::default(); BATCH];
        let runs = &mut runs[..tapes.len()];
        let first = FIRST.min(max_steps);
        if first > 0 {
            interleave(tapes.len(), Run::default(), |index, run| {
                let mut state = run.state();
                let ended = variant.step(&mut tapes[index], &mut state).ended;
                let run = run.then(state);
                runs[index] = run;
                (run, ended.is_some() | (run.steps() == first))
            });
        }
        for ((run, tape), outcome) in runs.iter().zip(tapes).zip(outcomes) {
            let (state, steps) = (run.state(), run.steps());
            let taken = Taken { steps, ops: steps };
            *outcome = match variant.ended(&state) {
                Some(ended) => taken.outcome(ended),
                None => {
                    let mut now = Running { state, taken };
                    cycle::run(variant, tape, &mut now, FIRST, max_steps, |_, _, _| None)
                }
            };
        }
    }
}

/// Tapes that are run together, at most.
const BATCH: usize = 32;

impl<const ADDRESSES: usize, const RELATIVE: bool> Cyclic for Variant<ADDRESSES, RELATIVE> {
    #[inline(always)]
    fn pc(state: &State) -> usize {
        state.pc
    }

    #[inline(always)]
    fn alike(then: &State, now: &State) -> bool {
        then.pc == now.pc
    }

    #[inline(always)]
    fn skip(
        &self,
        _tape: &Tape,
        _then: &State,
        now: State,
        _period: u32,
        periods: u32,
    ) -> Option<(State, u32)> {
        Some((now, periods))
    }
}
