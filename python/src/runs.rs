//! Runs in their folders, and their events.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use broth::language::Ended;
use broth::plot::picture::frames::SoupPictures;
use broth::run::events::{COLUMNS, Cells, Event};
use broth::run::folder::load::{Beside, load};
use broth::run::folder::settings::{from_flags, read_as_flags};
use broth::run::folder::{Place, RunFolder};
use broth::run::replay::{PastRun, Replay};
use broth::run::{Changes, End, Next, Observer, View};
use broth::{Error, Tally};
use numpy::PyArray1;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::ThreadPool;

use crate::convert::{raised, settings, to_python};
use crate::pool::pool;

/// How long work goes on before Python may have a word.
const STRETCH: Duration = Duration::from_millis(50);

/// What Python and work on other threads tell each other.
#[derive(Debug, Default)]
struct Talk {
    /// The work is to come to an end.
    stop: Arc<AtomicBool>,
    /// Epochs done.
    done: AtomicU64,
}

/// Do `work` on the threads of `pool`, while this thread, which Python sends signals to, looks for
/// them now and then and tells `progress` how many epochs are done. What either raises stops the
/// work and is raised once that has come to its end.
fn watched<T: Send>(
    py: Python<'_>,
    pool: &ThreadPool,
    talk: &Talk,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    std::thread::scope(|scope| {
        let (end, mut ended) = mpsc::channel::<()>();
        let worker = scope.spawn(move || {
            let result = pool.install(work);
            drop(end);
            result
        });
        let mut failure = None;
        let mut told = None;
        loop {
            let wait;
            (wait, ended) = py.detach(move || (ended.recv_timeout(STRETCH), ended));
            let is_over = wait != Err(mpsc::RecvTimeoutError::Timeout);
            let done = talk.done.load(Ordering::Relaxed);
            let mut said = py.check_signals();
            if let (Some(progress), Ok(()), true) = (progress, &said, told != Some(done)) {
                told = Some(done);
                said = progress.call1((done,)).map(|_| ());
            }
            if let Err(error) = said {
                talk.stop.store(true, Ordering::Relaxed);
                failure.get_or_insert(error);
            }
            if is_over {
                break;
            }
        }
        let result = worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match failure {
            Some(failure) => Err(failure),
            None => result.map_err(raised),
        }
    })
}

/// A run that is ready to go.
#[pyclass(module = "broth._broth", frozen)]
pub(crate) struct Run {
    run: Mutex<Option<broth::run::Run>>,
    pool: Arc<ThreadPool>,
    #[pyo3(get)]
    path: PathBuf,
    #[pyo3(get)]
    epoch: u64,
    #[pyo3(get)]
    max_epochs: u64,
}

fn create(
    flags: &toml::Table,
    load_from: Option<PathBuf>,
    out: Option<PathBuf>,
) -> Result<broth::run::Run, Error> {
    let (settings, mut plan, start) = match &load_from {
        Some(path) => {
            let beside = Beside {
                given: flags,
                overrides: false,
                is_run: true,
            };
            let loaded = load(path, beside)?;
            (loaded.settings, loaded.plan, Some(loaded.checkpoint))
        }
        None => {
            let (settings, plan) = from_flags(flags, Path::new(""))?;
            (settings, plan, None)
        }
    };
    plan.load = load_from;
    let name = || format!("{}-seed-{}", settings.language, settings.seed);
    let place = match out {
        Some(path) => Place::At(path),
        None => Place::Numbered("runs".into(), name()),
    };
    broth::run::Run::create(settings, plan, &place, start, Some(&SoupPictures))
}

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (given, *, load, out, resume, threads))]
    fn new(
        py: Python<'_>,
        given: &Bound<'_, PyDict>,
        load: Option<PathBuf>,
        out: Option<PathBuf>,
        resume: Option<PathBuf>,
        threads: Option<usize>,
    ) -> PyResult<Run> {
        let flags = settings(given)?;
        let pool = pool(threads)?;
        let make = || match resume {
            Some(path) => {
                broth::run::Run::resume(&path, &Changes { given: flags }, Some(&SoupPictures))
            }
            None => create(&flags, load, out),
        };
        let run = py.detach(|| pool.install(make)).map_err(raised)?;
        Ok(Run {
            path: run.folder().path().into(),
            epoch: run.soup().epochs_done(),
            max_epochs: run.plan().max_epochs,
            run: Mutex::new(Some(run)),
            pool,
        })
    }

    /// Run to the end: ``finished``, or ``stopped`` by a rule. ``progress`` is called with the
    /// epochs done. What it raises, and Ctrl-C, end the run with a checkpoint.
    #[pyo3(signature = (progress = None))]
    fn go(&self, py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<&'static str> {
        let run = self
            .run
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let run = run.ok_or_else(|| PyRuntimeError::new_err("the run is over; resume it"))?;
        let talk = Talk::default();
        talk.done.store(self.epoch, Ordering::Relaxed);
        let summary = watched(py, &self.pool, &talk, progress, || {
            run.go(&talk.stop, &mut Telling(&talk.done))
        })?;
        Ok(match summary.end {
            End::Finished => "finished",
            End::Stopped(_) => "stopped",
            End::Interrupted => "interrupted",
        })
    }
}

/// Tells how many epochs are done.
struct Telling<'a>(&'a AtomicU64);

impl Observer for Telling<'_> {
    fn epoch(&mut self, soup: View<'_>, _: &Tally) -> Next {
        self.0.store(soup.epochs_done, Ordering::Relaxed);
        Next::AsBefore
    }
}

/// The settings of a run, by the names of flags with underscores, as its folder has them.
#[pyfunction]
pub(crate) fn run_settings<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    RunFolder::look(&path).map_err(raised)?;
    let table = read_as_flags(&path.join("settings.toml")).map_err(raised)?;
    let all = PyDict::new(py);
    for (name, value) in table {
        all.set_item(name.replace('-', "_"), to_python(py, &value)?)?;
    }
    Ok(all)
}

/// Epochs done when a run began, and at its newest checkpoint.
#[pyfunction]
pub(crate) fn run_epochs(path: PathBuf) -> PyResult<(u64, Option<u64>)> {
    let past = PastRun::open(&path).map_err(raised)?;
    Ok((past.start(), past.newest().map_err(raised)?))
}

/// Where a soup is that a run had: the run's folder, epochs done (without, at its newest
/// checkpoint), and who is told of progress.
pub(crate) type OfRun<'py> = (PathBuf, Option<u64>, Option<Bound<'py, PyAny>>);

/// The soup of a run after so many epochs, recomputed from the nearest checkpoint.
pub(crate) fn soup_of_run(
    py: Python<'_>,
    (path, epoch, progress): OfRun<'_>,
    pool: &ThreadPool,
) -> PyResult<broth::Soup> {
    let talk = Talk::default();
    watched(py, pool, &talk, progress.as_ref(), || {
        let past = PastRun::open(&path)?;
        let epoch = epoch.or(past.newest()?).unwrap_or(past.start());
        let mut replay = Replay::open(&path, Some(epoch), Some(epoch))?;
        replay.stop_when(talk.stop.clone());
        replay.go_to(epoch, &mut |done| talk.done.store(done, Ordering::Relaxed));
        Ok(replay.into_soup())
    })
}

/// The interactions of a stretch of a run, in batches.
#[pyclass(module = "broth._broth", frozen)]
pub(crate) struct Events {
    state: Mutex<State>,
    talk: Talk,
    pool: Arc<ThreadPool>,
    #[pyo3(get)]
    from_epoch: u64,
    #[pyo3(get)]
    to_epoch: u64,
}

struct State {
    events: broth::run::events::Events,
    /// Those that were found and not handed out.
    rows: Vec<Event>,
}

#[pymethods]
impl Events {
    #[new]
    #[pyo3(signature = (path, from_epoch, to_epoch, threads))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        from_epoch: u64,
        to_epoch: Option<u64>,
        threads: Option<usize>,
    ) -> PyResult<Events> {
        let pool = pool(threads)?;
        let open = || broth::run::events::Events::open(&path, from_epoch, to_epoch);
        let mut events = py.detach(|| pool.install(open)).map_err(raised)?;
        let talk = Talk::default();
        talk.done.store(events.epochs_done(), Ordering::Relaxed);
        events.stop_when(talk.stop.clone());
        Ok(Events {
            from_epoch: events.from(),
            to_epoch: events.to(),
            state: Mutex::new(State {
                events,
                rows: Vec::new(),
            }),
            talk,
            pool,
        })
    }

    /// The next rows, ``most`` of them if so many are left, column by column: values, and where
    /// there is none; nothing at the end.
    #[pyo3(signature = (most, progress = None))]
    fn next_batch<'py>(
        &self,
        py: Python<'py>,
        most: usize,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.talk.stop.load(Ordering::Relaxed) {
            let over = "the events were interrupted; ask the run for them again";
            return Err(PyRuntimeError::new_err(over));
        }
        let rows = watched(py, &self.pool, &self.talk, progress, || {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let State { events, rows } = &mut *state;
            let tell = |done| self.talk.done.store(done, Ordering::Relaxed);
            events.approach(&mut |done| tell(done));
            while rows.len() < most {
                let Some(more) = events.next_epoch()? else {
                    break;
                };
                rows.extend(more);
                tell(events.epochs_done());
            }
            let later = rows.split_off(rows.len().min(most));
            Ok(std::mem::replace(rows, later))
        })?;
        if rows.is_empty() {
            return Ok(None);
        }
        columns(py, &rows).map(Some)
    }
}

fn columns<'py>(py: Python<'py>, rows: &[Event]) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    let name_number = |name: &str| Ended::ALL.iter().position(|it| it.name() == name);
    for column in &COLUMNS {
        let (values, is_missing) = match column.cells {
            Cells::U64(get) => {
                let values: Vec<u64> = rows.iter().map(get).collect();
                (PyArray1::from_vec(py, values).into_any(), None)
            }
            Cells::U32(get) => {
                let values: Vec<u32> = rows.iter().map(get).collect();
                (PyArray1::from_vec(py, values).into_any(), None)
            }
            Cells::OptionalU32(get) => {
                let cells = rows.iter().map(get);
                let (values, missing): (Vec<u32>, Vec<bool>) = cells
                    .map(|cell| (cell.unwrap_or(0), cell.is_none()))
                    .unzip();
                (PyArray1::from_vec(py, values).into_any(), Some(missing))
            }
            Cells::Name(get) => {
                let numbers = rows.iter().map(|row| get(row).and_then(name_number));
                let (values, missing): (Vec<i8>, Vec<bool>) = numbers
                    .map(|number| (number.unwrap_or(0) as i8, number.is_none()))
                    .unzip();
                (PyArray1::from_vec(py, values).into_any(), Some(missing))
            }
            _ => continue,
        };
        let is_missing = is_missing.map(|missing| PyArray1::from_vec(py, missing));
        all.set_item(column.name, (values, is_missing))?;
    }
    Ok(all)
}

/// The names of the ways in which a run of a tape ends, in the order of their numbers.
#[pyfunction]
pub(crate) fn endings() -> Vec<&'static str> {
    Ended::ALL.iter().map(|ended| ended.name()).collect()
}
