//! `broth bench` on tiny soups: its numbers, its cache, its messages.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::{broth, fail, read, read_text, succeed};
use broth::bench::soups::{Recipe, Sort};
use broth::bench::{self, fingerprint};
use broth::engine::{Engine, Options};
use broth::{Settings, Soup};
use serde_json::Value;

const TINY: &str = "bench --num 64 --rounds 1 --epochs 1 --prelife-epochs 4";

/// The table and the numbers of a benchmark of tiny soups.
fn bench(words: &str, cache: &Path, json: &Path) -> (String, Value) {
    measure(&format!("{TINY} {words}"), cache, json)
}

fn measure(words: &str, cache: &Path, json: &Path) -> (String, Value) {
    let output = succeed(words, &["--cache".as_ref(), cache, "--json".as_ref(), json]);
    let table = String::from_utf8(output.stdout).expect("text");
    let numbers = serde_json::from_str(&read_text(json)).expect("JSON");
    (table, numbers)
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
fn assert_close(a: f64, b: f64) {
    assert!((a / b - 1.0).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn its_numbers_hang_together() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, json) = (folder.path().join("cache"), folder.path().join("out.json"));
    let (table, report) = measure(
        "bench --lang bff_noheads,forthtrivial --num 64 --prelife-epochs 4 --rounds 3 --epochs 2",
        &cache,
        &json,
    );
    assert_eq!(report["num_programs"], 64);
    assert_eq!(report["rounds"], 3);
    assert!(number(&report["machine"]["threads"]) >= 1.0);
    let soups = report["soups"].as_array().unwrap();
    let names: Vec<_> = soups
        .iter()
        .map(|soup| {
            (
                soup["language"].as_str().unwrap(),
                soup["soup"].as_str().unwrap(),
            )
        })
        .collect();
    let languages = ["bff_noheads", "forthtrivial"];
    let expected = languages.map(|language| Sort::ALL.map(|sort| (language, sort.name())));
    assert_eq!(names, expected.concat());
    for (soup, (language, sort)) in soups.iter().zip(names) {
        let heading = format!("{language}, {sort}: epoch {}", soup["epochs_done"]);
        assert!(table.contains(&heading), "no `{heading}` in\n{table}");
        assert_eq!(soup["problem"], Value::Null);
        let measured = &soup["measured"];
        assert_eq!(measured["epochs"], 2);
        assert_eq!(measured["interactions"], 64);
        let floor = number(&measured["floor_ms_per_epoch"]["median"]);
        let engines = measured["engines"].as_array().unwrap();
        assert_eq!(engines.len(), 3);
        assert_eq!(engines[0]["engine"], "reference");
        assert_eq!(engines[1]["engine"], "interpreter");
        assert_eq!(engines[2]["engine"], "jit");
        assert_eq!(engines[0]["fingerprint"], engines[1]["fingerprint"]);
        assert_eq!(engines[0]["fingerprint"], engines[2]["fingerprint"]);
        let is_compiled = !language.contains("subleq");
        assert_eq!(engines[1]["native_steps"], Value::Null);
        assert_eq!(engines[2]["native_steps"].is_number(), is_compiled);
        assert_eq!(number(&engines[0]["speed_up"]), 1.0);
        let first = number(&engines[0]["ms_per_epoch"]["median"]);
        for engine in engines {
            let times = &engine["ms_per_epoch"];
            let median = number(&times["median"]);
            assert_eq!(times["rounds"].as_array().unwrap().len(), 3);
            assert!(number(&times["minimum"]) <= median);
            assert!(median <= number(&times["maximum"]));
            assert_close(number(&engine["speed_up"]), first / median);
            assert_close(number(&engine["over_floor"]), median / floor);
            assert_close(number(&engine["ns_per_interaction"]), median * 1e6 / 32.0);
            let seconds = median * 2.0 / 1e3;
            for what in ["interactions", "ops", "steps"] {
                let rate = number(&engine[format!("{what}_per_second")]);
                assert_close(rate, number(&measured[what]) / seconds);
            }
        }
    }
    let entropies: Vec<_> = soups
        .iter()
        .map(|soup| number(&soup["high_order_entropy"]))
        .collect();
    assert!(entropies[0] < 1.0 && entropies[1] < 1.0 && entropies[2] > 3.0);
}

/// The soup and the counts are those that the library comes to by itself.
#[test]
fn what_it_runs_is_the_soup() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("out.json");
    let (_, report) = measure(
        "bench --num 64 --seed 9 --soups random --rounds 2 --epochs 3",
        folder.path(),
        &json,
    );
    let mut soup = Soup::new(Settings {
        num_programs: 64,
        seed: 9,
        ..Settings::default()
    })
    .unwrap();
    soup.set_engine(Engine::Reference, &Options::default());
    // One to make it, one that is not measured.
    soup.step();
    soup.step();
    let steps: u64 = (0..3).map(|_| soup.step().steps).sum();
    let measured = &report["soups"][0]["measured"];
    assert_eq!(measured["steps"], steps);
    for engine in measured["engines"].as_array().unwrap() {
        assert_eq!(engine["fingerprint"], fingerprint(soup.programs()));
    }
}

#[test]
fn soups_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let run = |json: &str| bench("", &cache, &folder.path().join(json));
    let files = || {
        let mut files: Vec<_> = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let modified = entry.metadata().unwrap().modified().unwrap();
                (entry.file_name().into_string().unwrap(), modified)
            })
            .collect();
        files.sort();
        files
    };
    let (_, first) = run("1.json");
    let made = files();
    assert_eq!(made.len(), 3, "{made:?}");
    let (_, second) = run("2.json");
    assert_eq!(files(), made);
    for soup in 0..3 {
        let hash =
            |report: &Value| report["soups"][soup]["measured"]["engines"][0]["fingerprint"].clone();
        assert_eq!(hash(&first), hash(&second));
        assert!(hash(&first).is_string());
    }
    // What is in the cache is what is measured.
    let prelife = &made[1].0;
    assert!(prelife.contains("prelife-4-"), "{made:?}");
    fs::copy(cache.join(&made[0].0), cache.join(prelife)).unwrap();
    let (_, third) = run("3.json");
    assert_ne!(
        first["soups"][1]["epochs_done"],
        third["soups"][1]["epochs_done"]
    );
}

/// The hash that the first engine ended with, of each soup.
fn hashes(report: &Value) -> Vec<String> {
    let soups = report["soups"].as_array().unwrap().iter();
    let hash = |soup: &Value| soup["measured"]["engines"][0]["fingerprint"].clone();
    soups
        .map(|soup| hash(soup).as_str().unwrap().into())
        .collect()
}

/// That of the library's soup, made anew: warmed up for one epoch, measured for another.
fn expected_hash(settings: Settings, epochs_done: u64) -> String {
    let mut soup = Soup::new(settings).unwrap();
    for _ in 0..epochs_done + 2 {
        soup.step();
    }
    fingerprint(soup.programs())
}

#[test]
fn worlds_are_measured_by_seed_and_age() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let words = "bench --rounds 1 --epochs 1 --engines interpreter,jit --num 64";
    let words = format!("{words} --worlds 7@5,8@9 --lang bff,forth");
    let (table, report) = measure(&words, &cache, &folder.path().join("1.json"));
    let expected: Vec<String> = ["bff", "forth"]
        .into_iter()
        .flat_map(|lang| [(lang, 7, 5), (lang, 8, 9)])
        .map(|(lang, seed, epochs_done)| {
            let settings = Settings {
                language: lang.parse().unwrap(),
                num_programs: 64,
                seed,
                ..Settings::default()
            };
            expected_hash(settings, epochs_done)
        })
        .collect();
    assert_eq!(hashes(&report), expected);
    assert_eq!(report["soups"][1]["soup"], "8@9");
    assert_eq!(report["soups"][1]["epochs_done"], 9);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 4);

    let lines: Vec<&str> = table.lines().collect();
    let header = lines
        .iter()
        .position(|line| line.starts_with("ms/epoch"))
        .unwrap();
    let rows = ["bff 7@5", "bff 8@9", "forth 7@5", "forth 8@9", "total of 4"];
    assert_eq!(lines[header + 1..].len(), rows.len(), "{table}");
    for (line, row) in lines[header + 1..].iter().zip(rows) {
        assert!(line.starts_with(row), "{table}");
        assert_eq!(line.len(), lines[header].len(), "{table}");
    }
    let median = |value: &Value| number(&value["ms_per_epoch"]["median"]);
    let total = &report["total"];
    assert_eq!(total["worlds"], 4);
    for engine in 0..2 {
        let soups = report["soups"].as_array().unwrap().iter();
        let sum: f64 = soups
            .map(|it| median(&it["measured"]["engines"][engine]))
            .sum();
        assert_close(number(&total["engines"][engine]["ms_per_epoch"]), sum);
    }

    // The same from a file, and from the cache.
    let file = folder.path().join("worlds.toml");
    let group = |lang: &str| format!("[[worlds]]\nlang = \"{lang}\"\nsoups = [\"7@5\", \"8@9\"]\n");
    fs::write(&file, group("bff") + &group("forth")).unwrap();
    let words = "bench --rounds 1 --epochs 1 --engines interpreter --num 64";
    let words = format!("{words} --worlds {}", file.display());
    let (_, again) = measure(&words, &cache, &folder.path().join("2.json"));
    assert_eq!(hashes(&again), expected);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 4);
    let words = format!("{words} --lang bff");
    fail(2, &words, &[], &["--lang", "leave it out"]);
}

#[test]
fn a_soup_of_ones_own_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (run, json) = (folder.path().join("run"), |name: &str| {
        folder.path().join(name)
    });
    let flags = "run --lang forth --num 64 --seed 9 --max-steps 300 --max-epochs 7 --out";
    succeed(flags, &[&run]);
    let settings = Settings {
        language: "forth".parse().unwrap(),
        num_programs: 64,
        seed: 9,
        max_steps: 300,
        ..Settings::default()
    };
    let expected = [expected_hash(settings, 7)];
    let small = "bench --rounds 1 --epochs 1 --engines interpreter";
    let checkpoint = run.join("checkpoints/0000000007.dat");
    let of_run = format!("{small} --run {}", run.display());
    let of_file = format!("{small} --load {}", checkpoint.display());
    for (words, name) in [(of_run, "1.json"), (of_file.clone(), "2.json")] {
        let (table, report) = measure(&words, &json("cache"), &json(name));
        assert_eq!(hashes(&report), expected, "{table}");
        let soup = &report["soups"][0];
        assert_eq!(soup["language"], "forth");
        assert_eq!(
            (&soup["seed"], &soup["num_programs"]),
            (&9.into(), &64.into())
        );
        assert!(table.contains("epoch 7, "), "{table}");
        assert_eq!(report["total"], Value::Null);
    }
    // Without its sidecar it does not say what it is.
    let alone = json("alone.dat");
    fs::copy(&checkpoint, &alone).unwrap();
    fail(
        2,
        &format!("{small} --load"),
        &[&alone],
        &["no sidecar", "--lang"],
    );
    let words = format!("{small} --lang forth --seed 9 --load {}", alone.display());
    let (_, report) = measure(&words, &json("cache"), &json("3.json"));
    assert_eq!(report["soups"][0]["epochs_done"], 7);
    // And its sidecar may not be contradicted.
    let words = format!("{of_file} --lang bff");
    fail(
        2,
        &words,
        &[],
        &["contradicts the sidecar", "--override-settings"],
    );
}

#[test]
fn numbers_go_to_standard_output_where_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let words = format!("{TINY} --soups random --json --cache");
    let output = succeed(&words, &[&cache]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one object, nothing else");
    assert_eq!(report["soups"][0]["soup"], "random");
    assert!(report["soups"][0]["measured"].is_object());
}

#[test]
fn a_soup_that_never_lives_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("out.json");
    let (table, report) = bench(
        "--lang subleq --soups alive --alive-epochs 4",
        folder.path(),
        &json,
    );
    let problem = "no alive soup of subleq within 4 epochs";
    assert!(table.contains(problem), "{table}");
    assert_eq!(report["soups"][0]["problem"], problem);
    assert_eq!(report["soups"][0]["measured"], Value::Null);
}

#[test]
fn every_language_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("out.json");
    let (_, report) = bench(
        "--lang all,bff --soups random --engines auto --threads 1",
        folder.path(),
        &json,
    );
    let soups = report["soups"].as_array().unwrap();
    assert_eq!(soups.len(), 13);
    assert!(soups.iter().all(|soup| soup["measured"].is_object()));
    assert_eq!(report["machine"]["threads"], 1);
}

#[test]
fn an_epoch_is_told_by_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, json) = (folder.path().join("cache"), folder.path().join("out.json"));
    let words = "bench --num 2048 --soups random --engines auto --rounds 3 --epochs 20 --parts";
    let (table, report) = measure(words, &cache, &json);
    let parts = &report["soups"][0]["parts"];
    let part = |name: &str| number(&parts[name]);
    for name in ["draw_ms", "run_ms", "copy_ms", "measure_ms"] {
        assert!(part(name) > 0.0, "{name}: {parts}");
    }
    // Measuring a log point takes longer than copying one.
    assert!(part("measure_ms") > part("copy_ms"), "{parts}");
    let computed = parts["computed"].as_array().unwrap();
    let one = &computed[0];
    let sum = ["draw_ms", "move_ms", "mutate_ms", "run_ms"].map(part);
    assert_eq!(one["threads"], 1);
    assert_close(number(&one["ms_per_epoch"]), sum.iter().sum());
    for pair in computed.windows(2) {
        let [before, after] = [&pair[0], &pair[1]].map(|it| number(&it["ms_per_epoch"]));
        assert!(after <= before, "{parts}");
        let logged = number(&pair[1]["ms_per_epoch_logged"]);
        assert!(logged > after, "{parts}");
    }
    for name in ["pairing", "mutating", "measuring", "\n64 "] {
        assert!(table.contains(name), "{name:?}: {table}");
    }
    // Nothing is shown unasked.
    let other = folder.path().join("other.json");
    let (table, report) = measure(&words.replace("--parts", ""), &cache, &other);
    assert!(report["soups"][0]["parts"].is_null() && !table.contains("pairing"));
}

#[test]
fn wrong_flags_are_usage_errors() {
    for (words, hints) in [
        (
            "--lang bff,bff_nohead",
            &["--lang", "did you mean `bff_noheads`"][..],
        ),
        (
            "--engines fast",
            &["--engines", "unknown engine `fast`", "interpreter"],
        ),
        (
            "--soups dead",
            &["--soups", "unknown soup `dead`", "prelife"],
        ),
        ("--num 63", &["--num 63", "even"]),
        ("--num 0", &["--num 0", "from 2 up"]),
        ("--num 99999999998", &["--num 99999999998", "at most"]),
        ("--epochs 0", &["--epochs", "1 or more"]),
        ("--rounds 0", &["--rounds", "from 1"]),
        ("--warm-up 0", &["--warm-up", "1 or more"]),
        ("--jit-cache-mib 0", &["--jit-cache-mib", "1 or more"]),
        ("--threads 0", &["--threads", "from 1 to 1,024"]),
        ("--prelife-epochs 0", &["--prelife-epochs", "1 or more"]),
        ("--alive-epochs 0", &["--alive-epochs", "1 or more"]),
        ("--seed -1", &["--seed"]),
        ("--worlds 29", &["cannot read 29"]),
        ("--worlds x@3", &["`x@3` is no world", "29@2049"]),
        ("--worlds 29@0", &["`29@0` is no world"]),
        ("--worlds 29@3 --num 63", &["--num 63", "even"]),
        ("--worlds 29@3 --seed 3", &["--worlds", "--seed"]),
        ("--worlds 29@3 --lang z80", &["--lang z80", "one only"]),
        ("--worlds 29@3 --load x", &["--worlds", "--load"]),
        ("--worlds 29@3 --parts", &["--worlds", "--parts"]),
        ("--run x --lang bff", &["--run", "--lang"]),
        ("--run no-such-run", &["no-such-run"]),
        ("--load no-such-file.dat", &["no-such-file.dat"]),
        (
            "--json no-such-folder/x.json",
            &["--json no-such-folder/x.json", "create it"],
        ),
        (
            "--json Cargo.toml",
            &["--json Cargo.toml", "exists already", "another name"],
        ),
    ] {
        fail(2, &format!("bench {words}"), &[], hints);
    }
    let package = read("Cargo.toml");
    assert!(package.starts_with(b"[package]"));
}

#[test]
fn without_a_folder_for_caches_it_says_what_to_give() {
    let Output { status, stderr, .. } = broth()
        .args(TINY.split_whitespace())
        .env_remove("XDG_CACHE_HOME")
        .env_remove("HOME")
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(2), "{message}");
    assert!(message.contains("--cache DIR"), "{message}");
}

#[test]
fn the_system_says_where_soups_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let output = broth()
        .args(TINY.split_whitespace())
        .args(["--soups", "random"])
        .env("XDG_CACHE_HOME", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let recipe = Recipe {
        language: Settings::default().language,
        num_programs: 64,
        seed: 0,
        sort: Sort::Random,
        epochs: 1,
    };
    let path = folder.path().join("broth").join(recipe.file_name());
    assert!(path.is_file(), "{}", path.display());
}

#[test]
fn a_cache_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    fail(
        1,
        TINY,
        &["--cache".as_ref(), &file],
        &["cannot create", "file"],
    );
    fs::write(
        folder
            .path()
            .join("bff_noheads-num-64-seed-0-random-1-v2.dat"),
        "broken",
    )
    .unwrap();
    fail(
        2,
        TINY,
        &["--cache".as_ref(), folder.path()],
        &["random-1-v2.dat", "is not a checkpoint", "remove it"],
    );
}

#[test]
fn a_benchmark_of_nothing_is_an_error() {
    let soup = Soup::new(Settings {
        num_programs: 2,
        ..Settings::default()
    })
    .unwrap();
    let mut start = broth::soup::checkpoint::Checkpoint::empty();
    start.copy_from(&soup);
    let plan = |engines: &[Engine], rounds, epochs| bench::Plan {
        engines: engines.to_vec(),
        options: Options::default(),
        warm_up: 1,
        rounds,
        epochs,
    };
    for (plan, fine) in [
        (plan(&[], 1, Some(1)), false),
        (plan(&[Engine::Auto], 0, Some(1)), false),
        (plan(&[Engine::Auto], 1, Some(0)), false),
        (plan(&[Engine::Auto], 1, Some(1)), true),
    ] {
        let result = bench::compare(soup.settings(), &start, &plan, &mut |_| {
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(result.is_ok(), fine, "{plan:?}");
    }
}
