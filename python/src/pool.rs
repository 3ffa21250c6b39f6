//! The threads that soups run on.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyResult;
use pyo3::exceptions::PyValueError;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool that soups share, and the process that it belongs to: threads do not survive a fork.
static SHARED: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// The pool that soups share, of as many threads as there are cores; or one of so many threads.
pub(crate) fn pool(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    if threads.is_some() {
        return build(threads);
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    match shared.take() {
        Some((of, pool)) if of == process => {
            *shared = Some((of, pool.clone()));
            Ok(pool)
        }
        gone => {
            // Dropping it would wait for threads that are not there.
            std::mem::forget(gone);
            let pool = build(None)?;
            *shared = Some((process, pool.clone()));
            Ok(pool)
        }
    }
}

fn build(threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    if threads == Some(0) {
        return Err(PyValueError::new_err("`threads` 0: choose 1 or more"));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(cores))
        .build()
        .map(Arc::new)
        .map_err(|error| PyValueError::new_err(format!("cannot start threads: {error}")))
}
