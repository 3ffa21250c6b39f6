//! Why native code was left.

/// Why native code was left, always before an op that it does not do itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Exit {
    /// The unit came to its end, or an op leads out of the loop.
    End = 0,
    /// The steps left may not cover what comes before they are checked again.
    OutOfSteps = 1,
    /// A byte of the unit that may be run again or is yet to be run means something
    /// else, or would with the next op.
    Rewritten = 2,
    /// BFF: a bracket jumps out of the unit, or has no partner in it.
    Bracket = 3,
    /// Forth: the stack has too few entries for what comes, or too many.
    Stack = 4,
    /// Forth: the op writes over a guard byte.
    Guard = 5,
    /// Forth: some iterations are done, and whoever looks for cycles may look.
    Pause = 6,
}

impl Exit {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Exit; 7] = [
        Exit::End,
        Exit::OutOfSteps,
        Exit::Rewritten,
        Exit::Bracket,
        Exit::Stack,
        Exit::Guard,
        Exit::Pause,
    ];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Exit::End => "end",
            Exit::OutOfSteps => "out_of_steps",
            Exit::Rewritten => "rewritten",
            Exit::Bracket => "bracket",
            Exit::Stack => "stack",
            Exit::Guard => "guard",
            Exit::Pause => "pause",
        }
    }

    /// The reason with this number, which native code answers with.
    #[inline(always)]
    pub(super) fn of(code: u32) -> Exit {
        Exit::ALL[code as usize % Exit::ALL.len()]
    }
}
