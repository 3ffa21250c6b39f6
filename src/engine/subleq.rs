//! The subleq family: its rules, with a head start and whole periods skipped.

use crate::engine::cycle::{self, Cyclic, Standing};
use crate::engine::interleave::take_turns;
use crate::language::subleq::{State, Variant};
use crate::language::{Outcome, Rules, Tape};

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

/// Run each of `tapes` for at most `max_steps` steps.
pub fn run_all<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
) {
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut runs = [Run::default(); BATCH];
        let runs = &mut runs[..tapes.len()];
        let first = FIRST.min(max_steps);
        if first > 0 {
            take_turns(tapes.len(), Run::default(), |index, run| {
                let mut state = run.state();
                let ended = variant.step(&mut tapes[index], &mut state).ended;
                let run = run.then(state);
                runs[index] = run;
                (run, ended.is_some() | (run.steps() == first))
            });
        }
        for ((run, tape), outcome) in runs.iter().zip(tapes).zip(outcomes) {
            let (state, steps) = (run.state(), run.steps());
            *outcome = match variant.ended(&state) {
                Some(ended) => Outcome {
                    ops: steps,
                    steps,
                    ended,
                },
                None => {
                    let mut now = Standing {
                        state,
                        steps,
                        ops: steps,
                    };
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
