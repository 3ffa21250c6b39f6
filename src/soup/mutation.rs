//! Mutation: now and then a byte of a tape becomes a random one.

use crate::language::Tape;
use crate::random::mix;

/// The chance of a byte to mutate, as the random stream tests it.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// A byte mutates where 30 random bits, as a number, are below this.
    threshold: u32,
}

impl Mutation {
    /// `probability` is that of one byte in one interaction, 0 to 1.
    pub fn new(probability: f64) -> Self {
        Mutation {
            threshold: (probability * f64::from(1 << 30)).round() as u32,
        }
    }

    /// Mutate `tape`, whose byte i has the random number mix(`stream` + i).
    #[inline]
    pub fn apply(self, tape: &mut Tape, stream: u64) {
        if self.threshold == 0 {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: this machine has the instructions.
            return unsafe { self.apply_avx512(tape, stream) };
        }
        self.apply_portable(tape, stream);
    }

    /// The one loop; every form of it is this one, compiled for other lanes.
    #[inline(always)]
    fn apply_portable(self, tape: &mut Tape, stream: u64) {
        for (i, byte) in tape.iter_mut().enumerate() {
            let random = mix(stream.wrapping_add(i as u64));
            let mutates = ((random >> 8) as u32 & ((1 << 30) - 1)) < self.threshold;
            *byte = if mutates { random as u8 } else { *byte };
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl")]
    fn apply_avx512(self, tape: &mut Tape, stream: u64) {
        self.apply_portable(tape, stream);
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

    #[test]
    fn certain_mutation_replaces_every_byte() {
        let mut tape = [0; 128];
        Mutation::new(1.0).apply(&mut tape, 99);
        for (i, byte) in tape.into_iter().enumerate() {
            assert_eq!(byte, mix(99 + i as u64) as u8);
        }
    }
}
