//! The BFF family: what a tape is read into, and how it is run.

pub(super) mod loops;
pub(super) mod recurrence;
pub(super) mod script;
pub(super) mod skeleton;
pub mod traced;
pub(super) mod walk;
