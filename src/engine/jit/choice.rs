//! Which native code is worth looking for, found by trying.
//!
//! Looking for native code takes time, and whether that pays depends on the soup
//! and changes as it lives. So now and then a few epochs are run each way in
//! turns, and the fastest way is kept until the next trial. The clock decides
//! about speed alone: all ways give the same soup.

use std::time::Duration;

/// What native code is looked for; the first is the plain interpreter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// None.
    Nothing,
    /// That of loops.
    Loops,
    /// That of programs and of loops.
    #[default]
    Everything,
}

impl Way {
    /// Every way.
    pub const ALL: [Way; 3] = [Way::Nothing, Way::Loops, Way::Everything];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Nothing => "interpreter",
            Way::Loops => "loops",
            Way::Everything => "programs",
        }
    }
}

/// Rounds of a trial; each runs an epoch each way.
const ROUNDS: u32 = 2;
/// Epochs between trials, at first and at most.
const FIRST_PAUSE: u32 = 32;
const LONGEST_PAUSE: u32 = 512;
/// What looking for more must save to be chosen, as a share.
const WORTH: f64 = 0.01;

/// Chooses a way.
#[derive(Debug)]
pub struct Choice {
    /// The way that there is always.
    least: Way,
    way: Way,
    /// The ways to choose from: there is code for them.
    open: [bool; Way::ALL.len()],
    /// What of the trial under way has been done.
    trial: Option<Trial>,
    pause: u32,
    left: u32,
}

#[derive(Debug, Default)]
struct Trial {
    turn: usize,
    times: [Option<Duration>; Way::ALL.len()],
}

impl Choice {
    pub fn new(least: Way) -> Choice {
        Choice {
            least,
            way: least,
            open: Way::ALL.map(|way| way == least),
            trial: None,
            pause: FIRST_PAUSE,
            left: 0,
        }
    }

    /// There is other native code than before: for these ways there is some.
    pub fn reconsider(&mut self, has_code: [bool; Way::ALL.len()]) {
        let is_open = |way| way == self.least || way > self.least && has_code[way as usize];
        let open = Way::ALL.map(is_open);
        if self.open != open {
            self.open = open;
            self.pause = FIRST_PAUSE;
            self.left = 0;
            self.trial = None;
        } else {
            self.left = self.left.min(FIRST_PAUSE);
        }
    }

    /// What to do in the next epoch, after one that took this `time`.
    pub fn next(&mut self, time: Duration) -> Way {
        if let Some(trial) = &mut self.trial {
            let best = &mut trial.times[self.way as usize];
            *best = Some(best.map_or(time, |best| best.min(time)));
        } else if self.left > 0 {
            self.left -= 1;
            return self.way;
        } else if self.open.iter().filter(|open| **open).count() > 1 {
            self.trial = Some(Trial::default());
        }
        let Some(trial) = &mut self.trial else {
            return self.way;
        };
        while trial.turn < ROUNDS as usize * Way::ALL.len() {
            let way = trial.turn % Way::ALL.len();
            trial.turn += 1;
            if self.open[way] {
                self.way = Way::ALL[way];
                return self.way;
            }
        }
        self.way = trial.best(self.least);
        self.trial = None;
        self.left = self.pause;
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        self.way
    }
}

impl Trial {
    fn best(&self, least: Way) -> Way {
        let mut best = (least, self.times[least as usize].unwrap_or(Duration::MAX));
        for way in Way::ALL {
            if let Some(time) = self.times[way as usize]
                && time.as_secs_f64() < best.1.as_secs_f64() * (1.0 - WORTH)
            {
                best = (way, time);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs out of a thousand that were run each way, if they take these
    /// microseconds.
    fn run(choice: &mut Choice, times: [u64; 3]) -> [u32; 3] {
        let mut counts = [0; 3];
        let mut way = choice.way;
        for _ in 0..1000 {
            counts[way as usize] += 1;
            way = choice.next(Duration::from_micros(times[way as usize]));
        }
        counts
    }

    #[test]
    fn the_fastest_way_is_kept_and_the_others_hardly_tried() {
        for (times, best) in [
            ([500, 510, 600], 0),
            ([500, 400, 600], 1),
            ([500, 400, 300], 2),
            // Too little to be worth it.
            ([1000, 995, 1000], 0),
        ] {
            let mut choice = Choice::new(Way::Nothing);
            choice.reconsider([true; 3]);
            let counts = run(&mut choice, times);
            assert!(counts[best] > 900, "{times:?} {counts:?}");
        }
    }

    #[test]
    fn the_choice_changes_with_the_soup() {
        let mut choice = Choice::new(Way::Nothing);
        choice.reconsider([true; 3]);
        run(&mut choice, [500, 600, 600]);
        assert_eq!(choice.way, Way::Nothing);
        let counts = run(&mut choice, [500, 600, 300]);
        assert!(counts[2] > 400, "{counts:?}");
    }

    #[test]
    fn less_than_the_least_is_not_tried() {
        let mut choice = Choice::new(Way::Loops);
        choice.reconsider([true; 3]);
        let counts = run(&mut choice, [1, 400, 500]);
        assert!(counts[0] == 0 && counts[1] > 900, "{counts:?}");
        let mut choice = Choice::new(Way::Everything);
        choice.reconsider([true; 3]);
        assert_eq!(run(&mut choice, [1, 1, 500]), [0, 0, 1000]);
    }

    #[test]
    fn what_has_no_code_is_not_tried() {
        let mut choice = Choice::new(Way::Nothing);
        assert_eq!(run(&mut choice, [500, 1, 1]), [1000, 0, 0]);
        choice.reconsider([true, true, false]);
        assert_eq!(run(&mut choice, [500, 400, 1])[2], 0);
    }
}
