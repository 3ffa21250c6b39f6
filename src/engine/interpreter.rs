//! The interpreter: the same runs as the reference engine's, in fewer strides.

use super::jit::NativeTally;
use super::{Options, RunTapes, Runner, bff, forth, subleq};
use crate::engine::simd::Lanes;
use crate::language::{Family, Language, Outcome, Tape};

/// The function that runs tapes of `language` fastest on this machine.
pub(super) fn for_machine(language: &Language) -> RunTapes {
    for_lanes(language, Lanes::widest())
}

/// Every form of the interpreter for `language` that this machine can run, the
/// widest first: its name, and what runs tapes. All give the same results; one
/// is as good as the other but for speed.
pub fn every_width(
    language: &'static Language,
    options: &Options,
) -> impl Iterator<Item = (&'static str, Runner)> {
    let has_widths = matches!(language.family, Family::Bff(_));
    let closed_forms = options.closed_forms;
    Lanes::available()
        .filter(move |lanes| has_widths || *lanes == Lanes::Portable)
        .map(move |lanes| {
            let runner = Runner {
                language,
                is_reference: false,
                closed_forms,
                run: for_lanes(language, lanes),
                jit: None,
                no_native_code: None,
            };
            (lanes.name(), runner)
        })
}

/// The function that runs tapes of `language`, compiled for `lanes`, which this
/// machine must have.
fn for_lanes(language: &Language, lanes: Lanes) -> RunTapes {
    match language.family {
        Family::Bff(_) => bff::walk::for_lanes(lanes),
        Family::Forth(_) => forth::steps::run_all,
        Family::RelativeForth(_) | Family::Machine(_) => super::run_by_reference,
        Family::Subleq(_) => |runner, tapes, max_steps, outcomes| {
            if let Family::Subleq(variant) = &runner.language.family {
                subleq::run_all(variant, tapes, max_steps, outcomes);
            }
            NativeTally::default()
        },
        Family::RelativeSubleq(_) => |runner, tapes, max_steps, outcomes| {
            if let Family::RelativeSubleq(variant) = &runner.language.family {
                subleq::run_all(variant, tapes, max_steps, outcomes);
            }
            NativeTally::default()
        },
    }
}

/// Run `tape` for at most `max_steps` steps.
pub fn run(language: &'static Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    let runner = super::Engine::Interpreter.runner(language, &Options::default());
    runner.run(tape, max_steps)
}
