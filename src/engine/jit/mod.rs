//! Native code: units of the soup's programs that come up again and again, translated by Cranelift
//! and cached by what they mean.
//!
//! The interpreter runs every tape. Where it comes to a unit that is native, it calls the native
//! code and continues where that exits. Native code does exactly what the rules say: `bff/` and
//! `forth/` explain why. docs/jit.md has the whole design.
//!
//! - `unit`: what a unit is, and the trait of what translates a family's units;
//! - `cache`, `table`, `hotness`, `thresholds`, `tiers`: what is hot, what is native, tier
//!   selection;
//! - `compiler`: Cranelift, and the thread that compiles;
//! - `emitter`, `frame`, `exit`: what the functions of every family have in common;
//! - `bff/`, `forth/`: from a family's units to code;
//! - `families`: a cache of either family, as the rest of the program sees it.

pub(crate) mod bff;
mod cache;
#[cfg_attr(not(feature = "jit"), path = "no_compiler.rs")]
mod compiler;
#[cfg(feature = "jit")]
mod emitter;
mod exit;
mod families;
pub(crate) mod forth;
mod frame;
mod hotness;
mod table;
mod tally;
mod thresholds;
mod tiers;
mod unit;

pub use crate::error::NoNativeCode;
pub use exit::Exit;
pub use families::{Jit, NotAUnit, Unit};
pub(crate) use table::Native;
pub use tally::{CacheTally, Counts, NativeTally};
pub use thresholds::Thresholds;
pub use tiers::Tier;
pub use unit::EntryKind;

/// What sizes of the code cache are given in.
pub const MIB: usize = 1 << 20;

/// A unit, compiled, for people to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct Listing {
    /// Cranelift's intermediate representation, before it is optimised.
    pub ir: String,
    /// The same after that.
    pub optimised_ir: String,
    /// Machine code, as Cranelift writes it.
    pub machine_code: String,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// What the interpreter knows of the loops in it that have no brackets inside: their form, what
    /// an iteration comes to, and what of it is dropped.
    pub loops: Vec<String>,
}

/// How native code is made and kept. None of it changes a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What counts as hot.
    pub thresholds: Thresholds,
    /// The least native code that is looked for, and more where trials show that it
    /// pays.
    pub least: Tier,
    /// Bytes of machine code that are kept.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            thresholds: Thresholds::default(),
            least: Tier::Interpreter,
            cache_bytes: 64 * MIB,
        }
    }
}
