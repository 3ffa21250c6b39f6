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

/// Runs that have begun: of which tape each, at which place, after how many steps.
///
/// (Not an array of runs: one that was written by parts and is read as a whole
/// at once waits for its parts to reach the cache.)
struct Runs<const LEN: usize> {
    tape: [u32; LEN],
    pc: [usize; LEN],
    steps: [u32; LEN],
}

impl<const LEN: usize> Runs<LEN> {
    /// The runs of the first tapes.
    fn first() -> Runs<LEN> {
        Runs {
            tape: std::array::from_fn(|tape| tape as u32),
            pc: [0; LEN],
            steps: [0; LEN],
        }
    }

    #[inline(always)]
    fn set<const OTHER: usize>(&mut self, index: usize, from: &Runs<OTHER>, at: usize) {
        self.tape[index] = from.tape[at];
        self.pc[index] = from.pc[at];
        self.steps[index] = from.steps[at];
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
        let mut rest = Runs::<BATCH>::first();
        let mut unfinished = tapes.len();
        if max_steps > 0 && tapes.len() > LANES {
            unfinished = take_turns(variant, tapes, FIRST.min(max_steps), outcomes, &mut rest);
        }
        for run in 0..unfinished {
            let now = Standing {
                state: State { pc: rest.pc[run] },
                steps: rest.steps[run],
                ops: rest.steps[run],
            };
            let tape = rest.tape[run] as usize;
            outcomes[tape] = cycle::run(variant, &mut tapes[tape], now, FIRST, max_steps);
        }
    }
}

/// Run `tapes`, more than there are lanes, for at most `max_steps` steps, not 0.
/// Those that go on, and the last few, are left in `rest`: so many.
#[inline(always)]
fn take_turns<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
    rest: &mut Runs<BATCH>,
) -> usize {
    let (mut lanes, mut next, mut unfinished) = (Runs::<LANES>::first(), LANES, 0);
    'turns: loop {
        for lane in 0..LANES {
            let tape = lanes.tape[lane] as usize;
            let mut state = State { pc: lanes.pc[lane] };
            let step = variant.step(&mut tapes[tape], &mut state);
            lanes.pc[lane] = state.pc;
            lanes.steps[lane] += 1;
            // Where the run goes on, another one follows.
            outcomes[tape] = Outcome {
                ops: lanes.steps[lane],
                steps: lanes.steps[lane],
                ended: Ended::LeftTape,
            };
            let ended = step.ended.is_some();
            let goes_on = !ended & (lanes.steps[lane] == max_steps);
            rest.set(unfinished % BATCH, &lanes, lane);
            unfinished += usize::from(goes_on);
            let over = ended | goes_on;
            if over & (next == tapes.len()) {
                let last = Runs { ..lanes };
                lanes.set(lane, &last, LANES - 1);
                break 'turns;
            }
            lanes.tape[lane] = select_unpredictable(over, next as u32, lanes.tape[lane]);
            lanes.pc[lane] = select_unpredictable(over, 0, lanes.pc[lane]);
            lanes.steps[lane] = select_unpredictable(over, 0, lanes.steps[lane]);
            next += usize::from(over);
        }
    }
    for lane in 0..LANES - 1 {
        rest.set(unfinished % BATCH, &lanes, lane);
        unfinished += 1;
    }
    unfinished
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
