//! What native code did.

use super::exit::Exit;
use super::unit::EntryKind;

/// Counts of native code at work, over some tapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NativeTally {
    /// Programs and loops that were looked for among the native ones.
    pub looked_up: Counts,
    /// Times that native code of either sort was entered.
    pub entered: Counts,
    /// How it was left, in the order of [`Exit::ALL`].
    pub exits: [u64; Exit::ALL.len()],
    /// Times that whole periods were skipped from within native code.
    pub settled: u64,
    /// Iterations that native code ran itself, one by one.
    pub iterations: u64,
    /// Ops and steps from entering native code to leaving it.
    pub ops: u64,
    /// See `ops`.
    pub steps: u64,
}

/// A number for each sort of code that is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Of programs.
    pub programs: u64,
    /// Of loops.
    pub loops: u64,
}

impl Counts {
    /// Count a unit.
    pub(super) fn count(&mut self, kind: EntryKind) {
        match kind {
            EntryKind::Left | EntryKind::Right => self.programs += 1,
            EntryKind::Loop => self.loops += 1,
        }
    }
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            programs: self.programs + other.programs,
            loops: self.loops + other.loops,
        }
    }
}

impl std::ops::Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        Counts {
            programs: self.programs - other.programs,
            loops: self.loops - other.loops,
        }
    }
}

impl NativeTally {
    fn zip(
        self,
        other: NativeTally,
        f: impl Fn(u64, u64) -> u64,
        g: impl Fn(Counts, Counts) -> Counts,
    ) -> NativeTally {
        NativeTally {
            looked_up: g(self.looked_up, other.looked_up),
            entered: g(self.entered, other.entered),
            exits: std::array::from_fn(|i| f(self.exits[i], other.exits[i])),
            settled: f(self.settled, other.settled),
            iterations: f(self.iterations, other.iterations),
            ops: f(self.ops, other.ops),
            steps: f(self.steps, other.steps),
        }
    }
}

impl std::ops::Add for NativeTally {
    type Output = NativeTally;

    fn add(self, other: NativeTally) -> NativeTally {
        self.zip(other, |a, b| a + b, |a, b| a + b)
    }
}

impl std::ops::Sub for NativeTally {
    type Output = NativeTally;

    fn sub(self, other: NativeTally) -> NativeTally {
        self.zip(other, |a, b| a - b, |a, b| a - b)
    }
}

/// What the code cache holds and has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheTally {
    /// Programs and loops that were found hot.
    pub hot: Counts,
    /// Of them, those that were compiled.
    pub compiled: Counts,
    /// Those that are there now.
    pub live: Counts,
    /// Entries that were left to the interpreter, since they did not pay.
    pub blacklisted: u64,
    /// Generations that were freed to make room.
    pub freed: u64,
    /// Bytes of machine code there are now, and in all.
    pub code_bytes: u64,
    /// See `code_bytes`.
    pub code_bytes_made: u64,
    /// Time spent in compiling, in nanoseconds of one thread.
    pub compile_ns: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number by itself, there and back.
    #[test]
    fn tallies_are_summed_number_by_number() {
        let counts = |first| Counts {
            programs: first,
            loops: first + 1,
        };
        let tally = |first| NativeTally {
            looked_up: counts(first),
            entered: counts(first + 2),
            exits: std::array::from_fn(|exit| first + 4 + exit as u64),
            settled: first + 100,
            iterations: first + 101,
            ops: first + 102,
            steps: first + 103,
        };
        let (a, b) = (tally(5000), tally(300));
        let sum = a + b;
        assert_eq!((sum.looked_up.programs, sum.looked_up.loops), (5300, 5302));
        assert_eq!((sum.entered.programs, sum.entered.loops), (5304, 5306));
        for (exit, count) in sum.exits.iter().enumerate() {
            assert_eq!(*count, 5308 + 2 * exit as u64);
        }
        let rest = (sum.settled, sum.iterations, sum.ops, sum.steps);
        assert_eq!(rest, (5500, 5502, 5504, 5506));
        assert_eq!(sum - b, a);
        assert_eq!(sum - a, b);
    }
}
