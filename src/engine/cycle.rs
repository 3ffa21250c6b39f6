//! Runs by a family's rules that skip what repeats.

use crate::language::{Ended, Outcome, Rules, Tape};

/// Where a run stands.
#[derive(Clone)]
pub struct Standing<S> {
    pub state: S,
    pub steps: u32,
    pub ops: u32,
}

impl<S> Standing<S> {
    /// What the run came to if it ended here.
    pub fn outcome(&self, ended: Ended) -> Outcome {
        Outcome {
            ops: self.ops,
            steps: self.steps,
            ended,
        }
    }
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
/// is shorter pays for nothing, and with no other stretch nothing is skipped.
///
/// After every jump back `leap` is told from where, and may go on by whole laps of
/// a loop; it answers with how the run ended, if it did.
#[inline(always)]
pub fn run<R: Cyclic>(
    rules: &R,
    tape: &mut Tape,
    now: &mut Standing<R::State>,
    first: u32,
    max_steps: u32,
    mut leap: impl FnMut(&mut Tape, &mut Standing<R::State>, usize) -> Option<Ended>,
) -> Outcome {
    let mut start: Option<(Standing<R::State>, Tape)> = None;
    let mut start_pc = usize::MAX;
    let mut until = first.min(max_steps);
    loop {
        while now.steps < until {
            let pc = R::pc(&now.state);
            let step = rules.step(tape, &mut now.state);
            now.steps += 1;
            now.ops += u32::from(step.is_op);
            let mut ended = step.ended;
            if ended.is_none() && R::pc(&now.state) < pc {
                ended = leap(tape, now, pc);
            }
            if let Some(ended) = ended {
                return now.outcome(ended);
            }
            if R::pc(&now.state) == start_pc {
                break;
            }
        }
        if R::pc(&now.state) == start_pc
            && let Some((then, tape_then)) = &start
            && R::alike(&then.state, &now.state)
            && *tape_then == *tape
        {
            let period = now.steps - then.steps;
            let most = (max_steps - now.steps) / period;
            if let Some((behind, periods)) =
                rules.skip(tape, &then.state, now.state.clone(), period, most)
            {
                now.state = behind;
                now.ops += periods * (now.ops - then.ops);
                now.steps += periods * period;
                // Less than a period is left.
                start_pc = usize::MAX;
                until = max_steps;
            }
        }
        if now.steps == max_steps {
            return now.outcome(Ended::StepLimit);
        }
        if now.steps >= until {
            start_pc = R::pc(&now.state);
            start = Some((now.clone(), *tape));
            until = now.steps.saturating_mul(2).min(max_steps);
        }
    }
}
