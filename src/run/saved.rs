//! The newest checkpoint of a run that is good.

use std::path::Path;

use super::plan::Plan;
use crate::Error;
use crate::run::folder::{self, sidecar};
use crate::soup::Soup;
use crate::soup::settings::Settings;

/// A soup as a run has saved it.
pub(super) struct Newest {
    pub soup: Soup,
    /// Whether it comes from a checkpoint; else it is the run's first soup.
    pub(crate) is_saved: bool,
    /// Checkpoints that could not be used, and why.
    pub skipped: Vec<Error>,
}

impl Newest {
    /// The newest checkpoint of a run that can be read; without any, its start.
    /// `of_soup` is what sidecars must say of the settings.
    pub(super) fn of(
        settings: &Settings,
        plan: &Plan,
        checkpoints: &Path,
        of_soup: &toml::Table,
    ) -> Result<Newest, Error> {
        Newest::up_to(u64::MAX, settings, plan, checkpoints, of_soup)
    }

    /// As [`Newest::of`], with so many epochs done at most.
    pub(super) fn up_to(
        most_epochs: u64,
        settings: &Settings,
        plan: &Plan,
        checkpoints: &Path,
        of_soup: &toml::Table,
    ) -> Result<Newest, Error> {
        let mut skipped = Vec::new();
        let found = folder::list_checkpoints(checkpoints)?;
        for (epochs_done, path) in found.into_iter().filter(|found| found.0 <= most_epochs) {
            // The name says how many epochs were done: no other has it.
            let is_start = plan.load.as_ref().and_then(|p| p.file_name()) == path.file_name();
            let (language, world) = (settings.language, settings.world);
            let read =
                sidecar::read_checkpoint(&path, language, world).and_then(|mut checkpoint| {
                    if plan.tracers {
                        checkpoint.read_tokens(&path)?;
                    }
                    if checkpoint.epochs_done != epochs_done {
                        return Err(Error::file(
                            &path,
                            format!("has {} epochs done: it was renamed", checkpoint.epochs_done),
                        ));
                    }
                    sidecar::check(&path, &checkpoint, of_soup)?;
                    Soup::from_checkpoint(settings.clone(), checkpoint, !is_start)
                });
            match read {
                Ok(soup) => {
                    return Ok(Newest {
                        soup,
                        is_saved: true,
                        skipped,
                    });
                }
                Err(error) => skipped.push(error),
            }
        }
        if plan.load.is_some() {
            return Err(skipped.pop().unwrap_or_else(|| {
                Error::file(checkpoints, "has no checkpoint, and the run began with one")
            }));
        }
        let mut soup = Soup::new(settings.clone())?;
        if plan.tracers {
            soup.trace()?;
        }
        Ok(Newest {
            soup,
            is_saved: false,
            skipped,
        })
    }
}
