//! What Ctrl-C and other requests to end do: the first asks a command to come to a good end, a
//! later one ends it at once and says what that costs.

use std::io::Write;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use broth::{Error, files};
use indicatif::ProgressBar;

use super::{INTERRUPTED, printable};

/// A request so soon after the first is part of it: keys bounce, and whoever ends a group of
/// programs often tells each of them twice.
const SAME_REQUEST: Duration = Duration::from_millis(500);
/// How long the last words may take: a disk or a terminal may hang.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Whether anybody has asked the program to end.
static ASKED: AtomicBool = AtomicBool::new(false);

/// What a command that ends at this moment has to say of it.
type LastWords = Box<dyn Fn() -> String + Send>;

/// Requests to end, for one command.
#[derive(Clone)]
pub(super) struct Interrupt {
    shared: Arc<Shared>,
}

struct Shared {
    asked: Arc<AtomicBool>,
    screen: Mutex<Screen>,
    last_words: Mutex<LastWords>,
}

#[derive(Default)]
struct Screen {
    /// The moving line, which is to stay in one piece.
    bar: Option<ProgressBar>,
    /// Whether nothing but last words are shown.
    quiet: bool,
}

impl Interrupt {
    /// Have the first request to end set [`Interrupt::flag`] and show `finishing`, which says
    /// what the command still does.
    pub(super) fn finishing(finishing: &'static str, quiet: bool) -> Result<Interrupt, Error> {
        Interrupt::catch(Some(finishing), quiet)
    }

    /// Have the first request end the command at once, since nothing is worth finishing.
    pub(super) fn at_once() -> Result<Interrupt, Error> {
        Interrupt::catch(None, false)
    }

    fn catch(finishing: Option<&'static str>, quiet: bool) -> Result<Interrupt, Error> {
        let interrupt = Interrupt {
            shared: Arc::new(Shared {
                asked: Arc::default(),
                screen: Mutex::new(Screen { bar: None, quiet }),
                last_words: Mutex::new(Box::new(|| {
                    "stopped before the work began; nothing is lost".into()
                })),
            }),
        };
        let shared = Arc::clone(&interrupt.shared);
        let mut first: Option<Instant> = None;
        let hang_ups_are_ignored = ignore_hang_ups();
        let handler = ctrlc::set_handler(move || {
            let since = first.map(|first| first.elapsed());
            first.get_or_insert_with(Instant::now);
            ASKED.store(true, Ordering::Relaxed);
            match (since, finishing) {
                (None, Some(finishing)) => {
                    shared.asked.store(true, Ordering::Relaxed);
                    // Apart: a screen that takes no more text must not keep later requests out.
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.say(finishing));
                }
                (Some(since), Some(_)) if since < SAME_REQUEST => {}
                _ => shared.end(),
            }
        });
        handler.map_err(|error| Error::Usage(format!("cannot catch Ctrl-C: {error}")))?;
        // The handler is for all requests to end; `nohup` asks that a hang-up be none.
        if hang_ups_are_ignored {
            ignore_hang_ups();
        }
        Ok(interrupt)
    }

    /// Set once the command is to come to its end.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.shared.asked
    }

    /// [`Interrupt::flag`], to keep.
    pub(super) fn shared_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.asked)
    }

    /// Whether the command is to come to its end.
    pub(super) fn is_asked(&self) -> bool {
        self.flag().load(Ordering::Relaxed)
    }

    /// From now on `words` tell what is lost where the command ends at once. They are asked for
    /// while no [`files::commit`] is under way, and must wait for nothing.
    pub(super) fn last_words(&self, words: impl Fn() -> String + Send + 'static) {
        *lock(&self.shared.last_words) = Box::new(words);
    }

    /// Write around this moving line from now on.
    pub(super) fn draws(&self, bar: &ProgressBar) {
        lock(&self.shared.screen).bar = Some(bar.clone());
    }
}

impl Shared {
    /// A line that stays, above the moving one.
    fn say(&self, line: &str) {
        let screen = lock(&self.screen);
        if !screen.quiet {
            screen.write(line);
        }
    }

    /// End the program, whatever else it is doing.
    fn end(self: &Arc<Shared>) -> ! {
        let shared = Arc::clone(self);
        thread::spawn(move || {
            // Held to the end, so that what is said stays true.
            let _held = files::hold();
            let words = lock(&shared.last_words)();
            let screen = lock(&shared.screen);
            if let Some(bar) = &screen.bar {
                bar.finish_and_clear();
            }
            screen.write(&format!("broth: {words}"));
            exit(INTERRUPTED.into());
        });
        thread::sleep(LAST_WORDS);
        exit(INTERRUPTED.into());
    }
}

impl Screen {
    /// In one piece, and to nobody where standard error is gone.
    fn write(&self, line: &str) {
        let line = format!("{}\n", printable(line));
        let write = || {
            let _ = std::io::stderr().write_all(line.as_bytes());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// Ignore hang-ups, of terminals and sessions, from now on; tells whether they were ignored
/// before.
#[cfg(unix)]
fn ignore_hang_ups() -> bool {
    // SAFETY: no handler runs: the system is told to drop the signal.
    let before = unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
    before == libc::SIG_IGN
}

#[cfg(not(unix))]
fn ignore_hang_ups() -> bool {
    false
}

/// Whether anybody has asked the program to end.
pub(super) fn was_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
