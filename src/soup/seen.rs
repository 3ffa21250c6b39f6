//! What is seen of an interaction while its epoch is done.

use crate::language::Outcome;

/// An interaction of an epoch that [`Soup::step_and_see`](super::Soup::step_and_see) does.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// Its number among the epoch's pairs.
    pub pair: usize,
    /// The indices of the left and of the right program.
    pub programs: [usize; 2],
    /// Both programs, one behind the other, as the epoch found them, after a reset that was due.
    pub before: &'a [u8],
    /// Both programs as the epoch left them.
    pub after: &'a [u8],
    /// How many bytes of the two were drawn anew in this epoch, by chance as they were now and
    /// then. Before the run; in zff's world after it.
    pub mutations: usize,
    /// How the run ended; nothing where the pair is mutated only, for want of neighbours.
    pub outcome: Option<Outcome>,
}
