//! Commands that messages suggest, as they may be pasted into a shell: the program is called as
//! it was called, and paths are in quotes where they have to be.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{LazyLock, OnceLock};

/// All words of the command line, the first of them the program.
static WORDS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Keep the words that the program was called by.
pub(super) fn called_by(words: impl Iterator<Item = OsString>) -> &'static [OsString] {
    WORDS.get_or_init(|| words.collect())
}

/// The words that the program was called by.
pub(super) fn words() -> &'static [OsString] {
    called_by(std::env::args_os())
}

/// How the program was called.
static NAME: LazyLock<String> = LazyLock::new(|| {
    let name = words().first();
    match name.and_then(|name| name.to_str()) {
        Some(name) if !name.is_empty() => quoted(name),
        _ => "broth".into(),
    }
});

/// The program with these arguments.
pub(super) fn command(arguments: &str) -> String {
    format!("{} {arguments}", *NAME)
}

/// A path as an argument.
pub(super) fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// A message of the library, in which the program is called `broth`.
pub(super) fn as_called(message: &str) -> String {
    message.replace("`broth ", &format!("`{} ", *NAME))
}

/// A word as a shell reads it: in quotes where it has to be.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "-_./,:=+@%".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for plain in ["runs/bff-seed-0", "a_b.c,d:e=f+g@h%", "größe"] {
            assert_eq!(quoted(plain), plain);
        }
        for (word, shown) in [
            ("", "''"),
            ("my runs/a", "'my runs/a'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("a;b", "'a;b'"),
            ("~", "'~'"),
            ("*", "'*'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
