//! What the interpreter does to many bytes of a tape at once, for each set of
//! instructions. All do the same; the tests hold them to that.

use crate::engine::bff::script::Script;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::places::below;
use crate::language::bff::{Class, Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// Which way a head goes from lap to lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// To the right, by one.
    Up,
    /// To the left, by one.
    Down,
}

/// Places on a tape, one a lap, around its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// The place of lap 0.
    pub start: usize,
    pub stride: Stride,
}

impl Track {
    /// The place of a lap.
    #[inline(always)]
    pub fn at(self, lap: usize) -> usize {
        match self.stride {
            Stride::Up => (self.start + lap) % TAPE_LEN,
            Stride::Down => self.start.wrapping_sub(lap) % TAPE_LEN,
        }
    }

    /// The lap of a place.
    #[inline(always)]
    pub fn lap_of(self, place: usize) -> usize {
        match self.stride {
            Stride::Up => place.wrapping_sub(self.start) % TAPE_LEN,
            Stride::Down => self.start.wrapping_sub(place) % TAPE_LEN,
        }
    }
}

impl Track {
    /// The first lap that comes to one of `places`.
    #[inline(always)]
    pub fn first_lap_in(self, places: u128) -> Option<usize> {
        if places == 0 {
            return None;
        }
        Some(match self.stride {
            Stride::Up => places.rotate_right(self.start as u32).trailing_zeros() as usize,
            Stride::Down => places.rotate_left(127 - self.start as u32).leading_zeros() as usize,
        })
    }
}

/// Work on whole tapes with one set of instructions. Every function asks that this machine
/// have them, and of its callers nothing else: what it touches, it reaches by references.
pub trait Vectors: Sized {
    /// A tape in registers.
    type Loaded;

    /// Fill `script` with the ops of `tape` from `script.first` on; the bases
    /// of the heads, and what depends on them, are left alone.
    #[inline(always)]
    unsafe fn decode(dialect: &Dialect, tape: &Tape, script: &mut Script) {
        let mut ops = 0;
        // SAFETY: the caller's promise.
        unsafe {
            let loaded = Self::load(tape, dialect.significant_bits());
            for code in dialect.commands().iter().flatten() {
                ops |= Self::equal(&loaded, *code);
            }
        }
        script.decode(dialect, tape, ops & !below(script.first));
    }

    /// The commands of `tape`.
    #[inline(always)]
    unsafe fn skeleton(dialect: &Dialect, tape: &Tape) -> Skeleton {
        let mut planes = [0; 4];
        // SAFETY: the caller's promise.
        unsafe {
            let loaded = Self::load(tape, dialect.significant_bits());
            for (op, code) in Op::ALL.iter().zip(dialect.commands()) {
                if let Some(code) = code {
                    let places = Self::equal(&loaded, *code);
                    for (bit, plane) in planes.iter_mut().enumerate() {
                        *plane |= if Class::command(*op) >> bit & 1 == 1 {
                            places
                        } else {
                            0
                        };
                    }
                }
            }
        }
        Skeleton(planes)
    }

    /// Have the events of `script` go from and to the heads, counted from
    /// these bases.
    #[inline(always)]
    unsafe fn aim(script: &mut Script, base0: u8, base1: u8) {
        script.aim_each(base0, base1);
    }

    /// The lowest bits of `bits`, so many of them, at most 128.
    #[inline(always)]
    unsafe fn lowest(bits: u64, count: usize) -> u64 {
        bits & below(count) as u64
    }

    /// The bytes of `tape`, each cut down to the bits of `mask`.
    unsafe fn load(tape: &Tape, mask: u8) -> Self::Loaded;

    /// The places that hold `byte`.
    unsafe fn equal(loaded: &Self::Loaded, byte: u8) -> u128;

    /// The entries of `script`, and maybe some behind its end, that are `[`, and
    /// those that are `]`.
    #[inline(always)]
    unsafe fn brackets(script: &Script) -> (u64, u64) {
        let (mut opens, mut closes) = (0, 0);
        let mut rest = script.events;
        while rest != 0 {
            let entry = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            opens |= u64::from(script.jumps_at[entry] == Class::NULL) << entry;
            closes |= u64::from(script.jumps_at[entry] == Class::SET) << entry;
        }
        (opens, closes)
    }

    /// The laps, of the next 64, at which the byte on `track` has none of the bits
    /// of `mask`.
    #[inline(always)]
    unsafe fn null_laps(tape: &Tape, track: Track, mask: u8) -> u64 {
        let is_null = |lap: usize| u64::from(tape[track.at(lap)] & mask == 0);
        (0..64).fold(0, |laps, lap| laps | is_null(lap) << lap)
    }

    /// The first lap, of at most 64, at which the byte on `track` has none of
    /// the bits of `mask`.
    #[inline(always)]
    unsafe fn first_null(tape: &Tape, track: Track, mask: u8, laps: usize) -> Option<usize> {
        (0..laps).find(|lap| tape[track.at(*lap)] & mask == 0)
    }

    /// Copy a byte a lap from `source` to `target`, for at most `laps`, and not as
    /// far as a lap that would change a byte at a place of `fixed`. Answers with the
    /// laps done and whether they changed any byte.
    ///
    /// Both going the same way, no lap may read what an earlier one wrote. `laps` is
    /// at most 128.
    #[inline(always)]
    unsafe fn copy(
        tape: &mut Tape,
        source: Track,
        target: Track,
        laps: usize,
        fixed: u128,
    ) -> (usize, bool) {
        let mut changed = false;
        for lap in 0..laps {
            let new = tape[source.at(lap)];
            let place = target.at(lap);
            if tape[place] != new {
                if fixed >> place & 1 == 1 {
                    return (lap, changed);
                }
                changed = true;
                tape[place] = new;
            }
        }
        (laps, changed)
    }
}

/// Eight bytes in a word, on any machine.
pub struct Portable;

impl Vectors for Portable {
    type Loaded = [u64; TAPE_LEN / 8];

    #[inline(always)]
    unsafe fn load(tape: &Tape, mask: u8) -> Self::Loaded {
        let (words, _) = tape.as_chunks::<8>();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]) & repeat(mask))
    }

    #[inline(always)]
    unsafe fn equal(loaded: &Self::Loaded, byte: u8) -> u128 {
        const LOW7: u64 = repeat(0x7f);
        let mut places = 0;
        for (i, word) in loaded.iter().enumerate() {
            let differing = word ^ repeat(byte);
            // The top bit of each byte that is zero, and of no other.
            let zero = !(((differing & LOW7) + LOW7) | differing | LOW7);
            // Gathers the eight top bits in the top byte.
            let bits = (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            places |= u128::from(bits) << (8 * i);
        }
        places
    }
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// `return $with!(vectors, features)` for `$lanes` wider than those of every machine,
/// the features being those that the vectors ask for. What uses them must be compiled
/// for all of them, or each instruction is called as a function.
#[cfg(target_arch = "x86_64")]
macro_rules! return_for_wide {
    ($lanes:expr, $with:ident) => {
        match $lanes {
            $crate::engine::simd::Lanes::Avx512 => {
                return $with!(
                    $crate::engine::simd::vectors::Avx512,
                    "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,\
                     bmi1,bmi2,lzcnt,popcnt"
                );
            }
            $crate::engine::simd::Lanes::Avx2 => {
                return $with!(
                    $crate::engine::simd::vectors::Avx2,
                    "avx2,bmi1,bmi2,lzcnt,popcnt"
                );
            }
            $crate::engine::simd::Lanes::Portable => {}
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(in crate::engine) use return_for_wide;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Stride, Track, Vectors};
    use crate::engine::bff::script::{Effects, LAST_EVENT, LEN, Script};
    use crate::engine::bff::skeleton::Skeleton;
    use crate::engine::places::below;
    use crate::language::bff::{Class, Dialect, Op};
    use crate::language::{TAPE_LEN, Tape};

    /// 64 bytes a register; for machines with [`crate::engine::simd::Lanes::Avx512`].
    pub struct Avx512;

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

    /// The command bits of each byte of half a tape.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of [`Avx512`].
    #[inline(always)]
    unsafe fn commands(dialect: &Dialect, tape: &Tape, half: usize) -> __m512i {
        // SAFETY: the caller has the instructions; the loads are of one half of
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

    impl OpsOfHalf {
        /// Those at `first` or behind it. (No closures here or elsewhere in this
        /// room: they would be compiled without the instructions.)
        ///
        /// # Safety
        ///
        /// This machine must have the instructions of [`Avx512`].
        #[inline(always)]
        unsafe fn of(dialect: &Dialect, tape: &Tape, half: usize, first: usize) -> OpsOfHalf {
            // SAFETY: the caller has the instructions; the load is of COUNT's 64
            // bytes.
            unsafe {
                let commands = commands(dialect, tape, half);
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
    }

    impl Vectors for Avx512 {
        type Loaded = [__m512i; 2];

        #[inline(always)]
        unsafe fn lowest(bits: u64, count: usize) -> u64 {
            // SAFETY: the caller has the instructions.
            unsafe { _bzhi_u64(bits, count as u32) }
        }

        #[inline(always)]
        unsafe fn decode(dialect: &Dialect, tape: &Tape, script: &mut Script) {
            // SAFETY: the caller has the instructions; the stores to `place` are of 64 of its
            // 128 bytes, from 0 and from `behind`, a count of 64 bits.
            unsafe {
                let high = OpsOfHalf::of(dialect, tape, 1, script.first);
                let places = script.place.as_mut_ptr();
                let mut list = high.list;
                let mut len = high.ops.count_ones() as usize;
                script.ops = u128::from(high.ops) << 64;
                let mut behind = 0;
                if script.first < TAPE_LEN / 2 {
                    // The second half's ops behind those of the first.
                    let low = OpsOfHalf::of(dialect, tape, 0, script.first);
                    behind = low.ops.count_ones() as usize;
                    list = _mm512_mask_expand_epi8(low.list, !Self::lowest(!0, behind), list);
                    len += behind;
                    script.ops |= u128::from(low.ops);
                    _mm512_storeu_si512(places.cast(), low.places);
                }
                _mm512_storeu_si512(places.add(behind).cast(), high.places);
                let len = len.min(LEN - 1);

                let effects = Effects::of(dialect);
                store(
                    &mut script.moved0,
                    sums_before(look_up(&effects.move0, list)),
                );
                store(
                    &mut script.moved1,
                    sums_before(look_up(&effects.move1, list)),
                );
                store(&mut script.add, look_up(&effects.add, list));
                store(&mut script.jumps_at, look_up(&effects.jumps_at, list));
                script.len = len;
                let last_event = _mm512_set1_epi8(LAST_EVENT as i8);
                let events = _mm512_cmple_epu8_mask(list, last_event);
                script.events = Self::lowest(events, len) | 1 << len;
                let copy_to_0 = _mm512_set1_epi8(Class::command(Op::CopyTo0) as i8);
                let copy_to_1 = _mm512_set1_epi8(Class::command(Op::CopyTo1) as i8);
                script.from1 = _mm512_cmpeq_epi8_mask(list, copy_to_0);
                script.to1 = _mm512_cmpeq_epi8_mask(list, copy_to_1);
            }
        }

        #[inline(always)]
        unsafe fn skeleton(dialect: &Dialect, tape: &Tape) -> Skeleton {
            // SAFETY: the caller has the instructions.
            unsafe {
                let low = commands(dialect, tape, 0);
                let high = commands(dialect, tape, 1);
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
        unsafe fn aim(script: &mut Script, base0: u8, base1: u8) {
            // SAFETY: the caller has the instructions; the loads and stores are of the
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
                store(froms, _mm512_and_si512(from, places));
                store(tos, _mm512_and_si512(to, places));
            }
        }

        #[inline(always)]
        unsafe fn brackets(script: &Script) -> (u64, u64) {
            // SAFETY: the caller has the instructions; the load is of 64 bytes.
            unsafe {
                let jumps_at = _mm512_loadu_si512(script.jumps_at.as_ptr().cast());
                let opens = _mm512_movepi8_mask(jumps_at);
                let set = _mm512_set1_epi8(Class::SET as i8);
                (opens, _mm512_test_epi8_mask(jumps_at, set))
            }
        }

        #[inline(always)]
        unsafe fn load(tape: &Tape, mask: u8) -> Self::Loaded {
            // SAFETY: the caller has the instructions; the loads need no
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
        unsafe fn equal(loaded: &Self::Loaded, byte: u8) -> u128 {
            // SAFETY: the caller has the instructions.
            unsafe {
                let byte = _mm512_set1_epi8(byte as i8);
                let low = _mm512_cmpeq_epi8_mask(loaded[0], byte);
                let high = _mm512_cmpeq_epi8_mask(loaded[1], byte);
                u128::from(low) | u128::from(high) << 64
            }
        }

        #[inline(always)]
        unsafe fn null_laps(tape: &Tape, track: Track, mask: u8) -> u64 {
            // SAFETY: the caller has the instructions; the loads read the
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
        unsafe fn first_null(tape: &Tape, track: Track, mask: u8, laps: usize) -> Option<usize> {
            // SAFETY: the caller's promise.
            let first = unsafe { Self::null_laps(tape, track, mask) }.trailing_zeros() as usize;
            (first < laps).then_some(first)
        }

        #[inline(always)]
        unsafe fn copy(
            tape: &mut Tape,
            source: Track,
            target: Track,
            mut laps: usize,
            fixed: u128,
        ) -> (usize, bool) {
            // SAFETY: the caller has the instructions; the loads and stores
            // are of the tape's 128 bytes and COUNT's 64.
            unsafe {
                let at = tape.as_mut_ptr().cast::<__m512i>();
                let old = [_mm512_loadu_si512(at), _mm512_loadu_si512(at.add(1))];
                let target_start = _mm512_set1_epi8(target.start as i8);
                let source_start = _mm512_set1_epi8(source.start as i8);
                let count = _mm512_loadu_si512(COUNT.as_ptr().cast());
                let places = [count, _mm512_add_epi8(count, _mm512_set1_epi8(64))];
                let laps_mask = _mm512_set1_epi8(0x7f);
                // Each place's lap, and what that lap copies. (No closures
                // here: they would not be compiled for these instructions.)
                let mut lap = places;
                let mut new = old;
                for half in 0..2 {
                    let distance = match target.stride {
                        Stride::Up => _mm512_sub_epi8(places[half], target_start),
                        Stride::Down => _mm512_sub_epi8(target_start, places[half]),
                    };
                    lap[half] = _mm512_and_si512(distance, laps_mask);
                    let from = match source.stride {
                        Stride::Up => _mm512_add_epi8(source_start, lap[half]),
                        Stride::Down => _mm512_sub_epi8(source_start, lap[half]),
                    };
                    new[half] = _mm512_permutex2var_epi8(old[0], from, old[1]);
                }
                // Going opposite ways, the heads come to the same two places twice,
                // once each way around: the second time both are alike.
                let mut first_time = [!0, !0];
                if source.stride != target.stride {
                    let sum = _mm512_set1_epi8(source.lap_of(target.start) as i8);
                    for half in 0..2 {
                        let other = _mm512_and_si512(_mm512_sub_epi8(sum, lap[half]), laps_mask);
                        first_time[half] = _mm512_cmpge_epu8_mask(other, lap[half]);
                    }
                }
                let low = _mm512_mask_cmpneq_epu8_mask(first_time[0], new[0], old[0]);
                let high = _mm512_mask_cmpneq_epu8_mask(first_time[1], new[1], old[1]);
                let different = u128::from(low) | u128::from(high) << 64;
                if let Some(fixed_lap) = target.first_lap_in(different & fixed) {
                    laps = laps.min(fixed_lap);
                }
                let end = _mm512_set1_epi8(laps as i8);
                let low = _mm512_mask_cmplt_epu8_mask(low, lap[0], end);
                let high = _mm512_mask_cmplt_epu8_mask(high, lap[1], end);
                _mm512_storeu_si512(at, _mm512_mask_blend_epi8(low, old[0], new[0]));
                _mm512_storeu_si512(at.add(1), _mm512_mask_blend_epi8(high, old[1], new[1]));
                (laps, low | high != 0)
            }
        }
    }

    /// # Safety
    ///
    /// This machine must have the instructions of [`Avx512`].
    #[inline(always)]
    unsafe fn store(bytes: &mut [u8; 64], value: __m512i) {
        // SAFETY: the caller has the instructions; the store is of 64 bytes.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
    }

    /// The entry of `table` for each byte, which is below 16.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of [`Avx512`].
    #[inline(always)]
    unsafe fn look_up(table: &[u8; 16], bytes: __m512i) -> __m512i {
        // SAFETY: the caller has the instructions; the load is of 16 bytes.
        unsafe {
            let table = _mm_loadu_si128(table.as_ptr().cast());
            _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), bytes)
        }
    }

    /// For each byte the sum of those before it, modulo 256.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of [`Avx512`].
    #[inline(always)]
    unsafe fn sums_before(bytes: __m512i) -> __m512i {
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
        // SAFETY: the caller has the instructions; the loads are of 64 bytes.
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

    /// 32 bytes a register; for machines with [`crate::engine::simd::Lanes::Avx2`].
    pub struct Avx2;

    impl Vectors for Avx2 {
        type Loaded = [__m256i; 4];

        #[inline(always)]
        unsafe fn lowest(bits: u64, count: usize) -> u64 {
            // SAFETY: the caller has the instructions.
            unsafe { _bzhi_u64(bits, count as u32) }
        }

        #[inline(always)]
        unsafe fn load(tape: &Tape, mask: u8) -> Self::Loaded {
            // SAFETY: the caller has the instructions; the loads need no
            // alignment and read the tape's 128 bytes.
            unsafe {
                let mask = _mm256_set1_epi8(mask as i8);
                let at = tape.as_ptr().cast::<__m256i>();
                [
                    _mm256_and_si256(_mm256_loadu_si256(at), mask),
                    _mm256_and_si256(_mm256_loadu_si256(at.add(1)), mask),
                    _mm256_and_si256(_mm256_loadu_si256(at.add(2)), mask),
                    _mm256_and_si256(_mm256_loadu_si256(at.add(3)), mask),
                ]
            }
        }

        #[inline(always)]
        unsafe fn equal(loaded: &Self::Loaded, byte: u8) -> u128 {
            // SAFETY: the caller has the instructions.
            unsafe {
                let byte = _mm256_set1_epi8(byte as i8);
                let mut places = 0;
                for (i, bytes) in loaded.iter().enumerate() {
                    let bits = _mm256_movemask_epi8(_mm256_cmpeq_epi8(*bytes, byte));
                    places |= u128::from(bits as u32) << (32 * i);
                }
                places
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simd::Lanes;
    use crate::language::{Family, Language};
    use crate::random::mix;

    #[test]
    fn tracks_go_around_the_tape() {
        for start in [0, 1, 64, 127] {
            for stride in [Stride::Up, Stride::Down] {
                let track = Track { start, stride };
                assert!((0..TAPE_LEN).all(|lap| track.lap_of(track.at(lap)) == lap));
            }
        }
    }

    /// Every set of instructions reads a tape, aims and finds brackets as the portable forms.
    #[test]
    fn all_read_tapes_alike() {
        fn check<V: Vectors>(dialect: &Dialect, tape: &Tape, first: usize, heads: [usize; 2]) {
            let (mut script, mut plain) = (Script::EMPTY, Script::EMPTY);
            // SAFETY: the caller checks that the machine has these lanes.
            unsafe {
                assert_eq!(V::skeleton(dialect, tape), Skeleton::of(dialect, tape));
                let mask = dialect.significant_bits();
                for byte in [tape[0] & mask, 0] {
                    let is_equal = |place: &usize| tape[*place] & mask == byte;
                    let places = (0..TAPE_LEN).filter(is_equal).map(|place| 1 << place);
                    let places = places.fold(0u128, |places, place| places | place);
                    assert_eq!(V::equal(&V::load(tape, mask), byte), places);
                }
                script.read::<V>(dialect, tape, first);
                plain.read::<Portable>(dialect, tape, first);
                let ops = plain.len;
                assert_eq!((script.len, script.ops), (plain.len, plain.ops));
                assert_eq!(script.end(), plain.end());
                for place in 0..=TAPE_LEN {
                    assert_eq!(script.index::<V>(place), plain.index::<Portable>(place));
                }
                script.aim_first::<V>(heads[0], heads[1]);
                plain.aim_first::<Portable>(heads[0], heads[1]);
                assert_eq!(script.place[..=ops], plain.place[..=ops]);
                assert_eq!(script.add[..ops], plain.add[..ops]);
                assert_eq!(script.jumps_at[..ops], plain.jumps_at[..ops]);
                assert_eq!(script.events, plain.events);
                let entries = below(ops) as u64;
                let (opens, closes) = V::brackets(&script);
                let brackets = (opens & entries, closes & entries);
                assert_eq!(brackets, Portable::brackets(&plain));
                for entry in 0..ops {
                    assert_eq!(script.heads(entry), plain.heads(entry));
                    assert_eq!(script.goes(entry), plain.goes(entry));
                }
                assert_eq!(script.heads(ops), plain.heads(ops));
            }
        }
        for language in Language::ALL {
            let Family::Bff(dialect) = &language.family else {
                continue;
            };
            for round in 0..600 {
                let random = |i: u64| mix(round * 400 + i) as usize;
                let density = round as usize % 9;
                let byte = |place: usize| match random(place as u64) % 8 < density {
                    true => dialect.byte_of(Op::ALL[random(150 + place as u64) % 10]),
                    false => Some(random(200 + place as u64) as u8),
                };
                let tape: Tape = std::array::from_fn(|place| byte(place).unwrap_or(0));
                let first = [0, random(390) % TAPE_LEN][round as usize / 9 % 2];
                let heads = [random(391) % TAPE_LEN, random(392) % TAPE_LEN];
                for lanes in Lanes::available() {
                    match lanes {
                        #[cfg(target_arch = "x86_64")]
                        Lanes::Avx512 => check::<Avx512>(dialect, &tape, first, heads),
                        #[cfg(target_arch = "x86_64")]
                        Lanes::Avx2 => check::<Avx2>(dialect, &tape, first, heads),
                        Lanes::Portable => check::<Portable>(dialect, &tape, first, heads),
                    }
                }
            }
        }
    }

    /// Every set of instructions copies and finds nulls as the portable loop.
    #[test]
    fn all_copy_and_find_nulls_alike() {
        fn check<V: Vectors>(tape: &Tape, a: Track, b: Track, laps: usize, fixed: u128, mask: u8) {
            let (mut expected, mut actual) = (*tape, *tape);
            // SAFETY: the caller checks that the machine has these lanes.
            unsafe {
                assert_eq!(
                    V::null_laps(tape, a, mask),
                    Portable::null_laps(tape, a, mask)
                );
                assert_eq!(
                    V::first_null(tape, a, mask, laps),
                    Portable::first_null(tape, a, mask, laps)
                );
                assert_eq!(
                    V::copy(&mut actual, a, b, laps, fixed),
                    Portable::copy(&mut expected, a, b, laps, fixed)
                );
            }
            assert_eq!(actual, expected, "{a:?} {b:?} {laps}");
        }
        let strides = [Stride::Up, Stride::Down];
        for round in 0..4000 {
            let random = |i: u64| mix(round * 200 + i) as usize;
            let density = 1 + random(140) % 8;
            let tape: Tape = std::array::from_fn(|i| (random(i as u64) % density * 3) as u8);
            let track = |i| Track {
                start: random(i) % TAPE_LEN,
                stride: strides[random(i + 1) % 2],
            };
            let (a, b) = (track(150), track(152));
            // As many laps as read nothing that an earlier one wrote, or all.
            let reads_written = |lap: usize| b.lap_of(a.at(lap)) < lap;
            let clear = match a.stride == b.stride {
                true => (0..TAPE_LEN).find(|lap| reads_written(*lap)),
                false => None,
            };
            let laps = random(160) % (clear.unwrap_or(TAPE_LEN) + 1);
            let places = u128::from(mix(round)) << 64 | u128::from(mix(round + 7777));
            let fixed = [0, !0, places, 1 << (random(162) % 128)][random(163) % 4];
            let first = (0..TAPE_LEN).find(|lap| fixed >> a.at(*lap) & 1 == 1);
            assert_eq!(a.first_lap_in(fixed), first);
            for lanes in Lanes::available() {
                match lanes {
                    #[cfg(target_arch = "x86_64")]
                    Lanes::Avx512 => {
                        check::<Avx512>(&tape, a, b, laps, fixed, [0xff, 0x0f][random(161) % 2])
                    }
                    #[cfg(target_arch = "x86_64")]
                    Lanes::Avx2 => check::<Avx2>(&tape, a, b, laps, fixed, 0xff),
                    Lanes::Portable => check::<Portable>(&tape, a, b, laps, fixed, 0xff),
                }
            }
        }
    }
}
