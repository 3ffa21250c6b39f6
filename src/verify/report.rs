//! What verifying came to: counts, for machines and as a page that can be cited.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::block::Done;
use super::difference::Difference;
use super::engines::{has_engines, has_native_code};
use super::exercise::{Exercise, Row};
use super::folder::Folder;
use super::{Limit, Plan};
use crate::bench::Machine;
use crate::engine::hidden::{Part, is_hidden};
use crate::engine::jit::Jit;
use crate::engine::simd::InstructionSet;
use crate::engine::{Engine, Options};
use crate::format::thousands;
use crate::language::Language;
use crate::run::folder::settings::VERSION;

/// Counts of one language and one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Count {
    /// The language.
    pub language: String,
    /// The source.
    pub source: String,
    /// Units.
    pub units: u64,
    /// Runs by the reference engine, each compared with other engines.
    pub interactions: u64,
    /// Those in soups that came alive.
    pub living: u64,
    /// Steps of them.
    pub steps: u64,
    /// Runs by other engines, each compared with the reference engine.
    pub comparisons: u64,
    /// Seconds that the reference engine took, of one thread.
    pub reference_seconds: f64,
}

impl Count {
    pub(super) fn add(&mut self, done: &Done) {
        self.units += 1;
        self.interactions += done.interactions;
        self.living += done.living_interactions;
        self.steps += done.steps;
        self.comparisons += done.comparisons;
        self.reference_seconds += done.reference_time.as_secs_f64();
    }
}

/// What verifying came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The version of broth.
    pub broth: &'static str,
    /// The day that it ended, in universal time.
    pub date: String,
    /// The machine.
    pub machine: Machine,
    /// The vector instructions that the interpreter was tried with.
    pub widths: Vec<&'static str>,
    /// The engines.
    pub engines: Vec<&'static str>,
    /// The seed.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// How long it took.
    pub seconds: f64,
    /// Whether it was ended early.
    pub was_ended: bool,
    /// By language and source.
    pub counts: Vec<Count>,
    /// What was exercised.
    pub exercise: Vec<Row>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
    /// What differs.
    #[serde(skip)]
    pub difference: Option<Difference>,
    /// The same in words.
    pub differences: Vec<String>,
}

impl Summary {
    pub(super) fn new(
        plan: &Plan,
        folder: &Folder,
        elapsed: Duration,
        was_ended: bool,
        (counts, exercise, difference): (
            HashMap<(&'static str, String), Count>,
            Exercise,
            Option<Difference>,
        ),
    ) -> Summary {
        let mut counts: Vec<Count> = counts
            .into_iter()
            .map(|((language, source), count)| Count {
                language: language.into(),
                source,
                ..count
            })
            .collect();
        counts.sort_by(|a, b| (&a.language, &a.source).cmp(&(&b.language, &b.source)));
        Summary {
            broth: VERSION,
            date: date(SystemTime::now()),
            machine: Machine {
                threads: plan.threads,
                ..Machine::this()
            },
            widths: InstructionSet::available()
                .map(InstructionSet::name)
                .collect(),
            engines: plan.engines.iter().map(|engine| engine.name()).collect(),
            seed: plan.seed,
            threads: plan.threads,
            seconds: elapsed.as_secs_f64(),
            was_ended,
            counts,
            exercise: exercise.rows(),
            not_compared: not_compared(plan, folder),
            differences: difference.iter().map(Difference::text).collect(),
            difference,
        }
    }

    /// Runs by the reference engine, each of which others were compared with.
    pub fn interactions(&self) -> u64 {
        self.counts.iter().map(|count| count.interactions).sum()
    }

    /// Runs that others were compared in.
    pub fn comparisons(&self) -> u64 {
        self.counts.iter().map(|count| count.comparisons).sum()
    }

    /// Interactions a second, with all threads.
    pub fn rate(&self) -> f64 {
        self.interactions() as f64 / self.seconds.max(1e-9)
    }

    /// Interactions a second that the reference engine alone would do on as many threads.
    pub fn reference_rate(&self) -> f64 {
        let seconds: f64 = self
            .counts
            .iter()
            .map(|count| count.reference_seconds)
            .sum();
        self.threads as f64 * self.interactions() as f64 / seconds.max(1e-9)
    }

    /// What was to be exercised and never was.
    pub fn never(&self) -> Vec<&str> {
        let zeros = self.exercise.iter().filter(|row| row.count == 0);
        zeros.map(|row| row.what.as_str()).collect()
    }

    /// A table of languages, in columns of the same width.
    pub fn table(&self) -> String {
        let mut rows = vec![[
            "language".to_owned(),
            "source".into(),
            "interactions".into(),
            "steps".into(),
            "comparisons".into(),
        ]];
        rows.extend(self.counts.iter().map(|count| {
            let number = |number: u64| thousands(number as usize);
            [
                count.language.clone(),
                count.source.clone(),
                number(count.interactions),
                number(count.steps),
                number(count.comparisons),
            ]
        }));
        aligned(&rows, 2)
    }

    /// The table of what was exercised.
    pub fn exercise_table(&self) -> String {
        let rows = self.exercise.iter();
        let rows: Vec<[String; 2]> = rows
            .map(|row| [row.what.clone(), thousands(row.count as usize)])
            .collect();
        aligned(&rows, 1)
    }

    /// A few lines that say it all.
    pub fn verdict(&self) -> String {
        let number = |number: u64| thousands(number as usize);
        let what = match self.difference {
            None => "no difference",
            Some(_) => "a DIFFERENCE",
        };
        format!(
            "{what} in {} interactions and {} comparisons, {:.0} s, seed {}\n\
             {:.2} M interactions/s; the reference engine alone {:.2} M/s",
            number(self.interactions()),
            number(self.comparisons()),
            self.seconds,
            self.seed,
            self.rate() / 1e6,
            self.reference_rate() / 1e6,
        )
    }

    /// A page that can be cited, in Markdown.
    pub fn page(&self) -> String {
        let mut page = String::new();
        let number = |number: u64| thousands(number as usize);
        let cpu = self.machine.cpu.as_deref().unwrap_or("unknown CPU");
        let result = match self.difference {
            None => "No engine differed from the reference engine.",
            Some(_) => "**An engine differed from the reference engine.**",
        };
        let early = if self.was_ended {
            " It was ended early."
        } else {
            ""
        };
        let _ = write!(
            page,
            "# broth {}: engines verified\n\n\
             {result}{early}\n\n\
             | | |\n| --- | --- |\n\
             | date | {} |\n\
             | machine | {cpu}, {} threads of {} cores |\n\
             | vector instructions tried | {} |\n\
             | engines | {} |\n\
             | seed | {} |\n\
             | time | {:.0} s |\n\
             | interactions | {} |\n\
             | of them in living soups | {} |\n\
             | comparisons | {} |\n\
             | interactions a second | {} |\n\
             | by the reference engine alone | {} |\n",
            self.broth,
            self.date,
            self.threads,
            self.machine.cores,
            self.widths.join(", "),
            self.engines.join(", "),
            self.seed,
            self.seconds,
            number(self.interactions()),
            number(self.counts.iter().map(|count| count.living).sum()),
            number(self.comparisons()),
            number(self.rate() as u64),
            number(self.reference_rate() as u64),
        );
        for difference in &self.differences {
            let _ = write!(page, "\n## The difference\n\n```\n{difference}```\n");
        }
        page.push_str(
            "\n## What was compared\n\n\
             An interaction is a run of a tape by the reference engine. A comparison is the same \
             run by another engine: tape, ops, steps and ending must be the same.\n\n\
             | language | source | interactions | steps | comparisons |\n\
             | --- | --- | --: | --: | --: |\n",
        );
        for count in &self.counts {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                count.language,
                count.source,
                number(count.interactions),
                number(count.steps),
                number(count.comparisons)
            );
        }
        page.push_str("\n## What was exercised\n\n| | times |\n| --- | --: |\n");
        for row in &self.exercise {
            let _ = writeln!(page, "| {} | {} |", row.what, number(row.count));
        }
        let list = |page: &mut String, title: &str, items: &[String]| {
            if !items.is_empty() {
                let _ = write!(page, "\n## {title}\n\n- {}\n", items.join("\n- "));
            }
        };
        let never: Vec<String> = self.never().into_iter().map(str::to_owned).collect();
        list(&mut page, "What never happened", &never);
        list(&mut page, "What was not compared", &self.not_compared);
        page
    }
}

/// Rows in columns, the first so many to the left, the others to the right.
fn aligned<const N: usize>(rows: &[[String; N]], left: usize) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column).unwrap_or(0);
            match column < left {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// What could not be compared here, and why.
fn not_compared(plan: &Plan, folder: &Folder) -> Vec<String> {
    let mut all = Vec::new();
    let names = |languages: Vec<&'static Language>| {
        let names: Vec<&str> = languages.iter().map(|language| language.name).collect();
        names.join(", ")
    };
    let languages = plan.languages.iter().copied();
    let without: Vec<_> = languages
        .filter(|language| !has_engines(language))
        .collect();
    if !without.is_empty() {
        all.push(format!(
            "{}: the reference engine is the only one",
            names(without)
        ));
    }
    let is_native = plan.engines.iter().any(|it| *it != Engine::Interpreter);
    let languages = plan.languages.iter().copied();
    let not_native = languages.filter(|it| has_engines(it) && !has_native_code(it));
    let not_native: Vec<_> = not_native.collect();
    if is_native && !not_native.is_empty() {
        all.push(format!(
            "native code of {}: there is none",
            names(not_native)
        ));
    }
    if is_native {
        let native = plan.languages.iter().find(|it| has_native_code(it));
        let options = Options::default();
        if let Some(language) = native
            && let Err(why) = Jit::new(language, options.jit, true)
        {
            all.push(format!("native code: it is not possible here ({why})"));
        }
    } else {
        all.push("native code: it was not asked for".into());
    }
    let has = |name: &str| InstructionSet::available().any(|set| set.name() == name);
    for (name, part) in [("AVX-512", Part::Avx512), ("AVX2", Part::Avx2)] {
        let why = match is_hidden(part) {
            true => "it is left out on purpose",
            false => "this machine has none",
        };
        if !has(name) {
            all.push(format!("the interpreter with {name}: {why}"));
        }
    }
    if folder.passed_over > 0 {
        all.push(format!(
            "{} checkpoints of soups that one engine runs only, or whose world is not pairs",
            folder.passed_over
        ));
    }
    if matches!(plan.limit, Limit::Interactions(0)) {
        all.push("anything: no interactions were asked for".into());
    }
    all
}

/// The day of a time, in universal time: `2026-11-28`.
fn date(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let (mut days, mut year) = (seconds / 86_400, 1970);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let of_year = |year| if is_leap(year) { 366 } else { 365 };
    while days >= of_year(year) {
        days -= of_year(year);
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 0;
    for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        month += 1;
        if days < len {
            break;
        }
        days -= len;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = |days: u64| date(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + 7));
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (790, "1972-03-01"),
            (11_016, "2000-02-29"),
            (20_785, "2026-11-28"),
            (20_818, "2026-12-31"),
            (20_819, "2027-01-01"),
        ] {
            assert_eq!(day(days), expected);
        }
    }
}
