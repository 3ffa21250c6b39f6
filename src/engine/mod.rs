//! Engines: how a tape is run.
//!
//! The [reference engine](mod@reference) says what is right; every other one is an
//! optimisation that answers to it: same tape, same ops, same steps, same way
//! of ending, for every input.

pub mod interpreter;
mod laps;
mod loops;
mod places;
pub mod reference;
mod script;
mod vectors;

use std::str::FromStr;

use crate::language::{Language, Outcome, Tape};

/// Which engine runs the tapes. It never changes a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The fastest there is for the language.
    #[default]
    Auto,
    /// The plain one, a step at a time.
    Reference,
    /// The fast one without native code.
    Interpreter,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Engine; 3] = [Engine::Auto, Engine::Reference, Engine::Interpreter];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Auto => "auto",
            Engine::Reference => "reference",
            Engine::Interpreter => "interpreter",
        }
    }

    /// What runs tapes of `language` on this machine.
    pub fn runner(self, language: &'static Language) -> Runner {
        let run: RunTapes = match self {
            Engine::Reference => |language, tapes, max_steps, outcomes| {
                run_each(language, tapes, max_steps, outcomes, reference::run)
            },
            Engine::Auto | Engine::Interpreter => interpreter::for_machine(language),
        };
        Runner { language, run }
    }
}

/// Runs some tapes, one outcome each, and as many outcomes as tapes.
type RunTapes = fn(&Language, &mut [Tape], u32, &mut [Outcome]);

/// Run one tape after the other.
#[inline(always)]
fn run_each(
    language: &Language,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
    run: impl Fn(&Language, &mut Tape, u32) -> Outcome,
) {
    for (tape, outcome) in tapes.iter_mut().zip(outcomes) {
        *outcome = run(language, tape, max_steps);
    }
}

/// An engine, made ready for a language and for this machine.
#[derive(Clone, Copy, Debug)]
pub struct Runner {
    language: &'static Language,
    run: RunTapes,
}

impl Runner {
    /// Run `tape` for at most `max_steps` steps.
    pub fn run(&self, tape: &mut Tape, max_steps: u32) -> Outcome {
        let mut outcomes = [Outcome::default()];
        self.run_all(std::slice::from_mut(tape), max_steps, &mut outcomes);
        outcomes[0]
    }

    /// Run each of `tapes` for at most `max_steps` steps, which is faster than
    /// one by one; their outcomes go to the start of `outcomes`.
    #[inline(always)]
    pub fn run_all(&self, tapes: &mut [Tape], max_steps: u32, outcomes: &mut [Outcome]) {
        (self.run)(
            self.language,
            tapes,
            max_steps,
            &mut outcomes[..tapes.len()],
        );
    }
}

/// A name that no engine has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown engine `{name}`; the engines are {}",
    Engine::ALL.map(Engine::name).join(", "))]
pub struct UnknownEngine {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        Engine::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or_else(|| UnknownEngine { name: name.into() })
    }
}
