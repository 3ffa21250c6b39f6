//! The Forth family: steps, and traces of loops.

pub(super) mod steps;
pub(super) mod trace;
