//! A run gone through again, from its nearest checkpoint; its folder stays as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::Plan;
use super::saved::Newest;
use crate::Error;
use crate::engine::Engine;
use crate::run::folder::settings as settings_file;
use crate::run::folder::{self, RunFolder};
use crate::soup::Soup;
use crate::soup::settings::Settings;

/// A run in a folder that stays as it is, to look back on.
#[derive(Debug)]
pub struct PastRun {
    pub(super) folder: RunFolder,
    pub(super) settings: Settings,
    pub(super) plan: Plan,
    of_soup: toml::Table,
}

impl PastRun {
    /// The run in the folder `path`.
    pub fn open(path: &Path) -> Result<PastRun, Error> {
        let folder = RunFolder::look(path)?;
        let (settings, plan) = settings_file::read(&folder)?;
        Ok(PastRun {
            folder,
            plan: plan.without_tracers(),
            of_soup: settings_file::of_soup(&settings)?,
            settings,
        })
    }

    /// The settings of the run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How long it goes, and what it measures.
    #[cfg(feature = "view")]
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its folder.
    #[cfg(feature = "view")]
    pub(crate) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Epochs done when the run began: the checkpoint that it was loaded from has them in
    /// its name.
    pub fn start(&self) -> u64 {
        let name = self.plan.load.as_ref().and_then(|path| path.file_stem());
        let digits = name.and_then(|name| name.to_str());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Epochs done at its newest checkpoint, where it has one.
    pub fn newest(&self) -> Result<Option<u64>, Error> {
        let found = folder::list_checkpoints(&self.checkpoints())?;
        Ok(found.first().map(|newest| newest.0))
    }

    fn checkpoints(&self) -> PathBuf {
        let elsewhere = self.plan.checkpoint_dir.clone();
        elsewhere.unwrap_or(self.folder.checkpoints())
    }

    /// The soup of the newest good checkpoint with at most so many epochs done; without any,
    /// that which the run began with.
    pub(crate) fn saved(&self, most_epochs: u64) -> Result<Soup, Error> {
        let checkpoints = self.checkpoints();
        let (settings, plan) = (&self.settings, &self.plan);
        let newest = Newest::up_to(most_epochs, settings, plan, &checkpoints, &self.of_soup);
        Ok(newest?.soup)
    }

    /// As [`PastRun::saved`], ready to be run fast.
    pub(super) fn soup_up_to(&self, most_epochs: u64) -> Result<Soup, Error> {
        let mut soup = self.saved(most_epochs)?;
        soup.set_engine(Engine::Auto, &self.plan.options);
        Ok(soup)
    }

    /// The soup after so many epochs; `watch` is told of every epoch that is run again.
    pub(super) fn soup_after(
        &self,
        epochs_done: u64,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Soup, Error> {
        let mut soup = self.soup_up_to(epochs_done)?;
        run_to(&mut soup, epochs_done, watch);
        Ok(soup)
    }
}

/// Go on until so many epochs are done; `watch` is told how many are, after each.
pub(super) fn run_to(soup: &mut Soup, epochs_done: u64, watch: &mut dyn FnMut(u64)) {
    while soup.epochs_done() < epochs_done {
        soup.step();
        watch(soup.epochs_done());
    }
}

/// A soup on its way through epochs that a run has been through, or may go through.
#[derive(Debug)]
pub struct Replay {
    soup: Soup,
    from: u64,
    to: u64,
    stop: Arc<AtomicBool>,
}

impl Replay {
    /// Of the run in the folder `path`, from the soup after `from` epochs (without, where
    /// the run began) to that after `to` (without, its newest checkpoint).
    pub fn open(path: &Path, from: Option<u64>, to: Option<u64>) -> Result<Replay, Error> {
        let run = PastRun::open(path)?;
        let start = run.start();
        let from = from.unwrap_or(start);
        if from < start {
            return Err(Error::Setting(format!(
                "`from` {from}: the run in {} began with a checkpoint after {start} epochs; \
                 choose {start} or more",
                path.display()
            )));
        }
        let newest = run.newest()?;
        let to = to.or(newest).unwrap_or(run.plan.max_epochs);
        if to < from || to > i64::MAX as u64 {
            return Err(Error::Setting(format!(
                "epochs {from} to {to}: choose a `to` from `from` up; the newest checkpoint \
                 of the run in {} has {} epochs done",
                path.display(),
                newest.unwrap_or(start)
            )));
        }
        let soup = run.soup_up_to(from)?;
        Ok(Replay {
            soup,
            from,
            to,
            stop: Arc::default(),
        })
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
            return Err(Error::Setting(format!(
                "`every` {every}: from epoch {} to {} choose {} or more, for {most} points \
                 at most",
                self.from,
                self.to,
                length / most + 1
            )));
        }
        let points = (0..=length / every).map(|i| self.from + i * every);
        Ok(points.collect())
    }

    /// Stop going on, for good, after the epoch in which `stop` is set.
    pub fn stop_when(&mut self, stop: Arc<AtomicBool>) {
        self.stop = stop;
    }

    /// [`Replay::soup`], to be kept.
    pub fn into_soup(self) -> Soup {
        self.soup
    }

    /// [`Replay::soup`], to be taken on by hand.
    pub(super) fn soup_mut(&mut self) -> &mut Soup {
        &mut self.soup
    }

    /// Whether it has been stopped.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Go on until so many epochs are done, or it is stopped; `watch` is told how many are,
    /// after each.
    pub fn go_to(&mut self, epochs_done: u64, watch: &mut dyn FnMut(u64)) {
        while self.soup.epochs_done() < epochs_done && !self.is_stopped() {
            self.soup.step();
            watch(self.soup.epochs_done());
        }
    }
}
