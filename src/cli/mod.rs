//! Subcommands, one file each, and the code they share.

mod ancestry;
mod bench;
mod census;
mod checkpoint;
mod completions;
#[cfg(test)]
mod documented;
mod drawing;
mod engine;
mod events;
mod examples;
mod exec;
mod figures;
mod film;
mod help;
mod inspect;
mod interaction;
mod interrupt;
mod jit;
mod languages;
mod message;
mod number;
mod output;
#[cfg(feature = "view")]
mod page;
mod paint;
mod picture;
mod plot;
mod program;
mod progress;
mod prove;
mod quotes;
mod run;
mod search;
mod selfrep;
mod source;
mod strip;
mod sweep;
mod verify;
#[cfg(feature = "view")]
mod view;
#[cfg(feature = "watch")]
mod watch;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use broth::Error;
use broth::language::Language;
use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  broth run --seed 29 --log-interval 16      a soup that comes alive at epoch 945
  broth run --resume runs/bff_noheads-seed-29
  broth exec --lang bff_noheads '[[{.>]-]   ]-]>.{[[' --trace
  broth languages
  broth examples                             known replicators, ready to be planted

Each command has --help, with examples, and a short -h.";

/// Primordial soups of self-modifying programs, byte for byte as cubff runs them.
#[derive(Parser)]
#[command(name = "broth", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a soup, or resume one, and keep its records in a run folder
    Run(Box<run::RunArgs>),
    /// Run a single tape and show the result
    Exec(exec::ExecArgs),
    /// List the languages
    Languages(languages::LanguagesArgs),
    /// List or show known replicators, ready to be planted
    Examples(examples::ExamplesArgs),
    /// Show what is in a checkpoint: its size, commonest programs and measures
    Inspect(inspect::InspectArgs),
    /// Score a program, or all programs of a checkpoint, as replicators
    Selfrep(selfrep::SelfrepArgs),
    /// Prove that a program copies itself beside every partner, or find one that it fails beside
    Prove(prove::ProveArgs),
    /// List the commonest programs of a soup, with scores and copying loops
    Census(census::CensusArgs),
    /// Trace a program of a run, or its first replicator, back to its origin
    Ancestry(ancestry::AncestryArgs),
    /// Show one interaction of a run, optionally step by step
    ShowInteraction(interaction::InteractionArgs),
    /// Write every interaction of some epochs of a run as a table, Parquet or CSV
    Events(events::EventsArgs),
    /// Search for replicators, and estimate how rare they are
    Search(search::SearchArgs),
    /// Draw charts of a run: entropy, complexity, ops and more over epochs
    Plot(plot::PlotArgs),
    /// Draw a soup at the size of a screen, or with a pixel for each byte
    Picture(picture::PictureArgs),
    /// Draw the kinds of a soup's bytes in space and time
    Strip(strip::StripArgs),
    /// Make an animated picture of a run, as PNG or GIF
    Film(film::FilmArgs),
    /// Run thousands of soups, and make one table of their results
    Sweep(sweep::SweepArgs),
    /// Draw the figures of a sweep: shares, survival, replicators and entropy of many runs
    Figures(figures::FiguresArgs),
    /// Measure how fast this machine runs soups
    Bench(bench::BenchArgs),
    /// Compare all engines with the reference engine, on millions of tapes
    Verify(Box<verify::VerifyArgs>),
    /// Inspect native code: what it did in a run, and the code itself
    #[command(subcommand)]
    Jit(jit::JitCommand),
    /// Watch a soup live in the browser, and play with it
    #[cfg(feature = "view")]
    View(Box<view::ViewArgs>),
    /// Watch a run in the terminal
    #[cfg(feature = "watch")]
    Watch(watch::WatchArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(completions::ManArgs),
}

/// What ends a subcommand early.
enum Failure {
    Broth(Error),
    /// Standard output or standard error cannot be written.
    Screen(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Broth(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Screen(error)
    }
}

/// Exit code of wrong usage.
const USAGE: u8 = 2;
/// Exit code of a run that was interrupted, as of any program that Ctrl-C ends.
const INTERRUPTED: u8 = 130;

/// Do what these words ask for; the first is how the program was called.
pub(crate) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let result = match help::parse(program::called_by(words)).command {
        Command::Run(args) => run::run(*args),
        Command::Exec(args) => exec::exec(args),
        Command::Languages(args) => languages::languages(args),
        Command::Examples(args) => examples::examples(args),
        Command::Inspect(args) => inspect::inspect(args),
        Command::Selfrep(args) => selfrep::selfrep(args),
        Command::Prove(args) => prove::prove(args),
        Command::Census(args) => census::census(args),
        Command::Ancestry(args) => ancestry::ancestry(args),
        Command::ShowInteraction(args) => interaction::show_interaction(args),
        Command::Events(args) => events::events(args),
        Command::Search(args) => search::search(args),
        Command::Plot(args) => plot::plot(args),
        Command::Picture(args) => picture::picture(args),
        Command::Strip(args) => strip::strip(args),
        Command::Film(args) => film::film(args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Figures(args) => figures::figures(args),
        Command::Bench(args) => bench::bench(args),
        Command::Verify(args) => verify::verify(*args),
        #[cfg(feature = "view")]
        Command::View(args) => view::view(*args),
        #[cfg(feature = "watch")]
        Command::Watch(args) => watch::watch(args),
        Command::Jit(command) => jit::jit(command),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    };
    let (message, code) = match result {
        Ok(code) => return code,
        // Whoever ended the program may have closed the screen with it.
        Err(Failure::Screen(_)) if interrupt::was_asked() => {
            return ExitCode::from(INTERRUPTED);
        }
        // Whoever read our output has seen enough.
        Err(Failure::Screen(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(Failure::Screen(error)) => (format!("cannot write output: {error}"), 1),
        Err(Failure::Broth(error)) => {
            let code = if error.is_usage() { USAGE } else { 1 };
            let hint = quotes::hint(&error).unwrap_or_default();
            (program::as_called(&message::of(&error)) + &hint, code)
        }
    };
    // Nobody is left to tell where this fails.
    let _ = writeln!(anstream::stderr(), "broth: {}", printable(&message));
    ExitCode::from(code)
}

/// A message as it may go to a terminal: what files hold and are called is part of it,
/// and a character that is no sign of a script could be a command to the terminal.
fn printable(message: &str) -> String {
    const LONGEST: usize = 4000;
    let mut shown = String::new();
    for char in message.chars() {
        match char {
            '\n' | '"' | '\'' | '\\' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
        if shown.len() > LONGEST {
            return shown + " ...";
        }
    }
    shown
}

/// Reads `--lang`, with a hint where the name is not quite right.
fn parse_language(name: &str) -> Result<&'static Language, String> {
    name.parse().map_err(|error| format!("{error}"))
}

/// Write a line to standard error.
fn say(line: &str) -> io::Result<()> {
    writeln!(anstream::stderr(), "{}", printable(line))
}

/// A path as it may go to a terminal.
fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// How many threads to run on: as many as there are cores, if not told how many. More than that
/// are slower, of which this warns.
fn number_of_threads(asked: Option<u16>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = asked.map_or(cores, usize::from);
    if threads > cores {
        // Where nobody can read it, the work is done all the same.
        let _ = say(&format!(
            "warning: --threads {threads} is more than the {cores} core{} of this machine; the \
             result is the same, and --threads {cores} is faster",
            if cores == 1 { "" } else { "s" }
        ));
    }
    threads
}

/// Start the threads that soups run on, one for each core if not told how
/// many; returns their number. This one is the first of them: it would have to
/// be woken after each epoch, and the others before it.
fn start_threads(asked: Option<u16>) -> Result<usize, Error> {
    let threads = number_of_threads(asked);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .build_global()
        .map_err(|error| Error::Usage(format!("cannot start {threads} threads: {error}")))?;
    Ok(threads)
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn messages_hold_no_commands_to_terminals() {
        let plain = "cannot read \"x\\y's\":\nzwölf 日本";
        assert_eq!(printable(plain), plain);
        assert_eq!(
            printable("\x1b[2J\x07\r\u{9b}m\u{202e}"),
            "\\u{1b}[2J\\u{7}\\r\\u{9b}m\\u{202e}"
        );
        assert!(printable(&"x".repeat(1 << 20)).len() < 4100);
    }
}
