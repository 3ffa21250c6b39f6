//! `broth languages`

use std::io::Write;
use std::process::ExitCode;

use broth::language::Language;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::output::write_json;

#[derive(Args)]
pub(super) struct LanguagesArgs {
    /// Write the list as JSON to standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn languages(args: LanguagesArgs) -> Result<ExitCode, Failure> {
    if args.json {
        let languages = Language::every().map(|language| {
            json!({
                "name": language.name,
                "summary": language.summary,
                "program_bytes": language.program_len,
                "max_steps": language.max_steps,
            })
        });
        write_json(&json!({"languages": languages.collect::<Vec<Value>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = anstream::stdout().lock();
    for language in Language::every() {
        writeln!(out, "{:<20}{}", language.name, language.summary)?;
    }
    Ok(ExitCode::SUCCESS)
}
