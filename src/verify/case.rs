//! A case: a tape that an engine runs to something else than the reference engine, and what is
//! needed for that to happen again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::engines::{Fault, Setup, TURNS, interpreters, learn};
use super::tapes::Bytes;
use crate::engine::{Engine, reference};
use crate::language::{Language, Outcome, TAPE_LEN, Tape};

/// Turns in which `broth exec` has native code made.
const TURNS_OF_EXEC: usize = 16;

/// See above.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The language.
    pub language: &'static Language,
    /// The engine.
    pub setup: Setup,
    /// The limit of steps.
    pub max_steps: u32,
    /// Whether native code is made of the tape itself before it is run, as `broth exec` does.
    pub learns_itself: bool,
    /// Other tapes, and limits of steps, of which native code is made before.
    pub learnt: Vec<(Tape, u32)>,
    /// The tapes that are run together.
    pub tapes: Vec<Tape>,
    /// Which of them comes to something else.
    pub which: usize,
}

/// What a tape came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Result {
    /// The outcome.
    pub outcome: Outcome,
    /// The tape, as it was left.
    pub tape: Tape,
}

/// What a case came to, by the reference engine and by the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which of the tapes it is.
    pub which: usize,
    /// What is right.
    pub expected: Result,
    /// What the other engine says; nothing where it panics.
    pub here: Option<Result>,
}

impl Case {
    /// A tape alone, by an engine as `broth exec` sets it up.
    pub fn alone(language: &'static Language, setup: Setup, tape: Tape, max_steps: u32) -> Case {
        Case {
            language,
            learns_itself: setup.engine != Engine::Interpreter,
            setup,
            max_steps,
            learnt: Vec::new(),
            tapes: vec![tape],
            which: 0,
        }
    }

    /// The tape that differs.
    pub fn tape(&self) -> &Tape {
        &self.tapes[self.which]
    }

    /// Run it; what the engines came to where they differ, nothing where they agree, or where
    /// this machine has not the engine.
    pub fn check(&self, fault: Option<Fault>) -> Option<Seen> {
        let Ok(results) = catch_unwind(AssertUnwindSafe(|| self.run())) else {
            return Some(Seen {
                which: self.which,
                expected: self.expected(self.tape()),
                here: None,
            });
        };
        for (which, (before, here)) in self.tapes.iter().zip(results?).enumerate() {
            let mut here = here;
            if let Some(fault) = fault {
                fault(before, self.max_steps, &mut here.tape, &mut here.outcome);
            }
            let expected = self.expected(before);
            if here != expected {
                return Some(Seen {
                    which,
                    expected,
                    here: Some(here),
                });
            }
        }
        None
    }

    /// What the reference engine makes of a tape.
    fn expected(&self, tape: &Tape) -> Result {
        let mut tape = *tape;
        let outcome = reference::run(self.language, &mut tape, self.max_steps);
        Result { outcome, tape }
    }

    /// What the engine makes of the tapes, if the machine has it.
    fn run(&self) -> Option<Vec<Result>> {
        let mut runner = self.setup.runner(self.language)?;
        if self.setup.engine != Engine::Interpreter {
            learn(&mut runner, &self.learnt, TURNS);
            if self.learns_itself {
                let own = [(*self.tape(), self.max_steps)];
                learn(&mut runner, &own, TURNS_OF_EXEC);
            }
        }
        let mut after = self.tapes.clone();
        let mut outcomes = vec![Outcome::default(); after.len()];
        runner.run_all(&mut after, self.max_steps, &mut outcomes);
        let results = outcomes.into_iter().zip(after);
        Some(
            results
                .map(|(outcome, tape)| Result { outcome, tape })
                .collect(),
        )
    }

    /// The tape as program text, without the zeros at its end.
    pub fn text(&self) -> String {
        let tape = &self.tape()[..self.language.tape_len()];
        let end = tape.iter().rposition(|byte| *byte != 0);
        self.language
            .program_text(&tape[..end.map_or(1, |last| last + 1)])
    }

    /// Bytes of the tape that are not no-ops; nor zeros, where the tape ends with such.
    pub fn bytes_that_matter(&self) -> usize {
        let noop = Bytes::of(self.language).noop();
        let tape = &self.tape()[..self.language.tape_len()];
        let end = tape.iter().rposition(|byte| *byte != 0);
        let tape = &tape[..end.map_or(0, |last| last + 1)];
        tape.iter().filter(|byte| **byte != noop).count()
    }

    /// Whether the tape alone shows the difference, by an engine as `broth exec` sets it up.
    pub fn is_alone(&self) -> bool {
        let setup = self.setup.clone();
        let alone = Case::alone(self.language, setup.clone(), *self.tape(), self.max_steps);
        let eager = Setup::eager(setup.engine, setup.closed_forms);
        *self == alone && (setup.engine == Engine::Interpreter || setup == eager)
    }

    /// The engines that come to something else with the tape alone.
    pub fn engines(&self, fault: Option<Fault>) -> Vec<String> {
        let mut setups: Vec<Setup> = Vec::new();
        for closed_forms in [true, false] {
            let all = interpreters(self.language, closed_forms).into_iter();
            setups.extend(all.map(|subject| subject.setup));
            setups.push(Setup::eager(Engine::Jit, closed_forms));
        }
        let differs = |setup: &Setup| {
            let alone = Case::alone(self.language, setup.clone(), *self.tape(), self.max_steps);
            alone.check(fault).is_some()
        };
        let setups = setups.iter().filter(|setup| differs(setup));
        setups.map(Setup::name).collect()
    }
}

/// Make `case` as small as it gets while it still differs.
pub(super) fn shrink(case: &Case, fault: Option<Fault>) -> Case {
    let mut shrunk = Shrink {
        case: case.clone(),
        fault,
    };
    shrunk.alone();
    shrunk.companions();
    for _ in 0..4 {
        let before = shrunk.case.clone();
        shrunk.limit();
        shrunk.bytes();
        shrunk.shift();
        if shrunk.case == before {
            break;
        }
    }
    shrunk.end();
    shrunk.case
}

/// A case that differs, and gets smaller.
struct Shrink {
    case: Case,
    fault: Option<Fault>,
}

impl Shrink {
    /// Take `smaller` instead, if it differs, too.
    fn take(&mut self, mut smaller: Case) -> bool {
        let Some(seen) = smaller.check(self.fault) else {
            return false;
        };
        smaller.which = seen.which;
        self.case = smaller;
        true
    }

    /// As [`Shrink::take`]; if it does not differ, with no more steps than the reference engine
    /// takes: some differences show where a run ends as its steps do.
    fn take_to_its_end(&mut self, smaller: Case) -> bool {
        let mut tape = *smaller.tape();
        let max_steps = reference::run(smaller.language, &mut tape, smaller.max_steps).steps;
        let shorter = Case {
            max_steps,
            ..smaller.clone()
        };
        self.take(smaller) || (shorter.max_steps < self.case.max_steps && self.take(shorter))
    }

    /// The tape by itself, by an engine as `broth exec` has it, or as near to that as may be.
    fn alone(&mut self) {
        let Case {
            language,
            setup,
            max_steps,
            ..
        } = self.case.clone();
        let tape = *self.case.tape();
        // The widest interpreter that differs: that is what users have, and the simplest.
        for subject in interpreters(language, setup.closed_forms) {
            if self.take(Case::alone(language, subject.setup, tape, max_steps)) {
                return;
            }
        }
        if setup.engine == Engine::Interpreter {
            return;
        }
        for closed_forms in [true, setup.closed_forms] {
            let eager = Setup::eager(Engine::Jit, closed_forms);
            if self.take(Case::alone(language, eager, tape, max_steps)) {
                return;
            }
        }
        let alone = Case::alone(language, setup, tape, max_steps);
        let learnt = self.case.learnt.clone();
        let _ = self.take(alone.clone())
            || self.take(Case {
                learnt,
                learns_itself: false,
                ..alone
            });
    }

    /// Without the tapes that it needs not beside it.
    fn companions(&mut self) {
        let mut index = self.case.learnt.len();
        while index > 0 {
            index -= 1;
            let mut smaller = self.case.clone();
            smaller.learnt.remove(index);
            self.take(smaller);
        }
        let mut index = self.case.tapes.len();
        while index > 0 && self.case.tapes.len() > 1 {
            index -= 1;
            if index != self.case.which {
                let mut smaller = self.case.clone();
                smaller.tapes.remove(index);
                smaller.which = 0;
                self.take(smaller);
            }
        }
    }

    fn with_limit(&self, max_steps: u32) -> Case {
        Case {
            max_steps,
            ..self.case.clone()
        }
    }

    /// The smallest limit of steps; with native code, where a look takes milliseconds, one below
    /// which nothing was found.
    fn limit(&mut self) {
        const MOST_LOOKS: u32 = 400;
        let looks = match self.case.setup.engine {
            Engine::Interpreter => u32::MAX,
            _ => MOST_LOOKS,
        };
        for limit in 0..self.case.max_steps.min(looks) {
            if self.take(self.with_limit(limit)) {
                return;
            }
        }
        let mut step = self.case.max_steps / 2;
        while step > 0 && self.case.max_steps > looks {
            if self.case.max_steps <= step
                || !self.take(self.with_limit(self.case.max_steps - step))
            {
                step /= 2;
            }
        }
    }

    /// Without the bytes that do not matter: they become no-ops.
    fn bytes(&mut self) {
        let noop = Bytes::of(self.case.language).noop();
        for len in [64, 32, 16, 8, 4, 2, 1] {
            for first in (0..TAPE_LEN).step_by(len).rev() {
                let mut smaller = self.case.clone();
                let bytes = &mut smaller.tapes[self.case.which][first..first + len];
                if bytes.iter().any(|byte| *byte != noop) {
                    bytes.fill(noop);
                    self.take_to_its_end(smaller);
                }
            }
        }
    }

    /// Without the no-ops that it starts with.
    fn shift(&mut self) {
        let noop = Bytes::of(self.case.language).noop();
        let tape_len = self.case.language.tape_len();
        let tape = &self.case.tape()[..tape_len];
        let first = tape.iter().position(|byte| *byte != noop).unwrap_or(0);
        let mut smaller = self.case.clone();
        let tape = &mut smaller.tapes[self.case.which][..tape_len];
        tape.rotate_left(first);
        if first > 0 {
            self.take_to_its_end(smaller);
        }
    }

    /// With zeros for as much of the tape's end as may be: it need not be written out.
    fn end(&mut self) {
        for first in 0..TAPE_LEN {
            let mut smaller = self.case.clone();
            smaller.tapes[self.case.which][first..].fill(0);
            if smaller == self.case || self.take(smaller) {
                return;
            }
        }
    }
}
