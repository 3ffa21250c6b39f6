//! Pictures of soups, charts of runs, figures of sweeps.

pub mod chart;
pub mod figures;
pub mod picture;
pub mod strip;
