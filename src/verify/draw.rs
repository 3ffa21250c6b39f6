//! Numbers drawn from a stream: what is tried is a function of the keys that a stream is made
//! from, on every machine and in every version of the library that random numbers come from.

use crate::random::mix;

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Draw {
    first: u64,
    drawn: u64,
}

impl Draw {
    /// The stream of these keys.
    pub fn new(keys: &[u64]) -> Draw {
        Draw {
            first: keys.iter().fold(0, |hash, key| mix(hash ^ mix(*key))),
            drawn: 0,
        }
    }

    /// Any number.
    #[inline]
    pub fn number(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.first.wrapping_add(self.drawn))
    }

    /// A number below `end`, which is not 0.
    #[inline]
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.number()) * end as u128) >> 64) as usize
    }

    /// A number from `first` to `last`.
    #[inline]
    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Any byte.
    #[inline]
    pub fn byte(&mut self) -> u8 {
        self.number() as u8
    }

    /// True once in so many times.
    #[inline]
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some values, of which there is at least one.
    #[inline]
    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Fill `bytes` with any.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_by_their_keys_alone() {
        let first = |keys: &[u64]| Draw::new(keys).number();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
        let mut draw = Draw::new(&[7]);
        assert_ne!(draw.number(), draw.number());
    }

    #[test]
    fn numbers_keep_to_their_bounds_and_come_to_all() {
        let mut draw = Draw::new(&[3]);
        let mut seen = [0; 6];
        for _ in 0..600 {
            seen[draw.between(2, 5)] += 1;
        }
        assert_eq!(seen[..2], [0, 0]);
        assert!(seen[2..].iter().all(|count| *count > 100), "{seen:?}");
        let mut bytes = [0; 13];
        draw.fill(&mut bytes);
        assert!(bytes[8..].iter().any(|byte| *byte != 0));
    }
}
