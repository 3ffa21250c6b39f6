//! `broth run`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broth::engine::Engine;
use broth::format::thousands;
use broth::language::Language;
use broth::measure::ALIVE;
use broth::measure::replicators::Replicators;
use broth::measure::row::on_request;
use broth::plot::picture::frames::SoupPictures;
use broth::run::folder::Place;
use broth::run::folder::settings::{
    self as settings_file, NONE, VERSION, parse_grid, parse_probability, seed_value,
};
use broth::run::{Changes, End, LogPoint, Next, Observer, Run, StopRule, Summary, View};
use broth::soup::tokens::TokenMeasures;
use broth::{Error, Settings, Tally};
use clap::Args;
use toml::{Table, Value};

use super::checkpoint;
use super::engine::{EngineArgs, describe_native_code, no_native_code_warning, parse_engine};
use super::interrupt::Interrupt;
use super::paint::{BOLD, RESET};
use super::progress::{Progress, rates};
use super::{Failure, INTERRUPTED, parse_language, shown, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth run --seed 29 --log-interval 16
      a soup that comes alive at epoch 945
  broth run --lang forthtrivial --seed random --stop-high-order-entropy 3
      a soup of its own each time, until it lives
  broth run --grid 240x135 --radius 2 --max-epochs 4096 --out world
      programs on a grid, meeting their neighbours
  broth run --world zff --seed 3 --max-epochs 20000
      Z80 programs on a grid, as in zff: first they push, later they copy blocks
  broth run --world long-tape --lang i8080
      one tape whose ends are joined, run from random places
  broth run --seed 29 --frames frames --frame-interval 4
      pictures of the soup while it runs, for `broth film frames`
  broth run --resume runs/bff_noheads-seed-29 --max-epochs 32768
      go on with a run: the same bytes as if it had never stopped
  broth run --engine jit --no-closed-forms --jit-cache-mib 16
      the same soup by native code alone, in 16 MiB of it
  broth run --resume runs/bff_noheads-seed-29 --stop-high-order-entropy none
      go on with a run that met this rule
  broth run --settings runs/bff_noheads-seed-29/settings.toml --seed 30
      a new run with the settings of another
  broth run --load runs/bff_noheads-seed-29/checkpoints/0000001025.dat
      a new run from a checkpoint of broth, with the soup's settings from its sidecar
  broth run --load cubff/0000000512.dat --lang bff --seed 7
      start from a checkpoint of cubff

Ctrl-C ends the epoch, writes a checkpoint and says how to go on.";

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub struct RunArgs {
    #[command(flatten)]
    soup: SoupArgs,

    #[command(flatten)]
    records: RecordArgs,

    /// End after exactly so many epochs [default: 16384]
    #[arg(long, value_name = "EPOCHS", help_heading = "Run", value_parser = parse_count)]
    max_epochs: Option<u64>,

    /// End at the first log point with high-order entropy above this (bits per byte); of
    /// this and the next two, `none` lifts the rule of --resume or --settings
    #[arg(long, value_name = "BITS", help_heading = "Run", value_parser = parse_real_or_none)]
    stop_high_order_entropy: Option<Limit<f64>>,

    /// End at the first log point with brotli's bits per byte below this
    #[arg(long, value_name = "BITS", help_heading = "Run", value_parser = parse_real_or_none)]
    stopping_bpb: Option<Limit<f64>>,

    /// End at the first log point with at least so many replicators (score of 5 or more)
    #[arg(long, value_name = "PROGRAMS", help_heading = "Run", value_parser = parse_count_or_none)]
    stopping_selfrep_count: Option<Limit<u64>>,

    /// What runs the tapes; changes the speed only: reference (step by step),
    /// interpreter, jit (native code of every hot loop, and of programs where it pays),
    /// auto (native code where it pays) [default: auto]
    #[arg(long, value_name = "ENGINE", help_heading = "Engine", value_parser = parse_engine)]
    engine: Option<Engine>,

    #[command(flatten)]
    how: EngineArgs,

    /// Threads to run on; changes the speed only [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Start from a checkpoint of broth or cubff: programs, epochs done and next reset come
    /// from it, the soup's settings from its sidecar; without a sidecar --lang must be given
    #[arg(long, value_name = "FILE", help_heading = "Run",
          conflicts_with_all = ["num", "initial_program"])]
    load: Option<PathBuf>,

    /// Start a new run with the settings in this file, a run's settings.toml or one written
    /// by hand; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    settings: Option<PathBuf>,

    #[command(flatten)]
    checkpoint: checkpoint::CheckpointArgs,

    /// Go on with the run in this folder; everything comes from it, and only --max-epochs,
    /// --keep, --threads, --quiet, stop rules and what is said of the engine may be given
    #[arg(long, value_name = "DIR", help_heading = "Run", conflicts_with_all = NOT_WITH_RESUME)]
    resume: Option<PathBuf>,

    /// Show nothing but errors
    #[arg(long, short, help_heading = "Run")]
    quiet: bool,
}

/// What determines the soup.
#[derive(Args)]
#[command(next_help_heading = "Soup")]
struct SoupArgs {
    /// What the bytes mean; `broth languages` lists them [default: bff_noheads; in zff z80]
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// Where programs are: pairs (each its own, two meet), zff (a grid of 200 x 200 Z80
    /// programs; an epoch is a batch of zff), long-tape (one tape whose ends are joined)
    /// [default: pairs]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,

    /// Number of programs, even; of a long tape, its bytes by those of a program
    /// [default: 131072, or what --grid holds]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    num: Option<u64>,

    /// Bytes of the long tape, a power of two [default: 65536]
    #[arg(long, value_name = "N", conflicts_with_all = ["num", "load"], value_parser = parse_count)]
    tape_bytes: Option<u64>,

    /// On the long tape, how many bytes ahead of the first head of the BFF family the
    /// second one starts [default: 0]
    #[arg(long, value_name = "BYTES", value_parser = parse_count)]
    head_offset: Option<u64>,

    /// Seed of every random number, below 2^64; `random` draws one and prints it [default: 0]
    #[arg(long, value_name = "SEED", value_parser = parse_seed)]
    seed: Option<Seed>,

    /// Steps after which an interaction ends [default: 8192; z80 512, in zff 128; on the
    /// long tape 1024]
    #[arg(long, value_name = "STEPS")]
    max_steps: Option<u32>,

    /// Chance of a byte to mutate before an interaction: a number or a fraction; in zff
    /// mutations for each pair, on the long tape for each step [default: 1/4096; in zff
    /// 1/16, on the long tape 1/8192]
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    mutation_prob: Option<f64>,

    /// Start, and restart, from zeros instead of random bytes
    #[arg(long)]
    zero_init: bool,

    /// Program text that overwrites the first bytes of program 0 in the first soup
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    initial_program: Option<String>,

    /// Start afresh after epochs e (from 0) divisible by this
    #[arg(long, value_name = "EPOCHS", value_parser = parse_count_or_none)]
    reset_interval: Option<Limit<u64>>,

    /// Pair programs by a fixed pattern that depends on the epoch alone (N a power of two)
    #[arg(long, conflicts_with_all = ["interaction_pattern", "grid", "no_permute_programs"])]
    fixed_shuffle: bool,

    /// Pair programs with their neighbours by index, in turns
    #[arg(long)]
    no_permute_programs: bool,

    /// Only let programs meet that a file names: a line `a b` lets a meet b
    #[arg(long, value_name = "FILE", conflicts_with = "grid")]
    interaction_pattern: Option<PathBuf>,

    /// Lay programs out on a grid, columns x rows; neighbours meet (Nx1 is a 1D world)
    #[arg(long, value_name = "WxH", value_parser = parse_grid_or_none)]
    grid: Option<String>,

    /// How many columns and rows away neighbours on the grid are [default: 2]
    #[arg(long, value_name = "R", value_parser = parse_count)]
    radius: Option<u64>,

    /// Join opposite edges of the grid: programs at an edge have neighbours at the other
    #[arg(long)]
    torus: bool,
}

/// What is written, and where to.
#[derive(Args)]
#[command(next_help_heading = "Records")]
struct RecordArgs {
    /// The run folder, new [default: runs/LANG-seed-SEED, numbered on where taken]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Measure and log after epochs e (from 0) divisible by this [default: 64]
    #[arg(long, value_name = "EPOCHS", value_parser = parse_count)]
    log_interval: Option<u64>,

    /// Score every program as a replicator at each log point, and count those that
    /// score at least 5 (cubff) and 48 (Knierim et al.)
    #[arg(long)]
    eval_selfrep: bool,

    /// Have every byte carry a tracer token (epoch, position, char) through copies, and
    /// log how many distinct ones there are; BFF family, slower
    #[arg(long)]
    tracers: bool,

    /// Measure this too at each log point, by the names of its columns, separated by commas
    #[arg(long, value_name = "NAMES", hide = on_request().next().is_none())]
    also_measure: Option<String>,

    /// Write cubff's log too, to this new file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Write a checkpoint after epochs e (from 0) divisible by this, and at the end
    /// [default: 1024]
    #[arg(long, value_name = "EPOCHS", value_parser = parse_count)]
    checkpoint_interval: Option<u64>,

    /// Keep the newest K checkpoints only; also with --resume [default: all]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=i64::MAX.cast_unsigned()))]
    keep: Option<u64>,

    /// Where checkpoints go [default: checkpoints in the run folder]
    #[arg(long, value_name = "DIR")]
    checkpoint_dir: Option<PathBuf>,

    /// Write pictures of the soup while it runs to this folder; `broth film` makes a film
    /// of them
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,

    /// Write them after epochs e (from 0) divisible by this [default: 16]
    #[arg(long, value_name = "EPOCHS", value_parser = parse_count)]
    frame_interval: Option<u64>,
}

/// Everything that a resumed run takes from its folder.
const NOT_WITH_RESUME: [&str; 30] = [
    "lang",
    "world",
    "tape_bytes",
    "head_offset",
    "torus",
    "num",
    "seed",
    "max_steps",
    "mutation_prob",
    "zero_init",
    "initial_program",
    "reset_interval",
    "fixed_shuffle",
    "no_permute_programs",
    "interaction_pattern",
    "grid",
    "radius",
    "out",
    "log_interval",
    "log",
    "checkpoint_interval",
    "checkpoint_dir",
    "frames",
    "frame_interval",
    "eval_selfrep",
    "tracers",
    "also_measure",
    "load",
    "settings",
    "override_settings",
];

#[derive(Clone, Copy)]
enum Seed {
    Given(u64),
    Random,
}

fn parse_seed(text: &str) -> Result<Seed, String> {
    match text {
        "random" => Ok(Seed::Random),
        _ => text
            .parse()
            .map(Seed::Given)
            .map_err(|_| "choose a whole number from 0 to 2^64 - 1, or `random`".into()),
    }
}

/// A number, or `none`.
#[derive(Clone, Copy)]
enum Limit<T> {
    None,
    At(T),
}

impl<T> Limit<T> {
    fn at(self) -> Option<T> {
        match self {
            Limit::None => None,
            Limit::At(limit) => Some(limit),
        }
    }
}

fn parse_count_or_none(text: &str) -> Result<Limit<u64>, String> {
    if text == NONE {
        return Ok(Limit::None);
    }
    parse_count(text).map(Limit::At)
}

fn parse_real_or_none(text: &str) -> Result<Limit<f64>, String> {
    if text == NONE {
        return Ok(Limit::None);
    }
    let number = text.parse().map(Limit::At);
    number.map_err(|error: std::num::ParseFloatError| error.to_string())
}

fn parse_grid_or_none(text: &str) -> Result<String, String> {
    if text != NONE {
        parse_grid(text)?;
    }
    Ok(text.into())
}

/// A number that fits into a settings file.
fn parse_count(text: &str) -> Result<u64, String> {
    let count: u64 = text
        .parse()
        .map_err(|error: std::num::ParseIntError| error.to_string())?;
    if i64::try_from(count).is_err() {
        return Err(format!("choose a number up to {}", i64::MAX));
    }
    Ok(count)
}

impl RunArgs {
    /// The settings that are given, by the names of their flags.
    fn given(&self) -> Result<Table, Error> {
        let integer = |number: u64| Value::Integer(number.cast_signed());
        let number = |number: Option<u64>| number.map(integer);
        let switch = |is_set: bool| is_set.then_some(Value::Boolean(true));
        let none = || Value::String(NONE.into());
        let real = |limit: Option<Limit<f64>>| {
            limit.map(|limit| limit.at().map_or_else(none, Value::Float))
        };
        let counted =
            |limit: Option<Limit<u64>>| limit.map(|limit| limit.at().map_or_else(none, integer));
        let path = |flag: &str, path: &Option<PathBuf>| {
            let text = path.as_ref().map(|path| match path.to_str() {
                Some(text) => Ok(Value::String(text.into())),
                None => Err(Error::Usage(format!(
                    "--{flag} {}: settings.toml holds text only; choose a path that is text",
                    path.display()
                ))),
            });
            text.transpose()
        };
        let (soup, records) = (&self.soup, &self.records);
        let values = [
            ("lang", soup.lang.map(|it| Value::String(it.name.into()))),
            ("world", soup.world.clone().map(Value::String)),
            ("num", number(soup.num)),
            ("tape-bytes", number(soup.tape_bytes)),
            ("head-offset", number(soup.head_offset)),
            (
                "seed",
                soup.seed.map(|seed| match seed {
                    Seed::Given(seed) => seed_value(seed),
                    Seed::Random => seed_value(rand::random()),
                }),
            ),
            ("max-steps", number(soup.max_steps.map(u64::from))),
            ("mutation-prob", soup.mutation_prob.map(Value::Float)),
            ("zero-init", switch(soup.zero_init)),
            (
                "initial-program",
                soup.initial_program.clone().map(Value::String),
            ),
            ("reset-interval", counted(soup.reset_interval)),
            ("fixed-shuffle", switch(soup.fixed_shuffle)),
            ("no-permute-programs", switch(soup.no_permute_programs)),
            (
                "interaction-pattern",
                path("interaction-pattern", &soup.interaction_pattern)?,
            ),
            ("grid", soup.grid.clone().map(Value::String)),
            ("radius", number(soup.radius)),
            ("torus", switch(soup.torus)),
            ("log-interval", number(records.log_interval)),
            ("eval-selfrep", switch(records.eval_selfrep)),
            ("tracers", switch(records.tracers)),
            (
                "also-measure",
                records.also_measure.clone().map(Value::String),
            ),
            ("log", path("log", &records.log)?),
            ("checkpoint-interval", number(records.checkpoint_interval)),
            ("keep", number(records.keep)),
            (
                "checkpoint-dir",
                path("checkpoint-dir", &records.checkpoint_dir)?,
            ),
            ("frames", path("frames", &records.frames)?),
            ("frame-interval", number(records.frame_interval)),
            ("max-epochs", number(self.max_epochs)),
            (
                "stop-high-order-entropy",
                real(self.stop_high_order_entropy),
            ),
            ("stopping-bpb", real(self.stopping_bpb)),
            (
                "stopping-selfrep-count",
                counted(self.stopping_selfrep_count),
            ),
            (
                "engine",
                self.engine.map(|it| Value::String(it.name().into())),
            ),
            (
                "no-closed-forms",
                self.how
                    .closed_forms()
                    .map(|use_them| Value::Boolean(!use_them)),
            ),
            (
                "jit-cache-mib",
                number(self.how.jit_cache_mib().map(u64::from)),
            ),
        ];
        Ok(values
            .into_iter()
            .filter_map(|(flag, value)| Some((flag.into(), value?)))
            .collect())
    }

    /// What a resumed run is to do otherwise.
    fn changes(&self) -> Changes {
        Changes {
            max_epochs: self.max_epochs,
            keep: self.records.keep,
            engine: self.engine,
            closed_forms: self.how.closed_forms(),
            jit_cache_bytes: self.how.jit_cache_bytes(),
            stop_high_order_entropy: self.stop_high_order_entropy.map(Limit::at),
            stopping_bpb: self.stopping_bpb.map(Limit::at),
            stopping_selfrep_count: self.stopping_selfrep_count.map(Limit::at),
        }
    }
}

pub fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let quiet = args.quiet;
    let threads = start_threads(args.threads)?;

    let interrupt = Interrupt::finishing(
        "finishing this epoch, writing a checkpoint; once more to stop without it",
        quiet,
    )?;
    let (run, notes) = match &args.resume {
        Some(path) => {
            let run = Run::resume(path, &args.changes(), Some(&SoupPictures))?;
            (run, Vec::new())
        }
        None => create(args)?,
    };
    let settings = run.soup().settings().clone();
    let folder = run.folder().path().to_path_buf();
    let epochs_done = run.soup().epochs_done();
    let mut progress = Progress::new(quiet, &run);
    progress.leaves_room_for(&interrupt);
    for problem in run.skipped() {
        progress.say(&format!("passed over: {problem}"));
    }
    progress.say(&format!(
        "broth {VERSION}: {}, {} programs, seed {}, {threads} thread{}{}, in {}",
        settings.language,
        thousands(settings.num_programs),
        settings.seed,
        if threads == 1 { "" } else { "s" },
        match epochs_done {
            0 => String::new(),
            done => format!(", from epoch {}", thousands(done as usize)),
        },
        folder.display(),
    ));
    for note in &notes {
        progress.say(note);
    }
    if let Some(why) = run.soup().runner().no_native_code() {
        progress.say(&no_native_code_warning(why));
    }
    let now = Arc::new(AtomicU64::new(epochs_done));
    interrupt.last_words({
        let (now, saved_at, folder) = (now.clone(), run.saved_at(), folder.clone());
        move || {
            let now = now.load(Ordering::Relaxed);
            what_is_lost(saved_at.epochs_done(), epochs_done, now, &folder)
        }
    });
    let result = run.go(
        interrupt.flag(),
        &mut Telling {
            now: &now,
            progress: &mut progress,
        },
    );
    progress.finish();
    let summary = match result {
        Ok(summary) => summary,
        Err(error) => {
            let folder = shown(&folder);
            // The error itself counts, even where nobody can read this.
            let _ = writeln!(
                anstream::stderr(),
                "broth: what is in {folder} so far stays good"
            );
            return Err(error.into());
        }
    };
    if !quiet {
        show(&settings, &folder, &summary)?;
    }
    Ok(match summary.end {
        End::Interrupted => ExitCode::from(INTERRUPTED),
        End::Finished | End::Stopped(_) => ExitCode::SUCCESS,
    })
}

/// A new run, and what is to be said of where its settings come from.
fn create(args: RunArgs) -> Result<(Run, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let flags = args.given()?;
    let mut given = flags.clone();
    if let Some(path) = &args.settings {
        let file = if path.is_dir() {
            path.join("settings.toml")
        } else {
            path.clone()
        };
        let in_file = settings_file::read_as_flags(&file)?;
        given = settings_file::with_given(&in_file, &flags);
        notes.push(settings_note(&file, &in_file, &flags));
    }
    let load = match given.remove("load") {
        Some(Value::String(path)) if args.load.is_none() => Some(path.into()),
        _ => args.load,
    };
    let (settings, mut plan, start) = match &load {
        Some(path) => {
            let loaded = args.checkpoint.load_to_run(path, &given)?;
            notes.extend(checkpoint::notes(path, &loaded, None));
            (loaded.settings, loaded.plan, Some(loaded.checkpoint))
        }
        None => {
            let (settings, plan) = settings_file::from_flags(&given, Path::new(""))?;
            (settings, plan, None)
        }
    };
    plan.load = load;
    let place = match args.records.out {
        Some(path) => Place::At(path),
        None => Place::Numbered(
            "runs".into(),
            format!("{}-seed-{}", settings.language, settings.seed),
        ),
    };
    let pictures = Some(&SoupPictures as _);
    let run = Run::create(settings, plan, &place, start, pictures)?;
    Ok((run, notes))
}

/// Shows a run, and tells how many epochs are done.
struct Telling<'a> {
    now: &'a AtomicU64,
    progress: &'a mut Progress,
}

impl Observer for Telling<'_> {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.now.store(soup.epochs_done, Ordering::Relaxed);
        self.progress.epoch(soup, tally)
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        self.progress.logged(point)
    }
}

/// What a run loses that ends at once: `saved_at` is how many epochs are done at its newest
/// checkpoint, `begun` at the soup that it began with, `now` at that of this moment.
fn what_is_lost(saved_at: Option<u64>, begun: u64, now: u64, folder: &Path) -> String {
    let saved = saved_at.unwrap_or(begun);
    let since = match saved_at {
        Some(epochs) => format!("the newest checkpoint is that after epoch {epochs}"),
        None => "there is no checkpoint yet".into(),
    };
    let lost = match now.saturating_sub(saved) {
        0 => "no epoch is lost".into(),
        1 => format!("1 epoch is lost, number {now}"),
        many => format!("{many} epochs are lost, {} to {now}", saved + 1),
    };
    let folder = folder.display();
    format!("stopped: {lost}, since {since}; go on with  broth run --resume {folder}")
}

/// That settings come from a file, and which flags win over it.
fn settings_note(file: &Path, in_file: &Table, flags: &Table) -> String {
    let winning: Vec<String> = flags
        .iter()
        .filter_map(|(flag, value)| {
            let there = in_file.get(flag).filter(|there| *there != value)?;
            Some(format!("{flag} {value} (not {there})"))
        })
        .collect();
    let file = file.display();
    if winning.is_empty() {
        format!("settings are those of {file}")
    } else {
        format!(
            "settings are those of {file}, except as flags say: {}",
            winning.join(", ")
        )
    }
}

fn show(settings: &Settings, folder: &Path, summary: &Summary) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    let what = match summary.end {
        End::Finished => "finished",
        End::Stopped(StopRule::HighOrderEntropyAbove(_)) => "stopped, entropy is high enough",
        End::Stopped(StopRule::BitsPerByteBelow(_)) => "stopped, it compresses well enough",
        End::Stopped(StopRule::ReplicatorsAtLeast(_)) => "stopped, there are replicators enough",
        End::Interrupted => "interrupted",
    };
    writeln!(
        out,
        "{BOLD}{}, seed {}{RESET}: {what} after {} epochs",
        settings.language,
        settings.seed,
        thousands(summary.epochs_done as usize)
    )?;
    if summary.epochs_here > 0 {
        writeln!(
            out,
            "speed       {} epochs in {}  {}",
            thousands(summary.epochs_here as usize),
            duration(summary.elapsed),
            rates(
                summary.epochs_here as f64 / seconds,
                summary.tally.interactions as f64 / seconds
            )
        )?;
    }
    if let Some(cache) = &summary.native {
        let [made, share] = describe_native_code(cache, &summary.tally);
        writeln!(out, "native      {made}")?;
        writeln!(out, "            {share}")?;
    }
    let entropy = match summary.high_order_entropy {
        Some(entropy) => format!("; high-order entropy at the last log point {entropy:.3}"),
        None => String::new(),
    };
    match summary.alive_at {
        Some(epoch) => writeln!(out, "alive       at epoch {epoch}{entropy}")?,
        None => writeln!(out, "alive       not yet (entropy above {ALIVE}){entropy}")?,
    }
    if let Some(Replicators { cubff, knierim }) = summary.replicators {
        let first = match summary.replicators_at {
            Some(epoch) => format!("first at epoch {epoch}"),
            None => "not yet (score of 48 or more)".into(),
        };
        writeln!(
            out,
            "replicators {first}; at the last log point {} score 48 or more, {} at least 5",
            thousands(knierim as usize),
            thousands(cubff as usize)
        )?;
    }
    if let Some(TokenMeasures {
        distinct,
        commonest_share,
    }) = summary.tokens
    {
        writeln!(
            out,
            "tokens      {} distinct at the last log point, the commonest is {:.2} % of all",
            thousands(distinct as usize),
            100.0 * commonest_share
        )?;
    }
    let (folder, checkpoint) = (shown(folder), shown(&summary.checkpoint));
    writeln!(out, "folder      {folder}")?;
    writeln!(out, "checkpoint  {checkpoint}")?;
    if let Some(picture) = &summary.picture {
        writeln!(out, "picture     {}", shown(picture))?;
    }
    if let End::Stopped(rule) = summary.end {
        writeln!(
            out,
            "go on with  broth run --resume {folder} --{} none",
            rule.setting()
        )?;
    }
    if summary.end == End::Interrupted {
        writeln!(out, "go on with  broth run --resume {folder}")?;
    }
    Ok(())
}

pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    #[test]
    fn resume_goes_with_few_flags_only() {
        let command = RunArgs::augment_args(Command::new("run"));
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str();
            let free = [
                "max_epochs",
                "keep",
                "threads",
                "engine",
                "no_closed_forms",
                "jit_cache_mib",
                "stop_high_order_entropy",
                "stopping_bpb",
                "stopping_selfrep_count",
                "quiet",
                "resume",
            ]
            .contains(&name);
            assert_eq!(NOT_WITH_RESUME.contains(&name), !free, "{name}");
        }
    }
}
