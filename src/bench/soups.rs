//! The soups for benchmarks: made once, then kept in a cache folder.

use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::examples;
use crate::language::{Language, PROGRAM_LEN, Program, Role};
use crate::measure::{ALIVE, Measures};
use crate::soup::checkpoint::Checkpoint;
use crate::{Error, Settings, Soup};

/// Part of every name in the cache; incremented when a soup of the same name would come out
/// differently.
const FORMAT: u32 = 2;
/// Epochs between measurements of entropy.
const LOOK_INTERVAL: u64 = 16;
/// A soup with a high-order entropy above this, in bits per byte, is coming alive and no longer
/// counts as pre-life.
const RISEN: f32 = 1.0;
/// Epochs that a soup runs on after it has come alive.
const EPOCHS_ALIVE: u64 = 256;
/// One in this many programs is a planted replicator.
const PLANTED_EVERY: usize = 64;

/// A stage of a soup's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// After its first epoch.
    Random,
    /// Run for long, and not alive.
    Prelife,
    /// Taken over by replicators, which are planted if one is known.
    Alive,
}

impl Sort {
    /// Every stage.
    pub const ALL: [Sort; 3] = [Sort::Random, Sort::Prelife, Sort::Alive];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Sort::Random => "random",
            Sort::Prelife => "prelife",
            Sort::Alive => "alive",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no stage has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown soup `{name}`; the soups are {}", Sort::ALL.map(Sort::name).join(", "))]
#[non_exhaustive]
pub struct UnknownSort {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(name: &str) -> Result<Self, UnknownSort> {
        Sort::ALL
            .into_iter()
            .find(|sort| sort.name() == name)
            .ok_or_else(|| UnknownSort { name: name.into() })
    }
}

/// How to make a soup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The language.
    pub language: &'static Language,
    /// Number of programs: even, and not zero.
    pub num_programs: usize,
    /// Seed of every random stream.
    pub seed: u64,
    /// The stage.
    pub sort: Sort,
    /// Maximum number of epochs. A pre-life soup has this age unless it comes alive before; a soup
    /// that should be alive and is not by then is given up. A random soup always has one epoch.
    pub epochs: u64,
}

/// A soup for a benchmark.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// The soup.
    pub checkpoint: Checkpoint,
    /// Its high-order entropy, in bits per byte.
    pub high_order_entropy: f32,
    /// Whether it is what the recipe asks for; false if it should be alive and is not.
    pub as_asked: bool,
}

impl Prepared {
    /// The soup of a checkpoint, which is what was asked for.
    pub fn of(checkpoint: Checkpoint) -> Prepared {
        Prepared {
            high_order_entropy: Measures::of(&checkpoint.programs).high_order_entropy,
            checkpoint,
            as_asked: true,
        }
    }
}

/// The soup of this name in the folder `cache`, which has so many bytes. If it is not there, it is
/// made and stored there; nothing where the making was ended.
pub(super) fn from_cache(
    cache: &Path,
    name: &str,
    soup_bytes: usize,
    make: impl FnOnce() -> Result<Option<Checkpoint>, Error>,
) -> Result<Option<Checkpoint>, Error> {
    let path = cache.join(name);
    if path.symlink_metadata().is_ok() {
        return read(&path, soup_bytes).map(Some);
    }
    fs::create_dir_all(cache).map_err(|error| Error::cannot("create", cache, error))?;
    let made = make()?;
    if let Some(made) = &made {
        made.write(&path)?;
    }
    Ok(made)
}

fn read(path: &Path, soup_bytes: usize) -> Result<Checkpoint, Error> {
    let broken = |path: PathBuf, problem: String| Error::File {
        path,
        problem: format!("{problem}; remove it, and it is made anew"),
    };
    match Checkpoint::read(path) {
        Ok(checkpoint) if checkpoint.programs.len() != soup_bytes => Err(broken(
            path.into(),
            format!("does not hold {} programs", soup_bytes / PROGRAM_LEN),
        )),
        Err(Error::File { path, problem }) => Err(broken(path, problem)),
        result => result,
    }
}

/// Called with the epochs done; decides whether to continue.
type See<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

impl Recipe {
    /// The settings with which the soup is made and measured.
    pub fn settings(&self) -> Settings {
        Settings {
            language: self.language,
            num_programs: self.num_programs,
            seed: self.seed,
            ..Settings::default()
        }
    }

    /// The soup's name in a cache folder, derived from everything that determines it.
    pub fn file_name(&self) -> String {
        let Recipe {
            language,
            num_programs,
            seed,
            sort,
            epochs,
        } = self;
        let epochs = match sort {
            Sort::Random => 1,
            Sort::Prelife | Sort::Alive => *epochs,
        };
        format!("{language}-num-{num_programs}-seed-{seed}-{sort}-{epochs}-v{FORMAT}.dat")
    }

    /// The soup from the folder `cache`; if it is not there, it is made and stored there. Meanwhile
    /// `see` is called with the epochs done; it can end the work, and then there is no soup.
    pub fn prepare(&self, cache: &Path, see: See<'_>) -> Result<Option<Prepared>, Error> {
        let settings = self.settings();
        settings.check()?;
        let soup_bytes = settings.soup_bytes();
        let made = from_cache(cache, &self.file_name(), soup_bytes, || {
            self.make(settings, see)
        })?;
        Ok(made.map(|checkpoint| {
            let mut prepared = Prepared::of(checkpoint);
            let is_alive = prepared.high_order_entropy > ALIVE;
            prepared.as_asked = self.sort != Sort::Alive || is_alive;
            prepared
        }))
    }

    fn make(&self, settings: Settings, see: See<'_>) -> Result<Option<Checkpoint>, Error> {
        let mut soup = Soup::new(settings.clone())?;
        let mut kept = Checkpoint::empty();
        let mut step = |soup: &mut Soup| {
            soup.step();
            see(soup.epochs_done())
        };
        let looks = |soup: &Soup| soup.epochs_done().is_multiple_of(LOOK_INTERVAL);
        match self.sort {
            Sort::Random => {
                if step(&mut soup).is_break() {
                    return Ok(None);
                }
            }
            Sort::Prelife => {
                // The newest soup that had not risen is kept.
                if step(&mut soup).is_break() {
                    return Ok(None);
                }
                kept.copy_from(&soup);
                while soup.epochs_done() < self.epochs {
                    if step(&mut soup).is_break() {
                        return Ok(None);
                    }
                    if looks(&soup) || soup.epochs_done() == self.epochs {
                        let measures = Measures::of(soup.programs());
                        if measures.is_alive() {
                            break;
                        }
                        if measures.high_order_entropy < RISEN {
                            kept.copy_from(&soup);
                        }
                    }
                }
                return Ok(Some(kept));
            }
            Sort::Alive => {
                if let Some(replicator) = replicator(self.language) {
                    kept.copy_from(&soup);
                    let (programs, _) = kept.programs.as_chunks_mut::<PROGRAM_LEN>();
                    for program in programs.iter_mut().step_by(PLANTED_EVERY) {
                        *program = replicator;
                    }
                    soup = Soup::from_checkpoint(settings, kept, false)?;
                    kept = Checkpoint::empty();
                }
                let mut end = self.epochs;
                let mut alive = false;
                while soup.epochs_done() < end {
                    if step(&mut soup).is_break() {
                        return Ok(None);
                    }
                    if !alive && looks(&soup) && Measures::of(soup.programs()).is_alive() {
                        alive = true;
                        end = soup.epochs_done() + EPOCHS_ALIVE;
                    }
                }
            }
        }
        kept.copy_from(&soup);
        Ok(Some(kept))
    }
}

/// The first known replicator of `language`, with its free places filled with different no-ops, or
/// with different bytes if it has no no-ops; but not with 13 hex, which cannot be replaced in
/// forthtrivial_reset.
fn replicator(language: &Language) -> Option<Program> {
    let example = examples::of(language).next()?;
    let is_noop = |byte: &u8| language.kind(*byte).role == Role::Noop;
    let any = !(0..=255).any(|byte| is_noop(&byte));
    let free: Vec<u8> = (0..=255)
        .filter(|byte| (any || is_noop(byte)) && *byte != 0x13)
        .collect();
    let program = example.program_with(|place| free[place * 7 % free.len()]);
    program.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference;
    use crate::language::{Family, TAPE_LEN};

    /// tests/examples.rs tests the replicators and that they take over.
    #[test]
    fn planted_replicators_write_themselves_over_their_neighbour() {
        for language in Language::ALL {
            let replicator = replicator(language).unwrap();
            for filling in [0, 1, 0x20, 0x5b, 0xff] {
                let mut tape = [filling; TAPE_LEN];
                tape[..PROGRAM_LEN].copy_from_slice(&replicator);
                reference::run(language, &mut tape, 8192);
                // In the subleq family, the used counters on the left are copied to the right in
                // the second run.
                let (left, right) = tape.split_at(PROGRAM_LEN);
                let mut again = [filling; TAPE_LEN];
                again[..PROGRAM_LEN].copy_from_slice(right);
                reference::run(language, &mut again, 8192);
                assert_eq!(
                    right,
                    &again[PROGRAM_LEN..],
                    "{language} over {filling:02x}: {} | {}",
                    language.program_text(left),
                    language.program_text(right)
                );
                let differing = right.iter().zip(&replicator).filter(|(a, b)| a != b);
                let counters = match language.family {
                    Family::Subleq(_) | Family::RelativeSubleq(_) => 4,
                    _ => 0,
                };
                assert!(differing.count() <= counters, "{language}");
            }
        }
    }

    fn recipe(sort: Sort, epochs: u64) -> Recipe {
        Recipe {
            language: Language::ALL[3],
            num_programs: 256,
            seed: 5,
            sort,
            epochs,
        }
    }

    #[test]
    fn each_sort_is_what_it_says() {
        let cache = tempfile::tempdir().unwrap();
        let prepare = |recipe: Recipe| {
            recipe
                .prepare(cache.path(), &mut |_| ControlFlow::Continue(()))
                .unwrap()
                .unwrap()
        };
        let random = prepare(recipe(Sort::Random, 9));
        assert_eq!(random.checkpoint.epochs_done, 1);
        let prelife = prepare(recipe(Sort::Prelife, 20));
        assert_eq!(prelife.checkpoint.epochs_done, 20);
        assert!(prelife.high_order_entropy < RISEN);
        let alive = prepare(recipe(Sort::Alive, 1024));
        assert!(
            alive.as_asked && alive.high_order_entropy > 3.0,
            "{alive:?}"
        );
        let dead = prepare(recipe(Sort::Alive, 1));
        assert!(!dead.as_asked && dead.checkpoint.epochs_done == 1);
        // This one comes alive at epoch 1,857.
        let early = prepare(Recipe {
            language: "forthtrivial".parse().unwrap(),
            num_programs: 1024,
            ..recipe(Sort::Prelife, 4096)
        });
        assert!(
            early.high_order_entropy < RISEN && early.checkpoint.epochs_done < 4096,
            "entropy {} after {} epochs",
            early.high_order_entropy,
            early.checkpoint.epochs_done
        );
    }

    /// Soups that never come alive by themselves.
    #[test]
    fn planted_soups_of_the_subleq_family_live() {
        let cache = tempfile::tempdir().unwrap();
        for language in ["rsubleq4", "subleq"] {
            let recipe = Recipe {
                language: language.parse().unwrap(),
                num_programs: 512,
                ..recipe(Sort::Alive, 128)
            };
            let soup = recipe
                .prepare(cache.path(), &mut |_| ControlFlow::Continue(()))
                .unwrap()
                .unwrap();
            assert!(soup.as_asked, "{language}: {}", soup.high_order_entropy);
        }
    }

    #[test]
    fn names_tell_soups_apart() {
        let plain = recipe(Sort::Prelife, 8);
        assert_eq!(
            plain.file_name(),
            "bff_noheads-num-256-seed-5-prelife-8-v2.dat"
        );
        assert_ne!(plain.file_name(), recipe(Sort::Alive, 8).file_name());
        assert_ne!(plain.file_name(), recipe(Sort::Prelife, 9).file_name());
        assert_eq!(
            recipe(Sort::Random, 8).file_name(),
            recipe(Sort::Random, 9).file_name()
        );
    }

    #[test]
    fn a_broken_soup_in_the_cache_is_named() {
        let cache = tempfile::tempdir().unwrap();
        let recipe = recipe(Sort::Random, 1);
        let path = cache.path().join(recipe.file_name());
        fs::write(&path, "cut short").unwrap();
        let error = recipe
            .prepare(cache.path(), &mut |_| ControlFlow::Continue(()))
            .unwrap_err();
        assert!(error.is_usage());
        let message = error.to_string();
        assert!(
            message.contains("v2.dat") && message.contains("remove it"),
            "{message}"
        );
    }
}
