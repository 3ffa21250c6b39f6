//! `broth completions` and `broth man`: completions for shells, and manual pages.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use broth::{Error, files};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Failure, help, shown};

const COMPLETIONS: &str = "\
Examples:
  broth completions bash > ~/.local/share/bash-completion/completions/broth
  broth completions zsh > ~/.zfunc/_broth           with ~/.zfunc in fpath
  broth completions fish > ~/.config/fish/completions/broth.fish
  broth completions powershell >> $PROFILE";

const MAN: &str = "\
Examples:
  broth man | man -l -
      the page of broth itself
  broth man --out ~/.local/share/man/man1
      also a page for each command: `man broth-run`";

#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Args)]
#[command(after_help = MAN)]
pub(super) struct ManArgs {
    /// Write the pages of all commands to this folder, replacing older ones
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(args: CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "broth", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(args: ManArgs) -> Result<ExitCode, Failure> {
    let mut command = help::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = args.out else {
        Man::new(command).render(&mut std::io::stdout())?;
        return Ok(ExitCode::SUCCESS);
    };
    files::make_folder(&folder)?;
    let pages = write_pages(&command, &folder)?;
    writeln!(anstream::stdout(), "{pages} pages in {}", shown(&folder))?;
    Ok(ExitCode::SUCCESS)
}

/// Write the page of a command and those of its subcommands; tells how many there are.
fn write_pages(command: &Command, folder: &std::path::Path) -> Result<usize, Error> {
    let man = Man::new(command.clone());
    let path = folder.join(man.get_filename());
    files::write_whole(&path, |file| {
        let mut page = Vec::new();
        man.render(&mut page)?;
        file.write_all(&page)
    })?;
    let below = command.get_subcommands();
    let counts = below.map(|command| write_pages(command, folder));
    Ok(1 + counts.sum::<Result<usize, Error>>()?)
}
