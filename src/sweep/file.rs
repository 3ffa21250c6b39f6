//! The file of a sweep: settings x seeds, as lists, ranges, grids of values and conditions.

mod values;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use self::values::{combinations, parse_seeds};
use crate::Error;
use crate::files;
use crate::run::Plan;
use crate::run::folder::settings as settings_file;
use crate::soup::settings::Settings;

/// More runs than this are taken for a slip of the pen.
pub const MOST_RUNS: usize = 100_000;
/// No file of a sweep is longer, in bytes.
const LONGEST: u64 = 1 << 20;
/// Soups of so many programs or fewer keep no checkpoint, unless the file says otherwise.
pub const SMALL: usize = 1 << 14;

/// Keys of a run that `broth run` has no flag for.
const RULES: [&str; 4] = [
    "epochs-after-alive",
    "stop-at-replicators",
    "budget-seconds",
    "checkpoints",
];

/// What is kept of a run besides its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Keep {
    /// No soup.
    None,
    /// The last soup.
    Last,
    /// The soups after epochs e (from 0) divisible by `checkpoint-interval`, and the last.
    All,
}

/// When a run of a sweep ends early, besides the stop rules of `broth run`, and what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Rules {
    /// It ends at the first log point so many epochs after the first one at which the soup
    /// was alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs_after_alive: Option<u64>,
    /// It ends at the first log point with so many programs that score 48 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_at_replicators: Option<u64>,
    /// It is given up, and censored there, once it has taken so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_seconds: Option<f64>,
    /// What is kept of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Keep>,
}

impl Rules {
    fn check(&self, plan: &Plan) -> Result<(), Error> {
        let wrong = |problem: &str| Err(Error::Usage(problem.into()));
        if self.stop_at_replicators.is_some() && !plan.eval_selfrep {
            return wrong(
                "stop-at-replicators needs replicators to be counted; say `eval-selfrep = true`",
            );
        }
        if self.stop_at_replicators == Some(0) {
            return wrong("stop-at-replicators = 0: choose a number of programs from 1 up");
        }
        if let Some(budget) = self.budget_seconds
            && !(budget > 0.0 && budget.is_finite())
        {
            return wrong("budget-seconds: choose a number of seconds above 0");
        }
        Ok(())
    }

    /// What is kept of a run with so many programs.
    pub fn keep(&self, num_programs: usize) -> Keep {
        let usual = match num_programs > SMALL {
            true => Keep::Last,
            false => Keep::None,
        };
        self.checkpoints.unwrap_or(usual)
    }
}

/// What all runs of one combination of settings have in common.
#[derive(Debug)]
#[non_exhaustive]
pub struct Combination {
    /// What it is called in tables and figures.
    pub condition: String,
    /// The share of runs above entropy 1 that a source gives for it.
    pub expected: Option<f64>,
    /// The settings that differ from combination to combination, in the order of
    /// [`Sweep::varying`].
    pub varying: Vec<String>,
    /// The settings; the seed is each run's own.
    pub settings: Settings,
    /// How long a run goes.
    pub plan: Plan,
    /// When it ends early.
    pub rules: Rules,
    /// Everything but the seed that decides its results, by the names of flags.
    of_results: Table,
}

impl Combination {
    /// What decides its results besides the seed and what tables have a column for in any
    /// case, as a table of TOML in one line; nothing where all of it is as by default.
    pub fn told(&self) -> String {
        let mut told = self.of_results.clone();
        told.retain(|key, _| key != "seed" && !ALWAYS.contains(&key));
        match told.is_empty() {
            true => String::new(),
            false => Value::Table(told).to_string(),
        }
    }
}

/// One run of a sweep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Planned {
    /// What it has in common with others.
    pub combination: Arc<Combination>,
    /// Its seed.
    pub seed: u64,
    /// What its result is called: the beginning of the SHA-256 of everything that decides it,
    /// in hex digits.
    pub key: String,
}

impl Planned {
    /// The run's settings.
    pub fn settings(&self) -> Settings {
        Settings {
            seed: self.seed,
            ..self.combination.settings.clone()
        }
    }

    /// Everything that decides the run's results, by the names of flags.
    pub(crate) fn of_results(&self) -> Table {
        with_seed(&self.combination.of_results, self.seed)
    }

    /// What it is called on the screen.
    pub fn label(&self) -> String {
        format!("{}, seed {}", self.combination.condition, self.seed)
    }
}

/// What a result is called that all this decides, by the names of flags.
pub(super) fn key_of(of_results: &Table) -> String {
    files::sha256(&[of_results.to_string().as_bytes()])[..32].into()
}

fn with_seed(of_results: &Table, seed: u64) -> Table {
    let mut table = of_results.clone();
    table.insert("seed".into(), settings_file::seed_value(seed));
    table
}

/// All runs that a file asks for.
#[derive(Debug)]
pub struct Sweep {
    /// The file's name without its ending.
    pub name: String,
    /// The file as it stands.
    pub text: String,
    /// Settings that differ from run to run, besides those that every table has.
    pub varying: Vec<String>,
    /// The runs, in the order of the file.
    pub runs: Vec<Planned>,
    /// The part of them that is here, where it is not all.
    pub shard: Option<Shard>,
}

pub(super) use crate::run::folder::settings::ALWAYS_TOLD as ALWAYS;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// What it is for; for readers only.
    #[serde(rename = "about")]
    _about: Option<String>,
    seeds: Option<Value>,
    expected: Option<f64>,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    vary: Table,
    #[serde(default)]
    condition: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Condition {
    name: Option<String>,
    seeds: Option<Value>,
    expected: Option<f64>,
    #[serde(default)]
    vary: Table,
    #[serde(flatten)]
    settings: Table,
}

impl Sweep {
    /// Read the file at `path`; nothing is run for it, and everything in it is checked.
    pub fn read(path: &Path) -> Result<Sweep, Error> {
        let text = files::read_text_up_to(path, LONGEST)?;
        let name = path.file_stem().unwrap_or_default().display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        Sweep::parse(&name, &text, folder)
            .map_err(|error| error.in_file(path, "is not right", settings_file::key_of))
    }

    /// The sweep that `text` describes; paths in it begin at `folder`.
    pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Sweep, Error> {
        let content: Content =
            toml::from_str(text).map_err(|error| usage(error.to_string().trim_end()))?;
        let mut conditions = content.condition;
        if conditions.is_empty() {
            conditions.push(Condition::default());
        } else if let Some(i) = conditions.iter().position(|it| it.name.is_none()) {
            return Err(usage(format!(
                "[[condition]] number {} has no `name`; give it one",
                i + 1
            )));
        }
        let expected = conditions.iter().map(|it| it.expected);
        for share in expected.chain([content.expected]).flatten() {
            if !(0.0..=1.0).contains(&share) {
                return Err(usage(format!(
                    "expected = {share}: give a share from 0 to 1, as in 0.4 for 40 %"
                )));
            }
        }
        let mut names = HashSet::new();
        for name in conditions.iter().filter_map(|it| it.name.as_deref()) {
            if !names.insert(name) {
                return Err(usage(format!(
                    "two conditions are called `{name}`; rename one"
                )));
            }
        }
        let varying: BTreeSet<String> = conditions
            .iter()
            .flat_map(|it| it.settings.keys().chain(it.vary.keys()))
            .chain(content.vary.keys())
            // The engine has its column among the results.
            .filter(|key| !ALWAYS.contains(&key.as_str()) && *key != "engine")
            .cloned()
            .collect();
        let varying: Vec<String> = varying.into_iter().collect();
        let mut runs = Vec::new();
        // Which run has a key, and in which condition of the file it is.
        let mut known: HashMap<String, (usize, Arc<Combination>)> = HashMap::new();
        for (place, condition) in conditions.into_iter().enumerate() {
            let in_condition = |error: Error| match (&error, &condition.name) {
                (Error::Usage(_) | Error::Setting(_), Some(name)) => {
                    let problem = error.naming(settings_file::key_of);
                    usage(format!("condition `{name}`: {problem}"))
                }
                (Error::Setting(_), None) => usage(error.naming(settings_file::key_of)),
                _ => error,
            };
            let seeds = condition.seeds.as_ref().or(content.seeds.as_ref());
            let seeds = seeds.ok_or_else(|| {
                usage("no seeds; say `seeds = \"1-60\"`, for example, above [settings]")
            });
            let seeds = seeds.and_then(parse_seeds).map_err(in_condition)?;
            let mut vary = content.vary.clone();
            vary.extend(condition.vary.clone());
            let mut settings = content.settings.clone();
            settings.extend(condition.settings.clone());
            for values in combinations(&vary).map_err(in_condition)? {
                let mut flags = settings.clone();
                flags.extend(values.clone());
                let flags = with_whole_numbers(&flags).map_err(in_condition)?;
                let (settings, plan, rules, of_results) =
                    interpret(flags.clone(), folder).map_err(in_condition)?;
                let combination = Arc::new(Combination {
                    condition: label(name, condition.name.as_deref(), &values),
                    expected: condition.expected.or(content.expected),
                    varying: shown_values(&varying, &flags, &settings, &plan)?,
                    settings,
                    plan,
                    rules,
                    of_results,
                });
                if runs.len() + seeds.len() > MOST_RUNS {
                    return Err(usage(format!(
                        "more than {MOST_RUNS} runs; split it into several files"
                    )));
                }
                for seed in &seeds {
                    let key = key_of(&with_seed(&combination.of_results, *seed));
                    let this = (place, Arc::clone(&combination));
                    if let Some(other) = known.insert(key.clone(), this) {
                        may_share(&other, (place, &combination))?;
                    }
                    runs.push(Planned {
                        combination: Arc::clone(&combination),
                        seed: *seed,
                        key,
                    });
                }
            }
        }
        Ok(Sweep {
            name: name.into(),
            text: text.into(),
            varying,
            runs,
            shard: None,
        })
    }

    /// Leave only the runs of one of several shards, which share all runs evenly.
    pub fn take_shard(&mut self, shard: Shard) {
        let mut place = 0;
        self.runs.retain(|_| {
            place += 1;
            place % shard.of == shard.number % shard.of
        });
        self.shard = Some(shard);
    }
}

/// One of several parts of a sweep, as in `3/16`: numbers begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        text.split_once('/')
            .and_then(|(number, of)| {
                let (number, of) = (number.parse().ok()?, of.parse().ok()?);
                (number >= 1 && number <= of).then_some(Shard { number, of })
            })
            .ok_or_else(|| "write which of how many, as in 3/16 (from 1/16 to 16/16)".into())
    }
}

/// Whether two combinations, with the condition that each is in, may ask for the same run.
fn may_share(a: &(usize, Arc<Combination>), b: (usize, &Combination)) -> Result<(), Error> {
    let ((in_a, a), (in_b, b)) = (a, b);
    let names = format!("`{}` and `{}`", a.condition, b.condition);
    if *in_a == in_b {
        return Err(usage(format!(
            "vary: {names} are the same run, whose result the values do not change; leave one out"
        )));
    }
    if a.plan != b.plan || a.rules != b.rules {
        return Err(usage(format!(
            "conditions {names} ask for the same run in two ways; let them agree in engine, \
             budget-seconds, checkpoints and whatever else changes no result"
        )));
    }
    Ok(())
}

fn usage(problem: impl Into<String>) -> Error {
    Error::Usage(problem.into())
}

/// A run's flags, with counts as whole numbers.
fn with_whole_numbers(flags: &Table) -> Result<Table, Error> {
    let mut numbers = settings_file::with_whole_numbers(flags)?;
    for key in ["epochs-after-alive", "stop-at-replicators"] {
        if let Some(value) = numbers.get_mut(key) {
            *value = settings_file::whole_number(key, value)?;
        }
    }
    Ok(numbers)
}

/// A run's settings out of its flags.
fn interpret(mut flags: Table, folder: &Path) -> Result<(Settings, Plan, Rules, Table), Error> {
    for row in settings_file::TABLE {
        let flag = row.name;
        if let Some(instead) = row.instead_in_sweeps.filter(|_| flags.contains_key(flag)) {
            return Err(usage(format!(
                "`{flag}` cannot be set in a sweep: {instead}"
            )));
        }
    }
    let rules: Table = RULES
        .iter()
        .filter_map(|key| flags.remove_entry(*key))
        .collect();
    let rules: Rules = rules
        .try_into()
        .map_err(|error: toml::de::Error| usage(error.to_string().trim_end()))?;
    let (settings, plan) = settings_file::from_flags(&flags, folder)?;
    rules.check(&plan)?;
    let mut of_results = settings_file::of_results(&settings, &plan)?;
    let ends = [
        ("epochs-after-alive", rules.epochs_after_alive),
        ("stop-at-replicators", rules.stop_at_replicators),
    ];
    for (key, value) in ends {
        if let Some(value) = value.and_then(|value| i64::try_from(value).ok()) {
            of_results.insert(key.into(), Value::Integer(value));
        }
    }
    Ok((settings, plan, rules, of_results))
}

/// What a combination is called: by its condition and by the values that it was given.
fn label(sweep: &str, condition: Option<&str>, values: &Table) -> String {
    let values = values.iter().map(|(key, value)| match key.as_str() {
        "lang" => shown(value),
        key => format!("{key} {}", shown(value)),
    });
    let words: Vec<String> = condition
        .map(String::from)
        .into_iter()
        .chain(values)
        .collect();
    match words.is_empty() {
        true => sweep.into(),
        false => words.join(", "),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shown_values(
    keys: &[String],
    flags: &Table,
    settings: &Settings,
    plan: &Plan,
) -> Result<Vec<String>, Error> {
    let known = settings_file::to_table(settings, plan)?;
    let value = |key: &String| flags.get(key).or_else(|| known.get(key));
    Ok(keys
        .iter()
        .map(|key| value(key).map(shown).unwrap_or_default())
        .collect())
}

/// The file of the sweep whose records are in `folder`, as it was at last.
pub(super) fn keep_copy(sweep: &Sweep, path: &Path) -> Result<(), Error> {
    match fs::read(path) {
        Ok(bytes) if bytes == sweep.text.as_bytes() => Ok(()),
        _ => files::write_whole(path, |file| file.write_all(sweep.text.as_bytes())),
    }
}

#[cfg(test)]
mod tests;
