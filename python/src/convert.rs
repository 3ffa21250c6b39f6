//! Settings and errors, from Python and back.

use std::path::PathBuf;

use broth::Error;
use broth::language::Language;
use broth::run::folder::settings::{key_of, seed_value};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use toml::{Table, Value};

/// An error as an exception, with the names that arguments have in Python.
pub(crate) fn raised(error: Error) -> PyErr {
    let name = |field: &str| Some(format!("`{}`", key_of(field)?.replace('-', "_")));
    let message = error.naming(name);
    match error {
        Error::System { source, .. } => match source.raw_os_error() {
            // The system's own number makes it a FileNotFoundError and the like.
            Some(number) => PyOSError::new_err((number, message)),
            None => PyOSError::new_err(message),
        },
        Error::Bug(_) | Error::NoNativeCode(_) => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}

/// The settings in `given`, by the names of the command line's flags.
pub(crate) fn settings(given: &Bound<'_, PyDict>) -> PyResult<Table> {
    let mut table = Table::new();
    for (name, value) in given {
        let name: String = name.extract()?;
        table.insert(name.replace('_', "-"), setting(&name, &value)?);
    }
    Ok(table)
}

fn setting(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Value::String(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(value.extract()?));
    }
    // NumPy's integers, too.
    if value.is_instance_of::<PyInt>() || value.hasattr("__index__")? {
        let number: u64 = value.extract().map_err(|_| {
            PyValueError::new_err(format!(
                "`{name}`: choose a whole number from 0 to 2^64 - 1"
            ))
        })?;
        return Ok(seed_value(number));
    }
    if value.hasattr("__float__")? {
        return Ok(Value::Float(value.extract()?));
    }
    let path: PathBuf = value.extract().map_err(|_| {
        PyTypeError::new_err(format!("`{name}`: {} is no setting", value.get_type()))
    })?;
    let text = path.into_os_string().into_string();
    let text = text.map_err(|_| PyValueError::new_err(format!("`{name}`: not a path of text")))?;
    Ok(Value::String(text))
}

/// The language of this name.
pub(crate) fn language(name: &str) -> PyResult<&'static Language> {
    name.parse()
        .map_err(|error: broth::language::UnknownLanguage| PyValueError::new_err(error.to_string()))
}

/// A value as Python has it.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Boolean(is_on) => PyBool::new(py, *is_on).to_owned().into_any(),
        other => other.to_string().into_pyobject(py)?.into_any(),
    })
}
