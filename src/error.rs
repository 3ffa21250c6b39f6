//! What can go wrong, as values: each message says what, where and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no native code.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoNativeCode(pub String);

/// An error of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that was asked for cannot be: a setting out of range, say.
    #[error("{0}")]
    Usage(String),
    /// A file holds something other than it should.
    #[error("{} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Native code was asked for, and this machine has none.
    #[error("native code is not possible here ({0})")]
    NoNativeCode(#[from] NoNativeCode),
    /// What cannot be without a bug in broth.
    #[error("{0}; please report this")]
    Bug(String),
    /// The system refused: no such file, no permission, disk full.
    #[error("cannot {what} {}: {source}{}", path.display(), advice(source))]
    System {
        /// What was tried: `read`, `write`, `create`.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// An error in what a file holds.
    pub fn file(path: &Path, problem: impl Into<String>) -> Error {
        Error::File {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// An error of the system about a file or folder.
    pub fn cannot(what: &'static str, path: &Path, source: io::Error) -> Error {
        Error::System {
            what,
            path: path.into(),
            source,
        }
    }

    /// The thread that measures and writes is gone, which takes a bug.
    #[cfg(feature = "run")]
    pub(crate) fn recorder_gone() -> Error {
        Error::Bug("the recording thread ended early".into())
    }

    /// Whether what was asked for was wrong, and not the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Usage(_) | Error::File { .. } => true,
            Error::Bug(_) | Error::NoNativeCode(_) => false,
            Error::System { what, source, .. } => {
                *what == "read"
                    && matches!(
                        source.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                    )
            }
        }
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space; a run that had begun goes on with --resume"
        }
        io::ErrorKind::FileTooLarge => {
            "; raise the limit on the size of files (ulimit -f) or choose another file \
             system; a run that had begun goes on with --resume"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose another place, or change its permissions"
        }
        io::ErrorKind::NotFound => "; check the path",
        _ => "",
    }
}
