//! Sidecars: beside each checkpoint of a run, what it must hold and of which soup.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::settings::{VERSION, of_soup};
use crate::Error;
use crate::files;
use crate::language::Language;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::{Settings, World};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sidecar {
    broth_version: String,
    /// Of the checkpoint's file, in hex digits.
    sha_256: String,
    /// Of the file of its tokens, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_sha_256: Option<String>,
    /// Where the world's random stream stands, in a world that has one: sixteen hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// Of those digits, and behind them the SHA-256 above.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_sha_256: Option<String>,
    /// See [`super::settings::of_soup`].
    settings: Table,
}

/// Where the sidecar of the checkpoint at `path` is.
pub fn path_of(path: &Path) -> PathBuf {
    path.with_extension("toml")
}

/// Write the sidecar of the checkpoint that is about to be written to `path`, of a soup
/// with these `settings`.
pub fn write(path: &Path, checkpoint: &Checkpoint, settings: &Table) -> Result<(), Error> {
    let sidecar = path_of(path);
    let sha_256 = checkpoint.sha256();
    let stream = checkpoint.stream.map(|stream| format!("{stream:016x}"));
    let content = Sidecar {
        broth_version: VERSION.into(),
        stream_sha_256: stream
            .as_ref()
            .map(|digits| stream_sha256(digits, &sha_256)),
        stream,
        sha_256,
        tokens_sha_256: checkpoint.tokens_sha256(),
        settings: settings.clone(),
    };
    let text = toml::to_string(&content)
        .map_err(|error| Error::file(&sidecar, format!("cannot be written: {error}")))?;
    files::write_whole(&sidecar, |file| file.write_all(text.as_bytes()))
}

/// The sum that goes with a stream: of its digits, and the checkpoint that it belongs to.
fn stream_sha256(digits: &str, checkpoint: &str) -> String {
    files::sha256(&[digits.as_bytes(), checkpoint.as_bytes()])
}

/// Where the random stream stood at the checkpoint at `path`, as its sidecar says; nothing
/// where it has no sidecar, or one without.
fn read_stream(path: &Path) -> Result<Option<u64>, Error> {
    let content = match read(path) {
        Err(Error::System { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(None);
        }
        content => content?,
    };
    let Some(digits) = &content.stream else {
        return Ok(None);
    };
    let sum = stream_sha256(digits, &content.sha_256);
    let stream = u64::from_str_radix(digits, 16).ok();
    match stream.filter(|_| content.stream_sha_256 == Some(sum)) {
        Some(stream) => Ok(Some(stream)),
        None => Err(Error::file(
            &path_of(path),
            "has another random stream than was written: its SHA-256 is not that of \
             stream-sha-256",
        )),
    }
}

/// Read the checkpoint at `path`, of this language and world, with what its sidecar says of the
/// random stream where the world has one.
pub(crate) fn read_checkpoint(
    path: &Path,
    language: &Language,
    world: World,
) -> Result<Checkpoint, Error> {
    let mut checkpoint = Checkpoint::read_of(language.program_len, path)?;
    if world == World::Zff {
        checkpoint.stream = read_stream(path)?;
    }
    Ok(checkpoint)
}

/// Read the checkpoint at `path`, which must be of a soup with these settings, as its sidecar
/// says, and as it was written.
pub fn read_good(path: &Path, settings: &Settings) -> Result<Checkpoint, Error> {
    let checkpoint = read_checkpoint(path, settings.language, settings.world)?;
    check(path, &checkpoint, &of_soup(settings)?)?;
    Ok(checkpoint)
}

/// Read the sidecar of the checkpoint at `path`.
fn read(path: &Path) -> Result<Sidecar, Error> {
    let sidecar = path_of(path);
    toml::from_str(&files::read_text(&sidecar)?)
        .map_err(|error| Error::file(&sidecar, format!("is not a sidecar: {error}")))
}

/// The settings of the soup that the checkpoint at `path` is of, as its sidecar says; nothing
/// where it has no sidecar.
pub(crate) fn settings_of(path: &Path) -> Result<Option<Table>, Error> {
    match read(path) {
        Ok(sidecar) => Ok(Some(sidecar.settings)),
        Err(Error::System { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the `checkpoint` read from `path` is the one that its sidecar was written for.
pub(crate) fn check_sum(path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
    let sha256 = checkpoint.sha256();
    let there = read(path)?.sha_256;
    if there != sha256 {
        let sidecar = path_of(path);
        let name = sidecar.file_name().unwrap_or_default().display();
        return Err(Error::file(
            path,
            format!(
                "does not fit its sidecar {name}: its SHA-256 is {sha256}, the sidecar says \
                 {there}; if you trust the checkpoint, move the sidecar away and give its language \
                 and what else is to be known of the soup"
            ),
        ));
    }
    Ok(())
}

/// Whether the checkpoint at `path` has a sidecar, of a soup with these `settings`.
pub(crate) fn is_of(path: &Path, settings: &Table) -> bool {
    read(path).is_ok_and(|sidecar| sidecar.settings == *settings)
}

/// Whether a checkpoint of a soup with these `settings` may be written to `path` in a
/// folder that may be another's: it replaces nothing, or a checkpoint of the same soup.
pub(crate) fn check_place(path: &Path, settings: &Table) -> Result<(), Error> {
    let taken = [path, &path_of(path)].map(|path| path.symlink_metadata().is_ok());
    if taken.contains(&true) && !is_of(path, settings) {
        return Err(Error::file(
            path,
            "is there already, and no sidecar says that it is this run's; \
             move it and its sidecar away, then resume the run",
        ));
    }
    Ok(())
}

/// Whether the `checkpoint` read from `path` is what a run with these `settings` wrote.
pub fn check(path: &Path, checkpoint: &Checkpoint, settings: &Table) -> Result<(), Error> {
    let wrong = |problem: String| Err(Error::file(path, problem));
    let sidecar = path_of(path);
    let name = sidecar.file_name().unwrap_or_default().display();
    let content = match read(path) {
        Err(Error::System { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return wrong(format!(
                "has no sidecar {name} beside it that says what it must hold; \
                 if you trust it, start a new run from it"
            ));
        }
        content => content?,
    };
    let sha256 = checkpoint.sha256();
    if content.sha_256 != sha256 {
        return wrong(format!(
            "is not what was written: its SHA-256 is {sha256}, its sidecar {name} says {}",
            content.sha_256
        ));
    }
    if let Some(tokens) = checkpoint.tokens_sha256()
        && content.tokens_sha_256.as_ref() != Some(&tokens)
    {
        return wrong(format!(
            "has other tokens than were written: their SHA-256 is {tokens}, its sidecar {name} \
             says {}",
            content
                .tokens_sha_256
                .as_deref()
                .unwrap_or("nothing of tokens")
        ));
    }
    let keys = settings.keys().chain(content.settings.keys());
    for key in keys {
        let (here, there) = (settings.get(key), content.settings.get(key));
        if here != there {
            let text = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
            return wrong(format!(
                "is of another soup: its sidecar {name} has {key} = {}, this run has {}",
                text(there),
                text(here)
            ));
        }
    }
    Ok(())
}
