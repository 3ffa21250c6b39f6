//! Runs that come back to where they were.
//!
//! What a run does next depends on its tape and its state alone. So a run that is once more in a
//! state in which it was, on the same tape, repeats what it did since, again and again, and whole
//! periods can be counted instead of run: [`Taken::skip_periods`]. What is left then is less than
//! a period, and is run.
//!
//! To notice it, some earlier state must be held to compare with. [`Brent`] says when to hold
//! which: a later one each time that the run has become twice as long (Brent's method). Whatever
//! the period, one of the states held lies on the cycle soon enough, and is met again before the
//! next one takes its place. Four sorts of runs use this: steps by a family's rules ([`run`]),
//! jumps back of the BFF interpreter (`bff/recurrence.rs`) and of runs that trace bytes
//! (`bff/traced.rs`), and iterations of Forth loops (`forth/trace/`).
//!
//! Which states are held only decides how soon a period is found, not what a run comes to.

use crate::language::{Ended, Outcome, Rules, Tape};

/// How many steps and ops a run has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub steps: u32,
    pub ops: u32,
}

impl Taken {
    /// What the run came to if it ended here.
    #[inline(always)]
    pub(crate) fn outcome(self, ended: Ended) -> Outcome {
        Outcome {
            ops: self.ops,
            steps: self.steps,
            ended,
        }
    }

    /// How often what was done since `then` can be done again in `max_steps`.
    #[inline(always)]
    pub(crate) fn periods_left(self, then: Taken, max_steps: u32) -> u32 {
        (max_steps - self.steps) / (self.steps - then.steps)
    }

    /// Do what was done since `then` so many times more.
    #[inline(always)]
    pub(crate) fn repeat(&mut self, then: Taken, periods: u32) {
        self.ops += periods * (self.ops - then.ops);
        self.steps += periods * (self.steps - then.steps);
    }

    /// Given that the run was at `then` as it is now: take as many whole periods as fit, so that
    /// less than one is left.
    #[inline(always)]
    pub(crate) fn skip_periods(&mut self, then: Taken, max_steps: u32) {
        self.repeat(then, self.periods_left(then, max_steps));
    }
}

/// When to hold a state of a run, to notice that it comes back to it: Brent's method.
///
/// A run is as long as it has been told, in whatever is counted: steps, jumps, iterations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brent {
    next: u32,
}

impl Brent {
    /// The first state is held once a run is so long.
    pub(super) const fn from(first: u32) -> Brent {
        Brent { next: first }
    }

    /// How long a run is when its next state is to be held.
    #[inline(always)]
    pub(super) fn next(self) -> u32 {
        self.next
    }

    /// Whether the state of a run that is so long now is to be held. If so, the next one is once
    /// it is twice as long.
    #[inline(always)]
    pub(super) fn holds(&mut self, len: u32) -> bool {
        let is_due = len >= self.next;
        if is_due {
            self.next = len.saturating_mul(2);
        }
        is_due
    }
}

/// A run by a family's rules.
#[derive(Clone)]
pub(super) struct Running<S> {
    pub state: S,
    pub taken: Taken,
}

/// Rules whose runs can be told to repeat.
pub(super) trait Cyclic: Rules<State: Clone> {
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
/// A state is held after `first` steps, and later ones as [`Brent`] says. One that comes back is
/// in a cycle, and whole periods are skipped. A run that is shorter than `first` pays for nothing;
/// where that is more than `max_steps`, nothing is skipped.
///
/// After every jump back `leap` is told from where, and may go on by whole iterations of
/// a loop; it answers with how the run ended, if it did.
#[inline(always)]
pub(super) fn run<R: Cyclic>(
    rules: &R,
    tape: &mut Tape,
    now: &mut Running<R::State>,
    first: u32,
    max_steps: u32,
    mut leap: impl FnMut(&mut Tape, &mut Running<R::State>, usize) -> Option<Ended>,
) -> Outcome {
    let mut held: Option<(Running<R::State>, Tape)> = None;
    let mut held_pc = usize::MAX;
    let mut brent = Brent::from(first);
    loop {
        let until = brent.next().min(max_steps);
        while now.taken.steps < until {
            let pc = R::pc(&now.state);
            let step = rules.step(tape, &mut now.state);
            now.taken.steps += 1;
            now.taken.ops += u32::from(step.is_op);
            let mut ended = step.ended;
            if ended.is_none() && R::pc(&now.state) < pc {
                ended = leap(tape, now, pc);
            }
            if let Some(ended) = ended {
                return now.taken.outcome(ended);
            }
            if R::pc(&now.state) == held_pc {
                break;
            }
        }
        if R::pc(&now.state) == held_pc
            && let Some((then, tape_then)) = &held
            && R::alike(&then.state, &now.state)
            && *tape_then == *tape
        {
            let period = now.taken.steps - then.taken.steps;
            let most = now.taken.periods_left(then.taken, max_steps);
            if let Some((behind, periods)) =
                rules.skip(tape, &then.state, now.state.clone(), period, most)
            {
                now.state = behind;
                now.taken.repeat(then.taken, periods);
                // Less than a period is left.
                held_pc = usize::MAX;
                brent = Brent::from(max_steps);
            }
        }
        if now.taken.steps == max_steps {
            return now.taken.outcome(Ended::StepLimit);
        }
        if brent.holds(now.taken.steps) {
            held_pc = R::pc(&now.state);
            held = Some((now.clone(), *tape));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of so many states, then a cycle of so many: how long it is when a state held comes
    /// again.
    fn found(tail: u32, period: u32) -> u32 {
        let state = |len: u32| {
            if len < tail {
                len
            } else {
                tail + (len - tail) % period
            }
        };
        let mut brent = Brent::from(1);
        let mut held = None;
        for len in 0.. {
            if held == Some(state(len)) {
                return len;
            }
            if brent.holds(len) {
                held = Some(state(len));
            }
        }
        u32::MAX
    }

    #[test]
    fn every_cycle_is_found() {
        for tail in 0..70 {
            for period in 1..70 {
                let len = found(tail, period);
                assert!(len <= 2 * tail.max(period) + 2 + period, "{tail} {period}");
            }
        }
    }

    #[test]
    fn whole_periods_are_skipped() {
        let then = Taken { steps: 30, ops: 20 };
        let mut now = Taken { steps: 37, ops: 23 };
        now.skip_periods(then, 100);
        assert_eq!((now.steps, now.ops), (100, 50));
        let mut now = Taken { steps: 37, ops: 23 };
        now.skip_periods(then, 43);
        assert_eq!((now.steps, now.ops), (37, 23));
    }
}
