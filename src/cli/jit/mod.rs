//! `broth jit`

mod show;
mod stats;

use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;

#[derive(Subcommand)]
pub(crate) enum JitCommand {
    /// Show what native code did in a run
    Stats(stats::StatsArgs),
    /// List native code, or show one entry of it
    Show(Box<show::ShowArgs>),
}

pub(crate) fn jit(command: JitCommand) -> Result<ExitCode, Failure> {
    match command {
        JitCommand::Stats(args) => stats::stats(args),
        JitCommand::Show(args) => show::show(*args),
    }
}
