//! Log points that a run has behind it, as metrics.csv holds them.

use std::path::Path;

use crate::Error;
use crate::measure::row::{Columns, PastRow};
use crate::run::folder::csv::Lines;

/// What is known of the log points so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    /// The last one.
    pub last: Option<PastRow>,
    /// Epochs done at the first one at which the soup was alive.
    pub alive_at: Option<u64>,
    /// Epochs done at the first one with a replicator.
    pub replicators_at: Option<u64>,
}

impl Past {
    /// Count a log point in.
    pub(super) fn add(&mut self, row: PastRow) {
        let first = |at: Option<u64>, is_so: bool| at.or(is_so.then_some(row.epoch));
        let replicates = row.replicators.is_some_and(|count| count.knierim > 0);
        self.alive_at = first(self.alive_at, row.is_alive());
        self.replicators_at = first(self.replicators_at, replicates);
        self.last = Some(row);
    }
}

/// The rows of a metrics.csv, one after another; none where there is no file.
pub(super) fn past_rows(
    path: &Path,
    columns: Columns,
) -> Result<impl FnMut() -> Result<Option<PastRow>, Error>, Error> {
    let mut lines = if path.exists() {
        Some(Lines::open(path)?)
    } else {
        None
    };
    if let Some(header) = &mut lines {
        header.read()?;
    }
    Ok(move || match &mut lines {
        Some(lines) => {
            let line = lines.read()?;
            Ok(line.and_then(|line| PastRow::parse(line, &columns)))
        }
        None => Ok(None),
    })
}
