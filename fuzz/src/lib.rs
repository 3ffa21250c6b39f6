//! What the fuzz targets share: tapes as bytes of a fuzzer's input, how they are
//! held to the reference engine, and how they are changed with an eye to what
//! engines find hard.

mod case;
mod check;
mod folder;
mod mutate;

pub use case::Case;
pub use check::{by_every_engine_in_short, by_interpreter, by_native_code, by_reference};
pub use folder::{FILES, WORLDS, make_run, pattern};
pub use mutate::{MOST_TAPES, mutate};
