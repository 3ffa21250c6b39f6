//! Soups by seed and age: the same worlds, late in their lives, for every measurement.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use serde::Deserialize;

use super::soups::{Prepared, from_cache};
use crate::language::Language;
use crate::soup::checkpoint::Checkpoint;
use crate::{Error, Settings, Soup, files};

/// Part of every name in the cache; incremented when a soup of the same name would come out
/// differently.
const FORMAT: u32 = 1;
/// Files of worlds are short.
const LONGEST_FILE: u64 = 1 << 20;

/// A soup with the usual settings of its language, by its seed and the epochs done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// The language.
    pub language: &'static Language,
    /// Number of programs: even, and not zero.
    pub num_programs: usize,
    /// Seed of every random stream.
    pub seed: u64,
    /// Epochs done.
    pub epochs_done: u64,
}

/// As it is written: `SEED@EPOCHS`.
impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.seed, self.epochs_done)
    }
}

/// A file of worlds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    worlds: Vec<Group>,
}

/// Worlds of one language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    lang: String,
    num: Option<usize>,
    soups: Vec<String>,
}

impl World {
    /// The world that `text` is, such as `29@2049`: seed 29 after 2,049 epochs.
    pub fn parse(
        text: &str,
        language: &'static Language,
        num_programs: usize,
    ) -> Result<World, Error> {
        let parts = text.trim().split_once('@');
        let numbers = parts.and_then(|(seed, epochs)| {
            let epochs: u64 = epochs.parse().ok()?;
            let is_possible = epochs > 0 && i64::try_from(epochs).is_ok();
            Some((seed.parse().ok()?, epochs)).filter(|_| is_possible)
        });
        let (seed, epochs_done) = numbers.ok_or_else(|| {
            Error::Usage(format!(
                "`{text}` is no world; write its seed and its epochs, as in 29@2049"
            ))
        })?;
        let world = World {
            language,
            num_programs,
            seed,
            epochs_done,
        };
        world.settings().check()?;
        Ok(world)
    }

    /// The worlds in the file at `path`, in its order; of `num_programs` programs where it says
    /// nothing else.
    ///
    /// ```toml
    /// [[worlds]]
    /// lang = "bff"
    /// num = 131072
    /// soups = ["1028@657", "1005@1345"]
    /// ```
    pub fn read_all(path: &Path, num_programs: usize) -> Result<Vec<World>, Error> {
        let wrong = |problem: String| Error::file(path, format!("is not right: {problem}"));
        let text = files::read_text_up_to(path, LONGEST_FILE)?;
        let content: Content =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().into()))?;
        let mut worlds = Vec::new();
        for group in &content.worlds {
            let language: &'static Language = group
                .lang
                .parse()
                .map_err(|error| wrong(format!("{error}")))?;
            for text in &group.soups {
                let world = World::parse(text, language, group.num.unwrap_or(num_programs));
                worlds.push(
                    world.map_err(|error| {
                        wrong(error.naming(crate::run::folder::settings::key_of))
                    })?,
                );
            }
        }
        if worlds.is_empty() {
            return Err(wrong("it lists no world".into()));
        }
        Ok(worlds)
    }

    /// The settings with which the soup is made and measured.
    pub fn settings(&self) -> Settings {
        Settings {
            num_programs: self.num_programs,
            seed: self.seed,
            ..Settings::usual(self.language, crate::soup::settings::World::Pairs)
        }
    }

    /// The soup's name in a cache folder.
    pub fn file_name(&self) -> String {
        let World {
            language,
            num_programs,
            seed,
            epochs_done,
        } = self;
        format!("{language}-num-{num_programs}-seed-{seed}-epoch-{epochs_done}-v{FORMAT}.dat")
    }

    /// The soup from the folder `cache`; if it is not there, it is made and stored there. Meanwhile
    /// `see` is called with the epochs done; it can end the work, and then there is no soup.
    pub fn prepare(
        &self,
        cache: &Path,
        see: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Option<Prepared>, Error> {
        let settings = self.settings();
        settings.check()?;
        let soup_bytes = settings.soup_bytes();
        let made = from_cache(cache, &self.file_name(), soup_bytes, || {
            let mut soup = Soup::new(settings)?;
            while soup.epochs_done() < self.epochs_done {
                soup.step();
                if see(soup.epochs_done()).is_break() {
                    return Ok(None);
                }
            }
            let mut kept = Checkpoint::empty();
            kept.copy_from(&soup);
            Ok(Some(kept))
        })?;
        let Some(checkpoint) = made else {
            return Ok(None);
        };
        if checkpoint.epochs_done != self.epochs_done {
            return Err(Error::file(
                &cache.join(self.file_name()),
                format!(
                    "has {} epochs done; remove it, and it is made anew",
                    checkpoint.epochs_done
                ),
            ));
        }
        Ok(Some(Prepared::of(checkpoint)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::{BFF, BFF_NOHEADS};

    const SMALL: World = World {
        language: &BFF,
        num_programs: 64,
        seed: 7,
        epochs_done: 5,
    };

    fn go_on(_: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn a_world_is_the_soup_of_its_seed_at_its_age() {
        let cache = tempfile::tempdir().unwrap();
        let prepared = SMALL.prepare(cache.path(), &mut go_on).unwrap().unwrap();
        let mut soup = Soup::new(SMALL.settings()).unwrap();
        for _ in 0..5 {
            soup.step();
        }
        assert!(prepared.checkpoint.programs == soup.programs());
        assert_eq!(prepared.checkpoint.epochs_done, 5);
        // Now from the cache: nothing is made.
        let again = SMALL.prepare(cache.path(), &mut |_| panic!("made anew"));
        assert!(again.unwrap().unwrap().checkpoint.programs == soup.programs());
        let stopped = World { seed: 8, ..SMALL };
        let stopped = stopped.prepare(cache.path(), &mut |_| ControlFlow::Break(()));
        assert!(stopped.unwrap().is_none());
    }

    #[test]
    fn another_soup_in_its_place_is_named() {
        let cache = tempfile::tempdir().unwrap();
        SMALL.prepare(cache.path(), &mut go_on).unwrap();
        let older = World {
            epochs_done: 6,
            ..SMALL
        };
        let [from, to] = [SMALL, older].map(|it| cache.path().join(it.file_name()));
        std::fs::copy(&from, &to).unwrap();
        let error = older.prepare(cache.path(), &mut go_on).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("epoch-6-v1.dat has 5 epochs"), "{message}");
    }

    #[test]
    fn files_list_worlds_of_several_languages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worlds.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            World::read_all(&path, 64)
        };
        let worlds = read(
            "[[worlds]]\nlang = \"bff_noheads\"\nsoups = [\"29@2049\"]\n\
             [[worlds]]\nlang = \"bff\"\nnum = 32\nsoups = [\"7@5\", \" 8@6 \"]\n",
        )
        .unwrap();
        let of = |language, num_programs, seed, epochs_done| World {
            language,
            num_programs,
            seed,
            epochs_done,
        };
        let expected = [
            of(&BFF_NOHEADS, 64, 29, 2049),
            of(&BFF, 32, 7, 5),
            of(&BFF, 32, 8, 6),
        ];
        assert_eq!(worlds, expected);
        let group =
            |lang: &str, soups: &str| format!("[[worlds]]\nlang = \"{lang}\"\nsoups = [{soups}]\n");
        for (text, hint) in [
            (group("bff", "\"7\""), "`7` is no world"),
            (group("bff", "\"7@0\""), "`7@0` is no world"),
            (group("bff", "\"7@9223372036854775808\""), "is no world"),
            (group("bff", "\"x@3\""), "as in 29@2049"),
            (group("bfff", "\"7@5\""), "did you mean `bff`"),
            (group("bff", ""), "lists no world"),
            (
                group("bff", "\"7@5\"") + "num = 7\n",
                "num 7: programs meet",
            ),
            (
                group("bff", "\"7@5\"") + "seed = 7\n",
                "unknown field `seed`",
            ),
            ("worlds = 3".into(), "worlds"),
            (String::new(), "worlds"),
        ] {
            let error = read(&text).unwrap_err();
            let message = error.to_string();
            assert!(
                error.is_usage() && message.contains(hint) && message.contains("worlds.toml"),
                "{message}"
            );
        }
    }

    /// The worlds that ship with the sources.
    #[test]
    fn the_atlas_has_twenty_worlds() {
        let atlas = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/atlas.toml");
        if !atlas.exists() {
            // A package for the registry goes without benches.
            return;
        }
        let worlds = World::read_all(&atlas, 1 << 17).unwrap();
        assert_eq!(worlds.len(), 20);
        assert_eq!(
            (worlds[0].language, worlds[0].to_string().as_str()),
            (&BFF_NOHEADS, "29@2049")
        );
        assert_eq!((worlds[19].language, worlds[19].seed), (&BFF, 1008));
    }
}
