//! The subleq family: its rules, with whole periods skipped.

use std::hint::select_unpredictable;

use super::cycle::{self, Cyclic, Standing};
use crate::language::subleq::{State, Variant};
use crate::language::{Ended, Outcome, Rules, Tape};

/// Steps after which a run may be in a cycle.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// Tapes that take turns.
const LANES: usize = 4;

/// A run that has begun.
#[derive(Clone, Copy, Default)]
struct Run {
    tape: usize,
    pc: usize,
    steps: u32,
}

/// Run each of `tapes` for at most `max_steps` steps.
///
/// A step waits for the one before it, which says where the next one is, and
/// most runs end after a few, nobody can guess how many. So some runs take turns,
/// and where one ends, the next tape takes its place without a branch.
pub fn run_all<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
) {
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut lanes: [Run; LANES] = std::array::from_fn(|tape| Run {
            tape,
            ..Run::default()
        });
        let mut rest = [Run::default(); BATCH];
        let (first, mut next, mut unfinished) = (FIRST.min(max_steps), LANES, 0);
        if first > 0 && tapes.len() > LANES {
            'turns: loop {
                for lane in 0..LANES {
                    let run = &mut lanes[lane];
                    let mut state = State { pc: run.pc };
                    let step = variant.step(&mut tapes[run.tape], &mut state);
                    run.pc = state.pc;
                    run.steps += 1;
                    // Where the run goes on, another one follows.
                    outcomes[run.tape] = Outcome {
                        ops: run.steps,
                        steps: run.steps,
                        ended: Ended::LeftTape,
                    };
                    let ended = step.ended.is_some();
                    let goes_on = !ended & (run.steps == first);
                    rest[unfinished % BATCH] = *run;
                    unfinished += usize::from(goes_on);
                    let over = ended | goes_on;
                    if over & (next == tapes.len()) {
                        lanes[lane] = lanes[LANES - 1];
                        break 'turns;
                    }
                    run.tape = select_unpredictable(over, next, run.tape);
                    run.pc = select_unpredictable(over, 0, run.pc);
                    run.steps = select_unpredictable(over, 0, run.steps);
                    next += usize::from(over);
                }
            }
            for run in &lanes[..LANES - 1] {
                rest[unfinished % BATCH] = *run;
                unfinished += 1;
            }
        } else {
            unfinished = tapes.len();
            rest = std::array::from_fn(|tape| Run {
                tape,
                ..Run::default()
            });
        }
        for run in &rest[..unfinished] {
            let now = Standing {
                state: State { pc: run.pc },
                steps: run.steps,
                ops: run.steps,
            };
            outcomes[run.tape] = cycle::run(variant, &mut tapes[run.tape], now, FIRST, max_steps);
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
