//! `broth verify`

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use broth::engine::Engine;
use broth::engine::hidden::{self, Part};
use broth::format::thousands;
use broth::language::{Family, Language};
use broth::verify::{Case, Difference, Limit, Met, Plan, Progress, Source, Summary};
use broth::{Error, files};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::bench::without_repeats;
use super::engine::parse_engine;
use super::interrupt::Interrupt;
use super::output::{check_new, write_json_to};
use super::paint::{BOLD, RESET};
use super::progress::bar_style;
use super::{Failure, INTERRUPTED, number, parse_language};

const EXAMPLES: &str = "\
Every engine runs the same tapes, and each must come to the same bytes, ops, steps and ending as
the reference engine: the interpreter at every width that the machine has, native code made,
freed and left in many ways, and whole soups whose engine and threads change as they live. The
seed determines what is tried.

Examples:
  broth verify --minutes 10
      every engine on every language; a summary, and what was exercised
  broth verify --lang bff_noheads --from random --interactions 100000000
      random tapes of one language
  broth verify --minutes 10 --report verified.md --json verified.json
      the same as a page to be cited, and as numbers
  broth verify --from runs/bff_noheads-seed-29
      what lives in the checkpoints of your own runs
  broth verify --without avx512,avx2
      as a machine without these instructions does it
  broth verify --replay broth-difference.toml
      run a difference again that was found before

Exit code 1 says that engines differ. The difference is made small, shown with the commands that
reproduce it, and written to a file.";

/// What is compared if nobody says.
const ENGINES: &str = if cfg!(feature = "jit") {
    "interpreter,jit,auto"
} else {
    "interpreter,auto"
};

/// Parts of the machine to do without.
#[derive(Args, Clone)]
pub(super) struct WithoutArgs {
    /// Do without parts of this machine, as others have to: avx512, avx2, executable-memory
    /// (no native code); never changes a result
    #[arg(long, value_name = "PART,...", value_delimiter = ',', value_parser = parse_part,
          help_heading = "Engine")]
    without: Vec<Part>,
}

impl WithoutArgs {
    /// Do without them from now on.
    pub(super) fn hide(&self) {
        for part in &self.without {
            hidden::hide(*part);
        }
    }
}

fn parse_part(name: &str) -> Result<Part, String> {
    name.parse().map_err(|error| format!("{error}"))
}

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct VerifyArgs {
    /// Languages, or `all`; `broth languages` lists them
    #[arg(
        long,
        value_name = "LANG,...",
        default_value = "all",
        value_delimiter = ','
    )]
    lang: Vec<String>,

    /// Engines to compare with the reference engine: interpreter, jit, auto
    #[arg(long, value_name = "ENGINE,...", default_value = ENGINES, value_delimiter = ',',
          value_parser = parse_engine, help_heading = "Engine")]
    engines: Vec<Engine>,

    /// Where tapes come from: random (any bytes, and denser ops), grown (around loops), soups
    /// (brought to life, run as a whole, then tapes of them), or a folder with checkpoints
    #[arg(
        long,
        value_name = "SOURCE,...",
        default_value = "random,grown,soups",
        value_delimiter = ','
    )]
    from: Vec<String>,

    /// How many minutes to go on for; fractions are allowed [default: 1]
    #[arg(long, value_name = "M", value_parser = parse_minutes, conflicts_with = "interactions")]
    minutes: Option<Duration>,

    /// End after this many interactions instead, at least
    #[arg(long, value_name = "N", value_parser = number::at_least_one)]
    interactions: Option<u64>,

    /// Seed of what is tried
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = number::any::<u64>)]
    seed: u64,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    #[command(flatten)]
    without: WithoutArgs,

    /// Run the difference in this file again, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lang", "engines", "from", "minutes",
          "interactions", "seed", "threads", "json", "report", "out"])]
    replay: Option<PathBuf>,

    /// Where to write a difference to, a new file [default: broth-difference.toml, or
    /// broth-difference-2.toml and so on]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write all numbers as JSON, to standard output or to this new file
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    json: Option<Option<PathBuf>>,

    /// Write a page with the result to this new file, in Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Show only the result
    #[arg(long)]
    quiet: bool,
}

fn parse_minutes(text: &str) -> Result<Duration, String> {
    const MOST: f64 = 1e6;
    match text.parse::<f64>() {
        Ok(minutes) if minutes > 0.0 && minutes <= MOST => {
            Ok(Duration::from_secs_f64(60.0 * minutes))
        }
        _ => Err(format!("choose a number above 0 and up to {MOST}")),
    }
}

pub(super) fn verify(args: VerifyArgs) -> Result<ExitCode, Failure> {
    args.without.hide();
    say_one_panic();
    if let Some(path) = &args.replay {
        return replay(path);
    }
    let plan = plan(&args)?;
    let files = [
        ("--out", &args.out),
        ("--json", &args.json.clone().flatten()),
        ("--report", &args.report),
    ];
    for (flag, path) in files {
        if let Some(path) = path {
            check_new(flag, path)?;
        }
    }
    let interrupt = Interrupt::finishing(
        "finishing what is being tried, then summing up; once more to stop without that",
        args.quiet,
    )?;
    let so_far = Arc::new(AtomicU64::new(0));
    interrupt.last_words({
        let so_far = Arc::clone(&so_far);
        move || {
            let count = thousands(so_far.load(Ordering::Relaxed) as usize);
            format!("stopped after {count} interactions without a difference; no summary is made")
        }
    });
    let mut screen = Screen::new(args.quiet, &interrupt);
    let mut stuck = None;
    let mut see = |progress: &Progress| {
        so_far.store(progress.interactions, Ordering::Relaxed);
        screen.see(progress);
        if let Some((time, unit)) = &progress.oldest
            && *time > HANGS
            && stuck.is_none()
        {
            stuck = Some(unit.clone());
            let met = Met {
                seed: plan.seed,
                unit: unit.clone(),
            };
            give_up(Difference::hangs(met, *time), args.out.as_deref());
        }
        match interrupt.is_asked() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let summary = broth::verify::verify(&plan, &mut see)?;
    screen.finish();
    conclude(&args, &summary)
}

/// What was asked for.
fn plan(args: &VerifyArgs) -> Result<Plan, Error> {
    let mut languages: Vec<&'static Language> = Vec::new();
    for name in &args.lang {
        match name.as_str() {
            "all" => languages.extend(Language::every()),
            _ => languages.push(parse_language(name).map_err(Error::Usage)?),
        }
    }
    if args.engines.contains(&Engine::Reference) {
        return Err(Error::Usage(
            "--engines: the reference engine is what the others are compared with; leave it out"
                .into(),
        ));
    }
    let sources: Vec<Source> = args.from.iter().map(|name| Source::parse(name)).collect();
    let sources = without_repeats(sources);
    if sources.iter().filter(|it| it.folder().is_some()).count() > 1 {
        return Err(Error::Usage(
            "--from takes one folder; put the run folders into one, or name what they are in"
                .into(),
        ));
    }
    let limit = match (args.minutes, args.interactions) {
        (_, Some(count)) => Limit::Interactions(count),
        (Some(time), None) => Limit::Time(time),
        (None, None) => Limit::Time(Duration::from_secs(60)),
    };
    let threads = match args.threads {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    Ok(Plan {
        seed: args.seed,
        threads,
        languages: without_repeats(languages),
        engines: without_repeats(args.engines.clone()),
        sources,
        limit,
        fault: None,
    })
}

/// A unit that takes longer hangs.
const HANGS: Duration = Duration::from_secs(45);

/// Say what a difference is, keep it, and end: the engine that hangs cannot be stopped.
fn give_up(difference: Difference, out: Option<&Path>) -> ! {
    let mut stdout = anstream::stdout();
    let _ = write!(stdout, "{}", difference.text());
    let path = out.map_or_else(free_name, Path::to_owned);
    if difference.write(&path, &heading(&path)).is_ok() {
        let _ = writeln!(stdout, "written to {}", path.display());
    }
    std::process::exit(1)
}

fn conclude(args: &VerifyArgs, summary: &Summary) -> Result<ExitCode, Failure> {
    let is_only_json = matches!(args.json, Some(None));
    let mut out: Box<dyn Write> = if is_only_json {
        Box::new(anstream::stderr())
    } else {
        Box::new(anstream::stdout())
    };
    if !args.quiet && !is_only_json {
        writeln!(out, "{}", summary.table())?;
        writeln!(out, "{}", summary.exercise_table())?;
        for never in summary.never() {
            writeln!(out, "never: {never}")?;
        }
        for what in &summary.not_compared {
            writeln!(out, "not compared: {what}")?;
        }
        writeln!(out)?;
    }
    if !(args.quiet && is_only_json) {
        writeln!(out, "{BOLD}{}{RESET}", summary.verdict())?;
    }
    if let Some(difference) = &summary.difference {
        let path = args.out.clone().unwrap_or_else(free_name);
        writeln!(out, "\n{}", with_commands(difference))?;
        difference.write(&path, &heading(&path))?;
        writeln!(
            out,
            "written to {}; broth verify --replay {} runs it again",
            super::shown(&path),
            super::shown(&path)
        )?;
    }
    write_json_to(args.json.as_ref(), summary)?;
    if let Some(path) = &args.report {
        files::write_new(path, |file| file.write_all(summary.page().as_bytes()))?;
    }
    Ok(match (&summary.difference, summary.was_ended) {
        (Some(_), _) => ExitCode::FAILURE,
        (None, true) => ExitCode::from(INTERRUPTED),
        (None, false) => ExitCode::SUCCESS,
    })
}

/// What a file of a difference begins with.
fn heading(path: &Path) -> String {
    format!(
        "A difference between engines. This runs it again:\n\
         broth verify --replay {}\n",
        super::shown(path)
    )
}

/// A difference, and the commands that show it.
fn with_commands(difference: &Difference) -> String {
    let mut text = difference.text();
    let commands = difference.case.as_ref().and_then(commands);
    for (name, command) in ["see", "and"].iter().zip(commands.into_iter().flatten()) {
        text.push_str(&format!("  {name:<11} {command}\n"));
    }
    text
}

/// The commands that show a difference, by the reference engine and by the other; nothing where
/// more than a tape is needed.
fn commands(case: &Case) -> Option<[String; 2]> {
    if !case.is_alone() {
        return None;
    }
    let common = format!(
        "--lang {} --max-steps {} '{}'",
        case.language,
        case.max_steps,
        case.text()
    );
    let setup = &case.setup;
    let mut flags = format!("--engine {}", setup.engine.name());
    match setup.width.as_deref() {
        Some("AVX2") => flags.push_str(" --without avx512"),
        Some("portable") if matches!(case.language.family, Family::Bff(_)) => {
            flags.push_str(" --without avx512,avx2");
        }
        _ => {}
    }
    if !setup.closed_forms {
        flags.push_str(" --no-closed-forms");
    }
    Some([
        format!("broth exec {common}"),
        format!("broth exec {flags} {common}"),
    ])
}

fn replay(path: &Path) -> Result<ExitCode, Failure> {
    let mut out = anstream::stdout();
    match broth::verify::replay(path, None)? {
        Some(difference) => {
            write!(out, "{}", with_commands(&difference))?;
            Ok(ExitCode::FAILURE)
        }
        None => {
            writeln!(
                out,
                "no difference: the engines agree by now, on this machine"
            )?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A file for a difference, if nobody says which.
fn free_name() -> PathBuf {
    let mut path = PathBuf::from("broth-difference.toml");
    let mut number = 2;
    while path.symlink_metadata().is_ok() {
        path = format!("broth-difference-{number}.toml").into();
        number += 1;
    }
    path
}

/// Engines that panic are differences; of many messages one will do.
fn say_one_panic() {
    let usual = std::panic::take_hook();
    let said = AtomicU64::new(0);
    std::panic::set_hook(Box::new(move |info| {
        if said.fetch_add(1, Ordering::Relaxed) == 0 {
            usual(info);
        }
    }));
}

/// What is shown while it goes: a moving line on a terminal, else a line now and then.
enum Screen {
    Terminal(ProgressBar),
    Plain(Instant),
    Quiet,
}

impl Screen {
    /// Time between plain lines.
    const INTERVAL: Duration = Duration::from_secs(10);
    /// Parts of the bar.
    const PARTS: u64 = 1000;

    fn new(quiet: bool, interrupt: &Interrupt) -> Screen {
        if quiet {
            return Screen::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Screen::Plain(Instant::now());
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(Some(Screen::PARTS), target);
        bar.set_style(bar_style("{wide_msg}"));
        interrupt.draws(&bar);
        Screen::Terminal(bar)
    }

    fn see(&mut self, progress: &Progress) {
        match self {
            Screen::Terminal(bar) => {
                bar.set_position((progress.share * Screen::PARTS as f64) as u64);
                bar.set_message(status(progress));
            }
            Screen::Plain(shown) if progress.is_shrinking || shown.elapsed() >= Self::INTERVAL => {
                *shown = Instant::now();
                // Where nobody can read it, the work goes on all the same.
                let _ = writeln!(std::io::stderr(), "{}", status(progress));
            }
            Screen::Plain(_) | Screen::Quiet => {}
        }
    }

    fn finish(self) {
        if let Screen::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `12.3 M interactions  1.62 M/s  4 min left`
fn status(progress: &Progress) -> String {
    if progress.is_shrinking {
        return "something differs; making it small".into();
    }
    let seconds = progress.elapsed.as_secs_f64().max(1e-9);
    let millions = progress.interactions as f64 / 1e6;
    let left = seconds * (1.0 - progress.share) / progress.share.max(1e-9);
    let left = match left {
        left if progress.interactions == 0 || left > 1e7 => String::new(),
        left if left >= 90.0 => format!("  {:.0} min left", left / 60.0),
        left => format!("  {left:.0} s left"),
    };
    format!(
        "{millions:.1} M interactions  {:.2} M/s{left}",
        millions / seconds
    )
}

#[cfg(test)]
mod tests {
    use broth::language::TAPE_LEN;
    use broth::language::bff::BFF_NOHEADS;
    use broth::verify::Setup;

    use super::*;

    #[test]
    fn commands_run_the_tape_by_both_engines() {
        let mut tape = [0; TAPE_LEN];
        tape[..4].copy_from_slice(b" [-]");
        let commands_of = |setup: Setup| commands(&Case::alone(&BFF_NOHEADS, setup, tape, 20));
        let common = "--lang bff_noheads --max-steps 20 ' [-]'";
        for (setup, flags) in [
            (Setup::interpreter("AVX-512", true), "interpreter"),
            (
                Setup::interpreter("AVX2", true),
                "interpreter --without avx512",
            ),
            (
                Setup::interpreter("portable", false),
                "interpreter --without avx512,avx2 --no-closed-forms",
            ),
            (Setup::eager(Engine::Jit, true), "jit"),
        ] {
            let [reference, other] = commands_of(setup).unwrap();
            assert_eq!(reference, format!("broth exec {common}"));
            assert_eq!(other, format!("broth exec --engine {flags} {common}"));
        }
        let mut case = Case::alone(&BFF_NOHEADS, Setup::eager(Engine::Jit, true), tape, 20);
        case.learnt.push((tape, 20));
        assert_eq!(commands(&case), None);
    }

    #[test]
    fn minutes_are_above_nothing() {
        assert_eq!(parse_minutes("0.5"), Ok(Duration::from_secs(30)));
        for wrong in ["0", "-1", "x", "nan", "1e9"] {
            assert!(parse_minutes(wrong).is_err(), "{wrong}");
        }
    }
}
