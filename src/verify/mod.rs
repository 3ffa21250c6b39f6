//! Verifying: every engine against the reference engine, on millions of tapes and on whole soups.
//!
//! The tests are a stream of [units](Unit), each a function of the seed, its source, its language
//! and its number; threads take one after the other. A unit is either a block of tapes
//! (`block.rs`), random (`tapes.rs`) or grown around loops (`grown.rs`), or a soup with tapes of
//! its programs (`soups.rs`). The first tape on which an engine differs ends the verification: the
//! tape is reduced (`case.rs`) and returned as a [`Difference`].

mod block;
mod case;
mod difference;
mod draw;
mod engines;
mod exercise;
mod folder;
mod grown;
mod report;
mod soups;
mod tapes;
mod unit;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;

use crate::Error;
use crate::engine::Engine;
use crate::language::Language;
use block::{Done, Interpreters};
pub use case::{Case, Result as Ran, Seen};
pub use difference::{Difference, Met};
pub use engines::{Fault, Setup, has_engines, has_native_code};
pub use exercise::{Exercise, Row};
use folder::Folder;
pub use report::{Count, Summary};
pub use unit::{Source, Unit};

/// How often progress is told.
const SEE_EVERY: Duration = Duration::from_millis(100);

/// What to verify, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is tried is a function of it.
    pub seed: u64,
    /// Units that are done at a time.
    pub threads: usize,
    /// The languages.
    pub languages: Vec<&'static Language>,
    /// The engines; the reference engine is what they are compared with.
    pub engines: Vec<Engine>,
    /// Where tapes come from.
    pub sources: Vec<Source>,
    /// When it ends.
    pub limit: Limit,
    /// Something wrong with every engine, to see that it is found.
    #[doc(hidden)]
    pub fault: Option<Fault>,
}

/// When verifying ends, if nothing differs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// After so much time, once the units under way are done.
    Time(Duration),
    /// Once so many interactions were compared.
    Interactions(u64),
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The time since it began.
    pub elapsed: Duration,
    /// Interactions that were compared.
    pub interactions: u64,
    /// How much of all is done, from 0 to 1.
    pub share: f64,
    /// Whether something differs, which is being made small.
    pub is_shrinking: bool,
    /// The unit that has been under way for longest, and for how long.
    pub oldest: Option<(Duration, Unit)>,
}

/// Verify as `plan` says. Now and then `see` is told how far it is; it can end it.
pub fn verify(
    plan: &Plan,
    see: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Summary, Error> {
    let begun = Instant::now();
    let folder = match plan.sources.iter().find_map(Source::folder) {
        Some(path) => Folder::read(path)?,
        None => Folder::default(),
    };
    let shared = Shared {
        plan,
        folder: &folder,
        places: places(plan, &folder)?,
        begun,
        is_over: AtomicBool::new(false),
        stream: Mutex::default(),
        result: Mutex::default(),
        running: Mutex::default(),
    };
    let mut was_ended = false;
    std::thread::scope(|scope| -> Result<(), Error> {
        let workers: Vec<_> = (0..plan.threads.max(1))
            .map(|_| scope.spawn(|| shared.work_in_pool()))
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            if see(&shared.progress()).is_break() {
                was_ended = true;
                shared.is_over.store(true, Ordering::Relaxed);
            }
            std::thread::park_timeout(SEE_EVERY);
        }
        Ok(())
    })?;
    let elapsed = begun.elapsed();
    let result = shared.result.into_inner();
    let Collected {
        counts,
        exercise,
        first,
        error,
    } = result.unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error);
    }
    let difference = first.map(|(_, unit, found)| {
        let _ = see(&Progress {
            elapsed,
            interactions: counts.values().map(|count| count.interactions).sum(),
            share: 1.0,
            is_shrinking: true,
            oldest: None,
        });
        let met = Met {
            seed: plan.seed,
            unit,
        };
        difference_of(met, found, plan.fault)
    });
    Ok(Summary::new(
        plan,
        &folder,
        elapsed,
        was_ended,
        (counts, exercise, difference),
    ))
}

/// Run what was written of a difference once more; nothing where all engines agree by now, or
/// where this machine has not the engine.
pub fn replay(path: &Path, fault: Option<Fault>) -> Result<Option<Difference>, Error> {
    let (met, case) = Difference::read(path)?;
    if let Some(case) = case {
        let differs = case.check(fault).is_some();
        return Ok(differs.then(|| Difference::of_case(met, case, fault)));
    }
    let folder = match met.unit.source.folder() {
        Some(path) => Folder::read(path)?,
        None => Folder::default(),
    };
    let engines = [Engine::Interpreter, Engine::Jit, Engine::Auto];
    let interpreters = Interpreters::new(met.unit.language, &engines);
    let run = || {
        let work = met.unit.work(met.seed, &engines, &folder)?;
        work.run(&interpreters, fault)
    };
    let found = found_by(run)?;
    Ok(found.1.map(|found| difference_of(met, found, fault)))
}

/// What differs.
#[derive(Debug)]
enum Found {
    Case(Box<Case>),
    Other(String),
}

fn difference_of(met: Met, found: Found, fault: Option<Fault>) -> Difference {
    match found {
        Found::Case(case) => {
            let shrunk = case::shrink(&case, fault);
            Difference::of_case(met, shrunk, fault)
        }
        Found::Other(what) => Difference {
            met,
            case: None,
            seen: None,
            engines: Vec::new(),
            what,
        },
    }
}

/// Do a unit; what it came to, and what differs.
fn found_by(run: impl FnOnce() -> Result<Done, Error>) -> Result<(Done, Option<Found>), Error> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(done) => {
            let mut done = done?;
            let case = done.case.take().map(|case| Found::Case(case.into()));
            let other = done.soup_differs.take().map(Found::Other);
            Ok((done, case.or(other)))
        }
        Err(_) => Ok((
            Done::default(),
            Some(Found::Other("an engine panicked".into())),
        )),
    }
}

/// The sources and languages that units are of, by turns.
fn places(plan: &Plan, folder: &Folder) -> Result<Vec<(Source, &'static Language)>, Error> {
    let mut places = Vec::new();
    for source in &plan.sources {
        let of_folder = folder.languages();
        let languages = plan.languages.iter().filter(|language| match source {
            Source::Folder(_) => of_folder.contains(language),
            _ => has_engines(language),
        });
        places.extend(languages.map(|language| (source.clone(), *language)));
    }
    if places.is_empty() || plan.engines.is_empty() {
        return Err(Error::Usage(
            "there is nothing to compare: give a language that more than one engine runs, an \
             engine besides the reference engine, and a source of tapes"
                .into(),
        ));
    }
    Ok(places)
}

/// What workers share.
struct Shared<'a> {
    plan: &'a Plan,
    folder: &'a Folder,
    places: Vec<(Source, &'static Language)>,
    begun: Instant,
    is_over: AtomicBool,
    stream: Mutex<Stream>,
    result: Mutex<Collected>,
    /// Units under way, by their place in the stream, and when they began.
    running: Mutex<HashMap<u64, (Instant, Unit)>>,
}

/// How much of the stream of units has been handed out.
#[derive(Default)]
struct Stream {
    units: u64,
    interactions: u64,
}

/// What units came to.
#[derive(Default)]
struct Collected {
    counts: HashMap<(&'static str, String), Count>,
    exercise: Exercise,
    /// The first that differs, in the order of the stream: all before it are done, too.
    first: Option<(u64, Unit, Found)>,
    error: Option<Error>,
}

impl Shared<'_> {
    /// The next unit, and its place in the stream.
    fn next(&self) -> Option<(u64, Unit)> {
        let mut stream = lock(&self.stream);
        let is_enough = match self.plan.limit {
            Limit::Time(time) => self.begun.elapsed() >= time,
            Limit::Interactions(most) => stream.interactions >= most,
        };
        if is_enough || self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let place = stream.units;
        let count = self.places.len() as u64;
        let (source, language) = &self.places[(place % count) as usize];
        let unit = Unit {
            number: place / count,
            source: source.clone(),
            language,
        };
        stream.units += 1;
        stream.interactions += unit.interactions();
        Some((place, unit))
    }

    /// Do units until there are no more. What a unit does by itself is done by its worker alone:
    /// hence a pool of one thread.
    fn work_in_pool(&self) {
        match ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(pool) => pool.install(|| self.work()),
            Err(error) => {
                let error = Error::Usage(format!("cannot start a thread: {error}"));
                lock(&self.result).error.get_or_insert(error);
            }
        }
    }

    fn work(&self) {
        let mut interpreters: HashMap<&'static str, Interpreters> = HashMap::new();
        while let Some((place, unit)) = self.next() {
            let engines = &self.plan.engines;
            lock(&self.running).insert(place, (Instant::now(), unit.clone()));
            let interpreters = interpreters
                .entry(unit.language.name)
                .or_insert_with(|| Interpreters::new(unit.language, engines));
            let run = || {
                let work = unit.work(self.plan.seed, engines, self.folder)?;
                work.run(interpreters, self.plan.fault)
            };
            let result = found_by(run);
            lock(&self.running).remove(&place);
            self.collect(place, unit, result);
        }
    }

    fn collect(&self, place: u64, unit: Unit, result: Result<(Done, Option<Found>), Error>) {
        let mut collected = lock(&self.result);
        match result {
            Ok((done, found)) => {
                let key = (unit.language.name, unit.source.to_string());
                collected.counts.entry(key).or_default().add(&done);
                collected.exercise.add(done.exercise);
                let is_first = |(first, ..): &(u64, Unit, Found)| place < *first;
                if let Some(found) = found
                    && collected.first.as_ref().is_none_or(is_first)
                {
                    collected.first = Some((place, unit, found));
                    self.is_over.store(true, Ordering::Relaxed);
                }
            }
            Err(error) => {
                collected.error.get_or_insert(error);
                self.is_over.store(true, Ordering::Relaxed);
            }
        }
    }

    fn progress(&self) -> Progress {
        let elapsed = self.begun.elapsed();
        let counts = &lock(&self.result).counts;
        let interactions = counts.values().map(|count| count.interactions).sum();
        let running = lock(&self.running);
        let oldest = running.values().min_by_key(|(begun, _)| *begun);
        let share = match self.plan.limit {
            Limit::Time(time) => elapsed.as_secs_f64() / time.as_secs_f64().max(1e-9),
            Limit::Interactions(most) => interactions as f64 / most.max(1) as f64,
        };
        Progress {
            elapsed,
            interactions,
            share: share.min(1.0),
            is_shrinking: false,
            oldest: oldest.map(|(begun, unit)| (begun.elapsed(), unit.clone())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
