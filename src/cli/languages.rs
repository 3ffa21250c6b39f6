//! `broth languages`

use std::io::Write;
use std::process::ExitCode;

use broth::language::Language;

use super::Failure;

pub(super) fn languages() -> Result<ExitCode, Failure> {
    let mut out = anstream::stdout().lock();
    for language in Language::every() {
        writeln!(out, "{:<20}{}", language.name, language.summary)?;
    }
    Ok(ExitCode::SUCCESS)
}
