//! Tapes of a case by every engine: all must agree with the reference engine.

use broth::engine::bff::traced::{self, IN_PLACE};
use broth::engine::{Engine, Options, Runner, every_width, reference};
use broth::language::bff::Op;
use broth::language::{Ended, Family, Language, Outcome, TAPE_LEN, Tape};

/// The result of a run: the outcome and the final tape.
type Done = (Outcome, Tape);

/// Run a tape by the reference engine, with and without a trace, and, if bytes can be followed
/// through copies, by the engine that does so; all must agree and stay within bounds.
pub fn by_reference(language: &'static Language, tape: &Tape, max_steps: u32) -> Done {
    let mut then = *tape;
    let outcome = reference::run(language, &mut then, max_steps);
    assert!(outcome.ops <= outcome.steps && outcome.steps <= max_steps);
    assert!(outcome.steps == max_steps || outcome.ended != Ended::StepLimit);

    let dialect = match &language.family {
        Family::Bff(dialect) => Some(dialect),
        _ => None,
    };
    let (mut traced, mut seen, mut origins) = (*tape, 0, IN_PLACE);
    let again = reference::trace(language, &mut traced, max_steps, |tape, view| {
        seen += 1;
        if let (Some(dialect), [Some(head0), Some(head1), _]) = (dialect, view.marks) {
            match dialect.op(tape[view.pc]) {
                Op::CopyTo1 => origins[head1] = origins[head0],
                Op::CopyTo0 => origins[head0] = origins[head1],
                _ => {}
            }
        }
        assert!(view.pc < TAPE_LEN && view.stack.len() <= 128);
        assert!(view.marks.into_iter().flatten().all(|mark| mark < TAPE_LEN));
    });
    assert_eq!((again, traced, seen), (outcome, then, outcome.steps));
    if let Some(dialect) = dialect {
        let (mut tape, mut followed) = (*tape, IN_PLACE);
        let again = traced::run(dialect, &mut tape, &mut followed, max_steps);
        assert_eq!((again, tape, followed), (outcome, then, origins));
    }
    (outcome, then)
}

/// Run tapes together; each must have the expected result.
fn check(
    name: &str,
    language: &'static Language,
    runner: &Runner,
    max_steps: u32,
    tapes: &[Tape],
    expected: &[Done],
) {
    let mut then = tapes.to_vec();
    let mut outcomes = vec![Outcome::default(); tapes.len()];
    runner.run_all(&mut then, max_steps, &mut outcomes);
    for (i, (tape, expected)) in tapes.iter().zip(expected).enumerate() {
        let here = (outcomes[i], then[i]);
        assert!(
            here == *expected,
            "tape {i} of {}: {language}, {name}, {max_steps} steps, {}\nbytes {tape:?}\n\
             reference {:?}\n{}\nhere      {:?}\n{}",
            tapes.len(),
            language.program_text(tape),
            expected.0,
            language.program_text(&expected.1),
            here.0,
            language.program_text(&here.1),
        );
    }
}

/// Run tapes by the interpreter, at every width that the machine supports.
pub fn by_interpreter(
    language: &'static Language,
    closed_forms: bool,
    max_steps: u32,
    tapes: &[Tape],
    expected: &[Done],
) {
    let options = Options {
        closed_forms,
        ..Options::default()
    };
    for (name, runner) in every_width(language, &options) {
        check(name, language, &runner, max_steps, tapes, expected);
    }
}

/// Run tapes without native code, then with native code of everything that occurred in them, then
/// with native code of everything that occurred meanwhile, each with all step limits; `expected`
/// has the tapes' results for the first limit, then for the next.
pub fn by_native_code(
    language: &'static Language,
    options: &Options,
    limits: &[u32],
    tapes: &[Tape],
    expected: &[Done],
) {
    let mut runner = Engine::Jit.runner(language, options);
    for name in ["as it comes", "by native code", "by native code again"] {
        for (max_steps, expected) in limits.iter().zip(expected.chunks(tapes.len())) {
            check(name, language, &runner, *max_steps, tapes, expected);
        }
        // Some languages have no native code.
        let Some(jit) = runner.jit_mut() else { return };
        jit.settle();
    }
}

/// Run a tape that is shorter than 128 bytes, instruction by instruction and as a whole.
pub fn by_every_engine_in_short(language: &'static Language, tape: &[u8], max_steps: u32) {
    let (mut traced, mut seen) = (tape.to_vec(), 0);
    let expected = reference::trace_bytes(language, &mut traced, max_steps, |tape, view| {
        seen += 1;
        assert!(view.pc < tape.len());
        assert!(
            view.marks
                .into_iter()
                .flatten()
                .all(|mark| mark < tape.len())
        );
    });
    let expected = expected.expect("the tape is whole");
    assert!(expected.steps == seen && seen <= max_steps);
    assert!(seen == max_steps || expected.ended != Ended::StepLimit);
    for engine in Engine::ALL {
        let runner = engine.runner(language, &Options::default());
        let (mut then, mut outcomes) = (tape.to_vec(), [Outcome::default()]);
        let result = runner.run_bytes(&mut then, max_steps, &mut outcomes);
        result.expect("the tape is whole");
        assert_eq!(
            (outcomes[0], &then),
            (expected, &traced),
            "{language}, {max_steps} steps"
        );
    }
}
