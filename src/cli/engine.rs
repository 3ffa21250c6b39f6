//! What several subcommands say about engines and native code.

use std::io::{self, Write};

use broth::Tally;
use broth::engine::jit::{CacheTally, MIB, NoNativeCode};
use broth::engine::{Engine, Options};
use clap::Args;

use super::number::{self, bytes, percent, plural};

/// How engines are to work.
#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Engine")]
pub(super) struct EngineArgs {
    /// Run every iteration of every loop, even if its outcome could be computed at once or the run
    /// repeats; never changes a result, shows what native code alone is worth (`=false` undoes it
    /// for a resumed run)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    no_closed_forms: Option<bool>,

    /// Most machine code to keep, in MiB, at least 1; the oldest is freed first; never changes a
    /// result [default: 64]
    #[arg(long, value_name = "N", value_parser = number::within::<u32>(1..=u32::MAX.into()))]
    jit_cache_mib: Option<u32>,
}

impl EngineArgs {
    /// Whether to use closed forms, if that was said.
    pub(super) fn closed_forms(&self) -> Option<bool> {
        self.no_closed_forms.map(|without| !without)
    }

    /// Bytes of machine code to keep, if that was said.
    pub(super) fn jit_cache_bytes(&self) -> Option<usize> {
        let mib = self.jit_cache_mib?;
        Some((mib as usize).saturating_mul(MIB))
    }

    /// The options of an engine that starts anew.
    pub(super) fn options(&self) -> Options {
        let mut options = Options::default();
        options.closed_forms = self.closed_forms().unwrap_or(options.closed_forms);
        options.jit.cache_bytes = self.jit_cache_bytes().unwrap_or(options.jit.cache_bytes);
        options
    }
}

/// Reads the name of an engine.
pub(super) fn parse_engine(name: &str) -> Result<Engine, String> {
    match name.parse() {
        Ok(Engine::Jit) if !cfg!(feature = "jit") => Err(
            "this broth is built without native code (its feature `jit`); choose auto, or build \
             it with that"
                .into(),
        ),
        engine => engine.map_err(|error| format!("{error}")),
    }
}

/// What to say where native code was asked for and is not possible.
pub(super) fn no_native_code_warning(why: &NoNativeCode) -> String {
    format!("warning: native code is not possible here ({why}): the interpreter runs everything")
}

/// Say so.
pub(super) fn warn_without_native_code(why: &NoNativeCode) -> io::Result<()> {
    writeln!(anstream::stderr(), "{}", no_native_code_warning(why))
}

/// What native code was made, and what share of a run it did; nothing if none was made.
pub(super) fn describe_native_code(cache: &CacheTally, tally: &Tally) -> Option<[String; 2]> {
    let compiled = [
        (cache.compiled.loops, "loop"),
        (cache.compiled.programs, "program"),
    ];
    let made = compiled.iter().filter(|(count, _)| *count > 0);
    let made: Vec<String> = made.map(|(count, what)| plural(*count, what)).collect();
    let share = |part: u64, whole: u64| percent(part as f64 / whole.max(1) as f64);
    (!made.is_empty()).then(|| {
        [
            format!(
                "{} compiled in {:.2} s to {} of code",
                made.join(" and "),
                cache.compile_ns as f64 / 1e9,
                bytes(cache.code_bytes_made),
            ),
            format!(
                "{} of steps and {} of ops in native code",
                share(tally.native.steps, tally.steps),
                share(tally.native.ops, tally.ops),
            ),
        ]
    })
}
