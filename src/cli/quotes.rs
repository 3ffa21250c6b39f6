//! Paths with spaces that were given without quotes, so that a shell took them apart.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use broth::Error;

use super::program::{self, quoted};

/// Neighbours among the words of a command line that together name something that exists, the
/// longest such path first.
fn path_in_parts(words: &[String], exists: impl Fn(&str) -> bool) -> Option<String> {
    let is_part = |word: &String| !word.starts_with('-');
    let stretches = stretches(words, is_part);
    let ranges = stretches.into_iter().flat_map(|stretch| {
        let ends = stretch.clone().flat_map(move |start| {
            let ends = (start + 2)..=stretch.end;
            ends.map(move |end| start..end)
        });
        ends.collect::<Vec<_>>()
    });
    let mut ranges: Vec<Range<usize>> = ranges.collect();
    ranges.sort_by_key(|range| std::cmp::Reverse(range.len()));
    let mut paths = ranges.into_iter().map(|range| words[range].join(" "));
    paths.find(|path| exists(path))
}

/// The longest stretches of words of which all are parts.
fn stretches(words: &[String], is_part: impl Fn(&String) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for end in 0..=words.len() {
        if words.get(end).is_none_or(|word| !is_part(word)) {
            if start < end {
                found.push(start..end);
            }
            start = end + 1;
        }
    }
    found
}

/// What to say where the words of a command line hold a path in parts; the first of them is the
/// program.
pub(super) fn tip(words: &[OsString]) -> Option<String> {
    let words = words.iter().skip(1);
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let path = path_in_parts(&words, |path| Path::new(path).exists())?;
    Some(format!(
        "`{path}` exists: a path with spaces needs quotes, as in {}",
        quoted(&path)
    ))
}

/// What to add to an error about a path that leads nowhere.
pub(super) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::System { source, .. } if source.kind() == ErrorKind::NotFound => {
            tip(program::words()).map(|tip| format!("; {tip}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_put_together() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let found = |text: &str| {
            let there = ["my run", "my run 2", "b c"];
            path_in_parts(&words(text), |path| there.contains(&path))
        };
        for (text, path) in [
            ("census my run", Some("my run")),
            ("census my run --top 3", Some("my run")),
            ("census --top 3 my run", Some("my run")),
            ("census my run 2", Some("my run 2")),
            ("sweep merge a b c --out d", Some("b c")),
            ("census my --top run", None),
            ("census myrun", None),
            ("census", None),
            ("my --x b c", Some("b c")),
        ] {
            assert_eq!(found(text).as_deref(), path, "{text}");
        }
    }
}
