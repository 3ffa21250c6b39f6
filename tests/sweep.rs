//! Sweeps, as a user starts, kills, splits and continues them, and the figures of their tables.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{broth, broth_with, fail, read, read_text, succeed};
use broth::plot::picture::Rgb;
use broth::sweep::statistics::wilson;
use broth::sweep::{Sweep, Table};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

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

/// How far all runs of a sweep are, as it is written down.
fn written(out: &Path) -> String {
    let mut seen = String::new();
    for folder in ["results", "runs"] {
        let Ok(entries) = fs::read_dir(out.join(folder)) else {
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let epochs = fs::read_to_string(path.join("so-far.toml")).unwrap_or_default();
            let epochs = epochs
                .lines()
                .find(|line| line.starts_with("epochs"))
                .map(String::from);
            seen += &format!("{} {epochs:?}\n", path.display());
        }
    }
    seen
}

/// Killed ten times, each time after it has got on, and continued: the same table, and the
/// same last soups, as of a sweep that nobody disturbed.
#[test]
fn a_killed_sweep_loses_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = "seeds = \"1-6\"\n[settings]\nnum = 512\nmax-epochs = 24000\nlog-interval = 32\n\
                checkpoints = \"last\"\n";
    let file = file(folder.path(), "long.toml", text);
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let (mut kills, mut went_on) = (0, 0);
    while kills < 10 {
        let before = written(&killed);
        went_on += usize::from(before.contains("epochs ="));
        let mut child = broth()
            .args(["sweep", "--quiet", "--save-every", "0.01", "--out"])
            .args([&killed, &file])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while written(&killed) == before && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_millis(kills * 3));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(!status.success(), "too fast to be killed ten times");
        kills += 1;
    }
    assert!(
        went_on >= 5,
        "runs went on from their own checkpoints {went_on} times"
    );
    let done = fs::read_dir(killed.join("results")).unwrap().count();
    sweep("", &file, &killed);
    sweep("", &file, &whole);
    assert!(done < 6, "all was done before the last kill");
    assert_same(&killed, &whole);
    assert_eq!(results(&whole).len(), 6);
    for row in results(&whole) {
        let of = |out: &Path| out.join("runs").join(&row["key"]);
        let names = |out: &Path| -> Vec<String> {
            let entries = fs::read_dir(of(out)).unwrap();
            let mut names: Vec<String> = entries
                .map(|it| it.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&killed), ["0000024000.dat", "0000024000.toml"]);
        assert_eq!(names(&whole), names(&killed));
        let last = "0000024000.dat";
        assert!(read(of(&whole).join(last)) == read(of(&killed).join(last)));
    }
    // Nothing is left to do.
    let again = succeed("sweep --dry-run", &[&file, "--out".as_ref(), &killed]);
    let screen = String::from_utf8(again.stdout).unwrap();
    assert!(screen.contains("6 runs, 6 done, 0 to do"), "{screen}");
}

/// Whether soups are done side by side or with several threads each, and what they are stopped
/// by, changes nothing; and a row says what `broth run` says of the same soup.
#[test]
fn rows_are_those_of_single_runs() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "seeds = \"12-15\"\n{LIVELY}[[condition]]\nname = \"whole\"\n[[condition]]\n\
         name = \"alive\"\nstop-high-order-entropy = 3\n[[condition]]\nname = \"after\"\n\
         epochs-after-alive = 16\n[[condition]]\nname = \"replicators\"\n\
         stop-at-replicators = 1\n"
    );
    let file = file(folder.path(), "lively.toml", &text);
    let outs = [
        "--jobs 1 --threads 1",
        "--jobs 1 --threads 3",
        "--jobs 5 --threads 5",
    ]
    .map(|words| {
        let out = folder.path().join(words.replace(' ', "_"));
        sweep(words, &file, &out);
        out
    });
    let table = results(&outs[0]);
    assert_eq!(table.len(), 16);
    for out in &outs[1..] {
        assert_same(out, &outs[0]);
    }
    let of = |condition: &str, seed: &str| {
        let is_it =
            |row: &&BTreeMap<String, String>| row["condition"] == condition && row["seed"] == seed;
        table.iter().find(is_it).unwrap()
    };
    let lives = |row: &&BTreeMap<String, String>| !row["epoch_alive"].is_empty();
    let alive: Vec<_> = table[..4].iter().filter(lives).collect();
    assert!(
        !alive.is_empty() && alive.len() < 4,
        "{} are alive",
        alive.len()
    );
    for row in alive {
        let seed = &row["seed"];
        let at: u64 = row["epoch_alive"].parse().unwrap();
        for (condition, ended, epochs) in [
            ("whole", "finished", 64),
            ("alive", "stopped", at),
            ("after", "stopped", at + 16),
            (
                "replicators",
                "stopped",
                row["epoch_selfreps_48"].parse().unwrap(),
            ),
        ] {
            let row = of(condition, seed);
            assert_eq!(row["ended"], ended, "{condition} {seed}");
            assert_eq!(row["epochs"], epochs.to_string(), "{condition} {seed}");
            assert_eq!(row["interactions"], (512 * epochs).to_string());
        }
    }
    // The same by a run of its own.
    let row = table[..4].iter().find(lives).unwrap();
    let out = folder.path().join("run");
    let words = format!(
        "run --quiet --lang forthtrivial --num 1024 --max-epochs 64 --log-interval 8 \
         --eval-selfrep --seed {} --out",
        row["seed"]
    );
    succeed(&words, &[&out]);
    let mut reader = csv::Reader::from_path(out.join("metrics.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |record: &csv::StringRecord, name: &str| {
        record[header.iter().position(|known| known == name).unwrap()].to_string()
    };
    let trace = records
        .iter()
        .map(|it| format!("{}:{}", &it[0], cell(it, "high_order_entropy")));
    assert_eq!(row["trace"], trace.collect::<Vec<_>>().join(" "));
    let last = records.last().unwrap();
    for name in [
        "high_order_entropy",
        "number_selfreps",
        "number_selfreps_48",
    ] {
        assert_eq!(row[name], cell(last, name), "{name}");
    }
    let first = |is_so: &dyn Fn(&csv::StringRecord) -> bool| {
        records
            .iter()
            .find(|it| is_so(it))
            .map_or(String::new(), |it| it[0].to_string())
    };
    let value = |it: &csv::StringRecord, name| cell(it, name).parse::<f64>().unwrap();
    assert_eq!(
        row["epoch_alive"],
        first(&|it| value(it, "high_order_entropy") > 3.0)
    );
    assert_eq!(
        row["epoch_entropy_1"],
        first(&|it| value(it, "high_order_entropy") > 1.0)
    );
    assert_eq!(
        row["epoch_selfreps_48"],
        first(&|it| value(it, "number_selfreps_48") > 0.0)
    );
    assert_eq!(
        row["epoch_selfreps"],
        first(&|it| value(it, "number_selfreps") > 0.0)
    );
    let peak = records
        .iter()
        .map(|it| value(it, "high_order_entropy"))
        .fold(0.0, f64::max);
    assert_eq!(row["peak_high_order_entropy"].parse::<f64>().unwrap(), peak);
}

/// Parts that are done apart and joined are one sweep, which has nothing left to do.
#[test]
fn shards_are_joined_to_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("seeds = \"1-7\"\n{LIVELY}[vary]\nmutation-prob = [0, \"1/4096\"]\n");
    let file = file(folder.path(), "parts.toml", &text);
    let whole = folder.path().join("whole");
    sweep("", &file, &whole);
    let parts: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let out = folder.path().join(format!("part-{number}"));
            sweep(&format!("--shard {number}/3"), &file, &out);
            out
        })
        .collect();
    assert!(
        parts
            .iter()
            .all(|part| (4..=5).contains(&results(part).len()))
    );
    let joined = folder.path().join("joined");
    let merge = |out: &Path, sources: &[&Path], words: &str| {
        let mut arguments: Vec<&Path> = vec!["--out".as_ref(), out];
        arguments.extend(sources);
        succeed(&format!("sweep merge {words}"), &arguments);
    };
    merge(&joined, &[&parts[2], &parts[0], &parts[1]], "");
    assert_same(&joined, &whole);
    assert_eq!(results(&joined).len(), 14);
    let screen = succeed("sweep --dry-run", &[&file, "--out".as_ref(), &joined]).stdout;
    let screen = String::from_utf8(screen).unwrap();
    assert!(screen.contains("14 runs, 14 done, 0 to do"), "{screen}");
    // Tables alone, and the same run in two of them.
    let tables = folder.path().join("tables");
    let sources = [whole.join("results.csv"), parts[1].join("results.csv")];
    merge(&tables, &[&sources[0], &sources[1]], "");
    assert_same(&tables, &whole);
    // A table that says something else.
    let text = read_text(&sources[1]);
    let row = &rows(&sources[1])[0];
    let ops = format!(",{},", row["ops"]);
    let wrong = folder.path().join("wrong.csv");
    fs::write(&wrong, text.replacen(&ops, ",1,", 1)).unwrap();
    let arguments: [&Path; 4] = ["--out".as_ref(), &tables, &sources[0], &wrong];
    let hints = [
        "disagree",
        &row["key"],
        "ops",
        &row["ops"],
        "`1`",
        "wrong.csv",
        "results.csv",
    ];
    fail(2, "sweep merge", &arguments, &hints);
}

/// Of two results the more complete one stays, row and file, in whatever order they come; what
/// is in the folder stays; and what is not in a table is told.
#[test]
fn merging_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |budget: &str| {
        format!("seeds = \"1-2\"\n[settings]\nnum = 512\nmax-epochs = 6000\n{budget}\n")
    };
    let short = file(folder.path(), "short.toml", &text("budget-seconds = 0.02"));
    let whole = file(folder.path(), "whole.toml", &text(""));
    sweep("", &short, &at("given-up"));
    sweep("", &whole, &at("done"));
    let merge = |out: &Path, sources: &[&Path]| -> String {
        let mut arguments: Vec<&Path> = vec!["--out".as_ref(), out];
        arguments.extend(sources);
        let output = succeed("sweep merge", &arguments);
        String::from_utf8(output.stderr).unwrap()
    };
    let is_done = |out: &Path| {
        let screen = succeed("sweep --dry-run", &[&whole, "--out".as_ref(), out]).stdout;
        let screen = String::from_utf8(screen).unwrap();
        screen.contains("2 done, 0 to do")
    };
    let (given_up, done) = (at("given-up"), at("done"));
    for (name, sources) in [("ab", [&given_up, &done]), ("ba", [&done, &given_up])] {
        // Two conditions' names: two rows of each run.
        assert_eq!(merge(&at(name), &sources.map(|it| it.as_path())), "");
        assert_eq!(results(&at(name)).len(), 4, "{name}");
        assert!(is_done(&at(name)), "{name}");
    }
    // What is there stays, and is joined with what comes.
    let other = file(
        folder.path(),
        "other.toml",
        "seeds = 7\n[settings]\nnum = 64\nmax-epochs = 2",
    );
    sweep("", &other, &at("joined"));
    assert_eq!(merge(&at("joined"), &[&done]), "");
    assert_eq!(results(&at("joined")).len(), 3);
    assert!(is_done(&at("joined")));
    // A sweep that was killed before it wrote its table; a result that is none.
    let killed = at("killed");
    fs::create_dir_all(killed.join("results")).unwrap();
    for row in results(&done) {
        let result = format!("results/{}.toml", row["key"]);
        fs::copy(done.join(&result), killed.join(&result)).unwrap();
    }
    file(&killed.join("results"), "broken.toml", "epochs = ");
    let said = merge(&at("of-killed"), &[&killed]);
    assert!(
        said.contains("killed has 2 results that its table"),
        "{said}"
    );
    assert!(
        said.contains("left out") && said.contains("broken.toml"),
        "{said}"
    );
    assert!(results(&at("of-killed")).is_empty() && is_done(&at("of-killed")));
    // Rows alone are no results to go on from.
    let said = merge(&at("rows"), &[&done.join("results.csv")]);
    assert!(said.contains("2 of the runs came as rows"), "{said}");
    assert!(!is_done(&at("rows")));
    // Results that disagree, though their tables do not say so.
    let result = killed.join(format!("results/{}.toml", results(&done)[0]["key"]));
    let ops = format!("ops = {}", results(&done)[0]["ops"]);
    fs::write(&result, read_text(&result).replace(&ops, "ops = 1")).unwrap();
    let arguments: [&Path; 4] = ["--out".as_ref(), &at("wrong"), &done, &killed];
    fail(
        2,
        "sweep merge",
        &arguments,
        &["disagree", "ops", "`1`", "killed"],
    );
}

/// Tables of two files, which differ in other settings, are one table: what one of them does
/// not say is no disagreement.
#[test]
fn tables_of_different_settings_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let plain =
        "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2\n[[condition]]\nname = \"default\"\n";
    let more = |text: &str| format!("{plain}[[condition]]\nname = \"other\"\n{text}\n");
    let a = file(folder.path(), "a.toml", &more("max-steps = 100"));
    let b = file(folder.path(), "b.toml", &more("fixed-shuffle = true"));
    sweep("", &a, &at("a"));
    sweep("", &b, &at("b"));
    let arguments: [&Path; 4] = ["--out".as_ref(), &at("ab"), &at("a"), &at("b")];
    succeed("sweep merge", &arguments);
    let rows = results(&at("ab"));
    let told = |i: usize, name: &str| rows[i][name].as_str();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (told(0, "condition"), told(0, "max-steps")),
        ("default", "8192")
    );
    assert_eq!(told(0, "settings"), "");
    let others: Vec<&str> = (1..3).map(|i| told(i, "settings")).collect();
    assert_eq!(others, ["{ max-steps = 100 }", "{ fixed-shuffle = true }"]);
}

#[test]
fn only_what_is_missing_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = file(
        folder.path(),
        "more.toml",
        &format!("seeds = \"1-2\"\n{LIVELY}"),
    );
    sweep("", &path, &out);
    // Whatever is run again gets another time.
    let before = rows(&out.join("results.csv"));
    let marked = |row: &BTreeMap<String, String>| {
        let result = out.join(format!("results/{}.toml", row["key"]));
        let text = read_text(&result);
        let old = text
            .lines()
            .find(|line| line.starts_with("seconds"))
            .unwrap();
        fs::write(&result, text.replace(old, "seconds = 1234.5")).unwrap();
    };
    before.iter().for_each(marked);
    let more = format!(
        "seeds = \"1-3\"\n{LIVELY}[[condition]]\nname = \"old\"\n[[condition]]\nname = \"new\"\n\
         mutation-prob = 0\n"
    );
    fs::write(&path, more).unwrap();
    sweep("", &path, &out);
    let after = rows(&out.join("results.csv"));
    let old: Vec<bool> = after.iter().map(|row| row["seconds"] == "1234.5").collect();
    assert_eq!(old, [true, true, false, false, false, false]);
    // A result that is broken is made anew, and named.
    fs::write(
        out.join(format!("results/{}.toml", after[0]["key"])),
        "epochs = ",
    )
    .unwrap();
    let output = succeed("sweep", &[&path, "--out".as_ref(), &out]);
    let screen = String::from_utf8(output.stderr).unwrap();
    assert!(
        screen.contains("passed over") && screen.contains(&after[0]["key"]),
        "{screen}"
    );
    let mended = rows(&out.join("results.csv"));
    assert_ne!(mended[0]["seconds"], "1234.5");
    // So is one that was put under another's name.
    let result = |row: usize| out.join(format!("results/{}.toml", after[row]["key"]));
    fs::copy(result(1), result(0)).unwrap();
    let output = succeed("sweep", &[&path, "--out".as_ref(), &out]);
    let screen = String::from_utf8(output.stderr).unwrap();
    assert!(
        screen.contains("passed over") && screen.contains("renamed"),
        "{screen}"
    );
    let mended = rows(&out.join("results.csv"));
    assert_eq!(mended[0]["trace"], after[0]["trace"]);
    assert_eq!(mended[1]["seconds"], "1234.5");
}

#[test]
fn a_failed_run_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = "seeds = \"1-2\"\n[settings]\nmax-epochs = 3\ncheckpoints = \"last\"\n[vary]\n\
                num = [128, 64]\n";
    let file = file(folder.path(), "vary.toml", text);
    // Where two of them would keep their soups, something else is.
    fs::create_dir_all(out.join("results")).unwrap();
    fs::create_dir(out.join("runs")).unwrap();
    for run in &Sweep::read(&file).unwrap().runs[..2] {
        fs::write(out.join("runs").join(&run.key), "in the way").unwrap();
    }
    let arguments: [&Path; 3] = [&file, "--out".as_ref(), &out];
    let hints = ["num 128, seed 1 failed", "runs", "num 128, seed 2 failed"];
    fail(1, "sweep", &arguments, &hints);
    let rows = rows(&out.join("results.csv"));
    let ended: Vec<&str> = rows.iter().map(|row| row["ended"].as_str()).collect();
    assert_eq!(ended, ["failed", "failed", "finished", "finished"]);
    assert!(rows[0]["why"].contains("runs"), "{}", rows[0]["why"]);
    let screen = succeed("sweep --dry-run", &arguments).stdout;
    let screen = String::from_utf8(screen).unwrap();
    assert!(screen.contains("4 runs, 2 done, 2 to do"), "{screen}");
    // Those that failed are left out of figures.
    succeed("figures", &[&out]);
    let numbers = read_text(out.join("figures/alive-by-epoch.csv"));
    assert!(
        numbers.contains("num 64") && !numbers.contains("num 128"),
        "{numbers}"
    );
}

/// A run that used up its time is censored, not repeated with the same time, and goes on with
/// more.
#[test]
fn a_budget_censors() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = |budget: &str| {
        format!(
            "seeds = 1\n[settings]\nnum = 512\nmax-epochs = 12000\nlog-interval = 32\n{budget}\n"
        )
    };
    let path = file(folder.path(), "budget.toml", &text("budget-seconds = 0.02"));
    sweep("", &path, &out);
    let first = rows(&out.join("results.csv")).remove(0);
    assert_eq!(first["ended"], "censored");
    let epochs: u64 = first["epochs"].parse().unwrap();
    assert!((1..12000).contains(&epochs), "{epochs}");
    // Its last measures end its trace.
    let trace = first["trace"].split(' ').next_back().unwrap();
    assert!(
        trace.starts_with(&format!("{}:", first["measured_epoch"])),
        "{trace}"
    );
    sweep("", &path, &out);
    assert_eq!(rows(&out.join("results.csv")).remove(0), first);
    // Where it cannot go on, what is known stays.
    let seconds: f64 = first["seconds"].parse().unwrap();
    let more = format!("budget-seconds = {}", seconds + 0.005);
    fs::write(&path, text(&more)).unwrap();
    let (home, away) = (
        out.join("runs").join(&first["key"]),
        folder.path().join("away"),
    );
    fs::rename(&home, &away).unwrap();
    fs::write(&home, "in the way").unwrap();
    let arguments: [&Path; 3] = [&path, "--out".as_ref(), &out];
    fail(1, "sweep", &arguments, &["seed 1 failed"]);
    assert_eq!(rows(&out.join("results.csv")).remove(0), first);
    fs::remove_file(&home).unwrap();
    fs::rename(&away, &home).unwrap();
    fs::write(&path, text("")).unwrap();
    let screen = succeed("sweep --dry-run", &[&path, "--out".as_ref(), &out]).stdout;
    let screen = String::from_utf8(screen).unwrap();
    assert!(
        screen.contains(&format!("go on from epoch {epochs}")),
        "{screen}"
    );
    sweep("", &path, &out);
    let whole = folder.path().join("whole");
    sweep("", &path, &whole);
    assert_same(&out, &whole);
    assert_eq!(results(&out)[0]["ended"], "finished");
    // Small soups leave nothing but their row.
    assert!(!out.join("runs").join(&first["key"]).exists());
}

#[test]
fn wrong_sweeps_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let good = file(
        folder.path(),
        "good.toml",
        "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2",
    );
    let bad = file(
        folder.path(),
        "bad.toml",
        "seeds = 1\n[settings]\nmutation = 0",
    );
    let named: [&Path; 3] = [&bad, "--out".as_ref(), &out];
    fail(
        2,
        "sweep",
        &named,
        &["bad.toml", "mutation", "mutation-prob"],
    );
    fail(2, "sweep no-such-file.toml", &[], &["no-such-file.toml"]);
    fail(2, "sweep", &[], &["<FILE>"]);
    fail(2, "sweep --shard 5/3", &[&good], &["--shard", "3/16"]);
    fail(2, "sweep --save-every=-1", &[&good], &["--save-every"]);
    fail(2, "sweep merge --out x", &[], &["<SOURCE>"]);
    assert!(!out.exists());
    // Another's folder.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    file(&taken, "notes.txt", "mine");
    let arguments: [&Path; 3] = [&good, "--out".as_ref(), &taken];
    fail(
        2,
        "sweep",
        &arguments,
        &["--out", "taken", "no folder of a sweep"],
    );
    // Tables that are none.
    let table = file(
        folder.path(),
        "table.csv",
        "epoch,high_order_entropy\n1,2\n",
    );
    fail(
        2,
        "figures",
        &[&table],
        &["table.csv", "no column `key`", "results.csv"],
    );
    sweep("", &good, &out);
    let text = read_text(out.join("results.csv")).replace("finished,,2", "finished,,x");
    let broken = file(folder.path(), "broken.csv", &text);
    fail(
        2,
        "figures",
        &[&broken],
        &["broken.csv", "line 2", "`x` is no epochs"],
    );
    let half = file(folder.path(), "half.csv", &text[..text.len() - 30]);
    fail(2, "figures", &[&half], &["half.csv", "line 2"]);
    fail(
        2,
        "figures",
        &["no-such-table.csv".as_ref()],
        &["no-such-table.csv"],
    );
    // A dry run makes nothing.
    let other = folder.path().join("other");
    succeed("sweep --dry-run", &[&good, "--out".as_ref(), &other]);
    assert!(!other.exists());
}

/// Ctrl-C ends all runs, saves them, and says how to go on.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_sweep_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = "seeds = \"1-2\"\n[settings]\nnum = 512\nmax-epochs = 1000000\n";
    let path = file(folder.path(), "long.toml", text);
    let child = broth()
        .args(["sweep", "--save-every", "0.05", "--out"])
        .args([&out, &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !written(&out).contains("epochs =") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let busy = broth_with("sweep", &[&path, "--out".as_ref(), &out]);
    let message = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert!(
        busy.status.code() == Some(2) && message.contains("in use"),
        "{message}"
    );
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(
        screen.contains("go on with") && screen.contains("2 left"),
        "{screen}"
    );
    assert!(results(&out).is_empty());
    assert_eq!(written(&out).matches("epochs =").count(), 2);
}

/// Where all checkpoints are kept, those are that are due and the last one, whatever the sweep
/// was interrupted by.
#[cfg(target_os = "linux")]
#[test]
fn checkpoints_are_those_of_an_undisturbed_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = "seeds = 1\n[settings]\nnum = 256\nmax-epochs = 20000\nlog-interval = 64\n\
                checkpoint-interval = 8192\ncheckpoints = \"all\"\n";
    let path = file(folder.path(), "all.toml", text);
    let saved = || {
        let entries = fs::read_dir(out.join("runs")).into_iter().flatten();
        let files = entries.flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap());
        let names = files.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|it| it.ends_with(".dat")).collect();
        names.sort();
        names
    };
    let mut child = broth()
        .args(["sweep", "--quiet", "--out"])
        .args([&out, &path])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while saved().is_empty() {
        std::thread::sleep(Duration::from_millis(3));
    }
    std::thread::sleep(Duration::from_millis(50));
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let due = [
        "0000000001.dat",
        "0000008193.dat",
        "0000016385.dat",
        "0000020000.dat",
    ];
    let of_interruption = saved()
        .iter()
        .filter(|it| !due.contains(&it.as_str()))
        .count();
    assert_eq!(of_interruption, 1, "{:?}", saved());
    sweep("", &path, &out);
    assert_eq!(saved(), due);
}

/// Every cell of the Parquet file is that of the CSV.
#[test]
fn parquet_says_what_csv_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = format!(
        "seeds = [1, \"18446744073709551615\"]\n{LIVELY}[[condition]]\n\
         name = \"a, \\\"b\\\" and ü\"\nexpected = 0.25\n[[condition]]\nname = \"c\"\n\
         max-steps = 100\nlang = \"bff\"\n"
    );
    sweep("", &file(folder.path(), "two.toml", &text), &out);
    let reader = SerializedFileReader::new(File::open(out.join("results.parquet")).unwrap());
    let mut parquet = Vec::new();
    for row in reader.unwrap().get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let cells = row.get_column_iter().map(|(name, field)| {
            let text = match field {
                Field::Null => String::new(),
                Field::ULong(count) => count.to_string(),
                Field::Double(number) => number.to_string(),
                Field::Str(text) => text.clone(),
                other => panic!("{name}: {other:?}"),
            };
            (name.clone(), text)
        });
        parquet.push(cells.collect::<BTreeMap<String, String>>());
    }
    let csv = rows(&out.join("results.csv"));
    assert_eq!((csv.len(), parquet.len()), (4, 4));
    for (csv, parquet) in csv.iter().zip(&parquet) {
        assert!(csv.keys().eq(parquet.keys()));
        for (name, cell) in csv {
            let other = &parquet[name];
            // Of single precision in one, of double in the other.
            let numbers = cell.parse::<f32>().ok().zip(other.parse::<f32>().ok());
            assert!(
                cell == other || numbers.is_some_and(|(a, b)| a == b),
                "{name} {cell} {other}"
            );
        }
    }
    assert_eq!(csv[0]["condition"], "a, \"b\" and ü");
    assert_eq!(csv[1]["seed"], "18446744073709551615");
    assert_eq!(
        (csv[0]["expected"].as_str(), csv[2]["expected"].as_str()),
        ("0.25", "")
    );
    assert_eq!(
        (csv[0]["max-steps"].as_str(), csv[2]["max-steps"].as_str()),
        ("8192", "100")
    );
    assert_eq!(
        (csv[0]["lang"].as_str(), csv[2]["lang"].as_str()),
        ("forthtrivial", "bff")
    );
}

fn decode(path: &Path) -> (usize, Vec<Rgb>) {
    let decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    (
        reader.info().width as usize,
        pixels.as_chunks::<3>().0.to_vec(),
    )
}

const BLUE: Rgb = [0x56, 0xb4, 0xe9];
const ORANGE: Rgb = [0xe6, 0x9f, 0x00];

/// Figures of a table written by hand, of which every number is known.
#[test]
fn figures_show_the_numbers_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let mut text = String::from(
        "run,key,condition,expected,seed,lang,num,mutation-prob,max-epochs,log-interval,ended,\
         why,epochs,epoch_entropy_1,epoch_alive,epoch_selfreps_48,number_selfreps_48,trace\n",
    );
    // A quarter of all `first` runs alive at epoch 500 of 1000, half of them with a replicator.
    for seed in 1..=8 {
        let (alive, ended, end, last) = match seed <= 2 {
            true => ("500", "stopped", 500, 5),
            false => ("", "finished", 1000, 1),
        };
        let replicator = if seed <= 4 { "500" } else { "" };
        text += &format!(
            "{seed},a{seed},first,0.9,{seed},bff,64,0,1000,1,{ended},,{end},{alive},{alive},\
             {replicator},0,1:0.5 {end}:{last}\n"
        );
        text += &format!(
            "{},b{seed},second,,{seed},forth,64,0.01,1000,1,finished,,1000,,,,0,1:0 1000:0\n",
            8 + seed
        );
        text += &format!(
            "{},c{seed},third,,{seed},bff,64,0.01,1000,1,stopped,,250,250,250,,0,1:0 250:4\n",
            16 + seed
        );
    }
    let table = file(folder.path(), "table.csv", &text);
    assert_eq!(Table::read_csv(&table).unwrap().len(), 24);
    let screen = succeed("figures", &[&table, "--out".as_ref(), &out]).stdout;
    let screen = String::from_utf8(screen).unwrap();
    let names = [
        "entropy-1-by-epoch",
        "alive-by-epoch",
        "share-by-condition",
        "share-by-mutation-rate",
        "first-replicator",
        "entropy-traces",
    ];
    for name in names {
        assert!(
            screen.contains(&format!("{name}.png")),
            "{name} in {screen}"
        );
        let svg = read_text(out.join(format!("{name}.svg")));
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{name}"
        );
        assert!(match name {
            "share-by-mutation-rate" => svg.contains("0 %") && svg.contains("1 %"),
            "first-replicator" => svg.contains("first (4/8)") && svg.contains("second (0/8)"),
            _ => svg.contains("first") && svg.contains("second"),
        });
    }
    // One step, at epoch 500: the middle of the axis, from no run to a quarter of them.
    let (width, pixels) = decode(&out.join("alive-by-epoch.png"));
    let blue: Vec<(usize, usize)> = (0..pixels.len())
        .filter(|i| pixels[*i] == BLUE && i % width < 1190)
        .map(|i| (i % width, i / width))
        .collect();
    let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
    for (x, _) in &blue {
        *heights.entry(*x).or_default() += 1;
    }
    let (step, height) = heights.iter().max_by_key(|(_, height)| **height).unwrap();
    // Along the bottom another condition lies above it.
    let (left, right) = (20 + 100, *heights.keys().max().unwrap());
    assert!(
        step.abs_diff((left + right) / 2) <= 3,
        "{left} {step} {right}"
    );
    let (top, bottom) = (100 + 8, 900 - 8 - 76);
    assert!(
        height.abs_diff((bottom - top) / 4) <= 6,
        "{height} of {}",
        bottom - top
    );
    let last_row = blue
        .iter()
        .filter(|(x, _)| *x > step + 10)
        .map(|(_, y)| *y)
        .max()
        .unwrap();
    assert!(
        last_row.abs_diff(bottom - (bottom - top) / 4) <= 3,
        "{last_row}"
    );
    // The other condition stays at the bottom.
    let orange: Vec<usize> = (0..pixels.len())
        .filter(|i| pixels[*i] == ORANGE && i % width < 1190)
        .map(|i| i / width)
        .collect();
    assert!(orange.len() > 1000 && orange.iter().all(|y| y.abs_diff(bottom) <= 3));
    // The numbers: 2 of 8 by Kaplan and Meier, and by Wilson.
    let line = |name: &str, start: &str| {
        let text = read_text(out.join(format!("{name}.csv")));
        let line = text.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{start} in {text}"))
            .to_string()
    };
    let step = line("alive-by-epoch", "first,");
    assert!(step.starts_with("first,500,8,2,0.250000,"), "{step}");
    assert_eq!(
        line("share-by-condition", "first,3"),
        "first,3,2,8,0,0.250000,0.071479,0.590725,wilson,"
    );
    assert!(line("share-by-condition", "first,1").ends_with("wilson,0.900000"));
    assert!(line("share-by-mutation-rate", "mutation_prob").starts_with("mutation_prob,above"));
    assert!(line("first-replicator", "first,4,").starts_with("first,4,500,1,500"));
    assert!(line("first-replicator", "first,5,").starts_with("first,5,1000,0,500"));
    assert!(line("first-replicator", "second,5,").ends_with("second,5,1000,0,"));
    // A run that has ended keeps its last value: two of 5, and six of 1.
    assert_eq!(
        line("entropy-traces", "first,1000,"),
        "first,1000,8,6,1.000000,1.000000,1.000000,2.000000,5.000000"
    );
    assert!(line("entropy-traces", "first,1,8,8,").contains("0.500000,0.500000,0.500000"));
}

/// Figures compare runs that differ in one thing, each once, and say what is not known.
#[test]
fn figures_compare_like_with_like() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let figures = |rows: &[&str]| {
        let header = "key,condition,seed,lang,num,mutation-prob,settings,ended,epochs,\
                      epoch_entropy_1,epoch_selfreps_48,number_selfreps_48,trace";
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let table = file(folder.path(), "table.csv", &text);
        succeed("figures", &[&table, "--out".as_ref(), &out]);
    };
    let numbers = |name: &str| read_text(out.join(format!("{name}.csv")));
    let has = |name: &str, lines: &[&str]| {
        let text = numbers(name);
        for line in lines {
            assert!(text.lines().any(|it| it == *line), "{line} in {text}");
        }
    };
    // A run that two conditions share stands once for its rate; of two groups of runs that
    // differ otherwise, one is drawn.
    figures(&[
        "a1,default,1,bff,64,0.25,,finished,9,9,,,1:0.5",
        "a2,default,2,bff,64,0.25,,finished,9,,,,1:0.5",
        "a1,rate,1,bff,64,0.25,,finished,9,9,,,1:0.5",
        "b1,rate,1,bff,64,0,,finished,9,,,,1:0.5",
        "c1,fixed,1,bff,64,0,{ fixed-shuffle = true },finished,9,9,,,1:0.5",
    ]);
    has(
        "share-by-mutation-rate",
        &[
            "0,1,0,1,0,0.000000,0.000000,0.793451,wilson,",
            "0.25,1,1,2,0,0.500000,0.094531,0.905469,wilson,",
        ],
    );
    let svg = read_text(out.join("share-by-mutation-rate.svg"));
    assert!(svg.contains("by mutation rate: bff, num 64"), "{svg}");
    // Conditions of one name that are two things; runs given up at once, or stopped by another
    // rule before anything was seen.
    figures(&[
        "d1,default,1,bff,64,0,,finished,9,9,,,1:0.5",
        "d2,default,1,bff,128,0,,finished,9,,,,1:0.5",
        "e1,early,1,bff,64,0,,censored,1,,,,1:0.5",
        "f1,mixed,1,bff,64,0,,stopped,2,,,,1:0.5",
        "f2,mixed,2,bff,64,0,,finished,9,9,,,1:0.5",
    ]);
    has(
        "share-by-condition",
        &[
            "\"default: bff, mutation-prob 0, num 64\",1,1,1,0,1.000000,0.206549,1.000000,wilson,",
            "\"default: bff, mutation-prob 0, num 128\",1,0,1,0,0.000000,0.000000,0.793451,wilson,",
            "early,1,0,1,1,0.000000,0.000000,1.000000,wilson,",
            "mixed,1,1,2,1,1.000000,0.206549,1.000000,kaplan-meier,",
        ],
    );
    has(
        "entropy-1-by-epoch",
        &["early,1,1,0,0.000000,0.000000,0.793451"],
    );
    // What an earlier table had and this one has not is gone.
    assert!(!out.join("share-by-mutation-rate.png").exists());
    // Languages, as long as nothing else differs.
    let of_languages = [
        "g1,x,1,bff,64,0,,finished,9,,5,1,1:0.5",
        "g2,x,1,forth,64,0,,finished,9,,7,1,1:0.5",
    ];
    figures(&of_languages);
    has("first-replicator", &["bff,1,5,1,5", "forth,1,7,1,7"]);
    let larger = "g3,larger,1,forth,128,0,,finished,9,,8,1,1:0.5";
    figures(&[of_languages[0], larger]);
    has("first-replicator", &["x,1,5,1,5", "larger,1,8,1,8"]);
}

/// What ships can be run, and shares the runs that it says it shares.
#[test]
fn shipped_experiments_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let keys = |name: &str| -> Vec<String> {
        let sweep = Sweep::read(&folder.join(name)).unwrap();
        let keys: Vec<String> = sweep.runs.iter().map(|run| run.key.clone()).collect();
        assert_eq!(sweep.different_runs().len(), keys.len(), "{name}");
        keys
    };
    for (name, runs) in [
        ("paper.toml", 60),
        ("paper-conditions.toml", 300),
        ("paper-mutation.toml", 140),
        ("languages.toml", 65),
        ("first-replicator.toml", 40),
        ("small-mutation.toml", 640),
        ("small.toml", 1024),
    ] {
        assert_eq!(keys(name).len(), runs, "{name}");
        let text = read_text(folder.join(name));
        assert!(
            text.starts_with("# ") && text.contains("# Cost on 2 cores: "),
            "{name}"
        );
    }
    let files = fs::read_dir(&folder).unwrap();
    let sweeps = files.filter(|it| {
        let path = it.as_ref().unwrap().path();
        path.extension().is_some_and(|it| it == "toml")
    });
    assert_eq!(sweeps.count(), 7);
    assert_eq!(keys("paper.toml"), keys("paper-conditions.toml")[200..260]);
    // One of the rates scanned is the default.
    let scanned = keys("paper-mutation.toml");
    assert_eq!(keys("paper.toml")[..20], scanned[40..60]);
}

/// Known from outside (docs/reference.md): seeds of the default settings, and the epochs at
/// which they came alive.
const KNOWN: [(u64, u64); 5] = [(29, 945), (38, 913), (41, 1937), (49, 1281), (54, 977)];

/// Tables that are published are of the experiments that ship, whole, and have the worlds
/// that are known from outside; docs/experiments.md says what they say.
#[test]
fn published_tables_are_of_shipped_experiments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = read_text(root.join("docs/experiments.md"));
    let mut checked = 0;
    for entry in fs::read_dir(root.join("experiments/results")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sweep = Sweep::read(&root.join(format!("experiments/{name}.toml"))).unwrap();
        let rows = rows(&path);
        assert_eq!(rows.len(), sweep.runs.len(), "{name}");
        let mut conditions: Vec<(String, Vec<usize>)> = Vec::new();
        for (i, (row, run)) in rows.iter().zip(&sweep.runs).enumerate() {
            assert_eq!(row["key"], run.key, "{name}");
            assert!(["finished", "stopped"].contains(&row["ended"].as_str()));
            match conditions.last_mut().filter(|it| it.0 == row["condition"]) {
                Some((_, of_condition)) => of_condition.push(i),
                None => conditions.push((row["condition"].clone(), vec![i])),
            }
        }
        for (condition, of_condition) in conditions {
            let passed = |column: &str| {
                let count = of_condition
                    .iter()
                    .filter(|i| !rows[**i][column].is_empty());
                let (count, all) = (count.count() as u64, of_condition.len() as u64);
                let share = wilson(count, all).unwrap();
                let [low, middle, high] =
                    [share.low, share.share, share.high].map(|it| (100.0 * it).round());
                format!("{count}: {middle} % ({low}–{high})")
            };
            let said = format!(
                "| {condition} | {} | {} | {} |",
                of_condition.len(),
                passed("epoch_entropy_1"),
                passed("epoch_alive")
            );
            assert!(text.contains(&said), "{name}: {said}");
            checked += 1;
        }
        if name == "paper-conditions" {
            let of_default = |row: &&BTreeMap<_, String>| row["condition"] == "default";
            for (seed, epoch) in KNOWN {
                let seed = seed.to_string();
                let row = rows
                    .iter()
                    .filter(of_default)
                    .find(|row| row["seed"] == seed);
                assert_eq!(row.unwrap()["epoch_alive"], epoch.to_string());
            }
        }
    }
    assert!(checked >= 5);
}

/// The worlds that are known from outside, by the experiment that ships.
#[test]
#[ignore = "runs 6,053 epochs of 131,072 programs: a minute or two"]
fn known_worlds_come_alive_on_time() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/paper.toml");
    let seeds = KNOWN.map(|(seed, _)| seed.to_string()).join(", ");
    let text = read_text(paper).replace("seeds = \"1-60\"", &format!("seeds = [{seeds}]"));
    sweep("", &file(folder.path(), "known.toml", &text), &out);
    let found: Vec<(u64, u64)> = results(&out)
        .iter()
        .map(|row| {
            (
                row["seed"].parse().unwrap(),
                row["epoch_alive"].parse().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, KNOWN);
}
