//! Engines: how a tape is run.
//!
//! The [reference engine](mod@reference) defines what is right; every other engine is an
//! optimisation that must agree with it: same tape, same ops, same steps, same way of ending, for
//! every input.
//!
//! A folder or file for each family holds its interpreter; this file chooses, in one place, which
//! one runs a language's tapes. [`jit`] is native code, which interpreters enter where there is
//! some. `simd/` has the vector instructions that they are compiled for, `cycle.rs` finds runs that
//! repeat, and `interleave.rs` interleaves the steps of several runs.

#[cfg(not(feature = "internals"))]
#[allow(unreachable_pub, reason = "`traced` is reached with the feature")]
pub(crate) mod bff;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod bff;
mod cycle;
mod forth;
pub mod hidden;
mod interleave;
// Without its compiler most of it has nothing to do.
#[cfg_attr(not(feature = "jit"), allow(dead_code))]
pub mod jit;
mod places;
pub mod reference;
pub mod ring;
pub(crate) mod simd;
mod subleq;

use std::str::FromStr;
use std::time::Duration;

use crate::Error;
use crate::language::{Family, Language, Outcome, Tape};
use jit::{CacheTally, Jit, NativeTally, NoNativeCode, Tier};
use simd::InstructionSet;
#[cfg(feature = "run")]
pub(crate) use simd::Notes;

/// Which engine runs the tapes. It never changes a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// The fastest there is for the language.
    #[default]
    Auto,
    /// The plain one, a step at a time.
    Reference,
    /// The fast one without native code.
    Interpreter,
    /// The interpreter, and the native code of loops wherever there is some; of whole
    /// programs where that pays.
    Jit,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Engine; 4] = [
        Engine::Auto,
        Engine::Reference,
        Engine::Interpreter,
        Engine::Jit,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Auto => "auto",
            Engine::Reference => "reference",
            Engine::Interpreter => "interpreter",
            Engine::Jit => "jit",
        }
    }

    /// What runs tapes of `language` on this machine.
    pub fn runner(self, language: &'static Language, options: &Options) -> Runner {
        let mut runner = Runner {
            language,
            is_reference: self == Engine::Reference,
            tapes: match self {
                Engine::Reference => Box::new(reference::StepByStep(language)),
                _ => interpreter(language, options.closed_forms, InstructionSet::widest()),
            },
            jit: None,
            no_native_code: None,
        };
        let is_wanted = match self {
            Engine::Auto => cfg!(feature = "jit"),
            Engine::Jit => true,
            Engine::Reference | Engine::Interpreter => false,
        };
        if is_wanted {
            let jit = jit::Options {
                least: match self {
                    Engine::Auto => options.jit.least,
                    _ => options.jit.least.max(Tier::Loops),
                },
                ..options.jit
            };
            match Jit::new(language, jit, options.closed_forms) {
                Ok(jit) => runner.jit = jit.map(Box::new),
                Err(why) => runner.no_native_code = Some(why),
            }
        }
        runner
    }
}

/// How engines are to work. None of it changes a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether loops of a known shape are settled at once, and whole periods
    /// skipped where a run repeats.
    pub closed_forms: bool,
    /// How native code is made and kept.
    pub jit: jit::Options,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            closed_forms: true,
            jit: jit::Options::default(),
        }
    }
}

/// The interpreter of `language` for a set of instructions: the one place that chooses what runs
/// a family's tapes.
fn interpreter(
    language: &'static Language,
    closed_forms: bool,
    set: InstructionSet,
) -> Box<dyn RunTapes> {
    match &language.family {
        Family::Bff(dialect) => bff::walk::interpreter(dialect, closed_forms, set),
        Family::Forth(dialect) => Box::new(forth::steps::Interpreter {
            dialect,
            closed_forms,
        }),
        Family::Subleq(variant) => Box::new(subleq::Interpreter(variant)),
        Family::RelativeSubleq(variant) => Box::new(subleq::Interpreter(variant)),
        Family::RelativeForth(_) | Family::Machine(_) => Box::new(reference::StepByStep(language)),
    }
}

/// Every form of the interpreter for `language` that this machine can run, the widest first: its
/// name, and what runs tapes. All give the same results; one is as good as the other but for
/// speed.
#[cfg(any(feature = "internals", feature = "run"))]
#[doc(hidden)]
pub fn every_width(
    language: &'static Language,
    options: &Options,
) -> impl Iterator<Item = (&'static str, Runner)> {
    let has_widths = matches!(language.family, Family::Bff(_));
    let closed_forms = options.closed_forms;
    InstructionSet::available()
        .filter(move |set| has_widths || matches!(set, InstructionSet::Portable(_)))
        .map(move |set| {
            let runner = Runner {
                language,
                is_reference: false,
                tapes: interpreter(language, closed_forms, set),
                jit: None,
                no_native_code: None,
            };
            (set.name(), runner)
        })
}

/// The portable interpreter of a language of the BFF family, which takes [`Notes`] of what it does.
#[cfg(feature = "run")]
pub(crate) fn observed(language: &'static Language) -> Option<Runner> {
    let Family::Bff(dialect) = &language.family else {
        return None;
    };
    Some(Runner {
        language,
        is_reference: false,
        tapes: bff::walk::observed(dialect),
        jit: None,
        no_native_code: None,
    })
}

/// Tapes to be run, and as many outcomes.
struct Batch<'a> {
    tapes: &'a mut [Tape],
    outcomes: &'a mut [Outcome],
    max_steps: u32,
}

/// What runs batches of tapes of one language. It is chosen once, so that nothing on the way to
/// a tape asks for the language again.
trait RunTapes: std::fmt::Debug + Send + Sync {
    /// Run all tapes of a batch, with native code from `jit` where there is some.
    fn run_tapes(&self, batch: Batch<'_>, jit: Option<&Jit>) -> NativeTally;
}

/// An engine, made ready for a language and for this machine.
#[derive(Debug)]
pub struct Runner {
    language: &'static Language,
    is_reference: bool,
    tapes: Box<dyn RunTapes>,
    jit: Option<Box<Jit>>,
    no_native_code: Option<NoNativeCode>,
}

impl Runner {
    /// Run `tape` for at most `max_steps` steps.
    pub fn run(&self, tape: &mut Tape, max_steps: u32) -> Outcome {
        let mut outcomes = [Outcome::default()];
        self.run_all(std::slice::from_mut(tape), max_steps, &mut outcomes);
        outcomes[0]
    }

    /// Run each of `tapes` for at most `max_steps` steps, which is faster than
    /// one by one; their outcomes go to the start of `outcomes`. Answers with
    /// what native code had to do with it.
    #[inline(always)]
    pub fn run_all(
        &self,
        tapes: &mut [Tape],
        max_steps: u32,
        outcomes: &mut [Outcome],
    ) -> NativeTally {
        let batch = Batch {
            outcomes: &mut outcomes[..tapes.len()],
            tapes,
            max_steps,
        };
        self.tapes.run_tapes(batch, self.jit())
    }

    /// Run each of `tapes`, which lie one behind the other and are as long as those of the
    /// language, for at most `max_steps` steps; their outcomes go to the start of `outcomes`.
    /// It is an error if a tape is not whole, or has no place for its outcome; nothing is run
    /// then.
    pub fn run_bytes(
        &self,
        tapes: &mut [u8],
        max_steps: u32,
        outcomes: &mut [Outcome],
    ) -> Result<NativeTally, Error> {
        let tape_len = 2 * self.language.program_len;
        if !tapes.len().is_multiple_of(tape_len) || tapes.len() / tape_len > outcomes.len() {
            return Err(Error::Usage(format!(
                "{} bytes of tapes with {} outcomes: tapes of {} have {tape_len} bytes, and \
                 each takes an outcome",
                tapes.len(),
                outcomes.len(),
                self.language
            )));
        }
        Ok(self.run_whole(tapes, max_steps, outcomes))
    }

    /// As [`Runner::run_bytes`], of tapes that are whole.
    pub(crate) fn run_whole(
        &self,
        tapes: &mut [u8],
        max_steps: u32,
        outcomes: &mut [Outcome],
    ) -> NativeTally {
        match &self.language.family {
            // Their tapes are of any length.
            Family::Machine(machine) => {
                let tapes = tapes.chunks_exact_mut(self.language.tape_len());
                for (tape, outcome) in tapes.zip(outcomes) {
                    *outcome = machine.run_memory(tape, None, max_steps);
                }
                NativeTally::default()
            }
            _ => {
                let (tapes, _) = tapes.as_chunks_mut();
                self.run_all(tapes, max_steps, outcomes)
            }
        }
    }

    /// To be called between epochs, with the time that the last one took: what has been
    /// compiled is used from now on, and what has become hot is compiled next.
    pub fn safepoint(&mut self, time: Duration) {
        if let Some(jit) = &mut self.jit {
            jit.safepoint(time);
        }
    }

    /// Whether it takes one step after another.
    pub(crate) fn is_reference(&self) -> bool {
        self.is_reference
    }

    /// Its native code, where it has any.
    pub fn jit(&self) -> Option<&Jit> {
        self.jit.as_deref()
    }

    /// See [`Runner::jit`].
    pub fn jit_mut(&mut self) -> Option<&mut Jit> {
        self.jit.as_deref_mut()
    }

    /// What the code cache holds and has cost.
    pub fn cache_tally(&self) -> CacheTally {
        self.jit().map(Jit::tally).unwrap_or_default()
    }

    /// Why there is no native code though it was asked for.
    pub fn no_native_code(&self) -> Option<&NoNativeCode> {
        self.no_native_code.as_ref()
    }
}

/// A name that no engine has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown engine `{name}`; the engines are {}",
    Engine::ALL.map(Engine::name).join(", "))]
#[non_exhaustive]
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
