//! `broth sweep`

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use broth::Error;
use broth::format::thousands;
use broth::run::folder::settings::VERSION;
use broth::sweep::statistics::{AtEnd, Share, Watched};
use broth::sweep::{
    Ended, Event, Options, Outcome, Planned, Records, Seen, Shard, State, Summary, Sweep,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::interrupt::Interrupt;
use super::number::plural;
use super::output::write_json;
use super::paint::{BOLD, RESET};
use super::progress::{MovingLine, duration};
use super::{
    Failure, INTERRUPTED, message, number, number_of_threads, printable, program, say, shown,
};

const EXAMPLES: &str = "\
Examples:
  broth sweep experiments/paper.toml --dry-run
      what would be run, and what is done already
  broth sweep experiments/paper.toml
      run it; after Ctrl-C, a crash or a change of the file the same command continues
  broth sweep experiments/paper.toml --shard 3/16
      the third of sixteen parts, in a folder of its own
  broth sweep merge sweeps/paper-*-of-16 --out sweeps/paper
      join the tables of all parts
  broth figures sweeps/paper
      draw the results

A sweep file in short (docs/sweeps.md has the details):
  seeds = \"1-60\"
  [settings]                      # flags of `broth run`, for all runs
  max-epochs = 16384
  stop-high-order-entropy = 3
  [vary]                          # every combination of these
  mutation-prob = [0, \"1/4096\"]
  [[condition]]                   # or settings by name
  name = \"fixed shuffle\"
  fixed-shuffle = true";

#[derive(Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true,
          subcommand_negates_reqs = true)]
pub(super) struct SweepArgs {
    #[command(subcommand)]
    command: Option<SweepCommand>,

    /// The sweep file
    #[arg(required = true)]
    file: Option<PathBuf>,

    /// The folder for results, new or of this sweep [default: sweeps/NAME-OF-FILE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Total number of threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    /// Runs at once, which share the threads [default: one for each thread, as far as memory
    /// allows; one at a time for soups above a million programs]
    #[arg(long, value_name = "J", value_parser = number::threads)]
    jobs: Option<u16>,

    /// Run only one of several parts of the sweep, as in 3/16
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// List the runs and which of them are done; run nothing
    #[arg(long)]
    dry_run: bool,

    /// Save runs in progress this often; a crash costs at most that much of each
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = parse_seconds)]
    save_every: f64,

    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum SweepCommand {
    /// Join the tables of several parts of a sweep, or of several sweeps
    Merge(MergeArgs),
}

#[derive(Args)]
struct MergeArgs {
    /// Folders of sweeps, or their tables as CSV
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,

    /// The folder for the joined table and results: new, or that of a sweep, whose rows stay
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Show nothing but errors and what is left out
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=1e9).contains(seconds))
        .ok_or_else(|| "choose a number of seconds from 0 up".into())
}

pub(super) fn sweep(args: SweepArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        Some(SweepCommand::Merge(args)) => merge(args),
        None => run(args),
    }
}

fn merge(args: &MergeArgs) -> Result<ExitCode, Failure> {
    // Before anything is made.
    for source in &args.sources {
        std::fs::metadata(source).map_err(|error| Error::cannot("read", source, error))?;
    }
    let records = Records::open(&args.out)?;
    let merged = records.merge(&args.sources)?;
    let say = |line: String| {
        let _ = writeln!(anstream::stderr(), "broth: {}", printable(&line));
    };
    for error in &merged.skipped {
        say(format!("left out: {}", message::of(error)));
    }
    for (folder, count) in &merged.unlisted {
        say(format!(
            "{} has {} result{} that its table does not have yet: a sweep was killed there, or is \
             still running; start it again, and merge again, to have {} in the table",
            folder.display(),
            thousands(*count),
            if *count == 1 { "" } else { "s" },
            if *count == 1 { "it" } else { "them" },
        ));
    }
    if merged.rows_alone > 0 {
        say(format!(
            "{} of the runs came as rows of tables alone: a sweep that continues in {} runs them \
             again",
            thousands(merged.rows_alone),
            args.out.display()
        ));
    }
    if args.json {
        let skipped = merged.skipped.iter().map(ToString::to_string);
        write_json(&json!({
            "runs": merged.table.len(),
            "sources": args.sources.len(),
            "skipped": skipped.collect::<Vec<String>>(),
            "tables": tables_json(&records),
        }))?;
    } else if !args.quiet {
        let mut out = anstream::stdout();
        let [runs, sources] = [(merged.table.len(), "run"), (args.sources.len(), "source")]
            .map(|(count, what)| plural(count as u64, what));
        writeln!(out, "{runs} of {sources}")?;
        show_tables(&mut out, &records)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run(args: SweepArgs) -> Result<ExitCode, Failure> {
    let file = args.file.unwrap_or_default();
    if file.is_dir() {
        return Err(Error::Usage(format!(
            "{}: this is a folder; give the sweep file that says what is to be run (a sweep continues \
             by the command that started it)",
            file.display()
        ))
        .into());
    }
    let mut sweep = Sweep::read(&file)?;
    let mut name = sweep.name.clone();
    let keys = sweep.keys();
    if let Some(shard) = args.shard {
        sweep.take_shard(shard);
        name += &format!("-{}-of-{}", shard.number, shard.of);
    }
    let out = args.out.unwrap_or(PathBuf::from("sweeps").join(name));
    if args.dry_run {
        return list(&sweep, &Records::look(&out)?, args.json);
    }
    let records = Records::open(&out)?;
    records.check_is_of(&keys)?;
    let threads = number_of_threads(args.threads);
    let interrupt = Interrupt::finishing(
        "finishing an epoch of each run under way, saving it; once more to stop without that",
        args.quiet,
    )?;
    let mut screen = Screen::new(args.quiet);
    if let Some(line) = &screen.line {
        line.leaves_room_for(&interrupt);
    }
    interrupt.last_words({
        let unsaved = records.unsaved_epochs();
        move || what_is_lost(unsaved.load(Ordering::Relaxed))
    });
    let (known, skipped) = records.load(&sweep);
    for error in skipped {
        screen.say(&format!("skipped, and run again: {}", message::of(&error)));
    }
    let all = sweep.different_runs();
    let done = all.iter().filter(|run| is_done(run, &known)).count();
    screen.say(&format!(
        "broth {VERSION}: {} run{}, {} of them done already, {threads} thread{}, in {}",
        thousands(all.len()),
        if all.len() == 1 { "" } else { "s" },
        thousands(done),
        if threads == 1 { "" } else { "s" },
        out.display(),
    ));
    let options = Options {
        threads,
        jobs: args.jobs.map(usize::from),
        save_every: Duration::from_secs_f64(args.save_every),
    };
    let result = sweep.go(&records, &options, interrupt.flag(), &mut |event| {
        screen.see(event)
    });
    screen.finish();
    let summary = result?;
    if args.json {
        write_json(&to_json(&sweep, &records, &summary))?;
    } else if !args.quiet {
        show(&sweep, &records, &summary)?;
    }
    for (run, why) in &summary.failed {
        // The exit code tells, even where nobody can read this.
        let message = printable(&format!("{} failed: {why}", run.label()));
        let _ = writeln!(anstream::stderr(), "broth: {message}");
    }
    Ok(if summary.interrupted {
        ExitCode::from(INTERRUPTED)
    } else if summary.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a sweep loses that ends at once.
fn what_is_lost(unsaved: u64) -> String {
    let lost = match unsaved {
        0 => "no epoch is lost, all runs under way are saved".into(),
        1 => "1 epoch is lost, of a run under way since it was last saved".into(),
        many => {
            format!("{many} epochs are lost, those of runs under way since each was last saved")
        }
    };
    format!("stopped: {lost}; resume with  the same command")
}

fn is_done(run: &Planned, known: &HashMap<String, Outcome>) -> bool {
    known
        .get(&run.key)
        .is_some_and(|outcome| outcome.is_final(run))
}

/// What `--dry-run` shows.
fn list(sweep: &Sweep, records: &Records, as_json: bool) -> Result<ExitCode, Failure> {
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let (known, skipped) = records.load(sweep);
    for error in skipped {
        let line = format!("skipped: {}", printable(&message::of(&error)));
        if as_json {
            say(&line)?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    let runs = sweep.different_runs();
    let (mut done, mut interactions) = (0, 0_u128);
    let mut listed = Vec::new();
    for run in &runs {
        let combination = &run.combination;
        let state = match known.get(&run.key) {
            Some(outcome) if outcome.is_final(run) => {
                done += 1;
                describe(outcome)
            }
            known => {
                let saved = records.saved_epochs(run).unwrap_or(0);
                let pairs = combination.settings.num_programs as u128 / 2;
                let left = combination.plan.max_epochs.saturating_sub(saved);
                interactions += pairs * u128::from(left);
                match (known, saved) {
                    (Some(_), 0) => "to run again, with more time".into(),
                    (Some(_), _) => format!("to continue from epoch {saved}, with more time"),
                    (None, 0) => "to do".into(),
                    (None, _) => format!("to continue from epoch {saved}"),
                }
            }
        };
        if as_json {
            let is_done = is_done(run, &known);
            listed.push(json!({"key": run.key, "condition": combination.condition,
                               "seed": run.seed, "done": is_done, "state": state}));
        } else {
            writeln!(out, "{}  {}: {state}", run.key, printable(&run.label()))?;
        }
    }
    if as_json {
        write_json(&json!({
            "sweep": sweep.name,
            "done": done,
            "left": runs.len() - done,
            "interactions_left": interactions as f64,
            "runs": listed,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (all, left) = (runs.len() as u64, runs.len() - done);
    let cost = if left > 0 {
        let interactions = interactions as f64 / 1e9;
        format!(": {interactions:.4} G interactions if none ends early")
    } else {
        String::new()
    };
    writeln!(
        out,
        "{}, {} done, {} to do{cost}",
        plural(all, "run"),
        thousands(done),
        thousands(left)
    )?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What came of a run, in a few words.
fn describe(outcome: &Outcome) -> String {
    let alive = outcome.seen.as_ref().and_then(|seen| seen.alive_at);
    let what = match (alive, &outcome.why) {
        (Some(epoch), _) => format!("alive at epoch {epoch}"),
        (None, Some(why)) if outcome.ended == Ended::Failed => why.clone(),
        (None, _) => "not alive".into(),
    };
    format!(
        "{} after {}, {what}",
        outcome.ended.name(),
        plural(outcome.epochs, "epoch")
    )
}

/// The results of a sweep by condition.
type Conditions<'a> = Vec<(&'a str, Vec<&'a Outcome>)>;

fn conditions<'a>(sweep: &'a Sweep, known: &'a HashMap<String, Outcome>) -> Conditions<'a> {
    let mut conditions: Conditions<'a> = Vec::new();
    for run in &sweep.runs {
        let Some(outcome) = known.get(&run.key) else {
            continue;
        };
        let name = run.combination.condition.as_str();
        match conditions.last_mut().filter(|last| last.0 == name) {
            Some((_, outcomes)) => outcomes.push(outcome),
            None => conditions.push((name, vec![outcome])),
        }
    }
    conditions
}

/// The share of runs in which something happened, as `get` tells of each.
fn share_of(outcomes: &[&Outcome], get: fn(&Seen) -> Option<u64>) -> Option<AtEnd> {
    AtEnd::of(outcomes.iter().map(|it| {
        let event = it.seen.as_ref().and_then(get);
        let is_finished = it.ended == Ended::Finished;
        (Watched::until(event, it.epochs), is_finished)
    }))
}

/// Shares of all conditions, each with its interval.
fn show(sweep: &Sweep, records: &Records, summary: &Summary) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    writeln!(
        out,
        "{BOLD}{}{RESET}: {} done, {} left, {} failed; {} at {:.2} M interactions/s",
        printable(&sweep.name),
        plural(summary.done as u64, "run"),
        thousands(summary.left),
        thousands(summary.failed.len()),
        duration(summary.elapsed),
        summary.interactions as f64 / seconds / 1e6,
    )?;
    let (known, _) = records.load(sweep);
    let width = terminal_size::terminal_size_of(std::io::stdout()).map(|size| size.0.0);
    let shares = shares(&conditions(sweep, &known), width.map(usize::from));
    out.write_all(shares.as_bytes())?;
    show_tables(&mut out, records)?;
    if summary.interrupted {
        writeln!(out, "resume      the same command")?;
    } else {
        let figures = program::command(&format!("figures {}", program::path(records.path())));
        writeln!(out, "figures     {}", printable(&figures))?;
    }
    Ok(())
}

/// The share of runs that came alive under each condition. On a terminal that is too narrow for
/// one line each, they have three.
fn shares(conditions: &Conditions<'_>, width: Option<usize>) -> String {
    let rows: Vec<[String; 4]> = conditions
        .iter()
        .map(|(name, outcomes)| {
            let share = |get| share_of(outcomes, get).map(percent).unwrap_or_default();
            [
                plural(outcomes.len() as u64, "run"),
                share(|seen| seen.entropy_1_at),
                share(|seen| seen.alive_at),
                printable(name),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let lines = rows.iter().map(|[runs, above, alive, name]| {
        format!("  {runs:>11}  {above:<28}  {alive:<28}  {name}")
    });
    let mut lines: Vec<String> = lines.collect();
    let heading = "share of runs with high-order entropy above 1, and 3 (alive), 95 % interval:";
    lines.insert(0, heading.into());
    let fits = |line: &String| width.is_none_or(|width| line.chars().count() < width);
    if !lines.iter().all(fits) {
        lines = vec!["high-order entropy above 1, and".into()];
        lines.push("3 (alive), with 95 % intervals:".into());
        for [runs, above, alive, name] in rows {
            lines.push(format!("  {name}: {runs}"));
            lines.push(format!("    > 1  {above}"));
            lines.push(format!("    > 3  {alive}"));
        }
    }
    lines.join("\n") + "\n"
}

fn show_tables(out: &mut impl Write, records: &Records) -> std::io::Result<()> {
    writeln!(out, "table       {}", shown(&records.csv()))?;
    if cfg!(feature = "parquet") {
        writeln!(out, "            {}", shown(&records.parquet()))?;
    }
    Ok(())
}

/// The tables of some records, by their formats.
fn tables_json(records: &Records) -> Value {
    let parquet = cfg!(feature = "parquet").then(|| records.parquet().display().to_string());
    json!({"csv": records.csv().display().to_string(), "parquet": parquet})
}

fn to_json(sweep: &Sweep, records: &Records, summary: &Summary) -> Value {
    let (known, _) = records.load(sweep);
    let at_end = |it: AtEnd| {
        let Share { share, low, high } = it.share;
        json!({"runs": it.happened, "share": share, "low": low, "high": high})
    };
    let conditions = conditions(sweep, &known)
        .into_iter()
        .map(|(name, outcomes)| {
            json!({
                "condition": name,
                "runs": outcomes.len(),
                "entropy_1": share_of(&outcomes, |seen| seen.entropy_1_at).map(at_end),
                "alive": share_of(&outcomes, |seen| seen.alive_at).map(at_end),
            })
        });
    let failed = summary.failed.iter().map(|(run, why)| {
        json!({"key": run.key, "condition": run.combination.condition, "seed": run.seed,
               "why": why.to_string()})
    });
    json!({
        "sweep": sweep.name,
        "folder": records.path().display().to_string(),
        "tables": tables_json(records),
        "done": summary.done,
        "left": summary.left,
        "failed": failed.collect::<Vec<Value>>(),
        "interrupted": summary.interrupted,
        "interactions": summary.interactions,
        "seconds": summary.elapsed.as_secs_f64(),
        "conditions": conditions.collect::<Vec<Value>>(),
    })
}

fn percent(it: AtEnd) -> String {
    let Share { share, low, high } = it.share;
    let [share, low, high] = [share, low, high].map(|it| 100.0 * it);
    format!("{} = {share:.1} % ({low:.1} to {high:.1})", it.happened)
}

/// Time between plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);
/// Runs that take this long are worth a line of their own.
const WORTH_A_LINE: f64 = 2.0;

/// One display for all runs.
struct Screen {
    line: Option<MovingLine>,
    quiet: bool,
    started: Instant,
    shown: Instant,
}

impl Screen {
    fn new(quiet: bool) -> Screen {
        Screen {
            line: MovingLine::on_terminal().filter(|_| !quiet),
            quiet,
            started: Instant::now(),
            shown: Instant::now(),
        }
    }

    /// A line that stays. Where nobody can read it, the sweep continues all the same.
    fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{}", printable(line));
        };
        match &self.line {
            Some(line) => line.suspend(write),
            None if !self.quiet => write(),
            None => {}
        }
    }

    fn see(&mut self, event: Event<'_>) {
        match event {
            Event::Ended(run, outcome) => {
                if outcome.ended == Ended::Failed || outcome.seconds >= WORTH_A_LINE {
                    self.say(&format!("{}: {}", run.label(), describe(outcome)));
                }
            }
            Event::Passed(state) => match &self.line {
                Some(line) => {
                    let share = state.done as f64 / state.runs.max(1) as f64;
                    line.show(Some(share), &self.parts(&state));
                }
                None if self.shown.elapsed() >= PLAIN_INTERVAL => {
                    self.shown = Instant::now();
                    let parts = self.parts(&state);
                    let parts: Vec<String> =
                        parts.into_iter().filter(|part| !part.is_empty()).collect();
                    self.say(&parts.join("  "));
                }
                None => {}
            },
        }
    }

    /// What there is to say of a sweep, the most important first.
    fn parts(&self, state: &State<'_>) -> [String; 6] {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-9);
        let rate = state.interactions as f64 / elapsed;
        let failed = if state.failed == 0 {
            String::new()
        } else {
            format!("{} failed", state.failed)
        };
        let left = if rate > 0.0 {
            let seconds = (state.interactions_left as f64 / rate).min(1e12);
            let left = duration(Duration::from_secs_f64(seconds));
            format!("at most {left} left")
        } else {
            String::new()
        };
        let running = match state.under_way.as_slice() {
            [] => String::new(),
            [one] => format!("{} at epoch {}", printable(&one.run.label()), one.epochs),
            several => {
                let epochs = several.iter().map(|it| it.epochs.to_string());
                let epochs: Vec<String> = epochs.take(4).collect();
                let more = if several.len() > 4 { ", …" } else { "" };
                format!(
                    "{} in progress, at epochs {}{more}",
                    several.len(),
                    epochs.join(", ")
                )
            }
        };
        [
            format!("{}/{} runs", state.done, state.runs),
            failed,
            format!("{} alive", state.alive),
            left,
            format!("{:.2} M interactions/s", rate / 1e6),
            running,
        ]
    }

    fn finish(self) {
        if let Some(line) = &self.line {
            line.clear();
        }
    }
}
