//! What several tests share: running broth as a user does, and comparing files.

pub(crate) mod engines;
#[cfg(target_os = "linux")]
pub(crate) mod guard;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// How much of a draw is tried: all of it where `BROTH_TESTS=all`, or else an eighth, which
/// keeps the everyday tests short.
pub(crate) fn share(all: usize) -> usize {
    if all_of_it() { all } else { all.div_ceil(8) }
}

/// Whether the tests try all that they could draw.
pub(crate) fn all_of_it() -> bool {
    std::env::var_os("BROTH_TESTS").is_some_and(|value| value == "all")
}

/// The program, ready for arguments, working in the package's folder.
pub(crate) fn broth() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broth"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Run broth with words that are split at spaces, then whole arguments.
pub(crate) fn broth_with(words: &str, arguments: &[&Path]) -> Output {
    broth()
        .args(words.split_whitespace())
        .args(arguments)
        .output()
        .expect("broth can be started")
}

/// As [`broth_with`], and it must succeed.
pub(crate) fn succeed(words: &str, arguments: &[&Path]) -> Output {
    let output = broth_with(words, arguments);
    assert!(
        output.status.success(),
        "broth {words} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// As [`broth_with`], and it must fail with this code and one message, free of
/// panics, that holds each of the hints.
pub(crate) fn fail(code: i32, words: &str, arguments: &[&Path], hints: &[&str]) {
    let output = broth_with(words, arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "broth {words}: {message}");
    assert!(!message.contains("panicked"), "broth {words}: {message}");
    for hint in hints {
        assert!(
            message.contains(hint),
            "broth {words}: no `{hint}` in: {message}"
        );
    }
}

/// Run a command that may neither wait for anything nor take much memory; gives its exit
/// code and message, which must be free of panics.
pub(crate) fn bounded(mut command: Command) -> (Option<i32>, String) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let limit = || {
            let limit = libc::rlimit {
                rlim_cur: 2 << 30,
                rlim_max: 2 << 30,
            };
            // SAFETY: a system call that reads the struct it is given.
            match unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec it does one system call and nothing else.
        unsafe { command.pre_exec(limit) };
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    for wrong in ["panicked", "out of memory", "memory allocation"] {
        assert!(!message.contains(wrong), "{command:?}: {message}");
    }
    (output.status.code(), message)
}

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

pub(crate) fn read_text(path: impl AsRef<Path>) -> String {
    String::from_utf8(read(path)).expect("text")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
