//! Soups to begin with: settings by the names of flags, and a sentence on each.

/// A soup to begin with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is called on the page.
    pub title: &'static str,
    /// What becomes of it.
    pub sentence: &'static str,
    /// Its settings, as `broth run` takes them.
    pub settings: &'static [(&'static str, &'static str)],
}

/// All presets, the first being that of a page without settings.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "birth",
        title: "Birth",
        sentence: "Noise in which nothing copies itself, until at epoch 945 something does: a \
                   replicator arises from chance alone and takes over within a second.",
        settings: &[("seed", "29"), ("log-interval", "16")],
    },
    Preset {
        name: "spread",
        title: "Spread",
        sentence: "A known replicator is planted in the corner of a grid, where programs meet only \
                   their neighbours: its relatives grow like a culture in a dish.",
        settings: &[
            ("grid", "120x68"),
            ("seed", "3"),
            ("initial-program", "[[{.>]-]   ]-]>.{[["),
            ("log-interval", "8"),
        ],
    },
    Preset {
        name: "forth",
        title: "Forth",
        sentence: "Another language, a small stack machine: programs that copy themselves appear \
                   within the first five hundred epochs.",
        settings: &[
            ("lang", "forthtrivial"),
            ("seed", "1"),
            ("log-interval", "4"),
        ],
    },
    Preset {
        name: "z80",
        title: "Z80",
        sentence: "Machine code of a real processor on a grid of 200 x 200: first chains of pushes, \
                   then block copies that drive them out.",
        settings: &[("world", "zff"), ("seed", "3"), ("log-interval", "16")],
    },
    Preset {
        name: "long-tape",
        title: "One tape",
        sentence: "No programs at all, only one long tape, run from random places: code of the \
                   8080 learns to push copies of itself below.",
        settings: &[
            ("world", "long-tape"),
            ("lang", "i8080"),
            ("seed", "1"),
            ("log-interval", "4"),
        ],
    },
    Preset {
        name: "small",
        title: "Small",
        sentence: "4,096 programs with one replicator among them: hundreds of epochs pass in a \
                   second, and everything can be stepped by hand.",
        settings: &[
            ("num", "4096"),
            ("seed", "4"),
            (
                "initial-program",
                "[[{.>]-]                                                ]-]>.{[[",
            ),
            ("log-interval", "8"),
        ],
    },
];

impl Preset {
    /// The preset of this name.
    pub fn named(name: &str) -> Result<&'static Preset, crate::Error> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
            return Ok(preset);
        }
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        Err(crate::Error::Setting(format!(
            "`preset` {name}: choose one of {}",
            names.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::folder::settings::{Row, from_flags};
    use std::path::Path;

    #[test]
    fn presets_are_soups() {
        for preset in PRESETS {
            let mut table = toml::Table::new();
            for (name, text) in preset.settings {
                let value = Row::of(name).unwrap().value_of(text).unwrap();
                table.insert(name.to_string(), value);
            }
            let (settings, _) = from_flags(&table, Path::new("")).unwrap();
            settings.check().unwrap();
            assert!(preset.sentence.ends_with('.') && preset.sentence.len() < 200);
            assert_eq!(Preset::named(preset.name).unwrap().title, preset.title);
        }
        let error = Preset::named("brith").unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("birth, spread"));
    }
}
