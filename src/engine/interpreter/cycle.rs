//! Runs by a family's rules that skip what repeats.

use crate::language::{Ended, Outcome, Rules, Tape};

/// Where a run stands.
#[derive(Clone)]
pub struct Standing<S> {
    pub state: S,
    pub steps: u32,
    pub ops: u32,
}

/// Rules whose runs can be told to repeat.
pub trait Cyclic: Rules<State: Clone> {
    /// Place of the byte about to be read.
    fn pc(state: &Self::State) -> usize;

    /// Whether [`Cyclic::skip`] is worth asking: a cheap test, which sorts out
    /// nearly all that do not repeat. Where it errs, only time is lost.
    fn alike(then: &Self::State, now: &Self::State) -> bool;

    /// Given that the run was at `then` one period ago, with `tape` as it is,
    /// skip at most `periods` more of them: the state behind them and their
    /// number, or nothing if this run does not repeat.
    fn skip(
        &self,
        tape: &Tape,
        then: &Self::State,
        now: Self::State,
        period: u32,
        periods: u32,
    ) -> Option<(Self::State, u32)>;
}

/// Go on from `now` until the run ends, at the latest after `max_steps` steps.
///
/// A run that goes on for long mostly comes back to where it was. So it is done
/// in stretches, each as long as all before it (Brent's method). A stretch
/// that comes back to its start is in a cycle, and whole periods are skipped.
/// The first stretch ends after `first` steps and starts nowhere: a run that
/// is shorter pays for nothing.
#[inline(always)]
pub fn run<R: Cyclic>(
    rules: &R,
    tape: &mut Tape,
    now: Standing<R::State>,
    first: u32,
    max_steps: u32,
) -> Outcome {
    let Standing {
        mut state,
        mut steps,
        mut ops,
    } = now;
    let mut start: Option<(Standing<R::State>, Tape)> = None;
    let mut start_pc = usize::MAX;
    let mut until = first.min(max_steps);
    loop {
        while steps < until {
            let step = rules.step(tape, &mut state);
            steps += 1;
            ops += u32::from(step.is_op);
            if let Some(ended) = step.ended {
                return Outcome { ops, steps, ended };
            }
            if R::pc(&state) == start_pc {
                break;
            }
        }
        if R::pc(&state) == start_pc
            && let Some((then, tape_then)) = &start
            && R::alike(&then.state, &state)
            && *tape_then == *tape
        {
            let period = steps - then.steps;
            let most = (max_steps - steps) / period;
            if let Some((behind, periods)) =
                rules.skip(tape, &then.state, state.clone(), period, most)
            {
                state = behind;
                ops += periods * (ops - then.ops);
                steps += periods * period;
                // Less than a period is left.
                start_pc = usize::MAX;
                until = max_steps;
            }
        }
        if steps == max_steps {
            return Outcome {
                ops,
                steps,
                ended: Ended::StepLimit,
            };
        }
        if steps == until {
            let standing = Standing {
                state: state.clone(),
                steps,
                ops,
            };
            start_pc = R::pc(&state);
            start = Some((standing, *tape));
            until = until.saturating_mul(2).min(max_steps);
        }
    }
}
