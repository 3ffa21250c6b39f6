//! A difference between two engines, for people to read, and as a file that runs it again.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::block::BATCH;
use super::case::{Case, Seen};
use super::engines::{Fault, Setup};
use super::unit::{Source, Unit};
use crate::engine::jit::{self, Thresholds, Tier};
use crate::files;
use crate::format::hex;
use crate::language::{self, Language, TAPE_LEN, Tape};
use crate::run::folder::settings::VERSION;
use crate::{Error, engine::Engine};

/// Something that an engine does differently from the reference engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where in the stream of what is tried it was met.
    pub met: Met,
    /// The tape, as small as it got; nothing where only a whole soup shows it.
    pub case: Option<Case>,
    /// What engines came to, where there is a tape.
    pub seen: Option<Seen>,
    /// The engines that come to something else with the tape alone.
    pub engines: Vec<String>,
    /// What happened, in words.
    pub what: String,
}

/// Where something was met.
#[derive(Clone, Debug, PartialEq)]
pub struct Met {
    /// The seed.
    pub seed: u64,
    /// The unit.
    pub unit: Unit,
}

/// A difference on disk.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OnDisk {
    broth: String,
    language: String,
    seed: String,
    source: String,
    unit: u64,
    what: String,
    tape: Option<TapeOnDisk>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TapeOnDisk {
    text: String,
    max_steps: u32,
    engine: String,
    width: Option<String>,
    closed_forms: bool,
    which: usize,
    tapes: Vec<String>,
    learns_itself: bool,
    learnt: Vec<String>,
    learnt_max_steps: Vec<u32>,
    sample: u32,
    loop_threshold: u32,
    program_threshold: u32,
    backoff: u32,
    least: String,
    cache_bytes: u64,
}

impl Difference {
    /// A case as it was met, with all that is known of it.
    pub fn of_case(met: Met, case: Case, fault: Option<Fault>) -> Difference {
        let seen = case.check(fault);
        Difference {
            what: format!("{} differs from the reference engine", case.setup.name()),
            engines: case.engines(fault),
            met,
            seen,
            case: Some(case),
        }
    }

    /// Of a unit that does not come to an end.
    pub fn hangs(met: Met, time: Duration) -> Difference {
        Difference {
            what: format!(
                "an engine hangs: after {} s the unit goes on",
                time.as_secs()
            ),
            met,
            case: None,
            seen: None,
            engines: Vec::new(),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.met.unit.language, self.what);
        let mut line = |what: &str, value: &str| {
            let _ = writeln!(text, "  {what:<11} {value}");
        };
        if let (Some(case), Some(seen)) = (&self.case, &self.seen) {
            let show = |tape: &[u8]| case.language.program_text(tape);
            let halves = |tape: &Tape| {
                let [left, right] = [0, TAPE_LEN / 2].map(|at| show(&tape[at..at + TAPE_LEN / 2]));
                format!("{left} | {right}")
            };
            line("tape", &halves(case.tape()));
            line(
                "size",
                &format!(
                    "{} bytes that are no no-ops, {} steps",
                    case.bytes_that_matter(),
                    case.max_steps
                ),
            );
            let results = [
                ("reference", Some(&seen.expected)),
                ("here", seen.here.as_ref()),
            ];
            for (name, result) in results {
                let Some(result) = result else {
                    line(name, "it panics");
                    continue;
                };
                let outcome = &result.outcome;
                line(
                    name,
                    &format!(
                        "ops {}, steps {}, {}",
                        outcome.ops,
                        outcome.steps,
                        outcome.ended.name()
                    ),
                );
                line("", &halves(&result.tape));
            }
            if !self.engines.is_empty() {
                line("engines", &self.engines.join("; "));
            }
            if case.tapes.len() > 1 || !case.learnt.is_empty() {
                let others = case.tapes.len() - 1 + case.learnt.len();
                line("with", &format!("{others} other tapes, which it takes"));
            }
        }
        line(
            "met in",
            &format!(
                "unit {} of seed {}, {}",
                self.met.unit.number, self.met.seed, self.met.unit.source
            ),
        );
        text
    }

    /// Write it to a new file that begins with these lines, as comments.
    pub fn write(&self, path: &Path, heading: &str) -> Result<(), Error> {
        let on_disk = OnDisk {
            broth: VERSION.into(),
            language: self.met.unit.language.name.into(),
            seed: self.met.seed.to_string(),
            source: self.met.unit.source.to_string(),
            unit: self.met.unit.number,
            what: self.what.clone(),
            tape: self.case.as_ref().map(TapeOnDisk::of),
        };
        let text = toml::to_string_pretty(&on_disk)
            .map_err(|error| Error::Bug(format!("{}: {error}", path.display())))?;
        files::write_new(path, |file| {
            for line in heading.lines() {
                writeln!(file, "# {line}")?;
            }
            file.write_all(text.as_bytes())
        })
    }

    /// Read what [`Difference::write`] wrote, of any version.
    pub fn read(path: &Path) -> Result<(Met, Option<Case>), Error> {
        const MOST: u64 = 1 << 20;
        let wrong = |problem: String| Error::file(path, problem);
        let text = files::read_text_up_to(path, MOST)?;
        let on_disk: OnDisk = toml::from_str(&text).map_err(|error| {
            wrong(format!(
                "is not what broth verify writes of a difference: {}",
                error.message()
            ))
        })?;
        let language: &'static Language = on_disk
            .language
            .parse()
            .map_err(|error| wrong(format!("{error}")))?;
        let seed = on_disk
            .seed
            .parse()
            .map_err(|_| wrong(format!("has no seed: `{}`", on_disk.seed)))?;
        let unit = Unit {
            number: on_disk.unit,
            source: Source::parse(&on_disk.source),
            language,
        };
        let case = match on_disk.tape {
            Some(tape) => Some(tape.case(language).map_err(wrong)?),
            None => None,
        };
        Ok((Met { seed, unit }, case))
    }
}

impl TapeOnDisk {
    fn of(case: &Case) -> TapeOnDisk {
        let Setup {
            engine,
            width,
            closed_forms,
            jit,
        } = &case.setup;
        TapeOnDisk {
            text: case.language.program_text(case.tape()),
            max_steps: case.max_steps,
            engine: engine.name().into(),
            width: width.clone(),
            closed_forms: *closed_forms,
            which: case.which,
            tapes: case.tapes.iter().map(|tape| hex(tape)).collect(),
            learns_itself: case.learns_itself,
            learnt: case.learnt.iter().map(|(tape, _)| hex(tape)).collect(),
            learnt_max_steps: case.learnt.iter().map(|(_, steps)| *steps).collect(),
            sample: jit.thresholds.sample,
            loop_threshold: jit.thresholds.loops,
            program_threshold: jit.thresholds.programs,
            backoff: jit.thresholds.backoff,
            least: jit.least.name().into(),
            cache_bytes: jit.cache_bytes as u64,
        }
    }

    fn case(self, language: &'static Language) -> Result<Case, String> {
        let engine: Engine = self.engine.parse().map_err(|error| format!("{error}"))?;
        let least = Tier::ALL.into_iter().find(|it| it.name() == self.least);
        let least = least.ok_or_else(|| format!("has an unknown tier `{}`", self.least))?;
        let tapes = |texts: &[String]| -> Result<Vec<Tape>, String> {
            texts.iter().map(|text| tape(text)).collect()
        };
        let (all, learnt) = (tapes(&self.tapes)?, tapes(&self.learnt)?);
        if !(1..=BATCH).contains(&all.len()) || self.which >= all.len() {
            return Err(format!(
                "has {} tapes, of which number {} differs: 1 to {BATCH} are run together",
                all.len(),
                self.which
            ));
        }
        if learnt.len() != self.learnt_max_steps.len() || self.sample == 0 {
            return Err(
                "does not say how native code is made: each tape of learnt has a \
                        number in learnt-max-steps, and sample is not 0"
                    .into(),
            );
        }
        Ok(Case {
            language,
            setup: Setup {
                engine,
                width: self.width,
                closed_forms: self.closed_forms,
                jit: jit::Options {
                    thresholds: Thresholds::AT_ONCE
                        .sample(self.sample)
                        .loops(self.loop_threshold)
                        .programs(self.program_threshold)
                        .backoff(self.backoff),
                    least,
                    cache_bytes: usize::try_from(self.cache_bytes).unwrap_or(usize::MAX),
                },
            },
            max_steps: self.max_steps,
            learns_itself: self.learns_itself,
            learnt: learnt.into_iter().zip(self.learnt_max_steps).collect(),
            tapes: all,
            which: self.which,
        })
    }
}

fn tape(text: &str) -> Result<Tape, String> {
    let bytes = language::parse_hex(text).map_err(|error| error.to_string())?;
    let len = bytes.len();
    bytes
        .try_into()
        .map_err(|_| format!("has a tape of {len} bytes, and one has {TAPE_LEN}"))
}
