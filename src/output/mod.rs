//! What a run leaves on disk: its folder, settings, logs and pictures.

pub mod chart;
pub mod csv;
pub mod files;
pub mod folder;
pub mod performance;
pub mod picture;
pub mod settings_file;
pub mod sidecar;
pub mod strip;
