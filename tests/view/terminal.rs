//! `broth watch` on a terminal, and where there is none.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{broth, fail, read_text, succeed};

/// What `broth watch` shows on a terminal of this size while `keys` are typed; none where there is
/// no `script`, which makes terminals.
fn watched(path: &Path, size: (u16, u16), keys: &[&str]) -> Option<Output> {
    let program = broth().get_program().to_string_lossy().into_owned();
    let command = format!(
        "stty cols {} rows {}; COLORTERM=truecolor TERM=xterm-256color exec '{program}' watch '{}'",
        size.0,
        size.1,
        path.display()
    );
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    for key in keys {
        sleep(Duration::from_millis(1500));
        stdin.write_all(key.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    Some(output)
}

#[test]
fn a_run_is_watched_in_a_terminal_which_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("my run");
    let words = "run --quiet --num 1024 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                 --log-interval 16 --max-epochs 200 --out";
    succeed(words, &[&run]);
    for (size, keys, code) in [
        ((80, 24), &["c", "+", " ", "q"][..], 0),
        ((40, 24), &["q"], 0),
        ((120, 40), &["\u{3}"], 130),
    ] {
        let Some(output) = watched(&run, size, keys) else {
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        // It enters the other screen, and leaves it.
        for part in ["\u{1b}[?1049h", "\u{1b}[?1049l", "▀", "200"] {
            assert!(text.contains(part), "{size:?}: no {part:?} in {text}");
        }
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.contains("entropy"), "{plain}");
    }
}

/// A terminal may go without a signal, as where SIGHUP is ignored.
#[cfg(target_os = "linux")]
#[test]
fn watching_ends_with_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let [run, pid] = ["run", "pid"].map(|name| folder.path().join(name));
    succeed("run --quiet --num 64 --max-epochs 1 --out", &[&run]);
    let program = broth().get_program().to_string_lossy().into_owned();
    let command = format!(
        "trap '' HUP; echo $$ > '{}'; exec '{program}' watch '{}'",
        pid.display(),
        run.display()
    );
    let started = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut terminal) = started else {
        return;
    };
    let (mut seen, mut part) = (String::new(), [0; 1024]);
    let mut screen = terminal.stdout.take().unwrap();
    while !seen.contains("\u{1b}[?1049h") {
        let length = screen.read(&mut part).unwrap();
        assert!(length > 0, "{seen}");
        seen += &String::from_utf8_lossy(&part[..length]);
    }
    let pid = read_text(pid).trim().to_owned();
    let is_there = || Path::new("/proc").join(&pid).join("exe").exists();
    assert!(is_there());
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    let killed = Instant::now();
    while is_there() {
        if killed.elapsed() > Duration::from_secs(60) {
            let _ = Command::new("kill").args(["-9", &pid]).status();
            panic!("it goes on without its terminal");
        }
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fail(2, "watch", &[folder.path()], &["not a run folder"]);
    let none = folder.path().join("none");
    fail(2, "watch", &[&none], &["none"]);
    fail(2, "watch", &[], &["RUN"]);
    let run = folder.path().join("run");
    succeed("run --quiet --num 64 --max-epochs 1 --out", &[&run]);
    fail(2, "watch", &[&run], &["standard output is no terminal"]);
}
