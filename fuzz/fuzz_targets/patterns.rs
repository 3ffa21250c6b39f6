//! Any bytes as the file of an interaction pattern: either refused, or read, written and read
//! again; then a soup that uses it runs for some epochs.
#![no_main]

use std::sync::Arc;

use broth::engine::{Engine, Options};
use broth::soup::meeting::Pattern;
use broth::{Meeting, Settings, Soup};
use libfuzzer_sys::fuzz_target;

const NUM_PROGRAMS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let Ok(pattern) = Pattern::read(NUM_PROGRAMS, bytes) else {
        return;
    };
    let text = pattern.to_text();
    let again = Pattern::read(NUM_PROGRAMS, text.as_bytes());
    assert_eq!(again.as_ref(), Ok(&pattern));
    let settings = Settings {
        num_programs: NUM_PROGRAMS,
        max_steps: 64,
        meeting: Meeting::Pattern(Arc::new(pattern)),
        ..Settings::default()
    };
    let mut soup = Soup::new(settings).unwrap();
    soup.set_engine(Engine::Reference, &Options::default());
    for _ in 0..2 {
        // No program is in two pairs of an epoch.
        assert!(soup.step().interactions <= NUM_PROGRAMS as u64 / 2);
    }
});
