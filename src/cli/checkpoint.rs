//! What commands that take a checkpoint have in common: its sidecar tells what it is of.

use std::path::Path;

use broth::Error;
use broth::language::Language;
use broth::run::folder::load::{Beside, Loaded, load};
use clap::Args;
use toml::{Table, Value};

use super::{Failure, say};

#[derive(Args, Clone, Copy, Default)]
pub(super) struct CheckpointArgs {
    /// Let settings given here take precedence over the checkpoint's sidecar; otherwise a
    /// contradiction is an error
    #[arg(long)]
    override_settings: bool,
}

impl CheckpointArgs {
    /// Whether what is given wins over the sidecar.
    pub(super) fn overrides(self) -> bool {
        self.override_settings
    }

    /// The checkpoint at `path`, to continue from.
    pub(super) fn load_to_run(self, path: &Path, given: &Table) -> Result<Loaded, Error> {
        self.load(path, given, true)
    }

    /// The checkpoint at `path`, to look at. Where its sidecar says any of the settings `used`
    /// that were not given, this says so, unless it is to be quiet.
    pub(super) fn load_to_see(
        self,
        path: &Path,
        given: &Table,
        used: &[&str],
        quiet: bool,
    ) -> Result<Loaded, Failure> {
        let loaded = self.load(path, given, false)?;
        for note in notes(path, &loaded, Some(used)).iter().filter(|_| !quiet) {
            say(note)?;
        }
        Ok(loaded)
    }

    fn load(self, path: &Path, given: &Table, is_run: bool) -> Result<Loaded, Error> {
        let beside = Beside {
            given,
            overrides: self.override_settings,
            is_run,
        };
        load(path, beside)
    }
}

/// The settings that commands that only look at a checkpoint may be given.
pub(super) fn given(lang: Option<&Language>, seed: Option<u64>) -> Table {
    let lang = lang.map(|lang| ("lang".into(), Value::String(lang.name.into())));
    let seed = seed.map(|seed| {
        (
            "seed".into(),
            broth::run::folder::settings::seed_value(seed),
        )
    });
    lang.into_iter().chain(seed).collect()
}

/// What is to be said of a checkpoint's settings: those that come from its sidecar, of those
/// that are `used`, and those that are not as it says.
pub(super) fn notes(path: &Path, loaded: &Loaded, used: Option<&[&str]>) -> Vec<String> {
    let Some(sidecar) = &loaded.sidecar else {
        return Vec::new();
    };
    let sidecar = sidecar.file_name().unwrap_or_default().display();
    let taken: Vec<String> = loaded
        .taken
        .iter()
        .filter(|(name, _)| used.is_none_or(|used| used.contains(&name.as_str())))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let others: Vec<String> = loaded
        .overridden
        .iter()
        .map(|other| {
            let shown = |value: &Option<Value>| match value {
                Some(value) => value.to_string(),
                None => "not set".into(),
            };
            format!(
                "{} {} (not {})",
                other.name,
                shown(&other.given),
                shown(&other.said)
            )
        })
        .collect();
    let mut notes = Vec::new();
    if !taken.is_empty() {
        notes.push(format!(
            "{}: its sidecar {sidecar} says {}",
            path.display(),
            taken.join(", ")
        ));
    }
    if !others.is_empty() {
        notes.push(format!("against {sidecar}: {}", others.join(", ")));
    }
    notes
}
