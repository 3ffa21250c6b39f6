//! No source file is longer than can be read at a sitting. Clippy holds functions to their
//! lengths and numbers of parameters: see clippy.toml.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::read_text;

const MOST_LINES: usize = 700;

/// Longer files: how long they may be, and why.
const LONGER: [(&str, usize, &str); 1] = [("src/language/cpu/z80.rs", 1500, "a CPU core")];

/// The number of lines of each Rust file below `folder`, by its path in the package.
fn count_lines(folder: &Path, lines: &mut BTreeMap<String, usize>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            count_lines(&path, lines);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let name = name.to_str().unwrap().replace('\\', "/");
            lines.insert(name, read_text(&path).lines().count());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut lines = BTreeMap::new();
    for folder in ["src", "tests", "benches", "fuzz"] {
        count_lines(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut lines,
        );
    }
    assert!(lines.len() > 100, "{} files", lines.len());
    let most = |name: &str| {
        let longer = LONGER.iter().find(|(longer, ..)| *longer == name);
        longer.map_or(MOST_LINES, |(_, most, _)| *most)
    };
    lines.retain(|name, count| *count > most(name));
    assert!(lines.is_empty(), "split these, by what they do: {lines:?}");
}
