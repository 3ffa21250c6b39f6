//! Whole periods of BFF runs, looked for at jumps back: see [`crate::engine::cycle`].

use crate::engine::cycle::{Brent, Taken};
use crate::language::{TAPE_LEN, Tape};

/// Where a BFF run stands, besides its tape: the program counter and both heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u32);

impl State {
    /// No run's state.
    const NONE: State = State(u32::MAX);

    #[inline(always)]
    pub(crate) fn new(pc: usize, head0: usize, head1: usize) -> State {
        State((pc << 16 | head0 << 8 | head1) as u32)
    }
}

/// States that are held besides: the latest.
const RECENT: usize = 8;

/// Notices when a run is in a state that it was in before, tape and all.
///
/// It is told of the run's states now and then (at jumps back, which every
/// run that goes on for long must take). It holds the latest of them, which tell
/// of short periods soon, and one more, as [`Brent`] says.
#[derive(Clone)]
pub(crate) struct Recurrence {
    /// The states held; the last is Brent's.
    states: [State; RECENT + 1],
    held: [Held; RECENT + 1],
    told: u32,
    brent: Brent,
}

#[derive(Clone, Copy)]
struct Held {
    tape: Tape,
    taken: Taken,
}

impl Recurrence {
    pub(crate) const NEW: Recurrence = Recurrence {
        states: [State::NONE; RECENT + 1],
        held: [Held {
            tape: [0; TAPE_LEN],
            taken: Taken { steps: 0, ops: 0 },
        }; RECENT + 1],
        told: 0,
        brent: Brent::from(RECENT as u32),
    };

    /// Begin with another run.
    #[inline(always)]
    pub(crate) fn restart(&mut self) {
        if self.told > 0 {
            self.states = [State::NONE; RECENT + 1];
            self.told = 0;
            self.brent = Brent::from(RECENT as u32);
        }
    }

    /// Tell of a state: everything, with `tape`, that the rest of the run depends on.
    /// Where it was there before, take as many whole periods as fit, so that less
    /// than one is left to do, and say so.
    #[inline]
    pub(crate) fn skip(
        &mut self,
        state: State,
        tape: &Tape,
        taken: &mut Taken,
        max_steps: u32,
    ) -> bool {
        let (recent, brents) = self.states.split_at(RECENT);
        let alike = recent.iter().position(|held| *held == state);
        let brents = (brents[0] == state).then_some(RECENT);
        for index in alike.into_iter().chain(brents) {
            let held = &self.held[index];
            if held.tape == *tape {
                taken.skip_periods(held.taken, max_steps);
                return true;
            }
        }
        // Of states that differ in their tapes alone the latest is kept, besides
        // Brent's.
        let held = Held {
            tape: *tape,
            taken: *taken,
        };
        self.hold(alike.unwrap_or(self.told as usize % RECENT), state, held);
        self.told += 1;
        if self.brent.holds(self.told) {
            self.hold(RECENT, state, held);
        }
        false
    }

    #[inline(always)]
    fn hold(&mut self, index: usize, state: State, held: Held) {
        self.states[index] = state;
        self.held[index] = held;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter of so many values on the tape, told of each time; after how many
    /// tellings the period is found.
    fn tellings(values: u8) -> u32 {
        let mut recurrence = Recurrence::NEW;
        let state = State::new(3, 1, 2);
        let mut tape = [0; TAPE_LEN];
        for told in 1..2000 {
            tape[9] = (told % u32::from(values)) as u8;
            let mut taken = Taken {
                steps: 5 * told,
                ops: 2 * told,
            };
            if recurrence.skip(state, &tape, &mut taken, 1_000_000) {
                let Taken { steps, ops } = taken;
                let period = 5 * u32::from(values);
                assert!((1_000_000 - period..=1_000_000).contains(&steps));
                assert_eq!((steps % period, ops), (5 * told % period, steps / 5 * 2));
                return told;
            }
        }
        panic!("a period of {values} tellings is never found");
    }

    #[test]
    fn periods_are_found_where_the_tape_alone_changes() {
        for values in [1, 2, 7, 8, 9, 100, 255] {
            assert!(tellings(values) <= 16 + 3 * u32::from(values), "{values}");
        }
    }
}
