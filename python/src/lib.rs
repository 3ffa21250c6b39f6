//! What the Python package `broth` is built on; `broth/_broth.pyi` describes it.

// The command line, which the package has too, is that of the program.
#[path = "../../src/cli/mod.rs"]
mod cli;
mod convert;
mod exec;
mod pool;
mod runs;
mod soup;

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

/// Do what the command line `words` says; answers with its exit code.
#[pyfunction]
fn command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    let code = py.detach(|| cli::main(words.into_iter()));
    (0..=u8::MAX)
        .find(|number| ExitCode::from(*number) == code)
        .unwrap_or(1)
}

#[pymodule]
fn _broth(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command, module)?)?;
    module.add_function(wrap_pyfunction!(exec::execute, module)?)?;
    module.add_function(wrap_pyfunction!(exec::languages, module)?)?;
    module.add_function(wrap_pyfunction!(exec::text, module)?)?;
    module.add_function(wrap_pyfunction!(exec::parse, module)?)?;
    module.add_function(wrap_pyfunction!(exec::score, module)?)?;
    module.add_function(wrap_pyfunction!(runs::run_settings, module)?)?;
    module.add_function(wrap_pyfunction!(runs::run_epochs, module)?)?;
    module.add_function(wrap_pyfunction!(runs::endings, module)?)?;
    module.add_class::<runs::Run>()?;
    module.add_class::<runs::Events>()?;
    module.add_class::<soup::Soup>()?;
    module.add_class::<soup::Measures>()?;
    module.add_class::<soup::Tally>()?;
    module.add_class::<soup::Group>()?;
    Ok(())
}
