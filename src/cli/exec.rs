//! `broth exec`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::engine::jit::{self, NativeTally, Tier};
use broth::engine::{Engine, Options, Runner, reference};
use broth::files;
use broth::format::hex;
use broth::language::{self, Language, Outcome, View};
use broth::{Error, Tally};
use clap::Args;
use serde_json::{Value, json};

use super::engine::{EngineArgs, describe_native_code, parse_engine, warn_without_native_code};
use super::output::{self, write_json};
use super::paint;
use super::verify::WithoutArgs;
use super::{Failure, number, parse_language};

const EXAMPLES: &str = "\
Program text: in the BFF family [ ] + - . , < > { } are the dialect's commands, 0 its
null, a space a no-op, \\xHH any byte; in the other languages pairs of hex digits.

Examples:
  broth exec --lang bff_noheads '[[{.>]-]   ]-]>.{[['
  broth exec --lang forthcopy '41 7F 02' --trace
  broth exec --lang bff --hex '4041 5b2c 7d5d'
  broth exec --lang z80_zff '21 0f 3e 3e c5 77 c5 76' --trace
      instructions and registers of a Z80
  broth exec --lang subleq --file tape.bin --trace | less -R
  broth exec --engine jit '[[{.>]-]   ]-]>.{[['
      the same tape by native code, and how much of it ran natively";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExecArgs {
    /// What the bytes mean; `broth languages` lists them
    #[arg(long, value_name = "LANG", default_value = "bff_noheads", value_parser = parse_language)]
    lang: &'static Language,

    /// The tape as program text: at most 128 bytes (z80 64, z80_zff 32), padded with zeros
    #[arg(required_unless_present = "file", allow_hyphen_values = true)]
    program: Option<String>,

    /// Read PROGRAM as pairs of hex digits, whatever the language
    #[arg(long, requires = "program")]
    hex: bool,

    /// Read the tape from a file of raw bytes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["program", "hex"])]
    file: Option<PathBuf>,

    /// Steps after which the run ends [default: 8192; z80 512, z80_zff 128]
    #[arg(long, value_name = "STEPS", value_parser = number::any::<u32>)]
    max_steps: Option<u32>,

    /// Show every step: the program counter on green, heads (subleq: operands, CPUs: the
    /// stack pointer) on blue, red and yellow, followed by the stack or the instruction
    #[arg(long)]
    trace: bool,

    /// Write the result as JSON to standard output
    #[arg(long, conflicts_with = "trace")]
    json: bool,

    /// What runs the tape; never changes a result: reference, interpreter, jit (everything is
    /// compiled beforehand), auto
    #[arg(long, value_name = "ENGINE", default_value = "reference", help_heading = "Engine",
          value_parser = parse_engine)]
    engine: Engine,

    #[command(flatten)]
    how: EngineArgs,

    #[command(flatten)]
    without: WithoutArgs,
}

pub(super) fn exec(args: ExecArgs) -> Result<ExitCode, Failure> {
    args.without.hide();
    if args.trace && args.engine != Engine::Reference {
        return Err(Error::Usage(format!(
            "--trace shows each step, and the engine {} takes many at once; \
             leave out one of them",
            args.engine.name()
        ))
        .into());
    }
    let bytes = read_tape(&args)?;
    let language = args.lang;
    let mut tape = bytes;
    tape.resize(language.tape_len(), 0);
    let max_steps = args.max_steps();
    let runner = prepare(&args, &tape)?;
    if let Some(why) = runner.no_native_code() {
        warn_without_native_code(why)?;
    }
    if args.json {
        let before = tape.clone();
        let (outcome, _) = run(&runner, &mut tape, max_steps)?;
        write_json(&to_json(language, &before, &tape, outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    show(&mut out, language, "before", &tape)?;
    let (outcome, native) = if args.trace {
        let outcome = trace(&mut out, language, &mut tape, max_steps)?;
        (outcome, NativeTally::default())
    } else {
        run(&runner, &mut tape, max_steps)?
    };
    show(&mut out, language, "after", &tape)?;
    writeln!(
        out,
        "ops {}, steps {}; ended because {}",
        outcome.ops, outcome.steps, outcome.ended
    )?;
    if let Some(jit) = runner.jit() {
        let tally = Tally {
            ops: outcome.ops.into(),
            steps: outcome.steps.into(),
            native,
            ..Tally::default()
        };
        match describe_native_code(&jit.tally(), &tally) {
            Some([made, share]) => writeln!(out, "native: {made}; {share}")?,
            None => writeln!(out, "native: there was nothing to compile")?,
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn to_json(language: &Language, before: &[u8], after: &[u8], outcome: Outcome) -> Value {
    let halves = |tape: &[u8]| {
        let programs = tape.chunks(language.program_len);
        Value::from_iter(programs.map(|program| output::program(language, program)))
    };
    json!({
        "lang": language.name,
        "before": halves(before),
        "after": halves(after),
        "ops": outcome.ops,
        "steps": outcome.steps,
        "ended": outcome.ended.name(),
    })
}

/// The engine, with all native code that a run of `tape` needs.
fn prepare(args: &ExecArgs, tape: &[u8]) -> Result<Runner, Error> {
    let options = args.how.options();
    // Whatever is reached at all counts as hot.
    let options = Options {
        jit: jit::Options {
            thresholds: jit::Thresholds::AT_ONCE,
            least: match args.engine {
                Engine::Jit => Tier::Programs,
                _ => options.jit.least,
            },
            ..options.jit
        },
        ..options
    };
    let mut runner = args.engine.runner(args.lang, &options);
    // Native code changes which other code a run reaches: each turn may find some more.
    const MOST_TURNS: usize = 16;
    for _ in 0..MOST_TURNS {
        run(&runner, &mut tape.to_vec(), args.max_steps())?;
        let Some(jit) = runner.jit_mut() else { break };
        let before = jit.tally().hot;
        jit.settle();
        if jit.tally().hot == before {
            break;
        }
    }
    Ok(runner)
}

fn run(runner: &Runner, tape: &mut [u8], max_steps: u32) -> Result<(Outcome, NativeTally), Error> {
    let mut outcomes = [Outcome::default()];
    let native = runner.run_bytes(tape, max_steps, &mut outcomes)?;
    Ok((outcomes[0], native))
}

fn read_tape(args: &ExecArgs) -> Result<Vec<u8>, Error> {
    let usage = |error: &dyn std::fmt::Display| Error::Usage(error.to_string());
    let tape_len = args.lang.tape_len();
    let bytes = match (&args.file, &args.program) {
        (Some(path), _) => read_at_most(path, tape_len)?,
        (None, Some(text)) if args.hex => language::parse_hex(text).map_err(|e| usage(&e))?,
        (None, Some(text)) => args.lang.parse_program(text).map_err(|e| usage(&e))?,
        (None, None) => Vec::new(),
    };
    if bytes.len() > tape_len {
        return Err(usage(&format!(
            "the tape has more than {tape_len} bytes, two programs of {}; shorten it",
            args.lang.program_len
        )));
    }
    Ok(bytes)
}

/// Read a file, but no more than one byte too many of it.
fn read_at_most(path: &std::path::Path, most: usize) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    files::open(path)?
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::cannot("read", path, error))?;
    Ok(bytes)
}

impl ExecArgs {
    fn max_steps(&self) -> u32 {
        self.max_steps.unwrap_or(self.lang.max_steps)
    }
}

fn show(out: &mut impl Write, language: &Language, when: &str, tape: &[u8]) -> std::io::Result<()> {
    for (side, program) in ["left", "right"]
        .iter()
        .zip(tape.chunks(language.program_len))
    {
        let text = paint::tape(language, program, [None; 4]);
        writeln!(out, "{when:<7}{side:<6} {text}")?;
    }
    let digits = hex(tape);
    let (left, right) = digits.split_at(digits.len() / 2);
    for (side, digits) in [("left", left), ("right", right)] {
        writeln!(
            out,
            "{:<7}{side:<6} {}{digits}{}",
            "  hex",
            paint::DIM,
            paint::RESET
        )?;
    }
    Ok(())
}

fn trace(
    out: &mut impl Write,
    language: &Language,
    tape: &mut [u8],
    max_steps: u32,
) -> Result<Outcome, Failure> {
    let mut step = 0;
    let mut written = Ok(());
    let outcome = reference::trace_bytes(language, tape, max_steps, |tape, view| {
        step += 1;
        if written.is_ok() {
            written = write_step(out, language, step, tape, &view);
        }
    })?;
    written?;
    Ok(outcome)
}

pub(super) fn write_step(
    out: &mut impl Write,
    language: &Language,
    step: u32,
    tape: &[u8],
    view: &View<'_>,
) -> std::io::Result<()> {
    let [first, second, third] = view.marks;
    let text = paint::tape(language, tape, [Some(view.pc), first, second, third]);
    write!(out, "{step:>5}  pc {:>3}", view.pc)?;
    for (name, mark) in ["a", "b", "c"].iter().zip(view.marks) {
        if let Some(mark) = mark {
            write!(out, "  {name} {mark:>3}")?;
        }
    }
    write!(out, "  {text}")?;
    if !view.stack.is_empty() {
        let entries: Vec<_> = view
            .stack
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        write!(out, "  stack {}", entries.join(" "))?;
    }
    if !view.note.is_empty() {
        write!(out, "  {}", view.note)?;
    }
    writeln!(out)
}
