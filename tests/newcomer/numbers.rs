//! Counts and seeds, however they are written.

use super::{said, small_run};
use crate::common::{fail, read_text};

/// How people write 2,000 and others.
const FORMS: [(&str, u64); 8] = [
    ("2000", 2000),
    ("2,000", 2000),
    ("2_000", 2000),
    ("2k", 2000),
    ("2e3", 2000),
    ("2.5k", 2500),
    ("2^11", 2048),
    ("0x7d0", 2000),
];

#[test]
fn counts_and_seeds_of_a_run_are_read_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    for (i, (text, number)) in FORMS.into_iter().enumerate() {
        let out = folder.path().join(i.to_string());
        let flags = format!(
            "run --quiet --num {text} --seed {text} --max-steps {text} --max-epochs 1 \
             --log-interval {text} --checkpoint-interval {text} --keep {text} \
             --reset-interval {text} --jit-cache-mib {text} --threads 1 --out"
        );
        said(&flags, &[&out]);
        let settings = read_text(out.join("settings.toml"));
        for key in [
            "num",
            "seed",
            "max-steps",
            "log-interval",
            "checkpoint-interval",
            "keep",
            "reset-interval",
            "jit-cache-mib",
        ] {
            let line = format!("\n{key} = {number}\n");
            assert!(settings.contains(&line), "{text}: no {line} in {settings}");
        }
        said(
            &format!("run --quiet --max-epochs {text} --threads 1 --resume"),
            &[&out],
        );
        let settings = read_text(out.join("settings.toml"));
        assert!(
            settings.contains(&format!("max-epochs = {number}\n")),
            "{settings}"
        );
    }
}

#[test]
fn numbers_of_every_command_are_read_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(
        folder.path(),
        "run",
        "--max-epochs 9 --checkpoint-interval 4",
    );
    for words in [
        "census --top 0x3 --sequences 2^2",
        "strip --quiet --from 0x1 --to 2^3 --every 0x2 --programs 0x0..2^4",
        "events --from 0x2 --to 2^2 --threads 2^0 --quiet",
        "show-interaction --epoch 0x2 --pair 2^1 --threads 2^0",
        "ancestry --program 0x3 --epoch 2^3 --changes 1e1 --threads 0x1 --quiet",
        "jit show --epochs 0x2 --top 2^3",
    ] {
        said(words, &[&run]);
    }
    for words in [
        "search --max-programs 16k --finds 1e3 --seed 0x1d --threads 0x1 --threshold 2^4 --quiet",
        "selfrep --seed 2^40 [[{.>]-]]-]>.{[[",
        "exec --max-steps 1.5k [[{.>]-]]-]>.{[[",
        "verify --interactions 1e2 --seed 0x1d --threads 2^0 --lang bff --from random --quiet",
    ] {
        said(words, &[]);
    }
    let grid = folder.path().join("grid");
    said(
        "run --quiet --grid 2^3x0x10 --radius 0x1 --max-epochs 1 --out",
        &[&grid],
    );
    assert!(read_text(grid.join("settings.toml")).contains("num = 128\n"));
}

#[test]
fn what_cannot_be_read_is_answered_with_what_can() {
    for (words, hints) in [
        ("run --num abc", &["--num", "`abc` is not a number"][..]),
        ("run --num 1.5", &["--num", "`1.5` is a fraction"]),
        (
            "run --max-epochs 1.2345k",
            &["--max-epochs", "is a fraction"],
        ),
        ("run --seed 1,5", &["--seed", "is not a number", "`random`"]),
        ("run --max-epochs -5", &["--max-epochs", "from 0 up"]),
        ("run --num=", &["--num", "a number is missing"]),
        ("search --seed x", &["--seed"]),
        ("selfrep --seed x []", &["--seed"]),
        ("exec --max-steps 8ki []", &["--max-steps"]),
        ("strip --every x run", &["--every"]),
        ("census --top 1,00 run", &["--top"]),
        ("sweep --jobs x file", &["--jobs"]),
        ("bench --num x", &["--num"]),
        ("verify --interactions x", &["--interactions"]),
        ("verify --seed x", &["--seed"]),
    ] {
        let forms = ["131k", "1e6", "2^17", "131,072", "0x1d"];
        fail(2, words, &[], &[hints, &forms].concat());
    }
    for (words, hint) in [
        ("run --seed 2^64", "below 2^64"),
        ("run --max-epochs 2^63", "to 9,223,372,036,854,775,807"),
        ("run --max-steps 2^32", "below 2^32"),
        ("run --threads 0", "from 1 to 1,024"),
        ("run --keep 0", "choose 1 or more"),
        ("run --max-epochs 0", "--max-epochs 0: choose 1 or more"),
        ("run --log-interval 0", "choose 1 or more"),
        ("run --checkpoint-interval 0", "choose 1 or more"),
        ("run --frames x --frame-interval 0", "choose 1 or more"),
        ("run --reset-interval 0", "choose 1 or more"),
        ("film --every 0 run", "choose 1 or more"),
        ("bench --epochs 0", "choose 1 or more"),
        ("verify --interactions 0", "choose 1 or more"),
        ("census --top 1001 run", "from 1 to 1,000"),
        ("search --threshold 65", "from 1 to 64"),
    ] {
        fail(2, words, &[], &[hint]);
    }
}

#[test]
fn sweep_and_settings_files_read_numbers_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forms.toml");
    let text = "seeds = \"0x1-2^1, 1e1\"\n[settings]\nnum = \"2^6\"\nmax-steps = \"1.5k\"\n\
                max-epochs = 1e1\nlog-interval = \"0x5\"\nepochs-after-alive = \"1k\"\n\
                [vary]\nreset-interval = [\"1k\", \"2,000\", \"none\"]\n";
    std::fs::write(&file, text).unwrap();
    let out = folder.path().join("results");
    said("sweep --quiet", &[&file, "--out".as_ref(), &out]);
    let table = read_text(out.join("results.csv"));
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 1 + 3 * 3, "{table}");
    for (text, hints) in [
        ("max-epochs = \"x\"", ["max-epochs", "2^17"]),
        ("max-epochs = 1.5", ["max-epochs", "whole number"]),
        ("epochs-after-alive = \"x\"", ["epochs-after-alive", "2^17"]),
    ] {
        std::fs::write(&file, format!("seeds = 1\n[settings]\n{text}\n")).unwrap();
        fail(2, "sweep --dry-run", &[&file], &hints);
    }
    let settings = folder.path().join("mine.toml");
    std::fs::write(
        &settings,
        "num = \"2^6\"\nseed = \"0x1d\"\nmax-epochs = 2e0\n",
    )
    .unwrap();
    let run = folder.path().join("mine");
    said(
        "run --quiet --settings",
        &[&settings, "--out".as_ref(), &run],
    );
    let written = read_text(run.join("settings.toml"));
    for line in ["num = 64\n", "seed = 29\n", "max-epochs = 2\n"] {
        assert!(written.contains(line), "{written}");
    }
}
