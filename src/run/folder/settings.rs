//! settings.toml: a run's settings on disk, by the names of their flags.

mod table;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use self::table::{Affects, Kind, Row, TABLE, key_of};
use self::table::{AsWritten, Checked};
use super::RunFolder;
use crate::Error;
use crate::files;
use crate::format::parse_number;
use crate::language::machine;
use crate::memory;
use crate::run::plan::Plan;
use crate::soup::meeting::Pattern;
use crate::soup::settings::{Meeting, Settings, World};

/// The version that writes settings and that these sources make.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A seed: TOML's integers end at 2^63 - 1, larger ones are written as text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Seed {
    Number(i64),
    Text(String),
}

impl Seed {
    fn of(seed: u64) -> Seed {
        match i64::try_from(seed) {
            Ok(seed) => Seed::Number(seed),
            Err(_) => Seed::Text(seed.to_string()),
        }
    }
}

/// A seed as the file holds it.
pub fn seed_value(seed: u64) -> Value {
    match Seed::of(seed) {
        Seed::Number(seed) => Value::Integer(seed),
        Seed::Text(seed) => Value::String(seed),
    }
}

/// Read a grid's size: `240x135`, columns by rows.
pub fn parse_grid(text: &str) -> Result<(usize, usize), String> {
    let size = text.split_once('x').and_then(|(width, height)| {
        let number = |word: &str| {
            let number = usize::try_from(parse_number(word).ok()?).ok();
            number.filter(|number| *number > 0)
        };
        Some((number(width)?, number(height)?))
    });
    size.filter(|(width, height): &(usize, usize)| width.checked_mul(*height).is_some())
        .ok_or_else(|| format!("`{text}` is not a grid; write columns x rows, as in 240x135"))
}

/// The world of this name, that of pairs where there is none; on a long tape, heads start
/// `head_offset` apart.
pub(crate) fn parse_world(name: Option<&str>, head_offset: Option<usize>) -> Result<World, Error> {
    let world = match name {
        None | Some("pairs") => World::Pairs,
        Some("zff") => World::Zff,
        Some("long-tape") => World::LongTape {
            head_offset: head_offset.unwrap_or(0),
        },
        Some(name) => {
            return Err(Error::Setting(format!(
                "`world` {name}: choose pairs, zff or long-tape"
            )));
        }
    };
    if head_offset.is_some() && !matches!(world, World::LongTape { .. }) {
        return Err(Error::Setting(
            "`head_offset` is for `world` long-tape; leave it out".into(),
        ));
    }
    Ok(world)
}

/// Read a chance: a number or a fraction.
pub fn parse_probability(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        Some((above, below)) => number(above).zip(number(below)).map(|(a, b)| a / b),
        None => number(text),
    };
    value
        .filter(|p| (0.0..=1.0).contains(p))
        .ok_or_else(|| "choose a number or a fraction from 0 to 1, as in 0.001 or 1/4096".into())
}

/// What a setting is given to say that it is as where nothing is said of it.
pub const NONE: &str = "none";

/// The settings in `base`, except where `given` says otherwise.
pub fn with_given(base: &Table, given: &Table) -> Table {
    let mut all = base.clone();
    // A switch that is off displaces nothing.
    let is_off = |value: &Value| value.as_bool() == Some(false);
    for (key, _) in given.iter().filter(|(_, value)| !is_off(value)) {
        for displaced in Row::of(key).map_or(&[][..], |row| row.displaces) {
            all.remove(*displaced);
        }
    }
    all.extend(given.clone());
    all
}

/// The settings in the file at `path`, as flags: a run folder's settings.toml or one written by
/// hand. Paths in it begin at its folder.
pub fn read_as_flags(path: &Path) -> Result<Table, Error> {
    let text = files::read_text(path)?;
    let mut flags: Table = toml::from_str(&text).map_err(|error| {
        Error::file(
            path,
            format!("is not TOML: {}", error.to_string().trim_end()),
        )
    })?;
    flags.remove("broth-version");
    let folder = path.parent().unwrap_or(Path::new(""));
    for row in TABLE.iter().filter(|row| row.kind == Kind::Path) {
        let key = row.name;
        if let Some(Value::String(place)) = flags.get_mut(key) {
            let absolute = folder.join(&*place);
            let text = absolute
                .to_str()
                .ok_or_else(|| Error::Usage(format!("{key}: choose a path that is text")))?;
            *place = text.into();
        }
    }
    // Everything in it is checked here, where the file can be named.
    from_flags(&flags, Path::new(""))
        .map_err(|error| error.in_file(path, "has wrong settings", key_of))?;
    Ok(flags)
}

/// `flags` with counts and seeds as whole numbers, however they are written: as text such as
/// `"131k"`, or with an exponent, which makes a float in TOML.
pub fn with_whole_numbers(flags: &Table) -> Result<Table, Error> {
    let mut numbers = flags.clone();
    for (key, value) in &mut numbers {
        let row = Row::of(key);
        let is_none = row.is_some_and(|row| row.can_be_none) && value.as_str() == Some(NONE);
        let kind = row.map(|row| row.kind).filter(|_| !is_none);
        if matches!(kind, Some(Kind::Count | Kind::Steps | Kind::Seed)) {
            *value = whole_number(key, value)?;
        }
    }
    Ok(numbers)
}

/// The whole number that `value` is, where it is text or a float; else the value itself.
pub fn whole_number(key: &str, value: &Value) -> Result<Value, Error> {
    // Above that, floats have gaps.
    const MOST: f64 = (1_u64 << 53) as f64;
    match value {
        Value::String(text) => match parse_number(text) {
            Ok(number) => Ok(seed_value(number)),
            Err(problem) => Err(Error::Usage(format!("{key} = \"{text}\": {problem}"))),
        },
        Value::Float(float) if float.fract() == 0.0 && (0.0..=MOST).contains(float) => {
            Ok(Value::Integer(*float as i64))
        }
        Value::Float(float) => Err(Error::Usage(format!(
            "{key} = {float}: choose a whole number from 0 up"
        ))),
        other => Ok(other.clone()),
    }
}

/// The run that `flags` describe, by the names of `broth run`'s flags: what they do not say
/// is as it is there. Paths begin at `folder`.
pub fn from_flags(flags: &Table, folder: &Path) -> Result<(Settings, Plan), Error> {
    let usage = |problem: &dyn std::fmt::Display| Error::Usage(problem.to_string());
    let flags = &with_whole_numbers(flags)?;
    let text = |flag: &str| flags.get(flag).and_then(Value::as_str);
    // A name that is wrong is refused below, as all other values are.
    let world = parse_world(text("world"), None).unwrap_or(World::Pairs);
    let language = world.language(text("lang").and_then(|name| name.parse().ok()));
    let mut table = to_table(&Settings::usual(language, world), &Plan::default())?;
    for (flag, value) in flags {
        let value = match (flag.as_str(), value) {
            (flag, Value::String(text))
                if text == NONE && Row::of(flag).is_some_and(|row| row.can_be_none) =>
            {
                table.remove(flag);
                continue;
            }
            (flag, Value::String(text))
                if Row::of(flag).is_some_and(|row| row.kind == Kind::Chance) =>
            {
                parse_probability(text)
                    .map(Value::Float)
                    .map_err(|problem| usage(&format!("{flag} = \"{text}\": {problem}")))?
            }
            ("grid", Value::String(text)) if !flags.contains_key("num") => {
                let (width, height) = parse_grid(text).map_err(|problem| usage(&problem))?;
                // A grid that is too large for this is refused with its `num`.
                let num = i64::try_from(width * height).unwrap_or(i64::MAX);
                table.insert("num".into(), Value::Integer(num));
                value.clone()
            }
            ("tape-bytes", Value::Integer(bytes)) => {
                if flags.contains_key("num") {
                    return Err(usage(&"num and tape-bytes exclude each other"));
                }
                let bytes = usize::try_from(*bytes).map_err(|error| usage(&error))?;
                let num = world.programs_in(bytes, language)? as u64;
                table.insert("num".into(), Value::Integer(num.cast_signed()));
                continue;
            }
            // zff has a machine of its own for it.
            ("lang", Value::String(name)) if *name == machine::Z80.name => {
                Value::String(language.name.into())
            }
            _ => value.clone(),
        };
        table.insert(flag.clone(), value);
    }
    let checked: Checked = table
        .try_into()
        .map_err(|error: toml::de::Error| usage(&error.to_string().trim_end()))?;
    checked.interpret(folder)
}

/// The settings that `broth run` has where it is told nothing.
fn defaults() -> Result<Table, Error> {
    to_table(&Settings::default(), &Plan::default())
}

/// Settings by the names of their flags, as the file holds them.
pub(crate) fn to_table(settings: &Settings, plan: &Plan) -> Result<Table, Error> {
    Table::try_from(AsWritten(settings, plan))
        .map_err(|error| Error::Bug(format!("settings cannot be written: {error}")))
}

/// The settings, besides the seed, that every table of results has a column for.
pub(crate) const ALWAYS_TOLD: [&str; 5] =
    ["lang", "num", "mutation-prob", "max-epochs", "log-interval"];

/// The plan that goes on as `plan`, except for what is given; only of settings that a run may
/// go on with another value of.
pub fn changed(plan: &Plan, given: &Table) -> Result<Plan, Error> {
    let is_fixed = |name: &&String| Row::of(name).is_none_or(|row| !row.is_changeable);
    match given.keys().find(is_fixed) {
        Some(name) => Err(Error::Usage(format!(
            "{name}: a resumed run keeps what its folder says of it; leave it out"
        ))),
        None => table::changed(plan, given),
    }
}

/// Everything that decides the results of a run, by the names of the flags: those that say
/// which soup it is and how long it is looked at, and others where they are not as they are
/// by default. Of an interaction pattern its SHA-256.
pub(crate) fn of_results(settings: &Settings, plan: &Plan) -> Result<Table, Error> {
    let decides = |key: &str| {
        Row::of(key).is_some_and(|row| matches!(row.affects, Affects::Soup | Affects::Results))
    };
    let is_told = |key: &str| key == "seed" || ALWAYS_TOLD.contains(&key);
    let defaults = defaults()?;
    let mut table = to_table(settings, plan)?;
    table.retain(|key, value| decides(key) && (is_told(key) || defaults.get(key) != Some(&*value)));
    table.extend(
        of_soup(settings)?
            .into_iter()
            .filter(|(key, _)| key == "interaction-pattern"),
    );
    Ok(table)
}

/// What decides what a soup becomes, by the names of the flags; of an interaction
/// pattern its SHA-256, in hex digits.
pub fn of_soup(settings: &Settings) -> Result<Table, Error> {
    let mut table = to_table(settings, &Plan::default())?;
    table.retain(|key, _| Row::of(key).is_some_and(|row| row.affects == Affects::Soup));
    if let Meeting::Pattern(pattern) = &settings.meeting {
        let digits = files::sha256(&[pattern.to_text().as_bytes()]);
        table.insert("interaction-pattern".into(), Value::String(digits));
    }
    Ok(table)
}

/// Write the settings of a run, replacing those that are there.
pub fn write(folder: &RunFolder, settings: &Settings, plan: &Plan) -> Result<(), Error> {
    let path = folder.settings();
    if let Meeting::Pattern(pattern) = &settings.meeting {
        let path = folder.interaction_pattern();
        if !path.exists() {
            files::write_whole(&path, |file| file.write_all(pattern.to_text().as_bytes()))?;
        }
    }
    let relative = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap_or(path).into();
    let plan = Plan {
        load: plan.load.as_ref().map(relative),
        log: plan.log.as_ref().map(relative),
        checkpoint_dir: plan.checkpoint_dir.as_ref().map(relative),
        frames: plan.frames.as_ref().map(relative),
        ..plan.clone()
    };
    let text = toml::to_string(&AsWritten(settings, &plan))
        .map_err(|error| Error::file(&path, format!("cannot be written: {error}")))?;
    files::write_whole(&path, |file| {
        writeln!(
            file,
            "# A run of broth. `broth run --resume` with this folder goes on with it;\n\
             # to repeat it, give these values as flags to a broth of this version."
        )?;
        file.write_all(text.as_bytes())
    })
}

/// Read the settings of a run.
pub fn read(folder: &RunFolder) -> Result<(Settings, Plan), Error> {
    let path = folder.settings();
    let checked: Checked = toml::from_str(&files::read_text(&path)?)
        .map_err(|error| Error::file(&path, format!("is not settings of a run: {error}")))?;
    checked
        .interpret(folder.path())
        .map_err(|error| error.in_file(&path, "has wrong settings", key_of))
}

/// Read the interaction pattern in a file.
pub fn read_pattern(num_programs: usize, path: &Path) -> Result<Pattern, Error> {
    let file = files::open(path)?;
    let metadata = file
        .metadata()
        .map_err(|error| Error::cannot("read", path, error))?;
    // What the shortest lines, of four bytes, come to in memory.
    let needed = metadata.len().saturating_mul(5);
    if memory::available().is_some_and(|available| needed > available) {
        return Err(Error::file(
            path,
            format!(
                "is a pattern that needs {} MiB of memory, more than this machine has free",
                needed >> 20
            ),
        ));
    }
    Pattern::read(num_programs, std::io::BufReader::new(file))
        .map_err(|problem| Error::file(path, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soup::meeting::Grid;
    use std::sync::Arc;

    /// No setting of a soup is forgotten: another value makes another table.
    #[test]
    fn whatever_decides_a_soup_is_told_of_it() {
        let grid = |width, height, radius, torus| {
            Meeting::Grid(Grid {
                width,
                height,
                radius,
                torus,
            })
        };
        let meetings = [
            Meeting::FixedShuffle,
            Meeting::NoPermutation,
            grid(8, 8, 2, false),
            grid(16, 4, 2, false),
            grid(8, 8, 1, false),
            grid(8, 8, 1, true),
            Meeting::Pattern(Arc::new(Pattern::read(64, "0 1".as_bytes()).unwrap())),
            Meeting::Pattern(Arc::new(Pattern::read(64, "0 2".as_bytes()).unwrap())),
        ];
        let plain = || Settings {
            num_programs: 64,
            ..Settings::default()
        };
        // Every field by its name: a new one does not compile without a line here.
        let Settings {
            language: _,
            world: _,
            num_programs: _,
            seed: _,
            mutation_prob: _,
            max_steps: _,
            meeting: _,
            zero_init: _,
            initial_program: _,
            initial_index: _,
            reset_interval: _,
        } = plain();
        let changes: [fn(&mut Settings); 12] = [
            |settings| settings.world = World::Zff,
            |settings| settings.world = World::LongTape { head_offset: 0 },
            |settings| settings.world = World::LongTape { head_offset: 12 },
            |settings| settings.language = "bff".parse().unwrap(),
            |settings| settings.num_programs = 66,
            |settings| settings.seed = u64::MAX,
            |settings| settings.mutation_prob = 0.5,
            |settings| settings.max_steps = 7,
            |settings| settings.zero_init = true,
            |settings| settings.initial_program = b"[]".to_vec(),
            |settings| {
                settings.initial_program = b"[]".to_vec();
                settings.initial_index = 5;
            },
            |settings| settings.reset_interval = Some(3),
        ];
        let mut all = vec![plain()];
        for meeting in meetings {
            all.push(Settings { meeting, ..plain() });
        }
        for change in changes {
            let mut settings = plain();
            change(&mut settings);
            all.push(settings);
        }
        let tables: Vec<Table> = all.iter().map(|s| of_soup(s).unwrap()).collect();
        for (i, table) in tables.iter().enumerate() {
            assert!(!tables[..i].contains(table), "{table}");
        }
    }

    #[test]
    fn probabilities_are_numbers_or_fractions() {
        assert_eq!(parse_probability("1/4096"), Ok(1.0 / 4096.0));
        assert_eq!(parse_probability("2.5e-4"), Ok(2.5e-4));
        for wrong in ["-0.1", "1.1", "1/0", "0/0", "nan", "a", "1/2/3", ""] {
            assert!(parse_probability(wrong).is_err(), "{wrong}");
        }
    }

    /// A run that says something of nearly everything.
    fn of_much() -> (Settings, Plan) {
        let flags = r#"
            lang = "bff"
            seed = "18446744073709551615"
            grid = "8x8"
            radius = 1
            torus = true
            max-epochs = 3
            max-steps = 99
            mutation-prob = "1/1024"
            zero-init = true
            initial-program = "[[{.>]-]"
            reset-interval = 2
            log-interval = 1
            checkpoint-interval = 2
            keep = 2
            engine = "reference"
            no-closed-forms = true
            jit-cache-mib = 3
            log = "cubff.csv"
            frames = "frames"
            frame-interval = 2
            stop-high-order-entropy = 7.5
            stopping-bpb = 0.25
            eval-selfrep = true
            stopping-selfrep-count = 1000
            tracers = true
        "#;
        from_flags(&flags.parse().unwrap(), Path::new("")).unwrap()
    }

    /// Run folders of other builds are gone on with: the file stays as it is, to the byte.
    #[test]
    fn the_file_has_these_bytes() {
        let (settings, plan) = of_much();
        let text = toml::to_string(&AsWritten(&settings, &plan)).unwrap();
        assert_eq!(
            text,
            format!("broth-version = \"{VERSION}\"\n")
                + r#"lang = "bff"
num = 64
seed = "18446744073709551615"
max-epochs = 3
max-steps = 99
mutation-prob = 0.0009765625
log-interval = 1
checkpoint-interval = 2
keep = 2
engine = "reference"
jit-cache-mib = 3
no-closed-forms = true
zero-init = true
grid = "8x8"
radius = 1
torus = true
initial-program = "[[{.>]-]"
reset-interval = 2
log = "cubff.csv"
frames = "frames"
frame-interval = 2
stop-high-order-entropy = 7.5
stopping-bpb = 0.25
eval-selfrep = true
tracers = true
stopping-selfrep-count = 1000
"#
        );
        let checked: Checked = toml::from_str(&text).unwrap();
        assert_eq!(checked.interpret(Path::new("")).unwrap(), (settings, plan));
    }

    #[test]
    fn a_sidecar_has_these_settings() {
        let (settings, _) = of_much();
        assert_eq!(
            of_soup(&settings).unwrap().to_string(),
            r#"grid = "8x8"
initial-program = "[[{.>]-]"
lang = "bff"
max-steps = 99
mutation-prob = 0.0009765625
num = 64
radius = 1
reset-interval = 2
seed = "18446744073709551615"
torus = true
zero-init = true
"#
        );
    }

    #[test]
    fn a_run_goes_on_with_other_values_of_few_settings() {
        let (_, plan) = of_much();
        let given = |text: &str| text.parse().unwrap();
        let changes = "max-epochs = 9\nkeep = 5\nengine = \"auto\"\nno-closed-forms = false\n\
                       stop-high-order-entropy = \"none\"\nstopping-bpb = 0.5";
        let new = changed(&plan, &given(changes)).unwrap();
        let mut expected = plan.clone();
        expected.max_epochs = 9;
        expected.keep = Some(5);
        expected.engine = "auto".parse().unwrap();
        expected.options.closed_forms = true;
        expected.stop_high_order_entropy = None;
        expected.stopping_bpb = Some(0.5);
        assert_eq!(new, expected);
        for fixed in ["seed = 3", "log-interval = 3", "foo = 3"] {
            assert!(
                changed(&plan, &given(fixed)).unwrap_err().is_usage(),
                "{fixed}"
            );
        }
    }
}
