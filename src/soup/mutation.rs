//! Mutation: now and then a byte of a tape becomes a random one.

use crate::lanes::Lanes;
use crate::language::{TAPE_LEN, Tape};
use crate::random::{FACTOR_1, GAMMA, finish_mix, mix};

/// The chance of a byte to mutate, as the random stream tests it.
///
/// Most tapes have no mutation at all, so a vector pass first asks whether any
/// byte has one, in the widest lanes that the machine offers.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// A byte mutates where 30 random bits, as a number, are below this.
    threshold: u64,
    may_mutate: fn(u64, u64) -> bool,
}

impl Mutation {
    /// `probability` is that of one byte in one interaction, 0 to 1.
    pub fn new(probability: f64) -> Self {
        Mutation {
            threshold: (probability * f64::from(1 << 30)).round() as u64,
            may_mutate: may_mutate_in(Lanes::widest()),
        }
    }

    /// Mutate `tape`, whose byte i has the random number mix(`stream` + i).
    #[inline]
    pub fn apply(self, tape: &mut Tape, stream: u64) {
        if self.threshold == 0 || !(self.may_mutate)(stream, self.threshold) {
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

/// Bits 8 to 37 of `random`, which decide, where they are.
const DRAWN: u64 = ((1 << 30) - 1) << 8;

/// Whether a byte with this random number mutates.
#[inline(always)]
fn mutates(random: u64, threshold: u64) -> bool {
    random & DRAWN < threshold << 8
}

/// The states of a tape in eights, for asking whether any byte mutates.
///
/// SplitMix64 multiplies twice. Within eight states whose lowest three bits
/// count from 0 to 7, everything above those bits is the same, also in
/// `state >> 30`, so that the first product is that of the upper bits, one for
/// all eight, plus that of the lowest three, which a table holds.
struct Eights {
    first: u64,
    above: u64,
}

impl Eights {
    /// Enough to cover a tape wherever in the first eight it begins.
    const COUNT: u64 = TAPE_LEN as u64 / 8 + 1;

    /// `None` where `state >> 30` is not the same for all: one tape in eight
    /// million, not worth a second table.
    #[inline(always)]
    fn of(stream: u64) -> Option<Eights> {
        let first = stream.wrapping_add(GAMMA) & !7;
        let above = first >> 30;
        (first.wrapping_add(8 * Eights::COUNT) >> 30 == above).then_some(Eights { first, above })
    }

    /// The first product of the lowest three bits, from 0 to 7.
    #[inline(always)]
    fn low_products(&self) -> &'static [u64; 8] {
        &LOW_PRODUCTS[self.above as usize % 8]
    }

    /// The first product of the upper bits of eight number `index`.
    #[inline(always)]
    fn product(&self, index: u64) -> u64 {
        let state = self.first.wrapping_add(8 * index);
        ((state ^ self.above) & !7).wrapping_mul(FACTOR_1)
    }
}

/// Whether a byte mutates, or one of the few just before and behind the tape:
/// the caller looks closely where this says yes.
#[inline(always)]
fn may_mutate(stream: u64, threshold: u64) -> bool {
    let Some(eights) = Eights::of(stream) else {
        return true;
    };
    let low_products = eights.low_products();
    // The least of each lane, so that one comparison at the end does for all.
    let mut least = [u64::MAX; 8];
    for index in 0..Eights::COUNT {
        let product = eights.product(index);
        for (least, low) in least.iter_mut().zip(low_products) {
            *least = (finish_mix(product.wrapping_add(*low)) & DRAWN).min(*least);
        }
    }
    least.iter().any(|drawn| mutates(*drawn, threshold))
}

/// As [`may_mutate`]. Compiled from that, shifts, minima and products all wait
/// for the one port that does them; this leaves it the products.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn may_mutate_avx512(stream: u64, threshold: u64) -> bool {
    use std::arch::x86_64::*;

    use crate::random::FACTOR_2;

    let Some(eights) = Eights::of(stream) else {
        return true;
    };
    let [a, b, c, d, e, f, g, h] = eights.low_products().map(|product| product as i64);
    let low_products = _mm512_set_epi64(h, g, f, e, d, c, b, a);
    let factor = _mm512_set1_epi64(FACTOR_2 as i64);
    let drawn = _mm512_set1_epi64(DRAWN as i64);
    let limit = _mm512_set1_epi64((threshold << 8) as i64);
    let mut none = 0xff;
    for index in 0..Eights::COUNT {
        let product = _mm512_set1_epi64(eights.product(index) as i64);
        let z = _mm512_add_epi64(product, low_products);
        let z = _mm512_xor_si512(z, _mm512_srli_epi64::<27>(z));
        let z = _mm512_mullo_epi64(z, factor);
        // (z ^ z >> 31) & drawn
        let z = _mm512_ternarylogic_epi64::<0x28>(z, _mm512_srli_epi64::<31>(z), drawn);
        none = _mm512_mask_cmpge_epu64_mask(none, z, limit);
    }
    none != 0xff
}

/// The product of FACTOR_1 and (low ^ above), by above and low.
static LOW_PRODUCTS: [[u64; 8]; 8] = {
    let mut products = [[0; 8]; 8];
    let mut i = 0;
    while i < 64 {
        products[i / 8][i % 8] = (((i / 8) ^ (i % 8)) as u64).wrapping_mul(FACTOR_1);
        i += 1;
    }
    products
};

/// [`may_mutate`], compiled for `lanes`, which this machine must have.
fn may_mutate_in(lanes: Lanes) -> fn(u64, u64) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2(stream: u64, threshold: u64) -> bool {
            may_mutate(stream, threshold)
        }
        match lanes {
            // SAFETY: `available` found the instructions on this machine.
            Lanes::Avx512 => |stream, threshold| unsafe { may_mutate_avx512(stream, threshold) },
            // SAFETY: as above.
            Lanes::Avx2 => |stream, threshold| unsafe { avx2(stream, threshold) },
            Lanes::Portable => may_mutate,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    may_mutate
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
                    may_mutate: may_mutate_in(lanes),
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
