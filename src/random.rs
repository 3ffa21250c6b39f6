//! The random streams of a soup: one mixing function, keyed by purpose.
//!
//! Nothing here has state. Every random number of a run is a function of the seed and of the place
//! where it is used. That is why a run can be resumed, split over threads or observed without
//! changing a byte. The streams are those of cubff (docs/reference.md, "Random streams").

/// What SplitMix64 adds to its state.
pub(crate) const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
/// SplitMix64's first factor.
pub(crate) const FACTOR_1: u64 = 0xbf58_476d_1ce4_e5b9;
/// SplitMix64's second factor.
pub(crate) const FACTOR_2: u64 = 0x94d0_49bb_1331_11eb;

/// SplitMix64's output for `state`; all arithmetic is modulo 2^64.
#[inline(always)]
pub const fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(GAMMA);
    finish_mix((z ^ (z >> 30)).wrapping_mul(FACTOR_1))
}

/// [`mix`] from its first product on.
#[inline(always)]
pub(crate) const fn finish_mix(product: u64) -> u64 {
    let z = (product ^ (product >> 27)).wrapping_mul(FACTOR_2);
    z ^ (z >> 31)
}

/// The streams of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    mixed_seed: u64,
}

impl Streams {
    /// The streams of `seed`.
    pub const fn new(seed: u64) -> Self {
        Streams {
            mixed_seed: mix(seed),
        }
    }

    /// mix(seed).
    pub(crate) const fn mixed_seed(&self) -> u64 {
        self.mixed_seed
    }

    /// The key of stream `index`: mix(mix(seed) ^ mix(index)).
    #[inline(always)]
    pub const fn key(&self, index: u64) -> u64 {
        mix(self.mixed_seed ^ mix(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of SplitMix64 from state 0, as published with it.
    #[test]
    fn mix_is_splitmix64() {
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
    }
}
