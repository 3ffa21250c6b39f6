//! The log rows of a soup, as pages draw them.

use std::sync::LazyLock;

use crate::measure::column::{Column, Scale, Source, Value};
use crate::measure::columns;
use crate::measure::row::LogRow;

/// Rows that are kept at most; where there are more, every other one goes.
const MOST_ROWS: usize = 1 << 14;

/// The columns that charts show, after the epoch.
static DRAWN: LazyLock<Vec<&'static Column>> = LazyLock::new(|| {
    let drawn = columns::all().filter(|column| column.drawn.is_some());
    drawn.collect()
});

/// The columns of rows: the epoch, and those that charts show.
pub(super) fn drawn_columns() -> &'static [&'static Column] {
    &DRAWN
}

/// What is said of a column: its name and where it is drawn.
pub(super) fn describe(column: &Column) -> Option<serde_json::Value> {
    let curve = column.drawn?;
    Some(serde_json::json!({
        "name": column.name,
        "label": curve.label,
        "panel": curve.panel.title,
        "unit": curve.panel.unit,
        "log": curve.panel.scale == Scale::Logarithmic,
        "first": curve.is_first,
        "always": !matches!(column.source, Source::Replicators(_) | Source::Tokens(_) | Source::Soup(_)),
    }))
}

/// Log rows in the order of their epochs, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Counts up where earlier rows have changed or gone.
    beginning: u64,
    /// Of all rows, the numbers of each one after those of another.
    values: Vec<f64>,
    last_epoch: Option<u64>,
    /// Log points for each row that is kept.
    stride: u64,
    seen: u64,
}

impl Rows {
    /// Numbers in a row.
    pub(super) fn width() -> usize {
        1 + DRAWN.len()
    }

    /// The numbers of a row: those of columns that it lacks are none.
    pub(super) fn numbers(row: &LogRow) -> Vec<f64> {
        let mut numbers = vec![f64::NAN; Rows::width()];
        for (column, value) in row.values() {
            let value = match value {
                Value::Count(count) => count as f64,
                Value::Number(number) => number,
                Value::Single(number) => f64::from(number),
            };
            if column.name == "epoch" {
                numbers[0] = value;
            } else if let Some(at) = DRAWN.iter().position(|it| *it == column) {
                numbers[at + 1] = value;
            }
        }
        numbers
    }

    /// Add the numbers of a row. Those of an epoch that was there before are the same, since a soup
    /// is a function of its settings.
    pub(super) fn add(&mut self, numbers: &[f64]) {
        let epoch = numbers[0] as u64;
        if self.last_epoch.is_some_and(|last| epoch <= last) {
            return;
        }
        self.last_epoch = Some(epoch);
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.stride.max(1)) {
            return;
        }
        self.values.extend(numbers);
        if self.len() > MOST_ROWS {
            let rows = self.values.chunks_exact(Rows::width()).step_by(2);
            self.values = rows.flatten().copied().collect();
            self.stride = self.stride.max(1) * 2;
            self.beginning += 1;
        }
    }

    /// Forget rows of more epochs than that.
    pub(super) fn forget_after(&mut self, epoch: u64) {
        if self.last_epoch.is_none_or(|last| last <= epoch) {
            return;
        }
        let rows = self.values.chunks_exact(Rows::width());
        let kept = rows.take_while(|row| row[0] as u64 <= epoch).count();
        self.values.truncate(kept * Rows::width());
        self.last_epoch = self
            .values
            .chunks_exact(Rows::width())
            .last()
            .map(|row| row[0] as u64);
        self.seen = kept as u64 * self.stride.max(1);
        self.beginning += 1;
    }

    /// Forget all rows.
    pub(super) fn clear(&mut self) {
        *self = Rows {
            beginning: self.beginning + 1,
            ..Rows::default()
        };
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / Rows::width()
    }

    /// The rows that a page lacks that has seen `seen` of those since `beginning`, whether
    /// they begin anew, and what it has seen then.
    pub(super) fn since(&self, (beginning, seen): (u64, usize)) -> (bool, &[f64], (u64, usize)) {
        let is_new = beginning != self.beginning;
        let from = if is_new { 0 } else { seen.min(self.len()) };
        let missing = &self.values[from * Rows::width()..];
        (is_new, missing, (self.beginning, self.len()))
    }

    /// The number of a column in each row, with its epoch.
    #[cfg(test)]
    fn column(&self, at: usize) -> Vec<f64> {
        let rows = self.values.chunks_exact(Rows::width());
        rows.map(|row| row[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(epoch: u64) -> Vec<f64> {
        let mut numbers = vec![f64::NAN; Rows::width()];
        numbers[0] = epoch as f64;
        numbers
    }

    #[test]
    fn rows_are_there_once_and_go_when_a_plant_changes_what_follows() {
        let mut rows = Rows::default();
        for epoch in [1, 17, 33, 17, 33, 49] {
            rows.add(&numbers(epoch));
        }
        assert_eq!(rows.column(0), [1.0, 17.0, 33.0, 49.0]);
        let (is_new, missing, seen) = rows.since((0, 3));
        assert_eq!((is_new, missing[0], seen), (false, 49.0, (0, 4)));
        rows.forget_after(33);
        rows.forget_after(33);
        assert_eq!(rows.column(0), [1.0, 17.0, 33.0]);
        let (is_new, missing, _) = rows.since(seen);
        assert_eq!((is_new, missing.len()), (true, 3 * Rows::width()));
        rows.add(&numbers(49));
        assert_eq!(rows.len(), 4);
        rows.clear();
        assert!(rows.len() == 0 && rows.since(seen).0);
    }

    #[test]
    fn rows_are_thinned_out_evenly() {
        let mut rows = Rows::default();
        for epoch in 0..100_000 {
            rows.add(&numbers(epoch));
        }
        assert!(rows.len() <= MOST_ROWS && rows.len() > MOST_ROWS / 3);
        let epochs = rows.column(0);
        assert!(
            epochs.windows(2).all(|it| it[1] - it[0] == 8.0),
            "{:?}",
            &epochs[..9]
        );
    }
}
