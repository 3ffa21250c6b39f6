//! Wrong flags and broken files: one message that says what, where and how to
//! mend it, exit code 2 or 1, and nothing left behind.

use std::fs;
use std::path::Path;

use crate::common::{data, fail, succeed};

/// How many run folders there are where these tests would make them; a user
/// may have some already.
fn run_folders() -> usize {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
    fs::read_dir(runs).map_or(0, Iterator::count)
}

/// Command lines, and words of the messages that refuse them.
const WRONG_FLAGS: &[(&str, &[&str])] = &[
    (
        "run --lang bff_nohead",
        &["unknown language", "did you mean `bff_noheads`", "subleq"],
    ),
    ("run --lang zzz", &["unknown language", "rsubleq4"]),
    ("run --num 3", &["--num 3", "even"]),
    ("run --num 0", &["--num 0", "from 2 up"]),
    ("run --num -2", &["--num"]),
    ("run --num 4294967296", &["--num 4294967296", "at most"]),
    ("run --num 99999999998", &["--num 99999999998", "at most"]),
    (
        "run --mutation-prob 1.5",
        &["--mutation-prob", "from 0 to 1"],
    ),
    (
        "run --mutation-prob -1",
        &["--mutation-prob", "from 0 to 1"],
    ),
    (
        "run --mutation-prob nan",
        &["--mutation-prob", "from 0 to 1"],
    ),
    (
        "run --mutation-prob 1/0",
        &["--mutation-prob", "from 0 to 1"],
    ),
    (
        "run --fixed-shuffle --num 1000",
        &["--fixed-shuffle", "power of two", "1000"],
    ),
    (
        "run --fixed-shuffle --grid 8x8",
        &["--fixed-shuffle", "--grid"],
    ),
    (
        "run --fixed-shuffle --interaction-pattern x",
        &["--fixed-shuffle", "--interaction-pattern"],
    ),
    (
        "run --fixed-shuffle --no-permute-programs",
        &["--fixed-shuffle"],
    ),
    ("run --grid 8x8 --num 100", &["--grid 8x8", "100"]),
    ("run --grid 8", &["--grid", "240x135"]),
    ("run --grid 0x8", &["--grid", "240x135"]),
    ("run --grid 3x5", &["--num 15", "even"]),
    ("run --grid 99999999999x99999999999", &["--grid", "240x135"]),
    ("run --grid 8x8 --radius 0", &["--radius 0"]),
    (
        "run --grid 8x8 --radius 18446744073709551616",
        &["--radius"],
    ),
    ("run --radius 3", &["--grid"]),
    (
        "run --initial-program [x]",
        &["--initial-program", "character 2", "'x'"],
    ),
    (
        "run --lang forth --initial-program 4",
        &["--initial-program", "character 1", "half a byte"],
    ),
    (
        "run --initial-program [] --num 64 --initial-index 64",
        &["--initial-index 64", "0 to 63"],
    ),
    (
        "run --initial-index 3",
        &["--initial-index 3", "--initial-program"],
    ),
    ("run --reset-interval 0", &["--reset-interval 0"]),
    ("run --log-interval 0", &["--log-interval 0"]),
    ("run --checkpoint-interval 0", &["--checkpoint-interval 0"]),
    ("run --max-epochs 0", &["--max-epochs 0"]),
    ("run --max-epochs 18446744073709551615", &["--max-epochs"]),
    ("run --stopping-bpb nan", &["--stopping-bpb"]),
    ("run --seed x", &["--seed", "random"]),
    ("run --seed 18446744073709551616", &["--seed", "2^64"]),
    ("run --threads 0", &["--threads"]),
    ("run --engine warp", &["unknown engine", "reference"]),
    ("run --jit-cache-mib 0", &["--jit-cache-mib", "1 or more"]),
    ("run --jit-cache-mib all", &["--jit-cache-mib", "2^17"]),
    (
        "run --no-closed-forms=x",
        &["--no-closed-forms", "true, false"],
    ),
    ("exec --jit-cache-mib -1 []", &["--jit-cache-mib"]),
    (
        "exec --trace --engine jit []",
        &["--trace", "engine jit", "leave out"],
    ),
    ("run --load a --resume b", &["--load", "--resume"]),
    ("run --resume a --seed 3", &["--resume", "--seed"]),
    ("run --load a --num 4", &["--load", "--num"]),
    (
        "run --load no-such-file",
        &["no-such-file", "check the path"],
    ),
    (
        "run --resume no-such-folder",
        &["no-such-folder", "check the path"],
    ),
    (
        "run --interaction-pattern no-such-file",
        &["no-such-file", "check the path"],
    ),
    ("exec --lang bff [é]", &["character 2"]),
    ("exec --lang bff --hex 5", &["character 1", "half a byte"]),
    ("exec --file no-such-file", &["no-such-file"]),
    ("exec", &["PROGRAM"]),
    ("exec --file x []", &["--file"]),
    ("inspect no-such-file", &["no-such-file"]),
    ("inspect .", &["not a run folder", "no checkpoints"]),
    ("frobnicate", &["frobnicate"]),
    ("jit", &["stats", "show"]),
    ("jit stats", &["<RUN>"]),
    ("jit stats no-such-folder", &["check the path"]),
    ("jit show", &["--program", "--checkpoint"]),
    ("jit show no-such-folder", &["check the path"]),
    ("jit show --epochs 0 .", &["--epochs", "1 or more"]),
    (
        "jit show --checkpoint tests/data/cubff-513.dat",
        &["no sidecar", "give --lang"],
    ),
    ("jit show --program [x]", &["--program", "character 2"]),
    ("jit show --program -] --as loop", &["begins with `[`"]),
    (
        "jit show --program -] --as middle",
        &["--as", "left, right, loop"],
    ),
    ("jit show --program [-] --entry 1", &["--entry"]),
    ("jit show --program [-] .", &["--program"]),
    (
        "jit show --lang forth --program 00",
        &["Forth loop", "jump back"],
    ),
    (
        "jit show --lang subleq --checkpoint tests/data/cubff-513.dat",
        &["no native code for subleq"],
    ),
];

#[test]
fn wrong_flags_are_usage_errors() {
    let before = run_folders();
    for (words, hints) in WRONG_FLAGS {
        fail(2, words, &[], hints);
    }
    let long = "[".repeat(65);
    fail(
        2,
        "run --initial-program",
        &[Path::new(&long)],
        &["65 bytes", "at most 64"],
    );
    let long = "5b".repeat(129);
    fail(
        2,
        "exec --hex",
        &[Path::new(&long)],
        &["more than 128 bytes"],
    );
    assert_eq!(run_folders(), before, "a run folder was left behind");
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed("run --num 2 --max-epochs 1 --quiet --out", &[&out]);
    fail(
        2,
        "run --num 2 --max-epochs 1 --out",
        &[&out],
        &["exists", "--resume"],
    );
    let log = folder.path().join("log.csv");
    fs::write(&log, "precious").unwrap();
    let new = folder.path().join("new");
    fail(
        2,
        "run --num 2 --max-epochs 1 --log",
        &[&log, "--out".as_ref(), &new],
        &["log.csv", "exists"],
    );
    fail(
        2,
        "run --num 2 --max-epochs 1 --checkpoint-dir",
        &[&out.join("checkpoints"), "--out".as_ref(), &new],
        &["checkpoints of another run"],
    );
    assert_eq!(fs::read_to_string(&log).unwrap(), "precious");
    assert!(!new.exists());
}

#[test]
fn patterns_are_checked_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("pattern");
    let out = folder.path().join("out");
    for (text, hints) in [
        ("0 1\n1 64\n", ["line 2", "outside the soup"]),
        ("5 5\n", ["line 1", "cannot meet itself"]),
        ("0 1\n0 x\n", ["line 2", "not a program number"]),
        ("0\n", ["line 1", "not two program numbers"]),
    ] {
        fs::write(&pattern, text).unwrap();
        fail(
            2,
            "run --num 64 --max-epochs 1 --interaction-pattern",
            &[&pattern, "--out".as_ref(), &out],
            &hints,
        );
    }
    assert!(!out.exists());
}

#[test]
fn checkpoints_are_checked_before_they_are_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.dat");
    let out = folder.path().join("out");
    let good = fs::read(data("cubff-513.dat")).unwrap();
    let mut no_programs = good[..24].to_vec();
    no_programs[8..16].fill(0);
    let mut odd = good.clone();
    odd[8] = 63;
    let mut huge = good.clone();
    huge[8..16].fill(0xff);
    let mut longer = good.clone();
    longer.push(0);
    for (bytes, hint) in [
        (good[..23].to_vec(), "23 bytes"),
        (Vec::new(), "0 bytes"),
        (good[..1000].to_vec(), "cut short"),
        (longer, "something else"),
        (no_programs, "even number"),
        (odd, "even number"),
        (huge, "18446744073709551615 programs"),
        (
            b"not a checkpoint, but long enough to be one".to_vec(),
            "is not a checkpoint",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        fail(2, "inspect", &[&path], &["c.dat", hint]);
        fail(
            2,
            "run --lang bff_noheads --load",
            &[&path, "--out".as_ref(), &out],
            &["c.dat", hint],
        );
    }
    assert!(!out.exists());
    fs::write(&path, &good).unwrap();
    fail(
        2,
        "run --lang bff_noheads --max-epochs 513 --load",
        &[&path, "--out".as_ref(), &out],
        &["513 epochs", "--max-epochs"],
    );
    assert!(!out.exists());
}

/// A header that asks for more memory than there is, in a file of that size
/// (with nothing in it, so that it takes no room on the disk).
#[test]
fn a_checkpoint_larger_than_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.dat");
    let programs: u64 = 1 << 31;
    let mut header = [0u8; 24];
    header[8..16].copy_from_slice(&programs.to_le_bytes());
    fs::write(&path, header).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    if file.set_len(24 + 64 * programs).is_err() {
        return; // a file system without such files
    }
    fail(2, "inspect", &[&path], &["c.dat", "memory"]);
}

#[test]
fn broken_run_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --num 64 --max-epochs 9 --log-interval 4 --quiet --out",
        &[&out],
    );
    let settings = out.join("settings.toml");
    let good = fs::read_to_string(&settings).unwrap();
    for (from, to, hint) in [
        (
            "lang = \"bff_noheads\"",
            "lang = \"bff_nohead\"",
            "did you mean",
        ),
        ("num = 64", "num = 63", "even"),
        ("num = 64", "num = ", "settings.toml"),
        ("seed = 0", "seed = -1", "negative"),
        ("seed = 0", "speed = 0", "speed"),
        (
            "mutation-prob = 0.000244140625",
            "mutation-prob = 7.0",
            "between 0 and 1",
        ),
        ("log-interval = 4", "log-interval = 0", "log-interval 0"),
        ("jit-cache-mib = 64", "jit-cache-mib = 0", "from 1 up"),
        ("jit-cache-mib = 64", "no-closed-forms = 3", "settings.toml"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&settings, good.replace(from, to)).unwrap();
        fail(2, "run --resume", &[&out], &["settings.toml", hint]);
    }
    fs::write(&settings, &good).unwrap();
    fs::write(out.join("metrics.csv"), "something else\n").unwrap();
    fail(
        2,
        "run --max-epochs 20 --resume",
        &[&out],
        &["metrics.csv", "does not begin with"],
    );
    fail(2, "run --resume", &[folder.path()], &["no settings.toml"]);
}

#[test]
fn folders_that_cannot_be_made_are_run_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for below in [&file, Path::new("/proc")] {
        fail(
            1,
            "run --num 2 --max-epochs 1 --out",
            &[&below.join("run")],
            &["cannot create", &below.display().to_string()],
        );
    }
}
