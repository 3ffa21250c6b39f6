//! What can go wrong, as values: each message says what, where and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no native code.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoNativeCode(pub String);

/// An error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that was asked for cannot be: a setting out of range, say.
    #[error("{0}")]
    Usage(String),
    /// A setting or an argument has a value that it cannot have. In the message the names of
    /// settings and arguments stand between backquotes; [`Error::naming`] gives them others.
    #[error("{0}")]
    Setting(String),
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
    #[error("cannot {what} {}: {}{}", path.display(), reason(source), advice(source))]
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

    /// The message in the words of another surface than the library's, such as a command line:
    /// each name of a setting or an argument becomes what `name` says, backquotes and all. One
    /// that it does not know stays.
    pub fn naming(&self, name: impl Fn(&str) -> Option<String>) -> String {
        let Error::Setting(message) = self else {
            return self.to_string();
        };
        let parts: Vec<&str> = message.split('`').collect();
        let mut said = String::new();
        for (i, part) in parts.iter().enumerate() {
            // Every other part is between two backquotes, unless the last of them is missing.
            let is_quoted = i % 2 == 1 && i + 1 < parts.len();
            match name(part).filter(|_| is_quoted) {
                Some(other) => said.push_str(&other),
                None if is_quoted => said.extend(["`", part, "`"]),
                None if i % 2 == 1 => said.extend(["`", part]),
                None => said.push_str(part),
            }
        }
        said
    }

    /// What is wrong with settings, as an error of the file that they are in, where `key` names
    /// them.
    #[cfg(feature = "run")]
    pub(crate) fn in_file(
        self,
        path: &Path,
        what: &str,
        key: impl Fn(&str) -> Option<String>,
    ) -> Error {
        match self {
            Error::Usage(_) | Error::Setting(_) => {
                Error::file(path, format!("{what}: {}", self.naming(key)))
            }
            other => other,
        }
    }

    /// Whether what was asked for was wrong, and not the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Usage(_) | Error::Setting(_) | Error::File { .. } => true,
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

/// What the system said, in plain words where they are better.
fn reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        _ => source.to_string(),
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space; a run that had begun can be resumed"
        }
        io::ErrorKind::FileTooLarge => {
            "; raise the limit on the size of files (ulimit -f) or choose another file \
             system; a run that had begun can be resumed"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose another place, or change its permissions"
        }
        io::ErrorKind::NotFound => "; check the path",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_settings_become_what_a_surface_calls_them() {
        let name = |field: &str| (field == "num_programs").then(|| "--num".to_owned());
        for (message, expected) in [
            ("`num_programs` 3: odd", "--num 3: odd"),
            ("`seed` needs `num_programs`", "`seed` needs --num"),
            ("num_programs", "num_programs"),
            ("a ` and `num_programs`", "a ` and `num_programs`"),
            ("`num_programs", "`num_programs"),
            ("``", "``"),
            ("", ""),
        ] {
            let error = Error::Setting(message.into());
            assert_eq!(error.naming(name), expected);
            assert_eq!(error.to_string(), message);
            assert!(error.is_usage());
        }
        // Names in other errors are quoted from files.
        let error = Error::Usage("`num_programs`".into());
        assert_eq!(error.naming(name), "`num_programs`");
    }
}
