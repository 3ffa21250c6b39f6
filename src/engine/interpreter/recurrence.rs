//! Skipping whole periods: a run that comes back to a state repeats from there.

use crate::language::{TAPE_LEN, Tape};

/// What one period of a recurring run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub steps: u32,
    pub ops: u32,
}

/// Notices when a run is in a state that it was in before, tape and all.
///
/// It is told of the run's states now and then (at jumps back, which every
/// run that goes on for long must take), and holds one of them at a time, a
/// later one after 1, 2, 4, 8, … tellings (Brent's method): whatever the
/// period, the state held lies on the cycle soon enough, and is met again.
pub struct Recurrence<S> {
    held: Option<Held<S>>,
    told: u32,
    next_hold: u32,
}

struct Held<S> {
    state: S,
    tape: [u8; TAPE_LEN],
    steps: u32,
    ops: u32,
}

impl<S: PartialEq + Clone> Recurrence<S> {
    pub fn new() -> Self {
        Recurrence {
            held: None,
            told: 0,
            next_hold: 1,
        }
    }

    /// Tell of a state: everything, with `tape`, that the rest of the run
    /// depends on. Answers with the period where it was there before.
    #[inline]
    pub fn tell(&mut self, state: &S, tape: &Tape, steps: u32, ops: u32) -> Option<Period> {
        if let Some(held) = &self.held
            && held.state == *state
            && held.tape == *tape
        {
            return Some(Period {
                steps: steps - held.steps,
                ops: ops - held.ops,
            });
        }
        self.told += 1;
        if self.told == self.next_hold {
            self.next_hold *= 2;
            self.held = Some(Held {
                state: state.clone(),
                tape: *tape,
                steps,
                ops,
            });
        }
        None
    }
}

impl Period {
    /// Run as many whole periods as fit; less than one is left to do.
    #[inline]
    pub fn skip(self, steps: &mut u32, ops: &mut u32, max_steps: u32) {
        let periods = (max_steps - *steps) / self.steps;
        *steps += periods * self.steps;
        *ops += periods * self.ops;
    }
}
