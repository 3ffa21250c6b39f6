//! The soup of one epoch, written by many threads at once.

use std::cell::Cell;

use super::pairing::Pairs;
use crate::language::{PROGRAM_LEN, Tape};

type Program = [u8; PROGRAM_LEN];

/// The programs of a soup together with the pairing that says who may touch
/// which: each pair's two programs are that pair's alone.
///
/// The caller's side of the bargain is that no pair is worked on by two
/// threads at once; [`super::interact`] visits each pair once an epoch.
pub struct SharedPrograms<'a> {
    programs: &'a [Cell<Program>],
    pairs: &'a Pairs,
}

// SAFETY: `Pairs` names every program exactly once (it is a permutation, by
// construction and checked in its tests), so different pairs touch different
// cells, and each pair is visited by one thread of an epoch only.
unsafe impl Sync for SharedPrograms<'_> {}

impl<'a> SharedPrograms<'a> {
    pub fn new(programs: &'a mut [u8], pairs: &'a Pairs) -> Self {
        let (programs, rest) = programs.as_chunks_mut::<PROGRAM_LEN>();
        assert!(rest.is_empty() && programs.len() == 2 * pairs.len());
        SharedPrograms {
            programs: Cell::from_mut(programs).as_slice_of_cells(),
            pairs,
        }
    }

    pub fn pairs(&self) -> &Pairs {
        self.pairs
    }

    /// Ask for the programs of a pair that is about to be loaded.
    #[inline(always)]
    pub fn prefetch(&self, pair: usize) {
        let (left, right) = self.pairs.get(pair);
        for program in [left, right] {
            let address = self.programs[program].as_ptr().cast::<i8>();
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a prefetch reads and writes nothing.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T0>(address);
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = address;
        }
    }

    /// Join the two programs of `pair` in `tape`.
    #[inline(always)]
    pub fn load(&self, pair: usize, tape: &mut Tape) {
        let (left, right) = self.pairs.get(pair);
        tape[..PROGRAM_LEN].copy_from_slice(&self.programs[left].get());
        tape[PROGRAM_LEN..].copy_from_slice(&self.programs[right].get());
    }

    /// Split `tape` back into the programs of `pair`.
    #[inline(always)]
    pub fn store(&self, pair: usize, tape: &Tape) {
        let (left, right) = self.pairs.get(pair);
        let (programs, _) = tape.as_chunks::<PROGRAM_LEN>();
        self.programs[left].set(programs[0]);
        self.programs[right].set(programs[1]);
    }
}
