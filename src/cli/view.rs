//! `broth view`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::engine::Engine;
use broth::run::folder::settings::{Kind, Row, from_flags, with_given};
use broth::view::{PRESETS, Preset, Server, endless, view_folder, view_settings};
use broth::{Error, Settings};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use toml::Table;

use super::engine::{EngineArgs, parse_engine};
use super::interrupt::Interrupt;
use super::page::{AccessArgs, open};
use super::run::flags::{SoupArgs, as_switch, given};
use super::{Failure, INTERRUPTED, number, printable, say, source, start_threads};

const EXAMPLES: &str = "\
Examples:
  broth view
      a page with a soup that comes alive at epoch 945; press play
  broth view --preset spread --open
      a replicator spreads on a grid, in your browser at once
  broth view --lang forthtrivial --seed 7
      any soup that `broth run` has
  broth view runs/bff_noheads-seed-29
      a run folder, also one that a run is writing to
  broth view --host 0.0.0.0
      for others in your network, who need the whole address with its token

Nothing is written: what is seen can be repeated from the address in the browser. The page is served
to this machine only, unless --host says otherwise.";

/// What is given on the command line.
pub(super) struct ViewArgs {
    /// The settings, by their names.
    given: Result<Table, String>,
    flags: Flags,
}

impl Args for ViewArgs {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command).mut_args(|arg| {
            let row = arg.get_long().and_then(Row::of);
            if row.is_some_and(|row| row.kind == Kind::Switch) {
                as_switch(arg)
            } else {
                arg
            }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        ViewArgs::augment_args(command)
    }
}

impl FromArgMatches for ViewArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ViewArgs, clap::Error> {
        Ok(ViewArgs {
            given: given(matches),
            flags: Flags::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = ViewArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
struct Flags {
    /// A run folder to show, instead of a soup from settings
    run: Option<PathBuf>,

    /// Begin with the settings of a preset, except as other flags say: birth, spread, forth, z80,
    /// long-tape or small [default: birth, if no setting is given]
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "run",
        help_heading = "Page"
    )]
    preset: Option<String>,

    /// Run the soup at once, without waiting for somebody to press play
    #[arg(long, conflicts_with = "run", help_heading = "Page")]
    play: bool,

    #[command(flatten)]
    access: AccessArgs,

    #[command(flatten)]
    soup: SoupArgs,

    /// Measure and log at this interval: with N, after 1, N + 1, 2N + 1, ... epochs [default: 64]
    #[arg(long, value_name = "EPOCHS", help_heading = "Records", value_parser = number::count)]
    log_interval: Option<u64>,

    /// Score every program as a replicator at each log point, and count those that
    /// score at least 5 (cubff) and 48 (Knierim et al.)
    #[arg(long, help_heading = "Records")]
    eval_selfrep: Option<bool>,

    /// Let every byte carry a tracer token through copies, and log how many distinct ones there
    /// are; BFF family only, slower
    #[arg(long, help_heading = "Records")]
    tracers: Option<bool>,

    /// Pause after exactly this many epochs [default: never]
    #[arg(long, value_name = "EPOCHS", help_heading = "Run", value_parser = number::count)]
    max_epochs: Option<u64>,

    /// Pause at the first log point with high-order entropy above this (bits per byte)
    #[arg(long, value_name = "BITS", help_heading = "Run")]
    stop_high_order_entropy: Option<f64>,

    /// What runs the tapes; affects only the speed: reference, interpreter, jit, auto
    /// [default: auto]
    #[arg(long, value_name = "ENGINE", help_heading = "Engine", value_parser = parse_engine)]
    engine: Option<Engine>,

    #[command(flatten)]
    how: EngineArgs,

    /// Threads to run on; affects only the speed [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Run", value_parser = number::threads)]
    threads: Option<u16>,

    /// Print the address alone
    #[arg(long, short, help_heading = "Page")]
    quiet: bool,
}

pub(super) fn view(args: ViewArgs) -> Result<ExitCode, Failure> {
    let ViewArgs { given, flags } = args;
    let mut given = given.map_err(Error::Usage)?;
    // A run folder knows its own settings; what only changes the speed goes with it.
    let run = match &flags.run {
        Some(path) => {
            let of_soup = |name: &&String| Row::of(name).is_some_and(|it| !it.is_changeable);
            if let Some(name) = given.keys().find(of_soup) {
                let path = path.display();
                return Err(Error::Usage(format!(
                    "--{name} is for new soups; the run in {path} has settings of its own: leave \
                     it out"
                ))
                .into());
            }
            Some(source::run_of(path)?.folder)
        }
        None => None,
    };
    let preset = match &flags.preset {
        Some(name) => Some(Preset::named(name)?),
        None if given.is_empty() => PRESETS.first(),
        None => None,
    };
    if let Some(preset) = preset {
        given = with_given(&settings_of(preset)?, &given);
    }
    let (settings, mut plan) = from_flags(&given, Path::new(""))?;
    if !given.contains_key("max-epochs") {
        plan = endless(plan);
    }
    start_threads(flags.threads)?;
    let interrupt = Interrupt::finishing("closing the page's server", true)?;
    let server = flags.access.bind()?;
    tell(&server, &flags, run.as_deref(), &settings)?;
    match &run {
        Some(folder) => view_folder(server, folder, interrupt.flag())?,
        None => view_settings(server, settings, plan, flags.play, interrupt.flag())?,
    }
    Ok(ExitCode::from(INTERRUPTED))
}

fn settings_of(preset: &Preset) -> Result<Table, Error> {
    let mut table = Table::new();
    for (name, text) in preset.settings {
        let row = Row::of(name).ok_or_else(|| Error::Bug(format!("no setting {name}")))?;
        table.insert((*name).into(), row.value_of(text).map_err(Error::Usage)?);
    }
    Ok(table)
}

/// Say where the page is; open it if that is wanted.
fn tell(
    server: &Server,
    flags: &Flags,
    run: Option<&Path>,
    settings: &Settings,
) -> Result<(), Failure> {
    let what = match run {
        Some(folder) => format!("the run in {}", folder.display()),
        None => format!("{}, seed {}", settings.language, settings.seed),
    };
    let mut out = anstream::stdout().lock();
    if flags.quiet {
        writeln!(out, "{}", server.address())?;
    } else {
        writeln!(out, "{}: {}", printable(&what), server.address())?;
        writeln!(out, "Ctrl-C ends it")?;
    }
    out.flush()?;
    if flags.access.open && !open(server.address()) {
        say("no browser could be opened; open the address yourself")?;
    }
    Ok(())
}
