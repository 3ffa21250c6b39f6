//! Mutation: now and then a byte of a tape becomes a random one.

use crate::lanes::Lanes;
use crate::language::{TAPE_LEN, Tape};
use crate::random::mix;

/// The chance of a byte to mutate, as the random stream tests it.
///
/// Most tapes have no mutation at all, so a vector pass first asks whether any
/// byte has one, in the widest lanes that the machine offers.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// A byte mutates where 30 random bits, as a number, are below this.
    threshold: u64,
    has_mutation: fn(u64, u64) -> bool,
}

impl Mutation {
    /// `probability` is that of one byte in one interaction, 0 to 1.
    pub fn new(probability: f64) -> Self {
        Mutation {
            threshold: (probability * f64::from(1 << 30)).round() as u64,
            has_mutation: any_mutates_in(Lanes::widest()),
        }
    }

    /// Mutate `tape`, whose byte i has the random number mix(`stream` + i).
    #[inline]
    pub fn apply(self, tape: &mut Tape, stream: u64) {
        if self.threshold == 0 || !(self.has_mutation)(stream, self.threshold) {
            return;
        }
        for (i, byte) in tape.iter_mut().enumerate() {
            let random = mix(stream.wrapping_add(i as u64));
            if mutates(random, self.threshold) {
                *byte = random as u8;
            }
        }
    }
}

/// Bits 8 to 37 of `random`, as a number, against the threshold, from 1 up.
#[inline(always)]
fn mutates(random: u64, threshold: u64) -> bool {
    // Both moved to the top, which saves the mask; 2^30 << 34 wraps to 0.
    random << 26 <= (threshold << 34).wrapping_sub(1)
}

/// The one loop; every width of it is this one, compiled for other lanes.
#[inline(always)]
fn any_mutates(stream: u64, threshold: u64) -> bool {
    (0..TAPE_LEN as u64).fold(false, |any, i| {
        any | mutates(mix(stream.wrapping_add(i)), threshold)
    })
}

/// [`any_mutates`], compiled for `lanes`, which this machine must have.
fn any_mutates_in(lanes: Lanes) -> fn(u64, u64) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx512f,avx512dq")]
            fn avx512(stream: u64, threshold: u64) -> bool {
                any_mutates(stream, threshold)
            }
            #[target_feature(enable = "avx2")]
            fn avx2(stream: u64, threshold: u64) -> bool {
                any_mutates(stream, threshold)
            }
            match lanes {
                // SAFETY: `available` found the instructions on this machine.
                Lanes::Avx512 => |stream, threshold| unsafe { avx512(stream, threshold) },
                // SAFETY: as above.
                Lanes::Avx2 => |stream, threshold| unsafe { avx2(stream, threshold) },
                Lanes::Portable => any_mutates,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        any_mutates
    }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probability_rounds_to_the_nearest_threshold() {
        assert_eq!(Mutation::new(0.0).threshold, 0);
        assert_eq!(Mutation::new(1.0).threshold, 1 << 30);
        assert_eq!(Mutation::new(1.0 / 4096.0).threshold, 1 << 18);
        assert_eq!(Mutation::new(0.6 / f64::from(1 << 30)).threshold, 1);
        assert_eq!(Mutation::new(0.4 / f64::from(1 << 30)).threshold, 0);
    }

    /// Against the definition, a bit at a time, at every width and for
    /// probabilities from the least to 1.
    #[test]
    fn every_width_mutates_as_defined() {
        for lanes in Lanes::available() {
            for threshold in [1, 1 << 10, 1 << 18, 1 << 22, (1 << 29) + 1, 1 << 30] {
                let mutation = Mutation {
                    threshold,
                    has_mutation: any_mutates_in(lanes),
                };
                for stream in (0..500).map(|i| mix(i) << 7) {
                    let mut tape = [7; TAPE_LEN];
                    mutation.apply(&mut tape, stream);
                    for (i, byte) in tape.into_iter().enumerate() {
                        let random = mix(stream.wrapping_add(i as u64));
                        let drawn = random >> 8 & ((1 << 30) - 1);
                        let expected = if drawn < threshold { random as u8 } else { 7 };
                        assert_eq!(byte, expected, "{lanes:?} {threshold}");
                    }
                }
            }
        }
    }
}
