//! The interpreter against the reference engine, tape by tape.

use broth::engine::{interpreter, reference};
use broth::language::bff::Dialect;
use broth::language::{Family, Language, Outcome, Tape};

/// Run `tape` by the reference engine and by the interpreter at every width, which
/// must all agree.
#[track_caller]
pub fn check(language: &'static Language, tape: &Tape, max_steps: u32) -> Outcome {
    check_named("a tape", language, tape, max_steps)
}

/// As [`check`], and say what sort of tape it was where they do not.
#[track_caller]
pub fn check_named(
    name: &str,
    language: &'static Language,
    tape: &Tape,
    max_steps: u32,
) -> Outcome {
    let mut expected_tape = *tape;
    let expected = reference::run(language, &mut expected_tape, max_steps);
    for (width, runner) in interpreter::every_width(language) {
        let mut tape_then = *tape;
        let outcome = runner.run(&mut tape_then, max_steps);
        assert!(
            outcome == expected && tape_then == expected_tape,
            "{name}: {language}, {width}, {max_steps} steps, {}\nreference   {expected:?}\n{}\n\
             interpreter {outcome:?}\n{}",
            language.program_text(tape),
            language.program_text(&expected_tape),
            language.program_text(&tape_then),
        );
    }
    expected
}

/// Every language of the BFF family, and its dialect.
pub fn bff_dialects() -> impl Iterator<Item = (&'static Language, &'static Dialect)> {
    Language::ALL
        .into_iter()
        .filter_map(|language| match &language.family {
            Family::Bff(dialect) => Some((language, dialect)),
            _ => None,
        })
}
