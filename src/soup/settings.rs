//! Settings: everything, besides the number of epochs, that a soup depends on.

use std::sync::Arc;

use super::pairing::{Grid, Pattern};
use crate::Error;
use crate::language::{Language, PROGRAM_LEN, bff};

/// What determines a soup, to the byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What the bytes mean.
    pub language: &'static Language,
    /// Number of programs: even, and not zero.
    pub num_programs: usize,
    /// Seed of every random stream.
    pub seed: u64,
    /// Chance of each byte to mutate before each interaction, 0 to 1.
    pub mutation_prob: f64,
    /// Steps after which an interaction ends.
    pub max_steps: u32,
    /// Who meets whom.
    pub meeting: Meeting,
    /// Start, and restart, from zeros instead of random bytes.
    pub zero_init: bool,
    /// First bytes of program 0 in the first soup; at most one program.
    pub initial_program: Vec<u8>,
    /// After each epoch e (from 0) divisible by this the soup starts afresh.
    pub reset_interval: Option<u64>,
}

/// Who meets whom in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// Anybody: a random shuffle of the whole soup.
    Shuffle,
    /// Anybody, in turns that repeat; for soups of 2^m programs.
    FixedShuffle,
    /// Neighbours by index, the partner changing from epoch to epoch.
    NoPermutation,
    /// Those that a pattern allows.
    Pattern(Arc<Pattern>),
    /// Those close by on a grid.
    Grid(Grid),
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            language: &bff::BFF_NOHEADS,
            num_programs: 1 << 17,
            seed: 0,
            mutation_prob: 1.0 / 4096.0,
            max_steps: 8192,
            meeting: Meeting::Shuffle,
            zero_init: false,
            initial_program: Vec::new(),
            reset_interval: None,
        }
    }
}

impl Settings {
    /// Programs are numbered with 32 bits.
    pub const MAX_PROGRAMS: usize = u32::MAX as usize;

    /// Whether these settings describe a soup; the error says which one does
    /// not, by the name of its flag, and how to mend it.
    pub fn check(&self) -> Result<(), Error> {
        let n = self.num_programs;
        let problem = if n == 0 || n % 2 == 1 {
            format!("--num {n}: programs meet in pairs; choose an even number from 2 up")
        } else if n > Settings::MAX_PROGRAMS {
            format!(
                "--num {n}: a soup has at most {} programs",
                Settings::MAX_PROGRAMS - 1
            )
        } else if !(0.0..=1.0).contains(&self.mutation_prob) {
            format!(
                "--mutation-prob {}: a probability lies between 0 and 1",
                self.mutation_prob
            )
        } else if self.meeting == Meeting::FixedShuffle && !n.is_power_of_two() {
            format!("--fixed-shuffle needs a --num that is a power of two, and {n} is not")
        } else if self.initial_program.len() > PROGRAM_LEN {
            format!(
                "--initial-program is {} bytes long; a program has at most {PROGRAM_LEN}",
                self.initial_program.len()
            )
        } else if let Some(interval) = self.reset_interval
            && (interval == 0 || i64::try_from(interval).is_err())
        {
            format!(
                "--reset-interval {interval}: choose a number of epochs from 1 to {}",
                i64::MAX
            )
        } else {
            match &self.meeting {
                Meeting::Grid(Grid { radius: 0, .. }) => {
                    "--radius 0 leaves a program without neighbours; choose 1 or more".into()
                }
                Meeting::Grid(Grid { radius, .. }) if i64::try_from(*radius).is_err() => {
                    format!("--radius {radius}: choose at most {}", i64::MAX)
                }
                Meeting::Grid(grid) if grid.width.checked_mul(grid.height) != Some(n) => format!(
                    "--grid {}x{} does not hold the {n} programs of --num",
                    grid.width, grid.height
                ),
                Meeting::Pattern(pattern) if pattern.num_programs() != n => format!(
                    "the interaction pattern is for {} programs, the soup has {n}",
                    pattern.num_programs()
                ),
                _ => return Ok(()),
            }
        };
        Err(Error::Usage(problem))
    }

    /// Whether the soup starts afresh after epoch `epoch`, counted from 0.
    pub fn resets_after(&self, epoch: u64) -> bool {
        self.reset_interval
            .is_some_and(|interval| epoch.is_multiple_of(interval))
    }
}
