//! A small run, whose files are what inputs of `folders` take the place of.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use broth::engine::Engine;
use broth::output::folder::Place;
use broth::run::{Plan, Run};
use broth::soup::pairing::Pattern;
use broth::{Error, Meeting, Settings};

/// What the first byte of an input says the others stand for.
pub const FILES: [&str; 7] = [
    "settings.toml",
    "metrics.csv",
    "performance.csv",
    "checkpoints/0000000003.toml",
    "checkpoints/0000000003.dat",
    "interaction-pattern.txt",
    // The same, beside a sidecar that fits it.
    "checkpoints/0000000003.dat",
];

/// Who meets whom in the run.
pub fn pattern() -> Pattern {
    Pattern::new(16, &[(0, 1), (2, 3), (4, 9)])
}

/// Make a run of three epochs, with a checkpoint and a log point after each.
pub fn make_run(folder: &Path) -> Result<(), Error> {
    let settings = Settings {
        num_programs: 16,
        max_steps: 64,
        meeting: Meeting::Pattern(pattern().into()),
        initial_program: b"[[{.>]-]".to_vec(),
        reset_interval: Some(2),
        ..Settings::default()
    };
    let plan = Plan {
        max_epochs: 3,
        log_interval: 1,
        checkpoint_interval: 1,
        // The others take time for native code, which is none of a parser's business.
        engine: Engine::Interpreter,
        ..Plan::default()
    };
    let run = Run::create(settings, plan, &Place::At(folder.to_owned()), None)?;
    run.go(&AtomicBool::new(false), &mut |_| ()).map(|_| ())
}
