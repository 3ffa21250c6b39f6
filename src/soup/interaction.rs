//! One interaction of one epoch, looked at closely.

use super::mutation::Mutation;
use super::pairing::Pairs;
use super::pairs::{first_stream, stream_of};
use super::settings::{Settings, World};
use crate::Error;
use crate::engine::bff::traced::{self, IN_PLACE, Origins};
use crate::engine::reference;
use crate::language::{Family, Outcome, PROGRAM_LEN, Program, TAPE_LEN, Tape};
use crate::random::Streams;

/// A byte that mutated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mutated {
    /// Where on the tape, 0..128.
    pub place: usize,
    /// What it was.
    pub from: u8,
    /// What it became; by chance the same, now and then.
    pub to: u8,
}

/// A tape of two programs, mutated and run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interaction {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Its number among the epoch's pairs.
    pub pair: usize,
    /// The indices of the left and of the right program.
    pub programs: [usize; 2],
    /// The programs as the epoch before left them.
    pub before: Tape,
    /// The bytes that mutated.
    pub mutations: Vec<Mutated>,
    /// The tape as it is run.
    pub start: Tape,
    /// What it comes to.
    pub after: Tape,
    /// How that ended; nothing where the pair is mutated only, for want of neighbours.
    pub outcome: Option<Outcome>,
    /// In the BFF family, which place of the tape as it was run each byte comes from.
    pub origins: Option<Origins>,
}

/// One of two programs of a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first half.
    Left,
    /// The second half.
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }

    /// The other one.
    pub const fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    /// This program of `tape`.
    pub fn of(self, tape: &Tape) -> Program {
        let (halves, _) = tape.as_chunks();
        halves[self as usize]
    }
}

impl Interaction {
    /// The side that program `index` is on.
    pub fn side_of(&self, index: usize) -> Side {
        match self.programs[0] == index {
            true => Side::Left,
            false => Side::Right,
        }
    }
}

/// The interactions of a soup with some settings.
#[derive(Debug)]
pub struct Interactions {
    settings: Settings,
    streams: Streams,
    mutation: Mutation,
    pairs: Pairs,
}

/// Who meets whom in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pairing {
    /// The left and the right program of each pair, in turn: every program once.
    pub programs: Vec<u32>,
    /// How many pairs are run; those behind them are mutated only, for want of neighbours.
    pub interacting: usize,
}

/// Which interaction of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// That of the pair of this number.
    Pair(usize),
    /// That of the program of this index.
    Program(usize),
}

/// Whether there are interactions to look at in soups with these settings.
pub fn check(settings: &Settings) -> Result<(), Error> {
    if settings.world == World::Pairs && settings.language.program_len == PROGRAM_LEN {
        return Ok(());
    }
    Err(Error::Setting(format!(
        "single interactions, and lines of descent, are told of pairs of {PROGRAM_LEN}-byte \
         programs only; this soup is of {}, `world` {}; `broth census` and `broth exec` work in \
         every world",
        settings.language,
        settings.world.name()
    )))
}

impl Interactions {
    /// Those of soups with these settings, which must have some: see [`check`].
    pub fn new(settings: &Settings) -> Result<Interactions, Error> {
        check(settings)?;
        Ok(Interactions {
            streams: Streams::new(settings.seed),
            mutation: Mutation::new(settings.mutation_prob),
            pairs: Pairs::new(settings.num_programs)?,
            settings: settings.clone(),
        })
    }

    /// The pairs of `epoch`.
    pub fn pairing(&mut self, epoch: u64) -> Pairing {
        self.draw(epoch);
        let programs = self.pairs.programs_of(0..self.pairs.len());
        Pairing {
            programs: programs.map(|program| program as u32).collect(),
            interacting: self.pairs.interacting(),
        }
    }

    fn draw(&mut self, epoch: u64) {
        if self.pairs.epoch() != Some(epoch) {
            self.pairs
                .draw(&self.settings.meeting, &self.streams, epoch);
        }
    }

    /// The interaction of `epoch` that is asked for, in a soup that has these programs when
    /// the epoch begins (after a reset that was due); run by the reference engine.
    pub fn get(&mut self, epoch: u64, programs: &[u8], which: Which) -> Result<Interaction, Error> {
        if programs.len() != self.settings.soup_bytes() {
            return Err(Error::Usage(format!(
                "{} bytes are no soup of {} programs",
                programs.len(),
                self.settings.num_programs
            )));
        }
        self.draw(epoch);
        let (name, number, most) = match which {
            Which::Pair(pair) => ("pair", pair, self.pairs.len()),
            Which::Program(index) => ("program", index, self.settings.num_programs),
        };
        if number >= most {
            return Err(Error::Setting(format!(
                "`{name}` {number}: choose a number from 0 to {}",
                most - 1
            )));
        }
        let pair = match which {
            Which::Pair(pair) => pair,
            Which::Program(index) => {
                let mut all = self.pairs.programs_of(0..self.pairs.len());
                all.position(|program| program == index).unwrap_or(0) / 2
            }
        };
        let mut interaction = self.follow(epoch, programs, pair);
        if interaction.outcome.is_some() {
            interaction.after = interaction.start;
            let (language, max_steps) = (self.settings.language, self.settings.max_steps);
            let outcome = reference::run(language, &mut interaction.after, max_steps);
            interaction.outcome = Some(outcome);
        }
        Ok(interaction)
    }

    /// The interaction of the pair of this number in `epoch`, whose pairs must be drawn and whose
    /// soup is `programs`: in the BFF family by the engine that follows copies alone.
    pub(crate) fn follow(&self, epoch: u64, programs: &[u8], pair: usize) -> Interaction {
        let mut both = self.pairs.programs_of(pair..pair + 1);
        let indices = [both.next(), both.next()].map(|program| program.unwrap_or(0));
        let (all, _) = programs.as_chunks::<PROGRAM_LEN>();
        let mut before = [0; TAPE_LEN];
        let (halves, _) = before.as_chunks_mut();
        [halves[0], halves[1]] = indices.map(|index| all[index]);

        let mut start = before;
        let mut mutations = Vec::new();
        let stream = stream_of(
            first_stream(&self.settings, &self.streams, epoch),
            pair,
            TAPE_LEN,
        );
        self.mutation
            .apply_and_tell(std::slice::from_mut(&mut start), stream, |_, place| {
                mutations.push(place);
            });
        let mutated = |place: usize| Mutated {
            place,
            from: before[place],
            to: start[place],
        };
        let mutations = mutations.into_iter().map(mutated).collect();

        let mut after = start;
        let (language, max_steps) = (self.settings.language, self.settings.max_steps);
        let runs = pair < self.pairs.interacting();
        let mut origins = None;
        let outcome = if let Family::Bff(dialect) = &language.family {
            let from = origins.insert(IN_PLACE);
            runs.then(|| traced::run(dialect, &mut after, from, max_steps))
        } else {
            runs.then(|| reference::run(language, &mut after, max_steps))
        };
        Interaction {
            epoch,
            pair,
            programs: indices,
            before,
            mutations,
            start,
            after,
            outcome,
            origins,
        }
    }
}
