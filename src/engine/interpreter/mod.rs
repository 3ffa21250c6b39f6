//! The interpreter: the same runs as the reference engine's, in fewer strides.

mod bff;
mod recurrence;

use super::reference;
use crate::lanes::Lanes;
use crate::language::{Family, Language, Outcome, Tape};

/// The function that runs tapes of `language` fastest on this machine.
pub fn for_machine(language: &Language) -> fn(&Language, &mut Tape, u32) -> Outcome {
    match language.family {
        Family::Bff(_) => bff::for_lanes(Lanes::widest()),
        Family::Forth(_) | Family::Subleq(_) | Family::RelativeSubleq(_) => reference::run,
    }
}

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    for_machine(language)(language, tape, max_steps)
}
