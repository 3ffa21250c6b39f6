//! The run folder: one folder for all that a run leaves behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{files, sidecar};
use crate::Error;
use crate::soup::checkpoint::Checkpoint;

/// What the interaction pattern is called in a run folder.
pub const INTERACTION_PATTERN: &str = "interaction-pattern.txt";

/// Where a new run folder goes.
#[derive(Clone, Debug)]
pub enum Place {
    /// To this path, which must not exist yet.
    At(PathBuf),
    /// Under the first folder, by the name given, numbered on where taken.
    Numbered(PathBuf, String),
}

/// A run's folder, and the names of what is in it.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Make a new run folder.
    pub fn create(place: &Place) -> Result<RunFolder, Error> {
        match place {
            Place::At(path) => {
                if path.symlink_metadata().is_ok() {
                    return Err(Error::Usage(format!(
                        "--out {} exists already; to go on with the run in it use \
                         `broth run --resume {}`, else choose another folder",
                        path.display(),
                        path.display()
                    )));
                }
                make_folder(path)?;
                Ok(RunFolder { path: path.clone() })
            }
            Place::Numbered(parent, name) => {
                fs::create_dir_all(parent)
                    .map_err(|error| Error::cannot("create", parent, error))?;
                for number in 1u64.. {
                    let path = match number {
                        1 => parent.join(name),
                        _ => parent.join(format!("{name}-{number}")),
                    };
                    match fs::create_dir(&path) {
                        Ok(()) => return Ok(RunFolder { path }),
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        Err(error) => return Err(Error::cannot("create", &path, error)),
                    }
                }
                unreachable!("there are more numbers than folders")
            }
        }
    }

    /// The run folder at `path`, which must hold settings, to go on with: what a
    /// killed run did not finish is removed.
    pub fn open(path: &Path) -> Result<RunFolder, Error> {
        let folder = RunFolder::look(path)?;
        files::remove_unfinished(path)?;
        Ok(folder)
    }

    /// The run folder at `path`, which must hold settings, to look at only.
    pub fn look(path: &Path) -> Result<RunFolder, Error> {
        let folder = RunFolder { path: path.into() };
        if !folder.settings().is_file() {
            return Err(Error::file(
                path,
                "is not a run folder: it has no settings.toml; give the folder that \
                 `broth run` made",
            ));
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything needed to repeat the run.
    pub fn settings(&self) -> PathBuf {
        self.path.join("settings.toml")
    }

    /// What settings and seed determine, a row for each log point.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Times and rates, a row for each log point.
    pub fn performance(&self) -> PathBuf {
        self.path.join("performance.csv")
    }

    /// The interaction pattern, where the run has one.
    pub fn interaction_pattern(&self) -> PathBuf {
        self.path.join(INTERACTION_PATTERN)
    }

    /// Where checkpoints go unless the run says otherwise.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The picture of the soup after `epochs_done` epochs.
    pub fn picture(&self, epochs_done: u64) -> PathBuf {
        self.path.join(format!("soup-{epochs_done:010}.png"))
    }
}

/// Make a folder and those it lies in.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|error| Error::cannot("create", path, error))
}

/// The checkpoints in a folder, as (epochs done, path), the newest first.
pub fn list_checkpoints(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(epochs_done) = name
            .and_then(|name| name.strip_suffix(".dat"))
            .and_then(|digits| digits.parse().ok())
            && name == Some(&Checkpoint::file_name(epochs_done))
        {
            found.push((epochs_done, path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Remove the checkpoints in a folder that have fewer epochs done than the newest `keep`
/// of those with at most `epochs_done`. (What has more was passed over, or is another's.)
pub fn keep_newest(folder: &Path, epochs_done: u64, keep: u64) -> Result<(), Error> {
    let found = list_checkpoints(folder)?.into_iter();
    let found = found.filter(|(epochs, _)| *epochs <= epochs_done);
    for (_, path) in found.skip(keep.try_into().unwrap_or(usize::MAX)) {
        // The sidecar last: no checkpoint is ever without one.
        for path in [&path, &sidecar::path_of(&path)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::cannot("remove", path, error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_numbered_on_and_never_reused() {
        let base = tempfile::tempdir().unwrap();
        let place = Place::Numbered(base.path().join("runs"), "bff-seed-0".into());
        let names: Vec<_> = (0..3)
            .map(|_| RunFolder::create(&place).unwrap().path)
            .collect();
        assert!(names[0].ends_with("runs/bff-seed-0"));
        assert!(names[1].ends_with("runs/bff-seed-0-2"));
        assert!(names[2].ends_with("runs/bff-seed-0-3"));
        let taken = RunFolder::create(&Place::At(names[0].clone())).unwrap_err();
        assert!(taken.is_usage() && taken.to_string().contains("--resume"));
        assert!(RunFolder::open(&names[0]).unwrap_err().is_usage());
    }

    /// A checkpoint with more epochs done than the one just written was passed over.
    #[test]
    fn what_was_passed_over_is_neither_kept_for_another_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        for epochs in [1, 11, 21, 31] {
            let path = folder.path().join(Checkpoint::file_name(epochs));
            fs::write(sidecar::path_of(&path), "").unwrap();
            fs::write(path, "").unwrap();
        }
        keep_newest(folder.path(), 21, 2).unwrap();
        let found = list_checkpoints(folder.path()).unwrap();
        let epochs: Vec<_> = found.iter().map(|(epochs, _)| *epochs).collect();
        assert_eq!(epochs, [31, 21, 11]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
    }

    #[test]
    fn only_checkpoints_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "0000000001.dat",
            "0000000513.dat",
            "1.dat",
            "x.dat",
            "notes.txt",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let epochs: Vec<_> = list_checkpoints(folder.path())
            .unwrap()
            .into_iter()
            .map(|(epoch, _)| epoch)
            .collect();
        assert_eq!(epochs, [513, 1]);
    }
}
