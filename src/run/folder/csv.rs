//! Tables of a run, one line for each log point, appended as it comes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::files;

/// The lines of a table, one at a time: however long it is, little of it is in memory.
pub struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    /// The line read last, or what is there instead of one.
    line: Vec<u8>,
    /// How many lines were read.
    number: u64,
}

impl Lines {
    /// No line of a table is longer.
    const LONGEST: u64 = 4096;

    /// Open the table at `path`.
    pub fn open(path: &Path) -> Result<Lines, Error> {
        Ok(Lines {
            path: path.into(),
            reader: BufReader::new(files::open(path)?),
            line: Vec::new(),
            number: 0,
        })
    }

    /// The next whole line; none at the end, at a torn last line, and at what is no text.
    pub fn read(&mut self) -> Result<Option<&str>, Error> {
        let line = self.try_read();
        line.map_err(|error| Error::cannot("read", &self.path, error))?;
        let line = self.line.strip_suffix(b"\n");
        Ok(line.and_then(|line| std::str::from_utf8(line).ok()))
    }

    fn try_read(&mut self) -> io::Result<()> {
        self.line.clear();
        self.number += 1;
        let mut reader = (&mut self.reader).take(Lines::LONGEST);
        reader.read_until(b'\n', &mut self.line).map(|_| ())
    }

    /// Whether nothing is there instead of the line that could not be read, or a line that
    /// was never finished.
    #[cfg(feature = "plot")]
    pub(crate) fn ended_well(&self) -> bool {
        !self.line.ends_with(b"\n") && (self.line.len() as u64) < Lines::LONGEST
    }

    /// The number of the line read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// The log points up to which a run goes on, which are the rows that its tables have.
#[derive(Clone, Copy, Debug)]
pub struct LogPoints {
    /// Measures are logged after epochs e (from 0) divisible by this, at least 1.
    pub interval: u64,
    /// Epochs done.
    pub epochs_done: u64,
}

impl LogPoints {
    /// The last log point, in epochs done.
    fn last(&self) -> Option<u64> {
        let epoch = self.epochs_done.checked_sub(1)?;
        Some(epoch - epoch % self.interval + 1)
    }

    /// Whether the row of `epoch` belongs behind that of `before`.
    fn follows(&self, epoch: u64, before: Option<u64>) -> bool {
        match before {
            Some(before) => epoch.checked_sub(self.interval) == Some(before),
            // Of a run that began with a checkpoint, or a table that was moved away.
            None => epoch % self.interval == 1 % self.interval && epoch > 0,
        }
    }
}

/// A table on disk that only grows.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Table {
    /// Begin a table with the line `header`; a file of that name must not exist.
    pub fn create(path: &Path, header: &str) -> Result<Table, Error> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| Error::cannot("create", path, error))?;
        let mut table = Table {
            path: path.into(),
            file,
            len: 0,
        };
        let begun = table.append(header).and_then(|()| table.sync());
        if let Err(error) = begun.and_then(|()| files::sync_name(path)) {
            // The first error is the one to tell.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(table)
    }

    /// The table at `path` as it stood at the log points that `points` tell: later rows and
    /// a torn last line are to be cut off, a missing table is to be begun. Of each row that
    /// stays, `see` says whether it is right; one that is not, or is missing, is an error.
    pub fn reopen(
        path: &Path,
        header: &str,
        points: LogPoints,
        mut see: impl FnMut(&str) -> bool,
    ) -> Result<Kept, Error> {
        Kept::of(path, header, points, &mut see, true)
    }

    /// As [`Table::reopen`], for a table of which the last rows may be missing.
    pub(crate) fn reopen_begun(
        path: &Path,
        header: &str,
        points: LogPoints,
        mut see: impl FnMut(&str) -> bool,
    ) -> Result<Kept, Error> {
        Kept::of(path, header, points, &mut see, false)
    }

    /// Give the table at `path` the line `header`, if an older version began it with
    /// the first of these columns: in the others its rows get empty cells.
    pub(crate) fn widen(path: &Path, header: &str) -> Result<(), Error> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let mut lines = Lines::open(path)?;
        let columns = lines.read()?.and_then(|old| header.strip_prefix(old));
        let Some(columns) = columns.filter(|columns| columns.starts_with(',')) else {
            return Ok(());
        };
        let cells = ",".repeat(columns.matches(',').count());
        files::write_whole(path, |file| {
            writeln!(file, "{header}")?;
            lines.try_read()?;
            while let Some(row) = lines.line.strip_suffix(b"\n") {
                file.write_all(row)?;
                writeln!(file, "{cells}")?;
                lines.try_read()?;
            }
            // A torn last line stays so.
            file.write_all(&lines.line)?;
            io::copy(&mut lines.reader, file).map(|_| ())
        })
    }

    /// Cut off whatever is behind the last whole line.
    fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.len)?;
        self.file.seek(SeekFrom::Start(self.len)).map(|_| ())
    }

    /// Append a line; where that fails, none of it stays.
    pub fn append(&mut self, line: &str) -> Result<(), Error> {
        let line = format!("{line}\n");
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.cut_back();
                Err(Error::cannot("write", &self.path, error))
            }
        }
    }

    /// Make what was appended last through a crash.
    pub fn sync(&self) -> Result<(), Error> {
        self.file
            .sync_data()
            .map_err(|error| Error::cannot("write", &self.path, error))
    }
}

/// A table that is right up to some row. What is behind it is there until
/// [`Kept::cut`]: nothing is lost before all tables of a run are known to be right.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    header: String,
    /// Bytes of header and rows that stay; none where even the header was never finished.
    len: u64,
    /// Whether there is a file.
    exists: bool,
    /// The first row, where no row stays.
    all_cut_from: Option<String>,
}

impl Kept {
    fn of(
        path: &Path,
        header: &str,
        points: LogPoints,
        see: &mut dyn FnMut(&str) -> bool,
        to_the_last: bool,
    ) -> Result<Kept, Error> {
        let wrong = |problem: String| {
            let problem = format!("{problem}; move it away and resume again");
            Err(Error::file(path, problem))
        };
        let mut kept = Kept {
            path: path.into(),
            header: header.into(),
            len: 0,
            exists: true,
            all_cut_from: None,
        };
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                kept.exists = false;
                return Ok(kept);
            }
            // What is written to in place must be in this place.
            Ok(metadata) if !metadata.is_file() => {
                return wrong("is not a file but a folder, a link, a pipe or a device".into());
            }
            _ => {}
        }
        let mut lines = Lines::open(path)?;
        if lines.read()? != Some(header) {
            // One that was never finished has lost nothing.
            return match header.as_bytes().starts_with(&lines.line) {
                true => Ok(kept),
                false => wrong(format!("does not begin with the line `{header}`")),
            };
        }
        kept.len = lines.line.len() as u64;
        let mut last = None;
        // Up to the last log point; what is behind it does not matter.
        while last.is_none() || last != points.last() {
            let Some(line) = lines.read()? else { break };
            let epoch = line.split(',').next().map(str::parse::<u64>);
            match epoch {
                Some(Ok(epoch)) if epoch > points.epochs_done => {
                    kept.all_cut_from = last.is_none().then(|| line.to_string());
                    break;
                }
                Some(Ok(epoch)) if points.follows(epoch, last) && see(line) => {
                    last = Some(epoch);
                    kept.len += line.len() as u64 + 1;
                }
                _ => return wrong(format!("has a wrong row in line {}", lines.number())),
            }
        }
        // A table that was begun not long ago has no row yet.
        if to_the_last && last.is_some() && last != points.last() {
            return wrong(format!(
                "lacks rows up to epoch {}, from line {} on",
                points.epochs_done,
                lines.number()
            ));
        }
        Ok(kept)
    }

    /// The first row of a table of which no row stays, if it has one.
    pub(crate) fn all_cut_from(&self) -> Option<&str> {
        self.all_cut_from.as_deref()
    }

    /// Cut off what is behind, to go on with the table.
    pub fn cut(self) -> Result<Table, Error> {
        let Kept {
            path,
            header,
            len,
            exists,
            ..
        } = self;
        if !exists {
            return Table::create(&path, &header);
        }
        let cannot = |error| Error::cannot("write", &path, error);
        let file = OpenOptions::new().write(true).open(&path).map_err(cannot)?;
        let mut table = Table {
            path: path.clone(),
            file,
            len,
        };
        table.cut_back().map_err(cannot)?;
        if len == 0 {
            table.append(&header)?;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reopening_cuts_back_to_the_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut table = Table::create(&path, "epoch,x").unwrap();
        for epoch in [1, 17, 33] {
            table.append(&format!("{epoch},0.5")).unwrap();
        }
        drop(table);
        let torn = fs::read_to_string(&path).unwrap() + "49,0.";
        fs::write(&path, torn).unwrap();
        let points = LogPoints {
            interval: 16,
            epochs_done: 20,
        };
        let mut kept = Vec::new();
        let mut see = |line: &str| {
            kept.push(line.to_string());
            true
        };
        let before = fs::read_to_string(&path).unwrap();
        let kept_rows = Table::reopen(&path, "epoch,x", points, &mut see).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        let mut table = kept_rows.cut().unwrap();
        table.append("33,0.7").unwrap();
        drop(table);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "epoch,x\n1,0.5\n17,0.5\n33,0.7\n");
        assert_eq!(kept, ["1,0.5", "17,0.5"]);
        let reopen = |header| Table::reopen(&path, header, points, |_| true)?.cut();
        assert!(reopen("epoch,y").is_err());
        for (header, wider) in [
            ("epoch,y", false),
            ("epoch,xy", false),
            ("epoch,x,y,z", true),
        ] {
            Table::widen(&path, header).unwrap();
            assert_eq!(reopen(header).is_ok(), wider, "{header}");
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "epoch,x,y,z\n1,0.5,,\n17,0.5,,\n");
        assert!(Table::create(&path, "epoch,x").is_err());
    }

    /// Rows that were synced before the checkpoint cannot be missing: a table without one is
    /// not gone on with, and stays as it is.
    #[test]
    fn a_table_with_a_gap_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let points = LogPoints {
            interval: 4,
            epochs_done: 11,
        };
        let header = "epoch,x";
        for (rows, hint) in [
            ("1,a\n5,a\n9,a\n", None),
            ("1,a\n5,a\n9,a\n13,a\n", None),
            ("1,a\n5,a\n9,a\n13", None),
            ("1,a\n5,a\n9,a\n\0\0\n\u{fffd}\n", None),
            // Begun late, or not at all.
            ("5,a\n9,a\n", None),
            ("", None),
            ("1", None),
            ("13,a\n", None),
            // Lost, twice, out of turn.
            ("1,a\n9,a\n", Some("wrong row in line 3")),
            ("1,a\n5,a\n", Some("from line 4 on")),
            ("1,a\n5,a\n9,a", Some("from line 4 on")),
            ("1,a\n13,a\n5,a\n9,a\n", Some("from line 3 on")),
            ("1,a\n1,a\n5,a\n9,a\n", Some("wrong row in line 3")),
            ("5,a\n1,a\n", Some("wrong row in line 3")),
            ("2,a\n6,a\n10,a\n", Some("wrong row in line 2")),
            ("0,a\n", Some("wrong row in line 2")),
            // Not rows.
            ("1,a\nx,a\n9,a\n", Some("wrong row in line 3")),
            ("x\n1,a\n", Some("wrong row in line 2")),
            ("1,a\n5,b\n9,a\n", Some("wrong row in line 3")),
        ] {
            let text = format!("{header}\n{rows}");
            fs::write(&path, &text).unwrap();
            let result = Table::reopen(&path, header, points, |line| line.ends_with(",a"));
            let result = result.and_then(Kept::cut);
            let left = fs::read_to_string(&path).unwrap();
            match (result, hint) {
                (Ok(_), None) => assert!(text.starts_with(&left), "{text:?}"),
                (Err(error), Some(hint)) => {
                    assert!(error.to_string().contains(hint), "{text:?}: {error}");
                    assert_eq!(left, text);
                }
                (result, _) => panic!("{text:?}: {result:?}"),
            }
        }
        // The last rows may be missing, no others.
        for (rows, fits) in [
            ("1,a\n5,a\n", true),
            ("1,a\n5,", true),
            ("1,a\n9,a\n", false),
            ("1,b\n", false),
        ] {
            fs::write(&path, format!("{header}\n{rows}")).unwrap();
            let table = Table::reopen_begun(&path, header, points, |line| line.ends_with(",a"));
            assert_eq!(table.is_ok(), fits, "{rows:?}");
        }
        // A header that was never finished is begun again.
        for torn in ["", "epo", "epoch,x"] {
            fs::write(&path, torn).unwrap();
            let kept = Table::reopen(&path, header, points, |_| false).unwrap();
            kept.cut().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "epoch,x\n");
        }
        fs::write(&path, "epoch,x,y").unwrap();
        assert!(Table::reopen(&path, header, points, |_| true).is_err());
    }
}
