//! A column of a run's tables: its name, where its values come from, how they are written and
//! where they are drawn. [`super::columns`] lists them all.

use std::fmt;

use super::Measures;
use super::replicators::Replicators;
use crate::language::{Language, Role};
use crate::soup::Tally;
use crate::soup::tokens::TokenMeasures;

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// A number.
    Number(f64),
    /// A number of single precision, so that fewer digits say all of it.
    Single(f32),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With the digits that `f` asks for.
        match self {
            Value::Count(count) => fmt::Display::fmt(count, f),
            Value::Number(number) => fmt::Display::fmt(number, f),
            Value::Single(number) => fmt::Display::fmt(number, f),
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Value {
        Value::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Value {
        Value::Count(count as u64)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Value {
        Value::Single(number)
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// See [`Value::Count`].
    Count,
    /// See [`Value::Number`].
    Number,
    /// See [`Value::Single`].
    Single,
}

impl Kind {
    /// Read a value of this kind.
    pub fn parse(self, text: &str) -> Option<Value> {
        Some(match self {
            Kind::Count => Value::Count(text.parse().ok()?),
            Kind::Number => Value::Number(text.parse().ok()?),
            Kind::Single => Value::Single(text.parse().ok()?),
        })
    }
}

/// A soup at a log point, as a measure sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What its bytes mean; how long its programs are.
    pub language: &'static Language,
    /// Its programs, one behind the other.
    pub programs: &'a [u8],
    /// Epochs done.
    pub epochs_done: u64,
}

/// Where a column's values come from, which also says what runs have the column.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The epochs done: every run has it.
    Epoch,
    /// The measures of the soup's bytes: every run has them.
    Measures(fn(&Measures) -> Value),
    /// The commonest byte of this rank, from 0, with its share of the soup: every run has it.
    Commonest(usize, fn(u8, f64) -> Value),
    /// What the last epoch came to: every run has it.
    Tally(fn(&Tally) -> Value),
    /// The replicators: runs that count them have it.
    Replicators(fn(&Replicators) -> Value),
    /// The tracer tokens: runs whose bytes carry some have it.
    Tokens(fn(&TokenMeasures) -> Value),
    /// Anything of the soup: runs that ask for the column by its name have it.
    Soup(fn(&View<'_>) -> Value),
}

/// How values become heights in a panel of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scale {
    /// Equal differences take the same room.
    Linear,
    /// Each power of ten takes the same room; 0 is below 1.
    Logarithmic,
}

/// One of the panels of a chart, which share the axis of epochs.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Panel {
    /// What is written above it.
    pub title: &'static str,
    /// What is written beside its axis.
    pub unit: &'static str,
    /// Its axis.
    pub scale: Scale,
}

/// Where and how a column is drawn.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Curve {
    /// The panel. Panels come in the order of the first column in each.
    pub panel: &'static Panel,
    /// What the column is called there.
    pub label: &'static str,
    /// Its colour, which is that of the role.
    pub colour: Role,
    /// Whether it is drawn, and named, before the columns that are listed before it.
    pub is_first: bool,
}

/// A column of a run's tables.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Column {
    /// Its name in the first line of tables.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Where they come from.
    pub source: Source,
    /// How many digits stand behind the point; as many as there are where nothing is said.
    pub digits: Option<usize>,
    /// Where charts show it, if they do.
    pub drawn: Option<Curve>,
    /// Whether the table of a sweep has its value at each run's last log point.
    pub in_sweeps: bool,
}

impl Column {
    const fn new(name: &'static str, kind: Kind, source: Source) -> Column {
        Column {
            name,
            kind,
            source,
            digits: None,
            drawn: None,
            in_sweeps: matches!(source, Source::Soup(_)),
        }
    }

    /// A column of whole numbers.
    pub const fn count(name: &'static str, source: Source) -> Column {
        Column::new(name, Kind::Count, source)
    }

    /// A column of numbers, with all their digits.
    pub const fn number(name: &'static str, source: Source) -> Column {
        Column::new(name, Kind::Number, source)
    }

    /// A column of numbers of single precision, with all their digits.
    pub const fn single(name: &'static str, source: Source) -> Column {
        Column::new(name, Kind::Single, source)
    }

    /// With so many digits behind the point.
    pub const fn digits(self, digits: usize) -> Column {
        Column {
            digits: Some(digits),
            ..self
        }
    }

    /// Drawn in `panel`.
    pub const fn drawn(self, panel: &'static Panel, label: &'static str, colour: Role) -> Column {
        let drawn = Curve {
            panel,
            label,
            colour,
            is_first: false,
        };
        Column {
            drawn: Some(drawn),
            ..self
        }
    }

    /// Drawn as by [`Column::drawn`], before the columns that are listed before it.
    pub(crate) const fn drawn_first(
        self,
        panel: &'static Panel,
        label: &'static str,
        colour: Role,
    ) -> Column {
        let drawn = Curve {
            panel,
            label,
            colour,
            is_first: true,
        };
        Column {
            drawn: Some(drawn),
            ..self
        }
    }

    /// In the tables of sweeps, too; a column of [`Source::Soup`] is there in any case.
    pub const fn in_sweeps(self) -> Column {
        Column {
            in_sweeps: true,
            ..self
        }
    }

    /// Whether runs have it only where they ask for it by its name.
    pub(crate) const fn is_on_request(&self) -> bool {
        matches!(self.source, Source::Soup(_))
    }

    /// A value as it is written.
    pub fn text(&self, value: Value) -> String {
        match self.digits {
            Some(digits) => format!("{value:.digits$}"),
            None => value.to_string(),
        }
    }
}

/// Names are unique.
impl PartialEq for Column {
    fn eq(&self, other: &Column) -> bool {
        self.name == other.name
    }
}

impl Eq for Column {}
