//! Birth: where the commonest replicator of a soup comes from.

use std::cell::Cell;

use serde_json::json;

use super::history::History;
use super::shared::Busy;
use super::watcher::Watcher;
use crate::Error;
use crate::engine::{Engine, Options};
use crate::format::hex;
use crate::measure::census::{Portrait, group};
use crate::measure::replicators::{Scorer, knierim_threshold};
use crate::random::Streams;
use crate::run::ancestry::{self, Past};
use crate::soup::Soup;
use crate::soup::interaction;
use crate::soup::settings::Settings;

/// Among so many of the commonest programs a replicator is looked for.
const LOOKED_AT: usize = 64;

/// The first replicator on the line of descent of today's commonest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Birth {
    /// Epochs done when it was there.
    pub epoch: u64,
    /// Its index.
    pub index: usize,
    /// Its score.
    score: u8,
    /// Interactions from it to today's.
    steps: usize,
    program: Vec<u8>,
}

impl Birth {
    /// The message that tells a page of it.
    pub(super) fn message(&self) -> String {
        json!({
            "type": "birth",
            "epoch": self.epoch,
            "index": self.index,
            "score": self.score,
            "steps": self.steps,
            "hex": hex(&self.program),
        })
        .to_string()
    }
}

/// A past that is let go of once a page asks for something else.
struct Stoppable<'a> {
    history: &'a History,
    is_stopped: Cell<bool>,
}

impl Past for Stoppable<'_> {
    fn settings(&self) -> &Settings {
        self.history.settings()
    }

    fn options(&self) -> &Options {
        self.history.options()
    }

    fn start(&self) -> u64 {
        self.history.past().map_or(0, |past| past.start())
    }

    fn soup_up_to(&self, most_epochs: u64) -> Result<Soup, Error> {
        self.history.soup_up_to(most_epochs)
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.get()
    }
}

/// Find it for the soup as it stands; nothing where a page asks for something else meanwhile.
pub(super) fn find(
    history: &History,
    soup: &Soup,
    watcher: &mut Watcher,
) -> Result<Option<Birth>, Error> {
    interaction::check(history.settings())?;
    if !history.plants().is_empty() {
        return Err(Error::Usage(
            "programs were planted in this soup, so that its life may be no birth of its own"
                .into(),
        ));
    }
    let index = commonest_replicator(soup)?.ok_or_else(|| {
        Error::Usage("there is no replicator among the commonest programs yet".into())
    })?;
    let now = soup.epochs_done();
    let past = Stoppable {
        history,
        is_stopped: Cell::new(false),
    };
    let from = past.start();
    let mut done = 0;
    // Each epoch is run up to twice.
    let all = 2 * (now - from);
    let shared = watcher.shared.clone();
    let mut watch = |_| {
        done += 1;
        if watcher.has_order() {
            past.is_stopped.set(true);
        }
        shared.change_state(|state| {
            state.busy = Some(Busy {
                what: "tracing back",
                from: 0,
                to: all,
                now: all.min(done),
            });
        });
    };
    let line = ancestry::line(&past, now, index, &mut watch)?;
    if past.is_stopped.get() {
        return Ok(None);
    }
    let first = line.first_replicator().ok_or_else(|| {
        Error::Usage("the line of the commonest replicator begins with the soup itself".into())
    })?;
    Ok(Some(Birth {
        epoch: first.epochs_done,
        index: first.index,
        score: first.score,
        steps: line
            .ancestors
            .iter()
            .filter(|it| it.epochs_done > first.epochs_done)
            .count(),
        program: first.program.to_vec(),
    }))
}

/// The lowest index of the commonest program that is a replicator.
fn commonest_replicator(soup: &Soup) -> Result<Option<usize>, Error> {
    let settings = soup.settings();
    let language = settings.language;
    let scorer = Scorer::new(language, Engine::Auto, &Options::default());
    let streams = Streams::new(settings.seed);
    let groups = group(language.program_len, soup.programs(), soup.programs());
    for group in groups.iter().take(LOOKED_AT) {
        let portrait = Portrait::of(
            language,
            &scorer,
            &streams,
            settings.num_programs,
            soup.epochs_done(),
            (group.index, &group.program),
        )?;
        if portrait.score >= knierim_threshold(language.program_len) {
            return Ok(Some(group.index));
        }
    }
    Ok(None)
}
