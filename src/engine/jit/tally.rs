//! What native code did.

use super::exit::Exit;

/// Counts of native code at work, over some tapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeTally {
    /// Programs and loops that were looked for among the native ones.
    pub looked_up: Counts,
    /// Times that native code of either sort was entered.
    pub entered: Counts,
    /// How it was left, in the order of [`Exit::ALL`].
    pub exits: [u64; Exit::ALL.len()],
    /// Times that whole periods were skipped from within native code.
    pub settled: u64,
    /// Laps that native code ran itself, one by one.
    pub laps: u64,
    /// Ops and steps from entering native code to leaving it.
    pub ops: u64,
    /// See `ops`.
    pub steps: u64,
}

/// A number for each sort of code that is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of programs.
    pub programs: u64,
    /// Of loops.
    pub loops: u64,
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
            laps: f(self.laps, other.laps),
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
pub struct CacheTally {
    /// Programs and loops that were found hot.
    pub hot: Counts,
    /// Of them, those that were compiled.
    pub compiled: Counts,
    /// Those that are there now.
    pub live: Counts,
    /// Entries that went back to the interpreter, since they did not pay.
    pub given_up: u64,
    /// Generations that were freed to make room.
    pub freed: u64,
    /// Bytes of machine code there are now, and in all.
    pub code_bytes: u64,
    /// See `code_bytes`.
    pub code_bytes_made: u64,
    /// Time spent in compiling, in nanoseconds of one thread.
    pub compile_ns: u64,
}
