//! The command line as clap is to see it: short help that fits a screen, long help with
//! examples, and hints where a command is nearly right.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::{Cli, program, quotes};

/// The flags that `-h` shows of a command with many; the others are for `--help`.
const COMMON: [(&str, &[&str]); 2] = [
    (
        "view",
        &[
            "run",
            "preset",
            "play",
            "port",
            "host",
            "open",
            "lang",
            "world",
            "num",
            "seed",
            "grid",
            "initial_program",
            "log_interval",
            "threads",
            "quiet",
        ],
    ),
    (
        "run",
        &[
            "lang",
            "world",
            "num",
            "seed",
            "mutation_prob",
            "grid",
            "out",
            "log_interval",
            "checkpoint_interval",
            "eval_selfrep",
            "max_epochs",
            "stop_high_order_entropy",
            "threads",
            "load",
            "resume",
            "engine",
            "quiet",
        ],
    ),
];

/// Commands that other programs have, and what does the same here.
const MEANT: [(&str, &str); 4] = [
    ("resume", "run --resume DIR"),
    ("continue", "run --resume DIR"),
    ("new", "run"),
    ("version", "--version"),
];

/// A name that differs in no more letters than this is taken for a slip.
const SLIP: usize = 2;

/// The whole command line.
pub(super) fn command() -> Command {
    with_short_help(Cli::command())
}

/// What the user asked for; ends the program where that is help, or wrong.
pub(super) fn parse(words: &[OsString]) -> Cli {
    let result = matches(words.iter().cloned());
    match result.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    }
}

pub(super) fn matches(
    words: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, clap::Error> {
    let mut command = command();
    let words: Vec<OsString> = words.into_iter().collect();
    let result = command.try_get_matches_from_mut(&words);
    result.map_err(|error| {
        let (path, command) = meant(&command, &words);
        let is_of_parts = [
            ErrorKind::UnknownArgument,
            ErrorKind::ArgumentConflict,
            ErrorKind::InvalidSubcommand,
        ]
        .contains(&error.kind());
        match quotes::tip(&words).filter(|_| is_of_parts) {
            Some(tip) => with_tip(error, tip),
            None => with_hint(error, &path, command),
        }
    })
}

/// The command that is meant, with its path.
fn meant<'a>(top: &'a Command, words: &[OsString]) -> (String, &'a Command) {
    let (mut path, mut command) = (top.get_name().to_string(), top);
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(below) = command.find_subcommand(word) {
            path = format!("{path} {word}");
            command = below;
        }
    }
    (path, command)
}

/// Examples are for the long help, and of what a flag does the first clause for the short one.
fn with_short_help(mut command: Command) -> Command {
    let name = command.get_name().to_string();
    let examples = command.get_after_help().map(ToString::to_string);
    let exit_codes = exit_codes(&name);
    let long = match examples {
        Some(examples) => format!("{examples}\n\n{exit_codes}"),
        None => exit_codes,
    };
    command = command.after_help(None).after_long_help(long);
    let common = COMMON.iter().find(|(of, _)| *of == name);
    command
        .mut_args(|arg| {
            let is_rare = common.is_some_and(|(_, ids)| !ids.contains(&arg.get_id().as_str()));
            let arg = shorten(arg);
            if is_rare {
                arg.hide_short_help(true)
            } else {
                arg
            }
        })
        .mut_subcommands(with_short_help)
}

/// What the exit codes of a command say.
fn exit_codes(command: &str) -> String {
    let failed = match command {
        "broth" => "; a run of a sweep that failed; engines that differ",
        "sweep" => ", or a run that failed",
        "verify" => ", or engines that differ",
        _ => "",
    };
    format!(
        "Exit codes:\n  \
           0    done\n  \
           1    a system error, such as a full disk{failed}\n  \
           2    the input is wrong: a flag, a setting, a file\n  \
           130  ended by Ctrl-C or another request to end"
    )
}

fn shorten(arg: Arg) -> Arg {
    let Some(help) = arg.get_help().map(ToString::to_string) else {
        return arg;
    };
    let (text, default) = match help.find(" [") {
        Some(at) if help.ends_with(']') => help.split_at(at),
        _ => (help.as_str(), ""),
    };
    let clause = [": ", "; "].iter().filter_map(|end| text.find(end)).min();
    match clause {
        Some(end) if arg.get_long_help().is_none() => {
            let short = format!("{}{default}", &text[..end]);
            arg.help(short).long_help(help)
        }
        _ => arg,
    }
}

/// An error about a subcommand or a flag that does not exist, with one of a similar name or
/// those that do.
fn with_hint(mut error: clap::Error, path: &str, command: &Command) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        return with_flags(error, path, command);
    }
    if error.kind() == ErrorKind::ArgumentConflict && names_resume(&error) {
        let tip = "a resumed run keeps the settings of its soup; start a new run with others by \
                   --load or --settings";
        return with_tip(error, tip.into());
    }
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let meant = MEANT.iter().find(|(word, _)| word == wrong);
    if let Some((_, instead)) = meant.filter(|_| path == "broth") {
        error.remove(ContextKind::SuggestedSubcommand);
        return with_tip(error, format!("did you mean `broth {instead}`?"));
    }
    let names = command.get_subcommands().map(Command::get_name);
    if let Some(name) = nearest(wrong, names) {
        let names = ContextValue::Strings(vec![name.into()]);
        error.insert(ContextKind::SuggestedSubcommand, names);
        return error;
    }
    // What clap takes for similar is often no slip.
    error.remove(ContextKind::SuggestedSubcommand);
    let help = path.strip_suffix(" help").unwrap_or(path);
    with_tip(error, format!("`{help} help` lists the commands"))
}

/// Whether an error is about what goes together with `--resume`.
fn names_resume(error: &clap::Error) -> bool {
    let names = |kind| {
        let name = error.get(kind).map(ToString::to_string);
        name.is_some_and(|name| name.contains("--resume"))
    };
    names(ContextKind::InvalidArg) || names(ContextKind::PriorArg)
}

fn with_tip(mut error: clap::Error, tip: String) -> clap::Error {
    let tips = ContextValue::StyledStrs(vec![tip.into()]);
    error.insert(ContextKind::Suggested, tips);
    error
}

/// An error about an argument too many: what it may have been meant as.
fn with_place(error: clap::Error, wrong: &str, path: &str, command: &Command) -> clap::Error {
    let file = Path::new(wrong);
    let word = program::quoted(wrong);
    let ending = file.extension().and_then(|ending| ending.to_str());
    let flag = match ending {
        Some("dat") => Some("--load"),
        Some("toml") => Some("--settings"),
        _ if file.is_dir() => Some("--resume"),
        _ => None,
    };
    let tip = match flag {
        Some(flag) if path == "broth run" => format!("did you mean `{path} {flag} {word}`?"),
        _ if command.get_positionals().next().is_none() => {
            format!("`{path}` takes flags only; `{path} -h` lists them")
        }
        _ => "what has spaces is one argument in quotes, as in 'two words'".into(),
    };
    with_tip(error, tip)
}

/// An error about a flag that a command does not have, with those that it has; unless one of them
/// is named already.
fn with_flags(mut error: clap::Error, path: &str, command: &Command) -> clap::Error {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if !wrong.starts_with('-') {
        let wrong = wrong.clone();
        return with_place(error, &wrong, path, command);
    }
    let long = wrong.trim_start_matches('-').to_string();
    if error.get(ContextKind::SuggestedArg).is_some() {
        let suggested = error
            .get(ContextKind::SuggestedArg)
            .map(ToString::to_string);
        if suggested.is_some_and(|other| is_near(&long, other.trim_start_matches('-'))) {
            return error;
        }
        error.remove(ContextKind::SuggestedArg);
    }
    let flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut flags: Vec<String> = flags
        .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
        .collect();
    flags.sort();
    with_tip(error, format!("`{path}` takes {}", flags.join(", ")))
}

/// Whether a flag that does not exist is likely to be meant as `other`: a slip, or a part of it.
fn is_near(wrong: &str, other: &str) -> bool {
    let other = other.split([' ', '=']).next().unwrap_or_default();
    let has_part = |whole: &str, part: &str| whole.split('-').any(|word| word == part);
    strsim::damerau_levenshtein(wrong, other) <= SLIP
        || has_part(other, wrong)
        || has_part(wrong, other)
}

/// The name that `wrong` is most likely a slip for, if any.
fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distances = names.map(|name| (strsim::damerau_levenshtein(wrong, name), name));
    let (distance, name) = distances.min()?;
    // Of a short name there would be nothing left.
    (distance <= SLIP && distance < name.len().min(wrong.len())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(words: &str) -> String {
        let words = format!("broth {words}");
        let words = words.split(' ').map(OsString::from);
        matches(words).unwrap_err().to_string()
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn slips_get_the_right_hint() {
        for (wrong, right) in [
            ("rnu", "'run'"),
            ("completion", "'completions'"),
            ("langauges", "'languages'"),
            ("swep x", "'sweep'"),
            ("benhc", "'bench'"),
            ("run --sed 3", "'--seed'"),
        ] {
            let error = error(wrong);
            assert!(error.contains(&format!("exists: {right}")), "{error}");
        }
        for (wrong, flags) in [
            (
                "census run --threads 1",
                ["`broth census` takes --", "--top"],
            ),
            (
                "languages --quiet",
                ["`broth languages` takes --", "--json"],
            ),
            (
                "jit stats run --entry 1",
                ["`broth jit stats` takes", "--json"],
            ),
            (
                "show-interaction run --top 1",
                ["`broth show-interaction` takes", "--pair"],
            ),
        ] {
            let error = error(wrong);
            assert!(flags.iter().all(|flag| error.contains(flag)), "{error}");
            assert!(!error.contains("as a value"), "{error}");
        }
        for wrong in ["xyz", "x", "soup"] {
            let error = error(wrong);
            assert!(!error.contains("exists"), "{error}");
            assert!(error.contains("`broth help` lists"), "{error}");
        }
    }

    /// What is similar by some letters only is not what is meant.
    #[test]
    fn only_near_names_are_suggested() {
        for (wrong, tip) in [
            ("run --population 5", "`broth run` takes --"),
            ("plot x --format svg", "`broth plot` takes --"),
            ("run --epochs 5", "exists: '--max-epochs'"),
            ("run --seeds 5", "exists: '--seed'"),
            ("export x", "`broth help` lists"),
            ("metrics x", "`broth help` lists"),
            ("resume x", "`broth run --resume DIR`"),
            ("version", "`broth --version`"),
            (
                "run --resume x --seed 3",
                "start a new run with others by --load",
            ),
            (
                "run --num 5 --resume x",
                "start a new run with others by --load",
            ),
        ] {
            let error = error(wrong);
            assert!(error.contains(tip), "{error}");
        }
    }

    #[test]
    fn short_help_fits_a_screen_and_long_help_has_examples() {
        let mut top = command();
        let names = top.get_subcommands().map(|it| it.get_name().to_string());
        let mut lines: Vec<Vec<String>> = names.map(|name| vec![name]).collect();
        lines.push(vec![]);
        for words in lines {
            let help = |flag: &str| {
                let line = ["broth".to_string()].into_iter().chain(words.clone());
                let line = line.chain([flag.to_string()]).map(OsString::from);
                matches(line).unwrap_err().to_string()
            };
            let (short, long) = (help("-h"), help("--help"));
            assert!(short.lines().count() <= 40, "{short}");
            let width = long.lines().map(|line| line.chars().count()).max();
            assert!(width <= Some(100), "{long}");
            assert!(short.lines().count() <= long.lines().count(), "{words:?}");
            assert!(!short.contains("Examples:"), "{short}");
            assert!(!short.contains("Exit codes:"), "{short}");
            for code in [
                "Exit codes:",
                "  0    done",
                "  1    ",
                "  2    ",
                "  130  ",
            ] {
                assert!(long.contains(code), "{words:?}: {long}");
            }
        }
        let long = top.render_long_help().to_string();
        for hint in ["Examples:", "Exit codes:", "  130 "] {
            assert!(long.contains(hint), "{long}");
        }
    }

    /// A heading that one group of flags has must not be that of the next.
    #[test]
    fn only_engine_flags_are_among_those_of_the_engine() {
        fn check(command: &Command) {
            for arg in command.get_arguments() {
                let is_of_engine = [
                    "engine",
                    "engines",
                    "no_closed_forms",
                    "jit_cache_mib",
                    "without",
                ]
                .contains(&arg.get_id().as_str());
                let heading = arg.get_help_heading() == Some("Engine");
                assert!(!heading || is_of_engine, "{} {arg}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }

    #[test]
    fn common_flags_are_there() {
        for (name, ids) in COMMON {
            let command = command();
            let command = command.find_subcommand(name).unwrap();
            for id in ids {
                let found = command.get_arguments().any(|arg| arg.get_id() == id);
                assert!(found, "{name} has no {id}");
            }
        }
    }
}
