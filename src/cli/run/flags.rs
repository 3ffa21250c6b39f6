//! The flags of `broth run`. Their help texts are here; what they mean is in the table of
//! settings, by which their values are taken from the command line.

use std::path::PathBuf;

use broth::engine::Engine;
use broth::format::parse_number;
use broth::language::Language;
use broth::measure::row::on_request;
use broth::run::folder::settings::{
    Kind, NONE, Row, TABLE, parse_grid, parse_probability, seed_value,
};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use toml::Table;

use crate::cli::engine::{EngineArgs, parse_engine};
#[cfg(feature = "view")]
use crate::cli::page::PageArgs;
use crate::cli::{checkpoint, number, parse_language};

const EXAMPLES: &str = "\
Examples:
  broth run --seed 29 --log-interval 16
      a soup that comes alive at epoch 945
  broth run --lang forthtrivial --seed random --stop-high-order-entropy 3
      a different soup each time, until it is alive
  broth run --grid 240x135 --radius 2 --max-epochs 4096 --out world
      programs on a grid, meeting their neighbours
  broth run --world zff --seed 3 --max-epochs 20000
      Z80 programs on a grid, as in zff: first push copiers, later block copiers
  broth run --world long-tape --lang i8080
      one tape whose ends are joined, run from random places
  broth run --seed 29 --frames frames --frame-interval 4
      pictures of the soup while it runs, for `broth film frames`
  broth run --resume runs/bff_noheads-seed-29 --max-epochs 32768
      resume a run: the same bytes as if it had never stopped
  broth run --engine jit --no-closed-forms --jit-cache-mib 16
      the same soup without closed forms, with at most 16 MiB of native code
  broth run --resume runs/bff_noheads-seed-29 --stop-high-order-entropy none
      resume a run that met this rule
  broth run --settings runs/bff_noheads-seed-29/settings.toml --seed 30
      a new run with the settings of another
  broth run --load runs/bff_noheads-seed-29/checkpoints/0000001025.dat
      a new run from a checkpoint of broth, with the soup's settings from its sidecar
  broth run --load cubff/0000000512.dat --lang bff --seed 7
      start from a checkpoint of cubff

A switch is on where it is given, as in --torus; --torus=false turns it off where --settings or a
sidecar has it on. Numbers may be written as 131072, 131,072, 131k, 1e6, 2^17 or 0x1d.

Ctrl-C finishes the current epoch, writes a checkpoint and says how to resume.";

/// What is given on the command line.
pub(crate) struct RunArgs {
    /// The settings, by their names.
    pub given: Result<Table, String>,
    pub out: Option<PathBuf>,
    pub load: Option<PathBuf>,
    pub settings: Option<PathBuf>,
    pub checkpoint: checkpoint::CheckpointArgs,
    pub resume: Option<PathBuf>,
    pub threads: Option<u16>,
    pub quiet: bool,
    pub json: bool,
    #[cfg(feature = "view")]
    pub page: PageArgs,
}

impl Args for RunArgs {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command).mut_args(|arg| {
            if ["port", "host", "open"].contains(&arg.get_id().as_str()) {
                return arg.requires("view");
            }
            let Some(row) = arg.get_long().and_then(Row::of) else {
                return arg;
            };
            let arg = if row.kind == Kind::Switch {
                as_switch(arg)
            } else {
                arg
            };
            // A resumed run takes from its folder what it must not change.
            if row.is_changeable {
                arg
            } else {
                arg.conflicts_with("resume")
            }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        RunArgs::augment_args(command)
    }
}

impl FromArgMatches for RunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<RunArgs, clap::Error> {
        let given = given(matches);
        let flags = Flags::from_arg_matches(matches)?;
        Ok(RunArgs {
            given,
            out: flags.records.out,
            load: flags.load,
            settings: flags.settings,
            checkpoint: flags.checkpoint,
            resume: flags.resume,
            threads: flags.threads,
            quiet: flags.quiet,
            json: flags.json,
            #[cfg(feature = "view")]
            page: flags.page,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = RunArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A flag that needs no value, and that `=false` turns off where a file has it on.
pub(in crate::cli) fn as_switch(arg: Arg) -> Arg {
    arg.num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_name("BOOL")
        .hide_possible_values(true)
}

/// The settings that are given, by their names; a checkpoint to load is not among them.
pub(in crate::cli) fn given(matches: &ArgMatches) -> Result<Table, String> {
    let mut table = Table::new();
    for row in TABLE.iter().filter(|row| row.name != "load") {
        let id = row.name.replace('-', "_");
        if let Ok(Some(mut values)) = matches.try_get_raw(&id)
            && matches.value_source(&id) == Some(ValueSource::CommandLine)
            && let Some(value) = values.next()
        {
            let text = value.to_str().ok_or_else(|| {
                format!(
                    "--{} {}: settings.toml holds text only; choose a path that is text",
                    row.name,
                    value.display()
                )
            })?;
            let value = match row.kind {
                Kind::Seed if text == RANDOM => seed_value(rand::random()),
                _ => row.value_of(text)?,
            };
            table.insert(row.name.into(), value);
        }
    }
    Ok(table)
}

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
struct Flags {
    #[command(flatten)]
    soup: SoupArgs,

    #[command(flatten)]
    records: RecordArgs,

    /// End after exactly this many epochs [default: 16384]
    #[arg(long, value_name = "EPOCHS", help_heading = "Run", value_parser = number::count)]
    max_epochs: Option<u64>,

    /// End at the first log point with high-order entropy above this, in bits per byte; here and
    /// in the next two flags, `none` lifts the rule that a run or a settings file has
    #[arg(long, value_name = "BITS", help_heading = "Run", value_parser = parse_real_or_none)]
    stop_high_order_entropy: Option<String>,

    /// End at the first log point with brotli's bits per byte below this
    #[arg(long, value_name = "BITS", help_heading = "Run", value_parser = parse_real_or_none)]
    stopping_bpb: Option<String>,

    /// End at the first log point with at least this many replicators (score of 5 or more)
    #[arg(long, value_name = "PROGRAMS", help_heading = "Run", value_parser = parse_count_or_none)]
    stopping_selfrep_count: Option<String>,

    /// What runs the tapes; affects only the speed: reference (step by step), interpreter, jit
    /// (native code for every hot loop, and for programs where it pays), auto (native code where it
    /// pays) [default: auto]
    #[arg(long, value_name = "ENGINE", help_heading = "Engine", value_parser = parse_engine)]
    engine: Option<Engine>,

    #[command(flatten)]
    how: EngineArgs,

    /// Threads to run on; affects only the speed [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run",
          value_parser = number::threads)]
    threads: Option<u16>,

    /// Start from a checkpoint of broth or cubff, or from a run folder's newest one: programs,
    /// epochs done and next reset come from it, the soup's settings from its sidecar; without a
    /// sidecar --lang must be given
    #[arg(long, value_name = "PATH", help_heading = "Run",
          conflicts_with_all = ["num", "tape_bytes", "initial_program", "initial_index"])]
    load: Option<PathBuf>,

    /// Start a new run with the settings in this file, a run's settings.toml or one written by
    /// hand; flags take precedence
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    settings: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Run")]
    checkpoint: checkpoint::CheckpointArgs,

    /// Resume the run in this folder; of the other flags, only --max-epochs, --keep, --no-picture,
    /// --threads, --quiet, --json, --view, stop rules and those of the engine may be given
    #[arg(long, value_name = "DIR", help_heading = "Run", conflicts_with_all = ["out", "settings", "override_settings"])]
    resume: Option<PathBuf>,

    #[cfg(feature = "view")]
    #[command(flatten)]
    page: PageArgs,

    /// Show nothing but errors
    #[arg(long, short, help_heading = "Run")]
    quiet: bool,

    /// Write the summary as JSON to standard output
    #[arg(long, help_heading = "Run")]
    json: bool,
}

/// What determines the soup.
#[derive(Args)]
#[command(next_help_heading = "Soup")]
pub(in crate::cli) struct SoupArgs {
    /// What the bytes mean; `broth languages` lists them [default: bff_noheads; in zff z80]
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// Layout of the programs: pairs (separate programs, two of which meet), zff (a grid of 200 x
    /// 200 Z80 programs; an epoch is a batch of zff), long-tape (one tape whose ends are joined)
    /// [default: pairs]
    #[arg(long, value_name = "WORLD")]
    world: Option<String>,

    /// Number of programs, even; for a long tape, its length in programs [default: 131072, or what
    /// --grid holds]
    #[arg(long, value_name = "N", value_parser = number::count)]
    num: Option<u64>,

    /// Bytes of the long tape, a power of two [default: 65536]
    #[arg(long, value_name = "N", conflicts_with = "num", value_parser = number::count)]
    tape_bytes: Option<u64>,

    /// On the long tape, how many bytes ahead of the BFF family's first head the second one starts
    /// [default: 0]
    #[arg(long, value_name = "BYTES", value_parser = number::count)]
    head_offset: Option<u64>,

    /// Seed of every random number, below 2^64; `random` draws one and prints it [default: 0]
    #[arg(long, value_name = "SEED", value_parser = parse_seed)]
    seed: Option<String>,

    /// Steps after which an interaction ends [default: 8192; z80 512, in zff 128; on the
    /// long tape 1024]
    #[arg(long, value_name = "STEPS", value_parser = number::any::<u32>)]
    max_steps: Option<u32>,

    /// Probability that a byte mutates before an interaction, as a number or a fraction; in zff
    /// mutations per pair, on the long tape per step [default: 1/4096; in zff 1/16, on the long
    /// tape 1/8192]
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    mutation_prob: Option<f64>,

    /// Start, and reset, with zeros instead of random bytes
    #[arg(long)]
    zero_init: Option<bool>,

    /// Program text that overwrites the first bytes of a program in the first soup
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    initial_program: Option<String>,

    /// Index of the program that --initial-program overwrites [default: 0]
    #[arg(long, value_name = "INDEX", value_parser = number::count)]
    initial_index: Option<u64>,

    /// Refill the soup at this interval: with N, after 1, N + 1, 2N + 1, ... epochs
    #[arg(long, value_name = "EPOCHS", value_parser = parse_count_or_none)]
    reset_interval: Option<String>,

    /// Pair programs by a fixed pattern that depends only on the epoch (N a power of two)
    #[arg(long, conflicts_with_all = ["interaction_pattern", "grid", "no_permute_programs"])]
    fixed_shuffle: Option<bool>,

    /// Pair programs with their neighbours by index, on either side in turn
    #[arg(long)]
    no_permute_programs: Option<bool>,

    /// Let only the pairs listed in this file meet; a line `a b` lets program a meet program b
    #[arg(long, value_name = "FILE", conflicts_with = "grid")]
    interaction_pattern: Option<PathBuf>,

    /// Lay programs out on a grid, columns x rows; neighbours meet (Nx1 is a 1D world)
    #[arg(long, value_name = "WxH", value_parser = parse_grid_or_none)]
    grid: Option<String>,

    /// Maximum distance of neighbours on the grid, in columns and rows [default: 2]
    #[arg(long, value_name = "R", value_parser = number::count)]
    radius: Option<u64>,

    /// Join opposite edges of the grid: programs at an edge have neighbours at the other
    #[arg(long)]
    torus: Option<bool>,
}

/// What is written, and where to.
#[derive(Args)]
#[command(next_help_heading = "Records")]
struct RecordArgs {
    /// The run folder, which must not exist [default: runs/LANG-seed-SEED, with a number if taken]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Measure and log at this interval: with N, after 1, N + 1, 2N + 1, ... epochs [default: 64]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    log_interval: Option<u64>,

    /// Score every program as a replicator at each log point, and count those that
    /// score at least 5 (cubff) and 48 (Knierim et al.)
    #[arg(long)]
    eval_selfrep: Option<bool>,

    /// Let every byte carry a tracer token (epoch, position, char) through copies, and log how many
    /// distinct ones there are; BFF family only, slower
    #[arg(long)]
    tracers: Option<bool>,

    /// Measure this too at each log point, by the names of its columns, separated by commas
    #[arg(long, value_name = "NAMES", hide = on_request().next().is_none())]
    also_measure: Option<String>,

    /// Also write cubff's log, to this new file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Write a checkpoint at the end and at this interval, counted as for --log-interval [default:
    /// 1024]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    checkpoint_interval: Option<u64>,

    /// Keep only the newest K checkpoints; also with --resume [default: all]
    #[arg(long, value_name = "K", value_parser = number::at_least_one)]
    keep: Option<u64>,

    /// Folder for checkpoints [default: checkpoints in the run folder]
    #[arg(long, value_name = "DIR")]
    checkpoint_dir: Option<PathBuf>,

    /// Write pictures of the soup (frames) to this folder during the run, the newest also as
    /// latest.png; `broth film` makes a film of them
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,

    /// Write frames at this interval, counted as for --log-interval [default: 16]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    frame_interval: Option<u64>,

    /// Draw no picture of the soup at the end of the run; also with --resume
    #[arg(long)]
    no_picture: Option<bool>,
}

/// What stands for a seed that is drawn.
const RANDOM: &str = "random";

fn parse_seed(text: &str) -> Result<String, String> {
    if text != RANDOM {
        parse_number(text).map_err(|error| format!("{error}, or `random`"))?;
    }
    Ok(text.into())
}

/// Check a flag's text, unless it is `none`.
fn unless_none<T>(text: &str, parse: fn(&str) -> Result<T, String>) -> Result<String, String> {
    if text != NONE {
        parse(text)?;
    }
    Ok(text.into())
}

fn parse_count_or_none(text: &str) -> Result<String, String> {
    unless_none(text, number::count)
}

fn parse_real_or_none(text: &str) -> Result<String, String> {
    unless_none(text, |text| {
        let problem = "choose a number of bits per byte, as in 3 or 2.5, or `none`";
        text.parse::<f64>().map_err(|_| problem.to_string())
    })
}

fn parse_grid_or_none(text: &str) -> Result<String, String> {
    unless_none(text, parse_grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every flag of a setting has its row, and every row its flag.
    #[test]
    fn flags_are_rows_of_the_table() {
        let of_no_setting = [
            "out",
            "settings",
            "override-settings",
            "resume",
            "threads",
            "quiet",
            "json",
            "view",
            "port",
            "host",
            "open",
        ];
        let command = RunArgs::augment_args(Command::new("run"));
        let flags: Vec<&str> = command
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .collect();
        for flag in &flags {
            assert_eq!(
                Row::of(flag).is_none(),
                of_no_setting.contains(flag),
                "{flag}"
            );
        }
        for row in TABLE {
            assert_eq!(
                flags.contains(&row.name),
                row.name != "broth-version",
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn resume_goes_with_few_flags_only() {
        let free = [
            "max-epochs",
            "keep",
            "threads",
            "engine",
            "no-closed-forms",
            "no-picture",
            "jit-cache-mib",
            "stop-high-order-entropy",
            "stopping-bpb",
            "stopping-selfrep-count",
            "quiet",
            "json",
            "resume",
            "view",
            "port",
            "host",
            "open",
        ];
        let command = RunArgs::augment_args(Command::new("run"));
        for arg in command.get_arguments() {
            let conflicts = command.get_arg_conflicts_with(arg);
            let resume = command
                .get_arguments()
                .find(|arg| arg.get_id() == "resume")
                .unwrap();
            let of_resume = command.get_arg_conflicts_with(resume);
            let goes_not = conflicts.iter().any(|other| other.get_id() == "resume")
                || of_resume.iter().any(|other| other.get_id() == arg.get_id());
            let flag = arg.get_long().unwrap();
            assert_eq!(goes_not, !free.contains(&flag), "{flag}");
        }
    }
}
