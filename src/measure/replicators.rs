//! Is a program a replicator? cubff's test (`CheckSelfRep`), to the last score.
//!
//! A program is run beside each of [`PARTNERS`] random partners. Then, four times, what has
//! become of the right half moves to the left, the same partner comes to the right again,
//! and the tape is run once more: whoever copies itself, and whose copies do, is on both
//! halves in the end. The score says of how many places that is so.
//! Facts: docs/reference.md, "Replicator score".

use rayon::prelude::*;

use super::column::{self, Column, Scale, Source};
use crate::engine::{Engine, Options, Runner};
use crate::language::{Language, Outcome, PROGRAM_LEN, Role};
use crate::random::{Streams, mix};
use crate::soup::Soup;

/// Random partners that a program is run beside.
pub const PARTNERS: usize = 13;
/// Runs beside each of them, one after the other.
pub const GENERATIONS: usize = 5;
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
pub struct Partners<const L: usize = PROGRAM_LEN>([[u8; L]; PARTNERS]);

impl<const L: usize> Partners<L> {
    /// Those of the program number `index` of `num_programs` after `epoch` (from 0).
    pub fn of(streams: &Streams, num_programs: usize, epoch: u64, index: usize) -> Partners<L> {
        let place = (num_programs as u64).wrapping_mul(streams.key(epoch));
        let stream = mix(place.wrapping_add(index as u64));
        let mut partners = [[0; L]; PARTNERS];
        for (partner, noise) in partners.iter_mut().zip(Noise::<L>::NOISE) {
            for (byte, noise) in partner.iter_mut().zip(noise) {
                *byte = mix(stream ^ noise) as u8;
            }
        }
        Partners(partners)
    }

    /// Those of a program that is in no soup: as of a soup of one, seed 0, after epoch 0.
    pub fn of_lone_program() -> Partners<L> {
        Partners::of(&Streams::new(0), 1, 0, 0)
    }

    /// Their bytes.
    pub fn programs(&self) -> &[[u8; L]; PARTNERS] {
        &self.0
    }
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
pub struct Replicators {
    /// Programs that score at least [`CUBFF_THRESHOLD`]: cubff's `number_selfreps`.
    pub cubff: u64,
    /// Programs that score at least [`knierim_threshold`], which is 48 of 64.
    pub knierim: u64,
}

impl Replicators {
    /// Count those among programs of 64 bytes with these scores.
    pub fn of(scores: &[u8]) -> Replicators {
        Replicators::of_length(PROGRAM_LEN, scores)
    }

    /// Count those among programs of so many bytes with these scores.
    pub fn of_length(program_len: usize, scores: &[u8]) -> Replicators {
        let count = |least| scores.iter().filter(|score| **score >= least).count() as u64;
        Replicators {
            cubff: count(CUBFF_THRESHOLD),
            knierim: count(knierim_threshold(program_len)),
        }
    }
}

static REPLICATORS: column::Panel = column::Panel {
    title: "Replicators",
    unit: "programs",
    scale: Scale::Logarithmic,
};

pub(super) static COLUMNS: [Column; 2] = [
    Column::count(
        "number_selfreps",
        Source::Replicators(|count| count.cubff.into()),
    )
    .drawn(&REPLICATORS, "score of 5 or more", Role::Arithmetic)
    .in_sweeps(),
    Column::count(
        "number_selfreps_48",
        Source::Replicators(|count| count.knierim.into()),
    )
    .drawn(&REPLICATORS, "score of 48 or more", Role::Copy)
    .in_sweeps(),
];

/// Partners that many programs are run beside, and what becomes of each of them where a
/// program leaves it as it is: that need not be run again for every program.
#[derive(Clone, Debug)]
pub struct Panel<const L: usize = PROGRAM_LEN> {
    partners: Partners<L>,
    /// The tapes in the end, where only the partner was left after the first generation.
    alone: Tapes<L>,
}

/// Two programs of so many bytes, joined.
type Joined<const L: usize> = [[u8; L]; 2];

/// The tapes of one program, one beside each partner.
type Tapes<const L: usize> = [Joined<L>; PARTNERS];

/// Scores programs of one language.
#[derive(Debug)]
pub struct Scorer {
    runner: Runner,
    /// Steps after which each run ends: the language's own, whatever the soup's limit is.
    max_steps: u32,
    program_len: usize,
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
            max_steps: language.max_steps,
            program_len: language.program_len,
        }
    }

    /// Score `program` beside `partners`.
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
    /// let agreement = scorer.agreement(&program, &Partners::of_lone_program());
    /// assert!(agreement.score() > 48);
    /// ```
    pub fn agreement<const L: usize>(
        &self,
        program: &[u8; L],
        partners: &Partners<L>,
    ) -> Agreement {
        let ends = self.ends(program, partners, None);
        Agreement {
            left: left_agreement(program, &ends),
            right: right_agreement(&ends),
        }
    }

    /// The score of a program of the language's own length as that of a lone program; 0 for one
    /// of another length.
    pub fn score_alone(&self, program: &[u8]) -> u8 {
        fn score<const L: usize>(scorer: &Scorer, program: &[u8]) -> u8 {
            let partners = Partners::<L>::of_lone_program();
            program.try_into().map_or(0, |program| {
                scorer.agreement::<L>(program, &partners).score()
            })
        }
        match self.program_len {
            16 => score::<16>(self, program),
            32 => score::<32>(self, program),
            _ => score::<PROGRAM_LEN>(self, program),
        }
    }

    /// The score of `program` beside the partners of `panel`.
    pub fn score_beside<const L: usize>(&self, program: &[u8; L], panel: &Panel<L>) -> u8 {
        let ends = self.ends(program, &panel.partners, Some(&panel.alone));
        match left_agreement(program, &ends) {
            0 => 0,
            left => left.min(right_agreement(&ends)),
        }
    }

    /// Make `partners` ready for many programs.
    pub fn panel<const L: usize>(&self, partners: Partners<L>) -> Panel<L> {
        let mut alone = partners.0.map(|partner| [partner, partner]);
        for _ in 2..GENERATIONS {
            self.run(&mut alone);
            for (tape, partner) in alone.iter_mut().zip(&partners.0) {
                *tape = next_start(tape, partner);
            }
        }
        self.run(&mut alone);
        Panel { partners, alone }
    }

    /// What the tapes hold in the end; where only the partner is left after the first
    /// generation, what `alone` knows of it.
    fn ends<const L: usize>(
        &self,
        program: &[u8; L],
        partners: &Partners<L>,
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
                let next = next_start(&tapes[tape], &partners.0[partner]);
                let known = match alone {
                    Some(alone) if generation == 1 && next[0] == partners.0[partner] => {
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

    /// What the tape beside each partner holds after each generation.
    pub fn generations<const L: usize>(
        &self,
        program: &[u8; L],
        partners: &Partners<L>,
    ) -> [[[[u8; L]; 2]; PARTNERS]; GENERATIONS] {
        let mut tapes = beside(program, partners);
        let mut all = [[[[0; L]; 2]; PARTNERS]; GENERATIONS];
        for generation in &mut all {
            self.run(&mut tapes);
            *generation = tapes;
            for (tape, partner) in tapes.iter_mut().zip(&partners.0) {
                *tape = next_start(tape, partner);
            }
        }
        all
    }

    fn run<const L: usize>(&self, tapes: &mut [Joined<L>]) {
        let mut outcomes = [Outcome::default(); PARTNERS];
        let bytes = tapes.as_flattened_mut().as_flattened_mut();
        self.runner.run_bytes(bytes, self.max_steps, &mut outcomes);
    }

    /// Count the replicators of a soup, on all threads.
    pub fn count(&self, soup: &Soup) -> Replicators {
        let streams = Streams::new(soup.settings().seed);
        let scores = self.score_soup(soup.programs(), &streams, soup.epochs_done());
        Replicators::of_length(self.program_len, &scores)
    }

    /// Score each program of a soup, `epochs_done` epochs from its start; on all threads.
    pub fn score_soup(&self, programs: &[u8], streams: &Streams, epochs_done: u64) -> Vec<u8> {
        match self.program_len {
            16 => self.score_all::<16>(programs, streams, epochs_done),
            32 => self.score_all::<32>(programs, streams, epochs_done),
            _ => self.score_all::<PROGRAM_LEN>(programs, streams, epochs_done),
        }
    }

    fn score_all<const L: usize>(
        &self,
        programs: &[u8],
        streams: &Streams,
        epochs_done: u64,
    ) -> Vec<u8> {
        let (programs, _) = programs.as_chunks::<L>();
        let epoch = epochs_done.saturating_sub(1);
        programs
            .par_iter()
            .enumerate()
            .with_min_len(64)
            .map(|(index, program)| {
                let partners = Partners::of(streams, programs.len(), epoch, index);
                self.agreement(program, &partners).score()
            })
            .collect()
    }
}

/// `program` on the left, beside each partner.
fn beside<const L: usize>(program: &[u8; L], partners: &Partners<L>) -> Tapes<L> {
    partners.0.map(|partner| [*program, partner])
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
        let partners = Partners(partners);
        let quiet = [0; PROGRAM_LEN];
        // Writes nulls over the neighbour's code; what is left leaves the next one alone.
        let mut quietening = [0; PROGRAM_LEN];
        quietening[..9].copy_from_slice(b"\x28\x40.}.}.}.");
        let scorer = Scorer::new(&BFF, Engine::Auto, &Options::default());
        let panel = scorer.panel(partners.clone());
        for (program, generations_left) in [(quiet, 4), (quietening, 3)] {
            let ends = scorer.ends(&program, &partners, Some(&panel.alone));
            let all = scorer.generations(&program, &partners);
            assert_eq!(ends, all[GENERATIONS - 1]);
            let counted = ends[0][1][63] - partners.0[0][63];
            assert_eq!(counted, 2 * generations_left);
        }
    }
}
