//! Sweeps, as a user starts, kills, splits and continues them, and the figures of their tables.

mod experiments;
mod figures;
mod lifecycle;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::succeed;

/// A sweep in which some soups come alive and others do not, within a second.
const LIVELY: &str = "[settings]\nlang = \"forthtrivial\"\nnum = 1024\nmax-epochs = 64\n\
                      log-interval = 8\neval-selfrep = true\n";

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn sweep(words: &str, file: &Path, out: &Path) {
    succeed(
        &format!("sweep --quiet {words}"),
        &[file, "--out".as_ref(), out],
    );
}

/// The rows of a table, each cell by its column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cells = header.iter().cloned().zip(record.iter().map(String::from));
        cells.collect()
    });
    rows.collect()
}

/// Rows without what may differ: times.
fn results(out: &Path) -> Vec<BTreeMap<String, String>> {
    let mut rows = rows(&out.join("results.csv"));
    for row in &mut rows {
        assert!(row.remove("seconds").is_some());
    }
    rows
}

/// Both sweeps came to the same; the first cell that differs is told.
fn assert_same(out: &Path, other: &Path) {
    let (rows, others) = (results(out), results(other));
    assert_eq!(rows.len(), others.len());
    for (row, other) in rows.iter().zip(&others) {
        assert!(row.keys().eq(other.keys()));
        for (name, cell) in row {
            assert_eq!(
                *cell, other[name],
                "{name} of {} {}",
                row["condition"], row["seed"]
            );
        }
    }
}
