//! The interpreter: the same runs as the reference engine's, in fewer strides.

mod bff;
mod cycle;
mod forth;
mod recurrence;
mod subleq;

use crate::lanes::Lanes;
use crate::language::{Family, Language, Outcome, Tape};

/// The function that runs tapes of `language` fastest on this machine.
pub fn for_machine(language: &Language) -> fn(&Language, &mut Tape, u32) -> Outcome {
    match language.family {
        Family::Bff(_) => bff::for_lanes(Lanes::widest()),
        _ => run_in_any_lanes,
    }
}

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    for_machine(language)(language, tape, max_steps)
}

fn run_in_any_lanes(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    match &language.family {
        Family::Bff(_) => bff::for_lanes(Lanes::Portable)(language, tape, max_steps),
        Family::Forth(dialect) => forth::run(dialect, tape, max_steps),
        Family::Subleq(variant) => subleq::run(variant, tape, max_steps),
        Family::RelativeSubleq(variant) => subleq::run(variant, tape, max_steps),
    }
}
