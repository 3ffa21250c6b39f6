//! A table over epochs, thinned out to what can be seen.

use std::ops::Range;
use std::path::Path;

use crate::Error;
use crate::measure::ALIVE;
use crate::run::folder::csv::Lines;

/// Of more rows, neighbours are drawn as one: more points than pixels help nobody.
const MAX_POINTS: usize = 4096;
/// No measure of a soup is larger, and smaller ones can be told apart in 64 bits.
const LARGEST: f64 = 1e15;

/// A row, or several that are neighbours.
#[derive(Clone, Debug)]
struct Point {
    epoch: u64,
    /// The least and the most of each column; none where no row has a value.
    values: Vec<Option<(f64, f64)>>,
}

impl Point {
    fn add(&mut self, other: &Point) {
        for (value, more) in self.values.iter_mut().zip(&other.values) {
            *value = match (*value, *more) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (value, more) => value.or(more),
            };
        }
    }
}

/// No more than [`MAX_POINTS`], each of equally many rows.
#[derive(Debug)]
struct Points {
    points: Vec<Point>,
    /// How many rows make a point.
    rows_each: usize,
    /// How many the last point has.
    rows_in_last: usize,
}

impl Points {
    fn add(&mut self, row: Point) {
        if let Some(last) = self.points.last_mut()
            && self.rows_in_last < self.rows_each
        {
            last.add(&row);
            self.rows_in_last += 1;
            return;
        }
        if self.points.len() == MAX_POINTS {
            for i in 0..MAX_POINTS / 2 {
                let mut first = self.points[2 * i].clone();
                first.add(&self.points[2 * i + 1]);
                self.points[i] = first;
            }
            self.points.truncate(MAX_POINTS / 2);
            self.rows_each *= 2;
        }
        self.points.push(row);
        self.rows_in_last = 1;
    }
}

/// A table over epochs, thinned out to what can be seen.
#[derive(Debug)]
#[non_exhaustive]
pub struct Series {
    /// The columns, by their names in the header.
    columns: Vec<String>,
    points: Vec<Point>,
    /// Epochs done at the first row with high-order entropy above [`ALIVE`].
    pub alive_at: Option<u64>,
    /// Epochs done at the last row.
    pub last_epoch: u64,
}

/// The columns that are read: their places in a row, and their names.
struct Wanted {
    num_cells: usize,
    columns: Vec<(usize, String)>,
}

impl Wanted {
    /// Those of `wanted` that the line `header` names.
    fn of(header: &str, wanted: &[&str]) -> Option<Wanted> {
        let names: Vec<&str> = header.split(',').collect();
        let is_wanted =
            |(i, name): &(usize, &&str)| wanted.contains(name) && !names[..*i].contains(name);
        let columns = names.iter().enumerate().filter(is_wanted);
        (names[0] == "epoch").then(|| Wanted {
            num_cells: names.len(),
            columns: columns.map(|(i, name)| (i, name.to_string())).collect(),
        })
    }

    /// The row that `line` holds, behind that of `last_epoch`; else what is wrong with it.
    fn row(&self, line: &str, last_epoch: u64) -> Result<Point, String> {
        let cells: Vec<&str> = line.split(',').collect();
        let num_cells = self.num_cells;
        if cells.len() != num_cells {
            return Err(format!(
                "{} cells, and the header has {num_cells}",
                cells.len()
            ));
        }
        let epoch = cells[0]
            .parse()
            .ok()
            .filter(|epoch| *epoch > last_epoch && i64::try_from(*epoch).is_ok());
        let epoch = epoch.ok_or_else(|| format!("`{}` is no epoch that follows", cells[0]))?;
        let value = |(i, name): &(usize, String)| match cells[*i] {
            // Where an older version left the column out.
            "" => Ok(None),
            cell => {
                let value = cell.parse().ok().filter(|v: &f64| v.abs() <= LARGEST);
                let value = value.ok_or_else(|| format!("`{cell}` is no {name}"))?;
                Ok(Some((value, value)))
            }
        };
        let values = self
            .columns
            .iter()
            .map(value)
            .collect::<Result<_, String>>()?;
        Ok(Point { epoch, values })
    }
}

impl Series {
    /// Read those of `wanted` columns that the table at `path` has.
    pub fn read(path: &Path, wanted: &[&str]) -> Result<Series, Error> {
        let mut lines = Lines::open(path)?;
        let header = lines.read()?.unwrap_or("");
        let wanted = Wanted::of(header, wanted).ok_or_else(|| {
            Error::file(
                path,
                "is no table of a run: its first line does not begin with `epoch,`; give a \
                 run folder, or the metrics.csv in one",
            )
        })?;
        let columns: Vec<String> = wanted.columns.iter().map(|it| it.1.clone()).collect();
        let entropy = columns
            .iter()
            .position(|name| *name == "high_order_entropy");
        let wrong = |line: u64, problem: String| {
            let problem = format!("line {line}: {problem}; remove the line, or make the run anew");
            Error::file(path, problem)
        };
        let mut points = Points {
            points: Vec::new(),
            rows_each: 1,
            rows_in_last: 0,
        };
        let (mut alive_at, mut last_epoch) = (None, 0);
        loop {
            let number = lines.number() + 1;
            let Some(line) = lines.read()? else { break };
            let row = wanted.row(line, last_epoch);
            let row = row.map_err(|problem| wrong(number, problem))?;
            last_epoch = row.epoch;
            let entropy = entropy.and_then(|column| row.values[column]);
            if alive_at.is_none() && entropy.is_some_and(|it| it.0 > ALIVE.into()) {
                alive_at = Some(row.epoch);
            }
            points.add(row);
        }
        if !lines.ended_well() {
            return Err(wrong(lines.number(), "is no row of numbers".into()));
        }
        let points = points.points;
        if points.is_empty() {
            return Err(Error::file(
                path,
                "has no row yet; wait for the run's first log point",
            ));
        }
        Ok(Series {
            columns,
            points,
            alive_at,
            last_epoch,
        })
    }

    /// The epochs that the table goes over.
    pub fn epochs(&self) -> Range<u64> {
        self.points[0].epoch..self.last_epoch
    }

    /// Whether any row has a value in the column.
    pub fn has(&self, name: &str) -> bool {
        let column = self.columns.iter().position(|known| known == name);
        column.is_some_and(|column| self.points.iter().any(|it| it.values[column].is_some()))
    }

    /// A column's stretches without a gap, as (epoch, least, most).
    pub(crate) fn stretches(&self, name: &str) -> Vec<Vec<(u64, f64, f64)>> {
        let Some(column) = self.columns.iter().position(|known| known == name) else {
            return Vec::new();
        };
        let mut stretches = vec![Vec::new()];
        for point in &self.points {
            match (point.values[column], stretches.last_mut()) {
                (Some((least, most)), Some(stretch)) => stretch.push((point.epoch, least, most)),
                (None, Some(stretch)) if !stretch.is_empty() => stretches.push(Vec::new()),
                _ => {}
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(text: &str) -> Result<Series, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        std::fs::write(&path, text).unwrap();
        Series::read(&path, &["a", "high_order_entropy"])
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let table = series("epoch,b,high_order_entropy,a\n1,x,0.5,7\n5,,3.25,\n9,,4,8\n").unwrap();
        assert_eq!(table.alive_at, Some(5));
        assert_eq!(table.epochs(), 1..9);
        let entropy = vec![vec![(1, 0.5, 0.5), (5, 3.25, 3.25), (9, 4.0, 4.0)]];
        assert_eq!(table.stretches("high_order_entropy"), entropy);
        let with_gap = vec![vec![(1, 7.0, 7.0)], vec![(9, 8.0, 8.0)]];
        assert_eq!(table.stretches("a"), with_gap);
        assert!(table.stretches("b").is_empty());
    }

    /// Many rows become few points, and no extreme is lost.
    #[test]
    fn long_tables_are_thinned_out() {
        let mut text = String::from("epoch,a,high_order_entropy\n");
        for row in 1..=100_000 {
            let a = match row {
                77_777 => 1e6,
                77_779 => -5.0,
                _ => f64::from(row % 7),
            };
            let entropy = if row >= 65_432 { 3.5 } else { 1.0 };
            text += &format!("{row},{a},{entropy}\n");
        }
        let table = series(&text).unwrap();
        assert!(table.points.len() <= MAX_POINTS && table.points.len() > MAX_POINTS / 4);
        assert_eq!(table.alive_at, Some(65_432));
        assert_eq!(table.epochs(), 1..100_000);
        let points = table.stretches("a").concat();
        assert_eq!(points.iter().map(|p| p.2).fold(0.0, f64::max), 1e6);
        assert_eq!(points.iter().map(|p| p.1).fold(0.0, f64::min), -5.0);
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let high = points.iter().find(|point| point.2 == 1e6).unwrap();
        assert!((77_700..=77_777).contains(&high.0));
    }

    #[test]
    fn wrong_rows_are_named_by_line() {
        for (rows, hints) in [
            ("", &["has no row yet"][..]),
            ("1,2,3\n2,x,3\n", &["line 3", "`x` is no a"]),
            ("1,2,NaN\n", &["line 2", "`NaN` is no high_order_entropy"]),
            ("1,inf,3\n", &["line 2", "`inf`"]),
            ("1,-1e300,3\n", &["line 2", "`-1e300`"]),
            ("1,2\n", &["line 2", "2 cells", "has 3"]),
            ("1,2,3\n1,2,3\n", &["line 3", "no epoch that follows"]),
            ("-1,2,3\n", &["line 2", "no epoch"]),
            ("9223372036854775808,2,3\n", &["line 2", "no epoch"]),
            ("1,2,3\n\n", &["line 3", "1 cells"]),
        ] {
            let text = format!("epoch,a,high_order_entropy\n{rows}");
            let error = series(&text).unwrap_err().to_string();
            for hint in hints {
                assert!(error.contains(hint), "{rows:?}: {error}");
            }
        }
        let long = format!("epoch,a\n1,2\n2,{}\n", "9".repeat(5000));
        assert!(series(&long).unwrap_err().to_string().contains("line 3"));
        assert!(series("").unwrap_err().to_string().contains("no table"));
        // The last row of a run that goes on may be half there.
        assert_eq!(series("epoch,a\n1,2\n2,").unwrap().epochs(), 1..1);
    }
}
