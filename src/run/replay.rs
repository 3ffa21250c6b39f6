//! A run gone through again, from its nearest checkpoint; its folder stays as it is.

use std::path::Path;

use super::{Newest, Plan};
use crate::Error;
use crate::engine::Engine;
use crate::output::folder::{self, RunFolder};
use crate::output::settings_file;
use crate::soup::Soup;

/// A soup on its way through epochs that a run has been through, or may go through.
#[derive(Debug)]
pub struct Replay {
    soup: Soup,
    from: u64,
    to: u64,
}

impl Replay {
    /// Of the run in the folder `path`, from the soup after `from` epochs (without, where
    /// the run began) to that after `to` (without, its newest checkpoint).
    pub fn open(path: &Path, from: Option<u64>, to: Option<u64>) -> Result<Replay, Error> {
        let folder = RunFolder::look(path)?;
        let (settings, plan) = settings_file::read(&folder)?;
        let plan = plan.without_tracers();
        let checkpoints = plan.checkpoint_dir.clone().unwrap_or(folder.checkpoints());
        let start = start_of(&plan);
        let from = from.unwrap_or(start);
        if from < start {
            return Err(Error::Usage(format!(
                "--from {from}: the run in {} began with a checkpoint after {start} epochs; \
                 choose {start} or more",
                path.display()
            )));
        }
        let newest = folder::list_checkpoints(&checkpoints)?.first().map(|c| c.0);
        let to = to.or(newest).unwrap_or(plan.max_epochs);
        if to < from || to > i64::MAX as u64 {
            return Err(Error::Usage(format!(
                "epochs {from} to {to}: choose a --to from --from up; the newest checkpoint \
                 of the run in {} has {} epochs done",
                path.display(),
                newest.unwrap_or(start)
            )));
        }
        let of_soup = settings_file::of_soup(&settings)?;
        let mut soup = Newest::up_to(from, &settings, &plan, &checkpoints, &of_soup)?.soup;
        soup.set_engine(Engine::Auto, &plan.options);
        Ok(Replay { soup, from, to })
    }

    /// The soup as it stands.
    pub fn soup(&self) -> &Soup {
        &self.soup
    }

    /// Epochs done at the first point that was asked for.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Epochs done at the last.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// The points from the first to the last, every so many epochs, of which there may be
    /// `most`; without a number of epochs one that makes about `good` points.
    pub fn points(&self, every: Option<u64>, good: u64, most: u64) -> Result<Vec<u64>, Error> {
        let length = self.to - self.from;
        let every = every.unwrap_or(length.div_ceil(good).max(1));
        if every == 0 || length / every >= most {
            return Err(Error::Usage(format!(
                "--every {every}: from epoch {} to {} choose {} or more, for {most} points \
                 at most",
                self.from,
                self.to,
                length / most + 1
            )));
        }
        let points = (0..=length / every).map(|i| self.from + i * every);
        Ok(points.collect())
    }

    /// Go on until so many epochs are done; `watch` is told how many are, after each.
    pub fn go_to(&mut self, epochs_done: u64, watch: &mut dyn FnMut(u64)) {
        while self.soup.epochs_done() < epochs_done {
            self.soup.step();
            watch(self.soup.epochs_done());
        }
    }
}

/// Epochs done when the run began: the checkpoint that it was loaded from has them in
/// its name.
pub(super) fn start_of(plan: &Plan) -> u64 {
    let name = plan.load.as_ref().and_then(|path| path.file_stem());
    let digits = name.and_then(|name| name.to_str());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
