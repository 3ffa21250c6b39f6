//! Tracer tokens on the command line: kept beside checkpoints, gone on with, logged.

use std::fs;

use crate::common::{fail, read, read_text, succeed};

const RUN: &str = "run --lang bff_noheads_4bit --num 512 --seed 5 --tracers --quiet \
                   --log-interval 16 --checkpoint-interval 32";

/// The same tokens and the same rows, in one go or resumed, whatever is asked of threads and
/// engine; the same soup as without tokens.
#[test]
fn a_resumed_run_goes_on_with_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    succeed(&format!("{RUN} --max-epochs 300 --out"), &[&run("whole")]);
    succeed(
        &format!("{RUN} --max-epochs 150 --threads 1 --out"),
        &[&run("halves")],
    );
    succeed(
        "run --quiet --max-epochs 300 --engine reference --resume",
        &[&run("halves")],
    );
    let untraced = RUN.replace("--tracers", "");
    succeed(
        &format!("{untraced} --max-epochs 300 --out"),
        &[&run("untraced")],
    );
    let file = |name: &str, file: &str| read(run(name).join(file));
    for name in ["checkpoints/0000000300.tokens", "metrics.csv"] {
        assert!(file("whole", name) == file("halves", name), "{name}");
    }
    let soup = "checkpoints/0000000300.dat";
    assert!(file("whole", soup) == file("untraced", soup));
    assert!(
        !run("untraced")
            .join("checkpoints/0000000300.tokens")
            .exists()
    );
    // Ever fewer tokens are left, and each says what its byte is.
    let metrics = read_text(run("whole").join("metrics.csv"));
    assert!(
        metrics
            .lines()
            .next()
            .unwrap()
            .ends_with(",distinct_tokens,commonest_token_share")
    );
    let distinct: Vec<u64> = metrics
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(distinct.len(), 19);
    assert!(
        distinct[0] > 30_000 && distinct[18] < 26_000,
        "{distinct:?}"
    );
    let tokens = file("whole", "checkpoints/0000000300.tokens");
    let bytes = &file("whole", soup)[24..];
    assert!(
        tokens
            .chunks(8)
            .map(|token| token[0])
            .eq(bytes.iter().copied())
    );
}

/// A checkpoint whose tokens are missing, cut short or others is skipped and named.
#[test]
fn tokens_that_are_not_what_was_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(&format!("{RUN} --max-epochs 100 --keep 2 --out"), &[&out]);
    let mut kept: Vec<_> = fs::read_dir(out.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    let names = ["0000000097", "0000000100"];
    let endings = ["dat", "tokens", "toml"];
    let expected = names
        .iter()
        .flat_map(|name| endings.map(|ending| format!("{name}.{ending}")));
    assert!(kept.iter().cloned().eq(expected), "{kept:?}");
    let path = out.join("checkpoints/0000000100.tokens");
    let whole = read(&path);
    let mut other = whole.clone();
    other[3] ^= 1;
    for (bytes, hint) in [
        (Some(&whole[1..]), "0000000100.tokens has 262143 bytes"),
        (Some(&other), "has other tokens than were written"),
        (None, "cannot read"),
    ] {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let copy = folder.path().join(hint);
        copy_run(&out, &copy);
        let resumed = succeed("run --max-epochs 110 --resume", &[&copy]);
        let said = String::from_utf8_lossy(&resumed.stderr).to_string();
        assert!(
            said.contains("skipped") && said.contains(hint),
            "{hint}: {said}"
        );
        assert!(said.contains("from epoch 97"), "{hint}: {said}");
    }
}

fn copy_run(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy_run(&path, &to),
            false => fs::copy(&path, &to).map(|_| ()).unwrap(),
        }
    }
}

/// From a checkpoint all bytes get new tokens, of its epoch; only the BFF family has any.
#[test]
fn tokens_begin_where_a_run_does() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    let untraced = RUN.replace("--tracers", "");
    succeed(
        &format!("{untraced} --max-epochs 33 --out"),
        &[&run("first")],
    );
    let start = run("first").join("checkpoints/0000000033.dat");
    succeed(
        "run --lang bff_noheads_4bit --seed 5 --tracers --quiet --max-epochs 65 --load",
        &[&start, "--out".as_ref(), &run("second")],
    );
    let epochs = |epochs_done: u64| {
        let name = format!("checkpoints/{epochs_done:010}.tokens");
        let tokens = read(run("second").join(name));
        let (tokens, _) = tokens.as_chunks();
        tokens
            .iter()
            .map(|token| u64::from_le_bytes(*token) >> 40)
            .collect::<Vec<_>>()
    };
    assert!(epochs(33).iter().all(|epoch| *epoch == 33));
    assert!(epochs(65).contains(&33) && epochs(65).iter().max() == Some(&64));
    fail(
        2,
        "run --lang subleq --num 4 --tracers",
        &[],
        &["--tracers", "BFF family", "--lang"],
    );
    fail(
        2,
        "run --num 4 --tracers --max-epochs 99999999",
        &[],
        &["--tracers", "--max-epochs", "16777216"],
    );
}
