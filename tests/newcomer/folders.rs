//! Run folders, their checkpoints, and runs that are still going on: all are taken alike.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{said, small_run};
use crate::common::{broth, broth_with, fail};

/// A run with checkpoints after 1, 5, 9, 13 and 17 epochs.
fn run_in(parent: &Path) -> PathBuf {
    small_run(parent, "a run", "--max-epochs 17 --checkpoint-interval 4")
}

fn checkpoint(run: &Path, epochs: u64) -> PathBuf {
    run.join(format!("checkpoints/{epochs:010}.dat"))
}

/// Commands that show a soup: what they say of one is the same, wherever it was pointed at.
#[test]
fn a_soup_is_that_of_a_run_folder_or_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    for words in [
        "inspect --quiet",
        "census --quiet --top 2",
        "selfrep --quiet --checkpoint",
        "search --quiet --max-programs 1 --json --from",
        "jit show --epochs 1",
        "jit show --epochs 1 --checkpoint",
    ] {
        // How long a search takes, and where it was pointed at, differ.
        let shown = |path: &Path| {
            let (stdout, _) = said(words, &[path]);
            let differs = |line: &&str| !line.contains("seconds") && !line.contains("\"from\"");
            stdout
                .lines()
                .filter(differs)
                .collect::<Vec<_>>()
                .join("\n")
        };
        let newest = shown(&checkpoint(&run, 17));
        for path in [
            run.clone(),
            run.join("checkpoints"),
            run.join("settings.toml"),
            run.join("metrics.csv"),
        ] {
            assert_eq!(shown(&path), newest, "{words} {path:?}");
        }
        if !words.starts_with("jit") {
            let at_9 = format!("--epoch 9 {words}");
            let (command, flags) = words.split_once(' ').unwrap();
            let at_9 = at_9.replacen(&format!("--epoch 9 {words}"), "", 1);
            let (stdout, _) = said(&format!("{command} --epoch 0x9 {flags}{at_9}"), &[&run]);
            let (other, _) = said(words, &[&checkpoint(&run, 9)]);
            let lines = |text: &str| text.lines().count();
            assert_eq!(lines(&stdout), lines(&other), "{words}");
            if words.starts_with("inspect") {
                assert_eq!(stdout, other);
            }
        }
    }
    // A program is scored, and a soup where it is one.
    let (by_flag, _) = said("selfrep --quiet --checkpoint", &[&run]);
    for path in [run.clone(), checkpoint(&run, 17)] {
        let (stdout, _) = said("selfrep --quiet", &[&path]);
        assert_eq!(stdout, by_flag);
    }
    // A folder of checkpoints without their run, as cubff leaves it.
    let cubff = folder.path().join("cubff");
    std::fs::create_dir(&cubff).unwrap();
    for epochs in [5, 17] {
        let path = checkpoint(&run, epochs);
        std::fs::copy(&path, cubff.join(path.file_name().unwrap())).unwrap();
    }
    let (stdout, _) = said("census --lang bff_noheads --top 1", &[&cubff]);
    assert!(stdout.contains("after 17 epochs"), "{stdout}");
    fail(
        2,
        "census --top 1",
        &[&cubff],
        &["0000000017.dat", "--lang"],
    );
}

/// Commands that need a whole run take one of its checkpoints for it, and for its epochs.
#[test]
fn a_run_is_its_folder_or_a_checkpoint_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let at_9 = checkpoint(&run, 9);
    for (words, same) in [
        (
            "ancestry --program 3 --quiet --json",
            "ancestry --program 3 --epoch 9 --quiet --json",
        ),
        (
            "show-interaction --pair 2",
            "show-interaction --pair 2 --epoch 9",
        ),
        ("strip --json", "strip --to 9 --json"),
        ("events --json --from 8", "events --json --from 8 --to 9"),
    ] {
        let (there, _) = said(words, &[&at_9]);
        let (expected, _) = said(same, &[&run]);
        assert_eq!(there, expected, "{words}");
    }
    for path in [
        &at_9,
        &run.join("checkpoints"),
        &run.join("metrics.csv"),
        &run,
    ] {
        said("jit stats --json", &[path]);
    }
    let lonely = folder.path().join("0000000009.dat");
    std::fs::copy(&at_9, &lonely).unwrap();
    for words in [
        "ancestry --program 3",
        "strip",
        "show-interaction --pair 2",
        "jit stats",
    ] {
        fail(2, words, &[&lonely], &["whole run", "give the folder"]);
    }
    // A run continues from its newest checkpoint only.
    let hints = ["run --resume '", "run --load '", "newest"];
    fail(2, "run --resume", &[&at_9], &hints);
}

/// What is drawn of a run is the same, wherever in its folder it was pointed at.
#[test]
fn drawings_are_of_a_run_folder_or_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    let drawn = |words: &str, path: &Path, name: &str| {
        let out = folder.path().join(name);
        said(&format!("{words} --quiet --out"), &[&out, path]);
        let bytes = std::fs::read(&out).unwrap();
        std::fs::remove_file(out).unwrap();
        bytes
    };
    for (words, name) in [("plot", "a.png"), ("picture", "a.png"), ("film", "a.gif")] {
        let expected = drawn(words, &run, name);
        for path in [
            run.join("checkpoints"),
            run.join("metrics.csv"),
            run.join("settings.toml"),
            checkpoint(&run, 17),
        ] {
            assert!(drawn(words, &path, name) == expected, "{words} {path:?}");
        }
    }
    let at_9 = checkpoint(&run, 9);
    for (words, same, name) in [
        ("picture", "picture --epoch 9", "a.png"),
        ("film", "film --to 9", "a.gif"),
        ("strip", "strip --to 9", "a.png"),
    ] {
        assert!(
            drawn(words, &at_9, name) == drawn(same, &run, name),
            "{words}"
        );
    }
    // Without --out they go to the run folder.
    for words in ["plot", "picture", "film"] {
        said(words, &[&run.join("checkpoints")]);
    }
    for name in ["plot.png", "soup-0000000017.png", "film.png"] {
        assert!(run.join(name).exists(), "{name}");
    }
    // Of a broken checkpoint, the one before is drawn, and that is said.
    std::fs::write(checkpoint(&run, 17), "nonsense").unwrap();
    let (stdout, stderr) = said("picture", &[&run]);
    assert!(stdout.contains("soup-0000000013.png"), "{stdout}");
    assert!(stderr.contains("skipped: "), "{stderr}");
}

/// Every command that takes a path says so where there is nothing.
#[test]
fn a_path_that_leads_nowhere_is_no_file_or_folder() {
    for words in [
        "inspect",
        "census",
        "selfrep --checkpoint",
        "ancestry --first-replicator",
        "show-interaction --epoch 1 --pair 0",
        "events --from 0",
        "plot",
        "picture",
        "strip",
        "film",
        "figures",
        "sweep",
        "sweep merge --out never-made",
        "jit stats",
        "jit show",
        "jit show --checkpoint",
        "bench --run",
        "bench --load",
        "bench --worlds",
        "run --load",
        "run --resume",
        "run --settings",
        "run --interaction-pattern",
        "exec --file",
        "verify --replay",
    ] {
        let output = broth_with(&format!("{words} no-such-path"), &[]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}: {stderr}");
        for hint in ["no-such-path", "no such file or folder", "check the path"] {
            assert!(stderr.contains(hint), "{words}: no `{hint}` in {stderr}");
        }
        for other in ["not a run folder", "os error"] {
            assert!(!stderr.contains(other), "{words}: `{other}` in {stderr}");
        }
    }
    assert!(!Path::new("never-made").exists());
}

/// A sweep is no run, and a run no sweep: each is told what draws it.
#[test]
fn runs_and_sweeps_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "a run", "--max-epochs 2");
    let file = folder.path().join("small.toml");
    std::fs::write(&file, "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2\n").unwrap();
    let sweep = folder.path().join("a sweep");
    said("sweep --quiet", &[&file, "--out".as_ref(), &sweep]);
    let plot = format!("plot '{}'`", run.display());
    fail(2, "figures", &[&run], &["folder of a run", &plot]);
    let figures = format!("figures '{}'`", sweep.display());
    for words in ["plot", "picture", "film", "strip", "census", "run --resume"] {
        fail(2, words, &[&sweep], &["folder of a sweep", &figures]);
    }
    fail(2, "figures", &[folder.path()], &["holds no results.csv"]);
}

#[test]
fn what_is_neither_is_answered_with_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    for words in [
        "inspect",
        "census",
        "selfrep --checkpoint",
        "jit show --checkpoint",
        "run --load",
    ] {
        let hints = ["not a run folder", "no checkpoints", "`"];
        fail(2, words, &[folder.path()], &hints);
        fail(
            2,
            words,
            &[&folder.path().join("none")],
            &["none", "check the path"],
        );
    }
    fail(
        2,
        "census --epoch 10",
        &[&run],
        &["--epoch 10", "17, 13, 9, 5, 1"],
    );
    let at_9 = checkpoint(&run, 9);
    fail(2, "census --epoch 9", &[&at_9], &["--epoch 9", "is a file"]);
    fail(2, "census --lang bff", &[&run], &["--lang", "leave it out"]);
    std::fs::remove_dir_all(run.join("checkpoints")).unwrap();
    std::fs::create_dir(run.join("checkpoints")).unwrap();
    for words in ["inspect", "census", "selfrep --checkpoint", "run --load"] {
        fail(2, words, &[&run], &["no checkpoint yet", "wait for"]);
    }
}

/// Of a checkpoint that is broken, the one before is shown, and that is said.
#[test]
fn a_broken_checkpoint_is_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path());
    std::fs::write(checkpoint(&run, 17), "nonsense").unwrap();
    let (stdout, stderr) = said("census --top 1", &[&run]);
    assert!(stdout.contains("after 13 epochs"), "{stdout}");
    assert!(
        stderr.contains("skipped: ") && stderr.contains("0000000017.dat"),
        "{stderr}"
    );
    let (_, stderr) = said("census --top 1 --quiet", &[&run]);
    assert_eq!(stderr, "");
    fail(2, "census --epoch 17", &[&run], &["0000000017.dat"]);
}

/// Ends a run with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run may be looked at while another process writes to its folder.
#[test]
fn a_run_that_is_going_on_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("going on");
    let flags = "run --num 512 --seed 3 --threads 1 --quiet --log-interval 2 --eval-selfrep \
                 --checkpoint-interval 2 --keep 2 --max-epochs 1000000 --out";
    let child = broth()
        .args(flags.split_whitespace())
        .arg(&run)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let begun = Instant::now();
    while !checkpoint(&run, 5).exists() {
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..3 {
        for words in [
            "inspect --quiet",
            "census --quiet --top 1",
            "selfrep --quiet --checkpoint",
            "picture",
            "plot",
            "jit show --epochs 1",
            "search --quiet --max-programs 1 --from",
            "show-interaction --quiet --epoch 2 --pair 0",
            "ancestry --quiet --program 1 --epoch 4",
            "strip --quiet --to 4",
            "events --quiet --from 3 --to 4",
            "film --quiet --to 4",
        ] {
            said(words, &[&run]);
        }
    }
    fail(2, "run --resume", &[&run], &["in use", "already running"]);
    assert!(running.0.try_wait().unwrap().is_none(), "the run ended");
}
