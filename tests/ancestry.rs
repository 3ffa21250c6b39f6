//! Where programs of a run come from: held against the run's own checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{data, fail, read, read_text, share, succeed};
use broth::engine::{Engine, Options, reference};
use broth::language::{Language, PROGRAM_LEN, TAPE_LEN};
use broth::measure::replicators::{Partners, Scorer};
use broth::random::Streams;
use broth::run::replay::PastRun;
use broth::soup::interaction::{Interactions, Which};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_str(&read_text(path)).unwrap()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn bytes(value: &Value) -> Vec<u8> {
    broth::language::parse_hex(value.as_str().unwrap()).unwrap()
}

/// The program of a run's checkpoint.
fn program(run: &Path, epochs_done: usize, index: usize) -> Vec<u8> {
    let soup = read(run.join(format!("checkpoints/{epochs_done:010}.dat")));
    soup[24 + index * PROGRAM_LEN..][..PROGRAM_LEN].to_vec()
}

/// Lines of descent in all sorts of soups: every interaction is one of the run, from both
/// parents to both children, each the parent of the next; whatever the checkpoints are.
#[test]
fn every_interaction_of_a_line_is_one_of_the_run() {
    let replicator = format!("[[{{.>]-]{}]-]>.{{[[", "\\x41".repeat(48));
    let alive = format!("--num 64 --initial-program {replicator}");
    for (flags, index, epoch, begun) in [
        (&*alive, 17, 70, 0),
        ("--lang bff --grid 8x9 --radius 1", 70, 40, 0),
        ("--lang forthtrivial --num 128 --fixed-shuffle", 3, 50, 0),
        ("--lang rsubleq4 --num 32 --no-permute-programs", 31, 33, 0),
        ("--lang bff_perm --num 60 --reset-interval 20", 5, 50, 41),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run = |name: &str| folder.path().join(name);
        let command = format!("run {flags} --seed 7 --mutation-prob 0.002 --quiet --max-epochs 72");
        for (name, interval) in [("all", 1), ("few", 30), ("none", 1000)] {
            let more = format!("{command} --checkpoint-interval {interval} --out");
            succeed(&more, &[&run(name)]);
            let asked = format!("ancestry --quiet --program {index} --epoch {epoch}");
            succeed(&asked, &[&run(name)]);
        }
        let found = json(&run("all").join("ancestry.json"));
        for name in ["few", "none"] {
            assert_eq!(
                json(&run(name).join("ancestry.json")),
                found,
                "{flags} {name}"
            );
            let report = |name: &str| read_text(run(name).join("ancestry.txt"));
            assert_eq!(report(name), report("all"), "{flags} {name}");
        }
        assert_eq!(number(&found["begun"]), begun, "{flags}");
        let line = found["line"].as_array().unwrap();
        assert_eq!(line.len(), epoch - begun, "{flags}");
        let language: &'static Language = found["lang"].as_str().unwrap().parse().unwrap();
        let scorer = Scorer::new(language, Engine::Reference, &Options::default());
        let mut next = index;
        let mut from_partner = 0;
        for (ancestor, epochs_done) in line.iter().zip((0..=epoch).rev()) {
            assert_eq!(number(&ancestor["index"]), next, "{flags} {epochs_done}");
            assert_eq!(number(&ancestor["epochs_done"]), epochs_done, "{flags}");
            let own = program(&run("all"), epochs_done, next);
            assert_eq!(bytes(&ancestor["program"]), own, "{flags} {epochs_done}");
            // As the whole soup is scored at that epoch.
            let num = number(&found["num"]);
            let epoch = epochs_done as u64 - 1;
            let partners = Partners::of(language, &Streams::new(7), num, epoch, next);
            let score = scorer.agreement(&own, &partners).unwrap().score();
            assert_eq!(number(&ancestor["score"]), usize::from(score), "{flags}");
            let interaction = &ancestor["interaction"];
            let mut tape = [0; TAPE_LEN];
            for side in 0..2 {
                let half = side * PROGRAM_LEN..(side + 1) * PROGRAM_LEN;
                let index = number(&interaction["programs"][side]);
                let before = bytes(&interaction["before"][side]);
                // The first soup is in no checkpoint, nor is one that a reset has made.
                if epochs_done > begun + 1 {
                    assert_eq!(before, program(&run("all"), epochs_done - 1, index));
                }
                let after = bytes(&interaction["after"][side]);
                assert_eq!(after, program(&run("all"), epochs_done, index));
                tape[half].copy_from_slice(&before);
            }
            for mutated in interaction["mutations"].as_array().unwrap() {
                let place = number(&mutated["place"]);
                assert_eq!(number(&mutated["from"]), usize::from(tape[place]));
                tape[place] = number(&mutated["to"]) as u8;
            }
            let start = [0, 1].map(|side| bytes(&interaction["start"][side]));
            assert_eq!(start.concat(), tape, "{flags} {epochs_done}");
            if !interaction["steps"].is_null() {
                let outcome = reference::run(language, &mut tape, 8192);
                assert_eq!(number(&interaction["steps"]), outcome.steps as usize);
                let after = [0, 1].map(|side| bytes(&interaction["after"][side]));
                assert_eq!(after.concat(), tape, "{flags} {epochs_done}");
            }
            let sides = ["left", "right"].map(|name| name.to_string());
            let side_of = |key: &str| {
                let name = ancestor[key].as_str().unwrap().to_string();
                sides.iter().position(|side| *side == name).unwrap()
            };
            assert_eq!(number(&interaction["programs"][side_of("side")]), next);
            from_partner += usize::from(side_of("side") != side_of("parent"));
            next = number(&interaction["programs"][side_of("parent")]);
        }
        let is_alive = flags.contains("--initial-program");
        assert!(
            !is_alive || from_partner > 0,
            "{flags}: no copy on the line"
        );
    }
}

/// The first replicator of a soup that comes alive, found by counts that the run wrote down,
/// and by counting them now.
#[test]
fn the_first_replicator_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    let command = "run --lang bff_noheads_4bit --num 2048 --seed 3 --quiet --log-interval 128 \
                   --checkpoint-interval 256 --max-epochs 1400";
    succeed(
        &format!("{command} --eval-selfrep --out"),
        &[&run("counted")],
    );
    succeed(&format!("{command} --out"), &[&run("uncounted")]);
    for name in ["counted", "uncounted"] {
        succeed("ancestry --quiet --first-replicator", &[&run(name)]);
    }
    let found = json(&run("counted").join("ancestry.json"));
    assert_eq!(json(&run("uncounted").join("ancestry.json")), found);
    let seen = &found["first_seen"];
    // The first row with one, in metrics.csv.
    let metrics = read_text(run("counted").join("metrics.csv"));
    let row = metrics
        .lines()
        .skip(1)
        .find(|line| !line.ends_with(",0"))
        .unwrap();
    let cell =
        |line: &str, at: usize| -> usize { line.split(',').nth(at).unwrap().parse().unwrap() };
    assert_eq!(number(&seen["epochs_done"]), cell(row, 0));
    assert_eq!(
        number(&seen["replicators"]),
        cell(row, row.split(',').count() - 1)
    );
    // It scores, and nobody before it on its line does.
    let first = &found["first_replicator"];
    let line = found["line"].as_array().unwrap();
    assert!(number(&first["score"]) >= 48);
    let epochs_done = number(&first["epochs_done"]);
    for ancestor in line {
        let is_before = number(&ancestor["epochs_done"]) < epochs_done;
        assert!(!is_before || number(&ancestor["score"]) < 48);
    }
    assert_eq!(line.len(), number(&seen["epochs_done"]));
    let report = read_text(run("counted").join("ancestry.txt"));
    let pair = number(&first["interaction"]["pair"]);
    assert!(
        report.contains("The first replicator was born in epoch "),
        "{report}"
    );
    assert!(
        report.contains(&format!("pair {pair}")) && !report.contains('\x1b'),
        "{report}"
    );
    assert!(
        report.contains("How it runs") && report.contains("copied"),
        "{report}"
    );
    // The soup from there on until it has turned.
    let is_alive = |line: &&str| line.split(',').nth(4).unwrap().parse::<f32>().unwrap() > 3.0;
    let alive_at = cell(metrics.lines().skip(1).find(is_alive).unwrap(), 0);
    let to = alive_at + (alive_at - epochs_done) / 2;
    let strip = folder.path().join("strip.png");
    let asked = format!("strip --quiet --from {epochs_done} --to {to} --out");
    succeed(&asked, &[&strip, &run("counted")]);
    assert!(read(&strip) == read(run("uncounted").join("ancestry.png")));
    // That interaction alone, by its own command.
    let epoch = number(&first["interaction"]["epoch"]);
    let asked = format!("show-interaction --epoch {epoch} --pair {pair} --trace");
    let shown = succeed(&asked, &[&run("counted")]);
    let shown = String::from_utf8_lossy(&shown.stdout).to_string();
    let text = |side: usize| {
        let after = bytes(&first["interaction"]["after"][side]);
        let language: &Language = "bff_noheads_4bit".parse().unwrap();
        after
            .iter()
            .map(|byte| language.byte_text(*byte))
            .collect::<String>()
    };
    assert!(
        shown.contains(&format!("after    {}  {}", text(0), text(1))),
        "{shown}"
    );
    let steps = number(&first["interaction"]["steps"]);
    assert!(shown.contains(&format!("\n{steps:>5}  pc ")), "{steps}");
}

/// Among the replicators of its log point the first replicator's line is that of the commonest,
/// and of those the one with the lowest index.
#[test]
fn the_commonest_replicator_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (young, run) = (path("young"), path("run"));
    succeed(
        "run --num 512 --seed 5 --quiet --max-epochs 1 --out",
        &[&young],
    );
    // Two sorts of replicators among them, one of them in many places.
    let mut soup = read(young.join("checkpoints/0000000001.dat"));
    for index in 0..40 {
        let filling = if index % 8 == 1 { b'B' } else { b'A' };
        let mut program = [filling; PROGRAM_LEN];
        program[..8].copy_from_slice(b"[[{.>]-]");
        program[56..].copy_from_slice(b"]-]>.{[[");
        soup[24 + 12 * index * PROGRAM_LEN..][..PROGRAM_LEN].copy_from_slice(&program);
    }
    let planted = path("planted.dat");
    std::fs::write(&planted, soup).unwrap();
    let flags = "--eval-selfrep --log-interval 2 --checkpoint-interval 1 --max-epochs 3";
    succeed(
        &format!("run --lang bff_noheads --seed 5 --quiet {flags} --load"),
        &[&planted, Path::new("--out"), &run],
    );
    succeed("ancestry --quiet --first-replicator", &[&run]);
    let seen = &json(&run.join("ancestry.json"))["first_seen"];
    let epochs_done = number(&seen["epochs_done"]);
    let soup = read(run.join(format!("checkpoints/{epochs_done:010}.dat")));
    let language: &Language = "bff_noheads".parse().unwrap();
    let scores = Scorer::new(language, Engine::Auto, &Options::default()).score_soup(
        &soup[24..],
        &Streams::new(5),
        epochs_done as u64,
    );
    let scores = scores.unwrap();
    let mut kinds: BTreeMap<&[u8], (usize, usize)> = BTreeMap::new();
    for (index, program) in soup[24..].chunks(PROGRAM_LEN).enumerate() {
        if scores[index] >= 48 {
            kinds.entry(program).or_insert((0, index)).0 += 1;
        }
    }
    let mut counts: Vec<usize> = kinds.values().map(|(count, _)| *count).collect();
    counts.sort();
    let most = counts[counts.len() - 1];
    assert!(counts.len() > 2 && counts[0] < most, "{counts:?}");
    let commonest = kinds.values().filter(|(count, _)| *count == most);
    let lowest = commonest.map(|(_, index)| *index).min().unwrap();
    assert_eq!(number(&seen["replicators"]), counts.iter().sum::<usize>());
    assert_eq!(number(&seen["alike"]), most);
    assert_eq!(number(&seen["index"]), lowest);
}

#[test]
fn questions_about_no_program_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(
        "run --num 64 --seed 4 --quiet --max-epochs 20 --out",
        &[&run],
    );
    for (words, hints) in [
        (
            "ancestry --first-replicator",
            &["48 or more", "continue the run"][..],
        ),
        (
            "ancestry --program 64 --epoch 5",
            &["--program 64", "0 to 63"],
        ),
        ("ancestry --program 6 --epoch 0", &["--epoch 0", "choose 1"]),
        (
            "ancestry",
            &["--first-replicator", "--program INDEX", "--epoch EPOCHS"],
        ),
        (
            "ancestry --program 1 --epoch 9 --out x.json",
            &["--out x.json", "report.txt"],
        ),
        (
            "ancestry --first-replicator --out x.png",
            &["--out x.png", "report.txt"],
        ),
        (
            "show-interaction --epoch 5 --pair 32",
            &["--pair 32", "0 to 31"],
        ),
        (
            "show-interaction --epoch 5 --program 64",
            &["--program 64", "0 to 63"],
        ),
        ("show-interaction --epoch 5", &["--pair"]),
        ("show-interaction --pair 5", &["--epoch"]),
    ] {
        fail(2, words, &[&run], hints);
    }
    fail(
        2,
        "ancestry --first-replicator",
        &[folder.path()],
        &["not a run folder"],
    );
    let soup = data("cubff-513.dat");
    fail(2, "census --top 0", &[&soup], &["--top", "from 1"]);
    fail(2, "census --lang bff", &[&run], &["--lang", "leave it out"]);
    fail(
        2,
        "census no-such-file",
        &[],
        &["no-such-file", "check the path"],
    );
}

/// The winner's line: replicators down to its birth, whose program grows as its descendants do,
/// counted once more pair by pair.
#[test]
fn the_line_of_the_winner_begins_where_replicators_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(
        "run --lang bff_noheads_4bit --num 2048 --seed 3 --quiet --log-interval 128 \
         --checkpoint-interval 256 --max-epochs 1400 --out",
        &[&run],
    );
    succeed("ancestry --quiet --winner", &[&run]);
    let found = json(&run.join("winner.json"));
    let winner = &found["winner"];
    assert_eq!(number(&winner["epochs_done"]), 1400);
    assert!(number(&winner["count"]) > 1 && number(&winner["score"]) >= 48);
    let line = found["line"].as_array().unwrap();
    let birth = &found["birth"];
    let born = line.iter().position(|it| it == birth).unwrap();
    let is_one = |it: &Value| number(&it["score"]) >= 48;
    assert!(is_one(birth) && !line[born + 1..].iter().any(is_one));
    assert!((1..=65).contains(&(line.len() - born - 1)), "{born}");
    // No more than so many in a row are damaged.
    let damaged = line[..born].chunk_by(|a, b| is_one(a) == is_one(b));
    assert!(
        damaged
            .filter(|run| !is_one(&run[0]))
            .all(|run| run.len() <= 64)
    );
    // As any program's line, from the same program on.
    let index = number(&winner["index"]);
    let asked = format!("ancestry --quiet --program {index} --epoch 1400");
    succeed(&asked, &[&run]);
    let whole = json(&run.join("ancestry.json"));
    assert_eq!(whole["line"].as_array().unwrap()[..line.len()], line[..]);

    let growth = found["growth"].as_array().unwrap();
    let born = number(&birth["epochs_done"]);
    let past = PastRun::open(&run).unwrap();
    let mut interactions = Interactions::new(past.settings()).unwrap();
    let mut members = vec![false; 2048];
    members[number(&birth["index"])] = true;
    for (point, epoch) in growth.iter().zip(born..).take(share(96)) {
        assert_eq!(number(&point["epochs_done"]), epoch);
        let count = members.iter().filter(|member| **member).count();
        assert_eq!(number(&point["members"]), count, "after {epoch} epochs");
        let soup = past.soup_before(epoch as u64, &mut |_| {}).unwrap();
        let mut next = vec![false; members.len()];
        for pair in 0..members.len() / 2 {
            let which = Which::Pair(pair);
            let one = interactions.get(epoch as u64, soup.programs(), which);
            let one = one.unwrap();
            let origins = one.origins.unwrap();
            for side in 0..2 {
                let own = &origins[side * PROGRAM_LEN..(side + 1) * PROGRAM_LEN];
                let from_left = own.iter().filter(|it| usize::from(**it) < PROGRAM_LEN);
                let from_other = match side {
                    0 => PROGRAM_LEN - from_left.count(),
                    _ => from_left.count(),
                };
                let parent = if from_other > PROGRAM_LEN / 2 {
                    1 - side
                } else {
                    side
                };
                next[one.programs[side]] = members[one.programs[parent]];
            }
        }
        members = next;
    }
    assert!(growth.len() > 3, "{growth:?}");
    let report = read_text(run.join("winner.txt"));
    for said in [
        "The winner's line was born in epoch ",
        "How it grew",
        "proved      copies",
    ] {
        assert!(report.contains(said), "{report}");
    }
    assert!(run.join("winner.png").exists());
}

#[test]
fn a_winner_that_was_planted_has_no_birth() {
    let folder = tempfile::tempdir().unwrap();
    let replicator = format!("[[{{.>]-]{}]-]>.{{[[", "\\x41".repeat(48));
    let run = |name: &str| folder.path().join(name);
    let plant = |seed: u64, name: &str| {
        let words = format!("run --num 64 --seed {seed} --quiet --max-epochs 60 --out");
        succeed(
            &words,
            &[
                &run(name),
                Path::new("--initial-program"),
                Path::new(&replicator),
            ],
        );
        let output = crate::common::broth_with("ancestry --winner --json", &[&run(name)]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        found["birth"].is_null() && found["begun"] == 0
    };
    let planted = (1..40).find(|seed| plant(*seed, &format!("seed-{seed}")));
    let name = format!("seed-{}", planted.expect("some live"));
    let report = read_text(run(&name).join("winner.txt"));
    assert!(report.contains("it was not born in this run"), "{report}");
    assert!(!run(&name).join("winner.png").exists());
}

#[test]
fn a_run_without_a_winner_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(
        "run --num 64 --seed 1 --quiet --max-epochs 2 --out",
        &[&run],
    );
    fail(
        2,
        "ancestry --winner",
        &[&run],
        &["after 2 epochs", "no winner", "--epoch"],
    );
    fail(2, "ancestry --winner --program 3", &[&run], &["--winner"]);
    fail(
        2,
        "ancestry --winner --first-replicator",
        &[&run],
        &["--winner"],
    );
    fail(2, "ancestry", &[&run], &["--winner", "--first-replicator"]);
}

/// World 52 of the paper's BFF: its life began with a pair that is known.
#[test]
#[ignore = "long"]
fn the_birth_of_world_52_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(
        "run --seed 52 --quiet --no-picture --checkpoint-interval 256 --max-epochs 6161 --out",
        &[&run],
    );
    succeed("ancestry --quiet --winner", &[&run]);
    let found = json(&run.join("winner.json"));
    assert_eq!(number(&found["winner"]["count"]), 110);
    assert_eq!(number(&found["winner"]["mirrored"]), 110);
    let interaction = &found["birth"]["interaction"];
    assert_eq!(number(&interaction["epoch"]), 5857);
    assert_eq!(number(&interaction["pair"]), 30_117);
    assert_eq!(interaction["programs"], serde_json::json!([65_224, 65_971]));
    assert_eq!(interaction["mutations"], serde_json::json!([]));
    assert_eq!(found["birth"]["side"], "right");
}
