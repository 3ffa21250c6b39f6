//! A view of a living soup, in a browser: [`view_settings`], [`view_folder`] and [`Watcher`].
//!
//! The soup runs on its own threads. A [`Server`] on another sends the newest frame to each page as
//! fast as that page takes frames, so that no page slows the soup. docs/view.md describes the page,
//! the messages and what is safe.

mod birth;
mod folder;
mod frame;
mod history;
mod looker;
mod presets;
mod program;
mod protocol;
mod rows;
mod scene;
mod server;
mod shared;
mod stage;
#[cfg(feature = "watch")]
mod terminal;
mod watcher;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::run::{Plan, Run};
use crate::soup::settings::Settings;
use folder::name_of;
use history::History;
pub use presets::{PRESETS, Preset};
use scene::{NO_END, Origin, Scene};
pub use server::{Access, Server};
use shared::Shared;
use stage::Stage;
#[cfg(feature = "watch")]
pub use terminal::{Colours, restore_terminal, watch_folder};
pub use watcher::Watcher;

/// The plan of a soup that goes on until somebody pauses it.
pub fn endless(plan: Plan) -> Plan {
    Plan {
        max_epochs: NO_END,
        ..plan
    }
}

/// Show the soup that these settings describe, which runs at once if it `plays`, until `interrupt`
/// is set. Uses the rayon thread pool it is called in.
pub fn view_settings(
    server: Server,
    settings: Settings,
    plan: Plan,
    plays: bool,
    interrupt: &AtomicBool,
) -> Result<(), Error> {
    plan.check()?;
    let (scene, history, soup) = stage::begin(
        settings,
        plan.clone(),
        Vec::new(),
        Origin::Settings,
        (1, None),
    )?;
    let (shared, orders) = Shared::new(scene, history);
    let watcher = Watcher::new(Arc::clone(&shared), orders, false);
    let stage = Stage::new(watcher, soup, plan, None, interrupt);
    server.start(shared)?;
    stage.run(plays)
}

/// Show the run in the folder at `path`, also while another process writes to it, until
/// `interrupt` is set. The folder stays as it is.
pub fn view_folder(server: Server, path: &Path, interrupt: &AtomicBool) -> Result<(), Error> {
    let (scene, history, soup, plan, follower) = stage::begin_folder(path)?;
    let (shared, orders) = Shared::new(scene, history);
    let watcher = Watcher::new(Arc::clone(&shared), orders, false);
    let stage = Stage::new(watcher, soup, plan, Some(follower), interrupt);
    server.start(shared)?;
    stage.run(false)
}

/// An observer that shows `run` to pages, which can pause and step it.
pub fn watch_run(server: Server, run: &Run) -> Result<Watcher, Error> {
    let (settings, plan) = (run.soup().settings().clone(), run.plan().clone());
    let engine = (plan.engine, plan.options);
    let history = History::new(settings.clone(), false, engine, None);
    let scene = Scene {
        settings,
        plan,
        origin: Origin::Run(name_of(run.folder().path())),
        generation: 1,
    };
    let (shared, orders) = Shared::new(scene, history);
    server.start(Arc::clone(&shared))?;
    let alive_at = run.alive_at();
    shared.change_state(|state| {
        state.playing = true;
        state.alive_at = alive_at;
    });
    Ok(Watcher::new(shared, orders, true))
}
