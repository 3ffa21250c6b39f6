//! Pairings drawn ahead: by as many threads as it takes, beside the epochs.
//!
//! A shuffle is one thread's work from its first swap to its last, and takes as long as that
//! thread's share of an epoch with about eight threads. But it depends on nothing but the seed and
//! the epoch: several epochs' pairings are drawn at once, a thread for each.

use std::collections::VecDeque;

use super::pairing::Pairs;
use crate::Error;
use crate::memory;

/// Most pairings that are drawn at once: 32 take as much memory as two soups.
const MOST: usize = 32;

/// How many are drawn at once by so many threads.
pub(crate) fn ahead(threads: usize) -> usize {
    threads.div_ceil(2).min(MOST)
}

/// The pairings of the epochs to come.
#[derive(Debug)]
pub(super) struct Pairings {
    num_programs: usize,
    /// Of consecutive epochs.
    drawn: VecDeque<Pairs>,
    spare: Vec<Pairs>,
}

impl Pairings {
    /// None yet, with room for those of this epoch and the next.
    pub(super) fn new(num_programs: usize) -> Result<Pairings, Error> {
        Ok(Pairings {
            num_programs,
            drawn: VecDeque::new(),
            spare: vec![Pairs::new(num_programs)?, Pairs::new(num_programs)?],
        })
    }

    /// The pairs of `epoch`, drawn now if they were not before.
    pub(super) fn take(&mut self, epoch: u64, draw: impl Fn(&mut Pairs, u64)) -> Pairs {
        while let Some(pairs) = self.drawn.pop_front() {
            if pairs.epoch() == Some(epoch) {
                return pairs;
            }
            self.spare.push(pairs);
        }
        let mut pairs = self.spare.pop().expect("there is room for two");
        draw(&mut pairs, epoch);
        pairs
    }

    /// Which pairings are to be drawn during `epoch`, with their epochs: once the last one is
    /// taken, as many as [`ahead`] says.
    pub(super) fn due(&mut self, epoch: u64) -> Vec<(u64, Pairs)> {
        if !self.drawn.is_empty() {
            return Vec::new();
        }
        let count = ahead(rayon::current_num_threads());
        let next = (epoch..).skip(1).take(count);
        next.map_while(|epoch| Some((epoch, self.room()?)))
            .collect()
    }

    /// Room for another pairing, where an eighth of the memory that is free has it.
    fn room(&mut self) -> Option<Pairs> {
        if let Some(pairs) = self.spare.pop() {
            return Some(pairs);
        }
        let bytes = 4 * self.num_programs as u64;
        let fits = memory::available().is_none_or(|free| bytes <= free / 8);
        if fits {
            Pairs::new(self.num_programs).ok()
        } else {
            None
        }
    }

    /// Take back the pairs of an epoch that is done, and those that were due in it, drawn.
    pub(super) fn keep(&mut self, done: Pairs, due: Vec<(u64, Pairs)>) {
        self.spare.push(done);
        self.drawn.extend(due.into_iter().map(|(_, pairs)| pairs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;
    use crate::soup::meeting::Meeting;
    use rayon::ThreadPoolBuilder;

    #[test]
    fn pairings_are_those_of_their_epochs_however_many_threads_draw_them() {
        let streams = Streams::new(3);
        let draw = |pairs: &mut Pairs, epoch| pairs.draw(&Meeting::Shuffle, &streams, epoch);
        let programs = |pairs: &Pairs| pairs.programs_of(0..32).collect::<Vec<_>>();
        let mut pairings = Pairings::new(64).unwrap();
        let mut drawn = 0;
        // Onwards, back, far ahead; by one thread and by many.
        let epochs = (0..40).chain(20..30).chain(1000..1100).chain([5, 6, 5]);
        for (turn, epoch) in epochs.enumerate() {
            let threads = [1, 2, 7, 16, 100][turn / 20 % 5];
            let pool = ThreadPoolBuilder::new().num_threads(threads);
            let due = pool.build().unwrap().install(|| {
                let pairs = pairings.take(epoch, draw);
                let mut expected = Pairs::new(64).unwrap();
                draw(&mut expected, epoch);
                assert_eq!(programs(&pairs), programs(&expected), "{epoch}");
                let mut due = pairings.due(epoch);
                due.iter_mut()
                    .for_each(|(epoch, pairs)| draw(pairs, *epoch));
                let count = due.len();
                pairings.keep(pairs, due);
                count
            });
            assert!(due == 0 || due == ahead(threads), "{due}");
            drawn += due;
            assert!(pairings.drawn.len() + pairings.spare.len() <= MOST + 2);
        }
        assert!(drawn > 150, "{drawn}");
    }
}
