//! Measures of a soup: statistics of its bytes and programs, and the columns of tables that they
//! fill.

mod brotli;
pub mod census;
pub mod column;
pub mod columns;
pub mod copying;
mod entropy;
pub mod families;
pub mod fingerprint;
pub mod replicators;
pub mod row;

pub use entropy::{ALIVE, Measures};
