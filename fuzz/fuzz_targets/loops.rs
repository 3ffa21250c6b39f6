//! Tapes mutated with loops, copies, self-modification, heads about to wrap and limits that end
//! right here: several at a time by every engine, so that the native code of one tape is used by
//! the others, with all ways to compile and keep it.
#![no_main]

use broth_fuzz::{Case, MOST_TAPES, by_interpreter, by_native_code, by_reference, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    let case = Case::read(bytes, MOST_TAPES);
    let (language, max_steps) = (case.language(), case.max_steps());
    // The requested limit, and two smaller ones.
    let limits = [max_steps, max_steps.saturating_sub(1), max_steps / 2];
    let mut expected = Vec::new();
    for limit in limits {
        let here = expected.len();
        let runs = case
            .tapes
            .iter()
            .map(|tape| by_reference(language, tape, limit));
        expected.extend(runs);
        let closed_forms = limit != max_steps / 2;
        by_interpreter(
            language,
            closed_forms,
            limit,
            &case.tapes,
            &expected[here..],
        );
    }
    if let Some(options) = case.native() {
        by_native_code(language, &options, &limits, &case.tapes, &expected);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 8 == 0 {
        fuzzer_mutate(data, size, max_size)
    } else {
        mutate(data, size, max_size, seed)
    }
});
