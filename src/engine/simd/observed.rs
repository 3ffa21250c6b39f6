//! The portable instructions, with notes of what the interpreter does. Nobody else takes notes:
//! for the other sets [`Vectors::note`] is nothing at all.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use super::portable::Portable;
use super::vectors::{Note, Vectors, Work};
use crate::language::Tape;

/// Counts of notes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Runs of loops, by form and end.
    pub(crate) loops: BTreeMap<(&'static str, &'static str), u64>,
    /// Times that a loop without a form jumped back.
    pub(crate) nested: u64,
    /// Runs that were found to repeat.
    pub(crate) periods: u64,
    /// Hashes of loop bodies.
    pub(crate) bodies: HashSet<u64>,
}

impl Notes {
    fn take(&mut self, note: Note) {
        match note {
            Note::Body(hash) => {
                self.bodies.insert(hash);
            }
            Note::Loop { form, exit } => *self.loops.entry((form, exit)).or_default() += 1,
            Note::Nested => self.nested += 1,
            Note::Period => self.periods += 1,
        }
    }

    /// Those of this thread since the last call.
    pub(crate) fn of_thread() -> Notes {
        NOTES.with(RefCell::take)
    }
}

thread_local! {
    static NOTES: RefCell<Notes> = RefCell::default();
}

/// See above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Observed;

impl Vectors for Observed {
    type Loaded = <Portable as Vectors>::Loaded;

    unsafe fn assume() -> Observed {
        Observed
    }

    fn note(self, note: impl FnOnce() -> Note) {
        let note = note();
        NOTES.with_borrow_mut(|notes| notes.take(note));
    }

    fn run<W: Work<Observed>>(self, work: W) -> W::Output {
        work.run(self)
    }

    #[inline(always)]
    fn load(self, tape: &Tape, mask: u8) -> Self::Loaded {
        Portable.load(tape, mask)
    }

    #[inline(always)]
    fn equal(self, loaded: &Self::Loaded, byte: u8) -> u128 {
        Portable.equal(loaded, byte)
    }
}
