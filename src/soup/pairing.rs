//! Pairing: which programs meet in an epoch, and in which order.

use std::ops::Range;

use super::meeting::Meeting;
use crate::Error;
use crate::engine::simd::{InstructionSet, prefetch};
use crate::memory::Memory;
use crate::random::{Streams, mix};

/// The pairs of one epoch: every program of the soup in exactly one of them.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// The programs of pair k are entries 2k and 2k + 1, four bytes each: a
    /// permutation.
    order: Memory,
    /// Pairs from here on are mutated but not run.
    interacting: usize,
    epoch: Option<u64>,
    /// The visiting order and the marks of [`Pairs::choose`], where it is used.
    visits: Vec<Entry>,
    taken: Vec<bool>,
}

/// The number of a program.
type Entry = [u8; 4];

fn entry(program: usize) -> Entry {
    (program as u32).to_ne_bytes()
}

#[inline(always)]
fn program(entry: Entry) -> usize {
    u32::from_ne_bytes(entry) as usize
}

impl Pairs {
    /// Room for the pairs of `num_programs` programs.
    pub(crate) fn new(num_programs: usize) -> Result<Pairs, Error> {
        Ok(Pairs {
            order: Memory::zeroed(num_programs, size_of::<Entry>())?,
            interacting: 0,
            epoch: None,
            visits: Vec::new(),
            taken: Vec::new(),
        })
    }

    #[inline(always)]
    fn order(&self) -> &[Entry] {
        self.order.as_chunks().0
    }

    /// The epoch that these pairs were drawn for.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Number of pairs.
    pub(crate) fn len(&self) -> usize {
        self.order().len() / 2
    }

    /// Number of pairs that are run: those numbered below it.
    pub(crate) fn interacting(&self) -> usize {
        self.interacting
    }

    /// The programs of some pairs, a left one and a right one in turn.
    #[inline(always)]
    pub(crate) fn programs_of(&self, pairs: Range<usize>) -> impl Iterator<Item = usize> {
        let entries = &self.order()[2 * pairs.start..2 * pairs.end];
        entries.iter().map(|entry| program(*entry))
    }

    /// Draw the pairs of `epoch`.
    pub(crate) fn draw(&mut self, meeting: &Meeting, streams: &Streams, epoch: u64) {
        self.epoch = Some(epoch);
        let (order, _) = self.order.as_chunks_mut();
        let n = order.len();
        self.interacting = n / 2;
        match meeting {
            Meeting::Shuffle => shuffle(order, streams, epoch),
            Meeting::FixedShuffle => {
                let distance = (1 << (epoch % u64::from(n.ilog2()) + 1)) - 1;
                for (i, place) in order.iter_mut().enumerate() {
                    *place = entry((i.wrapping_mul(distance) % n) ^ (epoch as usize & 1));
                }
            }
            Meeting::NoPermutation => {
                let first = if epoch % 2 == 1 { 0 } else { n - 1 };
                for (i, place) in order.iter_mut().enumerate() {
                    *place = entry((first + i) % n);
                }
            }
            Meeting::Pattern(pattern) => {
                self.choose(streams, epoch, |program, random| {
                    pattern.pick(program, random)
                });
            }
            Meeting::Grid(grid) => {
                self.choose(streams, epoch, |program, random| grid.pick(program, random));
            }
        }
    }

    /// Visit every program in shuffled order; it meets the neighbour that
    /// `pick` names for it and a random number, where both are still free.
    fn choose(
        &mut self,
        streams: &Streams,
        epoch: u64,
        pick: impl Fn(usize, u64) -> Option<usize>,
    ) {
        let (order, _) = self.order.as_chunks_mut::<4>();
        self.visits.resize(order.len(), entry(0));
        shuffle(&mut self.visits, streams, epoch);
        self.taken.clear();
        self.taken.resize(order.len(), false);
        let epoch_key = streams.key(epoch);
        let mut met = 0;
        for visit in &self.visits {
            let program = program(*visit);
            let random = streams.key(epoch_key ^ streams.key(program as u64));
            let Some(neighbour) = pick(program, random) else {
                continue;
            };
            if !self.taken[program] && !self.taken[neighbour] {
                self.taken[program] = true;
                self.taken[neighbour] = true;
                order[met] = entry(program);
                order[met + 1] = entry(neighbour);
                met += 2;
            }
        }
        self.interacting = met / 2;
        let left_over = (0..order.len()).filter(|program| !self.taken[*program]);
        for (place, program) in order[met..].iter_mut().zip(left_over) {
            *place = entry(program);
        }
    }
}

/// Put a Fisher–Yates shuffle of all programs into `order`.
///
/// In blocks: first the places to swap with, which vector instructions find and
/// which are then asked for, then the swaps.
fn shuffle(order: &mut [Entry], streams: &Streams, epoch: u64) {
    const BLOCK: usize = 128;
    for (i, place) in order.iter_mut().enumerate() {
        *place = entry(i);
    }
    let pick = picks_in(InstructionSet::widest());
    let first = epoch.wrapping_mul(order.len() as u64);
    let mut picks = [0; BLOCK];
    for start in (0..order.len()).step_by(BLOCK).rev() {
        let picks = &mut picks[..BLOCK.min(order.len() - start)];
        pick(streams, first, start as u64, picks);
        for pick in picks.iter() {
            prefetch(&order[*pick as usize]);
        }
        for (i, pick) in picks.iter().enumerate().rev() {
            order.swap(start + i, *pick as usize);
        }
    }
}

/// Given the first stream of a shuffle, finds the places that the entries from
/// some place on are swapped with.
type Pick = fn(&Streams, u64, u64, &mut [u64]);

/// The [`Pick`] for a set of instructions.
fn picks_in(set: InstructionSet) -> Pick {
    #[cfg(target_arch = "x86_64")]
    if let InstructionSet::Avx512(_) = set {
        // SAFETY: `set` proves every feature that this is compiled for.
        return |streams, first, start, picks| unsafe {
            avx512::pick(streams, first, start, picks)
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = set;
    pick
}

fn pick(streams: &Streams, first: u64, start: u64, picks: &mut [u64]) {
    for (i, pick) in (start..).zip(picks) {
        *pick = mix(streams.key(first.wrapping_add(i))) % (i + 1);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use crate::random::{FACTOR_1, FACTOR_2, GAMMA, Streams};

    /// Vectors of eight that go through every instruction together. Each of them
    /// waits long for the last, and what waits fills the machine's queue.
    const WIDTH: usize = 4;

    type Numbers = [__m512i; WIDTH];

    /// As [`super::pick`].
    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn pick(streams: &Streams, first: u64, start: u64, picks: &mut [u64]) {
        let (blocks, rest) = picks.as_chunks_mut::<{ 8 * WIDTH }>();
        let mut i = start;
        for picks in blocks {
            let mut entries = [_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0); WIDTH];
            let mut keys = entries;
            for (eight, (entry, key)) in entries.iter_mut().zip(&mut keys).enumerate() {
                let before = i.wrapping_add(8 * eight as u64);
                *entry = _mm512_add_epi64(*entry, _mm512_set1_epi64(before as i64));
                *key = _mm512_add_epi64(*entry, _mm512_set1_epi64(first as i64));
                *entry = _mm512_add_epi64(*entry, _mm512_set1_epi64(1));
            }
            mix(&mut keys);
            for key in &mut keys {
                *key = _mm512_xor_si512(*key, _mm512_set1_epi64(streams.mixed_seed() as i64));
            }
            mix(&mut keys);
            mix(&mut keys);
            remainder(&mut keys, &entries);
            let (eights, _) = picks.as_chunks_mut::<8>();
            for (picks, pick) in eights.iter_mut().zip(keys) {
                // SAFETY: a store of 64 bytes to eight numbers.
                unsafe { _mm512_storeu_si512(picks.as_mut_ptr().cast(), pick) };
            }
            i += 8 * WIDTH as u64;
        }
        super::pick(streams, first, i, rest);
    }

    /// [`crate::random::mix`] of each.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn mix(states: &mut Numbers) {
        for z in &mut *states {
            *z = _mm512_add_epi64(*z, _mm512_set1_epi64(GAMMA as i64));
            *z = _mm512_xor_si512(*z, _mm512_srli_epi64::<30>(*z));
        }
        for z in &mut *states {
            *z = _mm512_mullo_epi64(*z, _mm512_set1_epi64(FACTOR_1 as i64));
        }
        for z in &mut *states {
            *z = _mm512_xor_si512(*z, _mm512_srli_epi64::<27>(*z));
        }
        for z in &mut *states {
            *z = _mm512_mullo_epi64(*z, _mm512_set1_epi64(FACTOR_2 as i64));
        }
        for z in &mut *states {
            *z = _mm512_xor_si512(*z, _mm512_srli_epi64::<31>(*z));
        }
    }

    /// `numbers %= divisors`, for divisors from 1 to 2^32.
    ///
    /// There is no vector division of integers. A quotient in floating point has
    /// 52 bits that are right, so that what is left after the first one is less
    /// than 2^13 divisors, and after the second less than one, give or take one.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn remainder(numbers: &mut Numbers, divisors: &Numbers) {
        let zero = _mm512_setzero_si512();
        let mut inverses = [_mm512_set1_pd(1.0); WIDTH];
        for (inverse, divisor) in inverses.iter_mut().zip(divisors) {
            *inverse = _mm512_div_pd(*inverse, _mm512_cvtepu64_pd(*divisor));
        }
        let mut quotients = [zero; WIDTH];
        for ((quotient, number), inverse) in quotients.iter_mut().zip(&*numbers).zip(&inverses) {
            let share = _mm512_mul_pd(_mm512_cvtepu64_pd(*number), *inverse);
            *quotient = _mm512_cvttpd_epu64(share);
        }
        for ((quotient, number), divisor) in quotients.iter().zip(&mut *numbers).zip(divisors) {
            *number = _mm512_sub_epi64(*number, _mm512_mullo_epi64(*quotient, *divisor));
        }
        for ((quotient, number), inverse) in quotients.iter_mut().zip(&*numbers).zip(&inverses) {
            let share = _mm512_mul_pd(_mm512_cvtepi64_pd(*number), *inverse);
            *quotient = _mm512_cvttpd_epi64(share);
        }
        for ((quotient, number), divisor) in quotients.iter().zip(&mut *numbers).zip(divisors) {
            *number = _mm512_sub_epi64(*number, _mm512_mullo_epi64(*quotient, *divisor));
        }
        for (number, divisor) in numbers.iter_mut().zip(divisors) {
            let below = _mm512_cmplt_epi64_mask(*number, zero);
            *number = _mm512_mask_add_epi64(*number, below, *number, *divisor);
            let above = _mm512_cmpge_epi64_mask(*number, *divisor);
            *number = _mm512_mask_sub_epi64(*number, above, *number, *divisor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::meeting::{Grid, Pattern};
    use super::*;
    use crate::engine::simd::Portable;
    use std::sync::Arc;

    fn is_permutation(pairs: &Pairs, n: usize) -> bool {
        let mut seen = vec![false; n];
        pairs
            .programs_of(0..n / 2)
            .all(|program| !std::mem::replace(&mut seen[program], true))
            && pairs.order().len() == n
    }

    #[test]
    fn every_meeting_pairs_every_program_once() {
        let entries: Vec<(u32, u32)> = (0..32).map(|i| (i, (i * 7 + 3) % 64)).collect();
        let grid = |width, height, radius| {
            Meeting::Grid(Grid {
                width,
                height,
                radius,
                torus: radius % 2 == 0,
            })
        };
        let meetings = [
            Meeting::Shuffle,
            Meeting::FixedShuffle,
            Meeting::NoPermutation,
            Meeting::Pattern(Arc::new(Pattern::new(64, &entries).unwrap())),
            Meeting::Pattern(Arc::new(Pattern::new(64, &[]).unwrap())),
            grid(8, 8, 1),
            grid(64, 1, 2),
            grid(1, 64, 100),
            grid(32, 2, usize::MAX),
        ];
        for meeting in meetings {
            let mut pairs = Pairs::new(64).unwrap();
            for epoch in 0..20 {
                pairs.draw(&meeting, &Streams::new(5), epoch);
                assert!(is_permutation(&pairs, 64), "{meeting:?}");
                assert!(pairs.interacting() <= 32);
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn remainders_are_right() {
        if !matches!(InstructionSet::widest(), InstructionSet::Avx512(_)) {
            return;
        }
        let divisors = (1..2000).chain((0..4000).map(|i| 1 + mix(i) % (1 << 25)));
        for divisor in divisors.chain([1 << 32, (1 << 32) - 1]) {
            let multiple = u64::MAX / divisor * divisor;
            let near = [0, 1, divisor - 1, divisor, multiple - 1, multiple, u64::MAX];
            let any = (0..25).map(|i| mix(divisor * 25 + i));
            let numbers: Vec<u64> = near.into_iter().chain(any).collect();
            for numbers in numbers.as_chunks::<32>().0 {
                // SAFETY: the machine has these instructions; a vector is eight
                // numbers.
                let remainders: [u64; 32] = unsafe {
                    use std::mem::transmute;
                    let mut numbers = transmute::<[u64; 32], [_; 4]>(*numbers);
                    avx512::remainder(&mut numbers, &transmute::<[u64; 32], [_; 4]>([divisor; 32]));
                    transmute(numbers)
                };
                assert_eq!(
                    remainders,
                    numbers.map(|number| number % divisor),
                    "{divisor}"
                );
            }
        }
    }

    #[test]
    fn every_width_picks_alike() {
        let streams = Streams::new(3);
        for start in [0, 5, 1 << 20] {
            for len in [1, 7, 32, 128] {
                let [mut expected, mut actual] = [vec![0; len], vec![0; len]];
                picks_in(InstructionSet::Portable(Portable))(&streams, 77, start, &mut expected);
                for set in InstructionSet::available() {
                    picks_in(set)(&streams, 77, start, &mut actual);
                    assert_eq!(actual, expected, "{set:?}");
                }
            }
        }
    }

    /// In blocks, with places found beforehand and asked for, as one swap after the other.
    #[test]
    fn a_shuffle_is_that_of_fisher_and_yates() {
        let streams = Streams::new(9);
        for len in [2, 7, 126, 128, 130, 256, 1000, 4096] {
            for epoch in [0, 1, u64::MAX] {
                let mut order = vec![entry(0); len];
                shuffle(&mut order, &streams, epoch);
                let mut expected: Vec<Entry> = (0..len).map(entry).collect();
                for i in (0..len).rev() {
                    let stream = epoch.wrapping_mul(len as u64).wrapping_add(i as u64);
                    let other = mix(streams.key(stream)) % (i as u64 + 1);
                    expected.swap(i, other as usize);
                }
                assert_eq!(order, expected, "{len}, epoch {epoch}");
            }
        }
    }

    #[test]
    fn a_grid_meets_as_the_pattern_of_its_neighbours_does() {
        let shapes = [
            (8, 6, 2),
            (48, 1, 3),
            (1, 48, 1),
            (6, 8, 50),
            (16, 3, 1),
            (12, 4, 2),
        ];
        let shapes = shapes.map(|shape| [(shape, false), (shape, true)]);
        for ((width, height, radius), torus) in shapes.into_iter().flatten() {
            let grid = Grid {
                width,
                height,
                radius,
                torus,
            };
            let mut entries = Vec::new();
            for program in 0..48 {
                entries.extend(grid.neighbours(program).map(|n| (program as u32, n as u32)));
            }
            let draw = |meeting| {
                let mut pairs = Pairs::new(48).unwrap();
                let orders: Vec<_> = (0..50)
                    .map(|epoch| {
                        pairs.draw(&meeting, &Streams::new(1), epoch);
                        (pairs.order().to_vec(), pairs.interacting)
                    })
                    .collect();
                orders
            };
            let pattern = Arc::new(Pattern::new(48, &entries).unwrap());
            assert_eq!(draw(Meeting::Grid(grid)), draw(Meeting::Pattern(pattern)));
        }
    }
}
