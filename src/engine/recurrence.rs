//! Skipping whole periods: a run that comes back to a state repeats from there.

use crate::language::{TAPE_LEN, Tape};

/// What one period of a recurring run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub steps: u32,
    pub ops: u32,
}

/// Where a BFF run stands, besides its tape: the program counter and both heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u32);

impl State {
    /// No run's state.
    const NONE: State = State(u32::MAX);

    #[inline(always)]
    pub fn new(pc: usize, head0: usize, head1: usize) -> State {
        State((pc << 16 | head0 << 8 | head1) as u32)
    }
}

/// States that are held besides: the latest.
const RECENT: usize = 8;

/// Notices when a run is in a state that it was in before, tape and all.
///
/// It is told of the run's states now and then (at jumps back, which every
/// run that goes on for long must take). It holds the latest of them, which tell
/// of short periods soon, and one more, a later one after 1, 2, 4, 8, … tellings
/// (Brent's method): whatever the period, the state held lies on the cycle soon
/// enough, and is met again.
#[derive(Clone)]
pub struct Recurrence {
    /// The states held; the last is Brent's.
    states: [State; RECENT + 1],
    held: [Held; RECENT + 1],
    told: u32,
    next_hold: u32,
}

#[derive(Clone, Copy)]
struct Held {
    tape: Tape,
    steps: u32,
    ops: u32,
}

impl Recurrence {
    pub const NEW: Recurrence = Recurrence {
        states: [State::NONE; RECENT + 1],
        held: [Held {
            tape: [0; TAPE_LEN],
            steps: 0,
            ops: 0,
        }; RECENT + 1],
        told: 0,
        next_hold: RECENT as u32,
    };

    /// Begin with another run.
    #[inline(always)]
    pub fn restart(&mut self) {
        if self.told > 0 {
            self.states = [State::NONE; RECENT + 1];
            self.told = 0;
            self.next_hold = RECENT as u32;
        }
    }

    /// Tell of a state: everything, with `tape`, that the rest of the run
    /// depends on. Answers with the period where it was there before.
    #[inline]
    pub fn tell(&mut self, state: State, tape: &Tape, steps: u32, ops: u32) -> Option<Period> {
        // Of several the latest to be held is as good as any.
        let alike = self.states.iter().position(|held| *held == state);
        if let Some(index) = alike
            && let Held { tape: then, .. } = &self.held[index]
            && then == tape
        {
            let held = &self.held[index];
            return Some(Period {
                steps: steps - held.steps,
                ops: ops - held.ops,
            });
        }
        let held = Held {
            tape: *tape,
            steps,
            ops,
        };
        // The same state on another tape: the old one will hardly come again.
        let index = alike.unwrap_or(self.told as usize % RECENT);
        self.states[index] = state;
        self.held[index] = held;
        self.told += 1;
        if self.told == self.next_hold {
            self.next_hold *= 2;
            self.states[RECENT] = state;
            self.held[RECENT] = held;
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
