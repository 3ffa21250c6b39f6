//! Single tapes, and program text.

use broth::engine::{Engine, Options, reference};
use broth::language::{Language, Outcome};
use broth::measure::replicators::{Partners, Scorer};
use broth::random::Streams;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{language, raised};

/// The names of all languages.
#[pyfunction]
pub(crate) fn languages() -> Vec<&'static str> {
    Language::every().map(|language| language.name).collect()
}

/// Program text of some bytes, which :func:`parse` reads back.
///
/// Raises ValueError if the language is not known.
#[pyfunction]
pub(crate) fn text(program: &[u8], lang: &str) -> PyResult<String> {
    Ok(language(lang)?.program_text(program))
}

/// The bytes of a program text.
///
/// BFF family: the ten commands, ``0`` for null, a space for a no-op and ``\xHH`` for any byte.
/// Other families: pairs of hex digits. Raises ValueError if it is no program text.
#[pyfunction]
pub(crate) fn parse<'py>(py: Python<'py>, text: &str, lang: &str) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = language(lang)?.parse_program(text);
    bytes
        .map(|bytes| PyBytes::new(py, &bytes))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The steps of a run, field by field.
#[derive(Default)]
struct Trace {
    pc: Vec<u16>,
    marks: Vec<[i16; 3]>,
    tape: Vec<u8>,
    stack_len: Vec<u8>,
    stack: Vec<u8>,
    note: Vec<String>,
}

/// Bytes of the stack.
const STACK: usize = broth::language::forth::STACK_LEN;

/// The tape in the end, ops, steps, why it ended, and the trace: pc, marks, tapes, stack depths,
/// stacks, notes.
type Executed<'py> = (
    Bound<'py, PyArray1<u8>>,
    u32,
    u32,
    &'static str,
    Option<TraceColumns<'py>>,
);

type TraceColumns<'py> = (
    Bound<'py, PyArray1<u16>>,
    Bound<'py, PyArray2<i16>>,
    Bound<'py, PyArray2<u8>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray2<u8>>,
    Vec<String>,
);

/// Run a tape, which is at most as long as two programs; zeros follow it.
#[pyfunction]
#[pyo3(signature = (tape, lang, max_steps, engine, trace))]
pub(crate) fn execute<'py>(
    py: Python<'py>,
    tape: &[u8],
    lang: &str,
    max_steps: Option<u32>,
    engine: &str,
    trace: bool,
) -> PyResult<Executed<'py>> {
    let language = language(lang)?;
    let tape_len = language.tape_len();
    if tape.len() > tape_len {
        return Err(PyValueError::new_err(format!(
            "a tape of {} bytes: those of {lang} have at most {tape_len}",
            tape.len()
        )));
    }
    let engine: Engine = engine
        .parse()
        .map_err(|error: broth::engine::UnknownEngine| PyValueError::new_err(error.to_string()))?;
    let mut bytes = tape.to_vec();
    bytes.resize(tape_len, 0);
    let max_steps = max_steps.unwrap_or(language.max_steps);
    let (outcome, trace) = py
        .detach(|| run(language, &mut bytes, max_steps, (engine, trace)))
        .map_err(raised)?;
    let trace = trace
        .map(|trace| columns(py, trace, tape_len))
        .transpose()?;
    let tape = PyArray1::from_vec(py, bytes);
    let ended = outcome.ended.name();
    Ok((tape, outcome.ops, outcome.steps, ended, trace))
}

fn run(
    language: &'static Language,
    tape: &mut [u8],
    max_steps: u32,
    (engine, is_traced): (Engine, bool),
) -> Result<(Outcome, Option<Trace>), broth::Error> {
    if !is_traced {
        let runner = engine.runner(language, &Options::default());
        let mut outcomes = [Outcome::default()];
        runner.run_bytes(tape, max_steps, &mut outcomes)?;
        return Ok((outcomes[0], None));
    }
    let mut trace = Trace::default();
    let outcome = reference::trace_bytes(language, tape, max_steps, |tape, view| {
        trace.pc.push(view.pc as u16);
        let mark = |mark: Option<usize>| mark.map_or(-1, |place| place as i16);
        trace.marks.push(view.marks.map(mark));
        trace.tape.extend_from_slice(tape);
        trace.stack_len.push(view.stack.len() as u8);
        trace.stack.extend_from_slice(view.stack);
        trace.stack.resize(STACK * trace.pc.len(), 0);
        trace.note.push(view.note);
    })?;
    Ok((outcome, Some(trace)))
}

fn columns<'py>(py: Python<'py>, trace: Trace, tape_len: usize) -> PyResult<TraceColumns<'py>> {
    let steps = trace.pc.len();
    let marks = PyArray1::from_vec(py, trace.marks.into_flattened());
    Ok((
        PyArray1::from_vec(py, trace.pc),
        marks.reshape([steps, 3])?,
        PyArray1::from_vec(py, trace.tape).reshape([steps, tape_len])?,
        PyArray1::from_vec(py, trace.stack_len),
        PyArray1::from_vec(py, trace.stack).reshape([steps, STACK])?,
        trace.note,
    ))
}

/// The replicator score of a program, 0 to program_len, as that of a soup of one with this seed
/// after `epoch` (from 0). Zeros follow a shorter program.
///
/// Raises ValueError if the program is too long.
#[pyfunction]
#[pyo3(signature = (program, lang, *, epoch = 0, seed = 0))]
pub(crate) fn score(program: &[u8], lang: &str, epoch: u64, seed: u64) -> PyResult<u8> {
    let language = language(lang)?;
    let mut whole = program.to_vec();
    whole.resize(language.program_len.max(program.len()), 0);
    let partners = Partners::of(language, &Streams::new(seed), 1, epoch, 0);
    let scorer = Scorer::new(language, Engine::Auto, &Options::default());
    let agreement = scorer.agreement(&whole, &partners).map_err(raised)?;
    Ok(agreement.score())
}
