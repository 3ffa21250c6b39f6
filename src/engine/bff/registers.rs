//! Where a BFF run stands, but for its program counter.

use crate::engine::cycle::Taken;
use crate::language::{Ended, Outcome};

/// The heads of a run, and what it has taken so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registers {
    pub head0: usize,
    pub head1: usize,
    pub steps: u32,
    pub ops: u32,
}

impl Registers {
    /// What the run has taken so far.
    #[inline(always)]
    pub(crate) fn taken(&self) -> Taken {
        Taken {
            steps: self.steps,
            ops: self.ops,
        }
    }

    /// What the run came to if it ended here.
    #[inline(always)]
    pub(crate) fn outcome(&self, ended: Ended) -> Outcome {
        self.taken().outcome(ended)
    }
}
