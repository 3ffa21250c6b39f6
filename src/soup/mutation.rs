//! Mutation: now and then a byte of a tape becomes a random one.

use crate::engine::simd::InstructionSet;
use crate::language::{TAPE_LEN, Tape};
use crate::random::{FACTOR_1, GAMMA, finish_mix, mix};

/// The chance of a byte to mutate, as the random stream tests it.
///
/// Hardly any byte mutates. So a vector pass, in the widest lanes that the
/// machine offers, first sorts out nearly all that do not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mutation {
    /// A byte mutates where 30 random bits, as a number, are below this.
    threshold: u64,
    apply: Apply,
}

/// Mutates some tapes, given the stream of the first and the threshold.
type Apply = fn(&mut [Tape], u64, u64);

impl Mutation {
    /// `probability` is that of one byte in one interaction, 0 to 1.
    pub(super) fn new(probability: f64) -> Self {
        Mutation {
            threshold: (probability * f64::from(1 << 30)).round() as u64,
            apply: apply_in(InstructionSet::widest()),
        }
    }

    /// Mutate `tapes`: byte i of all, counted through, has the random number
    /// mix(`stream` + i).
    #[inline]
    pub(super) fn apply(self, tapes: &mut [Tape], stream: u64) {
        if self.threshold > 0 {
            (self.apply)(tapes, stream, self.threshold);
        }
    }

    /// As [`Mutation::apply`], for tapes of any length that lie one behind the other.
    pub(super) fn apply_to_bytes(self, bytes: &mut [u8], stream: u64) {
        let (tapes, rest) = bytes.as_chunks_mut();
        self.apply(tapes, stream);
        let behind = stream.wrapping_add(tapes.as_flattened().len() as u64);
        for (i, byte) in (0..).zip(rest) {
            let random = mix(behind.wrapping_add(i));
            if mutates(random, self.threshold) {
                *byte = random as u8;
            }
        }
    }

    /// As [`Mutation::apply_to_bytes`], and tell the place of each byte that mutated, even where
    /// it came out as it was.
    pub(super) fn apply_to_bytes_and_tell(
        self,
        bytes: &mut [u8],
        stream: u64,
        mut see: impl FnMut(usize),
    ) {
        let (tapes, rest) = bytes.as_chunks_mut();
        self.apply_and_tell(tapes, stream, |tape, place| see(tape * TAPE_LEN + place));
        let behind = tapes.as_flattened().len();
        for (place, byte) in (behind..).zip(rest) {
            let random = mix(stream.wrapping_add(place as u64));
            if mutates(random, self.threshold) {
                *byte = random as u8;
                see(place);
            }
        }
    }

    /// As [`Mutation::apply`], and tell the places of each tape that mutated, even where the
    /// byte came out as it was; `see` is given the number of the tape and the place.
    pub(super) fn apply_and_tell(
        self,
        tapes: &mut [Tape],
        stream: u64,
        mut see: impl FnMut(usize, usize),
    ) {
        const MOST: usize = 64;
        let mut others = [[0; TAPE_LEN]; MOST];
        for (chunk, tapes) in tapes.chunks_mut(MOST).enumerate() {
            let first = chunk * MOST;
            let stream = stream.wrapping_add((first * TAPE_LEN) as u64);
            // Bytes of a tape and of its opposite are alike where both were drawn anew.
            let others = &mut others[..tapes.len()];
            for (other, tape) in others.iter_mut().zip(&*tapes) {
                *other = tape.map(|byte| !byte);
            }
            self.apply(tapes, stream);
            self.apply(others, stream);
            for (number, (tape, other)) in tapes.iter().zip(others).enumerate() {
                let unlike = tape.iter().zip(&*other).all(|(a, b)| a ^ b == 0xff);
                if !unlike {
                    let alike = (0..TAPE_LEN).filter(|place| tape[*place] == other[*place]);
                    alike.for_each(|place| see(first + number, place));
                }
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

/// [`Mutation::apply`] by the definition, byte by byte.
fn apply_plainly(tapes: &mut [Tape], stream: u64, threshold: u64) {
    for (i, byte) in tapes.as_flattened_mut().iter_mut().enumerate() {
        let random = mix(stream.wrapping_add(i as u64));
        if mutates(random, threshold) {
            *byte = random as u8;
        }
    }
}

/// States of SplitMix64, one behind the other, in aligned eights.
///
/// SplitMix64 multiplies twice. Within eight states whose lowest three bits
/// count from 0 to 7, everything above those bits is the same, also in
/// `state >> 30`, so that the first product is that of the upper bits, one for
/// all eight, plus that of the lowest three, which a table holds.
struct Eights {
    /// The first state of the first eight.
    first: u64,
    /// Its `state >> 30`, and that of all others.
    above: u64,
    /// States of the first eight that come before the stream begins.
    skipped: usize,
}

/// The first product of the lowest three bits, after the first shift.
const LOW_PRODUCTS: [u64; 8] = {
    let mut products = [0; 8];
    let mut low = 0;
    while low < 8 {
        products[low] = (low as u64).wrapping_mul(FACTOR_1);
        low += 1;
    }
    products
};

impl Eights {
    /// Those of `len` numbers from mix(`stream`) on, and of up to 64 more.
    /// `None` where `state >> 30` is not the same for all: one batch in half a
    /// million, not worth a second case.
    #[inline(always)]
    fn of(stream: u64, len: usize) -> Option<Eights> {
        let state = stream.wrapping_add(GAMMA);
        let first = state & !7;
        let above = first >> 30;
        let last = first.wrapping_add(len as u64 + 72);
        (last >> 30 == above).then_some(Eights {
            first,
            above,
            skipped: (state - first) as usize,
        })
    }

    /// The first product of the upper bits of the states of eight `index`.
    #[inline(always)]
    fn product(&self, index: usize) -> u64 {
        let state = self.first + 8 * index as u64;
        ((state ^ self.above) & !7).wrapping_mul(FACTOR_1)
    }
}

/// As [`apply_plainly`], where any byte of a tape may mutate.
#[inline(always)]
fn apply_to_eights(tapes: &mut [Tape], stream: u64, threshold: u64) {
    for (index, tape) in tapes.iter_mut().enumerate() {
        let stream = stream.wrapping_add((index * TAPE_LEN) as u64);
        let may_mutate = match Eights::of(stream, TAPE_LEN) {
            None => true,
            Some(eights) => {
                // The least of each lane, so that one comparison does for all.
                let mut least = [u64::MAX; 8];
                for index in 0..TAPE_LEN / 8 + 1 {
                    let product = eights.product(index);
                    for (least, low) in least.iter_mut().zip(LOW_PRODUCTS) {
                        *least = (finish_mix(product.wrapping_add(low)) & DRAWN).min(*least);
                    }
                }
                least.iter().any(|drawn| mutates(*drawn, threshold))
            }
        };
        if may_mutate {
            apply_plainly(std::slice::from_mut(tape), stream, threshold);
        }
    }
}

/// [`Mutation::apply`], compiled for a set of instructions.
fn apply_in(set: InstructionSet) -> Apply {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2(tapes: &mut [Tape], stream: u64, threshold: u64) {
            apply_to_eights(tapes, stream, threshold);
        }
        match set {
            InstructionSet::Avx512(_) => {
                // SAFETY: `set` proves every feature that this is compiled for.
                |tapes, stream, threshold| unsafe { avx512::apply(tapes, stream, threshold) }
            }
            InstructionSet::Avx2(_) => {
                // SAFETY: as above.
                |tapes, stream, threshold| unsafe { avx2(tapes, stream, threshold) }
            }
            InstructionSet::Portable(_) => apply_to_eights,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    apply_to_eights
}

/// Two sieves instead of one. A byte can mutate only if some bits of its
/// random number are 0, and a few of these are there already in the low 52 bits
/// of the second product, which one instruction computes for eight states. What
/// is left, one state in 32 at the usual mutation rates, is looked at in full.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;
    use std::mem::MaybeUninit;

    use super::{DRAWN, Eights, LOW_PRODUCTS, apply_plainly};
    use crate::language::{TAPE_LEN, Tape};
    use crate::random::{FACTOR_1, FACTOR_2};

    /// Tapes that go through the sieves together.
    const BATCH: usize = 16;
    /// Sixty-fours of states, wherever in its eight the first of them is.
    const MAX_SETS: usize = BATCH * TAPE_LEN / 64 + 1;
    const MAX_CANDIDATES: usize = 64 * MAX_SETS;
    /// Of a random number, the bits that decide and are bits of the second
    /// product: those that are not mixed with others at the end.
    const UNMIXED: u64 = DRAWN & !((1 << 33) - 1);

    #[target_feature(
        enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512ifma,popcnt"
    )]
    pub(super) fn apply(tapes: &mut [Tape], stream: u64, threshold: u64) {
        for (index, tapes) in tapes.chunks_mut(BATCH).enumerate() {
            let stream = stream.wrapping_add((index * BATCH * TAPE_LEN) as u64);
            match Eights::of(stream, tapes.len() * TAPE_LEN) {
                Some(eights) => apply_to_batch(tapes, &eights, threshold),
                None => apply_plainly(tapes, stream, threshold),
            }
        }
    }

    #[target_feature(
        enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512ifma,popcnt"
    )]
    fn apply_to_batch(tapes: &mut [Tape], eights: &Eights, threshold: u64) {
        let len = tapes.len() * TAPE_LEN;
        let sets = (eights.skipped + len).div_ceil(64);

        // First sieve. Bit j of byte k of a set: the state of eight number j
        // whose lowest bits are k after the first shift.
        let mut candidates = [[0; 8]; MAX_SETS];
        // Numbers below the threshold have these bits 0.
        let free = u64::MAX >> ((threshold - 1) << 8 | 0xff).leading_zeros();
        let decisive = UNMIXED & !free;
        let decisive = _mm512_set1_epi64(decisive as i64);
        let count = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
        let factor_1 = _mm512_set1_epi64(FACTOR_1 as i64);
        let factor_2 = _mm512_set1_epi64(FACTOR_2 as i64);
        let above = _mm512_set1_epi64((eights.above & !7) as i64);
        let first = _mm512_set1_epi64(eights.first as i64);
        let zero = _mm512_setzero_si512();
        let mut states = _mm512_add_epi64(first, _mm512_slli_epi64::<3>(count));
        for candidates in &mut candidates[..sets] {
            let product = _mm512_mullo_epi64(_mm512_xor_si512(states, above), factor_1);
            for (candidates, low) in candidates.iter_mut().zip(LOW_PRODUCTS) {
                let z = _mm512_add_epi64(product, _mm512_set1_epi64(low as i64));
                let z = _mm512_xor_si512(z, _mm512_srli_epi64::<27>(z));
                let z = _mm512_madd52lo_epu64(zero, z, factor_2);
                *candidates = _mm512_testn_epi64_mask(z, decisive);
            }
            states = _mm512_add_epi64(states, _mm512_set1_epi64(64));
        }

        // Their list: each one's bit, and its set.
        let mut bits = MaybeUninit::<[u8; MAX_CANDIDATES + 64]>::uninit();
        let mut set_of = MaybeUninit::<[u8; MAX_CANDIDATES + 64]>::uninit();
        let bits = bits.as_mut_ptr().cast::<u8>();
        let set_of = set_of.as_mut_ptr().cast::<u8>();
        let mut found = 0;
        let all_bits = _mm512_add_epi8(
            _mm512_set1_epi64(0x0706_0504_0302_0100),
            _mm512_mullo_epi64(count, _mm512_set1_epi64(0x0808_0808_0808_0808)),
        );
        for (set, candidates) in candidates[..sets].iter().enumerate() {
            let candidates = u64::from_le_bytes(*candidates);
            let compressed = _mm512_maskz_compress_epi8(candidates, all_bits);
            // SAFETY: 64 bytes from `found` on, which is at most 64 for each set before this one
            // of at most MAX_SETS.
            unsafe {
                _mm512_storeu_si512(bits.add(found).cast(), compressed);
                _mm512_storeu_si512(set_of.add(found).cast(), _mm512_set1_epi8(set as i8));
            }
            found += candidates.count_ones() as usize;
        }
        // The last read may go up to seven bytes past the list's end.
        // SAFETY: eight bytes from `found` on, which is at most MAX_CANDIDATES.
        unsafe {
            _mm_storel_epi64(bits.add(found).cast(), _mm_setzero_si128());
            _mm_storel_epi64(set_of.add(found).cast(), _mm_setzero_si128());
        }

        // Second sieve: all of the random number.
        let seven = _mm512_set1_epi64(7);
        let low_above = _mm512_set1_epi64((eights.above & 7) as i64);
        let skipped = _mm512_set1_epi64(eights.skipped as i64);
        let end = _mm512_set1_epi64(len as i64);
        let drawn = _mm512_set1_epi64(DRAWN as i64);
        let limit = _mm512_set1_epi64((threshold << 8) as i64);
        for next in (0..found).step_by(8) {
            // SAFETY: the list is set, and so are the eight bytes behind it.
            let (bit, set) = unsafe {
                (
                    _mm512_cvtepu8_epi64(_mm_loadl_epi64(bits.add(next).cast())),
                    _mm512_cvtepu8_epi64(_mm_loadl_epi64(set_of.add(next).cast())),
                )
            };
            let eight = _mm512_slli_epi64::<3>(_mm512_and_si512(bit, seven));
            let low = _mm512_xor_si512(_mm512_srli_epi64::<3>(bit), low_above);
            let place = _mm512_or_si512(_mm512_or_si512(_mm512_slli_epi64::<6>(set), eight), low);
            let z = _mm512_add_epi64(first, place);
            let z = _mm512_xor_si512(z, _mm512_srli_epi64::<30>(z));
            let z = _mm512_mullo_epi64(z, factor_1);
            let z = _mm512_xor_si512(z, _mm512_srli_epi64::<27>(z));
            let z = _mm512_mullo_epi64(z, factor_2);
            let random = _mm512_xor_si512(z, _mm512_srli_epi64::<31>(z));
            // States before the stream wrap around to far behind it.
            let place = _mm512_sub_epi64(place, skipped);
            let listed = !(!0u64 << (found - next).min(63)) as u8;
            let mutates = _mm512_mask_cmplt_epu64_mask(
                _mm512_mask_cmplt_epu64_mask(listed, place, end),
                _mm512_and_si512(random, drawn),
                limit,
            );
            if mutates != 0 {
                let (mut places, mut randoms) = ([0u64; 8], [0u64; 8]);
                // SAFETY: stores of 64 bytes each, to arrays of eight numbers.
                unsafe {
                    _mm512_storeu_si512(places.as_mut_ptr().cast(), place);
                    _mm512_storeu_si512(randoms.as_mut_ptr().cast(), random);
                }
                for lane in (0..8).filter(|lane| mutates >> lane & 1 == 1) {
                    let place = places[lane] as usize;
                    tapes[place / TAPE_LEN][place % TAPE_LEN] = randoms[lane] as u8;
                }
            }
        }
    }
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

    /// Against the definition, a bit at a time, at every width, for few and
    /// many tapes and for probabilities from the least to 1.
    #[test]
    fn every_width_mutates_as_defined() {
        // The last ones have another `state >> 30` in their midst.
        let streams = (0..120).map(|i| mix(i) << 7);
        let streams = streams.chain((0..30).map(|i| (mix(i) << 30).wrapping_sub(GAMMA + 64 * i)));
        let streams: Vec<u64> = streams.collect();
        for set in InstructionSet::available() {
            for threshold in [
                1,
                1 << 10,
                1 << 18,
                (1 << 25) - 1,
                1 << 26,
                (1 << 29) + 1,
                1 << 30,
            ] {
                let mutation = Mutation {
                    threshold,
                    apply: apply_in(set),
                };
                for (i, stream) in streams.iter().enumerate() {
                    let mut tapes = vec![[7; TAPE_LEN]; 1 + i % 19];
                    mutation.apply(&mut tapes, *stream);
                    for (i, byte) in tapes.into_iter().flatten().enumerate() {
                        let random = mix(stream.wrapping_add(i as u64));
                        let drawn = random >> 8 & ((1 << 30) - 1);
                        let expected = if drawn < threshold { random as u8 } else { 7 };
                        assert_eq!(byte, expected, "{set:?} {threshold} {stream} {i}");
                    }
                }
            }
        }
    }
}
