//! Where a page that shows a soup is served, and a page that shows a run.

use std::process::{Command, Stdio};

use broth::Error;
use broth::format::hex;
use broth::run::Run;
use broth::view::{Access, Server, Watcher, watch_run};
use clap::Args;

use super::number;

/// Where the page is served.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Page")]
pub(super) struct AccessArgs {
    /// Serve the page at this port; 0 takes any that is free [default: the first free one from
    /// 4664 on]
    #[arg(long, value_name = "PORT", value_parser = number::any::<u16>)]
    port: Option<u16>,

    /// Serve it to other machines, too, at this name or address of this one (0.0.0.0 for all of
    /// its addresses); who looks needs the token in the address that is printed
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Open the page in the browser
    #[arg(long)]
    pub(super) open: bool,
}

/// A page that shows a run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Page")]
pub(super) struct PageArgs {
    /// Show the run in the browser while it goes: the page can pause and step it, and nothing else
    #[arg(long)]
    view: bool,

    #[command(flatten)]
    access: AccessArgs,
}

impl PageArgs {
    /// Who shows `run` to pages, and what is to be said of it; nobody unless that is asked for.
    pub(super) fn watch(&self, run: &Run) -> Result<Option<(Watcher, String)>, Error> {
        if !self.view {
            return Ok(None);
        }
        let server = self.access.bind()?;
        let mut said = format!("the page is at {}", server.address());
        if self.access.open && !open(server.address()) {
            said += "; no browser could be opened";
        }
        Ok(Some((watch_run(server, run)?, said)))
    }
}

impl AccessArgs {
    /// Take the port.
    pub(super) fn bind(&self) -> Result<Server, Error> {
        let is_given = self.host.is_some();
        let access = Access {
            host: self.host.clone(),
            port: self.port,
            token: is_given.then(|| hex(&rand::random::<[u8; 16]>())),
        };
        Server::bind(&access)
    }
}

/// Open an address in the browser of this machine; tells whether there was one to ask.
pub(super) fn open(address: &str) -> bool {
    let opener = if cfg!(target_os = "macos") {
        ("open", &[][..])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""][..])
    } else {
        ("xdg-open", &[][..])
    };
    let mut program = Command::new(opener.0);
    program.args(opener.1).arg(address);
    program.stdin(Stdio::null()).stdout(Stdio::null());
    program.stderr(Stdio::null()).spawn().is_ok()
}
