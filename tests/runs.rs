//! Whole runs, as a user starts, stops, kills and resumes them.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::common::{broth, data, fail, read, read_text, sha256, succeed};

/// A soup in which a replicator spreads at once, so that measures move.
const LIVELY: &str = "run --num 256 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                      --log-interval 8 --checkpoint-interval 32 --reset-interval 96";

fn checkpoint(run: &Path, epochs: u64) -> PathBuf {
    run.join(format!("checkpoints/{epochs:010}.dat"))
}

#[test]
fn threads_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<_> = [1, 2, 7]
        .map(|threads| {
            let out = folder.path().join(threads.to_string());
            succeed(
                &format!("{LIVELY} --max-epochs 150 --quiet --threads {threads} --out"),
                &[&out],
            );
            out
        })
        .into();
    for file in [
        "metrics.csv",
        "checkpoints/0000000129.dat",
        "checkpoints/0000000150.dat",
    ] {
        let first = read(runs[0].join(file));
        assert!(
            runs[1..].iter().all(|run| read(run.join(file)) == first),
            "{file}"
        );
    }
}

#[test]
fn a_run_leaves_all_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let (out, log) = (folder.path().join("run"), folder.path().join("log.csv"));
    let output = succeed(
        &format!("{LIVELY} --max-epochs 70 --log"),
        &[&log, "--out".as_ref(), &out],
    );
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(screen.contains("finished after 70 epochs"), "{screen}");
    assert!(screen.contains("soup-0000000070.png"), "{screen}");
    let epochs = |path: PathBuf| -> Vec<String> {
        read_text(path)
            .lines()
            .map(|line| line.split(',').next().unwrap().to_string())
            .collect()
    };
    let expected = ["epoch", "1", "9", "17", "25", "33", "41", "49", "57", "65"];
    for path in [out.join("metrics.csv"), out.join("performance.csv"), log] {
        assert_eq!(epochs(path), expected);
    }
    for epochs in [1, 33, 65, 70] {
        assert_eq!(read(checkpoint(&out, epochs)).len(), 24 + 256 * 64);
    }
    assert!(read(out.join("soup-0000000070.png")).starts_with(b"\x89PNG"));
    let settings = read_text(out.join("settings.toml"));
    for line in [
        concat!("broth-version = \"", env!("CARGO_PKG_VERSION"), "\""),
        "seed = 561",
        "num = 256",
        "reset-interval = 96",
        "initial-program = \"[[{.>]-]]-]>.{[[\"",
    ] {
        assert!(settings.contains(line), "{line} not in {settings}");
    }
}

#[test]
fn folders_are_numbered_on() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let status = broth()
            .current_dir(folder.path())
            .args([
                "run",
                "--num=2",
                "--max-epochs=1",
                "--quiet",
                "--lang=forth",
            ])
            .status();
        assert!(status.unwrap().success());
    }
    assert!(
        folder
            .path()
            .join("runs/forth-seed-0/settings.toml")
            .exists()
    );
    assert!(
        folder
            .path()
            .join("runs/forth-seed-0-2/settings.toml")
            .exists()
    );
}

#[test]
fn a_drawn_seed_repeats_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1"), folder.path().join("2"));
    let flags = "--num 64 --max-epochs 20 --quiet --out";
    succeed(&format!("run --seed random {flags}"), &[&first]);
    let settings = read_text(first.join("settings.toml"));
    let seed = settings
        .lines()
        .find_map(|line| line.strip_prefix("seed = "))
        .unwrap();
    succeed(
        &format!("run --seed {} {flags}", seed.trim_matches('"')),
        &[&second],
    );
    assert_eq!(read(checkpoint(&first, 20)), read(checkpoint(&second, 20)));
}

#[test]
fn stop_rules_end_with_the_soup_that_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    let flags = "run --num 1024 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                 --log-interval 8 --checkpoint-interval 8 --max-epochs 200 --quiet";
    succeed(&format!("{flags} --out"), &[&whole]);
    succeed(
        &format!("{flags} --stop-high-order-entropy 2 --out"),
        &[&stopped],
    );
    let metrics = read_text(whole.join("metrics.csv"));
    let mut rows = metrics.lines().skip(1).map(|line| -> (u64, f64, f64) {
        let columns: Vec<_> = line.split(',').collect();
        let number = |i: usize| columns[i].parse::<f64>().unwrap();
        (number(0) as u64, number(3), number(4))
    });
    let (epoch, bpb, _) = rows.find(|(_, _, entropy)| *entropy > 2.0).unwrap();
    assert!(epoch > 1 && epoch < 200);
    assert_eq!(
        read(checkpoint(&stopped, epoch)),
        read(checkpoint(&whole, epoch))
    );
    assert!(!checkpoint(&stopped, epoch + 8).exists());
    let rows_until = |path: &Path| read_text(path).lines().count() as u64;
    assert_eq!(rows_until(&stopped.join("metrics.csv")), 2 + epoch / 8);

    // The other rule, at the same place; and a stopped run stays stopped.
    let compressed = folder.path().join("compressed");
    let limit = bpb + 1e-6;
    succeed(
        &format!("{flags} --stopping-bpb {limit} --out"),
        &[&compressed],
    );
    assert_eq!(
        read(checkpoint(&compressed, epoch)),
        read(checkpoint(&whole, epoch))
    );
    for _ in 0..2 {
        let output = succeed("run --resume", &[&stopped]);
        let screen = String::from_utf8(output.stdout).unwrap();
        assert!(screen.contains(&format!(
            "stopped, entropy is high enough after {epoch} epochs"
        )));
    }
}

fn start(words: &str, out: &Path) -> Child {
    broth()
        .args(words.split_whitespace())
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Wait until there is something to resume.
fn wait_for(path: &Path) {
    for _ in 0..2000 {
        if path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{} never came", path.display());
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// What a run must have in common with one that was never disturbed.
fn assert_same_run(disturbed: &Path, undisturbed: &Path, last: u64) {
    for file in ["metrics.csv", "log.csv"] {
        assert_eq!(
            read_text(disturbed.join(file)),
            read_text(undisturbed.join(file)),
            "{file}"
        );
    }
    assert_eq!(
        read(checkpoint(disturbed, last)),
        read(checkpoint(undisturbed, last))
    );
}

fn run_with_log(folder: &Path, name: &str, epochs: u64) -> (String, PathBuf) {
    let out = folder.join(name);
    // The log lies in the run folder, which does not exist yet: a link to it.
    let flags = format!(
        "{LIVELY} --max-epochs {epochs} --quiet --log {} --out",
        folder.join(format!("{name}.log.csv")).display()
    );
    (flags, out)
}

fn take_log_in(folder: &Path, name: &str) {
    let from = folder.join(format!("{name}.log.csv"));
    std::fs::copy(from, folder.join(name).join("log.csv")).unwrap();
}

#[test]
fn ctrl_c_leaves_a_checkpoint_and_130() {
    const LAST: u64 = 3000;
    let folder = tempfile::tempdir().unwrap();
    let (flags, whole) = run_with_log(folder.path(), "whole", LAST);
    succeed(&flags, &[&whole]);
    take_log_in(folder.path(), "whole");
    let (flags, out) = run_with_log(folder.path(), "interrupted", LAST);
    let mut child = start(&flags, &out);
    wait_for(&checkpoint(&out, 1));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let newest = std::fs::read_dir(out.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".dat"))
        .max()
        .unwrap();
    let done: u64 = newest.trim_end_matches(".dat").parse().unwrap();
    assert!(done < LAST, "the run was over too soon for this test");
    assert!(out.join(format!("soup-{done:010}.png")).exists());
    succeed("run --quiet --resume", &[&out]);
    take_log_in(folder.path(), "interrupted");
    assert_same_run(&out, &whole, LAST);
}

#[test]
fn a_resumed_run_may_go_further() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, whole) = run_with_log(folder.path(), "whole", 200);
    succeed(&flags, &[&whole]);
    take_log_in(folder.path(), "whole");
    let (flags, out) = run_with_log(folder.path(), "short", 97);
    succeed(&flags, &[&out]);
    succeed(
        "run --quiet --max-epochs 200 --engine reference --threads 1 --resume",
        &[&out],
    );
    take_log_in(folder.path(), "short");
    assert_same_run(&out, &whole, 200);
    assert!(read_text(out.join("settings.toml")).contains("max-epochs = 200"));
    fail(
        2,
        "run --max-epochs 199 --resume",
        &[&out],
        &["200 epochs done already"],
    );
}

#[test]
fn a_broken_newest_checkpoint_is_passed_over_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, out) = run_with_log(folder.path(), "run", 97);
    succeed(&flags, &[&out]);
    let whole = read(checkpoint(&out, 97));
    std::fs::write(checkpoint(&out, 97), &whole[..5000]).unwrap();
    std::fs::copy(checkpoint(&out, 33), checkpoint(&out, 90)).unwrap();
    let output = succeed("run --resume", &[&out]);
    let screen = String::from_utf8(output.stderr).unwrap();
    for hint in [
        "0000000097.dat",
        "cut short",
        "0000000090.dat",
        "renamed",
        "from epoch 65",
    ] {
        assert!(screen.contains(hint), "{hint} not in {screen}");
    }
    assert_eq!(read(checkpoint(&out, 97)), whole);
}

/// A checkpoint whose sidecar is missing, or says something else, is not trusted.
#[test]
fn a_checkpoint_that_its_sidecar_does_not_know_is_passed_over_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, out) = run_with_log(folder.path(), "run", 97);
    succeed(&flags, &[&out]);
    let sidecar = |epochs| checkpoint(&out, epochs).with_extension("toml");
    let whole: Vec<_> = [97, 65, 33, 1]
        .map(|epochs| read(checkpoint(&out, epochs)))
        .into();
    // One bit of one program; none; of another seed; not a sidecar.
    let mut flipped = whole[0].clone();
    flipped[24 + 1000] ^= 4;
    std::fs::write(checkpoint(&out, 97), &flipped).unwrap();
    std::fs::remove_file(sidecar(65)).unwrap();
    let text = read_text(sidecar(33));
    assert!(text.contains("\nseed = 561\n"), "{text}");
    std::fs::write(sidecar(33), text.replace("\nseed = 561\n", "\nseed = 7\n")).unwrap();
    std::fs::write(sidecar(1), "sha-256 = 1").unwrap();
    let output = succeed("run --resume", &[&out]);
    let screen = String::from_utf8(output.stderr).unwrap();
    for hint in [
        "0000000097.dat is not what was written",
        "0000000065.dat has no sidecar 0000000065.toml",
        "0000000033.dat is of another soup: its sidecar 0000000033.toml has seed = 7, this run has 561",
        "0000000001.toml is not a sidecar",
    ] {
        assert!(screen.contains(hint), "{hint} not in {screen}");
    }
    // From the first epoch on, all of them are made good.
    for (epochs, whole) in [97, 65, 33, 1].into_iter().zip(&whole) {
        assert!(read(checkpoint(&out, epochs)) == *whole, "{epochs}");
    }
    let output = succeed("run --resume", &[&out]);
    let screen = String::from_utf8(output.stderr).unwrap();
    assert!(!screen.contains("skipped"), "{screen}");
}

/// The sidecar's SHA-256 is that of the file, as any other tool finds it.
#[test]
fn a_sidecar_has_the_sha_256_of_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, out) = run_with_log(folder.path(), "run", 1);
    succeed(&flags, &[&out]);
    let digits = sha256(&read(checkpoint(&out, 1)));
    let text = read_text(checkpoint(&out, 1).with_extension("toml"));
    assert!(
        text.contains(&format!("sha-256 = \"{digits}\"\n")),
        "{text}"
    );
}

#[test]
fn only_the_newest_checkpoints_are_kept() {
    let names = |out: &Path| {
        let entries = std::fs::read_dir(out.join("checkpoints")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --num 64 --max-epochs 100 --checkpoint-interval 10 --keep 2 --quiet --out",
        &[&out],
    );
    let two = [
        "0000000091.dat",
        "0000000091.toml",
        "0000000100.dat",
        "0000000100.toml",
    ];
    assert_eq!(names(&out), two);
    // Fewer from now on, and whoever resumes later need not say so again.
    let whole = read(checkpoint(&out, 100));
    std::fs::write(checkpoint(&out, 100), &whole[..1000]).unwrap();
    succeed("run --quiet --max-epochs 105 --keep 1 --resume", &[&out]);
    assert_eq!(names(&out), ["0000000105.dat", "0000000105.toml"]);
    succeed("run --quiet --max-epochs 131 --resume", &[&out]);
    assert_eq!(names(&out), ["0000000131.dat", "0000000131.toml"]);
    // Killed while one was removed, at the end of all epochs: no other comes that removes it.
    let sidecar = |epochs| checkpoint(&out, epochs).with_extension("toml");
    std::fs::copy(sidecar(131), sidecar(121)).unwrap();
    succeed("run --quiet --resume", &[&out]);
    assert_eq!(names(&out), ["0000000131.dat", "0000000131.toml"]);
    fail(
        2,
        "run --keep 0 --out",
        &[&folder.path().join("x")],
        &["--keep", "1"],
    );
}

/// One that lies off the interval, so that no later epoch writes it again.
#[test]
fn a_broken_last_checkpoint_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --num 64 --max-epochs 100 --checkpoint-interval 50 --quiet --out",
        &[&out],
    );
    let whole = read(checkpoint(&out, 100));
    std::fs::write(checkpoint(&out, 100), &whole[..1000]).unwrap();
    succeed("run --quiet --resume", &[&out]);
    assert_eq!(read(checkpoint(&out, 100)), whole);
}

/// The start of a loaded run is known however the folder is called.
#[test]
fn a_loaded_run_resumes_by_any_path() {
    let folder = tempfile::tempdir().unwrap();
    let load = data("cubff-513.dat");
    let run = |words: &str, arguments: &[&Path]| {
        let status = broth()
            .current_dir(folder.path())
            .args(words.split_whitespace())
            .args(arguments)
            .status();
        assert!(status.unwrap().success());
    };
    let out = folder.path().join("run");
    run(
        "run --lang bff_noheads --seed 11 --reset-interval 128 --max-epochs 600 --quiet \
         --checkpoint-interval 100000 --checkpoint-dir run/cp --load",
        &[&load, "--out".as_ref(), &out],
    );
    let whole = read(out.join("cp/0000000600.dat"));
    std::fs::remove_file(out.join("cp/0000000600.dat")).unwrap();
    run("run --quiet --resume run", &[]);
    assert_eq!(read(out.join("cp/0000000600.dat")), whole);
}

#[test]
fn a_loaded_run_can_be_resumed_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    let flags = "run --lang bff_noheads --seed 11 --reset-interval 128 --max-epochs 600 --quiet \
                 --checkpoint-interval 100000 --load tests/data/cubff-513.dat --out";
    succeed(flags, &[&whole]);
    succeed(flags, &[&out]);
    // As if it had been killed before its first checkpoint.
    std::fs::remove_file(checkpoint(&out, 600)).unwrap();
    succeed("run --quiet --resume", &[&out]);
    assert_eq!(read(checkpoint(&out, 600)), read(checkpoint(&whole, 600)));
    std::fs::remove_dir_all(out.join("checkpoints")).unwrap();
    fail(2, "run --resume", &[&out], &["has no checkpoint"]);
}

#[test]
fn grids_are_the_patterns_that_list_their_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height, radius) in [(12, 10, 2), (120, 1, 3)] {
        let grid = broth::soup::meeting::Grid {
            width,
            height,
            radius,
            torus: false,
        };
        let lines: String = (0..width * height)
            .flat_map(|program| {
                grid.neighbours(program)
                    .map(move |n| format!("{program} {n}\n"))
            })
            .collect();
        let pattern = folder.path().join(format!("{width}.txt"));
        std::fs::write(&pattern, lines).unwrap();
        let (a, b) = (
            folder.path().join(format!("{width}-grid")),
            folder.path().join(format!("{width}-pattern")),
        );
        let flags = "run --seed 4 --max-epochs 40 --quiet";
        succeed(
            &format!("{flags} --grid {width}x{height} --radius {radius} --out"),
            &[&a],
        );
        succeed(
            &format!("{flags} --num 120 --interaction-pattern"),
            &[&pattern, "--out".as_ref(), &b],
        );
        assert_eq!(read(checkpoint(&a, 40)), read(checkpoint(&b, 40)));
        for run in [&a, &b] {
            std::fs::remove_file(checkpoint(run, 40)).unwrap();
            succeed("run --quiet --resume", &[run]);
        }
        assert_eq!(read(checkpoint(&a, 40)), read(checkpoint(&b, 40)));
    }
}

/// Three worlds known from outside; with the default settings they take
/// minutes.
#[test]
#[ignore = "takes minutes"]
fn three_worlds_come_alive_when_they_should() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, epoch) in [(29, 945), (38, 913), (54, 977)] {
        let out = folder.path().join(seed.to_string());
        let output = succeed(
            &format!("run --seed {seed} --log-interval 16 --stop-high-order-entropy 3 --out"),
            &[&out],
        );
        let screen = String::from_utf8(output.stdout).unwrap();
        assert!(
            screen.contains(&format!("alive       at epoch {epoch};")),
            "{screen}"
        );
        assert!(checkpoint(&out, epoch).exists());
    }
}
