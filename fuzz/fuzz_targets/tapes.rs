//! Any bytes as a tape of any language: every engine keeps within its bounds and
//! agrees with the reference engine, traced or not.
#![no_main]

use broth_fuzz::{Case, by_every_engine_in_short, by_interpreter, by_native_code, by_reference};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let case = Case::read(bytes, 1);
    let (language, max_steps) = (case.language(), case.max_steps());
    if language.tape_len() < case.tapes[0].len() {
        let tape = &case.tapes[0][..language.tape_len()];
        return by_every_engine_in_short(language, tape, max_steps);
    }
    let expected = [by_reference(language, &case.tapes[0], max_steps)];
    by_interpreter(language, true, max_steps, &case.tapes, &expected);
    if let Some(options) = case.native() {
        by_native_code(language, &options, &[max_steps], &case.tapes, &expected);
    }
});
