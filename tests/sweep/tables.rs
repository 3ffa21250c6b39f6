//! Tables of sweeps: their rows against single runs, split, joined, as Parquet.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::{LIVELY, assert_same, file, results, rows, sweep};
use crate::common::{fail, read_text, succeed};

/// Whether soups are done side by side or with several threads each, and what they are stopped
/// by, changes nothing; and a row says what `broth run` says of the same soup.
#[test]
fn rows_are_those_of_single_runs() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "seeds = \"12-15\"\n{LIVELY}[[condition]]\nname = \"whole\"\n[[condition]]\n\
         name = \"alive\"\nstop-high-order-entropy = 3\n[[condition]]\nname = \"after\"\n\
         epochs-after-alive = 16\n[[condition]]\nname = \"replicators\"\n\
         stop-at-replicators = 1\n"
    );
    let file = file(folder.path(), "lively.toml", &text);
    let outs = [
        "--jobs 1 --threads 1",
        "--jobs 1 --threads 3",
        "--jobs 5 --threads 5",
    ]
    .map(|words| {
        let out = folder.path().join(words.replace(' ', "_"));
        sweep(words, &file, &out);
        out
    });
    let table = results(&outs[0]);
    assert_eq!(table.len(), 16);
    for out in &outs[1..] {
        assert_same(out, &outs[0]);
    }
    let of = |condition: &str, seed: &str| {
        let is_it =
            |row: &&BTreeMap<String, String>| row["condition"] == condition && row["seed"] == seed;
        table.iter().find(is_it).unwrap()
    };
    let lives = |row: &&BTreeMap<String, String>| !row["epoch_alive"].is_empty();
    let alive: Vec<_> = table[..4].iter().filter(lives).collect();
    assert!(
        !alive.is_empty() && alive.len() < 4,
        "{} are alive",
        alive.len()
    );
    for row in alive {
        let seed = &row["seed"];
        let at: u64 = row["epoch_alive"].parse().unwrap();
        for (condition, ended, epochs) in [
            ("whole", "finished", 64),
            ("alive", "stopped", at),
            ("after", "stopped", at + 16),
            (
                "replicators",
                "stopped",
                row["epoch_selfreps_48"].parse().unwrap(),
            ),
        ] {
            let row = of(condition, seed);
            assert_eq!(row["ended"], ended, "{condition} {seed}");
            assert_eq!(row["epochs"], epochs.to_string(), "{condition} {seed}");
            assert_eq!(row["interactions"], (512 * epochs).to_string());
        }
    }
    let row = table[..4].iter().find(lives).unwrap();
    assert_row_is_of_single_run(row, &folder.path().join("run"));
}

/// Run the soup of `row` by `broth run`, which must say what the row says.
fn assert_row_is_of_single_run(row: &BTreeMap<String, String>, out: &Path) {
    let words = format!(
        "run --quiet --lang forthtrivial --num 1024 --max-epochs 64 --log-interval 8 \
         --eval-selfrep --seed {} --out",
        row["seed"]
    );
    succeed(&words, &[out]);
    let mut reader = csv::Reader::from_path(out.join("metrics.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |record: &csv::StringRecord, name: &str| {
        record[header.iter().position(|known| known == name).unwrap()].to_string()
    };
    let trace = records
        .iter()
        .map(|it| format!("{}:{}", &it[0], cell(it, "high_order_entropy")));
    assert_eq!(row["trace"], trace.collect::<Vec<_>>().join(" "));
    let last = records.last().unwrap();
    for name in [
        "high_order_entropy",
        "number_selfreps",
        "number_selfreps_48",
    ] {
        assert_eq!(row[name], cell(last, name), "{name}");
    }
    let first = |is_so: &dyn Fn(&csv::StringRecord) -> bool| {
        records
            .iter()
            .find(|it| is_so(it))
            .map_or(String::new(), |it| it[0].to_string())
    };
    let value = |it: &csv::StringRecord, name| cell(it, name).parse::<f64>().unwrap();
    assert_eq!(
        row["epoch_alive"],
        first(&|it| value(it, "high_order_entropy") > 3.0)
    );
    assert_eq!(
        row["epoch_entropy_1"],
        first(&|it| value(it, "high_order_entropy") > 1.0)
    );
    assert_eq!(
        row["epoch_selfreps_48"],
        first(&|it| value(it, "number_selfreps_48") > 0.0)
    );
    assert_eq!(
        row["epoch_selfreps"],
        first(&|it| value(it, "number_selfreps") > 0.0)
    );
    let peak = records
        .iter()
        .map(|it| value(it, "high_order_entropy"))
        .fold(0.0, f64::max);
    assert_eq!(row["peak_high_order_entropy"].parse::<f64>().unwrap(), peak);
}

/// Parts that are done apart and joined are one sweep, which has nothing left to do.
#[test]
fn shards_are_joined_to_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("seeds = \"1-7\"\n{LIVELY}[vary]\nmutation-prob = [0, \"1/4096\"]\n");
    let file = file(folder.path(), "parts.toml", &text);
    let whole = folder.path().join("whole");
    sweep("", &file, &whole);
    let parts: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let out = folder.path().join(format!("part-{number}"));
            sweep(&format!("--shard {number}/3"), &file, &out);
            out
        })
        .collect();
    assert!(
        parts
            .iter()
            .all(|part| (4..=5).contains(&results(part).len()))
    );
    let joined = folder.path().join("joined");
    let merge = |out: &Path, sources: &[&Path], words: &str| {
        let mut arguments: Vec<&Path> = vec!["--out".as_ref(), out];
        arguments.extend(sources);
        succeed(&format!("sweep merge {words}"), &arguments);
    };
    merge(&joined, &[&parts[2], &parts[0], &parts[1]], "");
    assert_same(&joined, &whole);
    assert_eq!(results(&joined).len(), 14);
    let screen = succeed("sweep --dry-run", &[&file, "--out".as_ref(), &joined]).stdout;
    let screen = String::from_utf8(screen).unwrap();
    assert!(screen.contains("14 runs, 14 done, 0 to do"), "{screen}");
    // Tables alone, and the same run in two of them.
    let tables = folder.path().join("tables");
    let sources = [whole.join("results.csv"), parts[1].join("results.csv")];
    merge(&tables, &[&sources[0], &sources[1]], "");
    assert_same(&tables, &whole);
    // A table that says something else.
    let text = read_text(&sources[1]);
    let row = &rows(&sources[1])[0];
    let ops = format!(",{},", row["ops"]);
    let wrong = folder.path().join("wrong.csv");
    fs::write(&wrong, text.replacen(&ops, ",1,", 1)).unwrap();
    let arguments: [&Path; 4] = ["--out".as_ref(), &tables, &sources[0], &wrong];
    let hints = [
        "disagree",
        &row["key"],
        "ops",
        &row["ops"],
        "`1`",
        "wrong.csv",
        "results.csv",
    ];
    fail(2, "sweep merge", &arguments, &hints);
}

/// Of two results the more complete one stays, row and file, in whatever order they come; what
/// is in the folder stays; and what is not in a table is told.
#[test]
fn merging_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |budget: &str| {
        format!("seeds = \"1-2\"\n[settings]\nnum = 512\nmax-epochs = 6000\n{budget}\n")
    };
    let short = file(folder.path(), "short.toml", &text("budget-seconds = 0.02"));
    let whole = file(folder.path(), "whole.toml", &text(""));
    sweep("", &short, &at("given-up"));
    sweep("", &whole, &at("done"));
    let merge = |out: &Path, sources: &[&Path]| -> String {
        let mut arguments: Vec<&Path> = vec!["--out".as_ref(), out];
        arguments.extend(sources);
        let output = succeed("sweep merge", &arguments);
        String::from_utf8(output.stderr).unwrap()
    };
    let is_done = |out: &Path| {
        let screen = succeed("sweep --dry-run", &[&whole, "--out".as_ref(), out]).stdout;
        let screen = String::from_utf8(screen).unwrap();
        screen.contains("2 done, 0 to do")
    };
    let (given_up, done) = (at("given-up"), at("done"));
    for (name, sources) in [("ab", [&given_up, &done]), ("ba", [&done, &given_up])] {
        // Two conditions' names: two rows of each run.
        assert_eq!(merge(&at(name), &sources.map(|it| it.as_path())), "");
        assert_eq!(results(&at(name)).len(), 4, "{name}");
        assert!(is_done(&at(name)), "{name}");
    }
    // What is there stays, and is joined with what comes.
    let other = file(
        folder.path(),
        "other.toml",
        "seeds = 7\n[settings]\nnum = 64\nmax-epochs = 2",
    );
    sweep("", &other, &at("joined"));
    assert_eq!(merge(&at("joined"), &[&done]), "");
    assert_eq!(results(&at("joined")).len(), 3);
    assert!(is_done(&at("joined")));
    // A sweep that was killed before it wrote its table; a result that is none.
    let killed = at("killed");
    fs::create_dir_all(killed.join("results")).unwrap();
    for row in results(&done) {
        let result = format!("results/{}.toml", row["key"]);
        fs::copy(done.join(&result), killed.join(&result)).unwrap();
    }
    file(&killed.join("results"), "broken.toml", "epochs = ");
    let said = merge(&at("of-killed"), &[&killed]);
    assert!(
        said.contains("killed has 2 results that its table"),
        "{said}"
    );
    assert!(
        said.contains("left out") && said.contains("broken.toml"),
        "{said}"
    );
    assert!(results(&at("of-killed")).is_empty() && is_done(&at("of-killed")));
    // Rows alone are no results to go on from.
    let said = merge(&at("rows"), &[&done.join("results.csv")]);
    assert!(said.contains("2 of the runs came as rows"), "{said}");
    assert!(!is_done(&at("rows")));
    // Results that disagree, though their tables do not say so.
    let result = killed.join(format!("results/{}.toml", results(&done)[0]["key"]));
    let ops = format!("ops = {}", results(&done)[0]["ops"]);
    fs::write(&result, read_text(&result).replace(&ops, "ops = 1")).unwrap();
    let arguments: [&Path; 4] = ["--out".as_ref(), &at("wrong"), &done, &killed];
    fail(
        2,
        "sweep merge",
        &arguments,
        &["disagree", "ops", "`1`", "killed"],
    );
}

/// Tables of two files, which differ in other settings, are one table: what one of them does
/// not say is no disagreement.
#[test]
fn tables_of_different_settings_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let plain =
        "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2\n[[condition]]\nname = \"default\"\n";
    let more = |text: &str| format!("{plain}[[condition]]\nname = \"other\"\n{text}\n");
    let a = file(folder.path(), "a.toml", &more("max-steps = 100"));
    let b = file(folder.path(), "b.toml", &more("fixed-shuffle = true"));
    sweep("", &a, &at("a"));
    sweep("", &b, &at("b"));
    let arguments: [&Path; 4] = ["--out".as_ref(), &at("ab"), &at("a"), &at("b")];
    succeed("sweep merge", &arguments);
    let rows = results(&at("ab"));
    let told = |i: usize, name: &str| rows[i][name].as_str();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (told(0, "condition"), told(0, "max-steps")),
        ("default", "8192")
    );
    assert_eq!(told(0, "settings"), "");
    let others: Vec<&str> = (1..3).map(|i| told(i, "settings")).collect();
    assert_eq!(others, ["{ max-steps = 100 }", "{ fixed-shuffle = true }"]);
}

/// Every cell of the Parquet file is that of the CSV.
#[test]
fn parquet_says_what_csv_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = format!(
        "seeds = [1, \"18446744073709551615\"]\n{LIVELY}[[condition]]\n\
         name = \"a, \\\"b\\\" and ü\"\nexpected = 0.25\n[[condition]]\nname = \"c\"\n\
         max-steps = 100\nlang = \"bff\"\n"
    );
    sweep("", &file(folder.path(), "two.toml", &text), &out);
    let reader = SerializedFileReader::new(File::open(out.join("results.parquet")).unwrap());
    let mut parquet = Vec::new();
    for row in reader.unwrap().get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let cells = row.get_column_iter().map(|(name, field)| {
            let text = match field {
                Field::Null => String::new(),
                Field::ULong(count) => count.to_string(),
                Field::Double(number) => number.to_string(),
                Field::Str(text) => text.clone(),
                other => panic!("{name}: {other:?}"),
            };
            (name.clone(), text)
        });
        parquet.push(cells.collect::<BTreeMap<String, String>>());
    }
    let csv = rows(&out.join("results.csv"));
    assert_eq!((csv.len(), parquet.len()), (4, 4));
    for (csv, parquet) in csv.iter().zip(&parquet) {
        assert!(csv.keys().eq(parquet.keys()));
        for (name, cell) in csv {
            let other = &parquet[name];
            // Of single precision in one, of double in the other.
            let numbers = cell.parse::<f32>().ok().zip(other.parse::<f32>().ok());
            assert!(
                cell == other || numbers.is_some_and(|(a, b)| a == b),
                "{name} {cell} {other}"
            );
        }
    }
    assert_eq!(csv[0]["condition"], "a, \"b\" and ü");
    assert_eq!(csv[1]["seed"], "18446744073709551615");
    assert_eq!(
        (csv[0]["expected"].as_str(), csv[2]["expected"].as_str()),
        ("0.25", "")
    );
    assert_eq!(
        (csv[0]["max-steps"].as_str(), csv[2]["max-steps"].as_str()),
        ("8192", "100")
    );
    assert_eq!(
        (csv[0]["lang"].as_str(), csv[2]["lang"].as_str()),
        ("forthtrivial", "bff")
    );
}
