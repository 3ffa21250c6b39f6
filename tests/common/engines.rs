//! Every engine against the reference engine, tape by tape.

use std::cell::RefCell;
use std::collections::HashMap;

use broth::engine::jit::{NativeTally, Thresholds};
use broth::engine::{Engine, Options, Runner, every_width, jit, reference};
use broth::language::bff::Dialect;
use broth::language::{Family, Language, Outcome, Rules, TAPE_LEN, Tape};
use broth::random::mix;

/// Of so many tapes one is run by native code and without closed forms, too.
const NATIVE_EVERY: u64 = 64;

/// Run `tape` by the reference engine and by the interpreter at every width, which
/// must all agree; some tapes by native code, too.
#[track_caller]
pub(crate) fn check(language: &'static Language, tape: &Tape, max_steps: u32) -> Outcome {
    check_named("a tape", language, tape, max_steps)
}

/// As [`check`], and say what sort of tape it was where they do not.
#[track_caller]
pub(crate) fn check_named(
    name: &str,
    language: &'static Language,
    tape: &Tape,
    max_steps: u32,
) -> Outcome {
    let expected = Expected::of(name, language, tape, max_steps);
    for (width, runner) in every_width(language, &Options::default()) {
        expected.check(width, &runner);
    }
    // All limits of a tape, or none.
    let hash = tape
        .iter()
        .fold(0, |hash, byte| mix(hash ^ u64::from(*byte)));
    if hash.is_multiple_of(NATIVE_EVERY) {
        for (width, runner) in every_width(language, &NO_CLOSED_FORMS) {
            expected.check(&format!("{width}, no closed forms"), &runner);
        }
        Natives::with(language, |natives| natives.check(&expected));
    }
    expected.outcome
}

pub(crate) const NO_CLOSED_FORMS: Options = Options {
    closed_forms: false,
    jit: EAGER,
};

/// Everything is compiled the first time that it comes up.
pub(crate) const EAGER: jit::Options = jit::Options {
    thresholds: Thresholds::AT_ONCE,
    least: jit::Tier::Programs,
    cache_bytes: 64 << 20,
};

/// What a run must come to.
pub(crate) struct Expected<'a> {
    pub name: &'a str,
    pub language: &'static Language,
    pub tape: &'a Tape,
    pub max_steps: u32,
    pub outcome: Outcome,
    pub tape_then: Tape,
}

impl<'a> Expected<'a> {
    /// What the reference engine says of a run.
    pub(crate) fn of(
        name: &'a str,
        language: &'static Language,
        tape: &'a Tape,
        max_steps: u32,
    ) -> Expected<'a> {
        let mut tape_then = *tape;
        let outcome = reference::run(language, &mut tape_then, max_steps);
        Expected {
            name,
            language,
            tape,
            max_steps,
            outcome,
            tape_then,
        }
    }

    /// Hold `runner` to it.
    #[track_caller]
    pub(crate) fn check(&self, engine: &str, runner: &Runner) -> NativeTally {
        let (mut tape_then, mut outcomes) = (*self.tape, [Outcome::default()]);
        let tapes = std::slice::from_mut(&mut tape_then);
        let tally = runner.run_all(tapes, self.max_steps, &mut outcomes);
        let Expected {
            name,
            language,
            tape,
            max_steps,
            outcome,
            ..
        } = self;
        assert!(
            outcomes[0] == *outcome && tape_then == self.tape_then,
            "{name}: {language}, {engine}, {max_steps} steps, {}\nbytes {tape:?}\n\
             reference {outcome:?}\n{}\nhere      {:?}\n{}",
            language.program_text(*tape),
            language.program_text(&self.tape_then),
            outcomes[0],
            language.program_text(&tape_then),
        );
        tally
    }
}

/// Runners of one language that make native code of whatever comes up.
pub(crate) struct Natives {
    language: &'static Language,
    runners: Vec<(&'static str, Runner)>,
    /// What native code did in them.
    pub tally: NativeTally,
}

impl Natives {
    /// Units beyond which a runner is made anew: each generation takes whole pages.
    const MOST_UNITS: u64 = 600;

    pub(crate) fn new(language: &'static Language) -> Natives {
        let of_loops = jit::Options {
            // Where programs are native, loops are hardly ever looked for.
            thresholds: Thresholds::AT_ONCE.programs(u32::MAX),
            ..EAGER
        };
        let runner = |closed_forms, jit| {
            let options = Options { closed_forms, jit };
            Engine::Jit.runner(language, &options)
        };
        Natives {
            language,
            runners: vec![
                ("native programs", runner(true, EAGER)),
                ("native loops", runner(true, of_loops)),
                ("native programs, no closed forms", runner(false, EAGER)),
                ("native loops, no closed forms", runner(false, of_loops)),
            ],
            tally: NativeTally::default(),
        }
    }

    /// Those of this thread, for as long as `work` takes.
    pub(crate) fn with<T>(language: &'static Language, work: impl FnOnce(&mut Natives) -> T) -> T {
        thread_local! {
            static NATIVES: RefCell<HashMap<&'static str, Natives>> = RefCell::default();
        }
        NATIVES.with_borrow_mut(|all| {
            let natives = all.entry(language.name);
            work(natives.or_insert_with(|| Natives::new(language)))
        })
    }

    /// Run a tape as it comes, then by the native code of what came up, as often as
    /// there is more of that.
    #[track_caller]
    pub(crate) fn check(&mut self, expected: &Expected<'_>) {
        self.each(|name, runner| expected.check(name, runner));
    }

    /// As [`Natives::check`], whatever is run and however it is checked.
    #[track_caller]
    pub(crate) fn each(&mut self, mut check: impl FnMut(&str, &Runner) -> NativeTally) {
        for (name, runner) in &mut self.runners {
            loop {
                self.tally = self.tally + check(name, runner);
                let before = runner.cache_tally().compiled;
                // A language may have none.
                let Some(jit) = runner.jit_mut() else { break };
                jit.settle();
                if jit.tally().compiled == before {
                    break;
                }
            }
        }
        let is_full = |(_, runner): &(_, Runner)| {
            let live = runner.cache_tally().live;
            live.programs + live.loops > Self::MOST_UNITS
        };
        if self.runners.iter().any(is_full) {
            self.runners = Natives::new(self.language).runners;
        }
    }

    /// Run a tape by what native code there is already.
    #[track_caller]
    pub(crate) fn check_as_it_is(&mut self, expected: &Expected<'_>) {
        self.each_as_it_is(|name, runner| expected.check(name, runner));
    }

    /// As [`Natives::check_as_it_is`], whatever is run and however it is checked.
    #[track_caller]
    pub(crate) fn each_as_it_is(&mut self, mut check: impl FnMut(&str, &Runner) -> NativeTally) {
        for (name, runner) in &self.runners {
            self.tally = self.tally + check(name, runner);
        }
    }
}

/// What the rules say of a tape for every step limit up to some, by one walk.
pub(crate) struct Walk {
    language: &'static Language,
    tape: Tape,
    /// The outcome and the tape for each limit.
    limits: Vec<(Outcome, Tape)>,
}

impl Walk {
    pub(crate) fn new(
        language: &'static Language,
        dialect: &Dialect,
        tape: &Tape,
        last: u32,
    ) -> Walk {
        let (mut state, mut then) = (dialect.start(tape), *tape);
        let mut outcome = Outcome::default();
        let mut limits = vec![(outcome, then)];
        while outcome.steps < last {
            let step = dialect.step(&mut then, &mut state);
            outcome.steps += 1;
            outcome.ops += u32::from(step.is_op);
            if let Some(ended) = step.ended {
                outcome.ended = ended;
            }
            limits.push((outcome, then));
            if step.ended.is_some() {
                break;
            }
        }
        Walk {
            language,
            tape: *tape,
            limits,
        }
    }

    /// Steps that the walk goes.
    pub(crate) fn steps(&self) -> u32 {
        self.limits.len() as u32 - 1
    }

    pub(crate) fn expected<'a>(&'a self, name: &'a str, max_steps: u32) -> Expected<'a> {
        let (outcome, tape_then) = match self.limits.get(max_steps as usize) {
            Some(limit) => *limit,
            None => {
                let mut tape_then = self.tape;
                let outcome = reference::run(self.language, &mut tape_then, max_steps);
                (outcome, tape_then)
            }
        };
        Expected {
            name,
            language: self.language,
            tape: &self.tape,
            max_steps,
            outcome,
            tape_then,
        }
    }
}

/// Every language of the BFF family, and its dialect.
pub(crate) fn bff_dialects() -> impl Iterator<Item = (&'static Language, &'static Dialect)> {
    Language::ALL
        .into_iter()
        .filter_map(|language| match &language.family {
            Family::Bff(dialect) => Some((language, dialect)),
            _ => None,
        })
}

/// Whether the tape says where the heads start.
pub(crate) fn has_heads_on_tape(dialect: &Dialect) -> bool {
    dialect.start(&[0; TAPE_LEN]).pc > 0
}
