//! The subleq family: its rules, with whole periods skipped.

use std::hint::select_unpredictable;

use super::cycle::{self, Cyclic, Standing};
use crate::language::subleq::{State, Variant};
use crate::language::{Outcome, Rules, Tape};

/// Steps after which a run may be in a cycle.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// Tapes that take turns.
const LANES: usize = 4;

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
        let mut runs = [Run::default(); BATCH];
        let runs = &mut runs[..tapes.len()];
        if max_steps > 0 {
            take_turns(variant, tapes, FIRST.min(max_steps), runs);
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
                    cycle::run(variant, tape, &mut now, FIRST, max_steps)
                }
            };
        }
    }
}

/// Run `tapes` for at most `max_steps` steps, not 0, but for the last few, which
/// are left somewhere on their way.
#[inline(always)]
fn take_turns<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    tapes: &mut [Tape],
    max_steps: u32,
    runs: &mut [Run],
) {
    if tapes.len() < LANES {
        return;
    }
    // By lane: which tape it is at, and how far.
    let mut tape: [usize; LANES] = std::array::from_fn(|lane| lane);
    let mut run = [Run::default(); LANES];
    let mut next = LANES;
    loop {
        for lane in 0..LANES {
            let mut state = run[lane].state();
            let ended = variant.step(&mut tapes[tape[lane]], &mut state).ended;
            run[lane] = run[lane].then(state);
            runs[tape[lane]] = run[lane];
            let over = ended.is_some() | (run[lane].steps() == max_steps);
            if over & (next == tapes.len()) {
                return;
            }
            tape[lane] = select_unpredictable(over, next, tape[lane]);
            run[lane] = select_unpredictable(over, Run::default(), run[lane]);
            next += usize::from(over);
        }
    }
}

/// Tapes that are run together, at most.
const BATCH: usize = 32;

impl<const ADDRESSES: usize, const RELATIVE: bool> Cyclic for Variant<ADDRESSES, RELATIVE> {
    type Leaps = ();

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
