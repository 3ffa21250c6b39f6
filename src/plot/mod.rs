//! Pictures of soups, charts of runs, figures of sweeps.

mod axis;
pub mod chart;
pub mod figures;
pub mod picture;
pub mod series;
pub mod strip;
