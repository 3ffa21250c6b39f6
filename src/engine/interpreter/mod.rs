//! The interpreter: the same runs as the reference engine's, in fewer strides.

mod bff;
mod cycle;
mod forth;
mod recurrence;
mod subleq;
mod turns;

use super::{RunTapes, Runner};
use crate::lanes::Lanes;
use crate::language::{Family, Language, Outcome, Tape};

/// The function that runs tapes of `language` fastest on this machine.
pub(super) fn for_machine(language: &Language) -> RunTapes {
    for_lanes(language, Lanes::widest())
}

/// Every form of the interpreter for `language` that this machine can run, the
/// widest first: its name, and what runs tapes. All give the same results; one
/// is as good as the other but for speed.
pub fn every_width(language: &'static Language) -> impl Iterator<Item = (&'static str, Runner)> {
    let has_widths = matches!(language.family, Family::Bff(_));
    Lanes::available()
        .filter(move |lanes| has_widths || *lanes == Lanes::Portable)
        .map(move |lanes| {
            let run = for_lanes(language, lanes);
            (lanes.name(), Runner { language, run })
        })
}

/// The function that runs tapes of `language`, compiled for `lanes`, which this
/// machine must have.
fn for_lanes(language: &Language, lanes: Lanes) -> RunTapes {
    match language.family {
        Family::Bff(_) => bff::for_lanes(lanes),
        Family::Forth(_) => |language, tapes, max_steps, outcomes| {
            if let Family::Forth(dialect) = &language.family {
                forth::run_all(dialect, tapes, max_steps, outcomes);
            }
        },
        Family::Subleq(_) => |language, tapes, max_steps, outcomes| {
            if let Family::Subleq(variant) = &language.family {
                subleq::run_all(variant, tapes, max_steps, outcomes);
            }
        },
        Family::RelativeSubleq(_) => |language, tapes, max_steps, outcomes| {
            if let Family::RelativeSubleq(variant) = &language.family {
                subleq::run_all(variant, tapes, max_steps, outcomes);
            }
        },
    }
}

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    let mut outcome = [Outcome::default()];
    let tapes = std::slice::from_mut(tape);
    for_machine(language)(language, tapes, max_steps, &mut outcome);
    outcome[0]
}
