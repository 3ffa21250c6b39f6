//! Every engine against the reference engine.

mod clumsy_loops;
#[cfg(target_os = "linux")]
mod guard_pages;
mod interpreter;
mod interpreter_corners;
mod interpreter_forth_subleq;
mod jit_clif;
mod jit_forth;
mod jit_plain_loops;
mod jit_self_modification;
mod jit_soups;
mod traced;
