//! What the last log point of a run measured: the columns that tables of sweeps have of it.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::measure::column::{Column, Kind, Source, Value};
use crate::measure::columns;
use crate::measure::row::LogRow;

/// These columns come first, in this order, as they always have.
const FIRST: [&str; 5] = [
    "high_order_entropy",
    "byte_entropy",
    "brotli_bpb",
    "number_selfreps",
    "number_selfreps_48",
];

/// The columns of sweeps that runs have on request.
pub(super) fn on_request() -> impl Iterator<Item = &'static Column> + Clone {
    let is_other = |column: &&Column| column.in_sweeps && !FIRST.contains(&column.name);
    columns::all().filter(is_other)
}

/// The values of the last log point in the columns that tables of sweeps have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastRow(Vec<(&'static Column, Value)>);

impl LastRow {
    /// Those of `row`.
    pub fn of(row: &LogRow) -> LastRow {
        let known: Vec<(&Column, Value)> = row.values().collect();
        let first = FIRST.iter().filter_map(|name| columns::named(name));
        let value = |column: &'static Column| {
            let (_, value) = known.iter().find(|(known, _)| *known == column)?;
            Some((column, *value))
        };
        LastRow(first.chain(on_request()).filter_map(value).collect())
    }

    /// The value in the column of this name, if the run has it.
    pub fn get(&self, name: &str) -> Option<Value> {
        let (_, value) = self.0.iter().find(|(column, _)| column.name == name)?;
        Some(*value)
    }

    /// High-order entropy, in bits per byte.
    pub fn high_order_entropy(&self) -> f32 {
        match self.get("high_order_entropy") {
            Some(Value::Single(entropy)) => entropy,
            _ => 0.0,
        }
    }
}

/// A column's name in the results of runs.
fn key(column: &Column) -> String {
    column.name.replace('_', "-")
}

impl Serialize for LastRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, value) in &self.0 {
            let key = key(column);
            match value {
                Value::Count(count) => map.serialize_entry(&key, count)?,
                Value::Number(number) => map.serialize_entry(&key, number)?,
                Value::Single(number) => map.serialize_entry(&key, number)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for LastRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LastRow, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = LastRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what a log point measured")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LastRow, A::Error> {
        let mut found: Vec<(&'static Column, Value)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let column = columns::all().find(|column| column.in_sweeps && key(column) == name);
            let column =
                column.ok_or_else(|| A::Error::custom(format!("unknown field `{name}`")))?;
            let value = match column.kind {
                Kind::Count => Value::Count(map.next_value()?),
                Kind::Number => Value::Number(map.next_value()?),
                Kind::Single => Value::Single(map.next_value()?),
            };
            found.push((column, value));
        }
        let mut last = LastRow::default();
        for column in FIRST
            .iter()
            .filter_map(|name| columns::named(name))
            .chain(on_request())
        {
            match found.iter().find(|(known, _)| *known == column) {
                Some(value) => last.0.push(*value),
                // Every run has it.
                None if matches!(column.source, Source::Measures(_)) => {
                    return Err(A::Error::custom(format!("missing field `{}`", key(column))));
                }
                None => {}
            }
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measures;
    use crate::measure::replicators::Replicators;
    use crate::soup::Tally;

    #[test]
    fn a_last_row_reads_back() {
        for replicators in [
            None,
            Some(Replicators {
                cubff: 7,
                knierim: 5,
            }),
        ] {
            let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
            let last = LastRow::of(&LogRow {
                epoch: 65,
                measures: Measures::of(&bytes),
                tally: Tally::default(),
                replicators,
                tokens: None,
                also: Vec::new(),
            });
            let text = toml::to_string(&last).unwrap();
            let keys: Vec<String> = FIRST.map(|name| name.replace('_', "-")).into();
            let written: Vec<&str> = text.lines().filter_map(|it| it.split(' ').next()).collect();
            assert_eq!(written, keys[..written.len()]);
            assert_eq!(written.len(), if replicators.is_some() { 5 } else { 3 });
            assert_eq!(toml::from_str::<LastRow>(&text).unwrap(), last);
            let (_, less) = text.split_once('\n').unwrap();
            assert!(toml::from_str::<LastRow>(less).is_err());
            assert!(toml::from_str::<LastRow>(&format!("{text}x = 1\n")).is_err());
        }
    }
}
