//! The long tape: one tape whose ends are joined, run from random places.
//!
//! There are no programs but those that come about. In each epoch so many runs start, one
//! after the other, as a soup of pairs of as many bytes has interactions. After each run as
//! many bytes mutate as its steps call for. Facts: docs/worlds.md, "Long tape".

use super::Tally;
use crate::engine::ring::{self, Commands};
use crate::language::{Language, Ring, TAPE_LEN};
use crate::random::{Streams, mix};

/// Bytes of the tape, where nothing else is said.
pub const TAPE_BYTES: usize = 1 << 16;
/// Bytes of the shortest tape.
pub const LEAST_BYTES: usize = 256;

/// Whether there are tapes of so many bytes.
pub(super) const fn can_have(bytes: usize) -> bool {
    bytes.is_power_of_two() && bytes >= LEAST_BYTES
}

/// Steps after which a run ends, where nothing else is said.
pub const MAX_STEPS: u32 = 1024;
/// Chance of each step to make a byte mutate, where nothing else is said.
pub const MUTATION_PROB: f64 = 1.0 / 8192.0;

/// Runs of an epoch on a tape of so many bytes.
pub(crate) const fn runs_of_epoch(tape_bytes: usize) -> u64 {
    (tape_bytes / TAPE_LEN) as u64
}

/// How the tape is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) language: &'static Language,
    /// How far ahead of the first head the second one starts.
    pub(super) head_offset: usize,
    pub(super) max_steps: u32,
    /// Chance of each step to make a byte mutate.
    pub(super) mutation_prob: f64,
}

/// What is known of the tape besides its bytes.
#[derive(Debug)]
pub(super) struct LongTape {
    rules: Rules,
    /// Where commands are, in the BFF family; nothing before the first run.
    commands: Option<Commands>,
}

impl LongTape {
    /// A tape that was not run yet.
    pub(super) fn new(rules: Rules) -> LongTape {
        LongTape {
            rules,
            commands: None,
        }
    }

    /// To be called after bytes were changed that are no run's.
    pub(super) fn forget(&mut self) {
        self.commands = None;
    }

    /// Do epoch number `epoch`: its runs, one after the other, step by step if `by_reference`.
    /// Each may read what the one before wrote, so there is nothing in them for a second thread.
    pub(super) fn step(
        &mut self,
        epoch: u64,
        streams: &Streams,
        by_reference: bool,
        tape: &mut [u8],
    ) -> Tally {
        let rules = self.rules;
        if by_reference {
            self.commands = None;
        } else if self.commands.is_none() {
            self.commands = Commands::of(rules.language, tape);
        }
        let len = tape.len() as u64;
        let runs = runs_of_epoch(tape.len());
        let first = epoch.wrapping_mul(runs);
        let mut tally = Tally::default();
        for run in 0..runs {
            let stream = mix(streams.key(first.wrapping_add(run)));
            let start = (stream % len) as usize;
            let Some(mut space) = Ring::new(tape) else {
                break;
            };
            let starts = ring::Start {
                pc: start,
                head_offset: rules.head_offset,
            };
            let outcome = match &mut self.commands {
                Some(commands) => Some(commands.run(&mut space, starts, rules.max_steps)),
                None => ring::run_by_rules(rules.language, &mut space, starts, rules.max_steps),
            };
            // Settings allow no language without rules for rings.
            let Some(outcome) = outcome else {
                break;
            };
            tally.count(&outcome);
            // A share of a mutation is one as often as it says.
            let share = (mix(stream.wrapping_add(1)) >> 11) as f64 / (1_u64 << 53) as f64;
            let mutations = (f64::from(outcome.steps) * rules.mutation_prob + share) as u64;
            for number in 0..mutations {
                let random = mix(stream.wrapping_add(2).wrapping_add(number));
                let place = ((random >> 8) % len) as usize;
                tape[place] = random as u8;
                if let Some(commands) = &mut self.commands {
                    commands.changed(place, random as u8);
                }
            }
        }
        tally
    }
}
