//! What the commands that draw have in common: themes, and where drawings may go.

use std::io::Read;
use std::path::Path;

use broth::Error;
use broth::files;
use broth::plot::format::{Format, Subject};
use broth::plot::theme::Theme;
use clap::{Args, ValueEnum};

use super::number;

/// How a command that recomputes and draws goes about it.
#[derive(Args, Clone, Copy)]
pub(super) struct WorkArgs {
    /// Threads to run on [default: all cores]
    #[arg(long, value_name = "N", value_parser = number::threads)]
    pub threads: Option<u16>,

    /// Show nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a drawing looks.
#[derive(Args)]
pub(super) struct ThemeArgs {
    /// Background: dark, or light for paper
    #[arg(long, value_name = "THEME", default_value = "dark")]
    theme: ThemeName,
}

#[derive(Clone, Copy, ValueEnum)]
enum ThemeName {
    Dark,
    Light,
}

impl ThemeArgs {
    pub(super) fn theme(&self) -> Theme {
        match self.theme {
            ThemeName::Dark => Theme::Dark,
            ThemeName::Light => Theme::Light,
        }
    }
}

/// Whether a drawing may be written to `path`, before the work for it begins: its name says a
/// format that there is, and it replaces nothing but another drawing of that format.
pub(super) fn check_out(path: &Path, subject: Subject) -> Result<(), Error> {
    check("out", path, subject)
}

/// As [`check_out`], for the path that another flag gives.
pub(super) fn check(flag: &str, path: &Path, subject: Subject) -> Result<(), Error> {
    let format = Format::of(path, subject).map_err(|error| {
        // The flag, of which the library knows nothing.
        Error::Usage(format!("--{flag} {error}"))
    })?;
    let wrong = |problem: &str| {
        Err(Error::Usage(format!(
            "--{flag} {}: {problem}",
            path.display()
        )))
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return wrong("there is no such folder; make it, or choose another place");
    }
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let mut head = [0; 8];
    let read = files::open(path).map(|mut file| file.read_exact(&mut head));
    if !matches!(read, Ok(Ok(()))) || !format.is_of(&head) {
        let name = format.name();
        return wrong(&format!(
            "exists already and is no {name}; choose another name"
        ));
    }
    Ok(())
}
