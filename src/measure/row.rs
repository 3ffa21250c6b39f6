//! What is known of a soup at a log point, as a row of metrics.csv and of cubff's log.

use super::column::{Column, Source, Value, View};
use super::replicators::Replicators;
use super::{ALIVE, Measures, columns};
#[cfg(feature = "run")]
use crate::Error;
use crate::soup::Tally;
use crate::soup::tokens::TokenMeasures;

/// The columns that a run's tables have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<&'static Column>);

impl Default for Columns {
    /// Those that the tables of every run have.
    fn default() -> Columns {
        Columns::of(false, false, &[])
    }
}

impl Columns {
    /// Those of a run that counts replicators, or whose bytes carry tracer tokens, or that asks
    /// for some columns by their names.
    pub fn of(replicators: bool, tokens: bool, also: &[&'static Column]) -> Columns {
        let has = |column: &&'static Column| match column.source {
            Source::Epoch | Source::Measures(_) | Source::Commonest(..) | Source::Tally(_) => true,
            Source::Replicators(_) => replicators,
            Source::Tokens(_) => tokens,
            Source::Soup(_) => also.contains(column),
        };
        Columns(columns::all().filter(has).collect())
    }

    /// Whether a column of this name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|column| column.name == name)
    }

    /// The first line of metrics.csv.
    pub fn metrics_header(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|column| column.name).collect();
        names.join(",")
    }

    /// The first line of cubff's log.
    pub fn cubff_header(&self) -> String {
        let names = CUBFF_LOG.iter().filter_map(|(name, column, _)| {
            let is_there = column.is_none_or(|column| self.has(column));
            is_there.then_some(*name)
        });
        names.collect::<Vec<_>>().join(",")
    }
}

/// The values of the columns that a run asks for by their names.
pub fn measure(also: &[&'static Column], soup: &View<'_>) -> Vec<(&'static Column, Value)> {
    let values = also.iter().filter_map(|column| match column.source {
        Source::Soup(of) => Some((*column, of(soup))),
        _ => None,
    });
    values.collect()
}

/// The columns that runs may ask for, by their names.
pub fn on_request() -> impl Iterator<Item = &'static Column> + Clone {
    columns::all().filter(|column| column.is_on_request())
}

/// The columns that a run asks for by `names`, separated by commas; in the order of tables.
#[cfg(feature = "run")]
pub(crate) fn parse_request(names: &str) -> Result<Vec<&'static Column>, Error> {
    let asked: Vec<&str> = names.split(',').map(str::trim).collect();
    for name in &asked {
        if !on_request().any(|column| column.name == *name) {
            let known: Vec<&str> = on_request().map(|column| column.name).collect();
            let known = if known.is_empty() {
                "there is none".into()
            } else {
                format!("choose among {}", known.join(", "))
            };
            return Err(Error::Usage(format!(
                "`{name}` is no measure that a run has on request; {known}"
            )));
        }
    }
    Ok(on_request()
        .filter(|column| asked.contains(&column.name))
        .collect())
}

/// What [`parse_request`] reads.
#[cfg(feature = "run")]
pub(crate) fn request_text(also: &[&'static Column]) -> String {
    let names: Vec<&str> = also.iter().map(|column| column.name).collect();
    names.join(",")
}

/// What is known of a soup at a log point; settings and seed determine it.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// Epochs done.
    pub epoch: u64,
    /// The soup's measures.
    pub measures: Measures,
    /// What the last epoch came to.
    pub tally: Tally,
    /// How many replicators there are, where they are counted.
    pub replicators: Option<Replicators>,
    /// What the tracer tokens measure, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// What was asked for by name: see [`measure`].
    pub also: Vec<(&'static Column, Value)>,
}

impl LogRow {
    /// The columns that the row has, with their values.
    pub fn values(&self) -> impl Iterator<Item = (&'static Column, Value)> {
        let commonest = self.measures.commonest();
        columns::all().filter_map(move |column| {
            let value = match column.source {
                Source::Epoch => self.epoch.into(),
                Source::Measures(of) => of(&self.measures),
                Source::Commonest(rank, of) => {
                    let (byte, share) = commonest[rank];
                    of(byte, share)
                }
                Source::Tally(of) => of(&self.tally),
                Source::Replicators(of) => of(self.replicators.as_ref()?),
                Source::Tokens(of) => of(self.tokens.as_ref()?),
                Source::Soup(_) => self.also.iter().find(|it| it.0 == column)?.1,
            };
            Some((column, value))
        })
    }

    /// The row as a line of metrics.csv.
    pub fn metrics_line(&self) -> String {
        let cells: Vec<String> = self
            .values()
            .map(|(column, value)| column.text(value))
            .collect();
        cells.join(",")
    }

    /// The row as a resumed run reads it back.
    pub fn past(&self) -> PastRow {
        PastRow {
            epoch: self.epoch,
            brotli_size: self.measures.brotli_size as u64,
            high_order_entropy: self.measures.high_order_entropy,
            replicators: self.replicators,
            tokens: self.tokens,
        }
    }
}

/// A row of metrics.csv, read back: what a resumed run needs to know.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PastRow {
    /// Epochs done.
    pub epoch: u64,
    /// Brotli size of the soup in bytes.
    pub brotli_size: u64,
    /// High-order entropy in bits per byte, to the last digit.
    pub high_order_entropy: f32,
    /// How many replicators there were, where they were counted.
    pub replicators: Option<Replicators>,
    /// What the tracer tokens measured, where bytes carried some.
    pub tokens: Option<TokenMeasures>,
}

impl PastRow {
    /// Read a line of a metrics.csv with such columns. What the last epoch came to and which
    /// bytes were the commonest is not looked at.
    pub fn parse(line: &str, columns: &Columns) -> Option<PastRow> {
        let mut row = PastRow::default();
        let mut cells = line.split(',');
        for column in &columns.0 {
            let cell = cells.next();
            if !matches!(column.source, Source::Tally(_) | Source::Commonest(..)) {
                row.set(column, column.kind.parse(cell?)?);
            }
        }
        Some(row)
    }

    fn set(&mut self, column: &Column, value: Value) {
        match (column.name, value) {
            ("epoch", Value::Count(epoch)) => self.epoch = epoch,
            ("brotli_size", Value::Count(size)) => self.brotli_size = size,
            ("high_order_entropy", Value::Single(entropy)) => self.high_order_entropy = entropy,
            ("number_selfreps", Value::Count(count)) => {
                self.replicators.get_or_insert_default().cubff = count;
            }
            ("number_selfreps_48", Value::Count(count)) => {
                self.replicators.get_or_insert_default().knierim = count;
            }
            ("distinct_tokens", Value::Count(distinct)) => {
                self.tokens.get_or_insert_default().distinct = distinct;
            }
            ("commonest_token_share", Value::Number(share)) => {
                self.tokens.get_or_insert_default().commonest_share = share;
            }
            _ => {}
        }
    }

    /// Whether the soup counts as alive.
    pub fn is_alive(&self) -> bool {
        self.high_order_entropy > ALIVE
    }

    /// Brotli's bits per byte in a soup of so many bytes.
    pub fn brotli_bpb(&self, soup_bytes: usize) -> f64 {
        self.brotli_size as f64 * 8.0 / soup_bytes as f64
    }

    /// The row as a line of cubff's log.
    pub fn cubff_line(&self, num_programs: usize) -> String {
        let cells = CUBFF_LOG
            .iter()
            .filter_map(|(_, _, cell)| cell(self, num_programs));
        cells.collect::<Vec<_>>().join(",")
    }
}

/// A column of cubff's log: its name there, the column of metrics.csv that it repeats, if it
/// does, and its cell of a row of a soup with so many programs.
type CubffColumn = (
    &'static str,
    Option<&'static str>,
    fn(&PastRow, usize) -> Option<String>,
);

static CUBFF_LOG: [CubffColumn; 5] = [
    ("epoch", Some("epoch"), |row, _| Some(row.epoch.to_string())),
    ("brotli_size", Some("brotli_size"), |row, _| {
        Some(row.brotli_size.to_string())
    }),
    ("soup_size", None, |_, num_programs| {
        Some(num_programs.to_string())
    }),
    ("higher_entropy", Some("high_order_entropy"), |row, _| {
        Some(format!("{:.6}", row.high_order_entropy))
    }),
    ("number_selfreps", Some("number_selfreps"), |row, _| {
        Some(row.replicators?.cubff.to_string())
    }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back() {
        let counted = Replicators {
            cubff: 7,
            knierim: 5,
        };
        let traced = TokenMeasures {
            distinct: 9,
            commonest_share: 1.0 / 3.0,
        };
        let each = [
            (None, None),
            (Some(counted), None),
            (None, Some(traced)),
            (Some(counted), Some(traced)),
        ];
        for (replicators, tokens) in each {
            let row = LogRow {
                epoch: 65,
                measures: Measures::of(&[3; 128]),
                tally: Tally::default(),
                replicators,
                tokens,
                also: Vec::new(),
            };
            let columns = Columns::of(replicators.is_some(), tokens.is_some(), &[]);
            let past = PastRow::parse(&row.metrics_line(), &columns).unwrap();
            assert_eq!(past, row.past());
            assert_eq!(past.brotli_bpb(2 * 64), row.measures.brotli_bpb);
            assert!(past.cubff_line(2).starts_with("65,"));
            let cells = |line: &str| line.split(',').count();
            let (metrics, log) = (columns.metrics_header(), columns.cubff_header());
            assert_eq!(cells(&row.metrics_line()), cells(&metrics));
            assert_eq!(cells(&past.cubff_line(2)), cells(&log));
        }
    }
}
