//! The library knows no command line: its messages name fields, not flags.

use std::path::{Path, PathBuf};

use crate::common::read_text;

/// What settings.toml says of the program that wrote it.
const IN_FILES: &str = "A run of broth. `broth run --resume` with this folder goes on with it;";

/// The Rust files below `folder`, without unit tests of their own.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("src/cli") {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The lines of `source` that name a flag, comments and unit tests aside.
fn lines_with_flags(source: &str) -> Vec<&str> {
    let code = source.split("\n#[cfg(test)]\nmod tests {").next();
    let lines = code.unwrap_or(source).lines();
    let is_flag = |line: &str| {
        let parts = line.split("--").skip(1);
        let mut flags = parts.filter(|it| it.starts_with(|char: char| char.is_ascii_lowercase()));
        flags.next().is_some()
    };
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| is_flag(line) && !line.contains(IN_FILES))
        .collect()
}

#[test]
fn messages_of_the_library_name_no_flags() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 100, "{} files", files.len());
    for path in files {
        let source = read_text(&path);
        let found = lines_with_flags(&source);
        assert!(found.is_empty(), "{}: {found:#?}", path.display());
    }
}

#[test]
fn flags_are_found() {
    let source = "/// `--num`\n  // --num\nlet x = \"give --num\"; // --seed\nlet y = - -1; // --\n\
                  \"\\\n    --out {}\"\n#[cfg(test)]\nmod tests {\n\"--num\"";
    assert_eq!(
        lines_with_flags(source),
        ["let x = \"give --num\"; // --seed", "    --out {}\""]
    );
}
