//! Loading a checkpoint from anywhere: its sidecar says which soup it is of, and settings
//! given beside it must not contradict that, unless they are to.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::settings::{self as settings_file, from_flags, parse_world, read_pattern, with_given};
use super::{INTERACTION_PATTERN, sidecar};
use crate::Error;
use crate::files;
use crate::run::Plan;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::{Settings, World};

/// What is said of a checkpoint beside its sidecar.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// Settings, by the names of flags.
    pub given: &'a Table,
    /// Whether they win where they contradict the sidecar; else that is an error.
    pub overrides: bool,
    /// Whether the soup is to be run. One that is only looked at needs no interaction pattern.
    pub is_run: bool,
}

/// A checkpoint, and what is known of its soup.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The settings of its soup: those given, those of its sidecar, and defaults.
    pub settings: Settings,
    /// How long a run of it goes, as given.
    pub plan: Plan,
    /// Its sidecar, where it has one.
    pub sidecar: Option<PathBuf>,
    /// What the sidecar says and was not given.
    pub taken: Table,
    /// What was given against the sidecar.
    pub overridden: Vec<Difference>,
}

/// A setting that is not as a sidecar says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its value, where it has one.
    pub given: Option<Value>,
    /// That of the sidecar, where it says one.
    pub said: Option<Value>,
}

/// Read the checkpoint at `path`, and find out which soup it is of.
pub fn load(path: &Path, beside: Beside<'_>) -> Result<Loaded, Error> {
    // What is wrong with the file comes before what is wrong with its sidecar.
    files::open(path)?;
    match sidecar::settings_of(path)? {
        Some(said) => load_with_sidecar(path, said, beside),
        None => load_alone(path, beside.given),
    }
}

/// Load a checkpoint without a sidecar, as cubff writes them.
fn load_alone(path: &Path, given: &Table) -> Result<Loaded, Error> {
    let text = |flag: &str| given.get(flag).and_then(Value::as_str);
    let world = parse_world(text("world"), None)?;
    let language = match text("lang") {
        Some(name) => Some(
            name.parse()
                .map_err(|error| Error::Usage(format!("{error}")))?,
        ),
        // Its grid has one language.
        None if world == World::Zff => None,
        None => {
            return Err(Error::Setting(format!(
                "{} has no sidecar {} beside it, and a checkpoint alone does not say what its \
                 bytes mean; give `lang`, as in `lang` bff_noheads",
                path.display(),
                file_name(&sidecar::path_of(path)),
            )));
        }
    };
    let checkpoint = sidecar::read_checkpoint(path, world.language(language), world)?;
    let mut flags = given.clone();
    add_num(&mut flags, &checkpoint);
    let (settings, plan) = from_flags(&flags, Path::new(""))?;
    check_num(path, &checkpoint, &settings)?;
    Ok(Loaded {
        checkpoint,
        settings,
        plan,
        sidecar: None,
        taken: Table::new(),
        overridden: Vec::new(),
    })
}

fn load_with_sidecar(path: &Path, said: Table, beside: Beside<'_>) -> Result<Loaded, Error> {
    let sidecar = sidecar::path_of(path);
    let mut base = said.clone();
    // Of a pattern it has the SHA-256 only.
    let pattern = base.remove("interaction-pattern");
    let (soup, _) = from_flags(&base, Path::new(""))
        .map_err(|error| error.in_file(&sidecar, "has wrong settings", settings_file::key_of))?;
    let mut checkpoint = sidecar::read_checkpoint(path, soup.language, soup.world)?;
    sidecar::check_sum(path, &checkpoint)?;

    let mut flags = with_given(&base, beside.given);
    let meets_as_given = [
        "fixed-shuffle",
        "no-permute-programs",
        "grid",
        "interaction-pattern",
    ]
    .iter()
    .any(|key| {
        beside
            .given
            .get(*key)
            .is_some_and(|value| value.as_bool() != Some(false))
    });
    if let Some(Value::String(sha256)) = &pattern
        && beside.is_run
        && !meets_as_given
    {
        let pattern = find_pattern(path, sha256, checkpoint.num_programs())?;
        flags.insert("interaction-pattern".into(), Value::String(pattern));
    }
    add_num(&mut flags, &checkpoint);
    let (settings, plan) = from_flags(&flags, Path::new(""))?;
    let language = settings.language;
    let differences = differences(&said, &settings, beside)?;
    if !differences.is_empty() && !beside.overrides {
        return Err(contradiction(path, &differences));
    }
    if language.program_len != checkpoint.program_len {
        checkpoint = sidecar::read_checkpoint(path, language, settings.world)?;
    }
    if settings.world != World::Zff {
        checkpoint.stream = None;
    }
    check_num(path, &checkpoint, &settings)?;
    let mut taken = said;
    taken.retain(|key, _| {
        !beside.given.contains_key(key) && !differences.iter().any(|other| other.name == *key)
    });
    Ok(Loaded {
        checkpoint,
        settings,
        plan,
        sidecar: Some(sidecar),
        taken,
        overridden: differences,
    })
}

/// The settings that are not as the sidecar says.
fn differences(
    said: &Table,
    settings: &Settings,
    beside: Beside<'_>,
) -> Result<Vec<Difference>, Error> {
    let now = settings_file::of_soup(settings)?;
    let mut names: Vec<&String> = said.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    // A pattern that is not needed is not read.
    names.retain(|name| beside.is_run || *name != "interaction-pattern");
    let differences = names
        .into_iter()
        .filter(|name| said.get(*name) != now.get(*name));
    Ok(differences
        .map(|name| Difference {
            name: name.clone(),
            given: now.get(name).cloned(),
            said: said.get(name).cloned(),
        })
        .collect())
}

fn contradiction(path: &Path, differences: &[Difference]) -> Error {
    let list: Vec<String> = differences
        .iter()
        .map(|Difference { name, given, said }| match (given, said) {
            (Some(given), Some(said)) => format!("`{name}` {given} is {said} there"),
            (Some(given), None) => format!("`{name}` {given} is not set there"),
            (None, said) => {
                let said = said.as_ref().map(Value::to_string).unwrap_or_default();
                format!("`{name}` {said} is set there")
            }
        })
        .collect();
    Error::Setting(format!(
        "what is given contradicts the sidecar {} of {}: {}; leave it out to continue the same \
         soup, or give `override_settings` to change it",
        file_name(&sidecar::path_of(path)),
        path.display(),
        list.join(", ")
    ))
}

/// The file of the interaction pattern with this SHA-256: a run folder keeps it.
fn find_pattern(checkpoint: &Path, sha256: &str, num_programs: usize) -> Result<String, Error> {
    let folder = checkpoint.parent().unwrap_or(Path::new(""));
    for place in [
        folder.join("..").join(INTERACTION_PATTERN),
        folder.join(INTERACTION_PATTERN),
    ] {
        if let Ok(pattern) = read_pattern(num_programs, &place)
            && files::sha256(&[pattern.to_text().as_bytes()]) == sha256
            && let Some(place) = place.to_str()
        {
            return Ok(place.into());
        }
    }
    Err(Error::Setting(format!(
        "{} is of a soup with an interaction pattern, of which its sidecar has the SHA-256 only; \
         give the file of the pattern with `interaction_pattern`",
        checkpoint.display()
    )))
}

/// Say how many programs there are, where nothing else does.
fn add_num(flags: &mut Table, checkpoint: &Checkpoint) {
    if !flags.contains_key("num") && !flags.contains_key("tape-bytes") {
        let num = checkpoint.num_programs() as u64;
        flags.insert("num".into(), Value::Integer(num.cast_signed()));
    }
}

fn check_num(path: &Path, checkpoint: &Checkpoint, settings: &Settings) -> Result<(), Error> {
    let (there, asked) = (checkpoint.num_programs(), settings.num_programs);
    if there == asked {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} holds {there} programs, and the settings ask for {asked}; leave out num and tape-bytes",
        path.display()
    )))
}

fn file_name(path: &Path) -> impl std::fmt::Display {
    path.file_name().unwrap_or_default().display()
}
