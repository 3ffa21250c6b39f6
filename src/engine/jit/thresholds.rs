//! When code counts as hot.

/// When code counts as hot, and is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Batches of tapes (of 32) of which one is looked at more closely.
    pub(crate) sample: u32,
    /// Iterations that a loop is to take, in such batches.
    pub(crate) loops: u32,
    /// Times that a program is to come up, of one tape of each such batch.
    pub(crate) programs: u32,
    /// Jumps back of a run before its loops are looked for.
    pub(crate) backoff: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            sample: 16,
            loops: 512,
            programs: 8,
            backoff: 0,
        }
    }
}

impl Thresholds {
    /// Whatever comes up at all is hot.
    pub const AT_ONCE: Thresholds = Thresholds {
        sample: 1,
        loops: 1,
        programs: 1,
        backoff: 0,
    };
}

/// Each with another value.
#[cfg(any(feature = "internals", feature = "run"))]
#[doc(hidden)]
impl Thresholds {
    #[must_use]
    pub const fn sample(self, sample: u32) -> Thresholds {
        Thresholds { sample, ..self }
    }

    #[must_use]
    pub const fn loops(self, loops: u32) -> Thresholds {
        Thresholds { loops, ..self }
    }

    #[must_use]
    pub const fn programs(self, programs: u32) -> Thresholds {
        Thresholds { programs, ..self }
    }

    #[must_use]
    pub const fn backoff(self, backoff: u32) -> Thresholds {
        Thresholds { backoff, ..self }
    }
}
