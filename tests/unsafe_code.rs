//! docs/unsafe.md lists the unsafe code of each source file, by number; here it is counted.

use std::collections::BTreeMap;
use std::path::Path;

/// Blocks, functions (and their types), impls.
type Counts = [usize; 3];

/// The words and signs of `source`, without comments, and with no literals of text.
pub(crate) fn code_of(source: &str) -> String {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut code = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let word = &rest[..rest.find(|char| !is_word(char)).unwrap_or(rest.len())];
        let behind = rest[word.len()..].trim_start_matches('#');
        let to = |from: usize, end: &str| {
            let found = rest[from..].find(end).expect("comments and literals end");
            from + found + end.len()
        };
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            to(2, "*/")
        } else if matches!(word, "r" | "br") && behind.starts_with('"') {
            let hashes = rest.len() - word.len() - behind.len();
            to(
                word.len() + hashes + 1,
                &format!("\"{}", "#".repeat(hashes)),
            )
        } else if next == '"' {
            let mut is_escaped = false;
            let end = rest[1..].find(|char| {
                let ends = char == '"' && !is_escaped;
                is_escaped = char == '\\' && !is_escaped;
                ends
            });
            end.expect("text ends") + 2
        } else if rest.starts_with("'\\") {
            to(3, "'")
        } else if next == '\'' && rest.chars().nth(2) == Some('\'') {
            // Not a lifetime.
            to(1 + rest[1..].chars().next().map_or(0, char::len_utf8), "'")
        } else if !word.is_empty() {
            code.push_str(word);
            word.len()
        } else {
            code.extend([' ', next]);
            next.len_utf8()
        };
        code.push_str(if is_word(next) { "" } else { " " });
        rest = &rest[len..];
    }
    code
}

/// What `unsafe` begins with in some code.
fn count(source: &str) -> Counts {
    let code = code_of(source);
    let mut counts = [0; 3];
    let mut words = code.split_whitespace();
    while let Some(word) = words.next() {
        if word == "unsafe" {
            match words.next() {
                Some("{") => counts[0] += 1,
                Some("fn" | "extern") => counts[1] += 1,
                Some("impl") => counts[2] += 1,
                other => panic!("unsafe {other:?}: count it, too, here and in docs/unsafe.md"),
            }
        }
    }
    counts
}

/// The files with unsafe code below `folder`, by their paths in the package.
fn count_files(folder: &Path, found: &mut BTreeMap<String, Counts>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let counts = count(&std::fs::read_to_string(&path).unwrap());
            if counts != [0; 3] {
                let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                found.insert(path.to_str().unwrap().replace('\\', "/"), counts);
            }
        }
    }
}

/// The rows of the table: what is in the first column, and the three numbers that follow.
fn listed() -> BTreeMap<String, Counts> {
    let text = include_str!("../docs/unsafe.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let file = cells.next()?.trim_matches('`').to_owned();
        let mut number = || cells.next()?.parse().ok();
        Some((file, [number()?, number()?, number()?]))
    });
    rows.collect()
}

#[test]
fn all_unsafe_code_is_listed() {
    let mut found = BTreeMap::new();
    count_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    let sum = |sum: Counts, counts: &Counts| std::array::from_fn(|i| sum[i] + counts[i]);
    let sum = found.values().fold([0; 3], sum);
    found.insert("all".into(), sum);
    let listed = listed();
    for file in found.keys().chain(listed.keys()) {
        let (found, listed) = (found.get(file), listed.get(file));
        assert_eq!(
            found, listed,
            "{file}: the blocks, functions and impls that are unsafe, found and listed. Put the \
             numbers of all files in the table of docs/unsafe.md right, and say there why the \
             code is sound and what compares it with safe code; or do without."
        );
    }
}

#[test]
fn comments_and_literals_are_not_counted() {
    let source = r##"
        // unsafe {
        /* unsafe fn */ unsafe{ "unsafe { \" unsafe {" } '"' unsafe extern "C" fn f<'a>() {}
        r#"" unsafe impl "#  '\'' b'"' r"\" unsafe impl X for Y {} not_unsafe { unsafe_ {
    "##;
    assert_eq!(count(source), [1, 1, 1]);
}
