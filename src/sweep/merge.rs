//! Joining what came of several sweeps, or of several parts of one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::outcome::{Ended, Outcome};
use super::table::{Table, disagreement};
use super::{Records, file, folder};
use crate::Error;
use crate::files;

/// What joining came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Merged {
    /// The joined table.
    pub table: Table,
    /// Folders with results that their tables do not have yet, and how many: where a sweep was
    /// killed, or goes on.
    pub unlisted: Vec<(PathBuf, usize)>,
    /// Rows that came from tables alone, without the results that a sweep goes on from.
    pub rows_alone: usize,
    /// Results that cannot be used, which are left out.
    pub skipped: Vec<Error>,
}

/// Of each run the result of which most is known, and how much that is.
type Best = HashMap<String, (PathBuf, (u8, u64))>;

impl Records {
    /// Join the tables of `sources`, which are folders of sweeps or their tables as CSV, into
    /// those of this folder, and take over the results of the folders. What is here already
    /// stays. Soups, and what runs under way go on from, stay where they are.
    pub fn merge(&self, sources: &[PathBuf]) -> Result<Merged, Error> {
        let mut merged = Merged::default();
        let mut best = Best::new();
        let mut tables = Vec::new();
        let of_this = self.csv().exists().then(|| self.path.clone());
        for source in of_this.iter().chain(sources) {
            if !source.is_dir() {
                tables.push((source.display().to_string(), Table::read_csv(source)?));
                continue;
            }
            let (csv, results) = (source.join("results.csv"), source.join("results"));
            // A sweep that was killed early has results before it has a table.
            let table = match !csv.exists() && results.is_dir() {
                true => Table::default(),
                false => Table::read_csv(&csv)?,
            };
            let listed: HashSet<String> = table.keys().collect();
            let found = match results.is_dir() {
                true => find_best(&results, &mut best, &mut merged.skipped)?,
                false => Vec::new(),
            };
            let unlisted = found.iter().filter(|key| !listed.contains(*key)).count();
            // What is here besides the table is of other sources, or is no matter any more.
            if unlisted > 0 && Some(source) != of_this.as_ref() {
                merged.unlisted.push((source.clone(), unlisted));
            }
            tables.push((csv.display().to_string(), table));
        }
        merged.table = Table::join(&tables)?;
        let ended = merged.table.column("ended").into_iter().flatten();
        merged.rows_alone = merged
            .table
            .keys()
            .zip(ended)
            // A run that failed has no result.
            .filter(|(key, ended)| {
                !best.contains_key(key) && ended.to_string() != Ended::Failed.name()
            })
            .count();
        for (key, (path, _)) in &best {
            let to = self.result(key);
            if *path != to {
                let text = files::read_text(path)?;
                files::write_whole(&to, |file| file.write_all(text.as_bytes()))?;
            }
        }
        self.write_tables(&merged.table)?;
        Ok(merged)
    }
}

/// Look at all results in a folder, and answer with their keys; that two results of a run
/// disagree is an error.
fn find_best(
    folder: &Path,
    best: &mut Best,
    skipped: &mut Vec<Error>,
) -> Result<Vec<String>, Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let key = path.file_stem().unwrap_or_default().display().to_string();
        if path.extension().is_none_or(|it| it != "toml") {
            continue;
        }
        let outcome = match read(&path, &key) {
            Ok(outcome) => outcome,
            Err(error) => {
                skipped.push(error);
                continue;
            }
        };
        let rank = outcome.ended.rank(outcome.epochs);
        match best.get(&key) {
            Some((other, known)) if *known == rank => {
                if let Some((name, here, there)) = disagreement(&outcome, &read(other, &key)?) {
                    return Err(Error::Usage(format!(
                        "two results of run {key} disagree: {name} is `{here}` in {} and \
                         `{there}` in {}; one of them is broken: do that run again",
                        path.display(),
                        other.display()
                    )));
                }
            }
            Some((_, known)) if *known > rank => {}
            _ => {
                best.insert(key.clone(), (path, rank));
            }
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The result at `path`, of the run that its name says.
fn read(path: &Path, key: &str) -> Result<Outcome, Error> {
    let outcome = folder::read_any(path)?;
    match file::key_of(&outcome.settings) == key {
        true => Ok(outcome),
        false => Err(folder::of_others(path)),
    }
}
