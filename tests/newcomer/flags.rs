//! Flags that did not do what they say, and what they need.

use std::path::Path;

use super::{said, small_run};
use crate::common::{fail, read_text};

/// With no pair of programs that may meet, a run would go through epochs without one interaction.
#[test]
fn an_empty_interaction_pattern_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("pattern.txt");
    let out = folder.path().join("out");
    for text in ["", "\n", " \n\t\n"] {
        std::fs::write(&pattern, text).unwrap();
        let arguments: [&Path; 3] = [&pattern, "--out".as_ref(), &out];
        let hints = ["pattern.txt", "lists no pair", "`a b`"];
        fail(2, "run --num 64 --interaction-pattern", &arguments, &hints);
        assert!(!out.exists());
    }
}

/// What a settings file or a sidecar has on, a flag turns off.
#[test]
fn switches_can_be_turned_off() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--max-epochs 2 --grid 8x8 --torus --zero-init --eval-selfrep";
    let out = small_run(folder.path(), "on", flags);
    let off = folder.path().join("off");
    let words = "run --quiet --torus=false --zero-init=false --eval-selfrep=false \
                 --no-closed-forms=false --settings";
    said(words, &[&out, "--out".as_ref(), &off]);
    let settings = read_text(off.join("settings.toml"));
    assert!(settings.contains("grid = \"8x8\""), "{settings}");
    for key in ["torus", "zero-init", "eval-selfrep", "no-closed-forms"] {
        assert!(!settings.contains(key), "{settings}");
    }
    // A switch that is off leaves the grid of the sidecar as it is.
    let checkpoint = out.join("checkpoints/0000000002.dat");
    let loaded = folder.path().join("loaded");
    let words = "run --quiet --fixed-shuffle=false --torus=false --override-settings --max-epochs 3 \
                 --load";
    said(words, &[&checkpoint, "--out".as_ref(), &loaded]);
    let settings = read_text(loaded.join("settings.toml"));
    assert!(settings.contains("grid = \"8x8\""), "{settings}");
    assert!(!settings.contains("torus"), "{settings}");
    fail(2, "run --torus=maybe", &[], &["--torus", "maybe"]);
}

/// The command that is suggested works.
#[test]
fn counting_replicators_from_now_on_takes_a_new_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = small_run(folder.path(), "plain run", "--max-epochs 2");
    let words = "run --stopping-selfrep-count 3 --resume";
    let suggested = format!(
        "run --load '{}' --eval-selfrep --stopping-selfrep-count 3",
        out.display()
    );
    fail(2, words, &[&out], &["not counted", &suggested]);
    let new = folder.path().join("new");
    let words = "run --quiet --eval-selfrep --stopping-selfrep-count 3 --max-epochs 3 --load";
    said(words, &[&out, "--out".as_ref(), &new]);
    assert!(new.join("checkpoints/0000000003.dat").exists());
}

/// `nohup` starts programs that ignore hang-ups: the end of a session is not a request to end.
#[cfg(unix)]
#[test]
fn a_run_under_nohup_survives_a_hang_up() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = Command::new("sh")
        .args([
            "-c",
            "trap '' HUP; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_broth"),
        ])
        .args("run --num 4096 --threads 1 --engine reference --seed 5 --log-interval 1".split(' '))
        .args(["--max-epochs", "1000000", "--out"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let rows = || {
        read_text_or_nothing(&out.join("metrics.csv"))
            .lines()
            .count()
    };
    let wait_for = |least: usize| {
        let begun = Instant::now();
        while rows() < least {
            assert!(begun.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let signal = |name: &str| {
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    };
    wait_for(3);
    signal("-HUP");
    wait_for(rows() + 5);
    signal("-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[cfg(unix)]
fn read_text_or_nothing(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
