//! A small run, whose files the inputs of `folders` replace.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use broth::engine::Engine;
use broth::language::machine::Z80;
use broth::run::folder::Place;
use broth::run::{Plan, Run};
use broth::soup::meeting::{Grid, Pattern};
use broth::soup::settings::World;
use broth::{Error, Meeting, Settings};

/// What the first byte of an input selects for the others to replace.
pub const FILES: [&str; 7] = [
    "settings.toml",
    "metrics.csv",
    "performance.csv",
    "checkpoints/0000000003.toml",
    "checkpoints/0000000003.dat",
    "interaction-pattern.txt",
    // The same, with a matching sidecar.
    "checkpoints/0000000003.dat",
];

/// The interaction pattern of the run.
pub fn pattern() -> Pattern {
    Pattern::new(16, &[(0, 1), (2, 3), (4, 9)]).unwrap()
}

/// The worlds of the runs, from which the first byte of an input chooses.
pub const WORLDS: usize = 3;

/// Settings of a small soup in world number `world`: pairs by a pattern, the Z80 on a torus, a
/// long tape.
fn settings(world: usize) -> Settings {
    let in_pairs = Settings {
        num_programs: 16,
        max_steps: 64,
        meeting: Meeting::Pattern(pattern().into()),
        initial_program: b"[[{.>]-]".to_vec(),
        reset_interval: Some(2),
        ..Settings::default()
    };
    match world {
        0 => in_pairs,
        1 => Settings {
            language: &Z80,
            meeting: Meeting::Grid(Grid {
                width: 4,
                height: 4,
                radius: 1,
                torus: true,
            }),
            initial_program: vec![0xc5; 32],
            ..in_pairs
        },
        _ => Settings {
            world: World::LongTape { head_offset: 12 },
            meeting: Meeting::Shuffle,
            ..in_pairs
        },
    }
}

/// Make a run of three epochs in world number `world`, with a checkpoint and a log point after
/// each.
pub fn make_run(folder: &Path, world: usize) -> Result<(), Error> {
    let settings = settings(world);
    let plan = Plan {
        max_epochs: 3,
        log_interval: 1,
        checkpoint_interval: 1,
        // The other engines take time for native code, which does not concern a parser.
        engine: Engine::Interpreter,
        ..Plan::default()
    };
    let run = Run::create(settings, plan, &Place::At(folder.to_owned()), None, None)?;
    run.go(&AtomicBool::new(false), &mut ())?;
    // In every world's folder, as a file to be overwritten.
    std::fs::write(folder.join(FILES[5]), pattern().to_text())
        .map_err(|error| Error::Usage(error.to_string()))
}
