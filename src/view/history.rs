//! What is kept of a soup's past, to go back to: copies of it now and then, and what was planted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::engine::{Engine, Options};
use crate::run::replay::PastRun;
use crate::soup::Soup;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;

/// Bytes that copies may take.
const MOST_BYTES: usize = 256 << 20;
/// However large they are, so many are kept.
const LEAST_COPIES: usize = 4;

/// A program that was planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plant {
    /// After so many epochs.
    pub epoch: u64,
    /// Its index.
    pub index: usize,
    /// Its bytes.
    pub program: Vec<u8>,
}

/// The past of a soup.
#[derive(Clone, Debug)]
pub(super) struct History {
    settings: Settings,
    tracers: bool,
    options: Options,
    engine: Engine,
    /// The run folder that the soup is of, where it is.
    past: Option<Arc<PastRun>>,
    copies: BTreeMap<u64, Arc<Checkpoint>>,
    bytes: usize,
    plants: Vec<Plant>,
}

impl History {
    /// That of a soup with these settings.
    pub(super) fn new(
        settings: Settings,
        tracers: bool,
        (engine, options): (Engine, Options),
        past: Option<Arc<PastRun>>,
    ) -> History {
        History {
            settings,
            tracers,
            options,
            engine,
            past,
            copies: BTreeMap::new(),
            bytes: 0,
            plants: Vec::new(),
        }
    }

    /// How tapes are run.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// The settings.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The run folder.
    pub(super) fn past(&self) -> Option<&Arc<PastRun>> {
        self.past.as_ref()
    }

    /// What was planted, in order.
    pub(super) fn plants(&self) -> &[Plant] {
        &self.plants
    }

    /// Keep a copy of the soup. Where they take too much memory, the one goes that leaves the
    /// smallest gap; the first and the two newest stay.
    pub(super) fn keep(&mut self, copy: Checkpoint) {
        let size = bytes_of(&copy);
        if self.copies.contains_key(&copy.epochs_done) {
            return;
        }
        self.copies.insert(copy.epochs_done, Arc::new(copy));
        self.bytes += size;
        while self.bytes > MOST_BYTES && self.copies.len() > LEAST_COPIES {
            let epochs: Vec<u64> = self.copies.keys().copied().collect();
            let inner = epochs[..epochs.len() - 1].windows(3);
            let smallest = inner.min_by_key(|it| it[2] - it[0]).map(|it| it[1]);
            let Some(copy) = smallest.and_then(|epoch| self.copies.remove(&epoch)) else {
                break;
            };
            self.bytes -= bytes_of(&copy);
        }
    }

    /// Note that a program is planted. What followed in the old past is gone.
    pub(super) fn plant(&mut self, plant: Plant) {
        let later = self.copies.split_off(&(plant.epoch + 1));
        self.bytes -= later.values().map(|it| bytes_of(it)).sum::<usize>();
        let place = self.plants.partition_point(|it| it.epoch <= plant.epoch);
        self.plants.insert(place, plant);
    }

    /// After how many epochs something is planted next, once `epoch` are done.
    pub(super) fn next_plant(&self, epoch: u64) -> Option<u64> {
        let later = self.plants.iter().map(|it| it.epoch);
        later.filter(|it| *it > epoch).min()
    }

    /// Plant in the soup what is to be planted where it stands.
    pub(super) fn apply_plants(&self, soup: &mut Soup) -> Result<(), Error> {
        let now = soup.epochs_done();
        for plant in self.plants.iter().filter(|it| it.epoch == now) {
            soup.set_program(plant.index, &plant.program)?;
        }
        Ok(())
    }

    /// The nearest soup that is kept of those with at most so many epochs done, with what was
    /// planted there.
    pub(super) fn soup_up_to(&self, epoch: u64) -> Result<Soup, Error> {
        let copy = self.copies.range(..=epoch).next_back();
        let saved = match &self.past {
            Some(past) => Some(past.saved(epoch)?),
            None => None,
        };
        let is_later = |soup: &Soup| copy.is_none_or(|(kept, _)| soup.epochs_done() > *kept);
        // A copy knows what was planted before it; a run folder does not.
        let saved = saved.filter(|soup| is_later(soup) || copy.is_none());
        let planted_before = |soup: &Soup| {
            let mut plants = self.plants.iter();
            plants.any(|plant| plant.epoch < soup.epochs_done())
        };
        let mut soup = match (saved.filter(|it| !planted_before(it)), copy) {
            (Some(soup), _) => soup,
            (None, Some((_, copy))) => {
                Soup::from_checkpoint(self.settings.clone(), Checkpoint::clone(copy), true)?
            }
            (None, None) => {
                let mut soup = Soup::new(self.settings.clone())?;
                if self.tracers {
                    soup.trace()?;
                }
                soup
            }
        };
        soup.set_engine(self.engine, &self.options);
        self.apply_plants(&mut soup)?;
        Ok(soup)
    }

    /// The soup after so many epochs, recomputed from the nearest that is kept. `go_on` is asked
    /// after each epoch; nothing where it says no.
    pub(super) fn soup_after(
        &self,
        epoch: u64,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Soup>, Error> {
        let mut soup = self.soup_up_to(epoch)?;
        while soup.epochs_done() < epoch {
            soup.step();
            self.apply_plants(&mut soup)?;
            if !go_on(soup.epochs_done()) {
                return Ok(None);
            }
        }
        Ok(Some(soup))
    }
}

fn bytes_of(copy: &Checkpoint) -> usize {
    copy.programs.len() + copy.tokens.as_ref().map_or(0, |tokens| 8 * tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let settings = Settings {
            num_programs: 64,
            seed: 3,
            ..Settings::default()
        };
        let engine = (Engine::Auto, Options::default());
        History::new(settings, false, engine, None)
    }

    fn copy_of(soup: &Soup) -> Checkpoint {
        let mut copy = Checkpoint::empty();
        copy.copy_all_from(soup);
        copy
    }

    #[test]
    fn the_past_is_the_same_however_it_is_reached() {
        let mut history = history();
        let mut soup = Soup::new(history.settings().clone()).unwrap();
        let mut seen = vec![soup.programs().to_vec()];
        for epoch in 1..=40 {
            soup.step();
            seen.push(soup.programs().to_vec());
            if epoch % 9 == 0 {
                history.keep(copy_of(&soup));
            }
        }
        for epoch in [40, 0, 17, 18, 19, 1, 36] {
            let soup = history.soup_after(epoch, &mut |_| true).unwrap().unwrap();
            assert!(soup.programs() == seen[epoch as usize], "{epoch}");
        }
        assert!(history.soup_after(40, &mut |_| false).unwrap().is_none());
    }

    #[test]
    fn what_was_planted_is_there_again_and_replaces_what_followed() {
        let mut history = history();
        let mut soup = Soup::new(history.settings().clone()).unwrap();
        for _ in 0..20 {
            soup.step();
            history.keep(copy_of(&soup));
        }
        let plant = Plant {
            epoch: 10,
            index: 5,
            program: vec![b'['; 64],
        };
        history.plant(plant.clone());
        assert_eq!(history.copies.keys().next_back(), Some(&10));
        let planted = history.soup_after(10, &mut |_| true).unwrap().unwrap();
        assert_eq!(planted.programs()[320..384], [b'['; 64]);
        let mut by_hand = history.soup_up_to(9).unwrap();
        by_hand.step();
        by_hand.set_program(5, &plant.program).unwrap();
        for epoch in 11..=20 {
            by_hand.step();
            let soup = history.soup_after(epoch, &mut |_| true).unwrap().unwrap();
            assert!(soup.programs() == by_hand.programs(), "{epoch}");
        }
        assert!(by_hand.programs() != soup.programs());
        assert_eq!(
            (history.next_plant(9), history.next_plant(10)),
            (Some(10), None)
        );
    }

    #[test]
    fn copies_are_thinned_out_evenly_within_their_memory() {
        let mut history = history();
        let size = 8 << 20;
        for epoch in 1..=200_u64 {
            history.keep(Checkpoint {
                epochs_done: epoch,
                programs: vec![0; size],
                ..Checkpoint::empty()
            });
            assert!(history.bytes <= MOST_BYTES);
        }
        let kept: Vec<u64> = history.copies.keys().copied().collect();
        assert_eq!(kept.len(), MOST_BYTES / size);
        assert_eq!(
            (kept[0], kept[kept.len() - 2], kept[kept.len() - 1]),
            (1, 199, 200)
        );
        assert!(kept.windows(2).all(|it| it[1] - it[0] <= 16), "{kept:?}");
    }
}
