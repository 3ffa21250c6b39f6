//! What a newcomer trips over: the edges of the command line, each with a test by name.

mod docs;
mod flags;
mod folders;
mod json;
mod messages;
mod numbers;
#[cfg(target_os = "linux")]
mod screen;

use std::path::Path;

use crate::common::broth_with;

/// What a command that must succeed writes to standard output and to standard error.
fn said(words: &str, arguments: &[&Path]) -> (String, String) {
    let output = broth_with(words, arguments);
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "broth {words}: {stderr}");
    (stdout, stderr)
}

/// A small run in a new folder with this name, and where it is.
fn small_run(parent: &Path, name: &str, flags: &str) -> std::path::PathBuf {
    let out = parent.join(name);
    let words = format!("run --quiet --num 64 --seed 3 --log-interval 4 {flags} --out");
    said(&words, &[&out]);
    out
}
