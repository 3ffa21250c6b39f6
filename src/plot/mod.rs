//! Pictures of soups, charts of runs, figures of sweeps.

mod axis;
mod canvas;
pub mod chart;
pub mod figures;
pub mod format;
pub mod picture;
pub mod series;
pub mod strip;
pub mod theme;
