//! Which native code is worth looking for, found by trying.
//!
//! Looking for native code takes time, and whether that pays depends on the soup
//! and changes as it lives. So now and then a few epochs are run in each tier in
//! turn, and the fastest tier is kept until the next trial. The clock decides
//! about speed alone: all tiers give the same soup.

use std::time::Duration;

/// What native code is looked for; the first is the plain interpreter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tier {
    /// None.
    Interpreter,
    /// That of loops.
    Loops,
    /// That of programs and of loops.
    #[default]
    Programs,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Tier; 3] = [Tier::Interpreter, Tier::Loops, Tier::Programs];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Interpreter => "interpreter",
            Tier::Loops => "loops",
            Tier::Programs => "programs",
        }
    }
}

/// Rounds of a trial; each runs an epoch in each tier.
const ROUNDS: u32 = 2;
/// Epochs between trials, at first and at most.
const FIRST_BACKOFF: u32 = 32;
const LONGEST_BACKOFF: u32 = 512;
/// What looking for more must save to be chosen, as a share.
const WORTH: f64 = 0.01;

/// Selects a tier.
#[derive(Debug)]
pub(super) struct TierSelection {
    /// The lowest tier, which is always open.
    least: Tier,
    tier: Tier,
    /// The tiers to select from: there is code for them.
    open: [bool; Tier::ALL.len()],
    /// What has been done of the trial under way.
    trial: Option<Trial>,
    backoff: u32,
    /// Epochs to the next trial.
    epochs_left: u32,
}

#[derive(Debug, Default)]
struct Trial {
    turn: usize,
    times: [Option<Duration>; Tier::ALL.len()],
}

impl TierSelection {
    pub(super) fn new(least: Tier) -> TierSelection {
        TierSelection {
            least,
            tier: least,
            open: Tier::ALL.map(|tier| tier == least),
            trial: None,
            backoff: FIRST_BACKOFF,
            epochs_left: 0,
        }
    }

    /// There is other native code than before: for these tiers there is some.
    pub(super) fn reconsider(&mut self, has_code: [bool; Tier::ALL.len()]) {
        let is_open = |tier| tier == self.least || tier > self.least && has_code[tier as usize];
        let open = Tier::ALL.map(is_open);
        if self.open != open {
            self.open = open;
            self.backoff = FIRST_BACKOFF;
            self.epochs_left = 0;
            self.trial = None;
        } else {
            self.epochs_left = self.epochs_left.min(FIRST_BACKOFF);
        }
    }

    /// The tier of the next epoch, after one that took this `time`.
    pub(super) fn next(&mut self, time: Duration) -> Tier {
        if let Some(trial) = &mut self.trial {
            let best = &mut trial.times[self.tier as usize];
            *best = Some(best.map_or(time, |best| best.min(time)));
        } else if self.epochs_left > 0 {
            self.epochs_left -= 1;
            return self.tier;
        } else if self.open.iter().filter(|open| **open).count() > 1 {
            self.trial = Some(Trial::default());
        }
        let Some(trial) = &mut self.trial else {
            return self.tier;
        };
        while trial.turn < ROUNDS as usize * Tier::ALL.len() {
            let tier = trial.turn % Tier::ALL.len();
            trial.turn += 1;
            if self.open[tier] {
                self.tier = Tier::ALL[tier];
                return self.tier;
            }
        }
        self.tier = trial.best(self.least);
        self.trial = None;
        self.epochs_left = self.backoff;
        self.backoff = (2 * self.backoff).min(LONGEST_BACKOFF);
        self.tier
    }
}

impl Trial {
    fn best(&self, least: Tier) -> Tier {
        let mut best = (least, self.times[least as usize].unwrap_or(Duration::MAX));
        for tier in Tier::ALL {
            if let Some(time) = self.times[tier as usize]
                && time.as_secs_f64() < best.1.as_secs_f64() * (1.0 - WORTH)
            {
                best = (tier, time);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs out of a thousand that were run in each tier, if they take these
    /// microseconds.
    fn run(selection: &mut TierSelection, times: [u64; 3]) -> [u32; 3] {
        let mut counts = [0; 3];
        let mut tier = selection.tier;
        for _ in 0..1000 {
            counts[tier as usize] += 1;
            tier = selection.next(Duration::from_micros(times[tier as usize]));
        }
        counts
    }

    #[test]
    fn the_fastest_tier_is_kept_and_the_others_hardly_tried() {
        for (times, best) in [
            ([500, 510, 600], 0),
            ([500, 400, 600], 1),
            ([500, 400, 300], 2),
            // Too little to be worth it.
            ([1000, 995, 1000], 0),
        ] {
            let mut selection = TierSelection::new(Tier::Interpreter);
            selection.reconsider([true; 3]);
            let counts = run(&mut selection, times);
            assert!(counts[best] > 900, "{times:?} {counts:?}");
        }
    }

    #[test]
    fn the_selection_changes_with_the_soup() {
        let mut selection = TierSelection::new(Tier::Interpreter);
        selection.reconsider([true; 3]);
        run(&mut selection, [500, 600, 600]);
        assert_eq!(selection.tier, Tier::Interpreter);
        let counts = run(&mut selection, [500, 600, 300]);
        assert!(counts[2] > 400, "{counts:?}");
    }

    #[test]
    fn less_than_the_least_is_not_tried() {
        let mut selection = TierSelection::new(Tier::Loops);
        selection.reconsider([true; 3]);
        let counts = run(&mut selection, [1, 400, 500]);
        assert!(counts[0] == 0 && counts[1] > 900, "{counts:?}");
        let mut selection = TierSelection::new(Tier::Programs);
        selection.reconsider([true; 3]);
        assert_eq!(run(&mut selection, [1, 1, 500]), [0, 0, 1000]);
    }

    #[test]
    fn what_has_no_code_is_not_tried() {
        let mut selection = TierSelection::new(Tier::Interpreter);
        assert_eq!(run(&mut selection, [500, 1, 1]), [1000, 0, 0]);
        selection.reconsider([true, true, false]);
        assert_eq!(run(&mut selection, [500, 400, 1])[2], 0);
    }
}
