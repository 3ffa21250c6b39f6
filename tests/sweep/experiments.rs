//! Sweep files: those that ship, with their published tables, and wrong ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use broth::sweep::Sweep;
use broth::sweep::statistics::wilson;

use super::{file, results, rows, sweep};
use crate::common::{fail, read_text, succeed};

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
