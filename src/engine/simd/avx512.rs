//! AVX-512: 64 bytes a register, so that two of them hold a tape.

use std::arch::x86_64::*;

use super::vectors::{Copied, Vectors, Work};
use super::{Avx2, Stride, Track};
use crate::engine::bff::script::{Effects, LAST_EVENT, LEN, Script};
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::places::below;
use crate::language::bff::{Class, Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// That this machine has AVX-512 F, BW, DQ, VL, VBMI, VBMI2 and IFMA, and all of [`Avx2`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

/// The numbers from 0 to 63.
static COUNT: [u8; 64] = {
    let mut count = [0; 64];
    let mut i = 0;
    while i < 64 {
        count[i] = i as u8;
        i += 1;
    }
    count
};

/// The ops of half a tape, packed: the command bits of each, then zeros, and
/// its place, then the tape's length.
struct OpsOfHalf {
    ops: u64,
    list: __m512i,
    places: __m512i,
}

impl Avx512 {
    /// Asks the CPU.
    #[inline]
    pub(crate) fn detect() -> Option<Avx512> {
        let has_all = Avx2::detect().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("avx512ifma");
        has_all.then_some(Avx512(()))
    }

    /// The command bits of each byte of half a tape.
    #[inline(always)]
    fn commands(self, dialect: &Dialect, tape: &Tape, half: usize) -> __m512i {
        // SAFETY: `self` proves the instructions; the loads are of one half of
        // the tape's 128 bytes and the first 128 of the 256 classes, a byte each.
        unsafe {
            let bytes = _mm512_loadu_si512(tape.as_ptr().add(64 * half).cast());
            // Of the significant bits no command has the highest.
            let significant = _mm512_set1_epi8(dialect.significant_bits() as i8);
            let bytes = _mm512_and_si512(bytes, significant);
            let classes = dialect.classes().as_ptr().cast::<__m512i>();
            let classes = _mm512_maskz_permutex2var_epi8(
                !_mm512_movepi8_mask(bytes),
                _mm512_loadu_si512(classes),
                bytes,
                _mm512_loadu_si512(classes.add(1)),
            );
            _mm512_and_si512(classes, _mm512_set1_epi8(Class::COMMAND as i8))
        }
    }

    /// The ops of half a tape at `first` or behind it. (No closures here or elsewhere in this
    /// room: they would be compiled without the instructions.)
    #[inline(always)]
    fn ops_of_half(self, dialect: &Dialect, tape: &Tape, half: usize, first: usize) -> OpsOfHalf {
        // SAFETY: `self` proves the instructions; the load is of COUNT's 64
        // bytes.
        unsafe {
            let commands = self.commands(dialect, tape, half);
            let mut ops = _mm512_test_epi8_mask(commands, commands);
            if first > 64 * half {
                ops &= !(below(first) >> (64 * half)) as u64;
            }
            let count = _mm512_loadu_si512(COUNT.as_ptr().cast());
            let places = _mm512_add_epi8(count, _mm512_set1_epi8(64 * half as i8));
            let end = _mm512_set1_epi8(TAPE_LEN as i8);
            OpsOfHalf {
                ops,
                list: _mm512_maskz_compress_epi8(ops, commands),
                places: _mm512_mask_compress_epi8(end, ops, places),
            }
        }
    }

    /// Put 64 bytes somewhere.
    #[inline(always)]
    fn store(self, bytes: &mut [u8; 64], value: __m512i) {
        // SAFETY: `self` proves the instructions; the store is of 64 bytes.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
    }

    /// The entry of `table` for each byte, which is below 16.
    #[inline(always)]
    fn look_up(self, table: &[u8; 16], bytes: __m512i) -> __m512i {
        // SAFETY: `self` proves the instructions; the load is of 16 bytes.
        unsafe {
            let table = _mm_loadu_si128(table.as_ptr().cast());
            _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), bytes)
        }
    }

    /// For each byte the sum of those before it, modulo 256.
    #[inline(always)]
    fn sums_before(self, bytes: __m512i) -> __m512i {
        /// In each eight, the last places of all eights.
        static LAST_OF_EIGHTS: [u8; 64] = {
            let mut last = [0; 64];
            let mut i = 0;
            while i < 64 {
                last[i] = i as u8 % 8 * 8 + 7;
                i += 1;
            }
            last
        };
        /// Of those, the ones in an eight before: none, one, two, …
        const EIGHTS_BEFORE: u64 = 0x7f3f_1f0f_0703_0100;
        /// In each eight, its first place within the register's 16 bytes.
        static FIRST_OF_EIGHT: [u8; 64] = {
            let mut first = [0; 64];
            let mut i = 0;
            while i < 64 {
                first[i] = i as u8 % 16 / 8 * 8;
                i += 1;
            }
            first
        };
        // SAFETY: `self` proves the instructions; the loads are of 64 bytes.
        unsafe {
            // Within each eight; then the eights before it.
            let mut sums = _mm512_add_epi8(bytes, _mm512_slli_epi64::<8>(bytes));
            sums = _mm512_add_epi8(sums, _mm512_slli_epi64::<16>(sums));
            sums = _mm512_add_epi8(sums, _mm512_slli_epi64::<32>(sums));
            let last = _mm512_loadu_si512(LAST_OF_EIGHTS.as_ptr().cast());
            let eights = _mm512_maskz_permutexvar_epi8(EIGHTS_BEFORE, last, sums);
            let eights = _mm512_sad_epu8(eights, _mm512_setzero_si512());
            let first = _mm512_loadu_si512(FIRST_OF_EIGHT.as_ptr().cast());
            let before = _mm512_shuffle_epi8(eights, first);
            _mm512_sub_epi8(_mm512_add_epi8(sums, before), bytes)
        }
    }
}

impl Vectors for Avx512 {
    type Loaded = [__m512i; 2];

    unsafe fn assume() -> Avx512 {
        Avx512(())
    }

    #[inline(always)]
    fn run<W: Work<Avx512>>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,\
                      bmi1,bmi2,lzcnt,popcnt")]
        fn with_avx512<W: Work<Avx512>>(work: W, vectors: Avx512) -> W::Output {
            work.run(vectors)
        }
        // SAFETY: the machine has the instructions, as `self` proves: `detect` has asked for each.
        unsafe { with_avx512(work, self) }
    }

    #[inline(always)]
    fn lowest(self, bits: u64, count: usize) -> u64 {
        // SAFETY: `self` proves the instructions.
        unsafe { _bzhi_u64(bits, count as u32) }
    }

    #[inline(always)]
    fn decode(self, dialect: &Dialect, tape: &Tape, script: &mut Script) {
        // SAFETY: `self` proves the instructions; the stores to `place` are of 64 of its
        // 128 bytes, from 0 and from `behind`, a count of 64 bits.
        unsafe {
            let high = self.ops_of_half(dialect, tape, 1, script.first);
            let places = script.place.as_mut_ptr();
            let mut list = high.list;
            let mut len = high.ops.count_ones() as usize;
            script.ops = u128::from(high.ops) << 64;
            let mut behind = 0;
            if script.first < TAPE_LEN / 2 {
                // The second half's ops behind those of the first.
                let low = self.ops_of_half(dialect, tape, 0, script.first);
                behind = low.ops.count_ones() as usize;
                list = _mm512_mask_expand_epi8(low.list, !self.lowest(!0, behind), list);
                len += behind;
                script.ops |= u128::from(low.ops);
                _mm512_storeu_si512(places.cast(), low.places);
            }
            _mm512_storeu_si512(places.add(behind).cast(), high.places);
            let len = len.min(LEN - 1);

            let effects = Effects::of(dialect);
            self.store(
                &mut script.moved0,
                self.sums_before(self.look_up(&effects.move0, list)),
            );
            self.store(
                &mut script.moved1,
                self.sums_before(self.look_up(&effects.move1, list)),
            );
            self.store(&mut script.add, self.look_up(&effects.add, list));
            self.store(&mut script.jumps_at, self.look_up(&effects.jumps_at, list));
            script.len = len;
            let last_event = _mm512_set1_epi8(LAST_EVENT as i8);
            let events = _mm512_cmple_epu8_mask(list, last_event);
            script.events = self.lowest(events, len) | 1 << len;
            let copy_to_0 = _mm512_set1_epi8(Class::command(Op::CopyTo0) as i8);
            let copy_to_1 = _mm512_set1_epi8(Class::command(Op::CopyTo1) as i8);
            script.from1 = _mm512_cmpeq_epi8_mask(list, copy_to_0);
            script.to1 = _mm512_cmpeq_epi8_mask(list, copy_to_1);
        }
    }

    #[inline(always)]
    fn skeleton(self, dialect: &Dialect, tape: &Tape) -> Skeleton {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let low = self.commands(dialect, tape, 0);
            let high = self.commands(dialect, tape, 1);
            let mut planes = [0; 4];
            for (bit, plane) in planes.iter_mut().enumerate() {
                let bit = _mm512_set1_epi8(1 << bit);
                *plane = u128::from(_mm512_test_epi8_mask(low, bit))
                    | u128::from(_mm512_test_epi8_mask(high, bit)) << 64;
            }
            Skeleton(planes)
        }
    }

    #[inline(always)]
    fn aim(self, script: &mut Script, base0: u8, base1: u8) {
        // SAFETY: `self` proves the instructions; the loads and stores are of the
        // script's arrays of 64 bytes, and `goes_mut` gets seven bits of each.
        unsafe {
            let moved0 = _mm512_loadu_si512(script.moved0.as_ptr().cast());
            let moved1 = _mm512_loadu_si512(script.moved1.as_ptr().cast());
            let head0 = _mm512_add_epi8(moved0, _mm512_set1_epi8(base0 as i8));
            let head1 = _mm512_add_epi8(moved1, _mm512_set1_epi8(base1 as i8));
            let places = _mm512_set1_epi8((TAPE_LEN - 1) as i8);
            let from = _mm512_mask_mov_epi8(head0, script.from1, head1);
            let to = _mm512_mask_mov_epi8(head0, script.to1, head1);
            let [froms, tos] = script.goes_mut();
            self.store(froms, _mm512_and_si512(from, places));
            self.store(tos, _mm512_and_si512(to, places));
        }
    }

    #[inline(always)]
    fn brackets(self, script: &Script) -> (u64, u64) {
        // SAFETY: `self` proves the instructions; the load is of 64 bytes.
        unsafe {
            let jumps_at = _mm512_loadu_si512(script.jumps_at.as_ptr().cast());
            let opens = _mm512_movepi8_mask(jumps_at);
            let set = _mm512_set1_epi8(Class::SET as i8);
            (opens, _mm512_test_epi8_mask(jumps_at, set))
        }
    }

    #[inline(always)]
    fn load(self, tape: &Tape, mask: u8) -> Self::Loaded {
        // SAFETY: `self` proves the instructions; the loads need no
        // alignment and read the tape's 128 bytes.
        unsafe {
            let mask = _mm512_set1_epi8(mask as i8);
            let at = tape.as_ptr().cast::<__m512i>();
            [
                _mm512_and_si512(_mm512_loadu_si512(at), mask),
                _mm512_and_si512(_mm512_loadu_si512(at.add(1)), mask),
            ]
        }
    }

    #[inline(always)]
    fn equal(self, loaded: &Self::Loaded, byte: u8) -> u128 {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let byte = _mm512_set1_epi8(byte as i8);
            let low = _mm512_cmpeq_epi8_mask(loaded[0], byte);
            let high = _mm512_cmpeq_epi8_mask(loaded[1], byte);
            u128::from(low) | u128::from(high) << 64
        }
    }

    #[inline(always)]
    fn null_iterations(self, tape: &Tape, track: Track, mask: u8) -> u64 {
        // SAFETY: `self` proves the instructions; the loads read the
        // tape's 128 bytes and COUNT's 64.
        unsafe {
            let at = tape.as_ptr().cast::<__m512i>();
            let count = _mm512_loadu_si512(COUNT.as_ptr().cast());
            let start = _mm512_set1_epi8(track.start as i8);
            let places = match track.stride {
                Stride::Up => _mm512_add_epi8(start, count),
                Stride::Down => _mm512_sub_epi8(start, count),
            };
            // Of the places only the lower seven bits count.
            let bytes = _mm512_permutex2var_epi8(
                _mm512_loadu_si512(at),
                places,
                _mm512_loadu_si512(at.add(1)),
            );
            _mm512_testn_epi8_mask(bytes, _mm512_set1_epi8(mask as i8))
        }
    }

    #[inline(always)]
    fn first_null(self, tape: &Tape, track: Track, mask: u8, iterations: usize) -> Option<usize> {
        let first = self.null_iterations(tape, track, mask).trailing_zeros() as usize;
        (first < iterations).then_some(first)
    }

    #[inline(always)]
    fn copy(
        self,
        tape: &mut Tape,
        source: Track,
        target: Track,
        mut iterations: usize,
        fixed: u128,
    ) -> Copied {
        // SAFETY: `self` proves the instructions; the loads and stores
        // are of the tape's 128 bytes and COUNT's 64.
        unsafe {
            let at = tape.as_mut_ptr().cast::<__m512i>();
            let old = [_mm512_loadu_si512(at), _mm512_loadu_si512(at.add(1))];
            let target_start = _mm512_set1_epi8(target.start as i8);
            let source_start = _mm512_set1_epi8(source.start as i8);
            let count = _mm512_loadu_si512(COUNT.as_ptr().cast());
            let places = [count, _mm512_add_epi8(count, _mm512_set1_epi8(64))];
            let iteration_mask = _mm512_set1_epi8(0x7f);
            // Each place's iteration, and what that iteration copies. (No closures
            // here: they would not be compiled for these instructions.)
            let (mut iteration, mut froms) = (places, places);
            let mut new = old;
            for half in 0..2 {
                let distance = match target.stride {
                    Stride::Up => _mm512_sub_epi8(places[half], target_start),
                    Stride::Down => _mm512_sub_epi8(target_start, places[half]),
                };
                iteration[half] = _mm512_and_si512(distance, iteration_mask);
                let from = match source.stride {
                    Stride::Up => _mm512_add_epi8(source_start, iteration[half]),
                    Stride::Down => _mm512_sub_epi8(source_start, iteration[half]),
                };
                froms[half] = from;
                new[half] = _mm512_permutex2var_epi8(old[0], from, old[1]);
            }
            // Going opposite ways, the heads come to the same two places twice,
            // once each way around: the second time both are alike.
            let mut first_time = [!0, !0];
            if source.stride != target.stride {
                let sum = _mm512_set1_epi8(source.iteration_at(target.start) as i8);
                for half in 0..2 {
                    let other =
                        _mm512_and_si512(_mm512_sub_epi8(sum, iteration[half]), iteration_mask);
                    first_time[half] = _mm512_cmpge_epu8_mask(other, iteration[half]);
                }
            }
            let low = _mm512_mask_cmpneq_epu8_mask(first_time[0], new[0], old[0]);
            let high = _mm512_mask_cmpneq_epu8_mask(first_time[1], new[1], old[1]);
            let different = u128::from(low) | u128::from(high) << 64;
            if let Some(fixed_iteration) = target.first_iteration_in(different & fixed) {
                iterations = iterations.min(fixed_iteration);
            }
            let end = _mm512_set1_epi8(iterations as i8);
            let low = _mm512_mask_cmplt_epu8_mask(low, iteration[0], end);
            let high = _mm512_mask_cmplt_epu8_mask(high, iteration[1], end);
            let then = [
                _mm512_mask_blend_epi8(low, old[0], new[0]),
                _mm512_mask_blend_epi8(high, old[1], new[1]),
            ];
            _mm512_storeu_si512(at, then[0]);
            _mm512_storeu_si512(at.add(1), then[1]);
            let low_next = _mm512_permutex2var_epi8(then[0], froms[0], then[1]);
            let high_next = _mm512_permutex2var_epi8(then[0], froms[1], then[1]);
            let low_next = _mm512_cmpneq_epu8_mask(low_next, then[0]);
            let high_next = _mm512_cmpneq_epu8_mask(high_next, then[1]);
            Copied {
                iterations,
                changed: low | high != 0,
                is_settled: low_next | high_next == 0,
            }
        }
    }
}
