//! The interpreter: the same runs as the reference engine's, in fewer strides.

mod bff;
mod cycle;
mod forth;
mod recurrence;
mod subleq;

use super::{RunTapes, run_each};
use crate::lanes::Lanes;
use crate::language::{Family, Language, Outcome, Tape};

/// The function that runs tapes of `language` fastest on this machine.
pub(super) fn for_machine(language: &Language) -> RunTapes {
    match language.family {
        Family::Bff(_) => bff::for_lanes(Lanes::widest()),
        _ => |language, tapes, max_steps, outcomes| {
            run_each(language, tapes, max_steps, outcomes, run)
        },
    }
}

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    match &language.family {
        Family::Bff(_) => {
            let mut outcome = [Outcome::default()];
            let run = bff::for_lanes(Lanes::widest());
            run(
                language,
                std::slice::from_mut(tape),
                max_steps,
                &mut outcome,
            );
            outcome[0]
        }
        Family::Forth(dialect) => forth::run(dialect, tape, max_steps),
        Family::Subleq(variant) => subleq::run(variant, tape, max_steps),
        Family::RelativeSubleq(variant) => subleq::run(variant, tape, max_steps),
    }
}
