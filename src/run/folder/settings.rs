//! settings.toml: a run's settings on disk, by the names of their flags.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{INTERACTION_PATTERN, RunFolder};
use crate::Error;
use crate::engine::Options;
use crate::engine::jit::MIB;
use crate::files;
use crate::language::{Language, machine};
use crate::measure::row::{parse_request, request_text};
use crate::memory;
use crate::run::plan::Plan;
use crate::soup::meeting::{Grid, Pattern};
use crate::soup::settings::{Meeting, Settings, World};

/// The version that writes settings and that these sources make.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The file as it is written: keys are flags.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SettingsFile {
    broth_version: String,
    lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    world: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_offset: Option<u64>,
    num: u64,
    seed: Seed,
    max_epochs: u64,
    max_steps: u32,
    mutation_prob: f64,
    log_interval: u64,
    checkpoint_interval: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<u64>,
    engine: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jit_cache_mib: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    no_closed_forms: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    zero_init: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    fixed_shuffle: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    no_permute_programs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    radius: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    torus: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_pattern: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_high_order_entropy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopping_bpb: Option<f64>,
    #[serde(default, skip_serializing_if = "is_false")]
    eval_selfrep: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    tracers: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    also_measure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopping_selfrep_count: Option<u64>,
}

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

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Read a grid's size: `240x135`, columns by rows.
pub fn parse_grid(text: &str) -> Result<(usize, usize), String> {
    let size = text.split_once('x').and_then(|(width, height)| {
        let number = |word: &str| word.parse().ok().filter(|n| *n > 0);
        Some((number(width)?, number(height)?))
    });
    size.filter(|(width, height): &(usize, usize)| width.checked_mul(*height).is_some())
        .ok_or_else(|| format!("`{text}` is not a grid; write columns x rows, as in 240x135"))
}

/// The world of this name, that of pairs where there is none; on a long tape, heads start
/// `head_offset` apart.
pub fn parse_world(name: Option<&str>, head_offset: Option<usize>) -> Result<World, Error> {
    let world = match name {
        None | Some("pairs") => World::Pairs,
        Some("zff") => World::Zff,
        Some("long-tape") => World::LongTape {
            head_offset: head_offset.unwrap_or(0),
        },
        Some(name) => {
            return Err(Error::Usage(format!(
                "--world {name}: choose pairs, zff or long-tape"
            )));
        }
    };
    if head_offset.is_some() && !matches!(world, World::LongTape { .. }) {
        return Err(Error::Usage(
            "--head-offset is for --world long-tape; leave it out".into(),
        ));
    }
    Ok(world)
}

/// The keys of the file that decide what a soup becomes.
const OF_SOUP: [&str; 15] = [
    "lang",
    "world",
    "head-offset",
    "num",
    "seed",
    "max-steps",
    "mutation-prob",
    "zero-init",
    "fixed-shuffle",
    "no-permute-programs",
    "grid",
    "radius",
    "torus",
    "initial-program",
    "reset-interval",
];

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

/// The settings that can be [`NONE`].
const OPTIONAL: [&str; 5] = [
    "grid",
    "reset-interval",
    "stop-high-order-entropy",
    "stopping-bpb",
    "stopping-selfrep-count",
];

/// The settings that no longer hold once another value is given for `key`.
fn displaced_by(key: &str) -> &'static [&'static str] {
    match key {
        "grid" => &[
            "num",
            "fixed-shuffle",
            "no-permute-programs",
            "interaction-pattern",
            "radius",
            "torus",
        ],
        "fixed-shuffle" | "no-permute-programs" | "interaction-pattern" => &[
            "fixed-shuffle",
            "no-permute-programs",
            "interaction-pattern",
            "grid",
            "radius",
            "torus",
        ],
        "world" => &["head-offset"],
        "num" => &["tape-bytes"],
        "tape-bytes" => &["num"],
        _ => &[],
    }
}

/// The settings in `base`, except where `given` says otherwise.
pub fn with_given(base: &Table, given: &Table) -> Table {
    let mut all = base.clone();
    for key in given.keys() {
        for displaced in displaced_by(key) {
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
    for key in [
        "interaction-pattern",
        "load",
        "log",
        "checkpoint-dir",
        "frames",
    ] {
        if let Some(Value::String(place)) = flags.get_mut(key) {
            let absolute = folder.join(&*place);
            let text = absolute
                .to_str()
                .ok_or_else(|| Error::Usage(format!("{key}: choose a path that is text")))?;
            *place = text.into();
        }
    }
    // Everything in it is checked here, where the file can be named.
    from_flags(&flags, Path::new("")).map_err(|error| match error {
        Error::Usage(problem) => Error::file(path, format!("has wrong settings: {problem}")),
        other => other,
    })?;
    Ok(flags)
}

/// The run that `flags` describe, by the names of `broth run`'s flags: what they do not say
/// is as it is there. Paths begin at `folder`.
pub fn from_flags(flags: &Table, folder: &Path) -> Result<(Settings, Plan), Error> {
    let usage = |problem: &dyn std::fmt::Display| Error::Usage(problem.to_string());
    let text = |flag: &str| flags.get(flag).and_then(Value::as_str);
    // A name that is wrong is refused below, as all other values are.
    let world = parse_world(text("world"), None).unwrap_or(World::Pairs);
    let language = world.language(text("lang").and_then(|name| name.parse().ok()));
    let mut table = to_table(&Settings::usual(language, world), &Plan::default())?;
    for (flag, value) in flags {
        let value = match (flag.as_str(), value) {
            (flag, Value::String(text)) if text == NONE && OPTIONAL.contains(&flag) => {
                table.remove(flag);
                continue;
            }
            ("mutation-prob", Value::String(text)) => parse_probability(text)
                .map(Value::Float)
                .map_err(|problem| usage(&format!("mutation-prob = \"{text}\": {problem}")))?,
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
    let content = table
        .try_into()
        .map_err(|error: toml::de::Error| usage(&error.to_string().trim_end()))?;
    interpret(folder, content)
}

/// The settings that `broth run` has where it is told nothing.
fn defaults() -> Result<Table, Error> {
    to_table(&Settings::default(), &Plan::default())
}

/// Settings by the names of their flags, as the file holds them.
pub fn to_table(settings: &Settings, plan: &Plan) -> Result<Table, Error> {
    Table::try_from(content(settings, plan))
        .map_err(|error| Error::Bug(format!("settings cannot be written: {error}")))
}

/// Keys of the file that change no number of a run's results.
const OF_NO_RESULT: [&str; 7] = [
    "broth-version",
    "engine",
    "jit-cache-mib",
    "no-closed-forms",
    "checkpoint-interval",
    "keep",
    "frame-interval",
];

/// Everything that decides the results of a run, by the names of the flags: those that say
/// which soup it is and how long it is looked at, and others where they are not as they are
/// by default. Of an interaction pattern its SHA-256.
pub fn of_results(settings: &Settings, plan: &Plan) -> Result<Table, Error> {
    const ALWAYS: [&str; 6] = [
        "lang",
        "num",
        "seed",
        "mutation-prob",
        "max-epochs",
        "log-interval",
    ];
    let defaults = defaults()?;
    let mut table = to_table(settings, plan)?;
    table.retain(|key, value| {
        !OF_NO_RESULT.contains(&key)
            && (ALWAYS.contains(&key) || defaults.get(key) != Some(&*value))
    });
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
    table.retain(|key, _| OF_SOUP.contains(&key));
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
    let content = SettingsFile {
        load: plan.load.as_ref().map(relative),
        log: plan.log.as_ref().map(relative),
        checkpoint_dir: plan.checkpoint_dir.as_ref().map(relative),
        frames: plan.frames.as_ref().map(relative),
        ..content(settings, plan)
    };
    let text = toml::to_string(&content)
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

fn content(settings: &Settings, plan: &Plan) -> SettingsFile {
    let grid = match &settings.meeting {
        Meeting::Grid(grid) => Some(grid),
        _ => None,
    };
    let has_pattern = matches!(settings.meeting, Meeting::Pattern(_));
    SettingsFile {
        broth_version: VERSION.into(),
        lang: settings.language.name.into(),
        world: (settings.world != World::Pairs).then(|| settings.world.name().into()),
        head_offset: match settings.world {
            World::LongTape { head_offset } => Some(head_offset as u64),
            World::Pairs | World::Zff => None,
        },
        num: settings.num_programs as u64,
        seed: Seed::of(settings.seed),
        max_epochs: plan.max_epochs,
        max_steps: settings.max_steps,
        mutation_prob: settings.mutation_prob,
        log_interval: plan.log_interval,
        checkpoint_interval: plan.checkpoint_interval,
        keep: plan.keep,
        engine: plan.engine.name().into(),
        jit_cache_mib: Some(plan.options.jit.cache_bytes.div_ceil(MIB) as u64),
        no_closed_forms: !plan.options.closed_forms,
        zero_init: settings.zero_init,
        fixed_shuffle: settings.meeting == Meeting::FixedShuffle,
        no_permute_programs: settings.meeting == Meeting::NoPermutation,
        grid: grid.map(|grid| format!("{}x{}", grid.width, grid.height)),
        radius: grid.map(|grid| grid.radius as u64),
        torus: grid.is_some_and(|grid| grid.torus),
        interaction_pattern: has_pattern.then(|| INTERACTION_PATTERN.into()),
        initial_program: (!settings.initial_program.is_empty())
            .then(|| settings.language.program_text(&settings.initial_program)),
        reset_interval: settings.reset_interval,
        load: plan.load.clone(),
        log: plan.log.clone(),
        checkpoint_dir: plan.checkpoint_dir.clone(),
        frames: plan.frames.clone(),
        frame_interval: plan.frames.is_some().then_some(plan.frame_interval),
        stop_high_order_entropy: plan.stop_high_order_entropy,
        stopping_bpb: plan.stopping_bpb,
        eval_selfrep: plan.eval_selfrep,
        tracers: plan.tracers,
        also_measure: (!plan.also_measure.is_empty()).then(|| request_text(&plan.also_measure)),
        stopping_selfrep_count: plan.stopping_selfrep_count,
    }
}

/// Read the settings of a run.
pub fn read(folder: &RunFolder) -> Result<(Settings, Plan), Error> {
    let path = folder.settings();
    let content: SettingsFile = toml::from_str(&files::read_text(&path)?)
        .map_err(|error| Error::file(&path, format!("is not settings of a run: {error}")))?;
    interpret(folder.path(), content).map_err(|error| match error {
        Error::Usage(problem) => Error::file(&path, format!("has wrong settings: {problem}")),
        other => other,
    })
}

/// Who meets whom.
fn interpret_meeting(
    folder: &Path,
    content: &SettingsFile,
    num_programs: usize,
) -> Result<Meeting, Error> {
    let usage = |error: &dyn std::fmt::Display| Error::Usage(error.to_string());
    let meeting = match (&content.grid, &content.interaction_pattern) {
        (Some(grid), None) => {
            let (width, height) = parse_grid(grid).map_err(|e| usage(&e))?;
            Meeting::Grid(Grid {
                width,
                height,
                radius: usize::try_from(content.radius.unwrap_or(2)).map_err(|e| usage(&e))?,
                torus: content.torus,
            })
        }
        (None, Some(path)) => {
            Meeting::Pattern(Arc::new(read_pattern(num_programs, &folder.join(path))?))
        }
        (Some(_), Some(_)) => {
            return Err(usage(&"grid and interaction-pattern exclude each other"));
        }
        (None, None) => match (content.fixed_shuffle, content.no_permute_programs) {
            (false, false) => Meeting::Shuffle,
            (true, false) => Meeting::FixedShuffle,
            (false, true) => Meeting::NoPermutation,
            (true, true) => {
                return Err(usage(
                    &"fixed-shuffle and no-permute-programs exclude each other",
                ));
            }
        },
    };
    if content.fixed_shuffle && meeting != Meeting::FixedShuffle {
        return Err(usage(
            &"fixed-shuffle excludes grid and interaction-pattern",
        ));
    }
    for (name, given) in [
        ("torus", content.torus),
        ("radius", content.radius.is_some()),
    ] {
        if given && !matches!(meeting, Meeting::Grid(_)) {
            return Err(usage(&format!(
                "--{name} needs a --grid; give one, or leave it out"
            )));
        }
    }
    if content.frame_interval.is_some() && content.frames.is_none() {
        return Err(usage(
            &"--frame-interval needs --frames; give a folder for them, or leave it out",
        ));
    }
    Ok(meeting)
}

fn interpret(folder: &Path, content: SettingsFile) -> Result<(Settings, Plan), Error> {
    let usage = |error: &dyn std::fmt::Display| Error::Usage(error.to_string());
    let language: &'static Language = content.lang.parse().map_err(|e| usage(&e))?;
    let num_programs = usize::try_from(content.num).map_err(|e| usage(&e))?;
    let meeting = interpret_meeting(folder, &content, num_programs)?;
    let head_offset = content.head_offset.map(usize::try_from).transpose();
    let head_offset = head_offset.map_err(|e| usage(&e))?;
    let settings = Settings {
        language,
        world: parse_world(content.world.as_deref(), head_offset)?,
        num_programs,
        seed: match &content.seed {
            Seed::Number(seed) => u64::try_from(*seed).map_err(|_| usage(&"seed is negative"))?,
            Seed::Text(text) => text
                .parse()
                .map_err(|_| usage(&"seed is not a number below 2^64"))?,
        },
        // One zero, however it is written.
        mutation_prob: content.mutation_prob + 0.0,
        max_steps: content.max_steps,
        meeting,
        zero_init: content.zero_init,
        initial_program: match &content.initial_program {
            Some(text) => language
                .parse_program(text)
                .map_err(|error| Error::Usage(format!("--initial-program: {error}")))?,
            None => Vec::new(),
        },
        reset_interval: content.reset_interval,
    };
    settings.check()?;
    let plan = Plan {
        max_epochs: content.max_epochs,
        log_interval: content.log_interval,
        checkpoint_interval: content.checkpoint_interval,
        keep: content.keep,
        engine: content.engine.parse().map_err(|e| usage(&e))?,
        options: interpret_options(content.no_closed_forms, content.jit_cache_mib)?,
        load: content.load.map(|path| folder.join(path)),
        log: content.log.map(|path| folder.join(path)),
        checkpoint_dir: content.checkpoint_dir.map(|path| folder.join(path)),
        frames: content.frames.map(|path| folder.join(path)),
        frame_interval: content
            .frame_interval
            .unwrap_or(Plan::default().frame_interval),
        stop_high_order_entropy: content.stop_high_order_entropy,
        stopping_bpb: content.stopping_bpb,
        eval_selfrep: content.eval_selfrep,
        tracers: content.tracers,
        also_measure: match &content.also_measure {
            Some(names) => parse_request(names)?,
            None => Vec::new(),
        },
        stopping_selfrep_count: content.stopping_selfrep_count,
    };
    plan.check()?;
    Ok((settings, plan))
}

fn interpret_options(no_closed_forms: bool, jit_cache_mib: Option<u64>) -> Result<Options, Error> {
    let mut options = Options {
        closed_forms: !no_closed_forms,
        ..Options::default()
    };
    if let Some(mib) = jit_cache_mib {
        let bytes = usize::try_from(mib)
            .ok()
            .and_then(|mib| mib.checked_mul(MIB));
        options.jit.cache_bytes = bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            Error::Usage(format!(
                "jit-cache-mib = {mib}: choose a number of MiB from 1 up"
            ))
        })?;
    }
    Ok(options)
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
            reset_interval: _,
        } = plain();
        let changes: [fn(&mut Settings); 11] = [
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
}
