//! The winner of a run: its commonest replicator, where its line began, and how that grew.

use rayon::prelude::*;

use super::ancestry::{Ancestor, Line, ancestor, backwards, parent_of};
use super::replay::PastRun;
use crate::Error;
use crate::language::PROGRAM_LEN;
use crate::measure::census::Census;
use crate::measure::replicators::{CUBFF_THRESHOLD, KNIERIM_THRESHOLD};
use crate::random::Streams;
use crate::soup::Soup;
use crate::soup::interaction::{self, Interactions, Side};

/// Epochs after a birth for which descendants are counted, at most.
pub const MOST_GROWTH: u64 = 256;

/// So many members of a line in a row may be damaged and repaired again.
pub const MOST_DAMAGED: usize = 64;

/// Programs alike whose lines are followed, at most.
pub const MOST_LINES: usize = 64;

/// The commonest replicator of a soup, it and its mirror image counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Won {
    /// Epochs done in that soup.
    pub epochs_done: u64,
    /// The indices of those and of their mirror images, in order.
    pub indices: Vec<usize>,
    /// How many there are.
    pub count: u64,
    /// How many are its mirror image; itself, if it is that.
    pub mirrored: u64,
    /// Whether it is its own mirror image.
    pub is_its_mirror: bool,
    /// Its score.
    pub score: u8,
}

impl Won {
    /// The score from which a program of its line counts as a replicator: 48, if it has that
    /// itself.
    pub fn threshold(&self) -> u8 {
        if self.score >= KNIERIM_THRESHOLD {
            KNIERIM_THRESHOLD
        } else {
            CUBFF_THRESHOLD
        }
    }

    /// Of its line, the first ancestor from which on the members are replicators, but for no more
    /// than [`MOST_DAMAGED`] in a row; nothing if `line` does not go back to one that is none.
    pub fn birth<'a>(&self, line: &'a Line) -> Option<&'a Ancestor> {
        let is_one = |ancestor: &Ancestor| ancestor.score >= self.threshold();
        let place = line.ancestors.iter().rposition(is_one)?;
        line.ancestors
            .get(place)
            .filter(|_| place + 1 < line.ancestors.len())
    }
}

/// How many programs descend from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// Epochs done.
    pub epochs_done: u64,
    /// Programs whose line of descent leads to it, itself included if it is still there.
    pub members: u64,
}

impl PastRun {
    /// The commonest replicator after so many epochs; nothing if there is none.
    pub fn winner(
        &self,
        epochs_done: u64,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Option<Won>, Error> {
        interaction::check(&self.settings)?;
        let soup = self.soup_after(epochs_done, watch)?;
        let language = self.settings.language;
        let census = Census::of(language, soup.programs())?;
        let streams = Streams::new(self.settings.seed);
        let winner = census.winner(language, &self.scorer(), &streams, epochs_done)?;
        Ok(winner.map(|winner| Won {
            epochs_done,
            indices: both_strands(soup.programs(), &winner.group.program),
            count: winner.group.count,
            mirrored: winner.group.mirrored,
            is_its_mirror: winner.group.is_its_mirror(),
            score: winner.score,
        }))
    }

    /// The line of the winner, back to where more than [`MOST_DAMAGED`] ancestors in a row are no
    /// replicators: of the first [`MOST_LINES`] programs that are the winner or its mirror image, the line that goes back
    /// furthest. `watch` is told of every epoch that is run again.
    pub fn line_of(&self, won: &Won, watch: &mut dyn FnMut(u64)) -> Result<Line, Error> {
        let start = self.start();
        let scorer = self.scorer();
        let mut interactions = Interactions::new(&self.settings)?;
        // Ancestors, each with the place of its child here.
        let mut seen: Vec<(Ancestor, Option<usize>)> = Vec::new();
        // Programs whose lines go on, with the place of the child of each, and how many in a row
        // were no replicators. Lines that meet are one.
        let first = won.indices.iter().take(MOST_LINES);
        let mut heads: Vec<Head> = first.map(|index| (*index, None, 0)).collect();
        let mut end = won.epochs_done;
        while end > start {
            let soup = self.soup_up_to(end - 1)?;
            let segment = soup.epochs_done();
            let go_on = backwards(self, soup, end, watch, &mut |epoch, soup| {
                let mut next: Vec<Head> = Vec::new();
                for (index, child, damaged) in heads.drain(..) {
                    let at = (epoch, soup, index);
                    let of_child = child.map(|child| &seen[child].0);
                    let found = ancestor(self, &mut interactions, at, of_child, &scorer)?;
                    let damaged = if found.score >= won.threshold() {
                        0
                    } else {
                        damaged + 1
                    };
                    let head = (found.parent_index(), Some(seen.len()), damaged);
                    seen.push((found, child));
                    match next.iter_mut().find(|other| other.0 == head.0) {
                        Some(other) if head.2 < other.2 => *other = head,
                        Some(_) => {}
                        None if damaged <= MOST_DAMAGED => next.push(head),
                        None => {}
                    }
                }
                heads = next;
                // A reset makes all programs new.
                let is_first = epoch > start && self.settings.resets_after(epoch - 1);
                Ok(!heads.is_empty() && !is_first)
            })?;
            if !go_on {
                break;
            }
            end = segment;
        }
        // From the oldest replicator on, and what was before it.
        let is_one = |(found, _): &(Ancestor, _)| found.score >= won.threshold();
        let oldest = seen.iter().rposition(is_one);
        let parent_of = |child: &usize| {
            let parents = seen.iter().enumerate().skip(*child);
            let mut parents = parents.filter(|(_, (_, of))| *of == Some(*child));
            parents.next().map(|(place, _)| place)
        };
        let before = std::iter::successors(oldest.as_ref().and_then(parent_of), parent_of);
        let since = std::iter::successors(oldest, |place| seen[*place].1);
        let mut places: Vec<usize> = since.collect();
        places.reverse();
        places.extend(before);
        let ancestors = places.iter().map(|place| seen[*place].0.clone());
        let ancestors: Vec<Ancestor> = ancestors.collect();
        let begun = ancestors
            .last()
            .map_or(won.epochs_done, |last| last.epochs_done - 1);
        Ok(Line { ancestors, begun })
    }

    /// How many programs descend from `birth`, from then on epoch by epoch: until they are more
    /// than half of the soup, or none, or until `to` epochs are done. A program descends from
    /// the one that most of its bytes came from.
    pub fn growth(
        &self,
        birth: &Ancestor,
        to: u64,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Growth>, Error> {
        let mut interactions = Interactions::new(&self.settings)?;
        let mut soup = self.soup_after(birth.epochs_done, &mut |_| {})?;
        let mut members = vec![false; self.settings.num_programs];
        members[birth.index] = true;
        let mut growth = Vec::new();
        loop {
            let epochs_done = soup.epochs_done();
            let count = members.iter().filter(|member| **member).count();
            growth.push(Growth {
                epochs_done,
                members: count as u64,
            });
            let is_over = count == 0 || 2 * count > members.len() || epochs_done >= to;
            // A reset makes all programs new.
            let is_reset = || self.settings.resets_after(epochs_done - 1);
            if is_over || is_reset() {
                return Ok(growth);
            }
            members = next_members(&mut interactions, &mut soup, &members)?;
            watch(soup.epochs_done());
        }
    }
}

/// A program whose line goes on: its index, the place of its child, and how many in a row were no
/// replicators.
type Head = (usize, Option<usize>, usize);

/// The indices of the programs of a soup that are `program` or its mirror image.
fn both_strands(programs: &[u8], program: &[u8]) -> Vec<usize> {
    let is_one = |other: &[u8]| other == program || other.iter().eq(program.iter().rev());
    let all = programs.chunks_exact(program.len()).enumerate();
    let found = all.filter(|(_, other)| is_one(other));
    found.map(|(index, _)| index).collect()
}

/// Run an epoch; which programs then descend from `members`.
fn next_members(
    interactions: &mut Interactions,
    soup: &mut Soup,
    members: &[bool],
) -> Result<Vec<bool>, Error> {
    let epoch = soup.epochs_done();
    let pairing = interactions.pairing(epoch);
    let (pairs, _) = pairing.programs.as_chunks::<2>();
    let interactions = &*interactions;
    let programs = soup.programs();
    let is_met = |pair: &[u32; 2]| pair.iter().any(|index| members[*index as usize]);
    let met = (0..pairs.len()).into_par_iter();
    let met = met.filter(|pair| is_met(&pairs[*pair]));
    let children = met.map(|pair| {
        let interaction = interactions.follow(epoch, programs, pair);
        let mut is_member = [false; 2];
        for side in Side::BOTH {
            let parent = parent_of(&interaction, side)?;
            is_member[side as usize] = members[interaction.programs[parent as usize]];
        }
        Ok((interaction, is_member))
    });
    let children: Vec<_> = children.collect::<Result<_, Error>>()?;
    soup.step();
    let (after, _) = soup.programs().as_chunks::<PROGRAM_LEN>();
    let mut next = vec![false; members.len()];
    for (interaction, is_member) in children {
        for side in Side::BOTH {
            let index = interaction.programs[side as usize];
            if after[index] != side.of(&interaction.after) {
                return Err(Error::Bug(format!(
                    "epoch {epoch}, pair {}: following its copies makes another program than was \
                     run",
                    interaction.pair
                )));
            }
            next[index] = is_member[side as usize];
        }
    }
    Ok(next)
}
