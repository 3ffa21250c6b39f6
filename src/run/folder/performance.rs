//! performance.csv: times, rates and the counters of native code, which differ from
//! run to run; and the totals of those counters, read back.

use std::path::Path;
use std::time::Duration;

use super::csv::Lines;
use crate::Error;
use crate::engine::jit::{CacheTally, Exit, NativeTally};
use crate::soup::Tally;

/// A column: its name, and its cell of a row.
type Column = (&'static str, fn(&PerformanceRow) -> String);

/// The first columns, which every version of broth writes. Behind them come those of
/// [`counters`] and [`cache_counters`], and [`COMPILE_SECONDS`].
const TIMES: [Column; 7] = [
    ("epoch", |row| row.epoch.to_string()),
    ("seconds", |row| format!("{:.3}", row.elapsed.as_secs_f64())),
    ("epochs_per_second", |row| {
        format!("{:.3}", row.rate(row.epochs))
    }),
    ("interactions_per_second", |row| {
        format!("{:.0}", row.rate(row.tally.interactions))
    }),
    ("ops_per_second", |row| {
        format!("{:.0}", row.rate(row.tally.ops))
    }),
    ("steps_per_second", |row| {
        format!("{:.0}", row.rate(row.tally.steps))
    }),
    ("measure_seconds", |row| {
        format!("{:.3}", row.measured.as_secs_f64())
    }),
];
/// The last column.
const COMPILE_SECONDS: &str = "jit_compile_seconds";

/// A log point of performance.csv.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PerformanceRow {
    /// Epochs done.
    pub epoch: u64,
    /// Time since the run was started or resumed.
    pub elapsed: Duration,
    /// Epochs since the last log point.
    pub epochs: u64,
    /// How long they took.
    pub length: Duration,
    /// What they came to.
    pub tally: Tally,
    /// How long this log point took to measure.
    pub measured: Duration,
    /// What the code cache held, and had cost since the run was started or resumed.
    pub cache: CacheTally,
}

impl PerformanceRow {
    /// The first line of performance.csv.
    pub fn header() -> String {
        let mut names: Vec<String> = TIMES.iter().map(|(name, _)| name.to_string()).collect();
        names.extend(counters(&mut Tally::default()).map(|(name, _)| name));
        let mut cache = CacheTally::default();
        names.extend(cache_counters(&mut cache).map(|(name, _)| name.into()));
        names.push(COMPILE_SECONDS.into());
        names.join(",")
    }

    /// The row as a line of performance.csv.
    pub fn line(&self) -> String {
        let PerformanceRow {
            mut tally,
            mut cache,
            ..
        } = *self;
        let mut cells: Vec<String> = TIMES.iter().map(|(_, cell)| cell(self)).collect();
        cells.extend(counters(&mut tally).map(|(_, count)| count.to_string()));
        cells.extend(cache_counters(&mut cache).map(|(_, count)| count.to_string()));
        cells.push(format!("{:.6}", cache.compile_ns as f64 / 1e9));
        cells.join(",")
    }

    /// So many a second, over the epochs since the last log point.
    fn rate(&self, count: u64) -> f64 {
        count as f64 / self.length.as_secs_f64()
    }
}

/// The counters of the epochs since the last log point, by their columns.
fn counters(tally: &mut Tally) -> impl Iterator<Item = (String, &mut u64)> {
    // Every counter has its column: a new one does not compile before it has.
    let NativeTally {
        looked_up,
        entered,
        exits,
        settled,
        iterations,
        ops,
        steps,
    } = &mut tally.native;
    let before = [
        ("ops", &mut tally.ops),
        ("steps", &mut tally.steps),
        ("native_programs_looked_up", &mut looked_up.programs),
        ("native_loops_looked_up", &mut looked_up.loops),
        ("native_programs_entered", &mut entered.programs),
        ("native_loops_entered", &mut entered.loops),
    ];
    let exits = Exit::ALL.iter().zip(exits);
    let behind = [
        ("native_settled", settled),
        ("native_laps", iterations),
        ("native_ops", ops),
        ("native_steps", steps),
    ];
    fn named<'a>((name, count): (&str, &'a mut u64)) -> (String, &'a mut u64) {
        (name.to_string(), count)
    }
    before
        .into_iter()
        .map(named)
        .chain(exits.map(|(exit, count)| (format!("native_exits_{}", exit.name()), count)))
        .chain(behind.into_iter().map(named))
}

/// The counters of the code cache, by their columns.
fn cache_counters(cache: &mut CacheTally) -> impl Iterator<Item = (&'static str, &mut u64)> {
    [
        ("jit_hot_programs", &mut cache.hot.programs),
        ("jit_hot_loops", &mut cache.hot.loops),
        ("jit_compiled_programs", &mut cache.compiled.programs),
        ("jit_compiled_loops", &mut cache.compiled.loops),
        ("jit_live_programs", &mut cache.live.programs),
        ("jit_live_loops", &mut cache.live.loops),
        ("jit_given_up", &mut cache.blacklisted),
        ("jit_freed", &mut cache.freed),
        ("jit_code_bytes", &mut cache.code_bytes),
    ]
    .into_iter()
}

/// What native code did from the first log point of a performance.csv to its last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NativeTotals {
    /// Log points that tell of native code.
    pub rows: u64,
    /// Epochs done at the last of them.
    pub epoch: u64,
    /// The sums over them; of the counts those of ops, steps and native code.
    pub tally: Tally,
    /// The code cache at the last of them.
    pub cache: CacheTally,
}

impl NativeTotals {
    /// Of the table at `path`.
    pub fn read(path: &Path) -> Result<NativeTotals, Error> {
        let mut lines = Lines::open(path)?;
        let names = lines.read()?.unwrap_or_default().to_string();
        let names: Vec<&str> = names.split(',').collect();
        for expected in PerformanceRow::header().split(',') {
            if !names.contains(&expected) {
                return Err(Error::file(
                    path,
                    format!(
                        "tells nothing of native code: it has no column `{expected}`; \
                         a run that this version of broth starts or resumes writes it"
                    ),
                ));
            }
        }
        let mut totals = NativeTotals::default();
        // The last line of a run under way may be torn.
        while let Some(line) = lines.read()? {
            let cells: Vec<&str> = line.split(',').collect();
            let cell = |name: &str| {
                let column = names.iter().position(|known| *known == name)?;
                cells.get(column).copied()
            };
            // Of the rows of an older version these cells are empty.
            let is_older = cells.last() == Some(&"");
            if cells.len() != names.len() || !is_older && totals.add(cell).is_none() {
                let problem = format!("has a broken row in line {}", lines.number());
                return Err(Error::file(path, problem));
            }
        }
        Ok(totals)
    }

    /// Add a row, of which `cell` gives the text in a column.
    fn add<'a>(&mut self, cell: impl Fn(&str) -> Option<&'a str>) -> Option<()> {
        let number = |name: &str| cell(name)?.parse::<u64>().ok();
        for (name, sum) in counters(&mut self.tally) {
            *sum = sum.checked_add(number(&name)?)?;
        }
        for (name, count) in cache_counters(&mut self.cache) {
            *count = number(name)?;
        }
        let seconds: f64 = cell(COMPILE_SECONDS)?.parse().ok()?;
        self.cache.compile_ns = (seconds * 1e9).round() as u64;
        self.epoch = number("epoch")?;
        self.rows += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::jit::Counts;

    fn row(epoch: u64, steps: u64) -> PerformanceRow {
        let mut tally = Tally {
            ops: 3,
            steps,
            ..Tally::default()
        };
        tally.native.exits = std::array::from_fn(|i| i as u64);
        tally.native.looked_up.loops = 9;
        PerformanceRow {
            epoch,
            elapsed: Duration::from_secs(2),
            epochs: 1,
            length: Duration::from_secs(1),
            tally,
            measured: Duration::from_millis(5),
            cache: CacheTally {
                compiled: Counts {
                    programs: epoch,
                    loops: 7,
                },
                compile_ns: 1_250_000_000,
                ..CacheTally::default()
            },
        }
    }

    #[test]
    fn totals_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.csv");
        let old_row = "1,0,1,1,1,1,0".to_string() + &",".repeat(27);
        let lines = [PerformanceRow::header(), old_row];
        let columns = |line: &str| line.split(',').count();
        assert_eq!(columns(&lines[0]), columns(&lines[1]));
        assert_eq!(columns(&lines[0]), columns(&row(1, 1).line()));
        let rows = [row(9, 100).line(), row(17, 200).line()];
        let torn = "25,3.000,1";
        let text = [&lines[0], &lines[1], &rows[0], &rows[1], torn].join("\n");
        std::fs::write(&path, text).unwrap();
        let totals = NativeTotals::read(&path).unwrap();
        assert_eq!((totals.rows, totals.epoch), (2, 17));
        assert_eq!((totals.tally.ops, totals.tally.steps), (6, 300));
        assert_eq!(totals.tally.native.exits[..4], [0, 2, 4, 6]);
        assert_eq!(totals.tally.native.looked_up.loops, 18);
        assert_eq!(totals.cache, row(17, 0).cache);
    }

    #[test]
    fn broken_rows_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.csv");
        let (good, most) = (row(9, 100).line(), row(9, u64::MAX).line());
        let mut cells: Vec<&str> = good.split(',').collect();
        cells[7] = "-3";
        for broken in [&good[..9], &cells.join(","), &most, "\u{1b}[2J"] {
            let lines = [&PerformanceRow::header(), &good, broken, ""];
            std::fs::write(&path, lines.join("\n")).unwrap();
            let message = NativeTotals::read(&path).unwrap_err().to_string();
            assert!(message.contains("broken row in line 3"), "{message}");
            assert!(!message.contains('\u{1b}'));
        }
    }

    #[test]
    fn a_table_without_counters_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.csv");
        std::fs::write(
            &path,
            format!("{}\n", TIMES.map(|(name, _)| name).join(",")),
        )
        .unwrap();
        let message = NativeTotals::read(&path).unwrap_err().to_string();
        assert!(message.contains("performance.csv tells nothing of native code"));
    }
}
