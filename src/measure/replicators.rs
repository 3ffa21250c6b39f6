//! Is a program a replicator? cubff's test (`CheckSelfRep`), to the last score.
//!
//! A program is run beside each of [`PARTNERS`] random partners. Then, four times, what has
//! become of the right half moves to the left, the same partner comes to the right again,
//! and the tape is run once more: whoever copies itself, and whose copies do, is on both
//! halves in the end. The score says of how many places that is so.
//! Facts: docs/reference.md, "Replicator score".

use std::ops::Range;

use rayon::prelude::*;

use crate::Error;
use crate::engine::{Engine, Options, Runner};
use crate::language::{Language, Outcome, PROGRAM_LEN, with_program_len};
use crate::random::{Streams, mix};
use crate::soup::Soup;

/// Random partners that a program is run beside.
pub const PARTNERS: usize = 13;
/// Runs beside each of them, one after the other.
pub const GENERATIONS: usize = 5;
/// Programs that are scored before whoever watches hears of it.
const WATCHED: usize = 8192;
/// A place counts if so many of the tapes agree on it in the end.
pub const AGREEING: usize = PARTNERS / 4 + 1;
/// Score from which cubff counts a program as a replicator.
pub const CUBFF_THRESHOLD: u8 = 5;
/// Score from which Knierim et al. (arXiv 2607.01483) do, of programs of 64 bytes.
pub const KNIERIM_THRESHOLD: u8 = knierim_threshold(PROGRAM_LEN);

/// The same of programs of so many bytes: three quarters.
pub const fn knierim_threshold(program_len: usize) -> u8 {
    (program_len * 3 / 4) as u8
}

/// What programs are run beside, and from where that is: cubff draws other partners for
/// each program of each epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partners {
    program_len: usize,
    bytes: Vec<u8>,
}

impl Partners {
    /// Those of the program number `index` of `num_programs` of a language after `epoch`
    /// (from 0).
    pub fn of(
        language: &Language,
        streams: &Streams,
        num_programs: usize,
        epoch: u64,
        index: usize,
    ) -> Partners {
        let bytes = with_program_len!(language, L => {
            draw::<L>(streams, num_programs, epoch, index).as_flattened().to_vec()
        });
        Partners {
            program_len: language.program_len,
            bytes,
        }
    }

    /// Those of a program that is in no soup: as of a soup of one, seed 0, after epoch 0.
    pub fn of_lone_program(language: &Language) -> Partners {
        Partners::of(language, &Streams::new(0), 1, 0, 0)
    }

    /// Their bytes, one partner after the other.
    pub fn programs(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        self.bytes.chunks_exact(self.program_len)
    }

    /// The first of them.
    pub fn first(&self) -> &[u8] {
        &self.bytes[..self.program_len]
    }

    fn of_length<const L: usize>(&self) -> Result<&Fixed<L>, Error> {
        let (programs, _) = self.bytes.as_chunks::<L>();
        let fixed = programs.try_into().ok().filter(|_| self.program_len == L);
        fixed.ok_or_else(|| {
            Error::Usage(format!(
                "the partners have {} bytes each, and the language's programs have {L}",
                self.program_len
            ))
        })
    }
}

/// The partners, as programs of a length that the compiler knows.
type Fixed<const L: usize> = [[u8; L]; PARTNERS];

fn draw<const L: usize>(
    streams: &Streams,
    num_programs: usize,
    epoch: u64,
    index: usize,
) -> Fixed<L> {
    let place = (num_programs as u64).wrapping_mul(streams.key(epoch));
    let stream = mix(place.wrapping_add(index as u64));
    let mut partners = [[0; L]; PARTNERS];
    for (partner, noise) in partners.iter_mut().zip(Noise::<L>::NOISE) {
        for (byte, noise) in partner.iter_mut().zip(noise) {
            *byte = mix(stream ^ noise) as u8;
        }
    }
    partners
}

/// A program of a length that the compiler knows.
fn sized<const L: usize>(program: &[u8]) -> Result<&[u8; L], Error> {
    program.try_into().map_err(|_| {
        Error::Usage(format!(
            "a program of {} bytes cannot be scored: the language's programs have {L}",
            program.len()
        ))
    })
}

/// What the bytes of partners are mixed from.
struct Noise<const L: usize>;

impl<const L: usize> Noise<L> {
    const NOISE: &'static [[u64; L]; PARTNERS] = &{
        let mut noise = [[0; L]; PARTNERS];
        let mut place = 0;
        while place < PARTNERS * L {
            noise[place / L][place % L] = mix((L + place) as u64);
            place += 1;
        }
        noise
    };
}

/// How many places of each half of the tapes agree in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Agreement {
    /// Places of the left half at which enough tapes hold the program's own byte.
    pub left: u8,
    /// Places of the right half at which enough tapes hold the same byte, whichever.
    pub right: u8,
}

impl Agreement {
    /// The score, 0 to the bytes of a program: the smaller of both.
    pub fn score(self) -> u8 {
        self.left.min(self.right)
    }
}

/// How many programs of a soup are replicators, by two measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Replicators {
    /// Programs that score at least [`CUBFF_THRESHOLD`]: cubff's `number_selfreps`.
    pub cubff: u64,
    /// Programs that score at least [`knierim_threshold`], which is 48 of 64.
    pub knierim: u64,
}

impl Replicators {
    /// Count those among programs of so many bytes with these scores.
    pub fn of(program_len: usize, scores: &[u8]) -> Replicators {
        let count = |least| scores.iter().filter(|score| **score >= least).count() as u64;
        Replicators {
            cubff: count(CUBFF_THRESHOLD),
            knierim: count(knierim_threshold(program_len)),
        }
    }
}

/// Partners that many programs are run beside, and what becomes of each of them where a
/// program leaves it as it is: that need not be run again for every program.
#[derive(Clone, Debug)]
pub struct Panel {
    partners: Partners,
    /// The tapes in the end, where only the partner was left after the first generation.
    alone: Vec<u8>,
}

/// Two programs of so many bytes, joined.
type Joined<const L: usize> = [[u8; L]; 2];

/// The tapes of one program, one beside each partner.
type Tapes<const L: usize> = [Joined<L>; PARTNERS];

/// Scores programs of one language.
#[derive(Debug)]
pub struct Scorer {
    runner: Runner,
    /// Runs end after the language's own number of steps, whatever the soup's limit is.
    language: &'static Language,
}

impl Scorer {
    /// A scorer that runs tapes by `engine`. No native code is made: a program is run but
    /// a few times.
    pub fn new(language: &'static Language, engine: Engine, options: &Options) -> Scorer {
        let engine = match engine {
            Engine::Reference => Engine::Reference,
            _ => Engine::Interpreter,
        };
        Scorer {
            runner: engine.runner(language, options),
            language,
        }
    }

    /// Score `program` beside `partners`. Both must have the length that the language's
    /// programs have.
    ///
    /// ```
    /// use broth::engine::{Engine, Options};
    /// use broth::language::{PROGRAM_LEN, bff};
    /// use broth::measure::replicators::{Partners, Scorer};
    ///
    /// let language = &bff::BFF_NOHEADS;
    /// let mut program = [1; PROGRAM_LEN]; // no-ops
    /// program[..9].copy_from_slice(b"[[{.>]-]]");
    /// program[55..].copy_from_slice(b"]]-]>.{[[");
    /// let scorer = Scorer::new(language, Engine::Auto, &Options::default());
    /// let agreement = scorer.agreement(&program, &Partners::of_lone_program(language))?;
    /// assert!(agreement.score() > 48);
    /// # Ok::<(), broth::Error>(())
    /// ```
    pub fn agreement(&self, program: &[u8], partners: &Partners) -> Result<Agreement, Error> {
        with_program_len!(self.language, L => {
            Ok(self.agreement_beside::<L>(sized(program)?, partners.of_length()?))
        })
    }

    fn agreement_beside<const L: usize>(
        &self,
        program: &[u8; L],
        partners: &Fixed<L>,
    ) -> Agreement {
        let ends = self.ends(program, partners, None);
        Agreement {
            left: left_agreement(program, &ends),
            right: right_agreement(&ends),
        }
    }

    /// The score of a program of the language's own length as that of a lone program.
    pub fn score_alone(&self, program: &[u8]) -> Result<u8, Error> {
        let partners = Partners::of_lone_program(self.language);
        Ok(self.agreement(program, &partners)?.score())
    }

    /// The score of `program` beside the partners of `panel`. Both must have the length that the
    /// language's programs have.
    pub fn score_beside(&self, program: &[u8], panel: &Panel) -> Result<u8, Error> {
        with_program_len!(self.language, L => {
            let (partners, program) = (panel.partners.of_length::<L>()?, sized::<L>(program)?);
            let (halves, _) = panel.alone.as_chunks::<L>();
            let (tapes, _) = halves.as_chunks::<2>();
            // As many as there are partners.
            let ends = self.ends(program, partners, tapes.try_into().ok());
            Ok(match left_agreement(program, &ends) {
                0 => 0,
                left => left.min(right_agreement(&ends)),
            })
        })
    }

    /// Make `partners` ready for many programs.
    pub fn panel(&self, partners: Partners) -> Result<Panel, Error> {
        let alone = with_program_len!(self.language, L => {
            let alone = self.left_alone(partners.of_length::<L>()?);
            alone.as_flattened().as_flattened().to_vec()
        });
        Ok(Panel { partners, alone })
    }

    /// The tapes in the end where only the partner is left after the first generation.
    fn left_alone<const L: usize>(&self, partners: &Fixed<L>) -> Tapes<L> {
        let mut alone = partners.map(|partner| [partner, partner]);
        for _ in 2..GENERATIONS {
            self.run(&mut alone);
            for (tape, partner) in alone.iter_mut().zip(partners) {
                *tape = next_start(tape, partner);
            }
        }
        self.run(&mut alone);
        alone
    }

    /// What the tapes hold in the end; where only the partner is left after the first
    /// generation, what `alone` knows of it.
    fn ends<const L: usize>(
        &self,
        program: &[u8; L],
        partners: &Fixed<L>,
        alone: Option<&Tapes<L>>,
    ) -> Tapes<L> {
        let mut tapes = beside(program, partners);
        let mut starts = tapes;
        // Which partner each of the tapes that still go on belongs to.
        let mut going: [usize; PARTNERS] = std::array::from_fn(|partner| partner);
        let mut ends = [[[0; L]; 2]; PARTNERS];
        let mut left = PARTNERS;
        for generation in 1..=GENERATIONS {
            self.run(&mut tapes[..left]);
            let mut kept = 0;
            for tape in 0..left {
                let partner = going[tape];
                let next = next_start(&tapes[tape], &partners[partner]);
                let known = match alone {
                    Some(alone) if generation == 1 && next[0] == partners[partner] => {
                        Some(&alone[partner])
                    }
                    _ => None,
                };
                // A run depends on its start alone: from the same start all that follows is
                // the same, generation for generation.
                if let Some(end) = known {
                    ends[partner] = *end;
                } else if generation == GENERATIONS || next == starts[tape] {
                    ends[partner] = tapes[tape];
                } else {
                    (tapes[kept], starts[kept], going[kept]) = (next, next, partner);
                    kept += 1;
                }
            }
            left = kept;
        }
        ends
    }

    /// The tape beside each partner after each generation. Program and partners must have the
    /// length that the language's programs have.
    pub fn generations(
        &self,
        program: &[u8],
        partners: &Partners,
    ) -> Result<[Vec<Vec<u8>>; GENERATIONS], Error> {
        with_program_len!(self.language, L => {
            let partners = partners.of_length::<L>()?;
            let mut tapes = beside(sized(program)?, partners);
            Ok(std::array::from_fn(|_| {
                self.run(&mut tapes);
                let generation = tapes.iter().map(|tape| tape.as_flattened().to_vec()).collect();
                for (tape, partner) in tapes.iter_mut().zip(partners) {
                    *tape = next_start(tape, partner);
                }
                generation
            }))
        })
    }

    fn run<const L: usize>(&self, tapes: &mut [Joined<L>]) {
        let mut outcomes = [Outcome::default(); PARTNERS];
        let bytes = tapes.as_flattened_mut().as_flattened_mut();
        self.runner
            .run_whole(bytes, self.language.max_steps, &mut outcomes);
    }

    /// Count the replicators of a soup of the scorer's language, on all threads. A soup of another
    /// language is an error.
    pub fn count(&self, soup: &Soup) -> Result<Replicators, Error> {
        let other = soup.settings().language;
        if other != self.language {
            return Err(Error::Usage(format!(
                "a soup of {other} cannot be scored by a scorer of {}",
                self.language
            )));
        }
        let streams = Streams::new(soup.settings().seed);
        let scores = with_program_len!(self.language, L => {
            let (programs, _) = soup.programs().as_chunks::<L>();
            self.score_part(programs, 0..programs.len(), &streams, soup.epochs_done())
        });
        Ok(Replicators::of(self.language.program_len, &scores))
    }

    /// Score each program of a soup, `epochs_done` epochs from its start; on all threads.
    pub fn score_soup(
        &self,
        programs: &[u8],
        streams: &Streams,
        epochs_done: u64,
    ) -> Result<Vec<u8>, Error> {
        self.score_soup_watched(programs, streams, epochs_done, &mut |_| {})
    }

    /// As [`Scorer::score_soup`]; `watch` is told now and then how many programs are scored.
    pub fn score_soup_watched(
        &self,
        programs: &[u8],
        streams: &Streams,
        epochs_done: u64,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Vec<u8>, Error> {
        with_program_len!(self.language, L => {
            let (programs, rest) = programs.as_chunks::<L>();
            if !rest.is_empty() {
                return Err(Error::Usage(format!(
                    "a soup of {} bytes is none of programs of {L}",
                    L * programs.len() + rest.len()
                )));
            }
            let mut scores = Vec::with_capacity(programs.len());
            while scores.len() < programs.len() {
                let part = scores.len()..programs.len().min(scores.len() + WATCHED);
                scores.extend(self.score_part(programs, part, streams, epochs_done));
                watch(scores.len());
            }
            Ok(scores)
        })
    }

    fn score_part<const L: usize>(
        &self,
        programs: &[[u8; L]],
        part: Range<usize>,
        streams: &Streams,
        epochs_done: u64,
    ) -> Vec<u8> {
        let epoch = epochs_done.saturating_sub(1);
        part.into_par_iter()
            .with_min_len(64)
            .map(|index| {
                let partners = draw(streams, programs.len(), epoch, index);
                self.agreement_beside(&programs[index], &partners).score()
            })
            .collect()
    }
}

/// `program` on the left, beside each partner.
fn beside<const L: usize>(program: &[u8; L], partners: &Fixed<L>) -> Tapes<L> {
    partners.map(|partner| [*program, partner])
}

/// The tape that the next generation starts from.
fn next_start<const L: usize>(tape: &Joined<L>, partner: &[u8; L]) -> Joined<L> {
    [tape[1], *partner]
}

/// Places of the left half at which enough of the tapes hold the program's own byte.
fn left_agreement<const L: usize>(program: &[u8; L], ends: &Tapes<L>) -> u8 {
    let mut holding = [0; L];
    for end in ends {
        for (count, (byte, own)) in holding.iter_mut().zip(end[0].iter().zip(program)) {
            *count += u8::from(byte == own);
        }
    }
    enough(&holding)
}

/// Places of the right half at which enough of the tapes hold the same byte.
fn right_agreement<const L: usize>(ends: &Tapes<L>) -> u8 {
    let mut most_alike = [0; L];
    for (tape, end) in ends.iter().enumerate() {
        let mut alike = [1; L];
        for other in &ends[tape + 1..] {
            for (count, (a, b)) in alike.iter_mut().zip(end[1].iter().zip(&other[1])) {
                *count += u8::from(a == b);
            }
        }
        for (most, count) in most_alike.iter_mut().zip(alike) {
            *most = count.max(*most);
        }
    }
    enough(&most_alike)
}

/// How many of the counts are enough.
fn enough(counts: &[u8]) -> u8 {
    let places = counts
        .iter()
        .filter(|count| usize::from(**count) >= AGREEING);
    places.count() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::BFF;
    use crate::language::machine::Z80_ZFF;

    /// Partners that become something else in each generation: whoever leaves them alone, at once
    /// or later, leaves what so many generations make of them.
    #[test]
    fn what_is_left_alone_goes_on_by_itself() {
        // Heads at 63 and 127: count the last byte up, and copy it to the neighbour's last.
        let partners: [[u8; PROGRAM_LEN]; PARTNERS] = std::array::from_fn(|number| {
            let mut partner = [0; PROGRAM_LEN];
            partner[..4].copy_from_slice(&[63, 127, b'+', b'.']);
            partner[63] = 10 * number as u8 + 100;
            partner
        });
        let quiet = [0; PROGRAM_LEN];
        // Writes nulls over the neighbour's code; what is left leaves the next one alone.
        let mut quietening = [0; PROGRAM_LEN];
        quietening[..9].copy_from_slice(b"\x28\x40.}.}.}.");
        let scorer = Scorer::new(&BFF, Engine::Auto, &Options::default());
        let alone = scorer.left_alone(&partners);
        let same = Partners {
            program_len: PROGRAM_LEN,
            bytes: partners.as_flattened().to_vec(),
        };
        for (program, generations_left) in [(quiet, 4), (quietening, 3)] {
            let ends = scorer.ends(&program, &partners, Some(&alone));
            let all = scorer.generations(&program, &same).unwrap();
            let flat = |end: &Joined<PROGRAM_LEN>| end.as_flattened().to_vec();
            assert_eq!(
                ends.iter().map(flat).collect::<Vec<_>>(),
                all[GENERATIONS - 1]
            );
            let counted = ends[0][1][63] - partners[0][63];
            assert_eq!(counted, 2 * generations_left);
        }
    }

    /// What cannot be scored is refused: programs, partners and soups of another length.
    #[test]
    fn what_cannot_be_scored_is_refused() {
        let scorer = Scorer::new(&BFF, Engine::Auto, &Options::default());
        let partners = Partners::of_lone_program(&BFF);
        let of_16 = Partners::of_lone_program(&Z80_ZFF);
        assert!(scorer.score_alone(&[0; 16]).is_err());
        assert!(scorer.agreement(&[0; 63], &partners).is_err());
        assert!(scorer.agreement(&[0; 64], &of_16).is_err());
        assert!(scorer.generations(&[0; 64], &of_16).is_err());
        assert!(scorer.panel(of_16).is_err());
        let panel = scorer.panel(partners).unwrap();
        assert!(scorer.score_beside(&[0; 65], &panel).is_err());
        assert!(scorer.score_soup(&[0; 130], &Streams::new(0), 1).is_err());
        let zff = Scorer::new(&Z80_ZFF, Engine::Auto, &Options::default());
        assert!(zff.score_alone(&[0; 16]).is_ok());
    }
}
