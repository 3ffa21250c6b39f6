//! Tables of a run, one line for each log point, appended as it comes; and what is in
//! metrics.csv.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::Error;
use crate::language::{Ended, PROGRAM_LEN};
use crate::measure::{ALIVE, Measures};
use crate::soup::Tally;

/// How many of the commonest bytes metrics.csv lists.
pub const COMMONEST: usize = 8;

/// What is known of a soup at a log point; settings and seed determine it.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// Epochs done.
    pub epoch: u64,
    /// The soup's measures.
    pub measures: Measures,
    /// What the last epoch came to.
    pub tally: Tally,
}

impl LogRow {
    /// The first line of metrics.csv.
    pub fn metrics_header() -> String {
        let mut header = String::from(
            "epoch,byte_entropy,brotli_size,brotli_bpb,high_order_entropy,\
             interactions,ops_per_interaction,steps_per_interaction",
        );
        for ended in Ended::ALL {
            let _ = write!(header, ",{}", ended.name());
        }
        for rank in 1..=COMMONEST {
            let _ = write!(header, ",byte_{rank},share_{rank}");
        }
        header
    }

    /// The row as a line of metrics.csv.
    pub fn metrics_line(&self) -> String {
        let LogRow {
            epoch,
            measures,
            tally,
        } = self;
        let each = |sum: u64| sum as f64 / tally.interactions.max(1) as f64;
        let mut line = format!(
            "{epoch},{:.6},{},{:.6},{},{},{:.6},{:.6}",
            measures.byte_entropy,
            measures.brotli_size,
            measures.brotli_bpb,
            measures.high_order_entropy,
            tally.interactions,
            each(tally.ops),
            each(tally.steps),
        );
        for count in tally.ended {
            let _ = write!(line, ",{count}");
        }
        for (byte, share) in measures.commonest().iter().take(COMMONEST) {
            let _ = write!(line, ",{byte},{share:.6}");
        }
        line
    }

    /// The row as a resumed run reads it back.
    pub fn past(&self) -> PastRow {
        PastRow {
            epoch: self.epoch,
            brotli_size: self.measures.brotli_size as u64,
            high_order_entropy: self.measures.high_order_entropy,
        }
    }
}

/// A row of metrics.csv, read back: what a resumed run needs to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastRow {
    /// Epochs done.
    pub epoch: u64,
    /// Brotli size of the soup in bytes.
    pub brotli_size: u64,
    /// High-order entropy in bits per byte, to the last digit.
    pub high_order_entropy: f32,
}

impl PastRow {
    /// The first line of cubff's log.
    pub const CUBFF_HEADER: &'static str = "epoch,brotli_size,soup_size,higher_entropy";

    /// Read a line of metrics.csv.
    pub fn parse(line: &str) -> Option<PastRow> {
        let mut columns = line.split(',');
        let epoch = columns.next()?.parse().ok()?;
        let _byte_entropy: f64 = columns.next()?.parse().ok()?;
        let brotli_size = columns.next()?.parse().ok()?;
        let _brotli_bpb: f64 = columns.next()?.parse().ok()?;
        Some(PastRow {
            epoch,
            brotli_size,
            high_order_entropy: columns.next()?.parse().ok()?,
        })
    }

    /// Whether the soup counts as alive.
    pub fn is_alive(&self) -> bool {
        self.high_order_entropy > ALIVE
    }

    /// Brotli's bits per byte in a soup of `num_programs`.
    pub fn brotli_bpb(&self, num_programs: usize) -> f64 {
        self.brotli_size as f64 * 8.0 / (num_programs * PROGRAM_LEN) as f64
    }

    /// The row as a line of cubff's log.
    pub fn cubff_line(&self, num_programs: usize) -> String {
        format!(
            "{},{},{num_programs},{:.6}",
            self.epoch, self.brotli_size, self.high_order_entropy
        )
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
        table.append(header)?;
        Ok(table)
    }

    /// Go on with a table as it stood after `epochs_done` epochs: later rows
    /// and a torn last line are cut off; a missing table is begun. Returns the
    /// lines that stay, without the header.
    pub fn reopen(
        path: &Path,
        header: &str,
        epochs_done: u64,
    ) -> Result<(Table, Vec<String>), Error> {
        if !path.exists() {
            return Ok((Table::create(path, header)?, Vec::new()));
        }
        let cannot = |error| Error::cannot("read", path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(cannot)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(cannot)?;
        let mut whole_lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        if whole_lines.next().map(str::trim_end) != Some(header) {
            return Err(Error::file(
                path,
                format!("does not begin with the line `{header}`; move it away and resume again"),
            ));
        }
        let mut len = header.len() as u64 + 1;
        let mut kept = Vec::new();
        for line in whole_lines {
            let epoch = line.split(',').next().map(str::parse::<u64>);
            match epoch {
                Some(Ok(epoch)) if epoch <= epochs_done => kept.push(line.trim_end().to_string()),
                _ => break,
            }
            len += line.len() as u64;
        }
        let mut table = Table {
            path: path.into(),
            file,
            len,
        };
        table
            .cut_back()
            .map_err(|error| Error::cannot("write", path, error))?;
        Ok((table, kept))
    }

    /// Give the table at `path` the line `header`, if an older version began it with
    /// the first of these columns: in the others its rows get empty cells.
    pub fn widen(path: &Path, header: &str) -> Result<(), Error> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            text => text.map_err(|error| Error::cannot("read", path, error))?,
        };
        let Some((old_header, rows)) = text.split_once('\n') else {
            return Ok(());
        };
        let Some(columns) = header.strip_prefix(old_header) else {
            return Ok(());
        };
        if !columns.starts_with(',') {
            return Ok(());
        }
        let cells = ",".repeat(columns.matches(',').count());
        files::write_whole(path, |file| {
            writeln!(file, "{header}")?;
            // A torn last line stays so.
            let (rows, torn) = rows.rsplit_once('\n').unwrap_or(("", rows));
            for row in rows.lines() {
                writeln!(file, "{row}{cells}")?;
            }
            file.write_all(torn.as_bytes())
        })
    }

    /// Cut off whatever is behind the last whole line.
    fn cut_back(&mut self) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back() {
        let row = LogRow {
            epoch: 65,
            measures: Measures::of(&[3; 128]),
            tally: Tally::default(),
        };
        let past = PastRow::parse(&row.metrics_line()).unwrap();
        assert_eq!(past, row.past());
        assert_eq!(past.brotli_bpb(2), row.measures.brotli_bpb);
        assert!(past.cubff_line(2).starts_with("65,"));
        let columns = |line: &str| line.split(',').count();
        assert_eq!(
            columns(&row.metrics_line()),
            columns(&LogRow::metrics_header())
        );
    }

    #[test]
    fn reopening_cuts_back_to_the_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut table = Table::create(&path, "epoch,x").unwrap();
        for epoch in [1, 17, 33] {
            table.append(&format!("{epoch},0.5")).unwrap();
        }
        drop(table);
        let torn = std::fs::read_to_string(&path).unwrap() + "49,0.";
        std::fs::write(&path, torn).unwrap();
        let (mut table, kept) = Table::reopen(&path, "epoch,x", 20).unwrap();
        assert_eq!(kept, ["1,0.5", "17,0.5"]);
        table.append("33,0.7").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "epoch,x\n1,0.5\n17,0.5\n33,0.7\n");
        assert!(Table::reopen(&path, "epoch,y", 20).is_err());
        for (header, wider) in [
            ("epoch,y", false),
            ("epoch,xy", false),
            ("epoch,x,y,z", true),
        ] {
            Table::widen(&path, header).unwrap();
            assert_eq!(Table::reopen(&path, header, 20).is_ok(), wider, "{header}");
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "epoch,x,y,z\n1,0.5,,\n17,0.5,,\n");
        assert!(Table::create(&path, "epoch,x").is_err());
    }
}
