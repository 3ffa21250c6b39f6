//! Results as JSON: one object on standard output, as docs/json.md describes it.

use std::path::Path;

use serde_json::Value;

use super::{said, small_run};
use crate::common::{fail, read_text};

fn object(words: &str, arguments: &[&Path]) -> Value {
    let (stdout, _) = said(words, arguments);
    let value: Value = serde_json::from_str(&stdout)
        .unwrap_or_else(|error| panic!("broth {words}: {error}: {stdout}"));
    assert!(value.is_object(), "broth {words}: {stdout}");
    assert_documented(words, &value);
    value
}

/// Every key is named in docs/json.md.
fn assert_documented(words: &str, value: &Value) {
    let docs = read_text(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md"));
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| assert_documented(words, value)),
        Value::Object(map) => {
            for (key, value) in map {
                let is_named =
                    docs.contains(&format!("`{key}`")) || docs.contains(&format!("\"{key}\""));
                assert!(
                    is_named,
                    "broth {words}: docs/json.md does not name `{key}`"
                );
                // Reasons for leaving native code have names of their own.
                if key != "exits" {
                    assert_documented(words, value);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_command_writes_one_documented_object() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let flags = "run --json --num 256 --seed 561 --initial-program [[{.>]-]]-]>.{[[ --eval-selfrep \
                 --tracers --log-interval 8 --checkpoint-interval 32 --max-epochs 100 --out";
    let run = object(flags, &[&out]);
    assert_eq!(run["end"], "finished");
    assert_eq!(run["epochs_done"], 100);
    assert_eq!(run["num"], 256);
    assert!(run["replicators_at"].is_u64(), "{run}");
    let resumed = object(
        "run --json --max-epochs 200 --stop-high-order-entropy 0.001 --resume",
        &[&out],
    );
    assert_eq!(resumed["end"], "stopped");
    assert_eq!(resumed["stop_rule"], "stop-high-order-entropy");

    let inspected = object("inspect --json", &[&out]);
    assert_eq!(inspected["programs"], 256);
    assert_eq!(inspected["lang"], "bff_noheads");
    let census = object("census --json --top 3 --sequences 4", &[&out]);
    assert_eq!(census["commonest_programs"].as_array().unwrap().len(), 3);
    let soup = object("selfrep --json --checkpoint", &[&out]);
    let scores = soup["scores"].as_array().unwrap();
    let all: u64 = scores.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((scores.len(), all), (65, 256));
    let program = object("selfrep --json --partners [[{.>]-]]-]>.{[[", &[]);
    assert_eq!(program["partners"].as_array().unwrap().len(), 13);
    let exec = object("exec --json [[{.>]-]]-]>.{[[", &[]);
    assert_eq!(exec["before"].as_array().unwrap().len(), 2);
    let languages = object("languages --json", &[]);
    assert!(languages["languages"].as_array().unwrap().len() >= 13);
    let examples = object("examples --json subleq", &[]);
    assert_eq!(examples["examples"][0]["lang"], "subleq");
    let traced = object("ancestry --json --first-replicator", &[&out]);
    let written: Value = serde_json::from_str(&read_text(out.join("ancestry.json"))).unwrap();
    assert_eq!(traced, written);
    object("show-interaction --json --epoch 4 --pair 3", &[&out]);
    let events = object("events --json --from 3 --to 5", &[&out]);
    assert_eq!(
        (&events["from_epoch"], &events["rows"]),
        (&3.into(), &256.into())
    );
    assert_eq!(events["written"][0]["format"], "parquet");
    let search = object(
        "search --json --max-programs 16k --threshold 1 --finds 2",
        &[],
    );
    assert!(search["finds"].is_array(), "{search}");
    object(
        "search --json --from soup --num 64 --max-programs 64 --threshold 1 --finds 1",
        &[],
    );
    object("jit stats --json", &[&out]);
    object("jit show --json --epochs 2", &[&out]);
    object("jit show --json --program [[{.>]-]", &[]);
}

/// What was written is named, with its size.
fn assert_written(drawn: &Value, files: &[(&str, &str)]) {
    let written = drawn["written"].as_array().unwrap();
    assert_eq!(written.len(), files.len(), "{drawn}");
    for (file, (name, format)) in written.iter().zip(files) {
        let path = Path::new(file["path"].as_str().unwrap());
        assert!(path.ends_with(name), "{drawn}");
        assert_eq!(file["format"], *format, "{drawn}");
        let size = std::fs::metadata(path).unwrap().len();
        assert_eq!(file["bytes"].as_u64(), Some(size), "{drawn}");
        let pixels = ["width", "height"].map(|it| file[it].as_u64().unwrap_or(0));
        let is_drawing = *format != "csv";
        assert_eq!(pixels.iter().all(|it| *it >= 100), is_drawing, "{drawn}");
    }
}

#[test]
fn drawings_say_what_they_drew_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--max-epochs 20 --checkpoint-interval 8 --frame-interval 4 --frames";
    let frames = folder.path().join("frames");
    let run = small_run(
        folder.path(),
        "run",
        &format!("{flags} {}", frames.display()),
    );
    let plot = object("plot --json", &[&run]);
    assert_eq!(
        (&plot["from_epoch"], &plot["to_epoch"]),
        (&1.into(), &17.into())
    );
    assert_eq!(plot["num"], 64);
    assert_written(&plot, &[("plot.png", "png")]);
    let svg = folder.path().join("x.svg");
    let plot = object("plot --json --out", &[&svg, &run]);
    assert_written(&plot, &[("x.svg", "svg")]);
    let strip = object("strip --json --from 4 --to 16 --every 4", &[&run]);
    assert_eq!(
        (&strip["from_epoch"], &strip["to_epoch"]),
        (&4.into(), &16.into())
    );
    assert_eq!(strip["columns"], 4);
    assert_written(&strip, &[("strip.png", "png")]);
    let picture = object("picture --json --epoch 9 --threads 1", &[&run]);
    assert_eq!(picture["epochs_done"], 9);
    assert_eq!(picture["layout"], "overview");
    assert_written(&picture, &[("soup-0000000009.png", "png")]);
    let picture = object("picture --json --layout columns", &[&run]);
    assert_eq!(picture["layout"], "columns");
    assert_written(&picture, &[("soup-0000000020-columns.png", "png")]);
    let film = object("film --json --from 1 --to 9 --every 2 --threads 1", &[&run]);
    assert_eq!(
        (&film["from_epoch"], &film["to_epoch"]),
        (&1.into(), &9.into())
    );
    assert_eq!((&film["frames"], &film["fps"]), (&5.into(), &10.into()));
    assert_written(&film, &[("film.png", "png")]);
    let gif = folder.path().join("x.gif");
    let film = object("film --json --from 5 --out", &[&gif, &frames]);
    assert_eq!(
        (&film["from_epoch"], &film["to_epoch"]),
        (&5.into(), &17.into())
    );
    assert_eq!(film["frames"], 4);
    assert_written(&film, &[("x.gif", "gif")]);
    // With --quiet there is nothing but errors.
    for words in ["plot", "strip", "picture", "film"] {
        let (stdout, stderr) = said(&format!("{words} --quiet"), &[&run]);
        assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""), "{words}");
    }
}

/// No-ops are one sign, as on a terminal; the bytes themselves are there too.
#[test]
fn programs_are_shown_as_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run", "--max-epochs 1");
    let census = object("census --json --top 2", &[&run]);
    let (screen, _) = said("census --top 2", &[&run]);
    for group in census["commonest_programs"].as_array().unwrap() {
        let program = &group["program"];
        let shown = program["shown"].as_str().unwrap();
        assert_eq!(shown.chars().count(), 64, "{program}");
        assert!(!shown.contains("\\x"), "{program}");
        assert!(screen.contains(shown), "{shown} in {screen}");
        assert_eq!(program["hex"].as_str().unwrap().len(), 128);
    }
    let exec = object("exec --json --lang subleq 0105ff", &[]);
    let shown = exec["before"][0]["shown"].as_str().unwrap();
    assert!(shown.starts_with("0105FF"), "{shown}");
}

#[test]
fn sweeps_write_one_documented_object() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.toml");
    let text = "seeds = \"1-2\"\n[settings]\nnum = 64\nmax-epochs = 5\nlog-interval = 2\n\
                [vary]\nmutation-prob = [0, 0.01]\n";
    std::fs::write(&file, text).unwrap();
    let out = folder.path().join("out");
    let arguments: [&Path; 3] = [&file, "--out".as_ref(), &out];
    let planned = object("sweep --dry-run --json", &arguments);
    assert_eq!(
        (planned["done"].as_u64(), planned["left"].as_u64()),
        (Some(0), Some(4))
    );
    let done = object("sweep --json", &arguments);
    assert_eq!(done["done"], 4);
    assert_eq!(done["conditions"].as_array().unwrap().len(), 2);
    let planned = object("sweep --dry-run --json", &arguments);
    assert_eq!(planned["runs"][0]["done"], true);
    let joined = folder.path().join("joined");
    let merged = object("sweep merge --json", &[&out, "--out".as_ref(), &joined]);
    assert_eq!(merged["runs"], 4);
    for path in [out.clone(), out.join("results.csv")] {
        let drawn = object("figures --json", &[&path]);
        assert_eq!(drawn["runs"], 4);
        assert_eq!(
            drawn["table"],
            out.join("results.csv").display().to_string()
        );
        let names = ["png", "svg", "csv"].map(|it| (format!("alive-by-epoch.{it}"), it));
        let of_one = drawn["written"].as_array().unwrap()[3..6].to_vec();
        let of_one = serde_json::json!({"written": of_one});
        assert_written(
            &of_one,
            &names.each_ref().map(|(name, it)| (name.as_str(), *it)),
        );
    }
    let (stdout, stderr) = said("figures --quiet", &[&out]);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""));
}

/// Notes and progress go to standard error, and errors leave standard output empty.
#[test]
fn json_is_not_mixed_with_anything() {
    let folder = tempfile::tempdir().unwrap();
    let out = small_run(folder.path(), "run", "--max-epochs 3");
    let checkpoint = out.join("checkpoints/0000000003.dat");
    let (stdout, stderr) = said("census --json --top 1", &[&checkpoint]);
    assert!(serde_json::from_str::<Value>(&stdout).is_ok(), "{stdout}");
    assert!(stderr.contains("sidecar"), "{stderr}");
    let (_, stderr) = said("census --json --quiet --top 1", &[&checkpoint]);
    assert_eq!(stderr, "");
    let output = crate::common::broth_with("census --json no-such-file", &[]);
    assert_eq!(output.stdout, b"");
    fail(2, "exec --json --trace []", &[], &["--json", "--trace"]);
}
