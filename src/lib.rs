#![doc = include_str!("../docs/library.md")]
// Tests may print.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[cfg(feature = "run")]
pub mod bench;
pub mod engine;
pub mod error;
pub mod examples;
pub mod files;
pub mod format;
#[cfg(all(test, target_os = "linux"))]
#[path = "../tests/common/guard.rs"]
mod guard;
pub mod language;
pub mod measure;
mod memory;
#[cfg(feature = "plot")]
pub mod plot;
pub mod proof;
pub mod random;
#[cfg(feature = "run")]
pub mod run;
pub mod search;
pub mod soup;
#[cfg(feature = "run")]
pub mod sweep;
#[cfg(feature = "run")]
pub mod verify;
#[cfg(feature = "view")]
pub mod view;

pub use error::Error;
pub use soup::settings::{Meeting, Settings};
pub use soup::{Soup, Tally};
