//! Any text as a program of any language: either read, or refused with a position; any bytes as
//! program text, which reads back as those bytes.
#![no_main]

use broth::language::Language;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
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
