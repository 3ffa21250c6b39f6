//! Searching for replicators: how many programs of some kind must be tested to find one?
//!
//! [`Search`] draws programs; [`InSoups`] takes those that arise in soups.

use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use crate::engine::{Engine, Options};
use crate::language::{Language, PROGRAM_LEN, Program, Role};
use crate::measure::replicators::{Panel, Partners, Scorer};
use crate::random::Streams;
use crate::{Error, Settings, Soup};

/// What programs are drawn from, byte by byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The frequency of each byte; `None` if all are equally likely.
    weights: Option<WeightedIndex<u64>>,
}

impl Source {
    /// All bytes, equally likely.
    pub fn uniform() -> Source {
        Source { weights: None }
    }

    /// Half operators, half no-ops, with the bytes of each group equally likely; the bytes `also`
    /// count as operators.
    ///
    /// The operators of the BFF family are its commands; in the Forth family, all bytes that do
    /// something. In other families every byte is a number, and there are no operators.
    pub fn operators(language: &Language, also: &[u8]) -> Result<Source, Error> {
        let is_op = |byte: u8| {
            let role = language.kind(byte).role;
            also.contains(&byte) || !matches!(role, Role::Noop | Role::Null)
        };
        let operators = (0..=255).filter(|byte| is_op(*byte)).count() as u64;
        let noops = 256 - operators;
        if !(0..=255).any(|byte| language.kind(byte).role == Role::Noop) {
            return Err(Error::Usage(format!(
                "every byte of {language} is an operator; draw from `uniform`"
            )));
        }
        Source::of_counts(std::array::from_fn(|byte| match is_op(byte as u8) {
            true => noops,
            false => operators,
        }))
    }

    /// Each byte in proportion to its count.
    pub fn of_counts(counts: [u64; 256]) -> Result<Source, Error> {
        let weights = WeightedIndex::new(counts)
            .map_err(|error| Error::Usage(format!("no bytes to draw from: {error}")))?;
        Ok(Source {
            weights: Some(weights),
        })
    }

    fn draw(&self, rng: &mut Xoshiro256PlusPlus) -> Program {
        match &self.weights {
            None => rng.random(),
            Some(weights) => std::array::from_fn(|_| weights.sample(rng) as u8),
        }
    }
}

/// A replicator found by a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Find {
    /// The number of programs before it.
    pub number: u64,
    /// Its score.
    pub score: u8,
    /// Its bytes.
    pub program: Program,
    /// Where it was, if it arose in a soup.
    pub place: Option<Place>,
}

/// Where a program arose in a soup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Seed of the soup.
    pub seed: u64,
    /// Epochs done by the soup.
    pub epochs_done: u64,
    /// Index of the program in it.
    pub index: usize,
}

/// Decides what is a find.
#[derive(Debug)]
struct Judge {
    scorer: Scorer,
    panel: Panel,
    threshold: u8,
}

impl Judge {
    fn new(language: &'static Language, threshold: u8) -> Result<Judge, Error> {
        if language.program_len != PROGRAM_LEN {
            return Err(Error::Usage(format!(
                "programs of {PROGRAM_LEN} bytes are searched; {language} has others"
            )));
        }
        let scorer = Scorer::new(language, Engine::Auto, &Options::default());
        Ok(Judge {
            panel: scorer.panel(Partners::of_lone_program(language))?,
            scorer,
            threshold,
        })
    }

    /// The program as a find, if it is one.
    fn find(
        &self,
        number: u64,
        program: Program,
        place: Option<Place>,
    ) -> Result<Option<Find>, Error> {
        let score = self.scorer.score_beside(&program, &self.panel)?;
        Ok((score >= self.threshold).then_some(Find {
            number,
            score,
            program,
            place,
        }))
    }
}

/// A search: a sequence of programs, determined by the seed, with their scores, each beside the
/// partners of a single program.
#[derive(Debug)]
pub struct Search {
    judge: Judge,
    source: Source,
    streams: Streams,
    /// Probability of each byte to change from one program to the next.
    walk: Option<f64>,
}

impl Search {
    /// Number of consecutive programs drawn by one generator; a walk starts again after each such
    /// block.
    pub const BLOCK: u64 = 1 << 14;

    /// A search for programs that score at least `threshold`. Each is drawn from `source`; with a
    /// `walk`, only the first of each block and the one after each find are, and each of the others
    /// is the previous program with each byte changed with that probability.
    ///
    /// # Errors
    ///
    /// Programs of another length than 64 bytes.
    pub fn new(
        language: &'static Language,
        source: Source,
        walk: Option<f64>,
        threshold: u8,
        seed: u64,
    ) -> Result<Search, Error> {
        Ok(Search {
            judge: Judge::new(language, threshold)?,
            source,
            streams: Streams::new(seed),
            walk,
        })
    }

    /// The finds among the programs of block number `block`, in order.
    ///
    /// # Errors
    ///
    /// A program cannot be scored.
    pub fn block(&self, block: u64) -> Result<Vec<Find>, Error> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.streams.key(block));
        let mut finds = Vec::new();
        let mut last: Option<Program> = None;
        let first = block * Search::BLOCK;
        for number in first..first + Search::BLOCK {
            let program = match (last, self.walk) {
                (Some(last), Some(chance)) => mutated(&last, chance, &mut rng),
                _ => self.source.draw(&mut rng),
            };
            last = Some(program);
            if let Some(find) = self.judge.find(number, program, None)? {
                finds.push(find);
                last = None;
            }
        }
        Ok(finds)
    }
}

/// A search among programs that arise in soups. It scores the programs of a soup at its start and
/// then, epoch by epoch, those that have changed, each beside the partners of a single program.
/// After a find comes a new soup, with the next seed.
#[derive(Debug)]
pub struct InSoups {
    judge: Judge,
    soup: Soup,
    /// The programs as last scored; none for a new soup.
    scored: Vec<u8>,
    tested: u64,
}

impl InSoups {
    /// A search for programs that score at least `threshold`, starting with the soup of `settings`.
    ///
    /// # Errors
    ///
    /// Invalid settings, or programs of a length other than 64 bytes.
    pub fn new(settings: Settings, threshold: u8) -> Result<InSoups, Error> {
        Ok(InSoups {
            judge: Judge::new(settings.language, threshold)?,
            soup: Soup::new(settings)?,
            scored: Vec::new(),
            tested: 0,
        })
    }

    /// Programs scored so far; up to the last find, if the search ended with it.
    pub fn tested(&self) -> u64 {
        self.tested
    }

    /// The seed of the present soup, and its epochs done.
    pub fn place(&self) -> (u64, u64) {
        (self.soup.settings().seed, self.soup.epochs_done())
    }

    /// Score what is new in the soup. Either there is a find, the one with the lowest index, or the
    /// soup runs for another epoch.
    ///
    /// # Errors
    ///
    /// The next soup cannot be created.
    pub fn epoch(&mut self) -> Result<Option<Find>, Error> {
        let (programs, _) = self.soup.programs().as_chunks::<PROGRAM_LEN>();
        let (scored, _) = self.scored.as_chunks::<PROGRAM_LEN>();
        let new: Vec<usize> = (0..programs.len())
            .filter(|index| scored.get(*index) != Some(&programs[*index]))
            .collect();
        let found = new.par_iter().enumerate().find_map_first(|(nth, index)| {
            let place = Place {
                seed: self.soup.settings().seed,
                epochs_done: self.soup.epochs_done(),
                index: *index,
            };
            let number = self.tested + nth as u64;
            let find = self.judge.find(number, programs[*index], Some(place));
            find.transpose()
        });
        let found = found.transpose()?;
        if let Some(find) = &found {
            self.tested = find.number + 1;
            let mut settings = self.soup.settings().clone();
            settings.seed = settings.seed.wrapping_add(1);
            self.soup = Soup::new(settings)?;
            self.scored.clear();
        } else {
            self.tested += new.len() as u64;
            self.scored.clear();
            self.scored.extend_from_slice(self.soup.programs());
            self.soup.step();
        }
        Ok(found)
    }
}

/// `program` with each byte redrawn with that probability.
fn mutated(program: &Program, chance: f64, rng: &mut Xoshiro256PlusPlus) -> Program {
    program.map(|byte| match rng.random_bool(chance) {
        true => rng.random(),
        false => byte,
    })
}

/// The number of programs for each find, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Estimate {
    /// Programs tested for each find; infinite if nothing was found.
    pub each: f64,
    /// The lower bound.
    pub least: f64,
    /// The upper bound; infinite if nothing was found.
    pub most: f64,
}

impl Estimate {
    /// The estimate after `tested` programs with `finds` finds; `at_find` says that the search
    /// ended at a find because there were enough of them.
    ///
    /// Finds are rare and independent, so their number is a Poisson variable, and the bounds are
    /// exact (Garwood 1936), both for a search that ends with its last find and for one that ends
    /// after a given number of programs.
    pub fn of(tested: u64, finds: u64, at_find: bool) -> Estimate {
        const TAIL: f64 = 0.025;
        let tested = tested as f64;
        // The means for which this number of finds is just too high, and just too low.
        let fewest = match finds {
            0 => 0.0,
            _ => mean_with(finds - 1, 1.0 - TAIL),
        };
        let others = finds - u64::from(at_find && finds > 0);
        Estimate {
            each: tested / finds as f64,
            least: tested / mean_with(others, TAIL),
            most: tested / fewest,
        }
    }
}

/// The mean of the Poisson distribution that gives at most `count` with probability `chance`.
fn mean_with(count: u64, chance: f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0 * count as f64 + 20.0);
    for _ in 0..200 {
        let mean = (low + high) / 2.0;
        if at_most(count, mean) > chance {
            low = mean;
        } else {
            high = mean;
        }
    }
    low
}

/// The probability that a Poisson variable with this mean is at most `count`.
fn at_most(count: u64, mean: f64) -> f64 {
    let mut log_term = -mean;
    let mut sum = log_term.exp();
    for k in 1..=count {
        log_term += mean.ln() - (k as f64).ln();
        sum += log_term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{PROGRAM_LEN, bff, forth, subleq};

    /// Published bounds for Poisson counts (Garwood 1936; chi-square quantiles).
    #[test]
    fn bounds_are_those_of_tables() {
        for (finds, fewest, most) in [
            (0, 0.0, 3.6889),
            (1, 0.0253, 5.5716),
            (10, 4.7954, 18.3904),
            (100, 81.364, 121.627),
        ] {
            let estimate = Estimate::of(1_000_000, finds, false);
            let close = |found: f64, mean: f64| (1e6 / found - mean).abs() < 1e-3;
            assert!(close(estimate.least, most), "{finds}: {estimate:?}");
            assert!(close(estimate.most, fewest), "{finds}: {estimate:?}");
        }
        // Gamma quantiles, for a search that ends with its tenth find.
        let estimate = Estimate::of(1_000_000, 10, true);
        assert!(
            (1e6 / estimate.least - 17.0848).abs() < 1e-3,
            "{estimate:?}"
        );
        assert!((1e6 / estimate.most - 4.7954).abs() < 1e-3, "{estimate:?}");
    }

    #[test]
    fn sources_draw_what_they_say() {
        let share_of = |source: &Source, wanted: &dyn Fn(u8) -> bool| {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
            let drawn: Vec<Program> = (0..2000).map(|_| source.draw(&mut rng)).collect();
            let bytes = drawn.as_flattened();
            bytes.iter().filter(|byte| wanted(**byte)).count() as f64 / bytes.len() as f64
        };
        let near = |share: f64, expected: f64| (share - expected).abs() < 0.15 * expected;
        let selfmove = &bff::BFF_SELFMOVE;
        let plain = Source::operators(selfmove, &[]).unwrap();
        let with_64 = Source::operators(selfmove, &[64]).unwrap();
        assert!(near(share_of(&plain, &|byte| byte < 7), 0.5));
        assert!(near(share_of(&plain, &|byte| byte == 3), 0.5 / 7.0));
        assert!(near(share_of(&plain, &|byte| byte == 64), 0.5 / 249.0));
        assert!(near(share_of(&with_64, &|byte| byte == 64), 0.5 / 8.0));
        assert!(near(share_of(&with_64, &|byte| byte == 0), 0.5 / 8.0));
        assert!(near(share_of(&Source::uniform(), &|byte| byte < 128), 0.5));
        // Null is a no-op where it is but what loops test for.
        let noheads = Source::operators(&bff::BFF_NOHEADS, &[]).unwrap();
        assert!(near(share_of(&noheads, &|byte| byte == 0), 0.5 / 246.0));
        assert!(Source::operators(&forth::FORTH, &[]).is_ok());
        assert!(Source::operators(&subleq::SUBLEQ, &[]).is_err());
        let mut counts = [0; 256];
        (counts[7], counts[9]) = (3, 1);
        let counted = Source::of_counts(counts).unwrap();
        assert!(near(share_of(&counted, &|byte| byte == 7), 0.75));
        assert!(Source::of_counts([0; 256]).is_err());
    }

    #[test]
    fn walks_change_each_byte_at_their_chance() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut program = [0; PROGRAM_LEN];
        let mut changed = 0;
        for _ in 0..2000 {
            let next = mutated(&program, 0.02, &mut rng);
            changed += program.iter().zip(next).filter(|(a, b)| **a != *b).count();
            program = next;
        }
        let expected = 2000.0 * 64.0 * 0.02 * 255.0 / 256.0;
        assert!((changed as f64 / expected - 1.0).abs() < 0.1, "{changed}");
        assert_eq!(mutated(&program, 0.0, &mut rng), program);
    }

    #[test]
    fn each_block_has_programs_of_its_own() {
        let search = Search::new(&bff::BFF_NOHEADS, Source::uniform(), None, 0, 5).unwrap();
        let blocks = [0, 1, 2, 3].map(|block| search.block(block).unwrap());
        let mut programs: Vec<Program> = blocks.iter().flatten().map(|find| find.program).collect();
        let numbers: Vec<u64> = blocks.iter().flatten().map(|find| find.number).collect();
        assert_eq!(numbers, (0..4 * Search::BLOCK).collect::<Vec<_>>());
        programs.sort();
        programs.dedup();
        assert_eq!(programs.len() as u64, 4 * Search::BLOCK);
    }
}
