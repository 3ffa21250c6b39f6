//! `broth exec`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::engine::jit::{self, NativeTally, Way};
use broth::engine::{Engine, Options, Runner, reference};
use broth::language::{self, Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape, View};
use broth::output::files;
use broth::{Error, Tally};
use clap::Args;

use super::engine::{EngineArgs, describe_native_code, parse_engine, warn_without_native_code};
use super::paint;
use super::{Failure, hex, parse_language};

const EXAMPLES: &str = "\
Program text: in the BFF family [ ] + - . , < > { } are the dialect's commands, 0 its
null, a space a no-op, \\xHH any byte; in the other languages pairs of hex digits.

Examples:
  broth exec --lang bff_noheads '[[{.>]-]   ]-]>.{[['
  broth exec --lang forthcopy '41 7F 02' --trace
  broth exec --lang bff --hex '4041 5b2c 7d5d'
  broth exec --lang subleq --file tape.bin --trace | less -R
  broth exec --engine jit '[[{.>]-]   ]-]>.{[['
      the same tape by native code, and what it had to do with it";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// What the bytes mean; `broth languages` lists them
    #[arg(long, value_name = "LANG", default_value = "bff_noheads", value_parser = parse_language)]
    lang: &'static Language,

    /// The tape as program text: at most 128 bytes, filled up with zeros
    #[arg(required_unless_present = "file", allow_hyphen_values = true)]
    program: Option<String>,

    /// PROGRAM is pairs of hex digits, whatever the language
    #[arg(long, requires = "program")]
    hex: bool,

    /// Read the tape from a file of raw bytes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["program", "hex"])]
    file: Option<PathBuf>,

    /// Steps after which the run ends
    #[arg(long, value_name = "STEPS", default_value_t = 8192)]
    max_steps: u32,

    /// Show every step: the program counter on green, heads (subleq:
    /// operands) on blue, red and yellow, the stack behind
    #[arg(long)]
    trace: bool,

    /// What runs the tape; never changes a result: reference, interpreter, jit (all
    /// that can be native is made so before), auto
    #[arg(long, value_name = "ENGINE", default_value = "reference", help_heading = "Engine",
          value_parser = parse_engine)]
    engine: Engine,

    #[command(flatten)]
    how: EngineArgs,
}

pub fn exec(args: ExecArgs) -> Result<ExitCode, Failure> {
    if args.trace && args.engine != Engine::Reference {
        return Err(Error::Usage(format!(
            "--trace shows each step, and the engine {} takes many at once; \
             leave out one of them",
            args.engine.name()
        ))
        .into());
    }
    let bytes = read_tape(&args)?;
    let mut tape: Tape = [0; TAPE_LEN];
    tape[..bytes.len()].copy_from_slice(&bytes);

    let language = args.lang;
    let runner = prepare(&args, &tape);
    if let Some(why) = runner.no_native_code() {
        warn_without_native_code(why)?;
    }
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    show(&mut out, language, "before", &tape)?;
    let (outcome, native) = if args.trace {
        let outcome = trace(&mut out, language, &mut tape, args.max_steps)?;
        (outcome, NativeTally::default())
    } else {
        run(&runner, &mut tape, args.max_steps)
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
        let [made, share] = describe_native_code(&jit.tally(), &tally);
        writeln!(out, "native: {made}; {share}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The engine, with all native code that a run of `tape` comes to.
fn prepare(args: &ExecArgs, tape: &Tape) -> Runner {
    let options = args.how.options();
    // What is come to at all counts as hot.
    let options = Options {
        jit: jit::Options {
            sample: 1,
            loop_threshold: 1,
            program_threshold: 1,
            least: match args.engine {
                Engine::Jit => Way::Everything,
                _ => options.jit.least,
            },
            ..options.jit
        },
        ..options
    };
    let mut runner = args.engine.runner(args.lang, &options);
    // Native code changes which other code a run comes to without it: each turn may
    // find some more.
    const MOST_TURNS: usize = 16;
    for _ in 0..MOST_TURNS {
        run(&runner, &mut tape.clone(), args.max_steps);
        let Some(jit) = runner.jit_mut() else { break };
        let before = jit.tally().hot;
        jit.settle();
        if jit.tally().hot == before {
            break;
        }
    }
    runner
}

fn run(runner: &Runner, tape: &mut Tape, max_steps: u32) -> (Outcome, NativeTally) {
    let mut outcomes = [Outcome::default()];
    let native = runner.run_all(std::slice::from_mut(tape), max_steps, &mut outcomes);
    (outcomes[0], native)
}

fn read_tape(args: &ExecArgs) -> Result<Vec<u8>, Error> {
    let usage = |error: &dyn std::fmt::Display| Error::Usage(error.to_string());
    let bytes = match (&args.file, &args.program) {
        (Some(path), _) => read_at_most(path, TAPE_LEN)?,
        (None, Some(text)) if args.hex => language::parse_hex(text).map_err(|e| usage(&e))?,
        (None, Some(text)) => args.lang.parse_program(text).map_err(|e| usage(&e))?,
        (None, None) => Vec::new(),
    };
    if bytes.len() > TAPE_LEN {
        return Err(usage(&format!(
            "the tape has more than {TAPE_LEN} bytes, two programs of {PROGRAM_LEN}; shorten it"
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

fn show(out: &mut impl Write, language: &Language, when: &str, tape: &Tape) -> std::io::Result<()> {
    for (side, program) in ["left", "right"].iter().zip(tape.chunks(PROGRAM_LEN)) {
        let text = paint::tape(language, program, [None; 4]);
        writeln!(out, "{when:<7}{side:<6} {text}")?;
    }
    let digits = hex(tape);
    let (left, right) = digits.split_at(2 * PROGRAM_LEN);
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
    tape: &mut Tape,
    max_steps: u32,
) -> std::io::Result<Outcome> {
    let mut step = 0;
    let mut written = Ok(());
    let outcome = reference::trace(language, tape, max_steps, |tape, view| {
        step += 1;
        if written.is_ok() {
            written = write_step(out, language, step, tape, &view);
        }
    });
    written.map(|()| outcome)
}

pub fn write_step(
    out: &mut impl Write,
    language: &Language,
    step: u32,
    tape: &Tape,
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
    writeln!(out)
}
