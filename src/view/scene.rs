//! What a page needs to know of a soup once: its settings, its language, where its programs lie.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use toml::Table;

use super::history::Plant;
use super::presets::PRESETS;
use super::protocol::NewSoup;
use super::rows;
use crate::Error;
use crate::format::hex;
use crate::language::Language;
use crate::measure::ALIVE;
use crate::plot::picture::{Layout, tile};
use crate::plot::theme::{Rgb, Theme};
use crate::run::Plan;
use crate::run::folder::settings::{self as settings_file, Affects, Kind, Row, from_flags};
use crate::soup::settings::{Meeting, Settings};

/// A soup of a page's own choice has at most so many bytes.
const MOST_BYTES: usize = 64 << 20;

/// Where the soup comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From settings; nothing is written down.
    Settings,
    /// From a run folder, which stays as it is.
    Folder(String),
    /// It is that of a run, which writes its records and cannot be led astray.
    Run(String),
}

/// A soup, as far as it does not change from epoch to epoch.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub settings: Settings,
    pub plan: Plan,
    pub origin: Origin,
    /// See [`super::frame::Frame`].
    pub generation: u32,
}

impl Scene {
    /// Width and height of a program's tile.
    pub(super) fn tile(&self) -> (usize, usize) {
        tile(self.settings.language.program_len)
    }

    /// How many programs lie side by side.
    pub(super) fn columns(&self) -> usize {
        let n = self.settings.num_programs;
        match Layout::of(&self.settings) {
            Layout::Grid(width, _) => width,
            _ => n.isqrt() + usize::from(n.isqrt().pow(2) < n),
        }
    }

    /// Its settings as an address holds them, by the names of flags; those that are as usual are
    /// left out. Nothing of a soup that no address can hold.
    pub(super) fn address(&self) -> Result<Option<BTreeMap<String, String>>, Error> {
        let is_file = matches!(self.settings.meeting, Meeting::Pattern(_));
        if is_file || self.plan.load.is_some() || self.origin != Origin::Settings {
            return Ok(None);
        }
        let usual = Settings::usual(self.settings.language, self.settings.world);
        let usual = settings_file::to_table(&usual, &Plan::default())?;
        let mut own = settings_file::to_table(&self.settings, &self.plan)?;
        own.retain(|key, value| {
            let is_told = ["lang", "world", "head-offset", "seed"].contains(&key);
            is_wanted(key) && (is_told || usual.get(key) != Some(&*value))
        });
        if self.plan.max_epochs >= NO_END {
            own.remove("max-epochs");
        }
        if own.contains_key("grid") {
            own.remove("num");
        }
        Ok(Some(
            own.iter()
                .map(|(k, value)| (k.clone(), text_of(value)))
                .collect(),
        ))
    }

    /// The message that tells a page of it.
    pub(super) fn message(&self, plants: &[Plant]) -> Result<String, Error> {
        let language = self.settings.language;
        let (columns, n) = (self.columns(), self.settings.num_programs);
        let (width, height) = self.tile();
        let (origin, folder) = match &self.origin {
            Origin::Settings => ("settings", None),
            Origin::Folder(folder) => ("folder", Some(folder)),
            Origin::Run(folder) => ("run", Some(folder)),
        };
        let all = settings_file::to_table(&self.settings, &self.plan)?;
        let all: BTreeMap<_, _> = all
            .iter()
            .filter(|(key, _)| Row::of(key).is_some_and(|it| it.affects == Affects::Soup))
            .map(|(key, value)| (key.clone(), text_of(value)))
            .collect();
        let plants: Vec<Value> = plants
            .iter()
            .map(|it| json!([it.epoch, it.index, hex(&it.program)]))
            .collect();
        Ok(json!({
            "type": "soup",
            "version": settings_file::VERSION,
            "generation": self.generation,
            "origin": origin,
            "folder": folder,
            "settings": all,
            "address": self.address()?,
            "plants": plants,
            "num": n,
            "log_interval": self.plan.log_interval,
            "columns": columns,
            "rows": n.div_ceil(columns),
            "tile": [width, height],
            "pairs": crate::soup::interaction::check(&self.settings).is_ok(),
            "alive": ALIVE,
            "language": describe(language),
            "curves": rows::drawn_columns().iter().filter_map(|it| rows::describe(it)).collect::<Vec<_>>(),
            "presets": PRESETS.iter().map(|it| json!({
                "name": it.name, "title": it.title, "sentence": it.sentence,
                "settings": it.settings.iter().copied().collect::<BTreeMap<_, _>>(),
            })).collect::<Vec<_>>(),
            "languages": Language::every().map(|it| json!({
                "name": it.name, "summary": it.summary,
            })).collect::<Vec<_>>(),
        })
        .to_string())
    }
}

/// So many epochs are never done.
pub(super) const NO_END: u64 = i64::MAX as u64;

/// Whether an address may hold the setting.
fn is_wanted(key: &str) -> bool {
    Row::of(key).is_some_and(|row| {
        matches!(row.affects, Affects::Soup | Affects::Results)
            && row.kind != Kind::Path
            && !["broth-version", "load"].contains(&row.name)
    })
}

fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What bytes mean, and how they are shown.
fn describe(language: &'static Language) -> Value {
    let colours = |theme: Theme| -> Vec<String> {
        let colours = theme.kind_colours(language);
        colours.into_iter().map(css).collect()
    };
    let kinds: Vec<Value> = language
        .kinds()
        .iter()
        .map(|kind| json!({"symbol": kind.symbol, "name": kind.name, "role": format!("{:?}", kind.role)}))
        .collect();
    let theme = |theme: Theme| {
        json!({
            "background": css(theme.background()),
            "text": css(theme.text()),
            "kinds": colours(theme),
            "classes": theme.series().map(css),
            "greys": theme.greys().map(css),
        })
    };
    json!({
        "name": language.name,
        "summary": language.summary,
        "program_len": language.program_len,
        "kinds": kinds,
        "kind_of": language.kind_numbers().to_vec(),
        "text": (0..=255).map(|byte| language.byte_text(byte)).collect::<Vec<_>>(),
        "dark": theme(Theme::Dark),
        "light": theme(Theme::Light),
    })
}

fn css([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The soup that these settings of an address describe, checked as those of the command line are.
/// None is a file.
pub(super) fn from_address(new: &NewSoup) -> Result<(Settings, Plan, Vec<Plant>), Error> {
    let mut table = Table::new();
    for (name, text) in &new.settings {
        if !is_wanted(name) && name != "tape-bytes" {
            return Err(Error::Setting(format!(
                "`{name}` is no setting that a page may choose"
            )));
        }
        let row = Row::of(name).ok_or_else(|| Error::Bug(format!("`{name}` has no row")))?;
        let value = row
            .value_of(text)
            .map_err(|problem| Error::Usage(format!("{name} = \"{text}\": {problem}")))?;
        table.insert(name.clone(), value);
    }
    let (settings, mut plan) = from_flags(&table, Path::new(""))?;
    if !table.contains_key("max-epochs") {
        plan.max_epochs = NO_END;
    }
    if settings.soup_bytes() > MOST_BYTES {
        return Err(Error::Setting(format!(
            "`num_programs` {}: a page may ask for soups up to {} MiB; give larger ones on the \
             command line",
            settings.num_programs,
            MOST_BYTES >> 20
        )));
    }
    let plants = new.plants.iter().map(|(epoch, index, hex)| {
        let program = program_of(&settings, *index, hex)?;
        Ok(Plant {
            epoch: *epoch,
            index: *index,
            program,
        })
    });
    let mut plants = plants.collect::<Result<Vec<_>, Error>>()?;
    plants.sort_by_key(|plant| plant.epoch);
    Ok((settings, plan, plants))
}

/// A whole program of the soup, from hex digits.
pub(super) fn program_of(settings: &Settings, index: usize, hex: &str) -> Result<Vec<u8>, Error> {
    let program = crate::language::parse_hex(hex)?;
    let len = settings.language.program_len;
    if program.len() != len {
        return Err(Error::Usage(format!(
            "a program of {} bytes: those of {} have {len}",
            program.len(),
            settings.language
        )));
    }
    if index >= settings.num_programs {
        return Err(Error::Usage(format!(
            "program {index}: the soup has {}, counted from 0",
            settings.num_programs
        )));
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(pairs: &[(&str, &str)]) -> NewSoup {
        let pairs = pairs
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        NewSoup {
            settings: pairs.collect(),
            ..NewSoup::default()
        }
    }

    /// An address leads to the soup that it was made of, whatever is set.
    #[test]
    fn addresses_repeat_soups() {
        for pairs in [
            &[][..],
            &[("seed", "29"), ("log-interval", "16"), ("lang", "bff")],
            &[("grid", "16x8"), ("radius", "1"), ("torus", "true")],
            &[
                ("num", "64"),
                ("mutation-prob", "1/64"),
                ("initial-program", "[[{.>]-]"),
                ("initial-index", "5"),
            ],
            &[("world", "zff"), ("seed", "18446744073709551615")],
            &[
                ("world", "long-tape"),
                ("tape-bytes", "4096"),
                ("head-offset", "12"),
                ("max-epochs", "100"),
            ],
            &[
                ("num", "64"),
                ("fixed-shuffle", "true"),
                ("reset-interval", "9"),
                ("zero-init", "true"),
            ],
            &[
                ("lang", "z80"),
                ("num", "256"),
                ("max-steps", "77"),
                ("eval-selfrep", "true"),
            ],
        ] {
            let (settings, plan, _) = from_address(&new(pairs)).unwrap();
            let scene = Scene {
                settings: settings.clone(),
                plan: plan.clone(),
                origin: Origin::Settings,
                generation: 1,
            };
            let address = scene.address().unwrap().unwrap();
            let again = NewSoup {
                settings: address,
                ..NewSoup::default()
            };
            let (settings_again, plan_again, _) = from_address(&again).unwrap();
            assert_eq!((settings, plan), (settings_again, plan_again), "{pairs:?}");
        }
    }

    #[test]
    fn pages_choose_no_files_and_nothing_too_large() {
        for (pairs, hint) in [
            (&[("interaction-pattern", "/etc/passwd")][..], "no setting"),
            (&[("log", "/tmp/log")], "no setting"),
            (&[("frames", "/tmp")], "no setting"),
            (&[("checkpoint-dir", "/tmp")], "no setting"),
            (&[("load", "/etc/passwd")], "no setting"),
            (&[("engine", "reference")], "no setting"),
            (&[("num", "2^31")], "64 MiB"),
            (&[("num", "7")], "even"),
            (&[("seed", "x")], "not a number"),
            (&[("lang", "brainfuck")], "unknown language"),
            (&[("nun", "8")], "no setting"),
        ] {
            let error = from_address(&new(pairs)).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(hint),
                "{error}"
            );
        }
        let plants = |index, hex: &str| NewSoup {
            plants: vec![(3, index, hex.into())],
            ..new(&[("num", "64")])
        };
        assert_eq!(
            from_address(&plants(63, &"5b".repeat(64))).unwrap().2.len(),
            1
        );
        for (index, text) in [
            (64, "5b".repeat(64)),
            (0, "5b".repeat(63)),
            (0, "xy".repeat(64)),
        ] {
            assert!(from_address(&plants(index, &text)).is_err());
        }
    }
}
