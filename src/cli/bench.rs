//! `broth bench`

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use broth::Error;
use broth::bench::soups::{Prepared, Recipe, Sort};
use broth::bench::{self, Comparison, Machine, Plan, Times};
use broth::engine::Engine;
use broth::engine::jit::NoNativeCode;
use broth::files;
use broth::format::thousands;
use broth::language::Language;
use broth::run::folder::settings::VERSION;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::engine::{EngineArgs, parse_engine, percent, warn_without_native_code};
use super::interrupt::Interrupt;
use super::paint::{BOLD, RESET};
use super::{Failure, INTERRUPTED, parse_language, start_threads};

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
    /// Languages, or `all`; `broth languages` lists them
    #[arg(long, value_name = "LANG,...", default_value = "bff_noheads",
          value_delimiter = ',', value_parser = parse_languages)]
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
    #[arg(long, value_name = "N", default_value_t = 131_072)]
    num: usize,

    /// Seed of the soups, below 2^64
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,

    /// Epochs measured in each round
    /// [default: about half a second of the slowest engine, at least 2]
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,

    /// Epochs before each round that are not measured, to compile native code
    #[arg(long, value_name = "EPOCHS", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..))]
    warm_up: u64,

    /// Rounds; in each, every engine runs once
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Age of the prelife soup; it is younger if it would come alive before
    #[arg(long, value_name = "EPOCHS", default_value_t = 4096,
          value_parser = clap::value_parser!(u64).range(1..))]
    prelife_epochs: u64,

    /// Give up a soup that is not alive after this many epochs
    #[arg(long, value_name = "EPOCHS", default_value_t = 1024,
          value_parser = clap::value_parser!(u64).range(1..))]
    alive_epochs: u64,

    /// Where to keep soups [default: broth in the system's cache folder]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,

    /// Write all numbers to this new file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

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
    num_programs: usize,
    seed: u64,
    rounds: u16,
    soups: Vec<Entry>,
}

/// One soup of the report.
#[derive(Serialize)]
struct Entry {
    language: &'static str,
    soup: &'static str,
    /// Epochs done before the first round.
    epochs_done: u64,
    /// In bits per byte, then.
    high_order_entropy: f32,
    /// Why there is nothing to measure.
    problem: Option<String>,
    measured: Option<Comparison>,
}

pub(super) fn bench(args: BenchArgs) -> Result<ExitCode, Failure> {
    let cache = match args.cache {
        Some(path) => path,
        None => default_cache(|name| std::env::var_os(name)).ok_or_else(|| {
            Error::Usage(
                "there is no folder for caches (neither XDG_CACHE_HOME nor HOME is set); \
                 say with --cache DIR where soups are to be kept"
                    .into(),
            )
        })?,
    };
    if let Some(path) = &args.json {
        check_json(path)?;
    }
    let options = args.how.options();
    let languages = args.lang.iter().flat_map(|languages| match languages {
        Languages::All => Language::ALL.to_vec(),
        Languages::One(language) => vec![*language],
    });
    let (languages, sorts) = (without_repeats(languages), without_repeats(args.soups));
    let engines = without_repeats(args.engines);
    if let Some(language) = languages.iter().find(|it| !Language::ALL.contains(it)) {
        return Err(Error::Usage(format!(
            "--lang {language}: a benchmark compares engines, and {language} has one only; \
             `broth run` says how fast it is"
        ))
        .into());
    }
    // Wrong settings before anything is started.
    let recipe = |language, sort| Recipe {
        language,
        num_programs: args.num,
        seed: args.seed,
        sort,
        epochs: match sort {
            Sort::Random => 1,
            Sort::Prelife => args.prelife_epochs,
            Sort::Alive => args.alive_epochs,
        },
    };
    recipe(languages[0], sorts[0]).settings().check()?;
    start_threads(args.threads)?;
    let interrupt = Interrupt::finishing(
        "finishing this epoch or round, showing what is measured; once more to stop without that",
        false,
    )?;

    let plan = Plan {
        engines,
        options,
        rounds: args.rounds.into(),
        warm_up: args.warm_up,
        epochs: args.epochs,
    };
    let mut report = Report {
        broth: VERSION,
        machine: Machine::this(),
        num_programs: args.num,
        seed: args.seed,
        rounds: args.rounds,
        soups: Vec::new(),
    };
    let mut out = anstream::stdout();
    show_machine(&mut out, &report)?;
    if let Some(why) = no_native_code(&languages, &plan) {
        warn_without_native_code(&why)?;
    }
    'soups: for language in languages {
        writeln!(out, "\n{BOLD}{}{RESET}", Row::HEADER)?;
        for sort in &sorts {
            let recipe = recipe(language, *sort);
            interrupt.last_words(what_is_lost(&recipe, args.json.as_deref()));
            let entry = match prepare(&recipe, &cache, &interrupt)? {
                Some(prepared) => measure(&recipe, &prepared, &plan, &interrupt)?,
                None => None,
            };
            if let Some(entry) = entry {
                show(&mut out, &entry)?;
                report.soups.push(entry);
            }
            if interrupt.is_asked() {
                break 'soups;
            }
        }
    }
    if let Some(path) = &args.json {
        files::write_new(path, |file| {
            serde_json::to_writer_pretty(&mut *file, &report)?;
            writeln!(file)
        })?;
    }
    Ok(if interrupt.is_asked() {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    })
}

/// What a benchmark loses that ends at once, before `recipe` is shown.
fn what_is_lost(recipe: &Recipe, json: Option<&Path>) -> impl Fn() -> String + Send + 'static {
    let what = format!("{}, {}", recipe.language, recipe.sort);
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
fn no_native_code(languages: &[&'static Language], plan: &Plan) -> Option<NoNativeCode> {
    let engines = |language: &&'static Language| {
        let language = *language;
        plan.engines.iter().map(move |engine| (language, *engine))
    };
    let mut engines = languages.iter().flat_map(engines);
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

/// Before minutes of measuring: whether the file can be new.
fn check_json(path: &Path) -> Result<(), Error> {
    let problem = if path.symlink_metadata().is_ok() {
        "exists already; remove it or choose another name"
    } else if path
        .parent()
        .is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        "is to go into a folder that is not there; create it or choose another"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!("--json {} {problem}", path.display())))
}

fn without_repeats<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// The soup of `recipe`; making it shows how far it is.
fn prepare(
    recipe: &Recipe,
    cache: &Path,
    interrupt: &Interrupt,
) -> Result<Option<Prepared>, Error> {
    let what = format!("making a soup of {}, {}", recipe.language, recipe.sort);
    let progress = Progress::new(what, interrupt);
    let prepared = recipe.prepare(cache, &mut |done| {
        progress.show(done, recipe.epochs);
        go_on(interrupt)
    });
    progress.finish();
    prepared
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
    recipe: &Recipe,
    prepared: &Prepared,
    plan: &Plan,
    interrupt: &Interrupt,
) -> Result<Option<Entry>, Error> {
    let mut entry = Entry {
        language: recipe.language.name,
        soup: recipe.sort.name(),
        epochs_done: prepared.checkpoint.epochs_done,
        high_order_entropy: prepared.high_order_entropy,
        problem: None,
        measured: None,
    };
    if prepared.as_asked {
        let what = format!("measuring {}, {}", recipe.language, recipe.sort);
        let progress = Progress::new(what, interrupt);
        let result = bench::compare(
            &recipe.settings(),
            &prepared.checkpoint,
            plan,
            &mut |round| {
                progress.show(round as u64, plan.rounds as u64);
                go_on(interrupt)
            },
        );
        progress.finish();
        entry.measured = result?;
        if entry.measured.is_none() {
            return Ok(None);
        }
    } else {
        entry.problem = Some(format!(
            "no {} soup of {} within {} epochs",
            recipe.sort,
            recipe.language,
            thousands(recipe.epochs as usize)
        ));
    }
    Ok(Some(entry))
}

/// A moving line on a terminal, else one plain line once something takes long.
struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    begun: Instant,
    said: std::cell::Cell<Option<Instant>>,
}

impl Progress {
    /// Time between plain lines.
    const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

    fn new(what: String, interrupt: &Interrupt) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{bar:20.cyan/dim} {pos}/{len}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what.clone());
            interrupt.draws(&bar);
            bar
        });
        Progress {
            what,
            bar,
            begun: Instant::now(),
            said: std::cell::Cell::new(None),
        }
    }

    fn show(&self, done: u64, all: u64) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(all.max(done));
                bar.set_position(done);
            }
            None => {
                let since = self.said.get().unwrap_or(self.begun);
                if since.elapsed() >= Progress::PLAIN_INTERVAL {
                    self.said.set(Some(Instant::now()));
                    // Nobody is left to tell where this fails.
                    let _ = writeln!(anstream::stderr(), "{}: {done}/{all}", self.what);
                }
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn show_machine(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Machine {
        cores,
        threads,
        cpu,
        lanes,
        ..
    } = &report.machine;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let cpu = match cpu {
        Some(name) => format!("{name}, "),
        None => String::new(),
    };
    writeln!(
        out,
        "broth {VERSION}: {cpu}{cores} core{}, {threads} thread{}, {lanes} lanes",
        plural(*cores),
        plural(*threads)
    )?;
    writeln!(
        out,
        "{} programs, seed {}, {} round{}",
        thousands(report.num_programs),
        report.seed,
        report.rounds,
        plural(report.rounds.into())
    )
}

/// A line of the table.
struct Row<'a> {
    engine: &'a str,
    times: &'a Times,
    /// ns/interaction, M interactions/s, M ops/s, M steps/s, over the floor,
    /// speed-up; none of them for the floor itself.
    rest: Option<[f64; 6]>,
    /// Share of steps that native code ran, where there may be any.
    native: Option<f64>,
}

impl Row<'_> {
    const HEADER: &'static str = "engine       ms/epoch      min      max  ns/interaction  \
                          M interactions/s   M ops/s  M steps/s  x floor  speed-up  native";
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times {
            median,
            minimum,
            maximum,
            ..
        } = self.times;
        write!(
            f,
            "{:<11}  {:>8}  {:>7}  {:>7}",
            self.engine,
            number(*median),
            number(*minimum),
            number(*maximum)
        )?;
        let Some(rest) = self.rest else {
            return Ok(());
        };
        let [interaction, interactions, ops, steps, floor, speed_up] = rest.map(number);
        write!(
            f,
            "  {interaction:>14}  {interactions:>16}  {ops:>8}  {steps:>9}  {floor:>7}  \
             {speed_up:>8}"
        )?;
        match self.native {
            Some(share) => write!(f, "  {:>6}", percent(share)),
            None => Ok(()),
        }
    }
}

/// Three digits, or all that stand before the point; at most four behind it.
fn number(value: f64) -> String {
    match value {
        v if v >= 99.95 => thousands(v.round() as usize),
        v if v >= 9.995 => format!("{v:.1}"),
        v if v >= 0.9995 => format!("{v:.2}"),
        v if v >= 0.09995 => format!("{v:.3}"),
        v => format!("{v:.4}"),
    }
}

fn show(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let Some(measured) = &entry.measured else {
        let problem = entry.problem.as_deref().unwrap_or_default();
        return writeln!(out, "{problem}");
    };
    let each = |count: u64| count as f64 / measured.interactions.max(1) as f64;
    writeln!(
        out,
        "{}, {}: epoch {}, high-order entropy {:.3}; {} ops and {} steps an interaction, \
         {} epoch{} a round",
        entry.language,
        entry.soup,
        thousands(entry.epochs_done as usize),
        entry.high_order_entropy,
        number(each(measured.ops)),
        number(each(measured.steps)),
        thousands(measured.epochs as usize),
        if measured.epochs == 1 { "" } else { "s" }
    )?;
    let floor = Row {
        engine: "floor",
        times: &measured.floor_ms_per_epoch,
        rest: None,
        native: None,
    };
    writeln!(out, "{floor}")?;
    for speed in &measured.engines {
        let row = Row {
            engine: speed.engine,
            times: &speed.ms_per_epoch,
            rest: Some([
                speed.ns_per_interaction,
                speed.interactions_per_second / 1e6,
                speed.ops_per_second / 1e6,
                speed.steps_per_second / 1e6,
                speed.over_floor,
                speed.speed_up,
            ]),
            native: speed.native_steps,
        };
        writeln!(out, "{row}")?;
    }
    Ok(())
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
    fn columns_are_aligned() {
        let times = Times {
            median: 12_345.6,
            minimum: 0.0123,
            maximum: 99.97,
            rounds: Vec::new(),
        };
        let row = Row {
            engine: "interpreter",
            times: &times,
            rest: Some([1.0, 123_456.0, 9.996, 1234.0, 1.5, 10.0]),
            native: Some(1.0),
        };
        let row = row.to_string();
        assert_eq!(row.len(), Row::HEADER.len(), "{row}");
        assert!(
            row.starts_with("interpreter    12,346   0.0123      100 "),
            "{row}"
        );
    }

    #[test]
    fn repeats_are_dropped_and_the_order_stays() {
        assert_eq!(without_repeats([3, 1, 3, 2, 1]), [3, 1, 2]);
    }
}
