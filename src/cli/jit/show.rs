//! `broth jit show`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::engine::jit::{EntryKind, Jit, Tier, Unit};
use broth::engine::{Engine, Runner};
use broth::format::thousands;
use broth::language::Language;
use broth::run::folder::RunFolder;
use broth::run::folder::settings as settings_file;
use broth::run::newest_soup;
use broth::soup::checkpoint::Checkpoint;
use broth::{Error, Settings, Soup};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use crate::cli::checkpoint::{self, CheckpointArgs};
use crate::cli::engine::EngineArgs;
use crate::cli::number::plural;
use crate::cli::output::write_json;
use crate::cli::paint::{BOLD, RESET};
use crate::cli::source::{newest_checkpoint, run_of};
use crate::cli::{Failure, number, parse_language, say, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth jit show runs/bff_noheads-seed-29
      what is compiled in the 64 epochs after the newest checkpoint
  broth jit show runs/bff_noheads-seed-29 --loops --top 5
  broth jit show runs/bff_noheads-seed-29 --entry 3
      number 3 of that list: Cranelift's IR and machine code
  broth jit show --checkpoint cubff/0000000512.dat --lang bff
  broth jit show --lang bff_noheads --program '[[{.>]-]' --machine-code
      a loop, compiled without a soup

Nothing is written. The soup runs on one thread and waits for the compiler after
each epoch, so the same command always lists the same loops and programs, in the
order in which they became hot.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(group(ArgGroup::new("what").required(true).multiple(true)
                    .args(["run", "checkpoint", "program"])))]
pub(crate) struct ShowArgs {
    /// A run folder, or a checkpoint of broth
    run: Option<PathBuf>,

    /// Start from this checkpoint of broth or cubff, or from a run folder's newest one
    #[arg(long, value_name = "PATH")]
    checkpoint: Option<PathBuf>,

    /// The language, if neither a run nor a checkpoint's sidecar records it [default with
    /// --program: bff_noheads]
    #[arg(long, value_name = "LANG", value_parser = parse_language, conflicts_with = "run")]
    lang: Option<&'static Language>,

    #[command(flatten)]
    loading: CheckpointArgs,

    /// Epochs to run
    #[arg(long, value_name = "EPOCHS", default_value_t = 64,
          value_parser = number::at_least_one)]
    epochs: u64,

    /// Program text to compile, without a soup
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true,
          conflicts_with_all = ["run", "checkpoint", "epochs", "loops", "programs", "top", "entry"])]
    program: Option<String>,

    /// What TEXT is: left or right program, or loop [default: loop if TEXT from its first
    /// `[` to its last `]` is one, else left]
    #[arg(long = "as", value_name = "SORT", requires = "program", value_parser = parse_kind)]
    kind: Option<EntryKind>,

    /// List only loops
    #[arg(long, conflicts_with = "programs", help_heading = "List")]
    loops: bool,

    /// List only programs
    #[arg(long, help_heading = "List")]
    programs: bool,

    /// Number of entries to list
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "List",
          value_parser = number::any::<usize>)]
    top: usize,

    /// Show the entry with this number in the list
    #[arg(long, value_name = "N", conflicts_with_all = ["loops", "programs", "top"],
          value_parser = number::any::<usize>,
          help_heading = "One entry")]
    entry: Option<usize>,

    /// Show only its IR, before and after Cranelift's optimisation
    #[arg(long, help_heading = "One entry")]
    ir: bool,

    /// Show only its machine code
    #[arg(long, help_heading = "One entry")]
    machine_code: bool,

    /// Write the list, or the entry, as JSON to standard output
    #[arg(long)]
    json: bool,

    /// Leave out notes on where settings come from
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    how: EngineArgs,
}

fn parse_kind(name: &str) -> Result<EntryKind, String> {
    let kind = EntryKind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(|| {
        format!(
            "choose one of {}",
            EntryKind::ALL.map(EntryKind::name).join(", ")
        )
    })
}

pub(crate) fn show(args: ShowArgs) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    match &args.program {
        Some(text) => show_program(&mut out, &args, text)?,
        None => show_soup(&mut out, &args)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn show_program(out: &mut impl Write, args: &ShowArgs, text: &str) -> Result<(), Failure> {
    let language = args.lang.unwrap_or(Settings::default().language);
    let usage = |error: &dyn std::fmt::Display| Error::Usage(format!("--program: {error}"));
    let code = language.parse_program(text).map_err(|e| usage(&e))?;
    let unit = Unit::parse(language, args.kind, &code).map_err(|e| usage(&e))?;
    let runner = Engine::Jit.runner(language, &args.how.options());
    show_unit(out, args, jit_of(&runner, language)?, &unit)
}

fn show_soup(out: &mut impl Write, args: &ShowArgs) -> Result<(), Failure> {
    start_threads(Some(1))?;
    let mut soup = load(args)?;
    let language = soup.settings().language;
    let mut options = args.how.options();
    // What the clock says must not matter.
    options.jit.least = Tier::Programs;
    soup.set_engine(Engine::Jit, &options);
    jit_of(soup.runner(), language)?;
    let first = soup.epochs_done();
    for _ in 0..args.epochs {
        soup.step();
        if let Some(jit) = soup.runner_mut().jit_mut() {
            jit.settle();
        }
    }
    let jit = jit_of(soup.runner(), language)?;
    if let Some(number) = args.entry {
        let units = jit.units();
        let unit = number.checked_sub(1).and_then(|i| units.get(i));
        let unit = unit.ok_or_else(|| {
            let count = units.len();
            Error::Usage(format!(
                "--entry {number}: there are {count} units, counted from 1"
            ))
        })?;
        return show_unit(out, args, jit, unit);
    }
    let live = jit.tally().live;
    if args.json {
        let entries = entries(args, jit)?;
        write_json(&json!({
            "lang": language.name,
            "from_epoch": first,
            "to_epoch": soup.epochs_done(),
            "loops": live.loops,
            "programs": live.programs,
            "entries": entries,
        }))?;
        return Ok(());
    }
    writeln!(
        out,
        "{language}, epochs {} to {}: {} and {} native",
        thousands(first as usize),
        thousands(soup.epochs_done() as usize),
        plural(live.loops, "loop"),
        plural(live.programs, "program"),
    )?;
    if jit.units().is_empty() {
        writeln!(
            out,
            "nothing became hot; try more --epochs, or --no-closed-forms"
        )?;
        return Ok(());
    }
    list(out, args, jit)
}

/// The soup to run.
fn load(args: &ShowArgs) -> Result<Soup, Failure> {
    let run = args.run.as_deref();
    let (run, path) = match (run, &args.checkpoint) {
        (run, Some(path)) => (run, newest_checkpoint(path)?),
        (Some(file), None) if file.is_file() => (None, newest_checkpoint(file)?),
        (run, None) => {
            let run = run_of(run.unwrap_or(Path::new(".")))?;
            return Ok(newest_soup(&run.folder)?);
        }
    };
    let Some(run) = run else {
        let given = checkpoint::given(args.lang, None);
        let loaded = args.loading.load_to_run(&path, &given)?;
        for note in checkpoint::notes(&path, &loaded, None) {
            if !args.quiet {
                say(&note)?;
            }
        }
        return Ok(Soup::from_checkpoint(
            loaded.settings,
            loaded.checkpoint,
            true,
        )?);
    };
    let (settings, _) = settings_file::read(&RunFolder::look(run)?)?;
    let checkpoint = Checkpoint::read_of(settings.language.program_len, &path)?;
    Ok(Soup::from_checkpoint(settings, checkpoint, true)?)
}

/// The native code of `runner`, or why there is none.
fn jit_of<'a>(runner: &'a Runner, language: &Language) -> Result<&'a Jit, Error> {
    if let Some(why) = runner.no_native_code() {
        return Err(why.clone().into());
    }
    runner.jit().ok_or_else(|| {
        Error::Usage(format!(
            "there is no native code for {language}: the interpreter runs all of it"
        ))
    })
}

fn list(out: &mut impl Write, args: &ShowArgs, jit: &Jit) -> Result<(), Failure> {
    writeln!(out, "{BOLD}number  sort   bytes  commands{RESET}")?;
    let all = jit.units();
    let mut units = (1..).zip(&all).filter(|(_, unit)| is_listed(args, unit));
    for (number, unit) in units.by_ref().take(args.top) {
        let listing = jit.show(unit).map_err(Error::from)?;
        let known = match unit.kind() {
            EntryKind::Loop if !listing.loops.is_empty() => {
                format!("    # {}", listing.loops.join(" # "))
            }
            _ => String::new(),
        };
        writeln!(
            out,
            "{number:>6}  {:<5}{:>7}  {}{known}",
            unit.kind().name(),
            thousands(listing.code_bytes),
            commands(unit)
        )?;
    }
    let more = units.count();
    if more > 0 {
        writeln!(
            out,
            "and {} more; --top N lists more of them",
            thousands(more)
        )?;
    }
    Ok(())
}

/// The list as JSON.
fn entries(args: &ShowArgs, jit: &Jit) -> Result<Vec<Value>, Error> {
    let all = jit.units();
    let units = (1..).zip(&all).filter(|(_, unit)| is_listed(args, unit));
    let entries = units.take(args.top).map(|(number, unit): (usize, &Unit)| {
        let listing = jit.show(unit).map_err(Error::from)?;
        Ok(json!({
            "number": number,
            "kind": unit.kind().name(),
            "code_bytes": listing.code_bytes,
            "commands": unit.text().trim_end(),
            "loops": listing.loops,
        }))
    });
    entries.collect()
}

/// Whether a unit is of a kind that is to be listed.
fn is_listed(args: &ShowArgs, unit: &Unit) -> bool {
    match unit.kind() {
        EntryKind::Loop => !args.programs,
        EntryKind::Left | EntryKind::Right => !args.loops,
    }
}

/// What a unit does, as program text.
fn commands(unit: &Unit) -> String {
    match unit.text().trim_end() {
        "" => "(no commands)".into(),
        text => text.into(),
    }
}

fn show_unit(out: &mut impl Write, args: &ShowArgs, jit: &Jit, unit: &Unit) -> Result<(), Failure> {
    let listing = jit.show(unit).map_err(Error::from)?;
    if args.json {
        write_json(&json!({
            "kind": unit.kind().name(),
            "commands": unit.text().trim_end(),
            "code_bytes": listing.code_bytes,
            "loops": listing.loops,
            "ir": listing.ir,
            "optimised_ir": listing.optimised_ir,
            "machine_code": listing.machine_code,
        }))?;
        return Ok(());
    }
    let everything = args.ir == args.machine_code;
    writeln!(
        out,
        "{}, {} bytes of machine code",
        unit.kind().name(),
        thousands(listing.code_bytes)
    )?;
    writeln!(out, "{}", commands(unit))?;
    for looped in &listing.loops {
        writeln!(out, "{looped}")?;
    }
    let mut section = |name: &str, text: &str| {
        writeln!(out, "\n{BOLD}{name}{RESET}")?;
        writeln!(out, "{}", text.trim_end())
    };
    if args.ir || everything {
        section("IR", &listing.ir)?;
        section("IR, optimised", &listing.optimised_ir)?;
    }
    if args.machine_code || everything {
        section("machine code", &listing.machine_code)?;
    }
    Ok(())
}
