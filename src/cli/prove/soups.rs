//! The commonest replicators of soups: of one, or of each run in a folder.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::engine::{Engine, Options};
use broth::format::thousands;
use broth::language::Program;
use broth::measure::census::{Census, Winner};
use broth::measure::replicators::{CUBFF_THRESHOLD, Scorer};
use broth::random::Streams;
use broth::run::folder::RunFolder;
use serde_json::{Value, json};
use toml::Table;

use super::{Both, ProveArgs, say};
use crate::cli::output::write_json;
use crate::cli::paint::{BOLD, RESET};
use crate::cli::source::Subject;
use crate::cli::{Failure, checkpoint, message};

/// The commonest replicator of a soup, and what is proved of it.
struct Won {
    soup: Subject,
    winner: Winner,
    both: Both,
}

/// Prove what there is at `path`.
pub(super) fn prove(args: &ProveArgs, path: &Path) -> Result<ExitCode, Failure> {
    if args.hex {
        return Err(Error::Usage(format!(
            "--hex is for a program, and {} is a path; leave it out",
            path.display()
        ))
        .into());
    }
    let runs = runs_in(path)?;
    if !runs.is_empty() {
        if let Some(file) = &args.certificate {
            return Err(Error::Usage(format!(
                "--certificate {} is for one program, and {} holds {} runs; give one of them",
                file.display(),
                path.display(),
                runs.len()
            ))
            .into());
        }
        return prove_all(args, &runs);
    }
    let given = checkpoint::given(args.lang, args.seed);
    let soup = args.soup.see(path, &given, &["lang", "seed"], args.quiet)?;
    let won = win(args, soup)?;
    won.both.certify(args)?;
    if args.json {
        write_json(&to_json(&won))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    writeln!(out, "{BOLD}{}{RESET}: {}", heading(&won), counts(&won))?;
    won.both.write(&mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The run folders in the folder `path`, by name; none if it is one itself.
fn runs_in(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() || RunFolder::look(path).is_ok() {
        return Ok(Vec::new());
    }
    let cannot = |error| Error::cannot("read", path, error);
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(path).map_err(cannot)? {
        let inside = entry.map_err(cannot)?.path();
        if RunFolder::look(&inside).is_ok() {
            runs.push(inside);
        }
    }
    // By the numbers that names end with: seed 9 before seed 10.
    let key = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = name.trim_end_matches(|char: char| char.is_ascii_digit());
        let number: Option<u64> = name[text.len()..].parse().ok();
        (text.to_owned(), number, name.clone().into_owned())
    };
    runs.sort_by_cached_key(key);
    Ok(runs)
}

fn win(args: &ProveArgs, soup: Subject) -> Result<Won, Failure> {
    let language = soup.settings.language;
    // Languages in which nothing can be followed are refused before anything is counted.
    broth::proof::Followed::new(language, &[0; 64], 0)?;
    let census = Census::of(language, &soup.checkpoint.programs)?;
    let scorer = Scorer::new(language, Engine::Auto, &Options::default());
    let streams = Streams::new(soup.settings.seed);
    let winner = census.winner(language, &scorer, &streams, soup.checkpoint.epochs_done)?;
    let winner = winner.ok_or_else(|| {
        Error::file(
            &soup.path,
            format!(
                "has no replicator: no program that is there twice scores {CUBFF_THRESHOLD} or more"
            ),
        )
    })?;
    let mut program: Program = [0; 64];
    program.copy_from_slice(&winner.group.program);
    let max_steps = args.max_steps.unwrap_or(soup.settings.max_steps);
    let both = Both::of(language, program, max_steps, &args.effort())?;
    Ok(Won { soup, winner, both })
}

fn heading(won: &Won) -> String {
    let settings = &won.soup.settings;
    say::heading(
        settings.language,
        settings.seed,
        won.soup.checkpoint.epochs_done,
    )
}

fn counts(won: &Won) -> String {
    let group = &won.winner.group;
    let mirrored = if group.is_its_mirror() {
        ", its own mirror image".into()
    } else {
        format!(" and {} mirror images", thousands(group.mirrored as usize))
    };
    format!(
        "the commonest replicator, {} alike{mirrored} among {} programs; score {}",
        thousands(group.count as usize),
        thousands(won.soup.settings.num_programs),
        won.winner.score
    )
}

fn to_json(won: &Won) -> Value {
    let group = &won.winner.group;
    let mut json = won.both.to_json();
    json["checkpoint"] = json!(won.soup.path.display().to_string());
    json["seed"] = json!(won.soup.settings.seed);
    json["epochs_done"] = json!(won.soup.checkpoint.epochs_done);
    json["winner"] = json!({
        "count": group.count,
        "mirrored": group.mirrored,
        "index": group.index,
        "score": won.winner.score,
        "programs": won.soup.settings.num_programs,
    });
    json
}

/// The commonest replicator of each run: a table. Runs without one are named.
fn prove_all(args: &ProveArgs, runs: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut out = anstream::stdout().lock();
    if !args.json {
        writeln!(
            out,
            "{BOLD}{:<24}  {:>7}  {:>7}  copies itself; its mirror image{RESET}",
            "run", "alike", "mirror"
        )?;
    }
    let mut proved = Vec::new();
    for path in runs {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let soup = args.soup.see(path, &Table::new(), &[], args.quiet);
        match soup.and_then(|soup| win(args, soup)) {
            Ok(won) if args.json => {
                let mut json = to_json(&won);
                json["run"] = json!(path.display().to_string());
                proved.push(json);
            }
            Ok(won) => {
                let group = &won.winner.group;
                let mirror = match &won.both.mirror {
                    None => "itself".into(),
                    Some(mirror) => say::short(mirror),
                };
                writeln!(
                    out,
                    "{name:<24}  {:>7}  {:>7}  {}; {mirror}",
                    thousands(group.count as usize),
                    thousands(group.mirrored as usize),
                    say::short(&won.both.own),
                )?;
                out.flush()?;
            }
            // A statement that the reference engine does not agree with ends it all.
            Err(Failure::Broth(error @ Error::Bug(_))) => return Err(error.into()),
            Err(Failure::Broth(error)) if args.json => proved.push(json!({
                "run": path.display().to_string(),
                "why": message::of(&error),
            })),
            Err(Failure::Broth(error)) => {
                writeln!(
                    out,
                    "{name:<24}  {:>7}  {:>7}  {}",
                    "-",
                    "-",
                    message::of(&error)
                )?;
            }
            Err(other) => return Err(other),
        }
    }
    if args.json {
        write_json(&json!({"runs": proved}))?;
    }
    Ok(ExitCode::SUCCESS)
}
