//! Sidecars: beside each checkpoint of a run, what it must hold and of which soup.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::files;
use super::settings_file::VERSION;
use crate::Error;
use crate::soup::checkpoint::Checkpoint;

/// More than any sidecar has, so that no file that is something else fills the memory.
const MAX_LEN: u64 = 1 << 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sidecar {
    broth_version: String,
    /// Of the checkpoint's file, in hex digits.
    sha_256: String,
    /// See [`super::settings_file::of_soup`].
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
    let content = Sidecar {
        broth_version: VERSION.into(),
        sha_256: checkpoint.sha256(),
        settings: settings.clone(),
    };
    let text = toml::to_string(&content)
        .map_err(|error| Error::file(&sidecar, format!("cannot be written: {error}")))?;
    files::write_whole(&sidecar, |file| file.write_all(text.as_bytes()))
}

/// Whether the `checkpoint` read from `path` is what a run with these `settings` wrote.
pub fn check(path: &Path, checkpoint: &Checkpoint, settings: &Table) -> Result<(), Error> {
    let sidecar = path_of(path);
    let wrong = |problem: String| Err(Error::file(path, problem));
    let name = sidecar.file_name().unwrap_or_default().display();
    let cannot = |error| Error::cannot("read", &sidecar, error);
    let mut text = String::new();
    let file = match File::open(&sidecar) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return wrong(format!(
                "has no sidecar {name} beside it that says what it must hold; \
                 if you trust it, start a run from it with --load"
            ));
        }
        file => file.map_err(cannot)?,
    };
    file.take(MAX_LEN)
        .read_to_string(&mut text)
        .map_err(cannot)?;
    let content: Sidecar = toml::from_str(&text)
        .map_err(|error| Error::file(&sidecar, format!("is not a sidecar: {error}")))?;
    let sha256 = checkpoint.sha256();
    if content.sha_256 != sha256 {
        return wrong(format!(
            "is not what was written: its SHA-256 is {sha256}, its sidecar {name} says {}",
            content.sha_256
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
