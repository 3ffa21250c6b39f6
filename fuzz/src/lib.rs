//! Code that the fuzz targets share: tapes as bytes of a fuzzer's input, their comparison with the
//! reference engine, and mutations towards what is hard for engines.

mod case;
mod check;
mod folder;
mod mutate;

pub use case::Case;
pub use check::{by_every_engine_in_short, by_interpreter, by_native_code, by_reference};
pub use folder::{FILES, WORLDS, make_run, pattern};
pub use mutate::{MOST_TAPES, mutate};
