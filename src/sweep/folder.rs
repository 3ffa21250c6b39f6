//! What a run of a sweep leaves on disk: what it goes on from, and what came of it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::file::{Keep, Planned};
use super::outcome::{Ended, Outcome};
use crate::Error;
use crate::files;
use crate::run::folder::settings as settings_file;
use crate::run::folder::{self, sidecar};
use crate::soup::Soup;
use crate::soup::checkpoint::Checkpoint;

/// The folder of one run.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Epochs of all runs of the sweep that no save holds.
    unsaved: Arc<AtomicU64>,
}

impl Folder {
    pub(super) fn new(path: PathBuf, unsaved: Arc<AtomicU64>) -> Folder {
        Folder { path, unsaved }
    }

    fn so_far(&self) -> PathBuf {
        self.path.join("so-far.toml")
    }

    /// What there is of the run already; none where it has to begin, or to begin anew.
    pub(super) fn saved(
        &self,
        planned: &Planned,
        of_soup: &toml::Table,
    ) -> Option<(Outcome, Soup)> {
        let outcome = read_outcome(&self.so_far(), planned).ok()??;
        let path = self.path.join(Checkpoint::file_name(outcome.epochs));
        let settings = &planned.combination.settings;
        let checkpoint = sidecar::read_checkpoint(&path, settings.language, settings.world).ok()?;
        sidecar::check(&path, &checkpoint, of_soup).ok()?;
        if checkpoint.epochs_done != outcome.epochs {
            return None;
        }
        let soup = Soup::from_checkpoint(planned.settings(), checkpoint, true).ok()?;
        Some((outcome, soup))
    }

    /// Epochs done of the run so far, as far as it was saved.
    pub(super) fn saved_epochs(&self, planned: &Planned) -> Option<u64> {
        Some(read_outcome(&self.so_far(), planned).ok()??.epochs)
    }

    /// Save a checkpoint, its sidecar before it.
    pub(super) fn save_soup(
        &self,
        checkpoint: &Checkpoint,
        of_soup: &toml::Table,
    ) -> Result<(), Error> {
        files::make_folder(&self.path)?;
        let path = self
            .path
            .join(Checkpoint::file_name(checkpoint.epochs_done));
        sidecar::write(&path, checkpoint, of_soup)?;
        checkpoint.write(&path)
    }

    /// Save all that is needed to go on, and `note` it; what was saved before is good until then.
    pub(super) fn save(
        &self,
        checkpoint: &Checkpoint,
        outcome: &Outcome,
        keep: Keep,
        of_soup: &toml::Table,
        note: impl FnOnce(),
    ) -> Result<(), Error> {
        self.save_soup(checkpoint, of_soup)?;
        write_outcome(&self.so_far(), outcome, note)?;
        match keep {
            Keep::All => Ok(()),
            _ => folder::keep_newest(&self.path, checkpoint.epochs_done, 1, of_soup),
        }
    }

    /// Count an epoch in that no save holds.
    pub(super) fn count_unsaved(&self) {
        self.unsaved.fetch_add(1, Ordering::Relaxed);
    }

    /// A save holds so many epochs more.
    pub(super) fn count_saved(&self, epochs: u64) {
        self.unsaved.fetch_sub(epochs, Ordering::Relaxed);
    }

    /// Remove what is not needed any more once the result is written down.
    pub(super) fn settle(&self, planned: &Planned, ended: Ended) -> Result<(), Error> {
        let keep = planned
            .combination
            .rules
            .keep(planned.combination.settings.num_programs);
        let gone = |path: &Path, result: std::io::Result<()>| match result {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::cannot("remove", path, error))
            }
            _ => Ok(()),
        };
        // A run that was given up may get more time later.
        if ended == Ended::Censored || !self.path.is_dir() {
            return Ok(());
        }
        files::remove_unfinished(&self.path)?;
        if keep == Keep::None {
            return gone(&self.path, fs::remove_dir_all(&self.path));
        }
        // What it went on from after an interruption goes.
        let of_soup = settings_file::of_soup(&planned.settings())?;
        let interval = planned.combination.plan.checkpoint_interval;
        let mut is_last = true;
        folder::keep_those(&self.path, &of_soup, |epochs, checkpoint| {
            let is_due = keep == Keep::All && epochs % interval == 1 % interval;
            let is_newest = checkpoint.exists() && std::mem::take(&mut is_last);
            is_newest || is_due
        })?;
        let so_far = self.so_far();
        gone(&so_far, fs::remove_file(&so_far))
    }

    /// Whether [`Folder::settle`] was kept from its work.
    pub(super) fn is_unsettled(&self) -> bool {
        self.so_far().exists()
    }
}

/// Read what came of `planned`; none where there is no such file.
pub(super) fn read_outcome(path: &Path, planned: &Planned) -> Result<Option<Outcome>, Error> {
    match read_any(path) {
        Err(Error::System { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Ok(outcome) if outcome.settings != planned.of_results() => Err(of_others(path)),
        outcome => outcome.map(Some),
    }
}

/// Read what came of whatever run it is.
pub(super) fn read_any(path: &Path) -> Result<Outcome, Error> {
    toml::from_str(&files::read_text(path)?)
        .map_err(|error| Error::file(path, format!("is no result of a run: {error}")))
}

/// What is wrong with a result that has another run's name.
pub(super) fn of_others(path: &Path) -> Error {
    Error::file(
        path,
        "is the result of other settings than its name says: it was renamed or changed; \
         remove it, and its run is done again",
    )
}

/// Write down what came of a run, whole or not at all, and call `note` once that is there.
pub(super) fn write_outcome(
    path: &Path,
    outcome: &Outcome,
    note: impl FnOnce(),
) -> Result<(), Error> {
    let text = toml::to_string(outcome)
        .map_err(|error| Error::file(path, format!("cannot be written: {error}")))?;
    files::write_and_note(path, |file| file.write_all(text.as_bytes()), note)
}
