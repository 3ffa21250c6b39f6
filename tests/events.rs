//! `broth events`: every row of the table is an interaction of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use broth::language::Ended;
use broth::measure::fingerprint::{Classes, hash};
use broth::run::events::{COLUMNS, Events, ROWS_PER_GROUP};
use broth::run::folder::{RunFolder, settings as settings_file};
use broth::soup::interaction::{self, Interactions, Which};
use broth::soup::settings::World;
use broth::{Settings, Soup, Tally};
use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::common::{fail, read, read_text, succeed};

/// A row by its columns, as text; nothing where there is nothing.
type Row = BTreeMap<String, String>;

fn csv(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = names.iter().map(str::to_owned);
        cells.zip(row.iter().map(str::to_owned)).collect()
    });
    rows.collect()
}

fn number(row: &Row, name: &str) -> u64 {
    row[name]
        .parse()
        .unwrap_or_else(|_| panic!("{name} {row:?}"))
}

/// A run of settings as flags, in a folder of its own.
fn run_in(folder: &Path, name: &str, flags: &str) -> PathBuf {
    let run = folder.join(name);
    succeed(&format!("run --quiet --no-picture {flags} --out"), &[&run]);
    run
}

fn table(run: &Path, flags: &str, out: &Path) {
    succeed(&format!("events --quiet {flags} --out"), &[out, run]);
}

fn settings_of(run: &Path) -> Settings {
    settings_file::read(&RunFolder::look(run).unwrap())
        .unwrap()
        .0
}

/// What the rows of one epoch come to.
fn tally(rows: &[&Row]) -> Tally {
    let mut tally = Tally::default();
    for row in rows.iter().filter(|row| !row["ended"].is_empty()) {
        tally.interactions += 1;
        tally.ops += number(row, "ops");
        tally.steps += number(row, "steps");
        let ended = Ended::ALL.iter().position(|it| it.name() == row["ended"]);
        tally.ended[ended.unwrap()] += 1;
    }
    tally
}

/// Hold the rows of one epoch against the soup before and after it, and what its step said.
fn check_epoch(rows: &[&Row], settings: &Settings, soups: [&[u8]; 2], expected: &Tally) {
    let language = settings.language;
    let classes = Classes::of(language);
    let mut met = BTreeSet::new();
    for (pair, row) in rows.iter().enumerate() {
        assert_eq!(number(row, "pair"), pair as u64);
        for side in ["left", "right"] {
            let index = number(row, side) as usize;
            assert!(met.insert(index), "{row:?}");
            for (when, soup) in ["before", "after"].iter().zip(soups) {
                let program = &soup[index * language.program_len..][..language.program_len];
                assert_eq!(number(row, &format!("{side}_{when}")), hash(program));
                let class = format!("{side}_class_{when}");
                assert_eq!(number(row, &class), classes.class(program), "{row:?}");
            }
        }
        let is_run = !row["ended"].is_empty();
        assert!(is_run != row["ops"].is_empty() && is_run != row["steps"].is_empty());
    }
    assert_eq!(&tally(rows), expected);
    if settings.world == World::Pairs {
        assert_eq!(met.len(), settings.num_programs);
    }
}

/// In worlds of all sorts, every row says what two programs were before and after, as a soup that
/// goes the same way has them; mutations and outcomes are those that the reference engine finds.
#[test]
fn every_row_is_an_interaction_of_the_run_in_every_world() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("pattern.txt");
    let neighbours: String = (0..64).map(|i| format!("{i} {}\n", (i + 1) % 64)).collect();
    fs::write(&pattern, neighbours).unwrap();
    let pattern = format!("--num 64 --interaction-pattern {}", pattern.display());
    for (name, flags) in [
        ("shuffle", "--num 128 --mutation-prob 0.01"),
        ("odd", "--lang bff --num 98 --max-steps 100"),
        ("grid", "--grid 9x8 --radius 1 --mutation-prob 0.02"),
        ("torus", "--lang forthtrivial --grid 8x8 --torus"),
        ("pattern", &*pattern),
        ("fixed", "--lang subleq --num 64 --fixed-shuffle"),
        ("turns", "--lang rsubleq4 --num 64 --no-permute-programs"),
        ("resets", "--num 64 --reset-interval 3 --zero-init"),
        ("z80", "--lang z80 --num 70 --mutation-prob 0.05"),
        ("z80 grid", "--lang z80 --grid 10x7 --radius 1"),
        ("zff", "--world zff --max-steps 16"),
    ] {
        let epochs = if name == "zff" { 3 } else { 10 };
        let flags = format!("{flags} --seed 5 --max-epochs {epochs} --checkpoint-interval 4");
        let run = run_in(folder.path(), name, &flags);
        let out = folder.path().join("out.csv");
        table(&run, "--from 1", &out);
        let rows = csv(&out);
        let settings = settings_of(&run);
        let mut soup = Soup::new(settings.clone()).unwrap();
        let mut interactions = interaction::check(&settings)
            .is_ok()
            .then(|| Interactions::new(&settings).unwrap());
        let mut mutations = 0;
        for epoch in 0..epochs {
            soup.reset_if_due();
            let before = soup.programs().to_vec();
            let expected = soup.step();
            let of_epoch = |row: &&Row| number(row, "epoch") == epoch;
            let rows: Vec<&Row> = rows.iter().filter(of_epoch).collect();
            assert_eq!(rows.is_empty(), epoch == 0, "{name}");
            if epoch == 0 {
                continue;
            }
            check_epoch(&rows, &settings, [&before, soup.programs()], &expected);
            for (pair, row) in rows.iter().enumerate() {
                mutations += number(row, "mutations");
                let Some(interactions) = &mut interactions else {
                    continue;
                };
                let one = interactions.get(epoch, &before, Which::Pair(pair)).unwrap();
                assert_eq!(
                    number(row, "mutations"),
                    one.mutations.len() as u64,
                    "{name}"
                );
                let indices = ["left", "right"].map(|side| number(row, side) as usize);
                assert_eq!(indices, one.programs, "{name}");
                let outcome = one.outcome.map(|it| (it.ops, it.steps, it.ended.name()));
                let told = outcome.map_or(Default::default(), |(ops, steps, ended)| {
                    [ops.to_string(), steps.to_string(), ended.to_owned()]
                });
                assert_eq!(told, ["ops", "steps", "ended"].map(|it| row[it].clone()));
            }
        }
        let has_left_over = rows.iter().any(|row| row["ended"].is_empty());
        let is_of_neighbours = ["grid", "torus", "pattern", "z80 grid"].contains(&name);
        assert_eq!(has_left_over, is_of_neighbours, "{name}");
        assert!(
            mutations > 0 || ["fixed", "turns", "resets"].contains(&name),
            "{name}"
        );
        fs::remove_file(&out).unwrap();
    }
}

/// zff mutates bytes anywhere after its runs: those of programs that met are told of.
#[test]
fn mutations_of_zff_are_told_where_they_fell() {
    let mut soup = Soup::new(Settings::usual(World::Zff.language(None), World::Zff)).unwrap();
    let mut plain = Soup::new(soup.settings().clone()).unwrap();
    let (tally, seen) = soup
        .step_and_see(|seen| (seen.programs, seen.mutations))
        .unwrap();
    assert_eq!(tally, plain.step());
    assert!(soup.programs() == plain.programs() && soup.stream() == plain.stream());
    let drawn = (seen.len() as f64 * soup.settings().mutation_prob) as usize;
    let told: usize = seen.iter().map(|(_, mutations)| mutations).sum();
    // Two in five programs meet in a batch.
    assert!(told > drawn / 4 && told < drawn, "{told} of {drawn}");
}

/// Two thirds into the second row group.
fn long_run(folder: &Path) -> PathBuf {
    run_in(
        folder,
        "long",
        "--num 16384 --seed 2 --max-epochs 26 --max-steps 64 --threads 1",
    )
}

#[test]
fn parquet_says_what_csv_says_in_row_groups_of_one_size() {
    let folder = tempfile::tempdir().unwrap();
    let run = long_run(folder.path());
    let [as_csv, as_parquet] = ["a.csv", "a.parquet"].map(|name| folder.path().join(name));
    table(&run, "--from 0", &as_csv);
    table(&run, "--from 0", &as_parquet);
    let reader = SerializedFileReader::new(File::open(&as_parquet).unwrap()).unwrap();
    let groups = reader.metadata().row_groups();
    let sizes: Vec<i64> = groups.iter().map(|group| group.num_rows()).collect();
    let rows = 26 * 8192;
    assert_eq!(sizes, [ROWS_PER_GROUP as i64, rows - ROWS_PER_GROUP as i64]);
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    for (column, expected) in columns.iter().zip(COLUMNS) {
        assert_eq!(column.name(), expected.name);
        let logical = column.logical_type_ref();
        let is_name = matches!(logical, Some(LogicalType::String));
        assert_eq!(is_name, expected.name == "ended", "{logical:?}");
    }
    let text = read_text(&as_csv);
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        COLUMNS.map(|column| column.name).join(",")
    );
    let mut count = 0;
    for (row, line) in reader.get_row_iter(None).unwrap().zip(lines) {
        let row = row.unwrap();
        let cells = row.get_column_iter().map(|(name, field)| match field {
            Field::Null => String::new(),
            Field::ULong(number) => number.to_string(),
            Field::UInt(number) => number.to_string(),
            Field::Str(text) => text.clone(),
            other => panic!("{name}: {other:?}"),
        });
        assert_eq!(cells.collect::<Vec<_>>().join(","), line);
        count += 1;
    }
    assert_eq!((count, text.lines().count() as i64), (rows, rows + 1));
    // Columns that hardly differ take next to no room, without compression.
    let size = fs::metadata(&as_parquet).unwrap().len();
    assert!(size * 2 < text.len() as u64, "{size}");
}

/// A stretch in two parts, from a run with other checkpoints or one that was resumed, on other
/// threads: the same rows.
#[test]
fn a_stretch_is_the_same_in_parts_and_from_any_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--num 128 --seed 3";
    let whole = run_in(folder.path(), "whole", &format!("{flags} --max-epochs 20"));
    let parts = run_in(
        folder.path(),
        "parts",
        &format!("{flags} --max-epochs 7 --checkpoint-interval 3"),
    );
    succeed(
        "run --quiet --no-picture --max-epochs 20 --resume",
        &[&parts],
    );
    let out = |name: &str| folder.path().join(name);
    table(&whole, "--from 2 --to 17", &out("all.csv"));
    let all = read_text(out("all.csv"));
    table(&parts, "--from 2 --to 17 --threads 1", &out("same.csv"));
    assert!(read_text(out("same.csv")) == all);
    let mut joined = String::new();
    for (from, to) in [(2, 8), (8, 9), (9, 17)] {
        let stretch = format!("--from {from} --to {to}");
        table(&parts, &stretch, &out("part.csv"));
        let part = read_text(out("part.csv"));
        let (head, rows) = part.split_once('\n').unwrap();
        if joined.is_empty() {
            joined = format!("{head}\n");
        }
        joined += rows;
    }
    assert!(joined == all);
    // Epochs that the run has not come to yet are those that it will come to.
    table(&parts, "--from 18 --to 23", &out("later.csv"));
    succeed(
        "run --quiet --no-picture --max-epochs 23 --resume",
        &[&parts],
    );
    table(&parts, "--from 18", &out("then.csv"));
    assert!(read(out("later.csv")) == read(out("then.csv")));
}

/// All files of a run, with their bytes.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.insert(path.clone(), read(&path));
        }
    }
    files
}

#[test]
fn a_table_adds_one_file_and_replaces_only_its_like() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), "run", "--num 64 --max-epochs 6 --seed 1");
    let before = files_of(&run);
    succeed("events --quiet --from 2 --to 4", &[&run]);
    let mut after = files_of(&run);
    assert!(after.remove(&run.join("events-2-4.parquet")).is_some());
    assert!(after == before);
    let said = succeed(
        "events --from 2",
        &[&run.join("checkpoints/0000000006.dat")],
    );
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.ends_with("events-2-6.parquet: 128 rows\n"), "{said}");
    let out = folder.path().join("x.CSV");
    table(&run, "--from 0 --to 1", &out);
    table(&run, "--from 0 --to 2", &out);
    assert_eq!(csv(&out).len(), 64);
    for (name, text) in [("a.csv", "epoch,pairs\n1,2"), ("a.parquet", "text")] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let flags = "events --from 0 --to 1 --out";
        fail(2, flags, &[&path, &run], &["--out", "no table of events"]);
        assert_eq!(read_text(&path), text);
    }
}

#[test]
fn what_is_no_stretch_or_table_is_refused_with_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), "run", "--num 64 --max-epochs 6 --seed 1");
    let tape = run_in(
        folder.path(),
        "tape",
        "--world long-tape --tape-bytes 4096 --max-epochs 2",
    );
    for (words, run, hints) in [
        (
            "--from 3 --to 3",
            &run,
            &["--from 3", "--to", "4 or more"][..],
        ),
        ("--from 3 --to 2", &run, &["--to", "newest checkpoint"]),
        ("--from 6", &run, &["--to", "7 or more"]),
        ("--to 6", &run, &["--from"]),
        (
            "--from 0 --to 1 --out x.txt",
            &run,
            &["--out", ".parquet or .csv"],
        ),
        (
            "--from 0 --to 1 --out x",
            &run,
            &["--out", ".parquet or .csv"],
        ),
        (
            "--from 0 --to 1 --out no/x.csv",
            &run,
            &["--out", "no such folder"],
        ),
        (
            "--from 0 --to 1",
            &tape,
            &["--world long-tape", "broth census"],
        ),
    ] {
        fail(2, &format!("events {words}"), &[run], hints);
    }
    let loaded = folder.path().join("loaded");
    let from = run.join("checkpoints/0000000006.dat");
    succeed(
        "run --quiet --no-picture --max-epochs 9 --out",
        &[&loaded, Path::new("--load"), &from],
    );
    fail(
        2,
        "events --from 2 --to 7",
        &[&loaded],
        &["--from 2", "6 or more"],
    );
    table(&loaded, "--from 6", &folder.path().join("loaded.csv"));
}

#[test]
fn the_library_steps_and_sees_as_it_steps() {
    let settings = Settings {
        num_programs: 64,
        ..Settings::default()
    };
    let mut soup = Soup::new(settings.clone()).unwrap();
    soup.trace().unwrap();
    let error = soup.step_and_see(|_| ()).unwrap_err();
    assert!(error.to_string().contains("`tracers`"), "{error}");
    assert_eq!(soup.epochs_done(), 0);
    let tape = Settings::usual(settings.language, World::LongTape { head_offset: 0 });
    let mut soup = Soup::new(tape).unwrap();
    assert!(soup.step_and_see(|_| ()).is_err() && soup.epochs_done() == 0);
}

/// An iterator over epochs gives the rows that a table has.
#[test]
fn events_come_epoch_by_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), "run", "--num 64 --max-epochs 6 --seed 1");
    let mut events = Events::open(&run, 2, Some(5)).unwrap();
    assert_eq!(
        (events.from(), events.to(), events.epochs_done()),
        (2, 5, 1)
    );
    for epoch in 2..5 {
        let rows = events.next_epoch().unwrap().unwrap();
        assert!(rows.len() == 32 && rows.iter().all(|row| row.epoch == epoch));
        let programs = events.programs();
        for row in rows {
            for (index, mark) in row.programs.iter().zip(row.after) {
                assert_eq!(mark.hash, hash(&programs[*index as usize * 64..][..64]));
            }
        }
    }
    assert!(events.next_epoch().unwrap().is_none());
    assert!(!events.is_stopped() && events.epochs_done() == 5);
}

#[test]
fn every_column_is_documented() {
    let page = read_text(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md"));
    let lines = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<&str> = lines
        .filter_map(|line| Some(line.split_once("` |")?.0))
        .flat_map(|names| names.split("`, `"))
        .collect();
    assert_eq!(named, COLUMNS.map(|column| column.name));
}
