//! The small subcommands: exec, languages, inspect.

use std::path::Path;

use crate::common::{data, succeed};
use broth::language::Language;

fn lines(words: &str, arguments: &[&Path]) -> Vec<String> {
    let output = succeed(words, arguments).stdout;
    let text = String::from_utf8(output).unwrap();
    assert!(!text.contains('\x1b'), "colours where there is no terminal");
    text.lines().map(String::from).collect()
}

#[test]
fn exec_shows_the_tape_before_and_after() {
    let out = lines("exec --lang bff_noheads", &["+>-".as_ref()]);
    assert_eq!(out.len(), 9);
    assert!(out[0].starts_with("before left   +>-000000"), "{}", out[0]);
    assert!(out[2].contains("left   2b3e2d000000"), "{}", out[2]);
    assert!(out[6].contains("left   2c3d2d000000"), "{}", out[6]);
    assert!(out[8].contains("ended because its program counter left the tape"));
}

#[test]
fn exec_reads_text_hex_and_files_alike() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tape");
    std::fs::write(&file, b"+>-<").unwrap();
    let text = lines("exec --lang bff_noheads +>-<", &[]);
    assert_eq!(lines("exec --hex 2b3e2d3c", &[]), text);
    assert_eq!(lines("exec --file", &[&file]), text);
    assert_eq!(lines("exec", &["\\x2b>-\\x3C".as_ref()]), text);
}

#[test]
fn trace_has_a_line_for_each_step() {
    let out = lines("exec --lang bff_noheads --trace --max-steps 5 ++>", &[]);
    assert_eq!(out.len(), 9 + 5);
    assert!(
        out[7].trim_start().starts_with("4  pc   3  a   1  b   0"),
        "{}",
        out[7]
    );
    assert!(out.last().unwrap().contains("ops 3, steps 5"));
    assert!(out.last().unwrap().contains("step limit"));

    let out = lines("exec --lang forth --trace 414204", &[]);
    assert!(out[6].ends_with("stack 01 02"), "{}", out[6]);
    assert!(out[7].ends_with("stack 01 02 02"), "{}", out[7]);

    let out = lines("exec --lang rsubleq4 --trace --max-steps 1 0405060700", &[]);
    assert!(out[4].contains("pc   0  a   4  b   5  c   6"), "{}", out[4]);

    // What a CPU is about to do, and its registers before.
    let out = lines("exec --lang z80 --trace --max-steps 3 11D511D5", &[]);
    assert_eq!(out.len(), 9 + 3);
    assert!(
        out[5].contains("pc   3  a  63") && out[5].contains("  PUSH DE  "),
        "{}",
        out[5]
    );
    let registers = "AF FFFF BC 0000 DE 11D5 HL 0000 SP 00FD";
    assert!(
        out[6].contains("D51100  NOP  ") && out[6].ends_with(registers),
        "{}",
        out[6]
    );
    assert!(out[11].contains("ops 3, steps 3"), "{}", out[11]);
    let out = lines("exec --lang i8080 --trace 01C5C576", &[]);
    assert!(out[5].contains("  HLT  ") && out[5].contains("BC C5C5"));
    assert!(out.last().unwrap().ends_with("HALT"));
}

#[test]
fn every_way_to_end_is_told() {
    for (words, why) in [
        ("exec 0", "left the tape"),
        ("exec <[", "a bracket had no partner"),
        ("exec +]", "a bracket had no partner"),
        ("exec +[]", "step limit"),
        ("exec --lang forth 40C0", "stack overflowed"),
        ("exec --lang forth FF", "left the tape"),
    ] {
        let out = lines(words, &[]);
        assert!(out.last().unwrap().contains(why), "{words}: {out:?}");
    }
}

#[test]
fn languages_are_listed() {
    let out = lines("languages", &[]);
    assert_eq!(out.len(), Language::every().count());
    assert!(out.iter().all(|line| line.split_whitespace().count() > 4));
}

#[test]
fn inspect_tells_what_a_checkpoint_holds() {
    let out = lines("inspect --lang bff_noheads", &[&data("cubff-513.dat")]).join("\n");
    for hint in [
        "513",
        "64 (",
        "number 5",
        "high-order entropy",
        "commonest programs",
    ] {
        assert!(out.contains(hint), "{hint} not in {out}");
    }
    assert!(
        lines("inspect", &[&data("cubff-513.dat")])
            .join("\n")
            .contains("513")
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let command = format!(
        "{} exec --trace '+[]' | head -n 1; test ${{PIPESTATUS[0]}} -eq 0",
        env!("CARGO_BIN_EXE_broth")
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &command])
        .status();
    assert!(status.unwrap().success());
}
