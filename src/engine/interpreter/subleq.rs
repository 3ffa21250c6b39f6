//! The subleq family: its rules, with whole periods skipped.

use super::cycle::{self, Cyclic, Standing};
use crate::language::subleq::{State, Variant};
use crate::language::{Outcome, Rules, Tape};

/// Steps after which a run may be in a cycle.
///
/// Hardly any run of a random tape that leaves the tape takes as many.
const FIRST: u32 = 16;

/// Run `tape` for at most `max_steps` steps.
pub fn run<const ADDRESSES: usize, const RELATIVE: bool>(
    variant: &Variant<ADDRESSES, RELATIVE>,
    tape: &mut Tape,
    max_steps: u32,
) -> Outcome {
    let state = variant.start(tape);
    let now = Standing {
        state,
        steps: 0,
        ops: 0,
    };
    cycle::run(variant, tape, now, FIRST, max_steps)
}

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
