//! A folder of checkpoints: what lives in soups of the user's own.

use std::path::{Path, PathBuf};

use toml::Table;

use super::draw::Draw;
use super::engines::has_engines;
use crate::language::Language;
use crate::run::folder::list_checkpoints;
use crate::run::folder::load::{Beside, load};
use crate::soup::settings::World;
use crate::{Error, Settings};

/// Checkpoints that are read, at most: the newest of each folder first.
const MOST_CHECKPOINTS: usize = 256;
/// Programs that are kept of each, at most.
const MOST_PROGRAMS: usize = 4096;
/// Folders within folders that are looked into.
const DEPTH: usize = 3;

/// What is known of a checkpoint.
#[derive(Clone, Debug)]
pub struct Known {
    /// The settings of its soup.
    pub settings: Settings,
    /// Some of its programs, or all.
    pub programs: Vec<u8>,
}

/// The checkpoints of a folder, or none.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    path: PathBuf,
    known: Vec<Known>,
    /// Checkpoints of languages and worlds that one engine runs only.
    pub passed_over: usize,
}

impl Folder {
    /// Read the checkpoints in `path` and the folders in it, such as run folders. Each needs its
    /// sidecar, which says what its bytes mean.
    pub fn read(path: &Path) -> Result<Folder, Error> {
        let mut paths = Vec::new();
        find(path, DEPTH, &mut paths)?;
        paths.truncate(MOST_CHECKPOINTS);
        let mut folder = Folder {
            path: path.into(),
            ..Folder::default()
        };
        let nothing = Table::new();
        for path in &paths {
            let loaded = load(
                path,
                Beside {
                    given: &nothing,
                    overrides: false,
                    is_run: false,
                },
            )?;
            let settings = loaded.settings;
            if !has_engines(settings.language) || settings.world != World::Pairs {
                folder.passed_over += 1;
                continue;
            }
            let mut programs = loaded.checkpoint.programs;
            programs.truncate(MOST_PROGRAMS * settings.language.program_len);
            folder.known.push(Known { settings, programs });
        }
        if folder.known.is_empty() {
            return Err(Error::Usage(format!(
                "{}: there is no checkpoint of a soup in pairs that more than one engine \
                 runs; give a run folder, or one of checkpoints with their sidecars",
                path.display()
            )));
        }
        Ok(folder)
    }

    /// The languages of its soups, each once.
    pub fn languages(&self) -> Vec<&'static Language> {
        let mut all: Vec<_> = self
            .known
            .iter()
            .map(|known| known.settings.language)
            .collect();
        all.sort_by_key(|language| language.name);
        all.dedup();
        all
    }

    /// Any checkpoint of `language`.
    pub fn any(&self, language: &Language, draw: &mut Draw) -> Result<&Known, Error> {
        let all = self.known.iter();
        let all: Vec<_> = all
            .filter(|known| known.settings.language == language)
            .collect();
        if all.is_empty() {
            return Err(Error::Usage(format!(
                "{}: there is no checkpoint of {language}",
                self.path.display()
            )));
        }
        Ok(draw.of(&all))
    }
}

/// Add the checkpoints in `folder`, and in the folders in it, in the order of their names.
fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    found.extend(list_checkpoints(folder)?.into_iter().map(|(_, path)| path));
    if depth == 0 {
        return Ok(());
    }
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_type().map_err(cannot)?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    folders.iter().try_for_each(|it| find(it, depth - 1, found))
}
