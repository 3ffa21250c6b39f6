//! The engines that are compared with the reference engine, as they are set up.

use super::draw::Draw;
use crate::engine::jit::{self, MIB, NativeTally, Thresholds, Tier};
use crate::engine::{Engine, Options, Runner, every_width};
use crate::language::{Family, Language, Outcome, Tape};

/// What an engine does wrong on purpose, to see that it is found: it is told of the tape as it
/// was, and of the limit, and may change the result.
pub type Fault = fn(&Tape, u32, &mut Tape, &mut Outcome);

/// How an engine is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The engine.
    pub engine: Engine,
    /// Of the interpreter, which of [`every_width`] it is.
    pub width: Option<String>,
    /// See [`Options::closed_forms`].
    pub closed_forms: bool,
    /// How native code is made and kept.
    pub jit: jit::Options,
}

impl Setup {
    /// The interpreter of a width.
    pub fn interpreter(width: &str, closed_forms: bool) -> Setup {
        Setup {
            engine: Engine::Interpreter,
            width: Some(width.into()),
            closed_forms,
            jit: jit::Options::default(),
        }
    }

    /// An engine with native code, which compiles all that comes up, as `broth exec` has it.
    pub fn eager(engine: Engine, closed_forms: bool) -> Setup {
        Setup {
            engine,
            width: None,
            closed_forms,
            jit: jit::Options {
                thresholds: Thresholds::AT_ONCE,
                least: Tier::Programs,
                ..jit::Options::default()
            },
        }
    }

    /// The same with knobs drawn at random, for tapes that native code is made of at once.
    pub fn drawn(engine: Engine, draw: &mut Draw) -> Setup {
        let threshold = draw.of(&[1, 1, 1, 3, 40]);
        Setup {
            engine,
            width: None,
            closed_forms: !draw.one_in(16),
            jit: jit::Options {
                thresholds: Thresholds::AT_ONCE
                    .loops(threshold)
                    // Where programs are native, loops are hardly ever looked for.
                    .programs(draw.of(&[1, u32::MAX]))
                    .backoff(draw.of(&[0, 0, 1, 5])),
                least: draw.of(&[Tier::Loops, Tier::Programs, Tier::Programs]),
                // Room for a few units or for all.
                cache_bytes: draw.of(&[64 * MIB, 64 * MIB, 64 * MIB, 60_000]),
            },
        }
    }

    /// The same for soups, which compile beside the epochs.
    pub fn of_soup(engine: Engine, draw: &mut Draw) -> Setup {
        Setup {
            engine,
            width: None,
            closed_forms: !draw.one_in(16),
            jit: jit::Options {
                thresholds: Thresholds::default()
                    .sample(draw.between(1, 8) as u32)
                    .loops(draw.of(&[1, 30, 200, 512]))
                    .programs(draw.of(&[1, 8, 20, 100, 400]))
                    .backoff(draw.of(&[0, 0, 1, 5])),
                least: draw.of(&Tier::ALL),
                cache_bytes: draw.of(&[1, 20_000, 64 << 10, 64 * MIB]),
            },
        }
    }

    /// The options of its engine.
    pub fn options(&self) -> Options {
        Options {
            closed_forms: self.closed_forms,
            jit: self.jit,
        }
    }

    /// The engine; `None` where this machine has not that width.
    pub fn runner(&self, language: &'static Language) -> Option<Runner> {
        match &self.width {
            None => Some(self.engine.runner(language, &self.options())),
            Some(width) => every_width(language, &self.options())
                .find(|(name, _)| name == width)
                .map(|(_, runner)| runner),
        }
    }

    /// What it is called in reports.
    pub fn name(&self) -> String {
        let mut name = self.engine.name().to_owned();
        if let Some(width) = &self.width {
            name.push_str(&format!(", {width}"));
        }
        if !self.closed_forms {
            name.push_str(", no closed forms");
        }
        name
    }
}

/// An engine that is compared.
#[derive(Debug)]
pub(super) struct Subject {
    /// How it is set up.
    pub setup: Setup,
    /// It.
    pub runner: Runner,
}

impl Subject {
    /// Of [`Setup::runner`].
    pub(super) fn new(setup: Setup, language: &'static Language) -> Option<Subject> {
        let runner = setup.runner(language)?;
        Some(Subject { setup, runner })
    }
}

/// Whether any engine but the reference engine runs tapes of `language`.
pub fn has_engines(language: &Language) -> bool {
    !matches!(
        language.family,
        Family::RelativeForth(_) | Family::Machine(_)
    )
}

/// Whether native code is made of `language`.
pub fn has_native_code(language: &Language) -> bool {
    matches!(language.family, Family::Bff(_) | Family::Forth(_))
}

/// The interpreter at every width that `language` has on this machine.
pub(super) fn interpreters(language: &'static Language, closed_forms: bool) -> Vec<Subject> {
    let options = Options {
        closed_forms,
        ..Options::default()
    };
    every_width(language, &options)
        .map(|(width, runner)| Subject {
            setup: Setup::interpreter(width, closed_forms),
            runner,
        })
        .collect()
}

/// Turns in which native code is made of a block's tapes, at most.
pub(super) const TURNS: usize = 4;

/// Have native code made of what comes up in these runs, and in the native code of that, in at
/// most so many turns.
pub(super) fn learn(runner: &mut Runner, tapes: &[(Tape, u32)], turns: usize) -> NativeTally {
    let mut tally = NativeTally::default();
    for _ in 0..turns {
        let before = runner.cache_tally().hot;
        for (tape, max_steps) in tapes {
            let (mut tape, mut outcomes) = ([*tape], [Outcome::default()]);
            tally = tally + runner.run_all(&mut tape, *max_steps, &mut outcomes);
        }
        let Some(jit) = runner.jit_mut() else { break };
        jit.settle();
        if jit.tally().hot == before {
            break;
        }
    }
    tally
}
