//! Everything that broth reads, with mistakes put in at random: refused with a message that
//! says where, or read, and then written and read again the same. Nothing panics.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::common::{data, read, read_text, share};
use broth::Error;
use broth::language::Language;
use broth::measure::replicators::Replicators;
use broth::measure::row::{Columns, PastRow};
use broth::plot::picture::frames::SoupPictures;
use broth::random::mix;
use broth::run::folder::csv::{Kept, LogPoints, Table};
use broth::run::folder::performance::{NativeTotals, PerformanceRow};
use broth::run::folder::{Place, RunFolder};
use broth::run::folder::{settings as settings_file, sidecar};
use broth::run::{Changes, Plan, Run};
use broth::soup::checkpoint::Checkpoint;
use broth::soup::meeting::{Grid, Pattern};
use broth::soup::settings::{Meeting, Settings};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// Words and numbers that mean something somewhere.
const WORDS: [&str; 40] = [
    "0",
    "1",
    "-1",
    "2",
    "63",
    "64",
    "65",
    "4294967294",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551614",
    "18446744073709551616",
    "1e308",
    "nan",
    "-inf",
    "0.5",
    "true",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'''",
    "\\u001b[2J",
    "\\xff",
    "\\x",
    "\u{1b}]0;x\u{7}",
    "\u{202e}",
    "é",
    ",",
    "\n",
    "\r\n",
    "=",
    ".",
    "..",
    "/dev/zero",
    "[settings]",
    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1",
];

/// One to four mistakes in `bytes`.
fn spoil(random: &mut StdRng, bytes: &mut Vec<u8>, is_text: bool) {
    for _ in 0..1 + random.random_range(0..2) * random.random_range(0..4) {
        let len = bytes.len();
        let from = random.random_range(0..=len);
        let at_most = len.min(from + random.random_range(1..80));
        let to = random.random_range(from..=at_most);
        let word = *WORDS.choose(random).unwrap();
        match random.random_range(0..12) {
            0 => bytes.truncate(from),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let twice = bytes[from..to].to_vec();
                let at = random.random_range(0..=len);
                bytes.splice(at..at, twice);
            }
            3 => {
                let noise: Vec<u8> = (0..random.random_range(1..40))
                    .map(|_| random.random())
                    .collect();
                bytes.splice(from..from, noise);
            }
            4 | 5 if len > 0 => bytes[from.min(len - 1)] ^= 1 << random.random_range(0..8),
            6 if len > 0 => bytes[from.min(len - 1)] = random.random(),
            // A number of the header, in a checkpoint.
            7 | 8 if !is_text && len >= 24 => {
                let field = 8 * random.random_range(0..3);
                let number = [0, 1, 2, 63, 64, 66, 1 << 31, 1 << 58, 1 << 63, u64::MAX];
                let number: u64 = *number.choose(random).unwrap();
                bytes[field..field + 8].copy_from_slice(&number.to_le_bytes());
            }
            // A number in text.
            7 | 8 => {
                let digits = |byte: &u8| byte.is_ascii_digit();
                if let Some(start) = bytes[from..].iter().position(digits) {
                    let start = from + start;
                    let digits = bytes[start..].iter().take_while(|b| digits(b)).count();
                    bytes.splice(start..start + digits, word.bytes());
                }
            }
            9 if is_text => {
                // A line goes somewhere else, or away.
                let mut lines: Vec<Vec<u8>> = bytes
                    .split_inclusive(|b| *b == b'\n')
                    .map(<[u8]>::to_vec)
                    .collect();
                if !lines.is_empty() {
                    let line = lines.remove(random.random_range(0..lines.len()));
                    if random.random_bool(0.7) {
                        lines.insert(random.random_range(0..=lines.len()), line);
                    }
                }
                *bytes = lines.concat();
            }
            10 => drop(bytes.splice(from..to, word.bytes())),
            _ => drop(bytes.splice(from..from, word.bytes())),
        }
    }
}

/// What came of the inputs of one sort.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    refused: u64,
    read: u64,
}

/// A sort of input: what is tried of it, of which samples, and how.
struct Kind {
    name: &'static str,
    /// Of a million.
    share: u64,
    samples: Vec<Vec<u8>>,
    is_text: bool,
    check: Check,
}

/// Whether an input was read; it panics where that was wrong.
type Check = Box<dyn Fn(&[u8]) -> bool>;

/// Whether there is an error, which must name what is wrong: a file or a flag in it.
fn refused<T>(result: &Result<T, Error>, names: &[&str]) -> bool {
    if let Err(error) = result {
        let message = error.to_string();
        let named = names.iter().any(|name| message.contains(name));
        assert!(named, "none of {names:?} in: {message}");
        assert!(!matches!(error, Error::Bug(_)), "{message}");
    }
    result.is_err()
}

fn checkpoints(folder: &Path) -> Kind {
    let (path, copy) = (folder.join("given.dat"), folder.join("copy.dat"));
    let small = Checkpoint {
        programs: vec![7; 128],
        ..Checkpoint::empty()
    };
    small.write(&path).unwrap();
    Kind {
        name: "checkpoints",
        share: 300_000,
        samples: vec![read(&path), read(data("cubff-513.dat"))],
        is_text: false,
        check: Box::new(move |bytes| {
            fs::write(&path, bytes).unwrap();
            let result = Checkpoint::read(&path);
            if refused(&result, &["given.dat"]) {
                return false;
            }
            result.unwrap().write(&copy).unwrap();
            assert_eq!(read(&copy), bytes);
            true
        }),
    }
}

/// Settings of all sorts, and plans.
fn settings() -> Vec<(Settings, Plan)> {
    let pattern = Pattern::read(64, "0 1\n1 2\n63 0\n".as_bytes()).unwrap();
    let meetings = [
        Meeting::Shuffle,
        Meeting::FixedShuffle,
        Meeting::Grid(Grid {
            width: 8,
            height: 8,
            radius: 2,
            torus: false,
        }),
        Meeting::Pattern(pattern.into()),
    ];
    let language = Language::ALL.iter().cycle().step_by(4);
    meetings
        .into_iter()
        .zip(language)
        .enumerate()
        .map(|(i, (meeting, language))| {
            let settings = Settings {
                language,
                num_programs: 64,
                seed: [0, 7, u64::MAX, 1 << 63][i],
                meeting,
                initial_program: vec![0x5b; i],
                reset_interval: [None, Some(3)][i % 2],
                ..Settings::default()
            };
            let plan = Plan {
                keep: [None, Some(2)][i / 2],
                stopping_bpb: [None, Some(0.5)][i % 2],
                eval_selfrep: i % 3 == 0,
                stopping_selfrep_count: [None, Some(9)][usize::from(i % 6 == 0)],
                log: [None, Some("log.csv".into())][i % 2].clone(),
                ..Plan::default()
            };
            (settings, plan)
        })
        .collect()
}

fn settings_files(folder: &Path) -> Kind {
    let place = |name: &str| Place::At(folder.join(name));
    let folder = RunFolder::create(&place("settings")).unwrap();
    let samples = settings().into_iter().map(|(settings, plan)| {
        settings_file::write(&folder, &settings, &plan).unwrap();
        read(folder.settings())
    });
    Kind {
        name: "settings.toml",
        share: 200_000,
        samples: samples.collect(),
        is_text: true,
        check: Box::new(move |bytes| {
            fs::write(folder.settings(), bytes).unwrap();
            let result = settings_file::read(&folder);
            if refused(&result, &["settings.toml", "settings/"]) {
                return false;
            }
            let (settings, plan) = result.unwrap();
            settings.check().unwrap();
            plan.check().unwrap();
            settings_file::write(&folder, &settings, &plan).unwrap();
            assert_eq!(settings_file::read(&folder).unwrap(), (settings, plan));
            true
        }),
    }
}

fn sidecars(folder: &Path) -> Kind {
    let path = folder.join("0000000001.dat");
    let checkpoint = Checkpoint {
        programs: vec![7; 128],
        ..Checkpoint::empty()
    };
    checkpoint.write(&path).unwrap();
    let (settings, _) = &settings()[2];
    let of_soup = settings_file::of_soup(settings).unwrap();
    sidecar::write(&path, &checkpoint, &of_soup).unwrap();
    let sample = read(sidecar::path_of(&path));
    Kind {
        name: "sidecars",
        share: 150_000,
        samples: vec![sample],
        is_text: true,
        check: Box::new(move |bytes| {
            fs::write(sidecar::path_of(&path), bytes).unwrap();
            let result = sidecar::check(&path, &checkpoint, &of_soup);
            let is_refused = refused(&result, &["0000000001"]);
            if !is_refused {
                // Told by somebody else.
                let text = std::str::from_utf8(bytes).unwrap();
                let table: toml::Table = text.parse().unwrap();
                assert_eq!(table["sha-256"].as_str().unwrap(), checkpoint.sha256());
                assert_eq!(table["settings"].as_table().unwrap(), &of_soup);
            }
            !is_refused
        }),
    }
}

fn patterns(folder: &Path) -> Kind {
    let path = folder.join("pattern.txt");
    let small = b"0 1\n1 0\n\n 2  3\n63 62\n".to_vec();
    Kind {
        name: "patterns",
        share: 100_000,
        samples: vec![small, read(data("pattern-512.txt"))],
        is_text: true,
        check: Box::new(move |bytes| {
            fs::write(&path, bytes).unwrap();
            let result = settings_file::read_pattern(512, &path);
            if refused(&result, &["pattern.txt line ", "pattern.txt lists no pair"]) {
                return false;
            }
            let pattern = result.unwrap();
            let again = Pattern::read(512, pattern.to_text().as_bytes());
            assert_eq!(again, Ok(pattern));
            true
        }),
    }
}

/// Program text of every language in turn.
fn programs() -> Kind {
    let samples = Language::ALL.iter().flat_map(|language| {
        let random: Vec<u8> = (0..64).map(|i| mix(i) as u8).collect();
        [&random[..], b"[[{.>]-]   ]-]>.{[["].map(|program| language.program_text(program).into())
    });
    Kind {
        name: "programs",
        share: 150_000,
        samples: samples.collect(),
        is_text: true,
        check: Box::new(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let mut any = false;
            for language in Language::ALL {
                match language.parse_program(&text) {
                    Ok(program) => {
                        let shown = language.program_text(&program);
                        assert_eq!(language.parse_program(&shown), Ok(program));
                        any = true;
                    }
                    Err(error) => {
                        assert!((1..=text.chars().count()).contains(&error.position));
                        assert!(!error.problem.is_empty());
                    }
                }
            }
            any
        }),
    }
}

/// What the tables of such a run hold.
fn columns() -> Columns {
    Columns::of(true, false, &[])
}

/// A finished run of a small soup, and its folder.
fn finished_run(folder: &Path) -> PathBuf {
    let settings = Settings {
        num_programs: 64,
        ..Settings::default()
    };
    let plan = Plan {
        max_epochs: 20,
        log_interval: 3,
        checkpoint_interval: 5,
        eval_selfrep: true,
        ..Plan::default()
    };
    let place = Place::At(folder.join("run"));
    let run = Run::create(settings, plan, &place, None, None).unwrap();
    run.go(&AtomicBool::new(false), &mut ()).unwrap();
    folder.join("run")
}

/// Rows of metrics.csv and performance.csv, and what is between them.
fn tables(folder: &Path, run: &Path, name: &'static str, share: u64) -> Kind {
    let path = folder.join(name);
    let is_metrics = name == "metrics.csv";
    let header = match is_metrics {
        true => columns().metrics_header(),
        false => PerformanceRow::header(),
    };
    let points = LogPoints {
        interval: 3,
        epochs_done: 16,
    };
    Kind {
        name,
        share,
        samples: vec![read(run.join(name))],
        is_text: true,
        check: Box::new(move |bytes| {
            fs::write(&path, bytes).unwrap();
            if !is_metrics && let Ok(totals) = NativeTotals::read(&path) {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                assert!(totals.rows < lines as u64);
            }
            let is_row = |line: &str| !is_metrics || PastRow::parse(line, &columns()).is_some();
            let result = Table::reopen(&path, &header, points, is_row).and_then(Kept::cut);
            if refused(&result, &[&format!("{name} ")]) {
                assert_eq!(read(&path), bytes);
                return false;
            }
            // What is left was there, but for a header that was torn.
            let left = read_text(&path);
            assert!(bytes.starts_with(left.as_bytes()) || left == format!("{header}\n"));
            let rows: Vec<_> = left.lines().skip(1).collect();
            let epochs = rows.iter().map(|row| row.split(',').next().unwrap());
            let epochs: Vec<u64> = epochs.map(|epoch| epoch.parse().unwrap()).collect();
            let all = [1, 4, 7, 10, 13, 16];
            assert!(epochs.is_empty() || all.ends_with(&epochs), "{epochs:?}");
            for row in rows.iter().filter(|_| is_metrics) {
                let row = PastRow::parse(row, &columns()).unwrap();
                let PastRow {
                    epoch,
                    brotli_size,
                    high_order_entropy,
                    replicators,
                    tokens: None,
                    ..
                } = row
                else {
                    panic!("{row:?}")
                };
                let Replicators { cubff, knierim } = replicators.unwrap();
                let others = ",".repeat(24);
                let text = format!(
                    "{epoch},0,{brotli_size},0,{high_order_entropy}{others}{cubff},{knierim}"
                );
                let again = PastRow::parse(&text, &columns());
                // Not a number is no number, twice.
                assert!(again == Some(row) || high_order_entropy.is_nan());
            }
            true
        }),
    }
}

/// Any file of a run folder, which is resumed: none of it stops a run but by a message,
/// and what goes on ends as it should.
fn run_folders(folder: &Path, run: &Path) -> Kind {
    let names = [
        "settings.toml",
        "metrics.csv",
        "performance.csv",
        "checkpoints/0000000020.dat",
        "checkpoints/0000000020.toml",
        "checkpoints/0000000016.dat",
        "checkpoints/0000000016.toml",
    ];
    let copy = folder.join("copy");
    let (run, last) = (run.to_path_buf(), read(run.join(names[3])));
    let samples = (0..names.len()).map(|i| {
        // Which file it is, and then its bytes.
        let mut sample = vec![i as u8];
        sample.extend(read(run.join(names[i])));
        sample
    });
    Kind {
        name: "run folders",
        share: 20_000,
        samples: samples.collect(),
        is_text: true,
        check: Box::new(move |bytes| {
            let _ = fs::remove_dir_all(&copy);
            fs::create_dir_all(copy.join("checkpoints")).unwrap();
            for name in names {
                fs::copy(run.join(name), copy.join(name)).unwrap();
            }
            let (which, bytes) = bytes.split_first().unwrap_or((&0, &[]));
            let name = names[usize::from(*which) % names.len()];
            fs::write(copy.join(name), bytes).unwrap();
            let result = Run::resume(&copy, &Changes::default(), Some(&SoupPictures));
            if refused(&result, &["copy"]) {
                return false;
            }
            let resumed = result.unwrap();
            // One that is soon over.
            let settings = resumed.soup().settings();
            let is_short = settings.num_programs < 1024
                && settings.max_steps <= 8192
                && resumed.plan().max_epochs < 100;
            if is_short {
                let result = resumed.go(&AtomicBool::new(false), &mut ());
                // The same soup still.
                if !refused(&result, &["copy"]) && name != "settings.toml" {
                    assert_eq!(read(copy.join(names[3])), last);
                }
            }
            true
        }),
    }
}

/// Try so many inputs in all.
fn try_all(count: u64) {
    // In memory where that can be had: there syncing takes no time.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    // A path in settings.toml that is not absolute may be made where we are.
    std::env::set_current_dir(folder.path()).unwrap();
    let run = finished_run(folder.path());
    let kinds = [
        checkpoints(folder.path()),
        settings_files(folder.path()),
        sidecars(folder.path()),
        patterns(folder.path()),
        programs(),
        tables(folder.path(), &run, "metrics.csv", 40_000),
        tables(folder.path(), &run, "performance.csv", 40_000),
        run_folders(folder.path(), &run),
    ];
    assert_eq!(kinds.iter().map(|kind| kind.share).sum::<u64>(), 1_000_000);
    let mut all = BTreeMap::new();
    for (kind, number) in kinds.iter().zip(0..) {
        let begun = Instant::now();
        let mut counts = Counts::default();
        for input in 0..kind.share * count / 1_000_000 {
            let mut random = StdRng::seed_from_u64(mix(number << 32 | input));
            let mut bytes = kind.samples.choose(&mut random).unwrap().clone();
            spoil(&mut random, &mut bytes, kind.is_text);
            let check = std::panic::AssertUnwindSafe(|| (kind.check)(&bytes));
            match std::panic::catch_unwind(check) {
                Ok(true) => counts.read += 1,
                Ok(false) => counts.refused += 1,
                Err(_) => panic!(
                    "{} {input}: {:?}",
                    kind.name,
                    String::from_utf8_lossy(&bytes)
                ),
            }
        }
        println!("{}: {counts:?} in {:.1?}", kind.name, begun.elapsed());
        all.insert(kind.name, counts);
    }
    // Neither all nor none.
    for (name, Counts { refused, read }) in all {
        assert!(refused > 0 && read > 0, "{name}: {refused} {read}");
    }
}

#[test]
fn malformed_inputs_are_refused_or_read() {
    try_all(share(50_000) as u64);
}

#[test]
#[ignore = "takes minutes"]
fn a_million_malformed_inputs() {
    try_all(1_000_000);
}
