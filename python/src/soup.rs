//! Soups.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broth::engine::{Engine, Options};
use broth::language::Ended;
use broth::measure::census::Census;
use broth::measure::families::Families;
use broth::measure::fingerprint;
use broth::measure::replicators::Scorer;
use broth::random::Streams;
use broth::run::folder::load::{Beside, load};
use broth::run::folder::settings::{from_flags, of_soup};
use broth::run::folder::sidecar;
use broth::soup::KeptPrograms;
use broth::soup::checkpoint::Checkpoint;
use broth::soup::interaction::Interactions;
use broth::soup::meeting::{Meeting, Pattern};
use broth::{Error, Settings};
use numpy::ndarray::ArrayView2;
use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rayon::ThreadPool;

use crate::convert::{raised, settings, to_python};
use crate::pool::pool;
use crate::runs::{OfRun, soup_of_run};

/// How long epochs go on before Python may have a word: Ctrl-C, other threads.
const STRETCH: Duration = Duration::from_millis(50);

/// A soup that several Python threads may have.
#[pyclass(module = "broth._broth", frozen, subclass)]
pub(crate) struct Soup {
    /// Who holds it waits for the soup. So whoever runs epochs lets others in between.
    turn: Mutex<()>,
    soup: Mutex<broth::Soup>,
    pool: Arc<ThreadPool>,
    /// Of what the soup is, which no epoch changes.
    settings: Settings,
}

/// Keeps the memory of a view alive.
#[pyclass(module = "broth._broth", frozen)]
struct Kept(KeptPrograms);

impl Soup {
    /// A soup that runs on these threads.
    pub(crate) fn of(soup: broth::Soup, pool: Arc<ThreadPool>) -> Soup {
        Soup {
            turn: Mutex::new(()),
            settings: soup.settings().clone(),
            soup: Mutex::new(soup),
            pool,
        }
    }

    fn lock(&self) -> MutexGuard<'_, broth::Soup> {
        let turn = self.turn.lock();
        let soup = self.soup.lock().unwrap_or_else(PoisonError::into_inner);
        drop(turn);
        soup
    }

    /// The programs as they are now, and the epochs done.
    fn now(&self, py: Python<'_>) -> (KeptPrograms, u64) {
        py.detach(|| {
            let soup = self.lock();
            (soup.kept_programs(), soup.epochs_done())
        })
    }

    /// What `look` sees in the programs as they are now, on all threads.
    fn look<T: Send>(&self, py: Python<'_>, look: impl FnOnce(&[u8], u64) -> T + Send) -> T {
        let (programs, epoch) = self.now(py);
        py.detach(|| self.pool.install(|| look(&programs, epoch)))
    }

    /// Run some epochs, for a stretch of time; how many, and what they came to.
    fn some_epochs(&self, most: u64) -> Result<(u64, broth::Tally), Error> {
        let mut soup = self.lock();
        let soup = &mut *soup;
        self.pool.install(|| {
            let start = Instant::now();
            soup.unshare_programs()?;
            let (mut done, mut tally) = (0, broth::Tally::default());
            while done < most && (done == 0 || start.elapsed() < STRETCH) {
                tally = tally + soup.step();
                done += 1;
            }
            Ok((done, tally))
        })
    }
}

/// The soup that these settings describe, or that of a checkpoint.
fn make(
    load_from: Option<&Path>,
    flags: &toml::Table,
    pattern: Option<&[(u32, u32)]>,
) -> Result<broth::Soup, Error> {
    let meeting = |settings: &mut Settings| -> Result<(), Error> {
        if let Some(entries) = pattern {
            let pattern = Pattern::new(settings.num_programs, entries)?;
            settings.meeting = Meeting::Pattern(Arc::new(pattern));
        }
        Ok(())
    };
    let Some(path) = load_from else {
        let (mut settings, plan) = from_flags(flags, Path::new(""))?;
        meeting(&mut settings)?;
        let mut soup = broth::Soup::new(settings)?;
        soup.set_engine(plan.engine, &plan.options);
        return Ok(soup);
    };
    let beside = Beside {
        given: flags,
        overrides: false,
        is_run: pattern.is_none(),
    };
    let mut loaded = load(path, beside)?;
    meeting(&mut loaded.settings)?;
    let has_sidecar = loaded.sidecar.is_some();
    // As the command line: cubff's checkpoints forget the reset.
    let mut soup = broth::Soup::from_checkpoint(loaded.settings, loaded.checkpoint, has_sidecar)?;
    soup.set_engine(loaded.plan.engine, &loaded.plan.options);
    Ok(soup)
}

#[pymethods]
impl Soup {
    #[new]
    #[pyo3(signature = (given, load, threads, pattern, of_run = None))]
    fn new(
        py: Python<'_>,
        given: &Bound<'_, PyDict>,
        load: Option<PathBuf>,
        threads: Option<usize>,
        pattern: Option<Vec<(u32, u32)>>,
        of_run: Option<OfRun<'_>>,
    ) -> PyResult<Soup> {
        let flags = settings(given)?;
        let pool = pool(threads)?;
        if let Some(of_run) = of_run {
            let soup = soup_of_run(py, of_run, &pool)?;
            return Ok(Soup::of(soup, pool));
        }
        let soup = py
            .detach(|| pool.install(|| make(load.as_deref(), &flags, pattern.as_deref())))
            .map_err(raised)?;
        Ok(Soup::of(soup, pool))
    }

    /// Do some epochs; answers with what they came to.
    ///
    /// Other Python threads go on meanwhile. Ctrl-C ends it after an epoch, of which the soup
    /// keeps what is done.
    #[pyo3(signature = (epochs = 1))]
    fn step(&self, py: Python<'_>, epochs: u64) -> PyResult<Tally> {
        let mut total = broth::Tally::default();
        let mut left = epochs;
        while left > 0 {
            let (done, tally) = py.detach(|| self.some_epochs(left)).map_err(raised)?;
            total = total + tally;
            left -= done;
            py.check_signals()?;
        }
        Ok(Tally(total))
    }

    /// Epochs done.
    #[getter]
    fn epoch(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().epochs_done())
    }

    /// The programs as they are now: uint8 of shape (num, program_len), read-only.
    ///
    /// No byte is copied. The array stays as it is: if the soup changes while it is kept, the soup
    /// goes on with a copy of its own, which takes as much memory again. See
    /// :meth:`set_program` and :meth:`write` for changing programs.
    #[getter]
    fn programs<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyArray2<u8>>> {
        let py = slf.py();
        let (programs, _) = slf.get().now(py);
        let settings = &slf.get().settings;
        let shape = (settings.num_programs, settings.language.program_len);
        let kept = Bound::new(py, Kept(programs))?;
        let bytes: &[u8] = &kept.get().0;
        let view = ArrayView2::from_shape(shape, bytes)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        // SAFETY: the array borrows the bytes of `kept`, which never change and which the array
        // keeps alive as its base. It is made read-only before anybody sees it, and NumPy lets
        // nobody make it writeable again, since its base offers no buffer.
        let array = unsafe { PyArray2::borrow_from_array(&view, kept.clone().into_any()) };
        let flags = PyDict::new(py);
        flags.set_item("write", false)?;
        array.call_method("setflags", (), Some(&flags))?;
        Ok(array)
    }

    /// Replace a program by as many bytes; a reset that is due is done before.
    ///
    /// Raises ValueError if there is no such program, or it has another length.
    fn set_program(&self, py: Python<'_>, index: usize, program: &[u8]) -> PyResult<()> {
        py.detach(|| {
            let mut soup = self.lock();
            soup.unshare_programs()?;
            soup.set_program(index, program)
        })
        .map_err(raised)
    }

    /// Replace all programs: uint8 of the shape of :attr:`programs`.
    ///
    /// Raises ValueError if the shape is another one, TypeError if the type is.
    fn write(&self, py: Python<'_>, programs: PyReadonlyArray2<'_, u8>) -> PyResult<()> {
        let array = programs.as_array();
        let language = self.settings.language;
        let shape = [self.settings.num_programs, language.program_len];
        if array.shape() != shape {
            return Err(PyValueError::new_err(format!(
                "programs of shape {:?}: those of this soup have {shape:?}",
                array.shape()
            )));
        }
        let bytes: Vec<u8> = array.iter().copied().collect();
        py.detach(|| {
            let mut soup = self.lock();
            soup.unshare_programs()?;
            soup.edit(|programs| programs.copy_from_slice(&bytes));
            Ok(())
        })
        .map_err(raised)
    }

    /// Entropies of the soup, in bits per byte.
    fn measures(&self, py: Python<'_>) -> Measures {
        Measures(self.look(py, |programs, _| broth::measure::Measures::of(programs)))
    }

    /// The replicator score of each program, 0 to program_len: uint8 of shape (num,).
    ///
    /// It is cubff's; of 64 bytes, cubff counts a score of 5 or more as a replicator, Knierim et
    /// al. one of 48 or more.
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let settings = &self.settings;
        let scores = self.look(py, |programs, epoch| {
            let scorer = Scorer::new(settings.language, Engine::Auto, &Options::default());
            scorer.score_soup(programs, &Streams::new(settings.seed), epoch)
        });
        Ok(PyArray1::from_vec(py, scores.map_err(raised)?))
    }

    /// The commonest programs, or classes of programs, the commonest first.
    #[pyo3(signature = (most = 20, by_class = false))]
    fn census(&self, py: Python<'_>, most: usize, by_class: bool) -> PyResult<Vec<Group>> {
        let language = self.settings.language;
        let census = self
            .look(py, |programs, _| Census::of(language, programs))
            .map_err(raised)?;
        let groups = if by_class {
            census.skeletons
        } else {
            census.programs
        };
        let group = |group: broth::measure::census::Group| Group {
            text: language.program_text(&group.program),
            group,
        };
        Ok(groups.into_iter().take(most).map(group).collect())
    }

    /// A hash of each program's bytes: uint64 of shape (num,).
    fn hashes<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        let language = self.settings.language;
        let hashes = self.look(py, |programs, _| fingerprint::hashes(language, programs));
        PyArray1::from_vec(py, hashes)
    }

    /// A hash of the kinds of each program's bytes: uint64 of shape (num,).
    ///
    /// Programs of one class do the same commands at the same places.
    fn classes<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        let language = self.settings.language;
        let classes = self.look(py, |programs, _| fingerprint::classes(language, programs));
        PyArray1::from_vec(py, classes)
    }

    /// The number of each program's family, the largest 0, or -1: int16 of shape (num,).
    ///
    /// Programs of a family resemble each other more than by chance.
    #[pyo3(signature = (most = 8))]
    fn families<'py>(&self, py: Python<'py>, most: u8) -> Bound<'py, PyArray1<i16>> {
        let language = self.settings.language;
        let found = self.look(py, |programs, _| Families::of(language, programs, most));
        let number = |family: Option<u8>| family.map_or(-1, i16::from);
        let numbers = found.of_program.into_iter().map(number).collect();
        PyArray1::from_vec(py, numbers)
    }

    /// What there is of native code, and what it cost.
    fn native<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tally = py.detach(|| self.lock().runner().cache_tally());
        let all = PyDict::new(py);
        for (name, counts) in [
            ("hot", tally.hot),
            ("compiled", tally.compiled),
            ("live", tally.live),
        ] {
            all.set_item(format!("{name}_programs"), counts.programs)?;
            all.set_item(format!("{name}_loops"), counts.loops)?;
        }
        all.set_item("blacklisted", tally.blacklisted)?;
        all.set_item("freed", tally.freed)?;
        all.set_item("code_bytes", tally.code_bytes)?;
        all.set_item("code_bytes_made", tally.code_bytes_made)?;
        all.set_item("compile_ns", tally.compile_ns)?;
        Ok(all)
    }

    /// The pairs of an epoch, counted from 0: the left and the right program of each in turn,
    /// uint32 of shape (num,), and how many pairs are run. Those behind them are mutated only, for
    /// want of neighbours.
    ///
    /// Raises ValueError in worlds without pairs of 64-byte programs.
    fn pairing<'py>(
        &self,
        py: Python<'py>,
        epoch: u64,
    ) -> PyResult<(Bound<'py, PyArray1<u32>>, usize)> {
        let settings = &self.settings;
        let pairing = py
            .detach(|| Ok(Interactions::new(settings)?.pairing(epoch)))
            .map_err(raised)?;
        let programs = PyArray1::from_vec(py, pairing.programs);
        Ok((programs, pairing.interacting))
    }

    /// Write a checkpoint in cubff's format, and beside it a sidecar with the settings.
    ///
    /// Raises OSError if it cannot be written.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let mut checkpoint = Checkpoint::empty();
            {
                let soup = self.lock();
                let soup = &*soup;
                self.pool.install(|| checkpoint.copy_from(soup));
            }
            sidecar::write(&path, &checkpoint, &of_soup(&self.settings)?)?;
            checkpoint.write(&path)
        })
        .map_err(raised)
    }

    /// What the soup depends on, by the names of the arguments.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, value) in of_soup(&self.settings).map_err(raised)? {
            let value = match (name.as_str(), &value) {
                ("seed", _) => self.settings.seed.into_pyobject(py)?.into_any(),
                (_, value) => to_python(py, value)?,
            };
            all.set_item(name.replace('-', "_"), value)?;
        }
        Ok(all)
    }

    /// Threads that it runs on.
    #[getter]
    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }
}

/// What the bytes of a soup measure.
#[pyclass(module = "broth._broth", frozen)]
pub(crate) struct Measures(broth::measure::Measures);

#[pymethods]
impl Measures {
    /// How often each byte occurs: uint64 of shape (256,).
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        PyArray1::from_slice(py, &self.0.counts)
    }

    /// Shannon entropy of the bytes taken one by one, in bits per byte.
    #[getter]
    fn byte_entropy(&self) -> f64 {
        self.0.byte_entropy
    }

    /// Bytes that brotli makes of the soup (quality 2, window 24).
    #[getter]
    fn brotli_size(&self) -> usize {
        self.0.brotli_size
    }

    /// Brotli's bits per byte.
    #[getter]
    fn brotli_bpb(&self) -> f64 {
        self.0.brotli_bpb
    }

    /// Shannon entropy minus brotli's bits per byte; a single-precision number.
    #[getter]
    fn high_order_entropy(&self) -> f32 {
        self.0.high_order_entropy
    }

    /// Whether high-order entropy is above 3 bits.
    #[getter]
    fn is_alive(&self) -> bool {
        self.0.is_alive()
    }

    fn __repr__(&self) -> String {
        format!(
            "Measures(byte_entropy={:.6}, brotli_bpb={:.6}, high_order_entropy={:.6})",
            self.0.byte_entropy, self.0.brotli_bpb, self.0.high_order_entropy
        )
    }
}

/// What some epochs came to.
#[pyclass(module = "broth._broth", frozen)]
pub(crate) struct Tally(broth::Tally);

#[pymethods]
impl Tally {
    /// Pairs that were run.
    #[getter]
    fn interactions(&self) -> u64 {
        self.0.interactions
    }

    /// Steps other than no-ops.
    #[getter]
    fn ops(&self) -> u64 {
        self.0.ops
    }

    /// Steps.
    #[getter]
    fn steps(&self) -> u64 {
        self.0.steps
    }

    /// How many interactions ended in which way.
    #[getter]
    fn ended<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let ended = PyDict::new(py);
        for (way, count) in Ended::ALL.iter().zip(self.0.ended) {
            ended.set_item(way.name(), count)?;
        }
        Ok(ended)
    }

    /// Ops done by native code, which differ from run to run.
    #[getter]
    fn native_ops(&self) -> u64 {
        self.0.native.ops
    }

    /// Steps done by native code, likewise.
    #[getter]
    fn native_steps(&self) -> u64 {
        self.0.native.steps
    }

    fn __repr__(&self) -> String {
        format!(
            "Tally(interactions={}, ops={}, steps={})",
            self.0.interactions, self.0.ops, self.0.steps
        )
    }
}

/// Programs that are alike.
#[pyclass(module = "broth._broth", frozen)]
pub(crate) struct Group {
    group: broth::measure::census::Group,
    text: String,
}

#[pymethods]
impl Group {
    /// How many there are.
    #[getter]
    fn count(&self) -> u64 {
        self.group.count
    }

    /// The lowest index of one.
    #[getter]
    fn index(&self) -> usize {
        self.group.index
    }

    /// The one of that index.
    #[getter]
    fn program<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.group.program)
    }

    /// How many programs are its mirror image.
    #[getter]
    fn mirrored(&self) -> u64 {
        self.group.mirrored
    }

    /// The same as program text.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!(
            "Group(count={}, index={}, text={:?})",
            self.group.count, self.group.index, self.text
        )
    }
}
