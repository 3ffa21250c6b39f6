//! The table of a sweep: a row for each run, as CSV and as Parquet, read back and joined.

#[cfg(feature = "parquet")]
mod parquet;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::file::{Planned, Sweep};
use super::last;
use super::outcome::{Ended, Outcome, Seen};
use crate::Error;
use crate::files;
use crate::measure::column::{self, Column, Value};

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Whole numbers below 2^64.
    Count,
    /// Numbers.
    Number,
    /// Anything.
    Text,
}

impl From<column::Kind> for Kind {
    fn from(kind: column::Kind) -> Kind {
        match kind {
            column::Kind::Count => Kind::Count,
            column::Kind::Number | column::Kind::Single => Kind::Number,
        }
    }
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Nothing: not measured, or it did not happen.
    #[default]
    Empty,
    /// See [`Kind::Count`].
    Count(u64),
    /// See [`Kind::Number`].
    Number(f64),
    /// See [`Kind::Number`]; of less precision, so that fewer digits say all of it.
    Single(f32),
    /// See [`Kind::Text`].
    Text(String),
}

impl Cell {
    fn parse(kind: Kind, text: &str) -> Option<Cell> {
        Some(match kind {
            _ if text.is_empty() => Cell::Empty,
            Kind::Count => Cell::Count(text.parse().ok()?),
            Kind::Number => Cell::Number(text.parse().ok().filter(|it: &f64| it.is_finite())?),
            Kind::Text => Cell::Text(text.into()),
        })
    }

    /// The number in it, if it holds one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Count(count) => Some(*count as f64),
            Cell::Number(number) => Some(*number),
            Cell::Single(number) => Some(f64::from(*number)),
            Cell::Empty | Cell::Text(_) => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Empty => Ok(()),
            Cell::Count(count) => write!(f, "{count}"),
            Cell::Number(number) => write!(f, "{number}"),
            Cell::Single(number) => write!(f, "{number}"),
            Cell::Text(text) => f.write_str(text),
        }
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Cell {
        Cell::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        Cell::Number(number)
    }
}

impl From<f32> for Cell {
    fn from(number: f32) -> Cell {
        Cell::Single(number)
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Cell {
        match value {
            Value::Count(count) => Cell::Count(count),
            Value::Number(number) => Cell::Number(number),
            Value::Single(number) => Cell::Single(number),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        match text {
            "" => Cell::Empty,
            text => Cell::Text(text.into()),
        }
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Cell {
        cell.map_or(Cell::Empty, T::into)
    }
}

/// Which run it is: columns before those of settings that only this sweep varies.
const OF_RUN: [(&str, Kind); 11] = [
    ("run", Kind::Count),
    ("key", Kind::Text),
    ("condition", Kind::Text),
    ("expected", Kind::Number),
    ("seed", Kind::Count),
    ("lang", Kind::Text),
    ("num", Kind::Count),
    ("mutation-prob", Kind::Number),
    ("max-epochs", Kind::Count),
    ("log-interval", Kind::Count),
    ("settings", Kind::Text),
];

/// Columns that tell what a run was told, but for those that figures tell apart by themselves:
/// language, mutation rate and seed.
pub const TOLD: [&str; 4] = ["num", "max-epochs", "log-interval", "settings"];

/// What came of it, and how to ask a result for it.
type OfResult = (&'static str, Kind, Get);

#[derive(Clone, Copy)]
enum Get {
    /// Of the result.
    Outcome(fn(&Outcome) -> Cell),
    /// Of what was measured, where something was.
    Seen(fn(&Seen) -> Cell),
    /// What the last log point measured in the column of this name.
    Last,
}

fn cell((name, _, get): &OfResult, outcome: &Outcome) -> Cell {
    let seen = outcome.seen.as_ref();
    match get {
        Get::Outcome(get) => get(outcome),
        Get::Seen(get) => seen.map_or(Cell::Empty, get),
        Get::Last => seen.and_then(|seen| seen.last.get(name)).into(),
    }
}

const OF_RESULT: [OfResult; 23] = [
    (
        "ended",
        Kind::Text,
        Get::Outcome(|it| it.ended.name().into()),
    ),
    (
        "why",
        Kind::Text,
        Get::Outcome(|it| it.why.as_deref().into()),
    ),
    ("epochs", Kind::Count, Get::Outcome(|it| it.epochs.into())),
    (
        "epoch_entropy_1",
        Kind::Count,
        Get::Seen(|it| it.entropy_1_at.into()),
    ),
    (
        "epoch_alive",
        Kind::Count,
        Get::Seen(|it| it.alive_at.into()),
    ),
    (
        "epoch_selfreps",
        Kind::Count,
        Get::Seen(|it| it.selfreps_at.into()),
    ),
    (
        "epoch_selfreps_48",
        Kind::Count,
        Get::Seen(|it| it.selfreps_48_at.into()),
    ),
    (
        "peak_high_order_entropy",
        Kind::Number,
        Get::Seen(|it| it.peak_high_order_entropy.into()),
    ),
    ("peak_epoch", Kind::Count, Get::Seen(|it| it.peak_at.into())),
    (
        "peak_selfreps_48",
        Kind::Count,
        Get::Seen(|it| it.peak_selfreps_48.into()),
    ),
    (
        "measured_epoch",
        Kind::Count,
        Get::Seen(|it| it.measured_at.into()),
    ),
    ("high_order_entropy", Kind::Number, Get::Last),
    ("byte_entropy", Kind::Number, Get::Last),
    ("brotli_bpb", Kind::Number, Get::Last),
    ("number_selfreps", Kind::Count, Get::Last),
    ("number_selfreps_48", Kind::Count, Get::Last),
    (
        "interactions",
        Kind::Count,
        Get::Outcome(|it| it.interactions.into()),
    ),
    ("ops", Kind::Count, Get::Outcome(|it| it.ops.into())),
    ("steps", Kind::Count, Get::Outcome(|it| it.steps.into())),
    (
        "trace",
        Kind::Text,
        Get::Seen(|it| trace_text(&it.trace).as_str().into()),
    ),
    (
        "seconds",
        Kind::Number,
        Get::Outcome(|it| ((it.seconds * 1e3).round() / 1e3).into()),
    ),
    (
        "engine",
        Kind::Text,
        Get::Outcome(|it| it.engine.as_str().into()),
    ),
    (
        "version",
        Kind::Text,
        Get::Outcome(|it| it.broth_version.as_str().into()),
    ),
];

/// The column of a measure that runs have on request.
fn of_measure(column: &Column) -> OfResult {
    (column.name, Kind::from(column.kind), Get::Last)
}

/// All columns of results that there may be.
fn of_results() -> impl Iterator<Item = OfResult> {
    let on_request = last::on_request().map(of_measure);
    OF_RESULT.iter().copied().chain(on_request)
}

/// Columns that may differ between two results of the same run.
const MAY_DIFFER: [&str; 3] = ["seconds", "engine", "version"];

/// The first column in which two results of the same run differ and may not, with what they
/// have there.
pub(super) fn disagreement(a: &Outcome, b: &Outcome) -> Option<(&'static str, Cell, Cell)> {
    of_results()
        .filter(|(name, ..)| !MAY_DIFFER.contains(name))
        .map(|column| (column.0, cell(&column, a), cell(&column, b)))
        .find(|(_, in_a, in_b)| in_a != in_b)
}

/// `1:0.012 129:0.02`: epochs done and high-order entropy.
fn trace_text(trace: &[(u64, f32)]) -> String {
    let points = trace
        .iter()
        .map(|(epoch, entropy)| format!("{epoch}:{entropy}"));
    points.collect::<Vec<_>>().join(" ")
}

/// The epochs done and the high-order entropy at each point of a `trace` cell, in order; none
/// where the text is no such cell.
pub fn parse_trace(text: &str) -> Option<Vec<(u64, f64)>> {
    let mut trace: Vec<(u64, f64)> = Vec::new();
    for point in text.split_whitespace() {
        let (epoch, entropy) = point.split_once(':')?;
        let point: (u64, f64) = (epoch.parse().ok()?, entropy.parse().ok()?);
        let follows = trace.last().is_none_or(|last| last.0 < point.0);
        trace.push(Some(point).filter(|it| follows && it.1.is_finite())?);
    }
    Some(trace)
}

/// A table, whole in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Kind)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The table of what has come of a sweep so far, in the order of its file.
    pub(crate) fn of_sweep(sweep: &Sweep, outcomes: &HashMap<String, Outcome>) -> Table {
        let named = |(name, kind): &(&str, Kind)| (name.to_string(), *kind);
        let mut columns: Vec<(String, Kind)> = OF_RUN.iter().map(named).collect();
        columns.extend(sweep.varying.iter().map(|name| (name.clone(), Kind::Text)));
        // Of what runs have on request, that which some of them ask for.
        let is_asked_for = |column: &&'static Column| {
            let mut plans = sweep.runs.iter().map(|run| &run.combination.plan);
            plans.any(|plan| plan.also_measure.contains(column))
        };
        let asked_for = last::on_request().filter(is_asked_for).map(of_measure);
        let of_result: Vec<OfResult> = OF_RESULT.iter().copied().chain(asked_for).collect();
        let named = |(name, kind, _): &OfResult| (name.to_string(), *kind);
        columns.extend(of_result.iter().map(named));
        let rows = sweep
            .runs
            .iter()
            .zip(sweep.numbers())
            .filter_map(|(run, number)| {
                let outcome = outcomes.get(&run.key)?;
                Some(row_of(number, run, outcome, &of_result))
            });
        Table {
            rows: rows.collect(),
            columns,
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The keys of all runs in it.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.column("key")
            .into_iter()
            .flatten()
            .map(Cell::to_string)
    }

    /// The cells of a column, if there is one of that name.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = &Cell>> {
        let place = self.place(name)?;
        Some(self.rows.iter().map(move |row| &row[place]))
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(known, _)| known == name)
    }

    /// Write it as CSV.
    pub(crate) fn write_csv(&self, path: &Path) -> Result<(), Error> {
        files::write_whole(path, |file| {
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(self.columns.iter().map(|(name, _)| name))?;
            for row in &self.rows {
                writer.write_record(row.iter().map(Cell::to_string))?;
            }
            writer.flush()
        })
    }

    /// Read a table as CSV, as sweeps write it; columns of settings that it does not know are
    /// text.
    pub fn read_csv(path: &Path) -> Result<Table, Error> {
        let wrong = |line: u64, problem: String| {
            Error::file(
                path,
                format!("line {line}: {problem}; make the table again"),
            )
        };
        let broken = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            Error::file(
                path,
                format!("is no table of a sweep, at line {line}: {error}"),
            )
        };
        let mut reader = csv::Reader::from_reader(files::open(path)?);
        let header = reader.headers().map_err(broken)?.clone();
        let columns: Vec<(String, Kind)> = header
            .iter()
            .map(|name| (name.to_string(), kind_of(name)))
            .collect();
        let table_of = |columns, rows| Table { columns, rows };
        let mut table = table_of(columns, Vec::new());
        for needed in ["key", "condition", "seed", "ended", "epochs"] {
            if table.place(needed).is_none() {
                return Err(Error::file(
                    path,
                    format!(
                        "is no table of a sweep: it has no column `{needed}`; give the \
                         results.csv that `broth sweep` wrote"
                    ),
                ));
            }
        }
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells = table
                .columns
                .iter()
                .zip(record.iter())
                .map(|((name, kind), text)| {
                    let cell = Cell::parse(*kind, text)
                        .filter(|cell| name != "trace" || parse_trace(&cell.to_string()).is_some());
                    let shown: String = text.chars().take(40).collect();
                    cell.ok_or_else(|| wrong(line, format!("`{shown}` is no {name}")))
                });
            let row = cells.collect::<Result<_, Error>>()?;
            table.rows.push(row);
        }
        Ok(table)
    }

    /// Join tables of the same sweep, or of several, with what they are called in messages. Of
    /// two results of the same run the more complete one stays; that they disagree is an error.
    pub fn join(tables: &[(String, Table)]) -> Result<Table, Error> {
        let mut columns: Vec<(String, Kind)> = Vec::new();
        for (_, table) in tables {
            let mut before = 0;
            for column in &table.columns {
                match columns.iter().position(|known| known.0 == column.0) {
                    Some(place) => before = place + 1,
                    None => {
                        columns.insert(before, column.clone());
                        before += 1;
                    }
                }
            }
        }
        let mut joined = Table {
            columns,
            rows: Vec::new(),
        };
        // Where each run is, and which table it came from.
        let mut known: HashMap<(String, String), (usize, &str)> = HashMap::new();
        for (name, table) in tables {
            let places: Vec<Option<usize>> = joined
                .columns
                .iter()
                .map(|(column, _)| table.place(column))
                .collect();
            for row in &table.rows {
                let cell = |place: &Option<usize>| place.map_or(Cell::Empty, |at| row[at].clone());
                let row: Vec<Cell> = places.iter().map(cell).collect();
                let id = (joined.text(&row, "key"), joined.text(&row, "condition"));
                match known.get(&id) {
                    None => {
                        known.insert(id, (joined.rows.len(), name));
                        joined.rows.push(row);
                    }
                    Some((at, from)) => {
                        let at = *at;
                        let other = &joined.rows[at];
                        let order = joined.rank(other).cmp(&joined.rank(&row));
                        if order == Ordering::Equal {
                            joined.must_agree(other, &row, from, name)?;
                        }
                        let other = match order {
                            Ordering::Less => std::mem::replace(&mut joined.rows[at], row),
                            _ => row,
                        };
                        joined.fill_settings(at, &other);
                    }
                }
            }
        }
        let order = joined.place("run");
        let number = |row: &Vec<Cell>| order.and_then(|at| row[at].number()).unwrap_or(f64::MAX);
        joined.rows.sort_by(|a, b| number(a).total_cmp(&number(b)));
        Ok(joined)
    }

    /// Take from another row of the same run what a table without the column did not say.
    fn fill_settings(&mut self, at: usize, other: &[Cell]) {
        for (i, (name, _)) in self.columns.iter().enumerate() {
            let cell = &mut self.rows[at][i];
            if *cell == Cell::Empty && !is_of_result(name) {
                *cell = other[i].clone();
            }
        }
    }

    fn text(&self, row: &[Cell], name: &str) -> String {
        self.place(name)
            .map(|at| row[at].to_string())
            .unwrap_or_default()
    }

    /// The higher, the more is known of the run.
    fn rank(&self, row: &[Cell]) -> (u8, u64) {
        let ended = Ended::of_name(&self.text(row, "ended"));
        let epochs = self.text(row, "epochs").parse().unwrap_or(0);
        ended.unwrap_or(Ended::Failed).rank(epochs)
    }

    fn must_agree(&self, a: &[Cell], b: &[Cell], in_a: &str, in_b: &str) -> Result<(), Error> {
        let differs = |(i, (name, _)): &(usize, &(String, Kind))| {
            is_of_result(name)
                && !MAY_DIFFER.contains(&name.as_str())
                && a[*i].to_string() != b[*i].to_string()
        };
        let Some((i, (name, _))) = self.columns.iter().enumerate().find(differs) else {
            return Ok(());
        };
        if self.rank(a).0 == 0 {
            // Failed here and there, each for a reason of its own.
            return Ok(());
        }
        let short = |cell: &Cell| cell.to_string().chars().take(60).collect::<String>();
        Err(Error::Usage(format!(
            "two results of run {} ({}, seed {}) disagree: {name} is `{}` in {in_a} and `{}` in \
             {in_b}; one of them is broken: do that run again",
            self.text(a, "key"),
            self.text(a, "condition"),
            self.text(a, "seed"),
            short(&a[i]),
            short(&b[i]),
        )))
    }
}

fn is_of_result(name: &str) -> bool {
    of_results().any(|it| it.0 == name)
}

fn kind_of(name: &str) -> Kind {
    let of_run = OF_RUN.iter().copied();
    let of_result = of_results().map(|(name, kind, _)| (name, kind));
    let known = of_run.chain(of_result).find(|(known, _)| *known == name);
    known.map_or(Kind::Text, |(_, kind)| kind)
}

fn row_of(number: u64, run: &Planned, outcome: &Outcome, of_result: &[OfResult]) -> Vec<Cell> {
    let combination = &run.combination;
    let settings = &combination.settings;
    let mut row: Vec<Cell> = vec![
        number.into(),
        run.key.as_str().into(),
        combination.condition.as_str().into(),
        combination.expected.into(),
        run.seed.into(),
        settings.language.name.into(),
        (settings.num_programs as u64).into(),
        settings.mutation_prob.into(),
        combination.plan.max_epochs.into(),
        combination.plan.log_interval.into(),
        combination.told().as_str().into(),
    ];
    row.extend(
        combination
            .varying
            .iter()
            .map(|value| value.as_str().into()),
    );
    row.extend(of_result.iter().map(|column| cell(column, outcome)));
    row
}
