//! Any text as a program or a pattern: read, or refused with a place; what is
//! read can be written and read again.
#![no_main]

use broth::language::Language;
use broth::soup::pairing::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(pattern) = Pattern::read(64, bytes) {
        let text = pattern.to_text();
        assert_eq!(Pattern::read(64, text.as_bytes()), Ok(pattern));
    }
    let text = String::from_utf8_lossy(bytes);
    for language in Language::ALL {
        match language.parse_program(&text) {
            Ok(program) => {
                let shown = language.program_text(&program);
                assert_eq!(language.parse_program(&shown), Ok(program));
            }
            Err(error) => assert!((1..=text.chars().count()).contains(&error.position)),
        }
        let shown = language.program_text(bytes);
        assert_eq!(language.parse_program(&shown).as_deref(), Ok(bytes));
    }
});
