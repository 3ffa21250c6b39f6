//! Ancestry: where a program comes from, interaction by interaction.
//!
//! A run is a pure function of its settings and seed. So nothing needs to be kept for this:
//! the run is gone through again from its checkpoints, the last of them first.

use super::past::past_rows;
use super::replay::{PastRun, run_to};
use crate::Error;
use crate::engine::{Engine, Options};
use crate::language::{PROGRAM_LEN, Program};
use crate::measure::copying::Copied;
use crate::measure::replicators::{KNIERIM_THRESHOLD, Partners, Scorer};
use crate::random::Streams;
use crate::soup::Soup;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::interaction::{self, Interaction, Interactions, Side, Which};
use crate::soup::settings::Settings;

/// How far the search for a run's first replicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Searched {
    /// So many epochs are done.
    Epochs(u64),
    /// So many programs of the soup there are scored.
    Programs(usize),
}

/// A program on a line of descent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ancestor {
    /// Epochs done when it was as it is here.
    pub epochs_done: u64,
    /// Its index.
    pub index: usize,
    /// Its bytes.
    pub program: Program,
    /// Its score as a replicator.
    pub score: u8,
    /// The interaction that it came out of.
    pub interaction: Interaction,
    /// The side that it came out on.
    pub side: Side,
    /// The side that it comes from: most of its bytes are from there. On a tie, its own.
    pub parent: Side,
}

impl Ancestor {
    /// The index of the program that it comes from, which was there before the interaction.
    pub(super) fn parent_index(&self) -> usize {
        self.interaction.programs[self.parent as usize]
    }

    /// Whether the interaction changed the line: mutated or made it anew, and not as it was.
    pub fn is_new(&self) -> bool {
        self.parent.of(&self.interaction.before) != self.program
    }
}

/// A program's line of descent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// From the program that was asked for back to the first that is known of.
    pub ancestors: Vec<Ancestor>,
    /// Epochs done where the line begins: with the run, or with a reset.
    pub begun: u64,
}

impl Line {
    /// The earliest replicator on the line.
    pub fn first_replicator(&self) -> Option<&Ancestor> {
        let mut line = self.ancestors.iter().rev();
        line.find(|ancestor| ancestor.score >= KNIERIM_THRESHOLD)
    }
}

/// The commonest replicator at the first log point that has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstSeen {
    /// Epochs done at that log point.
    pub epochs_done: u64,
    /// Programs that score 48 or more.
    pub replicators: u64,
    /// How many of them are the commonest.
    pub alike: u64,
    /// The lowest index of one of those.
    pub index: usize,
}

/// A past that lines of descent can be traced through.
pub(crate) trait Past {
    /// What the soup depends on.
    fn settings(&self) -> &Settings;
    /// How tapes are run.
    fn options(&self) -> &Options;
    /// Epochs done where it begins.
    fn start(&self) -> u64;
    /// The nearest soup that is kept, with at most so many epochs done.
    fn soup_up_to(&self, most_epochs: u64) -> Result<Soup, Error>;
    /// Whether nobody wants to know any more; the line then ends where it is.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Past for PastRun {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn options(&self) -> &Options {
        &self.plan.options
    }

    fn start(&self) -> u64 {
        PastRun::start(self)
    }

    fn soup_up_to(&self, most_epochs: u64) -> Result<Soup, Error> {
        PastRun::soup_up_to(self, most_epochs)
    }
}

impl PastRun {
    /// The soup that `epoch` (from 0) begins with: a reset that was due is done.
    pub fn soup_before(&self, epoch: u64, watch: &mut dyn FnMut(u64)) -> Result<Soup, Error> {
        interaction::check(&self.settings)?;
        let start = self.start();
        if epoch < start || epoch > i64::MAX as u64 {
            return Err(Error::Setting(format!(
                "`epoch` {epoch}: the run in {} began after {start} epochs; choose {start} \
                 or more",
                self.folder.path().display()
            )));
        }
        let mut soup = self.soup_after(epoch, watch)?;
        soup.reset_if_due();
        Ok(soup)
    }

    /// The first log point of the run with a replicator; nothing where it has none.
    /// Counts that the run has written down are believed, others made up for.
    pub fn first_seen(&self, watch: &mut dyn FnMut(Searched)) -> Result<Option<FirstSeen>, Error> {
        interaction::check(&self.settings)?;
        let Some(epochs_done) = self.first_log_point_with_replicators(watch)? else {
            return Ok(None);
        };
        // Before a reset: it is the soup of that log point that counts.
        let soup = self.soup_after(epochs_done, &mut |epoch| watch(Searched::Epochs(epoch)))?;
        let scores = self.scores(&soup, watch)?;
        let (programs, _) = soup.programs().as_chunks();
        let mut found: Vec<(&Program, usize)> = (programs.iter().zip(0..))
            .filter(|(_, index)| scores[*index] >= KNIERIM_THRESHOLD)
            .collect();
        let replicators = found.len() as u64;
        found.sort();
        let same = found.chunk_by(|a, b| a.0 == b.0);
        let commonest = same.max_by_key(|same| (same.len(), std::cmp::Reverse(same[0].1)));
        Ok(commonest.map(|alike| FirstSeen {
            epochs_done,
            replicators,
            alike: alike.len() as u64,
            index: alike[0].1,
        }))
    }

    /// What an ancestor of a program of this run was scored beside.
    pub fn partners_of(&self, ancestor: &Ancestor) -> Partners {
        partners_of(&self.settings, ancestor)
    }

    /// Epochs done when it is plain to see what became of the soup after `from` epochs: once
    /// it was alive, half as many again; of a soup that was not, at the newest checkpoint.
    pub fn turned(&self, from: u64) -> Result<u64, Error> {
        let metrics = self.folder.metrics();
        let mut next = past_rows(&metrics, self.plan.columns())?;
        while let Some(row) = next()? {
            if row.is_alive() {
                let until = row.epoch.saturating_sub(from);
                return Ok(row.epoch + until / 2);
            }
        }
        Ok(self.newest()?.unwrap_or(from))
    }

    /// Scores programs of the run's language.
    pub fn scorer(&self) -> Scorer {
        Scorer::new(self.settings.language, Engine::Auto, &Options::default())
    }

    fn streams(&self) -> Streams {
        Streams::new(self.settings.seed)
    }

    fn scores(&self, soup: &Soup, watch: &mut dyn FnMut(Searched)) -> Result<Vec<u8>, Error> {
        let epochs_done = soup.epochs_done();
        let mut watch = |scored| watch(Searched::Programs(scored));
        self.scorer()
            .score_soup_watched(soup.programs(), &self.streams(), epochs_done, &mut watch)
    }

    fn first_log_point_with_replicators(
        &self,
        watch: &mut dyn FnMut(Searched),
    ) -> Result<Option<u64>, Error> {
        let columns = self.plan.columns();
        let metrics = self.folder.metrics();
        let mut next = past_rows(&metrics, columns)?;
        if self.plan.eval_selfrep {
            while let Some(row) = next()? {
                if row.replicators.is_some_and(|count| count.knierim > 0) {
                    return Ok(Some(row.epoch));
                }
            }
            return Ok(None);
        }
        let mut soup = self.soup_up_to(self.start())?;
        while let Some(row) = next()? {
            run_to(&mut soup, row.epoch, &mut |epoch| {
                watch(Searched::Epochs(epoch))
            });
            if self
                .scores(&soup, watch)?
                .iter()
                .any(|score| *score >= KNIERIM_THRESHOLD)
            {
                return Ok(Some(row.epoch));
            }
        }
        Ok(None)
    }

    /// The line of descent of the program `index` as it is after `epochs_done` epochs.
    /// `watch` is told of every epoch that is run again.
    pub fn line(
        &self,
        epochs_done: u64,
        index: usize,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Line, Error> {
        line(self, epochs_done, index, watch)
    }
}

/// The line of descent of the program `index` as it is after `epochs_done` epochs.
/// `watch` is told of every epoch that is run again.
pub(crate) fn line(
    past: &dyn Past,
    epochs_done: u64,
    index: usize,
    watch: &mut dyn FnMut(u64),
) -> Result<Line, Error> {
    let start = past.start();
    if index >= past.settings().num_programs {
        return Err(Error::Setting(format!(
            "`program` {index}: choose an index from 0 to {}",
            past.settings().num_programs - 1
        )));
    }
    if epochs_done <= start || epochs_done > i64::MAX as u64 {
        return Err(Error::Setting(format!(
            "`epoch` {epochs_done}: no interaction made the programs that the run began \
             with, after {start} epochs; choose {} or more",
            start + 1
        )));
    }
    let scorer = Scorer::new(past.settings().language, Engine::Auto, &Options::default());
    let mut interactions = Interactions::new(past.settings())?;
    let mut ancestors: Vec<Ancestor> = Vec::new();
    let mut index = index;
    let mut end = epochs_done;
    while end > start {
        let soup = past.soup_up_to(end - 1)?;
        let segment = soup.epochs_done();
        let go_on = backwards(past, soup, end, watch, &mut |epoch, soup| {
            let child = ancestors.last();
            let ancestor = ancestor(
                past,
                &mut interactions,
                (epoch, soup, index),
                child,
                &scorer,
            )?;
            index = ancestor.parent_index();
            ancestors.push(ancestor);
            // A reset makes all programs new.
            Ok(epoch == start || !past.settings().resets_after(epoch - 1))
        })?;
        if !go_on {
            break;
        }
        end = segment;
    }
    let begun = ancestors
        .last()
        .map_or(epochs_done, |last| last.epochs_done - 1);
    Ok(Line { ancestors, begun })
}

/// The program `index` as `epoch` made it of a soup, the parent of `child`.
pub(super) fn ancestor(
    past: &dyn Past,
    interactions: &mut Interactions,
    (epoch, soup, index): (u64, &[u8], usize),
    child: Option<&Ancestor>,
    scorer: &Scorer,
) -> Result<Ancestor, Error> {
    let interaction = interactions.get(epoch, soup, Which::Program(index))?;
    let side = interaction.side_of(index);
    let program = side.of(&interaction.after);
    let parent = parent_of(&interaction, side)?;
    // What the engines of the run and the reference engine made of it.
    if let Some(child) = child
        && child.parent.of(&child.interaction.before) != program
    {
        return Err(Error::Bug(format!(
            "epoch {epoch}, pair {}: the reference engine makes another program than was run",
            interaction.pair
        )));
    }
    let mut ancestor = Ancestor {
        epochs_done: epoch + 1,
        index,
        program,
        score: 0,
        side,
        parent,
        interaction,
    };
    let partners = partners_of(past.settings(), &ancestor);
    ancestor.score = scorer.agreement(&program, &partners)?.score();
    Ok(ancestor)
}

/// Show `see` the soup that each epoch begins with, from the one before `end` back to
/// that of `soup`, until it says false; tells whether it never did.
pub(super) fn backwards(
    past: &dyn Past,
    mut soup: Soup,
    end: u64,
    watch: &mut dyn FnMut(u64),
    see: &mut See<'_>,
) -> Result<bool, Error> {
    // Every soup of the stretch is too much to keep, and running up to each takes too
    // long: kept are one of so many, and all between two of these.
    let first = soup.epochs_done();
    let stride = (end - first).isqrt().max(1);
    let copy = |soup: &mut Soup| {
        soup.reset_if_due();
        let mut copy = Checkpoint::empty();
        copy.copy_from(soup);
        copy
    };
    let mut kept = Vec::new();
    while soup.epochs_done() < end {
        if (soup.epochs_done() - first).is_multiple_of(stride) {
            kept.push(copy(&mut soup));
        }
        soup.step();
        watch(soup.epochs_done());
        if past.is_stopped() {
            return Ok(false);
        }
    }
    let mut end = end;
    for snapshot in kept.into_iter().rev() {
        let from = snapshot.epochs_done;
        let mut soup = Soup::from_checkpoint(past.settings().clone(), snapshot, false)?;
        soup.set_engine(Engine::Auto, past.options());
        let mut between = vec![copy(&mut soup)];
        while soup.epochs_done() + 1 < end {
            soup.step();
            watch(soup.epochs_done());
            if past.is_stopped() {
                return Ok(false);
            }
            between.push(copy(&mut soup));
        }
        for before in between.iter().rev() {
            if !see(before.epochs_done, &before.programs)? {
                return Ok(false);
            }
        }
        end = from;
    }
    Ok(true)
}

fn partners_of(settings: &Settings, ancestor: &Ancestor) -> Partners {
    let (n, epoch) = (settings.num_programs, ancestor.epochs_done - 1);
    let streams = Streams::new(settings.seed);
    Partners::of(settings.language, &streams, n, epoch, ancestor.index)
}

/// Told of an epoch and the soup it begins with; says whether to go on.
pub(super) type See<'a> = dyn FnMut(u64, &[u8]) -> Result<bool, Error> + 'a;

/// The side that most bytes of the program on `side` come from.
pub(super) fn parent_of(interaction: &Interaction, side: Side) -> Result<Side, Error> {
    let other = side.other();
    let from = |parent: Side| match &interaction.origins {
        Some(origins) => {
            let own = side.of(origins).into_iter();
            let half = |origin: u8| Side::BOTH[usize::from(origin) / PROGRAM_LEN];
            Ok(own.filter(|origin| half(*origin) == parent).count())
        }
        // Elsewhere nobody tells; what is alike is taken for a copy.
        None => {
            let (before, after) = (parent.of(&interaction.start), side.of(&interaction.after));
            Copied::between(&before, &after).map(|copied| usize::from(copied.bytes))
        }
    };
    Ok(if from(other)? > from(side)? {
        other
    } else {
        side
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{PROGRAM_LEN, TAPE_LEN};

    /// On a tie a program is what stood in its place; with a byte more from the partner, that.
    #[test]
    fn a_parent_is_where_most_bytes_come_from() {
        for side in Side::BOTH {
            for from_partner in 0..=PROGRAM_LEN {
                let partner_is_right = side == Side::Left;
                let own = |place: usize| match (place < from_partner) == partner_is_right {
                    true => PROGRAM_LEN as u8,
                    false => 0,
                };
                let interaction = Interaction {
                    epoch: 0,
                    pair: 0,
                    programs: [0, 1],
                    before: [0; TAPE_LEN],
                    mutations: Vec::new(),
                    start: [0; TAPE_LEN],
                    after: [0; TAPE_LEN],
                    outcome: None,
                    origins: Some(std::array::from_fn(|place| own(place % PROGRAM_LEN))),
                };
                let expected = match from_partner > PROGRAM_LEN / 2 {
                    true => side.other(),
                    false => side,
                };
                assert_eq!(
                    parent_of(&interaction, side).unwrap(),
                    expected,
                    "{from_partner}"
                );
            }
        }
    }
}
