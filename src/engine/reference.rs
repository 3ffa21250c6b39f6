//! The reference engine: a language's rules, one step at a time.

use super::jit::{Jit, NativeTally};
use super::{Batch, RunTapes};
use crate::Error;
use crate::language::{Ended, Family, Language, Outcome, Rules, Step, Tape, View};

/// Run `tape` for at most `max_steps` steps.
///
/// ```
/// use broth::engine::reference;
/// use broth::language::{Ended, bff};
///
/// let mut tape = [0; 128];
/// tape[..3].copy_from_slice(b"+>+");
/// let outcome = reference::run(&bff::BFF_NOHEADS, &mut tape, 8192);
/// assert_eq!((outcome.ops, outcome.steps), (3, 128));
/// assert_eq!(outcome.ended, Ended::LeftTape);
/// assert_eq!(tape[..3], *b",?+"); // `+` and `>` were its data, too
/// ```
pub fn run(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
    match &language.family {
        Family::Bff(dialect) => run_by(dialect, tape, max_steps, |_, _| {}),
        Family::Forth(dialect) | Family::RelativeForth(dialect) => {
            run_by(dialect, tape, max_steps, |_, _| {})
        }
        Family::Subleq(variant) => run_by(variant, tape, max_steps, |_, _| {}),
        Family::RelativeSubleq(variant) => run_by(variant, tape, max_steps, |_, _| {}),
        Family::Machine(machine) => machine.run(tape, max_steps),
    }
}

/// As [`run`], calling `see` with the tape and where it stands before each step.
pub fn trace(
    language: &Language,
    tape: &mut Tape,
    max_steps: u32,
    mut see: impl FnMut(&Tape, View<'_>),
) -> Outcome {
    match &language.family {
        Family::Bff(rules) => run_by(rules, tape, max_steps, |t, s| see(t, rules.view(t, s))),
        Family::Forth(rules) | Family::RelativeForth(rules) => {
            run_by(rules, tape, max_steps, |t, s| see(t, rules.view(t, s)))
        }
        Family::Subleq(rules) => run_by(rules, tape, max_steps, |t, s| see(t, rules.view(t, s))),
        Family::RelativeSubleq(rules) => {
            run_by(rules, tape, max_steps, |t, s| see(t, rules.view(t, s)))
        }
        Family::Machine(machine) => machine.trace(tape, max_steps, see),
    }
}

/// As [`trace`], for a tape of any language. It is an error, and nothing is run, if it is not as
/// long as those of the language.
pub fn trace_bytes(
    language: &Language,
    tape: &mut [u8],
    max_steps: u32,
    mut see: impl FnMut(&[u8], View<'_>),
) -> Result<Outcome, Error> {
    let len = tape.len();
    let wrong = || {
        Error::Usage(format!(
            "a tape of {len} bytes cannot be run: two programs of {language} have {}",
            language.tape_len()
        ))
    };
    if len != language.tape_len() {
        return Err(wrong());
    }
    if let Family::Machine(machine) = &language.family {
        let mut see = |tape: &[u8], view: View<'_>| see(tape, view);
        if let Ok(tape) = <&mut [u8; 32]>::try_from(&mut *tape) {
            return Ok(machine.trace(tape, max_steps, |tape, view| see(tape, view)));
        }
        if let Ok(tape) = <&mut [u8; 64]>::try_from(&mut *tape) {
            return Ok(machine.trace(tape, max_steps, |tape, view| see(tape, view)));
        }
    }
    let tape: &mut Tape = tape.try_into().map_err(|_| wrong())?;
    Ok(trace(language, tape, max_steps, |tape, view| {
        see(tape, view)
    }))
}

/// [`run`] as an engine.
#[derive(Debug)]
pub(super) struct StepByStep(pub &'static Language);

impl RunTapes for StepByStep {
    fn run_tapes(&self, batch: Batch<'_>, _: Option<&Jit>) -> NativeTally {
        for (tape, outcome) in batch.tapes.iter_mut().zip(batch.outcomes) {
            *outcome = run(self.0, tape, batch.max_steps);
        }
        NativeTally::default()
    }
}

#[inline(always)]
fn run_by<R: Rules>(
    rules: &R,
    tape: &mut Tape,
    max_steps: u32,
    before_step: impl FnMut(&Tape, &R::State),
) -> Outcome {
    let state = rules.start(tape);
    go_on(rules, tape, state, (0, 0), max_steps, before_step)
}

/// Go on from `state`, to which the run took so many steps and ops.
#[inline(always)]
pub(super) fn go_on<R: Rules>(
    rules: &R,
    tape: &mut Tape,
    mut state: R::State,
    done: (u32, u32),
    max_steps: u32,
    mut before_step: impl FnMut(&Tape, &R::State),
) -> Outcome {
    count(done, max_steps, || {
        before_step(tape, &state);
        rules.step(tape, &mut state)
    })
}

/// Do one `step` after the other, to so many steps and ops, until one says that the run has
/// ended or `max_steps` are done.
#[inline(always)]
pub(super) fn count(
    (mut steps, mut ops): (u32, u32),
    max_steps: u32,
    mut step: impl FnMut() -> Step,
) -> Outcome {
    while steps < max_steps {
        let step = step();
        steps += 1;
        ops += u32::from(step.is_op);
        if let Some(ended) = step.ended {
            return Outcome { ops, steps, ended };
        }
    }
    Outcome {
        ops,
        steps,
        ended: Ended::StepLimit,
    }
}
