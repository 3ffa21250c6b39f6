//! Benchmarks: how fast each engine runs a soup, compared with the time that no engine can save.
//!
//! Soups come from [`soups`], by the stage of their lives, or from [`worlds`], by seed and age;
//! [`compare`] measures engines on one of them.

pub mod parts;
pub mod soups;
pub mod worlds;

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::engine::simd::InstructionSet;
use crate::engine::{Engine, Options};
use crate::random::mix;
use crate::soup::checkpoint::Checkpoint;
use crate::{Error, Settings, Soup, Tally};

/// Target time for the slowest engine in a round.
const ROUND: Duration = Duration::from_millis(500);
/// Minimum and maximum number of epochs chosen for a round.
const EPOCHS: (u64, u64) = (2, 10_000);

/// What to measure, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The engines; speed-ups are relative to the first.
    pub engines: Vec<Engine>,
    /// Their options.
    pub options: Options,
    /// Rounds; each runs every engine once, from the same soup.
    pub rounds: usize,
    /// Epochs before each round that are not measured, to compile native code.
    pub warm_up: u64,
    /// Epochs measured in each round; by default as many as take the slowest engine about half a
    /// second, but at least 2.
    pub epochs: Option<u64>,
}

/// Milliseconds per epoch, over the rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The median.
    pub median: f64,
    /// The shortest.
    pub minimum: f64,
    /// The longest.
    pub maximum: f64,
    /// Those of each round.
    pub rounds: Vec<f64>,
}

/// The speed of an engine. Rates are those of the median round.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Speed {
    /// The engine's name.
    pub engine: &'static str,
    /// Milliseconds per epoch.
    pub ms_per_epoch: Times,
    /// Wall-clock time per interaction, with all threads together, in nanoseconds.
    pub ns_per_interaction: f64,
    /// Interactions per second.
    pub interactions_per_second: f64,
    /// Ops per second.
    pub ops_per_second: f64,
    /// Steps per second.
    pub steps_per_second: f64,
    /// Its time as a multiple of the floor's.
    pub over_floor: f64,
    /// The time of the first engine as a multiple of its own.
    pub speed_up: f64,
    /// Share of steps in all rounds run by native code, if the engine can have any.
    pub native_steps: Option<f64>,
    /// A hash of the final soup, in hex; see [`fingerprint`].
    pub fingerprint: String,
}

/// Engines on one soup, side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Epochs measured in a round.
    pub epochs: u64,
    /// Interactions in them.
    pub interactions: u64,
    /// Ops in them.
    pub ops: u64,
    /// Steps in them.
    pub steps: u64,
    /// Milliseconds per epoch of the same soup with no step run: pairing, mutating and moving
    /// tapes.
    pub floor_ms_per_epoch: Times,
    /// The engines, in the order of the plan.
    pub engines: Vec<Speed>,
}

/// Measure the engines of `plan` on the soup `start`, in the current rayon thread pool. Before each
/// round, `see` is called with its number, from 1; it can end the comparison there. The result is
/// `None` if no round was completed.
///
/// In a round the engines and the floor take turns, starting with a different one each time, so
/// that temporary disturbances affect all alike. Each starts from `start` and runs some epochs that
/// are not measured. It is an error if engines end a round with different soups or counts.
pub fn compare(
    settings: &Settings,
    start: &Checkpoint,
    plan: &Plan,
    see: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Comparison>, Error> {
    if plan.engines.is_empty()
        || [plan.rounds as u64, plan.warm_up, plan.epochs.unwrap_or(1)].contains(&0)
    {
        return Err(Error::Usage(
            "a benchmark takes one engine, one round, one epoch to warm up and one more \
             at least"
                .into(),
        ));
    }
    let floor = Settings {
        max_steps: 0,
        ..settings.clone()
    };
    let epochs = match plan.epochs {
        Some(epochs) => epochs,
        None => {
            let mut slowest = Duration::from_nanos(1);
            for engine in &plan.engines {
                slowest = slowest.max(Round::run(settings, start, plan, *engine, 1)?.time);
            }
            ((ROUND.as_secs_f64() / slowest.as_secs_f64()) as u64).clamp(EPOCHS.0, EPOCHS.1)
        }
    };
    let count = plan.engines.len();
    let mut times = vec![Vec::with_capacity(plan.rounds); count];
    let mut floor_times = Vec::with_capacity(plan.rounds);
    let mut fingerprints = vec![String::new(); count];
    let mut native_steps = vec![None; count];
    let mut first: Option<(Engine, Round)> = None;
    for round in 0..plan.rounds {
        if see(round + 1).is_break() {
            break;
        }
        for turn in 0..=count {
            let turn = (round + turn) % (count + 1);
            let Some(engine) = plan.engines.get(turn).copied() else {
                floor_times.push(Round::run(&floor, start, plan, Engine::Reference, epochs)?.time);
                continue;
            };
            let this = Round::run(settings, start, plan, engine, epochs)?;
            times[turn].push(this.time);
            fingerprints[turn] = fingerprint(&this.programs);
            if this.has_native_code {
                *native_steps[turn].get_or_insert(0) += this.tally.native.steps;
            }
            match &first {
                Some((first_engine, expected)) => {
                    expected.agree(*first_engine, &this, engine, settings)?;
                }
                None => first = Some((engine, this)),
            }
        }
    }
    let Some((_, Round { tally, .. })) = first else {
        return Ok(None);
    };
    let rounds = floor_times.len() as u64;
    let floor_ms_per_epoch = Times::of(&floor_times, epochs);
    let times: Vec<Times> = times.iter().map(|times| Times::of(times, epochs)).collect();
    let first_median = times[0].median;
    let all_steps = (tally.steps * rounds).max(1) as f64;
    let engines = plan.engines.iter().zip(times).zip(fingerprints);
    let engines = engines.zip(native_steps);
    let engines = engines.map(|(((engine, ms_per_epoch), fingerprint), native_steps)| {
        let median = ms_per_epoch.median;
        let seconds = median / 1e3 * epochs as f64;
        let rate = |count: u64| count as f64 / seconds;
        Speed {
            engine: engine.name(),
            ns_per_interaction: seconds * 1e9 / tally.interactions.max(1) as f64,
            interactions_per_second: rate(tally.interactions),
            ops_per_second: rate(tally.ops),
            steps_per_second: rate(tally.steps),
            over_floor: median / floor_ms_per_epoch.median,
            speed_up: first_median / median,
            ms_per_epoch,
            native_steps: native_steps.map(|steps| steps as f64 / all_steps),
            fingerprint,
        }
    });
    Ok(Some(Comparison {
        epochs,
        interactions: tally.interactions,
        ops: tally.ops,
        steps: tally.steps,
        engines: engines.collect(),
        floor_ms_per_epoch,
    }))
}

/// The result of an engine in a round.
struct Round {
    time: Duration,
    tally: Tally,
    programs: Vec<u8>,
    has_native_code: bool,
}

impl Round {
    fn run(
        settings: &Settings,
        start: &Checkpoint,
        plan: &Plan,
        engine: Engine,
        epochs: u64,
    ) -> Result<Round, Error> {
        let mut soup = Soup::from_checkpoint(settings.clone(), start.clone(), true)?;
        soup.set_engine(engine, &plan.options);
        // The first epoch draws its own pairing in addition to the next one, with cold caches; all
        // later ones are alike.
        for _ in 0..plan.warm_up {
            soup.step();
        }
        let begun = Instant::now();
        let tally = (0..epochs).fold(Tally::default(), |tally, _| tally + soup.step());
        Ok(Round {
            time: begun.elapsed().max(Duration::from_nanos(1)),
            tally,
            programs: soup.programs().to_vec(),
            has_native_code: soup.runner().jit().is_some(),
        })
    }

    /// Whether two engines had the same result.
    fn agree(
        &self,
        engine: Engine,
        other: &Round,
        other_engine: Engine,
        settings: &Settings,
    ) -> Result<(), Error> {
        let what = if self.programs != other.programs {
            "soups"
        } else if self.tally != other.tally {
            "counts"
        } else {
            return Ok(());
        };
        Err(Error::Bug(format!(
            "the engines {} and {} end with different {what} of {}, seed {}; \
             one of them is wrong",
            engine.name(),
            other_engine.name(),
            settings.language,
            settings.seed
        )))
    }
}

impl Times {
    /// The statistics of at least one round of this many epochs each.
    fn of(times: &[Duration], epochs: u64) -> Times {
        let rounds: Vec<f64> = times
            .iter()
            .map(|time| time.as_secs_f64() * 1e3 / epochs as f64)
            .collect();
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        Times {
            median: (sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0,
            minimum: sorted[0],
            maximum: sorted[last],
            rounds,
        }
    }
}

/// A hash of bytes, in 16 hex digits: h = mix(h ^ w) over their little-endian 64-bit words w, from
/// h = 0, with the last word padded with zeros.
pub fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.chunks(8).fold(0, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(hash ^ u64::from_le_bytes(word))
    });
    format!("{hash:016x}")
}

/// The machine of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Machine {
    /// Cores available to this program.
    pub cores: usize,
    /// Threads that soups run on.
    pub threads: usize,
    /// The name of the CPU, if the system tells.
    pub cpu: Option<String>,
    /// The vector instructions that are used.
    pub lanes: &'static str,
}

impl Machine {
    /// This machine, and the current rayon thread pool.
    pub fn this() -> Machine {
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: rayon::current_num_threads(),
            cpu: fs::read_to_string("/proc/cpuinfo")
                .ok()
                .and_then(|text| cpu_name(&text)),
            lanes: InstructionSet::widest().name(),
        }
    }
}

fn cpu_name(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1.trim();
    (!name.is_empty()).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_an_epoch() {
        let ms = |times: &[u64]| -> Vec<Duration> {
            times.iter().map(|ms| Duration::from_millis(*ms)).collect()
        };
        let times = Times::of(&ms(&[80, 20, 40]), 2);
        assert_eq!(
            (times.minimum, times.median, times.maximum),
            (10.0, 20.0, 40.0)
        );
        assert_eq!(times.rounds, [40.0, 10.0, 20.0]);
        assert_eq!(Times::of(&ms(&[1, 2, 3, 8]), 1).median, 2.5);
        assert_eq!(Times::of(&ms(&[7]), 1).median, 7.0);
    }

    #[test]
    fn engines_that_disagree_are_an_error() {
        let round = |byte, ops| Round {
            time: ROUND,
            tally: Tally {
                ops,
                ..Tally::default()
            },
            programs: vec![byte; 128],
            has_native_code: false,
        };
        let check = |other: Round| {
            round(1, 1).agree(
                Engine::Reference,
                &other,
                Engine::Interpreter,
                &Settings::default(),
            )
        };
        assert!(check(round(1, 1)).is_ok());
        let mut native = round(1, 1);
        native.tally.native.steps = 5;
        assert!(
            check(native).is_ok(),
            "which part ran natively is no result"
        );
        for (other, what) in [
            (round(2, 1), "different soups"),
            (round(1, 2), "different counts"),
        ] {
            let error = check(other).unwrap_err();
            assert!(!error.is_usage());
            let message = error.to_string();
            for hint in [what, "reference", "interpreter", "bff_noheads"] {
                assert!(message.contains(hint), "{message}");
            }
        }
    }

    #[test]
    fn fingerprints_tell_bytes_apart() {
        assert_eq!(fingerprint(&[]), format!("{:016x}", 0));
        assert_eq!(fingerprint(&[1, 0, 0]), format!("{:016x}", mix(1)));
        assert_ne!(fingerprint(&[1; 16]), fingerprint(&[2; 16]));
    }

    #[test]
    fn the_cpu_is_found_where_it_is_named() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t: a b\n";
        assert_eq!(cpu_name(text).as_deref(), Some("Some CPU @ 3 GHz"));
        assert_eq!(cpu_name("processor\t: 0\nFeatures\t: asimd\n"), None);
        assert_eq!(cpu_name("model name\t:\n"), None);
    }
}
