//! The Forth family: from units to code.
//!
//! A unit is a loop: the bytes from the target of a jump back to that jump (a [`LoopBody`]). Its
//! function runs it by the rules for as long as none of these bytes changes its meaning, and exits
//! before the first op that it cannot decide.
//!
//! What makes that exact:
//!
//! - **Jumps** are relative and their distance is part of the byte, so their targets are known
//!   wherever the loop lies. A jump out of the loop exits.
//! - **Steps and ops** of a basic block are known, so they are only counted at join points and at
//!   exits. That the steps suffice is checked at every target of a jump back, for the longest path
//!   from there to the next such place: all other jumps go forwards.
//! - **The stack** is checked where a basic block begins: that it has the entries which are popped
//!   there, and room for what is pushed. So no pop finds it empty and no push overflows it. In
//!   between its entries are values; what has changed is written back at join points and at exits.
//! - **Writes** to the loop that change what a byte means exit, and so do those that find a guard
//!   byte.

mod frame;
#[cfg(feature = "jit")]
mod function;
#[cfg(feature = "jit")]
mod ops;
mod shape;
mod unit;

pub(crate) use frame::run;
pub(crate) use unit::{LoopBody, parse};

use super::cache;
use super::unit::Translator;
#[cfg(feature = "jit")]
use super::{emitter::Emitter, unit::Pinned};
use crate::language::forth::Dialect;

/// Translates units of one dialect.
#[derive(Clone, Copy)]
pub(crate) struct Forth {
    dialect: &'static Dialect,
    /// Whether to leave now and then, for others to see whether the run repeats.
    pauses: bool,
}

impl Forth {
    /// For units of `dialect`, which are left now and then where closed forms are used.
    pub(crate) fn new(dialect: &'static Dialect, closed_forms: bool) -> Forth {
        Forth {
            dialect,
            pauses: closed_forms,
        }
    }
}

/// The native code of a soup of the family.
pub(crate) type Cache = cache::Cache<Forth>;

impl Translator for Forth {
    type Unit = LoopBody;
    type Index = unit::Functions;
    type Data = ();

    fn smallest_unit(&self) -> LoopBody {
        LoopBody::shortest(self.dialect)
    }

    /// Always: a trace did not settle it, or it would not have been counted.
    fn pays(&self, _: &LoopBody) -> bool {
        true
    }

    #[cfg(feature = "jit")]
    fn describe(&self, _: &LoopBody) -> Vec<String> {
        Vec::new()
    }

    #[cfg(feature = "jit")]
    fn translate(&self, body: &LoopBody, emitter: Emitter<'_>, _: &mut Pinned<()>) {
        function::translate(self, body, emitter);
    }
}
