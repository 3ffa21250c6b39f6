//! What the documentation promises a newcomer: files that can be used as they are printed, and words
//! that are explained.

use std::path::{Path, PathBuf};

use super::said;
use crate::common::read_text;

fn page(name: &str) -> String {
    read_text(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
}

/// The README and the pages that it leads to.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension() == Some("md".as_ref()));
    paths.push(root.join("README.md"));
    let pages = paths.into_iter().map(|path| {
        let text = read_text(&path);
        (path, text)
    });
    pages.collect()
}

/// The blocks of a page that are marked as being of this kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    let parts = text.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap().to_string())
        .collect()
}

/// The sweep files in the guide and in its page are whole, and sweeps can be made of them.
#[test]
fn printed_sweep_files_can_be_used_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (name, runs) in [("docs/guide.md", "60 runs"), ("docs/sweeps.md", "runs")] {
        let files = blocks(&page(name), "toml");
        let file = files
            .iter()
            .find(|text| text.starts_with("seeds") || text.contains("\nseeds"));
        let path = folder.path().join("printed.toml");
        std::fs::write(&path, file.unwrap_or_else(|| panic!("{name}"))).unwrap();
        let out = folder.path().join("out");
        let (stdout, _) = said("sweep --dry-run", &[&path, "--out".as_ref(), &out]);
        assert!(stdout.contains(runs), "{name}: {stdout}");
    }
}

/// So is the pattern file.
#[test]
fn the_printed_pattern_file_can_be_used_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let guide = page("docs/guide.md");
    let pattern = blocks(&guide, "text")
        .into_iter()
        .find(|it| it.starts_with("0 1\n"));
    let path = folder.path().join("ring.txt");
    std::fs::write(&path, pattern.unwrap()).unwrap();
    let out = folder.path().join("ring");
    let words = "run --quiet --num 8 --max-epochs 9 --log-interval 1 --out";
    said(words, &[&out, "--interaction-pattern".as_ref(), &path]);
    let metrics = read_text(out.join("metrics.csv"));
    let column = metrics
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|it| it == "interactions");
    for row in metrics.lines().skip(1) {
        let pairs: u64 = row
            .split(',')
            .nth(column.unwrap())
            .unwrap()
            .parse()
            .unwrap();
        assert!((2..=4).contains(&pairs), "{row}");
    }
}

/// Words that newcomers asked about.
#[test]
fn terms_are_in_the_glossary() {
    let glossary = page("docs/glossary.md");
    for term in [
        "step",
        "op",
        "epoch",
        "interaction",
        "log point",
        "tape",
        "soup",
        "alive",
    ] {
        let is_there = |line: &str| {
            let cell = line
                .strip_prefix("| ")
                .and_then(|rest| rest.split(" |").next());
            cell.is_some_and(|cell| cell.split(", ").any(|word| word == term))
        };
        assert!(glossary.lines().any(is_there), "{term}");
    }
    assert!(page("README.md").contains("(docs/glossary.md)"));
}

/// What broth is for, how long things take, what it cannot do, how it compares and how to cite it.
#[test]
fn the_readme_answers_first_questions() {
    let readme = page("README.md");
    for answer in [
        "broth is for you if you want to",
        "cargo install --locked --path .",
        "The first build takes about",
        "in about ten minutes",
        "## Beside cubff",
        "No GPU",
        "Tested on x86-64 Linux only",
        "(CITATION.cff)",
    ] {
        assert!(readme.contains(answer), "{answer}");
    }
    // Commands that are suggested work after it; native code is for later.
    let place = |text: &str| readme.find(text).unwrap_or(usize::MAX);
    assert!(place("cargo install") < place("\nbroth run --seed 29"));
    assert!(place("broth sweep") < place("jit"));
    let guide = page("docs/guide.md");
    assert!(guide.find("## Many soups") < guide.find("## Native code"));
    let citation = page("CITATION.cff");
    let version = format!("version: {}", env!("CARGO_PKG_VERSION"));
    for line in [
        "cff-version: 1.2.0",
        "title: broth",
        &version,
        "license: Apache-2.0",
    ] {
        assert!(citation.lines().any(|it| it == line), "{line}");
    }
}

/// How a run folder may be read while it is written.
#[test]
fn polling_a_run_folder_is_documented() {
    let folders = page("docs/run-folders.md");
    let (_, section) = folders.split_once("## While a run is in progress").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for word in [
        "--no-picture",
        "--frames",
        "latest.png",
        "`plot`",
        "`picture`",
        "`census`",
        "metrics.csv",
        "does not end in a newline",
        ".broth-unfinished-",
        "--keep",
    ] {
        assert!(section.contains(word), "{word}");
    }
}

/// Kinds of sentences over which readers stumbled.
#[test]
fn sentences_that_made_readers_stumble_are_gone() {
    const GONE: [&str; 14] = [
        "passed over by name",
        "had to do with it",
        "what is said of the engine",
        "divisible by this",
        "gone through again",
        "to its word",
        "hangs on the size",
        "come of age",
        "go on with ",
        "what there is to",
        "comes to nothing",
        "Of a run that",
        "machine refused",
        "all that there is",
    ];
    let mut helps = Vec::new();
    for command in [
        "run",
        "exec",
        "languages",
        "examples",
        "inspect",
        "selfrep",
        "census",
        "ancestry",
        "show-interaction",
        "events",
        "search",
        "plot",
        "picture",
        "strip",
        "film",
        "sweep",
        "figures",
        "bench",
        "verify",
        "jit stats",
        "jit show",
        "completions",
        "man",
    ] {
        let (help, _) = said(&format!("{command} --help"), &[]);
        helps.push((PathBuf::from(command), help));
    }
    for (path, text) in pages().into_iter().chain(helps) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for phrase in GONE {
            assert!(!text.contains(phrase), "{}: {phrase}", path.display());
        }
    }
}
