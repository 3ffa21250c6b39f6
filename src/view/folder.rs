//! A run folder that is shown, also while another process writes to it.

use std::path::Path;
use std::sync::Arc;

use super::rows::{Rows, drawn_columns};
use crate::Error;
use crate::run::folder::csv::Lines;
use crate::run::replay::PastRun;
use crate::soup::Soup;

/// Reads what a run folder holds, and what comes to it.
#[derive(Debug)]
pub(super) struct Follower {
    past: Arc<PastRun>,
    /// Rows of metrics.csv that were read.
    rows_read: usize,
    /// Epochs done at the checkpoint that was shown last.
    shown: Option<u64>,
}

/// A row of metrics.csv, as far as pages are concerned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundRow {
    pub numbers: Vec<f64>,
    pub epoch: u64,
    pub high_order_entropy: f64,
}

impl Follower {
    /// Of the run in the folder at `path`.
    pub(super) fn open(path: &Path) -> Result<Follower, Error> {
        Ok(Follower {
            past: Arc::new(PastRun::open(path)?),
            rows_read: 0,
            shown: None,
        })
    }

    /// The run.
    pub(super) fn past(&self) -> &Arc<PastRun> {
        &self.past
    }

    /// The soup of the newest checkpoint, where it is another than that shown last.
    pub(super) fn newer(&mut self) -> Result<Option<Soup>, Error> {
        let newest = self.past.newest()?;
        if newest.is_some() && newest == self.shown {
            return Ok(None);
        }
        let soup = self.past.saved(u64::MAX)?;
        if self.shown == Some(soup.epochs_done()) {
            return Ok(None);
        }
        self.shown = Some(soup.epochs_done());
        Ok(Some(soup))
    }

    /// Have the newest checkpoint be shown again.
    pub(super) fn forget_shown(&mut self) {
        self.shown = None;
    }

    /// The rows of metrics.csv that are new.
    pub(super) fn rows(&mut self) -> Result<Vec<FoundRow>, Error> {
        let path = self.past.folder().metrics();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut lines = Lines::open(&path)?;
        let names: Vec<String> = match lines.read()? {
            Some(header) => header.split(',').map(str::to_owned).collect(),
            None => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        let mut number = 0;
        while let Some(line) = lines.read()? {
            number += 1;
            if number > self.rows_read
                && let Some(row) = row_of(&names, line)
            {
                found.push(row);
            }
        }
        self.rows_read = number;
        Ok(found)
    }
}

/// What a line of a table with columns of these names holds; nothing where it has no epoch.
fn row_of(names: &[String], line: &str) -> Option<FoundRow> {
    let mut numbers = vec![f64::NAN; Rows::width()];
    let (mut epoch, mut high_order_entropy) = (None, f64::NAN);
    for (name, cell) in names.iter().zip(line.split(',')) {
        let value: f64 = cell.parse().unwrap_or(f64::NAN);
        match name.as_str() {
            "epoch" => {
                epoch = cell.parse().ok();
                numbers[0] = value;
            }
            "high_order_entropy" => high_order_entropy = value,
            _ => {}
        }
        if let Some(at) = drawn_columns().iter().position(|it| it.name == name) {
            numbers[at + 1] = value;
        }
    }
    Some(FoundRow {
        numbers,
        epoch: epoch?,
        high_order_entropy,
    })
}

/// What a page calls the folder: a page need not know where it is.
pub(super) fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or(path.into());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_the_names_of_their_columns() {
        let names: Vec<String> = "byte_3,epoch,high_order_entropy,byte_entropy"
            .split(',')
            .map(str::to_owned)
            .collect();
        let row = row_of(&names, "7,17,3.5,7.25").unwrap();
        assert_eq!(
            (row.epoch, row.high_order_entropy, row.numbers[0]),
            (17, 3.5, 17.0)
        );
        let at = |name: &str| {
            1 + drawn_columns()
                .iter()
                .position(|it| it.name == name)
                .unwrap()
        };
        assert_eq!(row.numbers[at("byte_entropy")], 7.25);
        assert!(row.numbers[at("brotli_bpb")].is_nan());
        assert_eq!(row_of(&names, "7,x,3.5"), None);
        assert_eq!(row_of(&names, ""), None);
    }
}
