//! Vector instructions: which of them this machine has, and work on whole tapes with each set.
//!
//! A set of instructions is a token, a value that proves itself: [`Avx512`] and [`Avx2`] have a
//! private field, and only detection creates one. So code that holds such a value may use the
//! instructions, the methods of [`Vectors`] are safe to call, and no code can name a width without
//! asking the CPU first.
//!
//! Code that is generic over [`Vectors`] is compiled once for each set. It is always inlined, up to
//! [`Vectors::run`], the one function for each set that is compiled with its instructions.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(feature = "run")]
mod observed;
mod portable;
#[cfg(test)]
mod tests;
mod track;
mod vectors;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(feature = "run")]
pub(crate) use observed::{Notes, Observed};
pub(crate) use portable::Portable;
pub(crate) use track::{Stride, Track};
pub(crate) use vectors::{Copied, Note, Vectors, Work};

#[cfg(target_arch = "x86_64")]
use crate::engine::hidden::{Part, is_hidden};

/// A set of vector instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// AVX-512 F, BW, DQ, VL, VBMI, VBMI2 and IFMA, with those of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// AVX2, with BMI 1 and 2, LZCNT and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// What every machine of the target has.
    Portable(Portable),
}

impl InstructionSet {
    /// Those that this machine has and that are not [hidden](crate::engine::hidden), the widest
    /// first.
    #[inline]
    pub(crate) fn available() -> impl Iterator<Item = InstructionSet> {
        #[cfg(target_arch = "x86_64")]
        let wide = [
            Avx512::detect()
                .filter(|_| !is_hidden(Part::Avx512))
                .map(InstructionSet::Avx512),
            Avx2::detect()
                .filter(|_| !is_hidden(Part::Avx2))
                .map(InstructionSet::Avx2),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let wide: [Option<InstructionSet>; 0] = [];
        let portable = InstructionSet::Portable(Portable);
        wide.into_iter().flatten().chain([portable])
    }

    /// What it is called in a table.
    #[cfg(any(feature = "internals", feature = "run"))]
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2(_) => "AVX2",
            InstructionSet::Portable(_) => "portable",
        }
    }

    /// The widest that this machine has.
    pub(crate) fn widest() -> InstructionSet {
        let widest = InstructionSet::available().next();
        widest.unwrap_or(InstructionSet::Portable(Portable))
    }
}

/// Ask for what `value` lies in, which is about to be used.
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads and writes nothing, and the address is that of a value.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
