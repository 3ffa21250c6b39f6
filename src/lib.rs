#![doc = include_str!("../docs/library.md")]

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
pub mod plot;
pub mod random;
pub mod run;
pub mod search;
pub mod soup;
pub mod sweep;

pub use error::Error;
pub use soup::settings::{Meeting, Settings};
pub use soup::{Soup, Tally};
