//! Settings: everything, besides the number of epochs, that a soup depends on.

use super::meeting::Grid;
pub use super::meeting::Meeting;
use super::{long_tape, zff};
use crate::Error;
use crate::format::outside_counts;
use crate::language::{Family, Language, bff, machine};

/// What determines a soup, to the byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What the bytes mean.
    pub language: &'static Language,
    /// Where programs are, and how an epoch comes about.
    pub world: World,
    /// Number of programs: even, and not zero.
    pub num_programs: usize,
    /// Seed of every random stream.
    pub seed: u64,
    /// Chance of each byte to mutate before each interaction, 0 to 1; in other worlds than
    /// that of pairs see [`World`].
    pub mutation_prob: f64,
    /// Steps after which an interaction ends.
    pub max_steps: u32,
    /// Who meets whom.
    pub meeting: Meeting,
    /// Start, and restart, from zeros instead of random bytes.
    pub zero_init: bool,
    /// First bytes of a program in the first soup; at most one program.
    pub initial_program: Vec<u8>,
    /// Index of that program.
    pub initial_index: usize,
    /// After each epoch e (from 0) divisible by this the soup starts afresh.
    pub reset_interval: Option<u64>,
}

/// Where programs are, and how an epoch comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum World {
    /// Programs of their own, which meet in pairs as [`Settings::meeting`] says.
    #[default]
    Pairs,
    /// zff's grid of Z80 programs (docs/worlds.md, "zff"). The mutation probability is that
    /// of each pair to make one byte of the grid mutate.
    Zff,
    /// One tape whose ends are joined, looked at as programs one behind the other. The
    /// mutation probability is that of each step to make one byte of the tape mutate.
    LongTape {
        /// How far ahead of the first head the second one starts.
        head_offset: usize,
    },
}

impl World {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            World::Pairs => "pairs",
            World::Zff => "zff",
            World::LongTape { .. } => "long-tape",
        }
    }

    /// The language of its soups, where `named` is what was asked for.
    pub fn language(self, named: Option<&'static Language>) -> &'static Language {
        match (named, self) {
            // The same language, by zff's own machine and in programs of its length.
            (None, World::Zff) => &machine::Z80_ZFF,
            (Some(language), World::Zff) if *language == machine::Z80 => &machine::Z80_ZFF,
            (language, _) => language.unwrap_or(&bff::BFF_NOHEADS),
        }
    }

    /// Programs on a long tape of so many bytes.
    pub fn programs_in(self, bytes: usize, language: &Language) -> Result<usize, Error> {
        match self {
            World::LongTape { .. } if long_tape::can_have(bytes) => {
                Ok(bytes / language.program_len)
            }
            World::LongTape { .. } => Err(Error::Setting(format!(
                "`tape_bytes` {bytes}: choose a power of two from {} up",
                long_tape::LEAST_BYTES
            ))),
            World::Pairs | World::Zff => Err(Error::Setting(
                "`tape_bytes` is for `world` long-tape; leave it out".into(),
            )),
        }
    }

    /// Chance of a mutation where nothing else is said.
    pub const fn mutation_prob(self) -> f64 {
        match self {
            World::Pairs => 1.0 / 4096.0,
            World::Zff => zff::MUTATION_PROB,
            World::LongTape { .. } => long_tape::MUTATION_PROB,
        }
    }

    /// Steps after which a run of `language` ends, where nothing else is said.
    pub const fn max_steps(self, language: &Language) -> u32 {
        match self {
            World::Pairs | World::Zff => language.max_steps,
            World::LongTape { .. } => long_tape::MAX_STEPS,
        }
    }

    /// Programs of a soup of `language`, where nothing else is said.
    pub const fn num_programs(self, language: &Language) -> usize {
        match self {
            World::Pairs => 1 << 17,
            World::Zff => zff::NUM_PROGRAMS,
            World::LongTape { .. } => long_tape::TAPE_BYTES / language.program_len,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings::usual(&bff::BFF_NOHEADS, World::Pairs)
    }
}

impl Settings {
    /// What a soup of `language` in `world` is where nothing else is said.
    pub const fn usual(language: &'static Language, world: World) -> Settings {
        Settings {
            language,
            world,
            num_programs: world.num_programs(language),
            seed: 0,
            mutation_prob: world.mutation_prob(),
            max_steps: world.max_steps(language),
            meeting: Meeting::Shuffle,
            zero_init: false,
            initial_program: Vec::new(),
            initial_index: 0,
            reset_interval: None,
        }
    }
}

impl Settings {
    /// Programs are numbered with 32 bits.
    pub const MAX_PROGRAMS: usize = u32::MAX as usize;

    /// Whether an epoch of these soups is interactions of two programs each, which
    /// [`Soup::step_and_see`](super::Soup::step_and_see) has seen.
    pub fn check_interactions(&self) -> Result<(), Error> {
        match self.world {
            World::Pairs | World::Zff => Ok(()),
            World::LongTape { .. } => Err(Error::Setting(format!(
                "an interaction is one of two programs, and `world` {} has none: its runs begin \
                 anywhere on one tape; `broth census` and `broth strip` show what lives there",
                self.world.name()
            ))),
        }
    }

    /// Whether these settings describe a soup; the error says which one does
    /// not, by the name of its field, and how to mend it.
    pub fn check(&self) -> Result<(), Error> {
        let n = self.num_programs;
        let problem = if n == 0 || n % 2 == 1 {
            format!("`num_programs` {n}: programs meet in pairs; choose an even number from 2 up")
        } else if n > Settings::MAX_PROGRAMS {
            format!(
                "`num_programs` {n}: a soup has at most {} programs",
                Settings::MAX_PROGRAMS - 1
            )
        } else if !(0.0..=1.0).contains(&self.mutation_prob) {
            format!(
                "`mutation_prob` {}: a probability lies between 0 and 1",
                self.mutation_prob
            )
        } else if self.meeting == Meeting::FixedShuffle && !n.is_power_of_two() {
            format!("`fixed_shuffle` needs a `num_programs` that is a power of two, and {n} is not")
        } else if self.initial_program.len() > self.language.program_len {
            format!(
                "`initial_program` is {} bytes long; a program has at most {}",
                self.initial_program.len(),
                self.language.program_len
            )
        } else if self.initial_index > 0 && self.initial_program.is_empty() {
            format!(
                "`initial_index` {} needs an `initial_program`; give one, or leave it out",
                self.initial_index
            )
        } else if self.initial_index >= n {
            format!(
                "`initial_index` {}: choose an index from 0 to {}",
                self.initial_index,
                n - 1
            )
        } else if let Some(interval) = self.reset_interval
            && let Some(mend) = outside_counts(interval)
        {
            format!("`reset_interval` {interval}: {mend}")
        } else if let Some(problem) = self.problem_with_world() {
            problem
        } else {
            match &self.meeting {
                Meeting::Grid(Grid { radius: 0, .. }) => {
                    "`radius` 0 leaves a program without neighbours; choose 1 or more".into()
                }
                Meeting::Grid(Grid { radius, .. }) if i64::try_from(*radius).is_err() => {
                    format!("`radius` {radius}: choose at most {}", i64::MAX)
                }
                Meeting::Grid(grid) if grid.width.checked_mul(grid.height) != Some(n) => format!(
                    "`grid` {}x{} does not hold the {n} programs of `num_programs`",
                    grid.width, grid.height
                ),
                Meeting::Pattern(pattern) if pattern.num_programs() != n => format!(
                    "the interaction pattern is for {} programs, the soup has {n}",
                    pattern.num_programs()
                ),
                _ => return Ok(()),
            }
        };
        Err(Error::Setting(problem))
    }

    /// What is wrong with these settings in their world, if anything.
    fn problem_with_world(&self) -> Option<String> {
        let (language, n) = (self.language, self.num_programs);
        if self.world == World::Pairs {
            return None;
        }
        let world = format!("`world` {}", self.world.name());
        if self.meeting != Meeting::Shuffle {
            return Some(format!(
                "{world}: who meets whom is the world's own; leave out `meeting`"
            ));
        }
        match self.world {
            World::Pairs => None,
            World::Zff if language.program_len != zff::PROGRAM_LEN => Some(format!(
                "{world} is a grid of Z80 programs of {} bytes, and {language} is another \
                 language; choose `language` z80",
                zff::PROGRAM_LEN
            )),
            World::Zff if n != zff::NUM_PROGRAMS => Some(format!(
                "`num_programs` {n}: {world} has {} programs, {} x {}; leave `num_programs` out",
                zff::NUM_PROGRAMS,
                zff::WIDTH,
                zff::HEIGHT
            )),
            World::Zff if self.zero_init || self.reset_interval.is_some() => Some(format!(
                "{world} starts once, from its random stream; leave out `zero_init` and \
                 `reset_interval`"
            )),
            World::Zff => None,
            World::LongTape { head_offset } => {
                let runs = match language.family {
                    Family::Bff(_) | Family::RelativeForth(_) | Family::Machine(_) => true,
                    Family::Forth(_) | Family::Subleq(_) | Family::RelativeSubleq(_) => false,
                };
                let bytes = self.soup_bytes();
                if !runs {
                    Some(format!(
                        "{world}: addresses of {language} reach only 128 bytes; choose a \
                         language of the BFF family, forthrelative, i8080 or z80"
                    ))
                } else if !long_tape::can_have(bytes) {
                    Some(format!(
                        "`num_programs` {n}: they are {bytes} bytes, and a long tape has a power \
                         of two, from {} up",
                        long_tape::LEAST_BYTES
                    ))
                } else if matches!(language.family, Family::Machine(_)) && bytes > 1 << 16 {
                    Some(format!(
                        "`num_programs` {n}: they are {bytes} bytes, and addresses of {language} \
                         reach only 65536 bytes; choose at most that many"
                    ))
                } else if head_offset >= bytes {
                    Some(format!(
                        "`head_offset` {head_offset}: choose less than the {bytes} bytes of the tape"
                    ))
                } else {
                    None
                }
            }
        }
    }

    /// Bytes of the whole soup.
    pub fn soup_bytes(&self) -> usize {
        self.num_programs.saturating_mul(self.language.program_len)
    }

    /// Whether the soup starts afresh after epoch `epoch`, counted from 0.
    pub fn resets_after(&self, epoch: u64) -> bool {
        self.reset_interval
            .is_some_and(|interval| epoch.is_multiple_of(interval))
    }
}
