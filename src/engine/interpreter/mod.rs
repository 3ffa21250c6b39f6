//! The interpreter: the same runs as the reference engine's, in fewer strides.

mod bff;
mod recurrence;

use super::reference;
use crate::language::{Family, Language, Outcome, Tape};

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    match &language.family {
        Family::Bff(dialect) => bff::run(dialect, tape, max_steps),
        Family::Forth(_) | Family::Subleq(_) | Family::RelativeSubleq(_) => {
            reference::run(language, tape, max_steps)
        }
    }
}
