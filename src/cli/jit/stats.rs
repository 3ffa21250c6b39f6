//! `broth jit stats`

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use broth::engine::jit::{CacheTally, Counts, Exit};
use broth::format::thousands;
use broth::run::folder::RunFolder;
use broth::run::folder::performance::NativeTotals;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::number::{bytes, percent, plural};
use crate::cli::output::write_json;
use crate::cli::source::run_of;
use crate::cli::{Failure, shown};

const EXAMPLES: &str = "\
Example:
  broth run --seed 29 --engine jit --max-epochs 1100 --out soup
  broth jit stats soup

Counts are sums over all log points in the run's performance.csv. Size and cost of
the cache are those at the last log point; they start over when a run is resumed.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArgs {
    /// A run folder, or a checkpoint in it
    run: PathBuf,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn stats(args: StatsArgs) -> Result<ExitCode, Failure> {
    let folder = RunFolder::look(&run_of(&args.run)?.folder)?;
    let totals = NativeTotals::read(&folder.performance())?;
    if args.json {
        write_json(&to_json(&totals))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{}: {}, the last at epoch {}",
        shown(folder.path()),
        plural(totals.rows, "log point"),
        count(totals.epoch)
    )?;
    show_entries(&mut out, &totals)?;
    show_exits(&mut out, &totals)?;
    show_work(&mut out, &totals)?;
    show_cache(&mut out, &totals.cache)?;
    Ok(ExitCode::SUCCESS)
}

fn to_json(totals: &NativeTotals) -> Value {
    let of_each = |counts: Counts| json!({"programs": counts.programs, "loops": counts.loops});
    let (tally, native, cache) = (&totals.tally, &totals.tally.native, &totals.cache);
    let exits = Exit::ALL.iter().zip(&native.exits);
    let exits = exits.map(|(exit, times)| (exit.name().to_string(), Value::from(*times)));
    json!({
        "log_points": totals.rows,
        "epoch": totals.epoch,
        "looked_up": of_each(native.looked_up),
        "entered": of_each(native.entered),
        "exits": Map::from_iter(exits),
        "steps": tally.steps,
        "native_steps": native.steps,
        "ops": tally.ops,
        "native_ops": native.ops,
        "iterations": native.iterations,
        "periods_skipped": native.settled,
        "cache": {
            "hot": of_each(cache.hot),
            "compiled": of_each(cache.compiled),
            "live": of_each(cache.live),
            "blacklisted": cache.blacklisted,
            "batches_freed": cache.freed,
            "code_bytes": cache.code_bytes,
            "compile_seconds": cache.compile_ns as f64 / 1e9,
        },
    })
}

fn count(number: u64) -> String {
    thousands(number as usize)
}

/// A share, or a dash where there is nothing to have a share of.
fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".into(),
        _ => percent(part as f64 / whole as f64),
    }
}

/// A line of a table with three columns of numbers.
fn line(out: &mut impl Write, name: &str, [a, b, c]: [&str; 3]) -> io::Result<()> {
    let line = format!("{name:<20}{a:>18}{b:>18}{c:>10}");
    writeln!(out, "{}", line.trim_end())
}

fn show_entries(out: &mut impl Write, totals: &NativeTotals) -> io::Result<()> {
    let native = &totals.tally.native;
    writeln!(out)?;
    line(out, "look-ups", ["looked up", "entered", "share"])?;
    for (name, of) in [
        ("programs", (|counts| counts.programs) as fn(Counts) -> u64),
        ("loops", |counts| counts.loops),
    ] {
        let (looked_up, entered) = (of(native.looked_up), of(native.entered));
        line(
            out,
            name,
            [
                &count(looked_up),
                &count(entered),
                &share(entered, looked_up),
            ],
        )?;
    }
    Ok(())
}

fn show_exits(out: &mut impl Write, totals: &NativeTotals) -> io::Result<()> {
    let exits = &totals.tally.native.exits;
    let all = exits.iter().sum();
    writeln!(out)?;
    line(out, "exits", ["", "times", "share"])?;
    for (exit, times) in Exit::ALL.iter().zip(exits) {
        let name = exit.name().replace('_', " ");
        line(out, &name, ["", &count(*times), &share(*times, all)])?;
    }
    Ok(())
}

fn show_work(out: &mut impl Write, totals: &NativeTotals) -> io::Result<()> {
    let (tally, native) = (&totals.tally, &totals.tally.native);
    writeln!(out)?;
    line(out, "work", ["in all", "native", "share"])?;
    for (name, all, part) in [
        ("steps", tally.steps, native.steps),
        ("ops", tally.ops, native.ops),
    ] {
        line(out, name, [&count(all), &count(part), &share(part, all)])?;
    }
    line(out, "iterations", ["", &count(native.iterations), ""])?;
    line(out, "periods skipped", ["", &count(native.settled), ""])
}

fn show_cache(out: &mut impl Write, cache: &CacheTally) -> io::Result<()> {
    writeln!(out)?;
    line(out, "cache", ["programs", "loops", ""])?;
    for (name, counts) in [
        ("hot", cache.hot),
        ("compiled", cache.compiled),
        ("in the cache", cache.live),
    ] {
        let (programs, loops) = (count(counts.programs), count(counts.loops));
        line(out, name, [&programs, &loops, ""])?;
    }
    line(out, "blacklisted", ["", &count(cache.blacklisted), ""])?;
    line(out, "batches freed", ["", &count(cache.freed), ""])?;
    line(out, "code", ["", &bytes(cache.code_bytes), ""])?;
    let seconds = format!("{:.2} s", cache.compile_ns as f64 / 1e9);
    line(out, "time compiling", ["", &seconds, ""])
}
