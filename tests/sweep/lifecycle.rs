//! Sweeps that are killed, interrupted, continued, given up, or fail in part.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use broth::sweep::Sweep;

use super::{LIVELY, assert_same, file, results, rows, sweep};
use crate::common::{broth, broth_with, fail, read, read_text, succeed};

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
    let text = "seeds = \"1-6\"\n[settings]\nnum = 512\nmax-epochs = 12000\nlog-interval = 32\n\
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
        assert_eq!(names(&killed), ["0000012000.dat", "0000012000.toml"]);
        assert_eq!(names(&whole), names(&killed));
        let last = "0000012000.dat";
        assert!(read(of(&whole).join(last)) == read(of(&killed).join(last)));
    }
    // Nothing is left to do.
    let again = succeed("sweep --dry-run", &[&file, "--out".as_ref(), &killed]);
    let screen = String::from_utf8(again.stdout).unwrap();
    assert!(screen.contains("6 runs, 6 done, 0 to do"), "{screen}");
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
        screen.contains("skipped") && screen.contains(&after[0]["key"]),
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
        screen.contains("skipped") && screen.contains("renamed"),
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
        screen.contains(&format!("continue from epoch {epochs}")),
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
        screen.contains("resume      the same command") && screen.contains("2 left"),
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

/// A folder with the results of one sweep is not given to another.
#[test]
fn another_sweeps_table_stays() {
    let folder = tempfile::tempdir().unwrap();
    let text = |num: &str| format!("seeds = \"1-2\"\n[settings]\nnum = {num}\nmax-epochs = 9\n");
    let out = folder.path().join("out");
    let first = file(folder.path(), "first.toml", &text("64"));
    sweep("", &first, &out);
    let table = read(out.join("results.csv"));
    let other = file(folder.path(), "other.toml", &text("128"));
    let hints = ["results of 2 runs of another sweep", "choose another"];
    fail(2, "sweep --quiet --out", &[&out, &other], &hints);
    assert_eq!(read(out.join("results.csv")), table);
    // One that shares a run goes on there, and so does one with more seeds.
    let more = text("64").replace("1-2", "2-3");
    sweep("", &file(folder.path(), "more.toml", &more), &out);
    assert_eq!(results(&out).len(), 2);
}
