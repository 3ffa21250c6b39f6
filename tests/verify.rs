//! `broth verify`: what it tries, what it finds, and what it makes of that.

use std::ops::ControlFlow;
use std::path::Path;

use broth::engine::Engine;
use broth::language::{Ended, Language, Outcome, Tape};
use broth::verify::{Difference, Limit, Plan, Source, Summary, replay, verify};

use crate::common::{fail, read_text, succeed};

fn plan(languages: &[&str], sources: &[Source], interactions: u64) -> Plan {
    let languages = languages.iter().map(|name| name.parse().unwrap());
    Plan {
        seed: 7,
        threads: 2,
        languages: languages.collect(),
        engines: vec![Engine::Interpreter, Engine::Jit, Engine::Auto],
        sources: sources.to_vec(),
        limit: Limit::Interactions(interactions),
        fault: None,
    }
}

fn run(plan: &Plan) -> Summary {
    verify(plan, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn what_is_tried_depends_on_the_seed_alone() {
    let counts = |threads, seed| {
        let plan = Plan {
            threads,
            seed,
            ..plan(&["bff_noheads", "forth"], &Source::ALL, 200_000)
        };
        let summary = run(&plan);
        assert!(summary.difference.is_none(), "{:?}", summary.differences);
        assert!(summary.interactions() >= 200_000);
        let all = summary.counts.into_iter();
        all.map(|it| {
            (
                it.language,
                it.source,
                it.units,
                it.interactions,
                it.steps,
                it.comparisons,
            )
        })
        .collect::<Vec<_>>()
    };
    let first = counts(1, 1);
    assert_eq!(first, counts(3, 1));
    assert_ne!(first, counts(3, 2));
    assert!(first.len() >= 5, "{first:?}");
}

/// Wrong where `[-]` stands on the tape and 20 steps are done.
fn miscounts(before: &Tape, _: u32, _: &mut Tape, outcome: &mut Outcome) {
    if before.windows(3).any(|bytes| bytes == b"[-]") && outcome.steps >= 20 {
        outcome.ops += 1;
    }
}

/// Wrong where the byte 11 places in is a `+`, whatever is done.
fn spoils(before: &Tape, _: u32, after: &mut Tape, _: &mut Outcome) {
    if before[11] == b'+' {
        after[99] ^= 1;
    }
}

/// Wrong in the one way to end that a step too many makes of another.
fn ends_late(_: &Tape, max_steps: u32, _: &mut Tape, outcome: &mut Outcome) {
    if outcome.ended == Ended::UnmatchedBracket && outcome.steps == max_steps && max_steps > 3 {
        outcome.ended = Ended::StepLimit;
    }
}

#[test]
fn faults_are_found_and_made_small() {
    for (source, fault, bytes, steps) in [
        (Source::Grown, miscounts as broth::verify::Fault, 3, 20),
        (Source::Random, spoils, 1, 0),
        (Source::Grown, ends_late, 1, 20),
    ] {
        let plan = Plan {
            fault: Some(fault),
            ..plan(&["bff_noheads"], &[source], 2_000_000)
        };
        let summary = run(&plan);
        let difference = summary.difference.expect("the fault is found");
        let text = difference.text();
        let case = difference.case.expect("a tape shows it");
        assert!(case.bytes_that_matter() <= bytes, "{text}");
        assert!(case.max_steps <= steps, "{text}");
        assert!(case.is_alone() && text.contains("reference "), "{text}");
        // Every thread finds the same.
        let again = run(&Plan { threads: 3, ..plan });
        assert_eq!(again.difference.unwrap().case, Some(case));
    }
}

#[test]
fn differences_are_written_and_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("difference.toml");
    let plan = Plan {
        fault: Some(miscounts),
        ..plan(&["bff_noheads"], &[Source::Grown], 2_000_000)
    };
    let difference = run(&plan).difference.unwrap();
    difference
        .write(&path, "A difference.\nWhat it is.")
        .unwrap();
    let (_, case) = Difference::read(&path).unwrap();
    assert_eq!(case, difference.case);
    assert!(
        difference
            .write(&path, "A difference.\nWhat it is.")
            .is_err(),
        "it replaces nothing"
    );
    let again = replay(&path, Some(miscounts)).unwrap().unwrap();
    assert_eq!(again.text(), difference.text());
    assert!(replay(&path, None).unwrap().is_none());
    let output = succeed("verify --replay", &[&path]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("no difference"));
}

#[test]
fn broken_files_of_differences_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("difference.toml");
    let plan = Plan {
        fault: Some(spoils),
        ..plan(&["bff_noheads"], &[Source::Random], 2_000_000)
    };
    run(&plan)
        .difference
        .unwrap()
        .write(&path, "A difference.\nWhat it is.")
        .unwrap();
    let text = read_text(&path);
    for (from, to, hint) in [
        ("bff_noheads\"", "bff_nohead\"", "did you mean"),
        ("which = 0", "which = 9", "number 9 differs"),
        ("max-steps", "min-steps", "not what broth verify writes"),
        ("sample = 16", "sample = 0", "sample is not 0"),
        ("seed = \"7\"", "seed = \"x\"", "no seed"),
        ("engine = \"inter", "engine = \"infer", "unknown engine"),
    ] {
        assert!(text.contains(from), "no {from} in {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        fail(2, "verify --replay", &[&path], &["difference.toml", hint]);
    }
    let (before, tapes) = text.split_once("tapes = [").unwrap();
    let longer = format!("{before}tapes = [{}", tapes.replacen('"', "\"00", 1));
    std::fs::write(&path, longer).unwrap();
    fail(2, "verify --replay", &[&path], &["129 bytes"]);
    fail(
        2,
        "verify --replay",
        &[Path::new("/nowhere")],
        &["/nowhere"],
    );
}

#[test]
fn the_command_shows_and_writes_what_was_compared() {
    let folder = tempfile::tempdir().unwrap();
    let [json, page] = ["v.json", "v.md"].map(|name| folder.path().join(name));
    let output = succeed(
        "verify --lang bff_noheads,z80 --from grown --interactions 1000 --json",
        &[&json, Path::new("--report"), &page],
    );
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for hint in [
        "no difference in ",
        "seed 0",
        "not compared: z80: the reference engine is the only one",
        "never: soups",
        "loops, copy, to done",
    ] {
        assert!(shown.contains(hint), "no `{hint}` in {shown}");
    }
    let page = read_text(page);
    for hint in [
        "No engine differed",
        "| bff_noheads | grown |",
        "| machine |",
        "z80",
    ] {
        assert!(page.contains(hint), "no `{hint}` in {page}");
    }
    let command = "verify --lang bff_noheads,z80 --from grown --interactions 1000 --quiet --json";
    let alone = succeed(command, &[]).stdout;
    let alone: serde_json::Value = serde_json::from_slice(&alone).unwrap();
    let json = read_text(json);
    let written: serde_json::Value = serde_json::from_str(&json).unwrap();
    let interactions = |of: &serde_json::Value| of["counts"][0]["interactions"].as_u64();
    assert_eq!(interactions(&alone), interactions(&written));
    assert!(interactions(&alone) >= Some(1000), "{alone}");
    for hint in [
        "\"interactions\"",
        "\"not_compared\"",
        "\"differences\": []",
    ] {
        assert!(json.contains(hint), "no `{hint}` in {json}");
    }
}

#[test]
fn parts_of_the_machine_are_done_without() {
    let words = "verify --lang bff --from random --interactions 1000 \
                 --without avx512,avx2,executable-memory";
    let output = succeed(words, &[]);
    let shown = String::from_utf8_lossy(&output.stdout);
    for hint in [
        "native code: it is not possible",
        "with AVX-512",
        "with AVX2",
    ] {
        assert!(shown.contains(hint), "no `{hint}` in {shown}");
    }
    let entered = shown
        .lines()
        .find(|line| line.starts_with("native programs entered"));
    assert!(entered.unwrap().ends_with(" 0"), "{shown}");
    let tape = "exec --without avx512,avx2 --engine interpreter +>+";
    succeed(tape, &[]);
}

#[test]
fn a_folder_of_checkpoints_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let words = "run --lang bff --num 128 --max-epochs 4 --checkpoint-interval 2 --quiet --out";
    succeed(words, &[&run]);
    let words = "verify --lang all --interactions 2000 --from";
    let output = succeed(words, &[folder.path()]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        shown.contains("no difference") && shown.contains("bff"),
        "{shown}"
    );
    std::fs::remove_dir_all(run).unwrap();
    fail(2, words, &[folder.path()], &["no checkpoint"]);
}

#[test]
fn wrong_requests_are_told_what_and_how() {
    for (words, hint) in [
        ("verify --lang brainf", "unknown language"),
        ("verify --lang z80", "nothing to compare"),
        (
            "verify --engines reference",
            "is what the others are compared with",
        ),
        ("verify --engines fast", "unknown engine"),
        (
            "verify --from /nowhere/at/all",
            "cannot read /nowhere/at/all",
        ),
        ("verify --from src,docs", "one folder"),
        ("verify --minutes 0", "above 0"),
        ("verify --minutes x", "above 0"),
        ("verify --minutes 1 --interactions 5", "cannot be used with"),
        ("verify --interactions 0", "choose 1 or more"),
        ("verify --threads 0", "from 1 to 1,024"),
        ("verify --without sse", "unknown part"),
        ("verify --json Cargo.toml", "exists already"),
        ("verify --report nowhere/page.md", "not there"),
        ("verify --replay x.toml --seed 3", "cannot be used with"),
    ] {
        fail(2, words, &[], &[hint]);
    }
}

#[test]
fn every_language_is_compared_or_named() {
    let output = succeed("verify --interactions 1", &[]);
    let shown = String::from_utf8_lossy(&output.stdout);
    for language in Language::OF_WORLDS {
        assert!(shown.contains(language.name), "{language} in {shown}");
    }
}
