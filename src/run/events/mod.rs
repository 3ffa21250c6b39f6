//! Events: every interaction of a stretch of a run as a row of a table, made by replay.

#[cfg(feature = "parquet")]
mod parquet;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::replay::Replay;
use crate::Error;
use crate::files::Unfinished;
use crate::language::Outcome;
use crate::measure::fingerprint::{self, Classes};
use crate::soup::seen::Seen;

/// Rows of a row group of a Parquet file, and of the batches that a table is written in.
pub const ROWS_PER_GROUP: usize = 1 << 17;

/// What a program was, in two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// [`fingerprint::hash`] of its bytes.
    pub hash: u64,
    /// Its class: [`Classes::class`].
    pub class: u64,
}

/// An interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Its number among the epoch's pairs.
    pub pair: u32,
    /// The indices of the left and of the right program.
    pub programs: [u32; 2],
    /// What they were when the epoch began, after a reset that was due.
    pub before: [Mark; 2],
    /// What they were when it ended.
    pub after: [Mark; 2],
    /// How many of their bytes were drawn anew.
    pub mutations: u32,
    /// How the run ended; nothing where the pair is mutated only.
    pub outcome: Option<Outcome>,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Cells {
    /// Whole numbers below 2^64.
    U64(fn(&Event) -> u64),
    /// Whole numbers below 2^32.
    U32(fn(&Event) -> u32),
    /// Whole numbers below 2^32, which some rows lack.
    OptionalU32(fn(&Event) -> Option<u32>),
    /// Names, which some rows lack.
    Name(fn(&Event) -> Option<&'static str>),
}

/// A column of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it says of an event.
    pub cells: Cells,
}

const fn column(name: &'static str, cells: Cells) -> Column {
    Column { name, cells }
}

/// The columns of the table, in order: docs/events.md describes them.
pub const COLUMNS: [Column; 16] = [
    column("epoch", Cells::U64(|it| it.epoch)),
    column("pair", Cells::U32(|it| it.pair)),
    column("left", Cells::U32(|it| it.programs[0])),
    column("right", Cells::U32(|it| it.programs[1])),
    column("left_before", Cells::U64(|it| it.before[0].hash)),
    column("right_before", Cells::U64(|it| it.before[1].hash)),
    column("left_after", Cells::U64(|it| it.after[0].hash)),
    column("right_after", Cells::U64(|it| it.after[1].hash)),
    column("left_class_before", Cells::U64(|it| it.before[0].class)),
    column("right_class_before", Cells::U64(|it| it.before[1].class)),
    column("left_class_after", Cells::U64(|it| it.after[0].class)),
    column("right_class_after", Cells::U64(|it| it.after[1].class)),
    column("mutations", Cells::U32(|it| it.mutations)),
    column("ops", Cells::OptionalU32(|it| Some(it.outcome?.ops))),
    column("steps", Cells::OptionalU32(|it| Some(it.outcome?.steps))),
    column("ended", Cells::Name(|it| Some(it.outcome?.ended.name()))),
];

/// The events of a stretch of a run, epoch by epoch.
#[derive(Debug)]
pub struct Events {
    replay: Replay,
    classes: Classes,
}

impl Events {
    /// Of the run in the folder `run`: those that lead from the soup after `from` epochs to that
    /// after `to` (without, the newest checkpoint), which are the epochs number `from` to `to` - 1.
    pub fn open(run: &Path, from: u64, to: Option<u64>) -> Result<Events, Error> {
        let replay = Replay::open(run, Some(from), to)?;
        replay.soup().settings().check_interactions()?;
        let to = replay.to();
        if from == to {
            return Err(Error::Setting(format!(
                "`from` {from} and `to` {to} leave no epoch between them; choose a `to` of {} or \
                 more",
                from + 1
            )));
        }
        Ok(Events {
            classes: Classes::of(replay.soup().settings().language),
            replay,
        })
    }

    /// Epochs done at the first point of the stretch.
    pub fn from(&self) -> u64 {
        self.replay.from()
    }

    /// Epochs done at the last.
    pub fn to(&self) -> u64 {
        self.replay.to()
    }

    /// Epochs that are done by now; fewer than at the first point where the nearest checkpoint
    /// lies before it.
    pub fn epochs_done(&self) -> u64 {
        self.replay.soup().epochs_done()
    }

    /// The bytes of the programs by now, one behind the other.
    pub fn programs(&self) -> &[u8] {
        self.replay.soup().programs()
    }

    /// Stop going on, for good, after the epoch in which `stop` is set.
    pub fn stop_when(&mut self, stop: Arc<AtomicBool>) {
        self.replay.stop_when(stop);
    }

    /// Whether it has been stopped.
    pub fn is_stopped(&self) -> bool {
        self.replay.is_stopped()
    }

    /// Go to the first point of the stretch; `watch` is told how many epochs are done, after each.
    pub fn approach(&mut self, watch: &mut dyn FnMut(u64)) {
        self.replay.go_to(self.replay.from(), watch);
    }

    /// The events of the next epoch, in the order of its pairs; nothing where the stretch is at
    /// its end or stopped. Goes to the first point of the stretch before.
    pub fn next_epoch(&mut self) -> Result<Option<Vec<Event>>, Error> {
        self.approach(&mut |_| ());
        if self.is_stopped() || self.epochs_done() >= self.to() {
            return Ok(None);
        }
        let (epoch, classes) = (self.epochs_done(), &self.classes);
        let see = |seen: &Seen<'_>| event(epoch, classes, seen);
        let (_, events) = self.replay.soup_mut().step_and_see(see)?;
        Ok(Some(events))
    }

    /// Write what is left of the stretch as a table to `path`, whose ending says which format:
    /// see [`Format`]. The file is there in the end, whole; where it was stopped before, there is
    /// none, and nothing is answered. Otherwise how many rows there are. `watch` is told how many
    /// epochs are done, after each.
    pub fn write(&mut self, path: &Path, watch: &mut dyn FnMut(u64)) -> Result<Option<u64>, Error> {
        let format = Format::of(path)?;
        let mut table = format.begin(path)?;
        self.approach(watch);
        let mut rows = 0;
        let mut group: Vec<Event> = Vec::with_capacity(ROWS_PER_GROUP);
        while let Some(events) = self.next_epoch()? {
            rows += events.len() as u64;
            let mut left = &events[..];
            while !left.is_empty() {
                let (now, later) = left.split_at(left.len().min(ROWS_PER_GROUP - group.len()));
                group.extend_from_slice(now);
                left = later;
                if group.len() == ROWS_PER_GROUP {
                    table.push(&group)?;
                    group.clear();
                }
            }
            watch(self.epochs_done());
        }
        if self.is_stopped() {
            return Ok(None);
        }
        if !group.is_empty() {
            table.push(&group)?;
        }
        table.finish()?;
        Ok(Some(rows))
    }
}

fn event(epoch: u64, classes: &Classes, seen: &Seen<'_>) -> Event {
    let marks = |tape: &[u8]| {
        let (left, right) = tape.split_at(tape.len() / 2);
        [left, right].map(|program| Mark {
            hash: fingerprint::hash(program),
            class: classes.class(program),
        })
    };
    let before = marks(seen.before);
    let is_same = seen.before == seen.after;
    Event {
        epoch,
        pair: seen.pair as u32,
        programs: seen.programs.map(|program| program as u32),
        before,
        after: if is_same { before } else { marks(seen.after) },
        mutations: seen.mutations as u32,
        outcome: seen.outcome,
    }
}

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Text: a line of names, then a line for each row.
    Csv,
    /// Apache Parquet.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// That which the ending of a path says.
    pub fn of(path: &Path) -> Result<Format, Error> {
        let ending = path.extension().unwrap_or_default();
        match &*ending.to_string_lossy().to_lowercase() {
            "csv" => Ok(Format::Csv),
            #[cfg(feature = "parquet")]
            "parquet" => Ok(Format::Parquet),
            _ => {
                let known = if cfg!(feature = "parquet") {
                    ".parquet or .csv"
                } else {
                    ".csv (this broth was built without Parquet)"
                };
                Err(Error::Setting(format!(
                    "`out` {}: a table of events ends in {known}",
                    path.display()
                )))
            }
        }
    }

    /// What a file of the format begins with, if it is a table of events.
    pub fn first_bytes(self) -> &'static [u8] {
        match self {
            Format::Csv => b"epoch,pair,left,",
            #[cfg(feature = "parquet")]
            Format::Parquet => b"PAR1",
        }
    }

    fn begin(self, path: &Path) -> Result<Box<dyn Rows + '_>, Error> {
        let file = Unfinished::create(path)?;
        let path = path.to_owned();
        Ok(match self {
            Format::Csv => Box::new(Csv::begin(file, path)?),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(parquet::Parquet::begin(file, path)?),
        })
    }
}

/// A table that is being written.
trait Rows {
    /// Add some rows.
    fn push(&mut self, rows: &[Event]) -> Result<(), Error>;

    /// Make it a whole file.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

struct Csv {
    file: Unfinished,
    path: std::path::PathBuf,
}

impl Csv {
    fn begin(mut file: Unfinished, path: std::path::PathBuf) -> Result<Csv, Error> {
        let names = COLUMNS.map(|column| column.name).join(",");
        let written = writeln!(file, "{names}");
        written.map_err(|error| Error::cannot("write", &path, error))?;
        Ok(Csv { file, path })
    }
}

impl Rows for Csv {
    fn push(&mut self, rows: &[Event]) -> Result<(), Error> {
        let written = rows
            .iter()
            .try_for_each(|row| write_line(&mut self.file, row));
        written.map_err(|error| Error::cannot("write", &self.path, error))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.file.finish(&self.path)
    }
}

fn write_line(file: &mut impl Write, row: &Event) -> io::Result<()> {
    for (place, column) in COLUMNS.iter().enumerate() {
        if place > 0 {
            file.write_all(b",")?;
        }
        match column.cells {
            Cells::U64(get) => write!(file, "{}", get(row))?,
            Cells::U32(get) => write!(file, "{}", get(row))?,
            Cells::OptionalU32(get) => {
                if let Some(number) = get(row) {
                    write!(file, "{number}")?;
                }
            }
            Cells::Name(get) => write!(file, "{}", get(row).unwrap_or_default())?,
        }
    }
    writeln!(file)
}
