//! What a run needs of whoever draws its soup.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::Error;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;

/// What a run's newest frame is called besides.
pub const LATEST_FRAME: &str = "latest.png";

/// Draws the soup of a run.
pub trait Pictures: Debug + Sync {
    /// What draws the frames of a soup with these settings into `folder`. As a table, the
    /// settings that decide what the soup becomes are `of_soup`.
    fn frames(&self, folder: PathBuf, settings: &Settings, of_soup: &Table) -> Box<dyn Frames>;

    /// Draw `soup` to the file `path`.
    fn draw(&self, path: &Path, settings: &Settings, soup: &Checkpoint) -> Result<(), Error>;
}

/// Draws the frames of a run, which are called as its checkpoints are.
pub trait Frames: Debug + Send {
    /// Write the frame of a soup, and a copy of it as [`LATEST_FRAME`]. A checkpoint of it is
    /// written after this returns.
    fn write(&self, soup: &Checkpoint) -> Result<(), Error>;

    /// Remove the frames of this soup with more epochs done than that. A run that goes on from
    /// there writes them again; until then, [`LATEST_FRAME`] is the newest of those that stay.
    fn remove_after(&self, epochs_done: u64) -> Result<(), Error>;
}
