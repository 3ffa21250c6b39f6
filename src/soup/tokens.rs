//! Tracer tokens: where each byte of a soup came from.
//!
//! Every byte carries a token (epoch, position, char): when and where it came into being, by
//! chance, and what it says. Copies carry tokens along; `+` and `-` change the char only; the
//! first soup, a reset and mutation make new ones. Where replicators take over, the soup is
//! made of the copies of few bytes: the number of distinct tokens collapses. (Computational
//! Life, section "Tracer tokens"; docs/reference.md.)

use rayon::prelude::*;

use super::pairing::Pairs;
use crate::Error;
use crate::engine::bff::traced::{IN_PLACE, Origins};
use crate::language::{PROGRAM_LEN, TAPE_LEN};
use crate::memory;

/// Epochs after which a token's epoch begins at 0 again.
pub const MOST_EPOCHS: u64 = 1 << 24;
/// Bytes of a soup that tokens have positions for.
const MOST_BYTES: u64 = 1 << 32;
/// What an origin is called that is no place of the tape before: a new token for the place
/// that is so much less.
pub(super) const NEW: usize = TAPE_LEN;

/// A token without its char, which is the byte itself: epoch and position, 32 bits each.
type Birth = u64;

fn birth(epoch: u64, position: usize) -> Birth {
    ((epoch % MOST_EPOCHS) << 32) | position as u64
}

/// The tokens of a soup's bytes.
#[derive(Debug)]
pub struct Tokens {
    /// One for each byte.
    births: Vec<Birth>,
    /// Room for those of the next epoch.
    next: Vec<Birth>,
    /// Where the bytes of each pair came from.
    pub(super) origins: Vec<Origins>,
    /// The half tape that each program was, counted through all pairs.
    halves: Vec<u32>,
}

/// What tokens measure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct TokenMeasures {
    /// How many different tokens there are.
    pub distinct: u64,
    /// The share of the soup's bytes that the commonest of them has, 0 to 1.
    pub commonest_share: f64,
}

impl Tokens {
    /// New tokens for every byte, made in `epoch`.
    pub fn new(num_programs: usize, epoch: u64) -> Result<Tokens, Error> {
        let bytes = num_programs.saturating_mul(PROGRAM_LEN);
        // Two of eight bytes each, an origin, and a copy for checkpoints.
        let needed = (bytes as u64).saturating_mul(25);
        if bytes as u64 > MOST_BYTES || memory::available().is_some_and(|free| needed > free) {
            return Err(Error::Setting(format!(
                "`tracers`: the tokens of {num_programs} programs need {} MiB of memory, more \
                 than this machine has free, or than there are positions for (2^26 programs); \
                 choose a smaller `num_programs`",
                needed >> 20
            )));
        }
        let mut tokens = Tokens {
            births: vec![0; bytes],
            next: vec![0; bytes],
            origins: vec![[0; TAPE_LEN]; num_programs / 2],
            halves: vec![0; num_programs],
        };
        tokens.renew(epoch);
        Ok(tokens)
    }

    /// New tokens for every byte, made in `epoch`.
    pub(super) fn renew(&mut self, epoch: u64) {
        let births = self.births.par_iter_mut().enumerate();
        births.for_each(|(position, token)| *token = birth(epoch, position));
    }

    /// New tokens for the bytes of one program, made in `epoch`.
    pub(super) fn renew_program(&mut self, index: usize, epoch: u64) {
        let positions = index * PROGRAM_LEN..(index + 1) * PROGRAM_LEN;
        for (token, position) in self.births[positions.clone()].iter_mut().zip(positions) {
            *token = birth(epoch, position);
        }
    }

    /// Move the tokens as the bytes were moved in `epoch`, whose pairs these are.
    pub(super) fn advance(&mut self, pairs: &Pairs, epoch: u64) {
        for (half, program) in pairs.programs_of(0..pairs.len()).enumerate() {
            self.halves[program] = half as u32;
        }
        let (births, origins, halves) = (&self.births, &self.origins, &self.halves);
        let next = self.next.par_chunks_mut(PROGRAM_LEN).enumerate();
        next.with_min_len(256).for_each(|(program, next)| {
            let (pair, side) = (halves[program] as usize / 2, halves[program] as usize % 2);
            let half = side * PROGRAM_LEN..(side + 1) * PROGRAM_LEN;
            let own = &origins[pair][half.clone()];
            // Most programs stay as they are.
            if own == &IN_PLACE[half] {
                let first = program * PROGRAM_LEN;
                next.copy_from_slice(&births[first..first + PROGRAM_LEN]);
                return;
            }
            // The birth of each origin there may be.
            let mut born = [0; 2 * TAPE_LEN];
            let any_new = own.iter().any(|origin| usize::from(*origin) >= NEW);
            for (side, program) in pairs.programs_of(pair..pair + 1).enumerate() {
                let (first, place) = (program * PROGRAM_LEN, side * PROGRAM_LEN);
                born[place..place + PROGRAM_LEN]
                    .copy_from_slice(&births[first..first + PROGRAM_LEN]);
                if any_new {
                    for (j, token) in born[NEW + place..][..PROGRAM_LEN].iter_mut().enumerate() {
                        *token = birth(epoch, first + j);
                    }
                }
            }
            for (token, origin) in next.iter_mut().zip(own) {
                *token = born[usize::from(*origin)];
            }
        });
        std::mem::swap(&mut self.births, &mut self.next);
    }

    /// Measure the tokens of a soup with these bytes.
    pub fn measure(&self, programs: &[u8]) -> TokenMeasures {
        let mut tokens = self.whole(programs);
        tokens.par_sort_unstable();
        let (mut distinct, mut most, mut alike) = (0, 0, 0u64);
        let mut last = None;
        for token in tokens {
            if last != Some(token) {
                (distinct, alike, last) = (distinct + 1, 0, Some(token));
            }
            alike += 1;
            most = alike.max(most);
        }
        TokenMeasures {
            distinct,
            commonest_share: most as f64 / programs.len() as f64,
        }
    }

    /// The tokens of a soup with these bytes, chars and all: from the highest bits down epoch
    /// (24), position (32) and char (8).
    ///
    /// # Panics
    ///
    /// If these are not as many bytes as there are tokens.
    pub fn whole(&self, programs: &[u8]) -> Vec<u64> {
        assert_eq!(programs.len(), self.births.len(), "a token for each byte");
        let tokens = self.births.par_iter().zip(programs);
        tokens
            .map(|(birth, char)| birth << 8 | u64::from(*char))
            .collect()
    }

    /// Go on with these tokens, as [`Tokens::whole`] gives them.
    pub(super) fn set(&mut self, tokens: &[u64]) {
        let births = self.births.par_iter_mut().zip(tokens);
        births.for_each(|(birth, token)| *birth = token >> 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Options, reference};
    use crate::language::Family;
    use crate::language::bff::{BFF, BFF_NOHEADS, BFF_NOHEADS_4BIT, BFF_SELFMOVE, Op};
    use crate::random::{Streams, mix};
    use crate::soup::Soup;
    use crate::soup::meeting::Grid;
    use crate::soup::settings::{Meeting, Settings};

    /// An epoch by the definition, a step and a byte at a time.
    fn plain_epoch(settings: &Settings, epoch: u64, soup: &mut [u8], tokens: &mut [u64]) {
        let Family::Bff(dialect) = &settings.language.family else {
            panic!("tokens are for the BFF family");
        };
        let streams = Streams::new(settings.seed);
        let mut pairs = Pairs::new(settings.num_programs).unwrap();
        pairs.draw(&settings.meeting, &streams, epoch);
        let first = (settings.num_programs as u64).wrapping_mul(streams.key(epoch));
        for pair in 0..pairs.len() {
            let starts: Vec<_> = pairs.programs_of(pair..pair + 1).map(|p| p * 64).collect();
            let position = |place: usize| starts[place / 64] + place % 64;
            let mut tape = std::array::from_fn(|place| soup[position(place)]);
            let mut carried: [u64; 128] = std::array::from_fn(|place| tokens[position(place)]);
            for place in 0..128 {
                let random = mix((first.wrapping_add(pair as u64))
                    .wrapping_mul(128)
                    .wrapping_add(place as u64));
                let drawn = random >> 8 & ((1 << 30) - 1);
                if drawn < (settings.mutation_prob * f64::from(1 << 30)).round() as u64 {
                    tape[place] = random as u8;
                    carried[place] = epoch << 40 | (position(place) as u64) << 8;
                }
            }
            if pair < pairs.interacting() {
                let mut copies = Vec::new();
                reference::trace(
                    settings.language,
                    &mut tape,
                    settings.max_steps,
                    |tape, view| {
                        let [Some(head0), Some(head1), _] = view.marks else {
                            return;
                        };
                        match dialect.op(tape[view.pc]) {
                            Op::CopyTo1 => copies.push((head0, head1)),
                            Op::CopyTo0 => copies.push((head1, head0)),
                            _ => {}
                        }
                    },
                );
                for (from, to) in copies {
                    carried[to] = carried[from];
                }
            }
            for place in 0..128 {
                soup[position(place)] = tape[place];
                tokens[position(place)] = carried[place] & !0xff | u64::from(tape[place]);
            }
        }
    }

    #[test]
    fn tokens_are_carried_as_defined() {
        let grid = Meeting::Grid(Grid {
            width: 6,
            height: 7,
            radius: 1,
            torus: false,
        });
        for (language, num_programs, meeting, reset_interval) in [
            (&BFF_NOHEADS, 100, Meeting::Shuffle, None),
            (&BFF, 42, grid, None),
            (&BFF_NOHEADS_4BIT, 64, Meeting::FixedShuffle, Some(5)),
            (&BFF_SELFMOVE, 30, Meeting::NoPermutation, Some(4)),
        ] {
            let settings = Settings {
                language,
                num_programs,
                seed: 5,
                mutation_prob: 0.01,
                meeting,
                reset_interval,
                ..Settings::default()
            };
            let mut untraced = Soup::new(settings.clone()).unwrap();
            untraced.set_engine(Engine::Reference, &Options::default());
            let mut soup = Soup::new(settings.clone()).unwrap();
            soup.trace().unwrap();
            for epoch in 0..12 {
                let mut bytes = soup.programs().to_vec();
                let mut tokens = soup.tokens().unwrap().whole(&bytes);
                if epoch > 0 && settings.resets_after(epoch - 1) {
                    // The reset comes first, and its bytes are not what this test is about.
                    assert_eq!(soup.step(), untraced.step());
                    assert!(soup.programs() == untraced.programs());
                    let tokens = soup.tokens().unwrap().whole(soup.programs());
                    assert!(tokens.iter().all(|token| token >> 40 == epoch));
                    continue;
                }
                plain_epoch(&settings, epoch, &mut bytes, &mut tokens);
                assert_eq!(soup.step(), untraced.step());
                assert!(soup.programs() == bytes, "{language} {epoch}");
                assert!(soup.programs() == untraced.programs(), "{language} {epoch}");
                let now = soup.tokens().unwrap();
                assert!(now.whole(&bytes) == tokens, "{language} {epoch}");
                let mut sorted = tokens.clone();
                sorted.sort_unstable();
                let most = sorted
                    .chunk_by(|a, b| a == b)
                    .map(<[_]>::len)
                    .max()
                    .unwrap();
                sorted.dedup();
                let expected = TokenMeasures {
                    distinct: sorted.len() as u64,
                    commonest_share: most as f64 / bytes.len() as f64,
                };
                assert_eq!(now.measure(&bytes), expected);
            }
            // Copies there were, and mutations.
            let now = soup.tokens().unwrap().measure(soup.programs());
            assert!(now.distinct < soup.programs().len() as u64, "{language}");
        }
    }

    #[test]
    fn other_families_carry_none() {
        let settings = Settings {
            language: &crate::language::forth::FORTH,
            num_programs: 4,
            ..Settings::default()
        };
        let error = Soup::new(settings).unwrap().trace().unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("`tracers`"));
        assert!(Tokens::new(1 << 40, 0).unwrap_err().is_usage());
    }
}
