//! The run folder: one folder for all records of a run.

pub mod csv;
pub mod load;
pub mod performance;
pub mod settings;
pub mod sidecar;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Table;

use crate::Error;
use crate::files;
use crate::soup::checkpoint::Checkpoint;

/// What the interaction pattern is called in a run folder.
pub(crate) const INTERACTION_PATTERN: &str = "interaction-pattern.txt";

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
    /// Held by whoever writes to the folder, for as long.
    _lock: Option<Arc<File>>,
}

impl RunFolder {
    /// Make a new run folder.
    pub fn create(place: &Place) -> Result<RunFolder, Error> {
        match place {
            Place::At(path) => {
                if path.symlink_metadata().is_ok() {
                    let out = path.display();
                    return Err(Error::Setting(if RunFolder::look(path).is_ok() {
                        format!(
                            "`out` {out} exists already; to continue the run in it give it to \
                             `resume`, else choose another folder"
                        )
                    } else {
                        format!(
                            "`out` {out} exists already, and no run can be resumed in it; \
                             remove it or choose another folder"
                        )
                    }));
                }
                files::make_folder(path)?;
                RunFolder::locked(path.clone())
            }
            Place::Numbered(parent, name) => {
                files::make_folder(parent)?;
                for number in 1u64.. {
                    let path = match number {
                        1 => parent.join(name),
                        _ => parent.join(format!("{name}-{number}")),
                    };
                    match fs::create_dir(&path) {
                        Ok(()) => {
                            files::sync_name(&path)?;
                            return RunFolder::locked(path);
                        }
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
        RunFolder::look(path)?;
        let folder = RunFolder::locked(path.into())?;
        files::remove_unfinished(path)?;
        Ok(folder)
    }

    fn locked(path: PathBuf) -> Result<RunFolder, Error> {
        let _lock = lock(&path, "a run is already running in it")?;
        Ok(RunFolder { path, _lock })
    }

    /// Remove a new folder that no run has begun in.
    pub(crate) fn discard(self) {
        // There is an error to tell already.
        let _ = fs::remove_dir_all(&self.path);
    }

    /// The run folder at `path`, which must hold settings, to look at only.
    pub fn look(path: &Path) -> Result<RunFolder, Error> {
        let folder = RunFolder {
            path: path.into(),
            _lock: None,
        };
        if folder.settings().symlink_metadata().is_err() {
            fs::metadata(path).map_err(|error| Error::cannot("read", path, error))?;
            return Err(Error::file(
                path,
                "is not a run folder: it has no settings.toml; give the folder that \
                 `broth run` made (one killed before it began to run leaves none: \
                 start it again)",
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

/// Lock a folder for the only one who writes to it; however that one ends, the system lets go
/// of it. Where folders cannot be locked, nobody is told.
pub(crate) fn lock(path: &Path, taken: &str) -> Result<Option<Arc<File>>, Error> {
    let lock = File::open(path).ok();
    if let Some(Err(TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock) {
        return Err(Error::file(
            path,
            format!("is in use: {taken}; wait for its end, or stop it"),
        ));
    }
    Ok(lock.map(Arc::new))
}

/// The checkpoints in a folder, as (epochs done, path), the newest first.
pub fn list_checkpoints(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    list(folder, "dat")
}

/// The files in a folder that are called as checkpoints are, with this ending.
pub(crate) fn list(folder: &Path, ending: &str) -> Result<Vec<(u64, PathBuf)>, Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let digits = path.file_stem().and_then(|digits| digits.to_str());
        if path.extension().is_some_and(|known| known == ending)
            && let Some(epochs_done) = digits.and_then(|digits| digits.parse().ok())
            && path.with_extension("dat").file_name()
                == Some(Checkpoint::file_name(epochs_done).as_ref())
        {
            found.push((epochs_done, path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Remove the checkpoints in a folder that have fewer epochs done than the newest `keep`
/// of those with at most `epochs_done`. (What has more was passed over, or is another's.)
/// Only those go whose sidecars say that they are of a soup with these `settings`.
pub(crate) fn keep_newest(
    folder: &Path,
    epochs_done: u64,
    keep: u64,
    settings: &Table,
) -> Result<(), Error> {
    let mut kept = 0;
    keep_those(folder, settings, |epochs, checkpoint| {
        let is_kept = epochs > epochs_done || kept < keep && checkpoint.exists();
        kept += u64::from(is_kept && epochs <= epochs_done);
        is_kept
    })
}

/// Remove the checkpoints in a folder that `is_kept` does not want, which is asked for each,
/// the newest first, with its epochs done and its path. Only those go whose sidecars say that
/// they are of a soup with these `settings`.
pub(crate) fn keep_those(
    folder: &Path,
    settings: &Table,
    mut is_kept: impl FnMut(u64, &Path) -> bool,
) -> Result<(), Error> {
    // By sidecars, which are there before their checkpoints come and after they go.
    for (epochs, path) in list(folder, "toml")? {
        let checkpoint = path.with_extension("dat");
        if !is_kept(epochs, &checkpoint) && sidecar::is_of(&checkpoint, settings) {
            for path in [&checkpoint, &Checkpoint::tokens_path(&path), &path] {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(Error::cannot("remove", path, error));
                    }
                    _ => {}
                }
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
        assert!(taken.is_usage() && taken.to_string().contains("remove it"));
        assert!(RunFolder::open(&names[0]).unwrap_err().is_usage());
    }

    /// A checkpoint with more epochs done than the one just written was passed over.
    #[test]
    fn what_was_passed_over_is_neither_kept_for_another_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Table::new();
        for epochs in [1, 11, 21, 31] {
            write_empty(folder.path(), epochs, &settings);
        }
        keep_newest(folder.path(), 21, 2, &settings).unwrap();
        assert_eq!(epochs_in(folder.path(), "dat"), [31, 21, 11]);
        assert_eq!(epochs_in(folder.path(), "toml"), [31, 21, 11]);
    }

    /// Checkpoints of another soup, without a sidecar, or with one that cannot be read, are
    /// not ours to remove; the sidecar of one whose removal was interrupted is.
    #[test]
    fn only_checkpoints_of_the_soup_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let ours = Table::from_iter([("seed".into(), 1.into())]);
        let theirs = Table::from_iter([("seed".into(), 2.into())]);
        let path = |epochs| folder.path().join(Checkpoint::file_name(epochs));
        for epochs in [1, 2, 3, 4, 5, 6] {
            write_empty(folder.path(), epochs, &ours);
        }
        write_empty(folder.path(), 2, &theirs);
        fs::write(sidecar::path_of(&path(3)), "nonsense").unwrap();
        fs::remove_file(sidecar::path_of(&path(4))).unwrap();
        fs::remove_file(path(5)).unwrap();
        keep_newest(folder.path(), 6, 1, &ours).unwrap();
        assert_eq!(epochs_in(folder.path(), "dat"), [6, 4, 3, 2]);
        assert_eq!(epochs_in(folder.path(), "toml"), [6, 3, 2]);
    }

    fn write_empty(folder: &Path, epochs: u64, settings: &Table) {
        let path = folder.join(Checkpoint::file_name(epochs));
        let checkpoint = Checkpoint::empty();
        sidecar::write(&path, &checkpoint, settings).unwrap();
        checkpoint.write(&path).unwrap();
    }

    fn epochs_in(folder: &Path, ending: &str) -> Vec<u64> {
        let found = list(folder, ending).unwrap();
        found.iter().map(|(epochs, _)| *epochs).collect()
    }

    #[test]
    fn one_at_a_time_writes_to_a_folder() {
        let base = tempfile::tempdir().unwrap();
        let place = Place::At(base.path().join("run"));
        let folder = RunFolder::create(&place).unwrap();
        fs::write(folder.settings(), "").unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("in use"), "{error}");
        assert!(RunFolder::look(folder.path()).is_ok());
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(RunFolder::open(&path).is_ok());
    }

    #[test]
    fn only_checkpoints_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "0000000001.dat",
            "0000000513.dat",
            "1.dat",
            "x.dat",
            "0000000513.toml",
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
