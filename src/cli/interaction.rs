//! `broth show-interaction`, and how interactions are shown.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::Error;
use broth::engine::reference;
use broth::format::{hex, thousands};
use broth::language::{Language, PROGRAM_LEN, Tape};
use broth::run::replay::PastRun;
use broth::soup::interaction::{Interaction, Interactions, Which};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::exec::write_step;
use super::interrupt::Interrupt;
use super::output::write_json;
use super::paint::{self, BOLD, RESET};
use super::progress::ReplayProgress;
use super::source::run_of;
use super::{Failure, number, start_threads};

const EXAMPLES: &str = "\
The run is recomputed from its nearest checkpoint; its folder is not changed.

Examples:
  broth show-interaction runs/bff_noheads-seed-29 --epoch 900 --pair 17
  broth show-interaction runs/bff_noheads-seed-29 --epoch 900 --program 4 --trace | less -R
      step by step: the program counter on green, heads on blue and red";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(group(ArgGroup::new("which").required(true).args(["pair", "program"])))]
pub(super) struct InteractionArgs {
    /// A run folder, or a checkpoint in one, which then stands for --epoch
    run: PathBuf,

    /// The epoch, counted from 0: it starts from the soup after this many epochs [default: of a
    /// checkpoint its own]
    #[arg(long, value_name = "EPOCH", value_parser = number::count)]
    epoch: Option<u64>,

    /// Show the interaction of the pair with this number, counted from 0
    #[arg(long, value_name = "K", value_parser = number::any::<usize>)]
    pair: Option<usize>,

    /// Show the interaction in which the program with this index takes part
    #[arg(long, value_name = "INDEX", value_parser = number::any::<usize>)]
    program: Option<usize>,

    /// Show every step
    #[arg(long)]
    trace: bool,

    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    threads: Option<u16>,

    /// Show only the result
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long, conflicts_with = "trace")]
    json: bool,
}

pub(super) fn show_interaction(args: InteractionArgs) -> Result<ExitCode, Failure> {
    let run = run_of(&args.run)?;
    let epoch = args.epoch.or(run.epochs_done).ok_or_else(|| {
        Error::Usage("choose the interaction's epoch, counted from 0, with --epoch EPOCH".into())
    })?;
    start_threads(args.threads)?;
    let interrupt = Interrupt::at_once()?;
    interrupt.last_words(|| "stopped: nothing is lost; the run is as it was".into());
    let past = PastRun::open(&run.folder)?;
    let settings = past.settings();
    let mut interactions = Interactions::new(settings)?;
    let mut progress = ReplayProgress::new(args.quiet, 0, epoch, &interrupt);
    let soup = past.soup_before(epoch, &mut |epochs_done| progress.see(epochs_done))?;
    progress.finish();
    let which = match (args.pair, args.program) {
        (Some(pair), _) => Which::Pair(pair),
        (None, program) => Which::Program(program.unwrap_or(0)),
    };
    let interaction = interactions.get(epoch, soup.programs(), which)?;
    if args.json {
        write_json(&interaction_json(&interaction))?;
        return Ok(ExitCode::SUCCESS);
    }
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

/// All of an interaction, as JSON.
pub(super) fn interaction_json(interaction: &Interaction) -> Value {
    let (left, right) = (0..PROGRAM_LEN, PROGRAM_LEN..2 * PROGRAM_LEN);
    let halves = |tape: &[u8]| json!([hex(&tape[left.clone()]), hex(&tape[right.clone()])]);
    let mutations: Vec<Value> = (interaction.mutations.iter())
        .map(|m| json!({"place": m.place, "from": m.from, "to": m.to}))
        .collect();
    json!({
        "epoch": interaction.epoch,
        "pair": interaction.pair,
        "programs": interaction.programs,
        "before": halves(&interaction.before),
        "mutations": mutations,
        "start": halves(&interaction.start),
        "after": halves(&interaction.after),
        "ops": interaction.outcome.map(|outcome| outcome.ops),
        "steps": interaction.outcome.map(|outcome| outcome.steps),
        "ended": interaction.outcome.map(|outcome| outcome.ended.name()),
        "origins": interaction.origins.map(|origins| origins.to_vec()),
    })
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
