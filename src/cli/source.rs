//! What a path on the command line leads to: a run folder, whether its run is finished or still
//! going on, or a checkpoint.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use broth::run::folder::settings as settings_file;
use broth::run::folder::{RunFolder, list_checkpoints, sidecar};
use broth::soup::checkpoint::Checkpoint;
use broth::{Error, Settings};
use clap::Args;
use toml::Table;

use super::checkpoint::CheckpointArgs;
use super::{Failure, message, number, program, say};

/// Which soup of a run, and how its checkpoint is read.
#[derive(Args, Clone, Copy)]
pub(super) struct SoupArgs {
    /// Of a run folder, the checkpoint with this many epochs done [default: the newest]
    #[arg(long, value_name = "EPOCHS", value_parser = number::count)]
    pub epoch: Option<u64>,

    #[command(flatten)]
    pub loading: CheckpointArgs,
}

/// A soup that a command looks at.
pub(super) struct Subject {
    pub settings: Settings,
    pub checkpoint: Checkpoint,
    /// Where the checkpoint is.
    pub path: PathBuf,
    pub known: KnownFrom,
}

/// Where the settings of a soup are known from.
pub(super) enum KnownFrom {
    /// Its run, in this folder.
    Run(PathBuf),
    /// The sidecar of its checkpoint.
    Sidecar(PathBuf),
    /// The command line alone.
    Flags,
}

/// What there is at a path.
pub(super) enum Source {
    Run(RunFolder),
    Checkpoint(PathBuf),
}

impl SoupArgs {
    /// The newest checkpoint, as its sidecar says.
    fn newest() -> SoupArgs {
        SoupArgs {
            epoch: None,
            loading: CheckpointArgs::default(),
        }
    }

    /// What `path` leads to: a folder of checkpoints leads to the one that is meant.
    pub(super) fn find(self, path: &Path) -> Result<Source, Error> {
        if let Some(folder) = run_at(path) {
            return Ok(Source::Run(folder));
        }
        if path.is_dir() {
            let found = list_checkpoints(path)?;
            if found.is_empty() {
                return Err(neither(path));
            }
            return Ok(Source::Checkpoint(self.choose(path, found)?));
        }
        if let Some(epoch) = self.epoch {
            return Err(Error::Usage(format!(
                "--epoch {epoch} chooses a checkpoint of a run folder, and {} is a file; leave it \
                 out",
                path.display()
            )));
        }
        Ok(Source::Checkpoint(path.into()))
    }

    /// The checkpoint that is meant, of those in a folder.
    fn choose(self, folder: &Path, mut found: Vec<(u64, PathBuf)>) -> Result<PathBuf, Error> {
        let place = match self.epoch {
            Some(epoch) => found
                .iter()
                .position(|(epochs_done, _)| *epochs_done == epoch),
            None => (!found.is_empty()).then_some(0),
        };
        match place {
            Some(place) => Ok(found.swap_remove(place).1),
            None => Err(Error::file(folder, no_checkpoint(self.epoch, &found))),
        }
    }

    /// The soup at `path`. Where its settings come from, of those that are `used`, is said,
    /// unless it is to be quiet.
    pub(super) fn see(
        self,
        path: &Path,
        given: &Table,
        used: &[&str],
        quiet: bool,
    ) -> Result<Subject, Failure> {
        match self.find(path)? {
            Source::Run(run) => self.see_run(&run, given, quiet),
            Source::Checkpoint(path) => {
                let loaded = self.loading.load_to_see(&path, given, used, quiet)?;
                Ok(Subject {
                    settings: loaded.settings,
                    checkpoint: loaded.checkpoint,
                    path,
                    known: loaded.sidecar.map_or(KnownFrom::Flags, KnownFrom::Sidecar),
                })
            }
        }
    }

    /// The soup of a run.
    fn see_run(self, run: &RunFolder, given: &Table, quiet: bool) -> Result<Subject, Failure> {
        if let Some(flag) = given.keys().next() {
            return Err(Error::Usage(format!(
                "--{flag} is for checkpoints; the run in {} knows its own: leave it out",
                run.path().display()
            ))
            .into());
        }
        let (settings, plan) = settings_file::read(run)?;
        let checkpoints = plan.checkpoint_dir.unwrap_or(run.checkpoints());
        let (checkpoint, path) = self.read(&settings, &checkpoints, quiet)?;
        Ok(Subject {
            settings,
            checkpoint,
            path,
            known: KnownFrom::Run(run.path().into()),
        })
    }

    /// The newest good checkpoint of those in a run's folder, or the one that is asked for.
    fn read(
        self,
        settings: &Settings,
        checkpoints: &Path,
        quiet: bool,
    ) -> Result<(Checkpoint, PathBuf), Failure> {
        // A run that keeps only its newest checkpoints may remove some meanwhile.
        const MOST_TURNS: usize = 5;
        let mut skipped = Vec::new();
        for _ in 0..MOST_TURNS {
            skipped.clear();
            let found = list_checkpoints(checkpoints)?;
            let wanted = match self.epoch {
                Some(_) => vec![self.choose(checkpoints, found)?],
                None => found.into_iter().map(|(_, path)| path).collect(),
            };
            for path in wanted {
                match sidecar::read_good(&path, settings) {
                    Ok(checkpoint) => {
                        for problem in skipped.iter().filter(|_| !quiet) {
                            say(&format!("skipped: {}", message::of(problem)))?;
                        }
                        return Ok((checkpoint, path));
                    }
                    Err(error) => skipped.push(error),
                }
            }
            if !skipped.iter().any(is_gone) {
                break;
            }
        }
        let none = || Error::file(checkpoints, no_checkpoint(None, &[]));
        Err(skipped.into_iter().next().unwrap_or_else(none).into())
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error, Error::System { source, .. } if source.kind() == ErrorKind::NotFound)
}

fn no_checkpoint(epoch: Option<u64>, found: &[(u64, PathBuf)]) -> String {
    let Some(epoch) = epoch.filter(|_| !found.is_empty()) else {
        return "holds no checkpoint yet; wait for the run's first".into();
    };
    const LISTED: usize = 20;
    let mut epochs: Vec<_> = found.iter().map(|(epochs, _)| epochs.to_string()).collect();
    let more = epochs.len().saturating_sub(LISTED);
    epochs.truncate(LISTED);
    let and_more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!(
        "has no checkpoint for --epoch {epoch}; those that it has: {}{and_more}",
        epochs.join(", ")
    )
}

/// The run at `path`: its folder, the folder of its checkpoints, or one of its files.
fn run_at(path: &Path) -> Option<RunFolder> {
    const FILES: [&str; 3] = ["settings.toml", "metrics.csv", "performance.csv"];
    let name = path.file_name().and_then(|name| name.to_str());
    let folder = match name {
        _ if RunFolder::look(path).is_ok() => path,
        Some("checkpoints") => path.parent()?,
        Some(name) if FILES.contains(&name) => path.parent()?,
        _ => return None,
    };
    RunFolder::look(as_folder(folder)).ok()
}

/// A folder that may be the one worked in.
fn as_folder(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

fn neither(path: &Path) -> Error {
    if is_sweep(path) {
        return of_sweep(path);
    }
    Error::file(
        path,
        "is not a run folder (it has no settings.toml) and holds no checkpoints; give a folder \
         that `broth run` made, or a checkpoint",
    )
}

/// Whether `path` is the folder of a sweep.
pub(super) fn is_sweep(path: &Path) -> bool {
    ["results", "results.csv"]
        .iter()
        .any(|name| path.join(name).exists())
}

fn of_sweep(path: &Path) -> Error {
    let figures = program::command(&format!("figures {}", program::path(path)));
    Error::file(
        path,
        format!(
            "is the folder of a sweep, not of a run; `{figures}` draws its results, and its soups \
             are in runs/KEY"
        ),
    )
}

/// The checkpoint at `path`, or the newest of a run.
pub(super) fn newest_checkpoint(path: &Path) -> Result<PathBuf, Failure> {
    let newest = SoupArgs::newest();
    match newest.find(path)? {
        Source::Run(run) => Ok(newest.see_run(&run, &Table::new(), false)?.path),
        Source::Checkpoint(path) => Ok(path),
    }
}

/// A run, and the soup of it that was pointed at.
pub(super) struct OfRun {
    pub folder: PathBuf,
    /// Epochs done at the checkpoint that was given instead of the folder.
    pub epochs_done: Option<u64>,
}

/// The run that `path` leads to, for a command that needs all of it: its folder, or one of its
/// files.
pub(super) fn run_of(path: &Path) -> Result<OfRun, Error> {
    if let Some(folder) = run_at(path) {
        return Ok(OfRun {
            folder: folder.path().into(),
            epochs_done: None,
        });
    }
    if is_sweep(path) {
        return Err(of_sweep(path));
    }
    if path.is_dir() {
        return Err(RunFolder::look(path).err().unwrap_or_else(|| neither(path)));
    }
    std::fs::metadata(path).map_err(|error| Error::cannot("read", path, error))?;
    let epochs_done = path
        .file_stem()
        .and_then(|digits| digits.to_str()?.parse().ok());
    let run = path.parent().and_then(run_at);
    match (run, epochs_done) {
        (Some(folder), Some(epochs_done)) => Ok(OfRun {
            folder: folder.path().into(),
            epochs_done: Some(epochs_done),
        }),
        _ => Err(Error::file(
            path,
            "is a file that is in no run folder, and this takes a whole run; give the folder that \
             `broth run` made, or a checkpoint in it",
        )),
    }
}
