//! `broth search`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use broth::Error;
use broth::language::{Language, PROGRAM_LEN};
use broth::measure::Measures;
use broth::measure::replicators::KNIERIM_THRESHOLD;
use broth::output::csv::Table;
use broth::output::picture::thousands;
use broth::output::settings_file::parse_probability;
use broth::search::{Estimate, Find, Search, Source};
use broth::soup::checkpoint::Checkpoint;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::paint::{self, BOLD, RESET};
use super::{Failure, INTERRUPTED, catch_interrupt, hex, parse_language, start_threads};

const EXAMPLES: &str = "\
Programs are drawn byte for byte, or changed a little from one to the next (--walk), and
each is scored as `broth selfrep` scores a lone program. A search is a sequence that its
seed decides: the same finds at the same numbers, whatever the threads.

Examples:
  broth search --lang bff_selfmove --from operators
      programs of half operators, half no-ops, until ten replicators are found
  broth search --lang bff_selfmove --from operators-64 --finds 100 --out finds.csv
      the byte 64, which sets a head to the other program, counts as an operator
  broth search --lang bff_selfmove --finds 5 --max-programs 1000000000
      uniform bytes; ends after so many programs at the latest
  broth search --from runs/bff_noheads-seed-29/checkpoints/0000000513.dat
      bytes as often as in that soup
  broth search --walk 0.02 --seed 7
      mutation walks: each byte changes at that chance";

#[derive(Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub struct SearchArgs {
    /// What the bytes mean; `broth languages` lists them
    #[arg(long, value_name = "LANG", default_value = "bff_noheads", value_parser = parse_language)]
    lang: &'static Language,

    /// What programs are drawn from: uniform, operators (half operators, half no-ops),
    /// operators-64 (the byte 64 among them), or a checkpoint (its bytes)
    #[arg(long, value_name = "SOURCE", default_value = "uniform")]
    from: PathBuf,

    /// Change each byte at this chance from one program to the next, instead of drawing
    /// each program
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    walk: Option<f64>,

    /// Score from which a program is a find
    #[arg(long, value_name = "SCORE", default_value_t = KNIERIM_THRESHOLD,
          value_parser = clap::value_parser!(u8).range(1..=PROGRAM_LEN as i64))]
    threshold: u8,

    /// End with so many finds
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    finds: u64,

    /// End after so many programs at the latest (rounded up to blocks of 16,384)
    #[arg(long, value_name = "N", default_value_t = 10_000_000_000,
          value_parser = clap::value_parser!(u64).range(1..=1 << 60))]
    max_programs: u64,

    /// Which sequence of programs
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,

    /// Write the finds to this new file as they come, as a table: number, score, bytes in
    /// hex digits
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Threads to run on; changes the speed only [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Show the finds and the result only
    #[arg(long)]
    quiet: bool,
}

pub fn search(args: SearchArgs) -> Result<ExitCode, Failure> {
    if args.lang.program_len != PROGRAM_LEN {
        return Err(Error::Usage(format!(
            "--lang {}: programs of {PROGRAM_LEN} bytes are searched, and it has others; \
             choose another language",
            args.lang
        ))
        .into());
    }
    let source = read_source(&args)?;
    let search = Search::new(args.lang, source, args.walk, args.threshold, args.seed);
    let mut table = match &args.out {
        Some(path) => Some(Table::create(path, "number,score,program")?),
        None => None,
    };
    let threads = start_threads(args.threads)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    catch_interrupt(&interrupt)?;

    let blocks = args.max_programs.div_ceil(Search::BLOCK);
    let progress = progress(args.quiet, blocks * Search::BLOCK);
    let begun = Instant::now();
    let (mut tested, mut finds, mut enough) = (0, 0, false);
    // Each round keeps all threads busy for some milliseconds.
    let round = 16 * threads as u64;
    let mut first = 0;
    while first < blocks && !enough && !interrupt.load(Ordering::Relaxed) {
        let end = blocks.min(first + round);
        let found: Vec<Vec<Find>> = (first..end)
            .into_par_iter()
            .map(|block| search.block(block))
            .collect();
        tested = end * Search::BLOCK;
        for find in found.iter().flatten() {
            finds += 1;
            if let Some(table) = &mut table {
                let program = hex(&find.program);
                table.append(&format!("{},{},{program}", find.number, find.score))?;
                table.sync()?;
            }
            let mut shown = Ok(());
            progress.suspend(|| shown = show(args.lang, find));
            shown?;
            if finds == args.finds {
                (tested, enough) = (find.number + 1, true);
                break;
            }
        }
        first = end;
        progress.set_position(tested);
        progress.set_message(format!("{finds} found"));
    }
    progress.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    summarise(&args, tested, finds, enough, seconds)?;
    Ok(match enough || first >= blocks {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INTERRUPTED),
    })
}

fn read_source(args: &SearchArgs) -> Result<Source, Error> {
    match args.from.to_str() {
        Some("uniform") => Ok(Source::uniform()),
        Some("operators") => Source::operators(args.lang, &[]),
        Some("operators-64") => Source::operators(args.lang, &[64]),
        _ => read_bytes(&args.from),
    }
}

fn read_bytes(path: &Path) -> Result<Source, Error> {
    if !path.exists() {
        return Err(Error::Usage(format!(
            "--from {}: choose uniform, operators, operators-64 or a checkpoint, \
             and there is no file of that name",
            path.display()
        )));
    }
    let soup = Checkpoint::read(path)?;
    Source::of_counts(Measures::of(&soup.programs).counts)
}

fn progress(quiet: bool, programs: u64) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:20.cyan/dim} {human_pos} of at most {human_len} programs  \
                    {per_sec}  {wide_msg}";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(programs).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(language: &Language, find: &Find) -> std::io::Result<()> {
    let text = paint::tape(language, &find.program, [None; 4]);
    let number = thousands(find.number as usize);
    let mut out = anstream::stdout().lock();
    writeln!(out, "{number:>15}  score {:<2}  {text}", find.score)
}

fn summarise(
    args: &SearchArgs,
    tested: u64,
    finds: u64,
    enough: bool,
    seconds: f64,
) -> std::io::Result<()> {
    let Estimate { each, least, most } = Estimate::of(tested, finds, enough);
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{} programs of {} ({}), {finds} that score at least {}",
        thousands(tested as usize),
        args.lang,
        args.from.display(),
        args.threshold
    )?;
    let number = |programs: f64| match programs.is_finite() {
        true => format!("{programs:.3e}"),
        false => "any number".into(),
    };
    if finds > 0 {
        writeln!(
            out,
            "programs tested to a replicator  {BOLD}{}{RESET}, 95 % interval {} to {}",
            number(each),
            number(least),
            number(most)
        )?;
    } else {
        writeln!(
            out,
            "programs tested to a replicator  at least {} (95 % interval)",
            number(least)
        )?;
    }
    writeln!(
        out,
        "speed  {:.1} million programs a minute",
        tested as f64 / seconds * 60.0 / 1e6
    )
}
