//! The BFF family: how a tape is decoded, and how it is run.
//!
//! A tape is decoded into a script (`script.rs`), which the interpreter (`walk/`) follows from
//! event to event, an event being a write or a bracket. Loops without brackets inside are decoded
//! from the script and run by closed forms (`loops/`); runs that come back to a state skip whole
//! periods (`recurrence.rs`). Hot code is native (`crate::engine::jit`), keyed by what the tape
//! means (`skeleton.rs`). `traced.rs` is another engine, which tracks where each byte came from.

pub(super) mod loops;
pub(super) mod recurrence;
pub(super) mod registers;
pub(super) mod script;
pub(super) mod skeleton;
pub mod traced;
pub(super) mod walk;
