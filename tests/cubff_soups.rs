//! Small soups of every language and every setting against cubff's bytes.

use crate::common::{all_of_it, data, read, read_text, sha256, succeed};

#[test]
fn soups_are_cubffs_byte_for_byte() {
    check("auto", 1);
}

#[test]
fn soups_of_the_reference_engine_are_cubffs_byte_for_byte() {
    let one_of = if all_of_it() { 1 } else { 8 };
    check("reference", one_of);
}

/// Check one of so many of cubff's soups.
fn check(engine: &str, one_of: usize) {
    let cases = read_text(data("cubff-soups.txt"));
    let cases: Vec<_> = cases
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(cases.len(), 47);
    for case in cases.into_iter().step_by(one_of) {
        let (expected, flags) = case.split_once(' ').unwrap();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        succeed(
            &format!("run {flags} --engine {engine} --max-epochs 257 --quiet --out"),
            &[&out],
        );
        let checkpoint = read(out.join("checkpoints/0000000257.dat"));
        assert_eq!(sha256(&checkpoint), expected, "{engine}, {flags}");
    }
}

/// `--load` goes on as cubff's does, without the reset that was due.
#[test]
fn a_checkpoint_of_cubff_loads_as_in_cubff() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --lang bff_noheads --seed 11 --reset-interval 128 --max-epochs 769 --quiet --load",
        &[&data("cubff-513.dat"), "--out".as_ref(), &out],
    );
    let checkpoint = read(out.join("checkpoints/0000000769.dat"));
    let expected = read_text(data("cubff-769.sha256"));
    assert_eq!(sha256(&checkpoint), expected.trim());
}

/// A resumed run does the reset that was due, as a run that never stopped.
#[test]
fn a_resumed_run_does_the_reset_that_was_due() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --num 64 --seed 11 --reset-interval 128 --max-epochs 513 --quiet --out",
        &[&out],
    );
    let checkpoint = read(out.join("checkpoints/0000000513.dat"));
    assert_eq!(checkpoint, read(data("cubff-513.dat")));
    succeed("run --max-epochs 769 --quiet --resume", &[&out]);
    let checkpoint = read(out.join("checkpoints/0000000769.dat"));
    let expected = read_text(data("cubff-769-unbroken.sha256"));
    assert_eq!(sha256(&checkpoint), expected.trim());
}
