//! Tables of a benchmark.

use std::fmt;
use std::io::{self, Write};

use broth::bench::parts::Parts;
use broth::bench::{Comparison, Machine, Times};
use broth::engine::Engine;
use broth::format::thousands;
use broth::run::folder::settings::VERSION;
use serde::Serialize;

use super::subject::Subject;
use super::{Entry, Report};
use crate::cli::number::percent;
use crate::cli::paint::{BOLD, RESET};
use crate::cli::progress::thousandths;

pub(super) fn show_machine(out: &mut impl Write, report: &Report) -> io::Result<()> {
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
        "broth {VERSION}: {cpu}{cores} core{}, {threads} thread{}, {lanes} vectors",
        plural(*cores),
        plural(*threads)
    )?;
    if let (Some(num_programs), Some(seed)) = (report.num_programs, report.seed) {
        write!(out, "{} programs, seed {seed}, ", thousands(num_programs))?;
    }
    writeln!(
        out,
        "{} round{}",
        report.rounds,
        plural(report.rounds.into())
    )
}

/// A line of the table.
pub(super) struct Row<'a> {
    engine: &'a str,
    times: &'a Times,
    /// ns/interaction, M interactions/s, M ops/s, M steps/s, over the floor,
    /// speed-up; none of them for the floor itself.
    rest: Option<[f64; 6]>,
    /// Share of steps that native code ran, where there may be any.
    native: Option<f64>,
}

impl Row<'_> {
    pub(super) const HEADER: &'static str = "engine       ms/epoch      min      max  ns/interaction  \
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

pub(super) fn show(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let Some(measured) = &entry.measured else {
        let problem = entry.problem.as_deref().unwrap_or_default();
        return writeln!(out, "{problem}");
    };
    let each = |count: u64| count as f64 / measured.interactions.max(1) as f64;
    writeln!(
        out,
        "{}, {}: epoch {}, high-order entropy {}; {} ops and {} steps an interaction, \
         {} epoch{} a round",
        entry.language,
        entry.soup,
        thousands(entry.epochs_done as usize),
        thousandths(entry.high_order_entropy),
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
    entry.parts.iter().try_for_each(|it| show_parts(out, it))
}

/// What an epoch and a log point are made of.
fn show_parts(out: &mut impl Write, parts: &Parts) -> io::Result<()> {
    let lines = [
        (
            "pairing",
            parts.draw_ms,
            "one thread for each epoch, several epochs at once",
        ),
        ("moving", parts.move_ms, "all threads"),
        ("mutating", parts.mutate_ms, "all threads"),
        ("running", parts.run_ms, "all threads, engine auto"),
        ("copying", parts.copy_ms, "all threads, at a log point"),
        (
            "measuring",
            parts.measure_ms,
            "one thread for each log point, several at once",
        ),
    ];
    writeln!(out, "{BOLD}part         ms of one thread  done by{RESET}")?;
    for (part, ms, by) in lines {
        writeln!(out, "{part:<11}  {:>16}  {by}", number(ms))?;
    }
    writeln!(
        out,
        "{BOLD}threads      ms/epoch, computed  with a log point every 64 epochs{RESET}"
    )?;
    for it in &parts.computed {
        let (epoch, logged) = (number(it.ms_per_epoch), number(it.ms_per_epoch_logged));
        writeln!(out, "{:<11}  {epoch:>18}  {logged:>32}", it.threads)?;
    }
    Ok(())
}

/// The table of worlds: a row for each, and the milliseconds per epoch of the floor and of each
/// engine, with speed-ups over the first.
pub(super) struct WorldTable {
    /// The width of the first column.
    width: usize,
}

/// Sums over worlds, in milliseconds per epoch.
#[derive(Serialize)]
pub(super) struct Total {
    /// How many were measured.
    worlds: usize,
    floor_ms_per_epoch: f64,
    engines: Vec<EngineTotal>,
}

#[derive(Serialize)]
struct EngineTotal {
    engine: &'static str,
    ms_per_epoch: f64,
    speed_up: f64,
}

impl Total {
    /// That of all that was measured; nothing where nothing was.
    pub(super) fn of(entries: &[Entry]) -> Option<Total> {
        let measured: Vec<_> = entries
            .iter()
            .filter_map(|it| it.measured.as_ref())
            .collect();
        let first = measured.first()?;
        let sum = |of: &dyn Fn(&Comparison) -> f64| measured.iter().map(|it| of(it)).sum::<f64>();
        let sum_of = |engine: usize| sum(&|it| it.engines[engine].ms_per_epoch.median);
        let base = sum_of(0);
        let engines = first.engines.iter().enumerate().map(|(number, speed)| {
            let ms_per_epoch = sum_of(number);
            EngineTotal {
                engine: speed.engine,
                ms_per_epoch,
                speed_up: base / ms_per_epoch,
            }
        });
        Some(Total {
            worlds: measured.len(),
            floor_ms_per_epoch: sum(&|it| it.floor_ms_per_epoch.median),
            engines: engines.collect(),
        })
    }
}

impl WorldTable {
    pub(super) fn new(subjects: &[Subject]) -> WorldTable {
        let names = subjects.iter();
        let lengths = names.map(|it| format!("{} {}", it.language(), it.name()).len());
        WorldTable {
            width: lengths.fold("total of 9,999".len(), usize::max),
        }
    }

    pub(super) fn header(&self, engines: &[Engine]) -> String {
        let mut line = format!("{:<width$}  {:>8}", "ms/epoch", "floor", width = self.width);
        for (number, engine) in engines.iter().enumerate() {
            line += &format!("  {:>11}", engine.name());
            if number > 0 {
                line += "  speed-up";
            }
        }
        line
    }

    /// The name of a row, its floor, and time and speed-up of each engine.
    fn line(&self, name: &str, floor: f64, engines: impl Iterator<Item = (f64, f64)>) -> String {
        let mut line = format!("{name:<width$}  {:>8}", number(floor), width = self.width);
        for (engine, (time, speed_up)) in engines.enumerate() {
            line += &format!("  {:>11}", number(time));
            if engine > 0 {
                line += &format!("  {:>8}", number(speed_up));
            }
        }
        line
    }

    pub(super) fn show(&self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        let Some(measured) = &entry.measured else {
            return Ok(());
        };
        let engines = measured.engines.iter();
        let engines = engines.map(|speed| (speed.ms_per_epoch.median, speed.speed_up));
        let floor = measured.floor_ms_per_epoch.median;
        writeln!(out, "{}", self.line(&entry.title(), floor, engines))
    }

    pub(super) fn show_total(&self, out: &mut impl Write, total: &Total) -> io::Result<()> {
        let name = format!("total of {}", thousands(total.worlds));
        let engines = total
            .engines
            .iter()
            .map(|it| (it.ms_per_epoch, it.speed_up));
        let line = self.line(&name, total.floor_ms_per_epoch, engines);
        writeln!(out, "{BOLD}{line}{RESET}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn columns_of_worlds_are_aligned() {
        let table = WorldTable { width: 24 };
        let header = table.header(&[Engine::Reference, Engine::Jit, Engine::Auto]);
        let engines = [(123_456.7, 1.0), (0.0123, 99.97), (9.996, 10.0)];
        let line = table.line("bff 7@5", 1.5, engines.into_iter());
        assert_eq!(line.len(), header.len(), "{header}\n{line}");
        assert!(line.contains("123,457") && line.ends_with("10.0"), "{line}");
        assert!(!header.contains("reference  speed-up"), "{header}");
    }
}
