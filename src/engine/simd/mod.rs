//! Which vector instructions this machine has; found once, at run time.

pub(in crate::engine) mod vectors;

/// Vector instructions that a loop can be compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// AVX-512 F, BW, DQ, VL, VBMI, VBMI2 and IFMA, with BMI 1 and 2, LZCNT and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2, with BMI 1 and 2, LZCNT and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What every machine of the target has.
    Portable,
}

impl Lanes {
    /// Those that this machine has, the widest first.
    #[inline]
    pub fn available() -> impl Iterator<Item = Lanes> {
        #[cfg(target_arch = "x86_64")]
        let wide = {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vbmi2")
                && is_x86_feature_detected!("avx512ifma");
            [avx512.then_some(Lanes::Avx512), avx2.then_some(Lanes::Avx2)]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let wide: [Option<Lanes>; 0] = [];
        wide.into_iter().flatten().chain([Lanes::Portable])
    }

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Lanes::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Lanes::Avx2 => "AVX2",
            Lanes::Portable => "portable",
        }
    }

    /// The widest that this machine has.
    pub fn widest() -> Lanes {
        Lanes::available().next().unwrap_or(Lanes::Portable)
    }
}

/// Ask for what `value` lies in, which is about to be used.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads and writes nothing, and the address is that of a value.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
