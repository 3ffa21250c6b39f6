//! AVX2: 32 bytes a register.

use std::arch::x86_64::*;

use super::vectors::{Vectors, Work};
use crate::language::Tape;

/// That this machine has AVX2, with BMI 1 and 2, LZCNT and POPCNT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the CPU.
    #[inline]
    pub(crate) fn detect() -> Option<Avx2> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Avx2(()))
    }
}

impl Vectors for Avx2 {
    type Loaded = [__m256i; 4];

    unsafe fn assume() -> Avx2 {
        Avx2(())
    }

    #[inline(always)]
    fn run<W: Work<Avx2>>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn with_avx2<W: Work<Avx2>>(work: W, vectors: Avx2) -> W::Output {
            work.run(vectors)
        }
        // SAFETY: the machine has the instructions, as `self` proves: `detect` has asked for each.
        unsafe { with_avx2(work, self) }
    }

    #[inline(always)]
    fn lowest(self, bits: u64, count: usize) -> u64 {
        // SAFETY: `self` proves the instructions.
        unsafe { _bzhi_u64(bits, count as u32) }
    }

    #[inline(always)]
    fn load(self, tape: &Tape, mask: u8) -> Self::Loaded {
        // SAFETY: `self` proves the instructions; the loads need no
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
    fn equal(self, loaded: &Self::Loaded, byte: u8) -> u128 {
        // SAFETY: `self` proves the instructions.
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
