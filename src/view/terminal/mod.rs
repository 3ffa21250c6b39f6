//! A view of the run in a folder, in a terminal: [`watch_folder`]. It shows what a page in a
//! browser would, from the same thread that follows the folder.

mod screen;
mod seen;
mod soup;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(unix)]
use rustix::io::Errno;

use self::screen::{Next, Screen};
use self::seen::Eye;
pub use self::soup::Colours;
use super::folder::name_of;
use super::looker::Looker;
use super::shared::Shared;
use super::stage::{self, Stage};
use super::watcher::Watcher;
use crate::Error;

/// The screen is drawn anew this often.
const TICK: Duration = Duration::from_millis(100);

/// Show the run in the folder at `path` in the terminal of standard output, also while another
/// process writes to it, until somebody presses q or `interrupt` is set. The folder stays as it
/// is. Answers with whether `interrupt` or Ctrl-C ended it.
pub fn watch_folder(path: &Path, interrupt: &AtomicBool) -> Result<bool, Error> {
    let (scene, history, soup, plan, follower) = stage::begin_folder(path)?;
    if !io::stdout().is_terminal() {
        return Err(Error::Usage(
            "standard output is no terminal, and nothing else can show a moving picture".into(),
        ));
    }
    let (shared, orders) = Shared::new(scene, history);
    let watcher = Watcher::new(Arc::clone(&shared), orders, false);
    let over = AtomicBool::new(false);
    let stage = Stage::new(watcher, soup, plan, Some(follower), &over);
    let looker = Looker::start(Arc::clone(&shared));
    thread::scope(|scope| {
        let staged = scope.spawn(|| {
            let _ends = Ends(&over);
            stage.run(false)
        });
        let shown = {
            // Whatever becomes of the screen, the other thread ends with it.
            let _ends = Ends(&over);
            show(Eye::new(shared, looker), &name_of(path), interrupt, &over)
        };
        let followed = match staged.join() {
            Ok(followed) => followed,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let is_asked = shown?;
        followed.map(|()| is_asked || interrupt.load(Ordering::Relaxed))
    })
}

/// Give the terminal back as it was, where it was taken: before last words, for example.
pub fn restore_terminal() {
    ratatui::restore();
}

/// Sets a flag once it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Draw the screen until it is to end; answers with whether Ctrl-C ended it.
fn show(eye: Eye, name: &str, interrupt: &AtomicBool, over: &AtomicBool) -> Result<bool, Error> {
    let cannot = |error| Error::cannot("draw on", Path::new("the terminal"), error);
    // From here on, a panic gives the terminal back as well.
    let mut terminal = ratatui::try_init().map_err(cannot)?;
    let screen = Screen::new(name.to_owned(), Colours::of_terminal());
    let drawn = draw(&mut terminal, screen, eye, &[interrupt, over]);
    let restored = ratatui::try_restore();
    let is_asked = drawn.map_err(cannot)?;
    restored.map_err(cannot)?;
    Ok(is_asked)
}

fn draw(
    terminal: &mut DefaultTerminal,
    mut screen: Screen,
    mut eye: Eye,
    ends: &[&AtomicBool],
) -> io::Result<bool> {
    while !ends.iter().any(|it| it.load(Ordering::Relaxed)) {
        if screen.follows() {
            eye.look();
        }
        terminal.draw(|frame| screen.draw(frame, eye.seen()))?;
        if !is_any_key_typed()? {
            continue;
        }
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                match screen.press(key, eye.seen()) {
                    Next::Stay => {}
                    Next::End => return Ok(false),
                    Next::Interrupt => return Ok(true),
                }
            }
        }
    }
    Ok(false)
}

/// Wait until there may be a key, for a tick at most; an error where the terminal is gone. Of such
/// a terminal crossterm would read nothing, over and over.
#[cfg(unix)]
fn is_any_key_typed() -> io::Result<bool> {
    let stdout = io::stdout();
    let mut terminal = [PollFd::new(&stdout, PollFlags::IN)];
    let tick = Timespec::try_from(TICK).map_err(io::Error::other)?;
    match poll(&mut terminal, Some(&tick)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let met = terminal[0].revents();
    if met.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(io::Error::other("it is gone"));
    }
    Ok(met.contains(PollFlags::IN))
}

#[cfg(not(unix))]
fn is_any_key_typed() -> io::Result<bool> {
    event::poll(TICK)
}
