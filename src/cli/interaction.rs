//! `broth show-interaction`, and how interactions are shown.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::engine::reference;
use broth::format::thousands;
use broth::language::{Language, PROGRAM_LEN, Tape};
use broth::run::replay::PastRun;
use broth::soup::interaction::{Interaction, Interactions, Which};
use clap::Args;

use super::exec::write_step;
use super::interrupt::Interrupt;
use super::paint::{self, BOLD, RESET};
use super::progress::ReplayProgress;
use super::{Failure, start_threads};

const EXAMPLES: &str = "\
The run is recomputed from its nearest checkpoint; its folder is not changed.

Examples:
  broth show-interaction runs/bff_noheads-seed-29 --epoch 900 --pair 17
  broth show-interaction runs/bff_noheads-seed-29 --epoch 900 --program 4 --trace | less -R
      step by step: the program counter on green, heads on blue and red";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InteractionArgs {
    /// A run folder
    run: PathBuf,

    /// The epoch, counted from 0: it starts from the soup after this many epochs
    #[arg(long, value_name = "EPOCH")]
    epoch: u64,

    /// Show the interaction of the pair with this number, counted from 0
    #[arg(long, value_name = "K", required_unless_present = "program")]
    pair: Option<usize>,

    /// Show the interaction in which the program with this index takes part
    #[arg(long, value_name = "INDEX", conflicts_with = "pair")]
    program: Option<usize>,

    /// Show every step
    #[arg(long)]
    trace: bool,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

pub(super) fn show_interaction(args: InteractionArgs) -> Result<ExitCode, Failure> {
    start_threads(args.threads)?;
    let interrupt = Interrupt::at_once()?;
    interrupt.last_words(|| "stopped: nothing is lost; the run is as it was".into());
    let past = PastRun::open(&args.run)?;
    let settings = past.settings();
    let mut interactions = Interactions::new(settings)?;
    let mut progress = ReplayProgress::new(false, 0, args.epoch, &interrupt);
    let soup = past.soup_before(args.epoch, &mut |epochs_done| progress.see(epochs_done))?;
    progress.finish();
    let which = match (args.pair, args.program) {
        (Some(pair), _) => Which::Pair(pair),
        (None, program) => Which::Program(program.unwrap_or(0)),
    };
    let interaction = interactions.get(args.epoch, soup.programs(), which)?;
    let mut out = BufWriter::new(anstream::stdout().lock());
    describe(&mut out, settings.language, &interaction)?;
    if args.trace && interaction.outcome.is_some() {
        let mut tape = interaction.start;
        let (mut step, mut written) = (0, Ok(()));
        reference::trace(
            settings.language,
            &mut tape,
            settings.max_steps,
            |tape, view| {
                step += 1;
                if written.is_ok() {
                    written = write_step(&mut out, settings.language, step, tape, &view);
                }
            },
        );
        written?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Both programs of a tape, apart.
fn halves(language: &Language, tape: &Tape) -> String {
    let (left, right) = tape.split_at(PROGRAM_LEN);
    let [left, right] = [left, right].map(|half| paint::tape(language, half, [None; 4]));
    format!("{left}  {right}")
}

/// All there is to say of an interaction.
pub(super) fn describe(
    out: &mut impl Write,
    language: &Language,
    interaction: &Interaction,
) -> std::io::Result<()> {
    let [left, right] = interaction.programs;
    writeln!(
        out,
        "{BOLD}epoch {}, pair {}{RESET}: program {left} on the left, {right} on the right",
        thousands(interaction.epoch as usize),
        thousands(interaction.pair)
    )?;
    writeln!(out, "  before   {}", halves(language, &interaction.before))?;
    for mutated in &interaction.mutations {
        let [from, to] = [mutated.from, mutated.to]
            .map(|byte| format!("{byte:02x} {}", paint::tape(language, &[byte], [None; 4])));
        writeln!(out, "  mutates  place {}: {from} to {to}", mutated.place)?;
    }
    if !interaction.mutations.is_empty() {
        writeln!(out, "  runs     {}", halves(language, &interaction.start))?;
    }
    writeln!(out, "  after    {}", halves(language, &interaction.after))?;
    match interaction.outcome {
        Some(outcome) => writeln!(
            out,
            "  ops {}, steps {}; ended because {}",
            outcome.ops, outcome.steps, outcome.ended
        ),
        None => writeln!(out, "  not run: neither had a neighbour left to meet"),
    }
}
