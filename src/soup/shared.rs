//! The soup of one epoch, written by many threads at once.

use std::cell::Cell;
use std::ops::Range;

use super::pairing::Pairs;
use crate::engine::simd::{InstructionSet, prefetch};
use crate::language::{Program, Tape};

/// The programs of a soup together with the pairing that says who may touch
/// which: each pair's two programs are that pair's alone.
///
/// The caller's side of the bargain is that no pair is worked on by two threads at once.
/// Nobody else sees the programs meanwhile, since they are borrowed mutably.
pub(super) struct SharedPrograms<'a> {
    programs: &'a [Cell<Program>],
    pairs: &'a Pairs,
    load: Load,
    store: Store,
}

type Load = fn(&SharedPrograms<'_>, Range<usize>, &mut [Tape]);
type Store = fn(&SharedPrograms<'_>, Range<usize>, &[Tape]);

// SAFETY: the cells are reached by `load` and `store` alone (a prefetch reads nothing). Their
// callers promise to work on no pair in two threads at once, and different pairs have different
// cells: `Pairs` names every program exactly once. It is a permutation, by construction and
// checked in its tests, and borrowed, so that it stays one.
unsafe impl Sync for SharedPrograms<'_> {}

impl<'a> SharedPrograms<'a> {
    pub(super) fn new(programs: &'a mut [u8], pairs: &'a Pairs) -> Self {
        let (programs, rest) = programs.as_chunks_mut();
        assert!(rest.is_empty() && programs.len() == 2 * pairs.len());
        let (load, store) = moves_in(InstructionSet::widest());
        SharedPrograms {
            programs: Cell::from_mut(programs).as_slice_of_cells(),
            pairs,
            load,
            store,
        }
    }

    pub(super) fn pairs(&self) -> &Pairs {
        self.pairs
    }

    /// Ask for the programs of pairs that are about to be loaded.
    #[inline]
    pub(super) fn prefetch(&self, pairs: Range<usize>) {
        for program in self.pairs.programs_of(pairs) {
            prefetch(&self.programs[program]);
        }
    }

    /// Join the two programs of each of `pairs` in a tape.
    ///
    /// # Safety
    ///
    /// No other thread may load or store any of these pairs meanwhile.
    #[inline]
    pub(super) unsafe fn load(&self, pairs: Range<usize>, tapes: &mut [Tape]) {
        (self.load)(self, pairs, tapes);
    }

    /// Split each tape back into the programs of its pair.
    ///
    /// # Safety
    ///
    /// As for [`SharedPrograms::load`].
    #[inline]
    pub(super) unsafe fn store(&self, pairs: Range<usize>, tapes: &[Tape]) {
        (self.store)(self, pairs, tapes);
    }

    #[inline(always)]
    fn load_each(&self, pairs: Range<usize>, tapes: &mut [Tape]) {
        let (halves, _) = tapes.as_flattened_mut().as_chunks_mut();
        for (half, program) in halves.iter_mut().zip(self.pairs.programs_of(pairs)) {
            *half = self.programs[program].get();
        }
    }

    #[inline(always)]
    fn store_each(&self, pairs: Range<usize>, tapes: &[Tape]) {
        let (halves, _) = tapes.as_flattened().as_chunks();
        for (half, program) in halves.iter().zip(self.pairs.programs_of(pairs)) {
            self.programs[program].set(*half);
        }
    }
}

/// [`SharedPrograms::load_each`] and [`SharedPrograms::store_each`], compiled for
/// a set of instructions: the wider, the fewer moves.
fn moves_in(set: InstructionSet) -> (Load, Store) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        fn load_avx512(programs: &SharedPrograms<'_>, pairs: Range<usize>, tapes: &mut [Tape]) {
            programs.load_each(pairs, tapes);
        }
        #[target_feature(enable = "avx512f")]
        fn store_avx512(programs: &SharedPrograms<'_>, pairs: Range<usize>, tapes: &[Tape]) {
            programs.store_each(pairs, tapes);
        }
        if let InstructionSet::Avx512(_) = set {
            return (
                // SAFETY: `set` proves these instructions.
                |programs, pairs, tapes| unsafe { load_avx512(programs, pairs, tapes) },
                // SAFETY: as above.
                |programs, pairs, tapes| unsafe { store_avx512(programs, pairs, tapes) },
            );
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = set;
    (
        |programs, pairs, tapes| programs.load_each(pairs, tapes),
        |programs, pairs, tapes| programs.store_each(pairs, tapes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{PROGRAM_LEN, TAPE_LEN};
    use crate::random::{Streams, mix};
    use crate::soup::settings::Settings;

    /// At every width, and for any number of pairs: the same as indexing one soup.
    #[test]
    fn every_width_moves_programs_as_plain_indexing_does() {
        const PAIRS: usize = 50;
        let settings = Settings {
            num_programs: 2 * PAIRS,
            ..Settings::default()
        };
        let mut pairs = Pairs::new(2 * PAIRS).unwrap();
        pairs.draw(&settings.meeting, &Streams::new(5), 3);
        let byte = |place: usize| mix(place as u64) as u8;
        let soup: Vec<u8> = (0..2 * PAIRS * PROGRAM_LEN).map(byte).collect();
        for set in InstructionSet::available() {
            for range in [0..0, 0..1, 7..39, 49..50, 0..PAIRS] {
                let mut programs = soup.clone();
                let mut expected = soup.clone();
                let mut shared = SharedPrograms::new(&mut programs, &pairs);
                (shared.load, shared.store) = moves_in(set);
                shared.prefetch(range.clone());
                let mut tapes = vec![[0; TAPE_LEN]; range.len()];
                // SAFETY: there is one thread.
                unsafe { shared.load(range.clone(), &mut tapes) };
                let numbers: Vec<usize> = pairs.programs_of(range.clone()).collect();
                for (half, number) in numbers.iter().enumerate() {
                    let at = number * PROGRAM_LEN;
                    let loaded = &mut tapes.as_flattened_mut()[half * PROGRAM_LEN..][..PROGRAM_LEN];
                    assert_eq!(loaded, &soup[at..at + PROGRAM_LEN], "{set:?} {range:?}");
                    loaded
                        .iter_mut()
                        .for_each(|byte| *byte = byte.wrapping_add(1));
                    expected[at..at + PROGRAM_LEN].copy_from_slice(loaded);
                }
                // SAFETY: as above.
                unsafe { shared.store(range.clone(), &tapes) };
                assert!(programs == expected, "{set:?} {range:?}");
            }
        }
    }
}
