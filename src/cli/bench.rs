//! `broth bench`

mod progress;
mod show;
mod subject;

use std::ffi::OsString;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::bench::parts::Parts;
use broth::bench::soups::{Prepared, Sort};
use broth::bench::{self, Comparison, Machine, Plan};
use broth::engine::Engine;
use broth::engine::jit::NoNativeCode;
use broth::language::Language;
use broth::run::folder::settings::VERSION;
use clap::Args;
use serde::Serialize;

use self::progress::{Progress, Watch};
use self::show::{Row, Total, WorldTable, show, show_machine};
use self::subject::Subject;
use super::checkpoint::CheckpointArgs;
use super::engine::{EngineArgs, parse_engine, warn_without_native_code};
use super::interrupt::Interrupt;
use super::output::{check_new, write_json_to};
use super::paint::{BOLD, RESET};
use super::{Failure, INTERRUPTED, number, parse_language, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth bench
      three engines on three soups of bff_noheads
  broth bench --lang all --soups random --engines interpreter
      one soup of each language
  broth bench --engines interpreter,jit --warm-up 256 --no-closed-forms
      what native code alone is worth, once most of it is compiled
  broth bench --lang bff,forthtrivial --num 16384 --threads 1 --json bench.json
      smaller soups on one thread, all numbers to a file
  broth bench --run runs/bff_noheads-seed-29
      the newest soup of a run
  broth bench --load cubff/0000000512.dat --lang bff
      a soup of one's own
  broth bench --worlds 29@2049,41@2177 --engines interpreter,auto
      two soups by seed and age, and the sum of their times
  broth bench --soups alive --engines auto --parts
      what an epoch and a log point are made of, and what many threads make of them
  broth bench --worlds benches/atlas.toml --engines auto --json
      the worlds in a file, all numbers to standard output

The soups are made once and kept; making the default ones takes some minutes.
The engines take turns, each starts from the same bytes, and all must end with the
same bytes. Speed-ups are relative to the first engine; `native` is the share of
steps run by native code. The floor is the same soup with no step run: pairing,
mutating and moving tapes.";

/// What is measured if nobody says.
const ENGINES: &str = if cfg!(feature = "jit") {
    "reference,interpreter,jit"
} else {
    "reference,interpreter"
};

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct BenchArgs {
    /// Languages, or `all`; `broth languages` lists them [default: bff_noheads, or that of the
    /// checkpoint]
    #[arg(long, value_name = "LANG,...", value_delimiter = ',', value_parser = parse_languages)]
    lang: Vec<Languages>,

    /// Engines: auto, reference, interpreter, jit; speed-ups are relative to the first
    #[arg(long, value_name = "ENGINE,...", default_value = ENGINES,
          value_delimiter = ',', value_parser = parse_engine)]
    engines: Vec<Engine>,

    /// Soups: random (after its first epoch), prelife (run long, not alive),
    /// alive (taken over by replicators: the first of `broth examples`, planted)
    #[arg(long, value_name = "SOUP,...", default_value = "random,prelife,alive",
          value_delimiter = ',', value_parser = parse_sort)]
    soups: Vec<Sort>,

    /// Number of programs of 64 bytes, even
    #[arg(long, value_name = "N", default_value_t = 131_072, value_parser = number::any::<usize>)]
    num: usize,

    /// Seed of the soups, below 2^64 [default: 0, or that of the checkpoint]
    #[arg(long, value_name = "SEED", value_parser = number::any::<u64>)]
    seed: Option<u64>,

    /// Epochs measured in each round
    /// [default: about half a second of the slowest engine, at least 2]
    #[arg(long, value_name = "EPOCHS", value_parser = number::at_least_one)]
    epochs: Option<u64>,

    /// Epochs before each round that are not measured, to compile native code
    #[arg(long, value_name = "EPOCHS", default_value_t = 1,
          value_parser = number::at_least_one)]
    warm_up: u64,

    /// Rounds; in each, every engine runs once
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = number::within::<u16>(1..=u16::MAX.into()))]
    rounds: u16,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    /// Age of the prelife soup; it is younger if it would come alive before
    #[arg(long, value_name = "EPOCHS", default_value_t = 4096,
          value_parser = number::at_least_one)]
    prelife_epochs: u64,

    /// Give up a soup that is not alive after this many epochs
    #[arg(long, value_name = "EPOCHS", default_value_t = 1024,
          value_parser = number::at_least_one)]
    alive_epochs: u64,

    /// Where to keep soups [default: broth in the system's cache folder]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,

    /// Measure this soup, a checkpoint of broth or cubff; without a sidecar, --lang must be given
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["soups", "num", "prelife_epochs", "alive_epochs"])]
    load: Option<PathBuf>,

    /// Measure the newest soup of the run in this folder
    #[arg(long, value_name = "DIR",
          conflicts_with_all = ["load", "lang", "soups", "num", "seed", "prelife_epochs",
                                "alive_epochs", "override_settings"])]
    run: Option<PathBuf>,

    /// Measure soups by seed and age: a file of worlds, or a list as in 29@2049,41@2177 (seed 29
    /// after 2,049 epochs) with --lang; shows a row for each, and the total
    #[arg(long, value_name = "FILE|LIST",
          conflicts_with_all = ["load", "run", "soups", "seed", "prelife_epochs", "alive_epochs"])]
    worlds: Option<String>,

    /// Show, too, what an epoch and a log point are made of, in times of one thread, and what these
    /// come to on more threads
    #[arg(long, conflicts_with = "worlds")]
    parts: bool,

    #[command(flatten)]
    loading: CheckpointArgs,

    /// Show nothing but errors, such as with --json FILE
    #[arg(long, short)]
    quiet: bool,

    /// Write all numbers as JSON: to this new file, or in place of the tables to standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    json: Option<Option<PathBuf>>,

    #[command(flatten)]
    how: EngineArgs,
}

#[derive(Clone, Copy)]
enum Languages {
    All,
    One(&'static Language),
}

fn parse_languages(name: &str) -> Result<Languages, String> {
    match name {
        "all" => Ok(Languages::All),
        _ => parse_language(name).map(Languages::One),
    }
}

fn parse_sort(name: &str) -> Result<Sort, String> {
    name.parse().map_err(|error| format!("{error}"))
}

/// All that was measured.
#[derive(Serialize)]
struct Report {
    broth: &'static str,
    machine: Machine,
    /// Those of soups that broth makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    num_programs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    rounds: u16,
    soups: Vec<Entry>,
    /// The sums over all worlds.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
}

/// One soup of the report.
#[derive(Serialize)]
struct Entry {
    language: &'static str,
    soup: String,
    num_programs: usize,
    seed: u64,
    /// Epochs done before the first round.
    epochs_done: u64,
    /// In bits per byte, then.
    high_order_entropy: f32,
    /// Why there is nothing to measure.
    problem: Option<String>,
    measured: Option<Comparison>,
    /// By the engine auto, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Parts>,
}

impl Entry {
    /// What a table of worlds calls it.
    fn title(&self) -> String {
        format!("{} {}", self.language, self.soup)
    }
}

pub(super) fn bench(args: BenchArgs) -> Result<ExitCode, Failure> {
    let cache = match &args.cache {
        Some(path) => path.clone(),
        None => default_cache(|name| std::env::var_os(name)).ok_or_else(|| {
            Error::Usage(
                "there is no folder for caches (neither XDG_CACHE_HOME nor HOME is set); \
                 say with --cache DIR where soups are to be kept"
                    .into(),
            )
        })?,
    };
    let file = args.json.as_ref().and_then(Option::as_deref);
    if let Some(path) = file {
        check_new("--json", path)?;
    }
    // Before the soup of a run is read, which takes threads.
    start_threads(args.threads)?;
    let subjects = Subject::all(&args)?;
    let interrupt = Interrupt::finishing(
        "finishing this epoch or round, showing what is measured; once more to stop without that",
        args.quiet,
    )?;
    let plan = Plan {
        engines: without_repeats(args.engines.iter().copied()),
        options: args.how.options(),
        rounds: args.rounds.into(),
        warm_up: args.warm_up,
        epochs: args.epochs,
    };
    let makes_all = [
        args.load.is_some(),
        args.run.is_some(),
        args.worlds.is_some(),
    ] == [false; 3];
    let mut report = Report {
        broth: VERSION,
        machine: Machine::this(),
        num_programs: makes_all.then_some(args.num),
        seed: makes_all.then_some(args.seed.unwrap_or(0)),
        rounds: args.rounds,
        soups: Vec::new(),
        total: None,
    };
    let mut out: Box<dyn Write> = match args.json {
        Some(None) => Box::new(std::io::sink()),
        _ if args.quiet => Box::new(std::io::sink()),
        _ => Box::new(anstream::stdout()),
    };
    show_machine(&mut out, &report)?;
    if let Some(why) = no_native_code(&subjects, &plan).filter(|_| !args.quiet) {
        warn_without_native_code(&why)?;
    }
    let worlds = args.worlds.as_ref().map(|_| WorldTable::new(&subjects));
    if let Some(table) = &worlds {
        writeln!(out, "\n{BOLD}{}{RESET}", table.header(&plan.engines))?;
    }
    let progress = Watch {
        interrupt: &interrupt,
        quiet: args.quiet,
    };
    let mut language = None;
    for subject in &subjects {
        if worlds.is_none() && language.replace(subject.language()) != Some(subject.language()) {
            writeln!(out, "\n{BOLD}{}{RESET}", Row::HEADER)?;
        }
        interrupt.last_words(what_is_lost(subject, file));
        let entry = match subject.prepare(&cache, &progress)? {
            Some(prepared) => measure(subject, &prepared, &plan, args.parts, &progress)?,
            None => None,
        };
        if let Some(entry) = entry {
            match &worlds {
                Some(table) => table.show(&mut out, &entry)?,
                None => show(&mut out, &entry)?,
            }
            report.soups.push(entry);
        }
        if interrupt.is_asked() {
            break;
        }
    }
    report.total = worlds.as_ref().and_then(|_| Total::of(&report.soups));
    if let (Some(table), Some(total)) = (&worlds, &report.total) {
        table.show_total(&mut out, total)?;
    }
    write_json_to(args.json.as_ref(), &report)?;
    Ok(if interrupt.is_asked() {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}

/// Write all numbers to where they were asked for.
/// What a benchmark loses that ends at once, before `subject` is shown.
fn what_is_lost(subject: &Subject, json: Option<&Path>) -> impl Fn() -> String + Send + 'static {
    let what = format!("{}, {}", subject.language(), subject.name());
    let file = json.map(|path| format!("; {} is not written", path.display()));
    move || {
        format!(
            "stopped: what was measured of {what} is lost{}; what is shown above, and soups \
             already made, stay",
            file.as_deref().unwrap_or_default()
        )
    }
}

/// Why an engine of `plan` has no native code, if it could have some elsewhere.
fn no_native_code(subjects: &[Subject], plan: &Plan) -> Option<NoNativeCode> {
    let engines = |language| plan.engines.iter().map(move |engine| (language, *engine));
    let languages = without_repeats(subjects.iter().map(Subject::language));
    let mut engines = languages.into_iter().flat_map(engines);
    engines.find_map(|(language, engine)| {
        let runner = engine.runner(language, &plan.options);
        runner.no_native_code().cloned()
    })
}

/// Where soups are kept if nobody says; `variable` reads the environment.
fn default_cache(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = folder("XDG_CACHE_HOME").or_else(|| {
        let home = folder("HOME")?;
        Some(home.join(if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        }))
    })?;
    Some(caches.join("broth"))
}

/// Each of `items` once, in the order of the first.
pub(super) fn without_repeats<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

fn go_on(interrupt: &Interrupt) -> ControlFlow<()> {
    if interrupt.is_asked() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// What the soup comes to; none where the work was ended before its first round.
fn measure(
    subject: &Subject,
    prepared: &Prepared,
    plan: &Plan,
    with_parts: bool,
    watch: &Watch<'_>,
) -> Result<Option<Entry>, Error> {
    let settings = subject.settings();
    let mut entry = Entry {
        language: settings.language.name,
        soup: subject.name(),
        num_programs: settings.num_programs,
        seed: settings.seed,
        epochs_done: prepared.checkpoint.epochs_done,
        high_order_entropy: prepared.high_order_entropy,
        problem: None,
        measured: None,
        parts: None,
    };
    if !prepared.as_asked {
        entry.problem = Some(subject.problem());
        return Ok(Some(entry));
    }
    let what = format!("measuring {}, {}", entry.language, entry.soup);
    let progress = Progress::new(what, watch);
    let result = bench::compare(&settings, &prepared.checkpoint, plan, &mut |round| {
        progress.show(round as u64, plan.rounds as u64);
        go_on(watch.interrupt)
    });
    progress.finish();
    entry.measured = result?;
    if let (Some(measured), true, false) = (&entry.measured, with_parts, watch.interrupt.is_asked())
    {
        let epochs = [plan.warm_up, measured.epochs];
        let parts = Parts::of(&settings, &prepared.checkpoint, plan.rounds, epochs)?;
        entry.parts = Some(parts);
    }
    Ok(entry.measured.is_some().then_some(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_system_says() {
        let cache = |variables: &[(&str, &str)]| {
            default_cache(|name| {
                let found = variables.iter().find(|(known, _)| *known == name)?;
                Some(found.1.into())
            })
        };
        let in_home = if cfg!(target_os = "macos") {
            "/home/me/Library/Caches/broth"
        } else {
            "/home/me/.cache/broth"
        };
        let home = ("HOME", "/home/me");
        assert_eq!(
            cache(&[home, ("XDG_CACHE_HOME", "/caches")]),
            Some("/caches/broth".into())
        );
        assert_eq!(cache(&[home]), Some(in_home.into()));
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "")]), Some(in_home.into()));
        assert_eq!(cache(&[("HOME", "")]), None);
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn repeats_are_dropped_and_the_order_stays() {
        assert_eq!(without_repeats([3, 1, 3, 2, 1]), [3, 1, 2]);
    }
}
