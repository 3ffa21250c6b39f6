//! The commands in the documentation and in help texts, which must be ones that there are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use super::help;

/// Words of a command as a shell reads it, up to a pipe, a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(end), _) if char == end => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(char),
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '&' | ';' | '#' | '<') => break,
            (None, ' ') => {
                words.extend(word.take());
                // What an example does stands behind it.
                if chars.peek() == Some(&' ') {
                    break;
                }
            }
            (None, _) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

fn one_spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Commands of broth in a page: lines of its blocks of code, and spans between backquotes.
fn commands(page: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut spans) = (Vec::new(), Vec::new());
    let joined = page.replace("\\\n", " ");
    for (number, part) in joined.split("```").enumerate() {
        if number % 2 == 1 {
            let commands = part.lines().map(|line| {
                let line = line.trim();
                line.strip_prefix("$ ").unwrap_or(line)
            });
            let commands = commands.filter(|line| line.starts_with("broth "));
            // What a run prints begins with its version.
            let commands = commands.filter(|line| !line.contains(": "));
            lines.extend(commands.map(one_spaced));
        } else {
            let quoted = part.split('`').skip(1).step_by(2);
            let commands = quoted.filter(|span| span.starts_with("broth "));
            spans.extend(commands.map(one_spaced));
        }
    }
    (lines, spans)
}

/// Why a command line cannot be meant.
fn problem(line: &str, may_be_short: bool) -> Option<String> {
    let words = words(line);
    let is_placeholder = |word: &String| {
        let mut letters = word.chars().filter(|char| char.is_alphabetic()).peekable();
        letters.peek().is_some() && letters.all(char::is_uppercase)
    };
    let has_placeholder = words.iter().any(is_placeholder);
    let error = help::matches(words.iter().map(OsString::from)).err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => may_be_short,
        ErrorKind::InvalidValue => may_be_short,
        ErrorKind::ValueValidation => has_placeholder,
        ErrorKind::InvalidSubcommand => has_placeholder && may_be_short,
        _ => false,
    };
    (!is_fine).then(|| error.to_string())
}

fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "experiments"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    // One of them is about a language that is still to be made.
    let is_of_new = |path: &PathBuf| path.ends_with("adding-a-language.md");
    paths.retain(|path| path.extension() == Some("md".as_ref()) && !is_of_new(path));
    let pages = paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    });
    pages.collect()
}

#[test]
fn documented_commands_are_ones_that_there_are() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, text) in pages() {
        let (lines, spans) = commands(&text);
        let lines = lines.into_iter().map(|line| (line, false));
        let spans = spans.into_iter().map(|span| (span, true));
        for (line, may_be_short) in lines.chain(spans) {
            seen += 1;
            if let Some(problem) = problem(&line, may_be_short) {
                wrong.push(format!("{}: {line}\n{problem}", path.display()));
            }
        }
    }
    assert!(seen > 150, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_in_help_texts_are_commands_that_there_are() {
    let mut commands = vec![help::command()];
    let (mut seen, mut wrong) = (0, Vec::new());
    while let Some(command) = commands.pop() {
        let help = command.get_after_long_help().map(ToString::to_string);
        for line in help.unwrap_or_default().lines() {
            let Some(line) = line
                .strip_prefix("  ")
                .filter(|it| it.starts_with("broth "))
            else {
                continue;
            };
            seen += 1;
            wrong.extend(problem(line, false).map(|problem| format!("{line}\n{problem}")));
        }
        commands.extend(command.get_subcommands().cloned());
    }
    assert!(seen > 60, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_commands_would_be_found() {
    for (line, is_fine) in [
        ("broth run --seed 29 --log-interval 16", true),
        ("broth exec --trace '[[{.>]-]   ]-]>.{[['", true),
        ("broth census runs/a --json | jq '.x'", true),
        ("broth examples      known replicators", true),
        ("broth run --sed 29", false),
        ("broth rnu", false),
        ("broth census", false),
        ("broth run --num many", false),
        ("broth run --num N", true),
        ("broth run --num n", false),
        ("broth run --initial-program TEXT --num NUM", true),
        ("broth plot runs/a b", false),
    ] {
        assert_eq!(problem(line, false).is_none(), is_fine, "{line}");
    }
    assert!(problem("broth census", true).is_none());
    assert!(problem("broth sweep", true).is_none());
    let (lines, spans) =
        commands("a `broth run` b\n```\n$ broth exec \\\n  x\nbroth 0.2: y\n```\n");
    assert_eq!(
        (lines, spans),
        (vec!["broth exec x".into()], vec!["broth run".into()])
    );
}
