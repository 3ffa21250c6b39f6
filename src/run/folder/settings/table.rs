//! The table of settings, with one row for each. settings.toml and sidecars are written and read
//! by it, flags become values by it, and it says what `--resume` may change, what a sweep may set
//! and what decides a result. To add a setting to those that [`Settings`] and [`Plan`] hold, add
//! its row here and its flag, with the help text, in the command line's `run/flags.rs`.
//!
//! Rows are in the order of settings.toml. Reading goes row by row too, those that affect the
//! soup first: a row may rely on what was read by earlier ones, as a program's text on the
//! language. What depends on several settings at once, such as who meets whom, is put together
//! from the draft once all are read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::super::INTERACTION_PATTERN;
use super::{NONE, Seed, VERSION, parse_grid, parse_probability, parse_world, read_pattern};
use crate::Error;
use crate::engine::jit::MIB;
use crate::format::parse_number;
use crate::measure::row::{parse_request, request_text};
use crate::run::plan::Plan;
use crate::soup::meeting::Grid;
use crate::soup::settings::{Meeting, Settings, World};

/// What a setting makes a difference to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Affects {
    /// What the soup becomes.
    Soup,
    /// Where the run begins, how long it goes, and what is measured.
    Results,
    /// What is written besides, and when.
    Records,
    /// How fast it goes.
    Speed,
}

/// What values a setting has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number of something, below 2^63.
    Count,
    /// A number of steps, below 2^32.
    Steps,
    /// A number.
    Number,
    /// A number from 0 to 1; as text also a fraction.
    Chance,
    /// On or off.
    Switch,
    /// Words.
    Text,
    /// A file or a folder.
    Path,
    /// A number below 2^64.
    Seed,
}

/// A value as it is written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Written {
    Count(u64),
    Number(f64),
    Switch(bool),
    Text(String),
    Path(PathBuf),
    Seed(Seed),
}

type Write = fn(&Settings, &Plan) -> Option<Written>;
type Read = fn(&mut Draft<'_>, &Value) -> Result<(), Error>;

/// A setting.
#[non_exhaustive]
pub struct Row {
    /// Its key in settings.toml, and its flag.
    pub name: &'static str,
    /// What it makes a difference to.
    pub affects: Affects,
    /// What values it has.
    pub kind: Kind,
    /// Whether `none` says that it is as where nothing is said of it.
    pub can_be_none: bool,
    /// Whether a run may go on with another value.
    pub is_changeable: bool,
    /// What to do in a sweep instead of setting it; nothing where a sweep may.
    pub instead_in_sweeps: Option<&'static str>,
    /// The settings that no longer hold once another value is given for it.
    pub displaces: &'static [&'static str],
    is_in_file: bool,
    is_required: bool,
    write: Write,
    read: Read,
}

const fn row(name: &'static str, affects: Affects, kind: Kind, write: Write, read: Read) -> Row {
    Row {
        name,
        affects,
        kind,
        can_be_none: false,
        is_changeable: false,
        instead_in_sweeps: None,
        displaces: &[],
        is_in_file: true,
        is_required: false,
        write,
        read,
    }
}

impl Row {
    /// Every settings.toml has it.
    const fn required(mut self) -> Row {
        self.is_required = true;
        self
    }

    const fn or_none(mut self) -> Row {
        self.can_be_none = true;
        self
    }

    const fn changeable(mut self) -> Row {
        self.is_changeable = true;
        self
    }

    const fn not_in_sweeps(mut self, instead: &'static str) -> Row {
        self.instead_in_sweeps = Some(instead);
        self
    }

    const fn displacing(mut self, displaces: &'static [&'static str]) -> Row {
        self.displaces = displaces;
        self
    }

    /// It has a flag, and is kept as another setting.
    const fn flag_only(mut self) -> Row {
        self.is_in_file = false;
        self
    }

    /// The setting of this name.
    pub fn of(name: &str) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.name == name)
    }

    /// The value that `text` on the command line gives.
    pub fn value_of(&self, text: &str) -> Result<Value, String> {
        fn plain<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
            text.parse().map_err(|error: T::Err| error.to_string())
        }
        fn count(number: u64) -> Result<i64, String> {
            i64::try_from(number).map_err(|_| format!("choose a number up to {}", i64::MAX))
        }
        if self.can_be_none && text == NONE {
            return Ok(Value::String(text.into()));
        }
        Ok(match self.kind {
            Kind::Count => Value::Integer(count(parse_number(text)?)?),
            Kind::Steps => {
                let steps = u32::try_from(parse_number(text)?);
                Value::Integer(steps.map_err(|_| "choose a number below 2^32")?.into())
            }
            Kind::Number => Value::Float(plain(text)?),
            Kind::Chance => Value::Float(parse_probability(text)?),
            Kind::Switch => Value::Boolean(plain(text)?),
            Kind::Text | Kind::Path => Value::String(text.into()),
            Kind::Seed => super::seed_value(parse_number(text)?),
        })
    }

    /// Whether `value` is of the setting's kind; what is wrong with it where it is not.
    fn check(&self, value: &Value) -> Result<(), String> {
        fn is<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
            typed::<T>(value).map(drop)
        }
        match self.kind {
            Kind::Count => is::<u64>(value),
            Kind::Steps => is::<u32>(value),
            Kind::Number | Kind::Chance => is::<f64>(value),
            Kind::Switch => is::<bool>(value),
            Kind::Text => is::<String>(value),
            Kind::Path => is::<PathBuf>(value),
            Kind::Seed => is::<Seed>(value),
        }
    }
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value.clone()).map_err(|error| error.message().into())
}

fn get<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    typed(value).map_err(Error::Usage)
}

/// A value, or `none`.
fn limit<T: DeserializeOwned>(value: &Value) -> Result<Option<T>, Error> {
    match value.as_str() {
        Some(NONE) => Ok(None),
        _ => get(value).map(Some),
    }
}

fn usage(problem: impl std::fmt::Display) -> Error {
    Error::Usage(problem.to_string())
}

fn setting(problem: impl Into<String>) -> Error {
    Error::Setting(problem.into())
}

/// The key in settings.toml of what errors call `field`, if there is one: mostly the same word.
/// Who meets whom has several.
pub fn key_of(field: &str) -> Option<String> {
    Some(match field {
        "language" => "lang".into(),
        "num_programs" => "num".into(),
        "meeting" => MEETINGS.join(", "),
        _ => Row::of(&field.replace('_', "-"))?.name.into(),
    })
}

fn switch(is_on: bool) -> Option<Written> {
    is_on.then_some(Written::Switch(true))
}

fn path(path: &Option<PathBuf>) -> Option<Written> {
    path.clone().map(Written::Path)
}

fn grid(settings: &Settings) -> Option<&Grid> {
    match &settings.meeting {
        Meeting::Grid(grid) => Some(grid),
        _ => None,
    }
}

/// A path in a file begins at the draft's folder.
fn place(draft: &Draft<'_>, value: &Value) -> Result<Option<PathBuf>, Error> {
    Ok(Some(draft.folder.join(get::<PathBuf>(value)?)))
}

/// The settings that displace each other: they say who meets whom.
const MEETINGS: &[&str] = &[
    "fixed-shuffle",
    "no-permute-programs",
    "interaction-pattern",
    "grid",
    "radius",
    "torus",
];

use Affects::{Records, Results, Soup, Speed};
use Written::{Count, Number, Text};

/// All settings.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row("broth-version", Records, Kind::Text,
        |_, _| Some(Text(VERSION.into())),
        |_, _| Ok(()))
        .required()
        .not_in_sweeps("leave it out"),
    row("lang", Soup, Kind::Text,
        |settings, _| Some(Text(settings.language.name.into())),
        |draft, value| {
            draft.settings.language = get::<String>(value)?.parse().map_err(usage)?;
            Ok(())
        })
        .required(),
    row("world", Soup, Kind::Text,
        |settings, _| (settings.world != World::Pairs)
            .then(|| Text(settings.world.name().into())),
        |draft, value| {
            draft.settings.world = parse_world(Some(&get::<String>(value)?), None)?;
            Ok(())
        })
        .displacing(&["head-offset"]),
    row("head-offset", Soup, Kind::Count,
        |settings, _| match settings.world {
            World::LongTape { head_offset } => Some(Count(head_offset as u64)),
            World::Pairs | World::Zff => None,
        },
        |draft, value| {
            let offset = usize::try_from(get::<u64>(value)?).map_err(usage)?;
            let world = draft.settings.world.name();
            draft.settings.world = parse_world(Some(world), Some(offset))?;
            Ok(())
        }),
    row("num", Soup, Kind::Count,
        |settings, _| Some(Count(settings.num_programs as u64)),
        |draft, value| {
            draft.settings.num_programs = usize::try_from(get::<u64>(value)?).map_err(usage)?;
            Ok(())
        })
        .required()
        .displacing(&["tape-bytes"]),
    // Written as `num`.
    row("tape-bytes", Soup, Kind::Count, |_, _| None, |_, _| Ok(()))
        .flag_only()
        .displacing(&["num"]),
    row("seed", Soup, Kind::Seed,
        |settings, _| Some(Written::Seed(Seed::of(settings.seed))),
        |draft, value| {
            draft.settings.seed = match get(value)? {
                Seed::Number(seed) => {
                    u64::try_from(seed).map_err(|_| usage("seed is negative"))?
                }
                Seed::Text(text) => text
                    .parse()
                    .map_err(|_| usage("seed is not a number below 2^64"))?,
            };
            Ok(())
        })
        .required()
        .not_in_sweeps("give `seeds`"),
    row("max-epochs", Results, Kind::Count,
        |_, plan| Some(Count(plan.max_epochs)),
        |draft, value| { draft.plan.max_epochs = get(value)?; Ok(()) })
        .required()
        .changeable(),
    row("max-steps", Soup, Kind::Steps,
        |settings, _| Some(Count(settings.max_steps.into())),
        |draft, value| { draft.settings.max_steps = get(value)?; Ok(()) })
        .required(),
    row("mutation-prob", Soup, Kind::Chance,
        |settings, _| Some(Number(settings.mutation_prob)),
        // One zero, however it is written.
        |draft, value| { draft.settings.mutation_prob = get::<f64>(value)? + 0.0; Ok(()) })
        .required(),
    row("log-interval", Results, Kind::Count,
        |_, plan| Some(Count(plan.log_interval)),
        |draft, value| { draft.plan.log_interval = get(value)?; Ok(()) })
        .required(),
    row("checkpoint-interval", Records, Kind::Count,
        |_, plan| Some(Count(plan.checkpoint_interval)),
        |draft, value| { draft.plan.checkpoint_interval = get(value)?; Ok(()) })
        .required(),
    row("keep", Records, Kind::Count,
        |_, plan| plan.keep.map(Count),
        |draft, value| { draft.plan.keep = Some(get(value)?); Ok(()) })
        .changeable()
        .not_in_sweeps("say `checkpoints = \"all\"`, `\"last\"` or `\"none\"`"),
    row("engine", Speed, Kind::Text,
        |_, plan| Some(Text(plan.engine.name().into())),
        |draft, value| {
            draft.plan.engine = get::<String>(value)?.parse().map_err(usage)?;
            Ok(())
        })
        .required()
        .changeable(),
    row("jit-cache-mib", Speed, Kind::Count,
        |_, plan| Some(Count(plan.options.jit.cache_bytes.div_ceil(MIB) as u64)),
        |draft, value| {
            let mib: u64 = get(value)?;
            let bytes = usize::try_from(mib).ok().and_then(|mib| mib.checked_mul(MIB));
            let bytes = bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
                usage(format!("jit-cache-mib = {mib}: choose a number of MiB from 1 up"))
            })?;
            draft.plan.options.jit.cache_bytes = bytes;
            Ok(())
        })
        .changeable(),
    row("no-closed-forms", Speed, Kind::Switch,
        |_, plan| switch(!plan.options.closed_forms),
        |draft, value| { draft.plan.options.closed_forms = !get::<bool>(value)?; Ok(()) })
        .changeable(),
    row("zero-init", Soup, Kind::Switch,
        |settings, _| switch(settings.zero_init),
        |draft, value| { draft.settings.zero_init = get(value)?; Ok(()) }),
    row("fixed-shuffle", Soup, Kind::Switch,
        |settings, _| switch(settings.meeting == Meeting::FixedShuffle),
        |draft, value| { draft.fixed_shuffle = get(value)?; Ok(()) })
        .displacing(MEETINGS),
    row("no-permute-programs", Soup, Kind::Switch,
        |settings, _| switch(settings.meeting == Meeting::NoPermutation),
        |draft, value| { draft.no_permute_programs = get(value)?; Ok(()) })
        .displacing(MEETINGS),
    row("grid", Soup, Kind::Text,
        |settings, _| grid(settings).map(|it| Text(format!("{}x{}", it.width, it.height))),
        |draft, value| {
            draft.grid = Some(parse_grid(&get::<String>(value)?).map_err(usage)?);
            Ok(())
        })
        .or_none()
        .displacing(&["num", "fixed-shuffle", "no-permute-programs", "interaction-pattern",
            "radius", "torus"]),
    row("radius", Soup, Kind::Count,
        |settings, _| grid(settings).map(|grid| Count(grid.radius as u64)),
        |draft, value| {
            draft.radius = Some(usize::try_from(get::<u64>(value)?).map_err(usage)?);
            Ok(())
        }),
    row("torus", Soup, Kind::Switch,
        |settings, _| switch(grid(settings).is_some_and(|grid| grid.torus)),
        |draft, value| { draft.torus = get(value)?; Ok(()) }),
    row("interaction-pattern", Soup, Kind::Path,
        |settings, _| matches!(settings.meeting, Meeting::Pattern(_))
            .then(|| Written::Path(INTERACTION_PATTERN.into())),
        |draft, value| { draft.interaction_pattern = place(draft, value)?; Ok(()) })
        .displacing(MEETINGS),
    row("initial-program", Soup, Kind::Text,
        |settings, _| (!settings.initial_program.is_empty())
            .then(|| Text(settings.language.program_text(&settings.initial_program))),
        |draft, value| {
            let program = draft.settings.language.parse_program(&get::<String>(value)?);
            draft.settings.initial_program =
                program.map_err(|error| setting(format!("`initial_program`: {error}")))?;
            Ok(())
        }),
    row("initial-index", Soup, Kind::Count,
        |settings, _| (settings.initial_index > 0)
            .then_some(Count(settings.initial_index as u64)),
        |draft, value| { draft.settings.initial_index = get(value)?; Ok(()) }),
    row("reset-interval", Soup, Kind::Count,
        |settings, _| settings.reset_interval.map(Count),
        |draft, value| { draft.settings.reset_interval = limit(value)?; Ok(()) })
        .or_none(),
    row("load", Results, Kind::Path,
        |_, plan| path(&plan.load),
        |draft, value| { draft.plan.load = place(draft, value)?; Ok(()) })
        .not_in_sweeps("a sweep starts every run from its seed; leave it out"),
    row("log", Records, Kind::Path,
        |_, plan| path(&plan.log),
        |draft, value| { draft.plan.log = place(draft, value)?; Ok(()) })
        .not_in_sweeps("the sweep's table holds the measures; leave it out"),
    row("checkpoint-dir", Records, Kind::Path,
        |_, plan| path(&plan.checkpoint_dir),
        |draft, value| { draft.plan.checkpoint_dir = place(draft, value)?; Ok(()) })
        .not_in_sweeps("each run has a folder of its own; leave it out"),
    row("frames", Records, Kind::Path,
        |_, plan| path(&plan.frames),
        |draft, value| { draft.plan.frames = place(draft, value)?; Ok(()) })
        .not_in_sweeps("run that seed alone, with frames"),
    row("frame-interval", Records, Kind::Count,
        |_, plan| plan.frames.is_some().then_some(Count(plan.frame_interval)),
        |draft, value| { draft.plan.frame_interval = get(value)?; Ok(()) })
        .not_in_sweeps("run that seed alone, with frames"),
    row("no-picture", Records, Kind::Switch,
        |_, plan| switch(!plan.picture),
        |draft, value| { draft.plan.picture = !get::<bool>(value)?; Ok(()) })
        .changeable()
        .not_in_sweeps("a sweep draws no soup; leave it out"),
    row("stop-high-order-entropy", Results, Kind::Number,
        |_, plan| plan.stop_high_order_entropy.map(Number),
        |draft, value| { draft.plan.stop_high_order_entropy = limit(value)?; Ok(()) })
        .or_none()
        .changeable(),
    row("stopping-bpb", Results, Kind::Number,
        |_, plan| plan.stopping_bpb.map(Number),
        |draft, value| { draft.plan.stopping_bpb = limit(value)?; Ok(()) })
        .or_none()
        .changeable(),
    row("eval-selfrep", Results, Kind::Switch,
        |_, plan| switch(plan.eval_selfrep),
        |draft, value| { draft.plan.eval_selfrep = get(value)?; Ok(()) }),
    row("tracers", Results, Kind::Switch,
        |_, plan| switch(plan.tracers),
        |draft, value| { draft.plan.tracers = get(value)?; Ok(()) })
        .not_in_sweeps("run that seed alone, with tracers"),
    row("also-measure", Results, Kind::Text,
        |_, plan| (!plan.also_measure.is_empty())
            .then(|| Text(request_text(&plan.also_measure))),
        |draft, value| { draft.plan.also_measure = parse_request(&get::<String>(value)?)?; Ok(()) }),
    row("stopping-selfrep-count", Results, Kind::Count,
        |_, plan| plan.stopping_selfrep_count.map(Count),
        |draft, value| { draft.plan.stopping_selfrep_count = limit(value)?; Ok(()) })
        .or_none()
        .changeable(),
];

/// The names that a file of settings may have.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let rows = TABLE.iter().filter(|row| row.is_in_file);
    rows.map(|row| row.name).collect()
});

/// Settings as they are written.
pub(super) struct AsWritten<'a>(pub &'a Settings, pub &'a Plan);

impl Serialize for AsWritten<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AsWritten(settings, plan) = self;
        let written = |row: &Row| Some((row.name, (row.write)(settings, plan)?));
        serializer.collect_map(TABLE.iter().filter_map(written))
    }
}

/// A table in which each setting is of its kind, and that has all that it needs to have.
pub(super) struct Checked(Table);

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checked, D::Error> {
        deserializer.deserialize_map(ReadChecked)
    }
}

struct ReadChecked;

impl<'de> Visitor<'de> for ReadChecked {
    type Value = Checked;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Checked, A::Error> {
        let mut table = Table::new();
        while let Some(row) = map.next_key_seed(ReadName)? {
            table.insert(row.name.into(), map.next_value_seed(ReadValue(row))?);
        }
        let mut required = TABLE.iter().filter(|row| row.is_required);
        match required.find(|row| !table.contains_key(row.name)) {
            Some(row) => Err(A::Error::missing_field(row.name)),
            None => Ok(Checked(table)),
        }
    }
}

struct ReadName;

impl<'de> DeserializeSeed<'de> for ReadName {
    type Value = &'static Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static Row, D::Error> {
        let name = String::deserialize(deserializer)?;
        let row = Row::of(&name).filter(|row| row.is_in_file);
        row.ok_or_else(|| D::Error::unknown_field(&name, &NAMES))
    }
}

struct ReadValue(&'static Row);

impl<'de> DeserializeSeed<'de> for ReadValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let value = Value::deserialize(deserializer)?;
        self.0.check(&value).map_err(D::Error::custom)?;
        Ok(value)
    }
}

/// Settings while they are read.
pub(super) struct Draft<'a> {
    /// Where paths begin.
    folder: &'a Path,
    settings: Settings,
    plan: Plan,
    fixed_shuffle: bool,
    no_permute_programs: bool,
    grid: Option<(usize, usize)>,
    radius: Option<usize>,
    torus: bool,
    interaction_pattern: Option<PathBuf>,
}

impl<'a> Draft<'a> {
    fn new(folder: &'a Path, plan: Plan) -> Draft<'a> {
        Draft {
            folder,
            settings: Settings::default(),
            plan,
            fixed_shuffle: false,
            no_permute_programs: false,
            grid: None,
            radius: None,
            torus: false,
            interaction_pattern: None,
        }
    }

    /// Read what the table says of the settings that `is_wanted` picks.
    fn read(&mut self, table: &Table, is_wanted: fn(&Row) -> bool) -> Result<(), Error> {
        for row in TABLE.iter().filter(|row| is_wanted(row)) {
            if let Some(value) = table.get(row.name) {
                (row.read)(self, value)?;
            }
        }
        Ok(())
    }

    /// Who meets whom.
    fn meeting(&self) -> Result<Meeting, Error> {
        let meeting = match (self.grid, &self.interaction_pattern) {
            (Some((width, height)), None) => Meeting::Grid(Grid {
                width,
                height,
                radius: self.radius.unwrap_or(2),
                torus: self.torus,
            }),
            (None, Some(path)) => {
                let pattern = read_pattern(self.settings.num_programs, path)?;
                Meeting::Pattern(Arc::new(pattern))
            }
            (Some(_), Some(_)) => {
                return Err(usage("grid and interaction-pattern exclude each other"));
            }
            (None, None) => match (self.fixed_shuffle, self.no_permute_programs) {
                (false, false) => Meeting::Shuffle,
                (true, false) => Meeting::FixedShuffle,
                (false, true) => Meeting::NoPermutation,
                (true, true) => {
                    return Err(usage(
                        "fixed-shuffle and no-permute-programs exclude each other",
                    ));
                }
            },
        };
        if self.fixed_shuffle && meeting != Meeting::FixedShuffle {
            return Err(usage("fixed-shuffle excludes grid and interaction-pattern"));
        }
        for (name, is_given) in [("torus", self.torus), ("radius", self.radius.is_some())] {
            if is_given && !matches!(meeting, Meeting::Grid(_)) {
                return Err(setting(format!(
                    "`{name}` needs a `grid`; give one, or leave it out"
                )));
            }
        }
        Ok(meeting)
    }
}

impl Checked {
    /// The run that the table describes; paths begin at `folder`.
    pub(super) fn interpret(&self, folder: &Path) -> Result<(Settings, Plan), Error> {
        let Checked(table) = self;
        let mut draft = Draft::new(folder, Plan::default());
        draft.read(table, |row| row.affects == Soup)?;
        draft.settings.meeting = draft.meeting()?;
        if table.contains_key("frame-interval") && !table.contains_key("frames") {
            return Err(setting(
                "`frame_interval` needs `frames`; give a folder for them, or leave it out",
            ));
        }
        draft.settings.check()?;
        draft.read(table, |row| row.affects != Soup)?;
        draft.plan.check()?;
        Ok((draft.settings, draft.plan))
    }
}

/// The plan with what is given of the settings that a run may go on with another value of.
pub(super) fn changed(plan: &Plan, given: &Table) -> Result<Plan, Error> {
    let mut draft = Draft::new(Path::new(""), plan.clone());
    draft.read(given, |row| row.is_changeable)?;
    Ok(draft.plan)
}
