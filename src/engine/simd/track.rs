//! Places that a head comes to, one an iteration.

use crate::language::TAPE_LEN;

/// Which way a head goes from iteration to iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stride {
    /// To the right, by one.
    Up,
    /// To the left, by one.
    Down,
}

/// Places on a tape, one an iteration, around its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    /// The place of iteration 0.
    pub start: usize,
    pub stride: Stride,
}

impl Track {
    /// The place of an iteration.
    #[inline(always)]
    pub(crate) fn at(self, iteration: usize) -> usize {
        match self.stride {
            Stride::Up => (self.start + iteration) % TAPE_LEN,
            Stride::Down => self.start.wrapping_sub(iteration) % TAPE_LEN,
        }
    }

    /// The iteration of a place.
    #[inline(always)]
    pub(crate) fn iteration_at(self, place: usize) -> usize {
        match self.stride {
            Stride::Up => place.wrapping_sub(self.start) % TAPE_LEN,
            Stride::Down => self.start.wrapping_sub(place) % TAPE_LEN,
        }
    }

    /// The iterations, of the next 128, that come to one of `places`.
    #[inline(always)]
    pub(crate) fn iterations_in(self, places: u128) -> u128 {
        match self.stride {
            Stride::Up => places.rotate_right(self.start as u32),
            Stride::Down => places.rotate_left(127 - self.start as u32).reverse_bits(),
        }
    }

    /// The first iteration that comes to one of `places`.
    #[inline(always)]
    pub(crate) fn first_iteration_in(self, places: u128) -> Option<usize> {
        if places == 0 {
            return None;
        }
        Some(match self.stride {
            Stride::Up => places.rotate_right(self.start as u32).trailing_zeros() as usize,
            Stride::Down => places.rotate_left(127 - self.start as u32).leading_zeros() as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_go_around_the_tape() {
        for start in [0, 1, 64, 127] {
            for stride in [Stride::Up, Stride::Down] {
                let track = Track { start, stride };
                let is_there = |iteration| track.iteration_at(track.at(iteration)) == iteration;
                assert!((0..TAPE_LEN).all(is_there));
                for iteration in 0..TAPE_LEN {
                    let places = 1 << track.at(iteration);
                    assert_eq!(track.iterations_in(places), 1 << iteration);
                }
            }
        }
    }
}
