//! Any bytes as a tape of any language: every engine keeps within its bounds
//! and agrees with the reference engine, traced or not.
#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;

use broth::engine::{Engine, Options, Runner, interpreter, jit, reference};
use broth::language::{Ended, Language, TAPE_LEN, Tape};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

/// Pieces of native code beyond which a language's are made anew.
const MOST_PIECES: u64 = 2000;

thread_local! {
    /// The runners of each language, with native code of what has come up so far.
    static RUNNERS: RefCell<HashMap<&'static str, Vec<Runner>>> = RefCell::default();
}

/// With closed forms and without; whatever comes up once is compiled.
fn native_runners(language: &'static Language) -> Vec<Runner> {
    let runner = |closed_forms, program_threshold| {
        let jit = jit::Options {
            sample: 1,
            loop_threshold: 1,
            program_threshold,
            patience: 0,
            least: jit::Way::Everything,
            cache_bytes: 64 << 20,
        };
        Engine::Jit.runner(language, &Options { closed_forms, jit })
    };
    // Where programs are native, loops are hardly ever looked for.
    vec![runner(true, 1), runner(true, u32::MAX), runner(false, 1)]
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    language: u8,
    max_steps: u16,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let language = Language::ALL[input.language as usize % Language::ALL.len()];
    let max_steps = u32::from(input.max_steps) % 8193;
    let mut first: Tape = [0; TAPE_LEN];
    for (byte, given) in first.iter_mut().zip(input.bytes) {
        *byte = *given;
    }

    let mut tape = first;
    let outcome = reference::run(language, &mut tape, max_steps);
    assert!(outcome.ops <= outcome.steps && outcome.steps <= max_steps);
    assert!(outcome.steps == max_steps || outcome.ended != Ended::StepLimit);

    let mut traced = first;
    let mut seen = 0;
    let again = reference::trace(language, &mut traced, max_steps, |_, view| {
        seen += 1;
        assert!(view.pc < TAPE_LEN && view.stack.len() <= 128);
        assert!(view.marks.into_iter().flatten().all(|mark| mark < TAPE_LEN));
    });
    assert_eq!((again, traced, seen), (outcome, tape, outcome.steps));

    let check = |name: &str, runner: &Runner| {
        let mut other = first;
        assert_eq!(runner.run(&mut other, max_steps), outcome, "{name}");
        assert_eq!(other, tape, "{name}");
    };
    for (name, runner) in interpreter::every_width(language, &Options::default()) {
        check(name, &runner);
    }
    // Compiling takes longer than all the rest: of a quarter of the tapes.
    if input.language < 192 {
        return;
    }
    RUNNERS.with_borrow_mut(|runners| {
        let runners = runners.entry(language.name);
        let runners = runners.or_insert_with(|| native_runners(language));
        for runner in runners.iter_mut() {
            check("as it comes", runner);
            if let Some(jit) = runner.jit_mut() {
                jit.settle();
                check("by native code", runner);
            }
        }
        let is_full = |runner: &Runner| {
            let live = runner.cache_tally().live;
            live.programs + live.loops > MOST_PIECES
        };
        if runners.iter().any(is_full) {
            *runners = native_runners(language);
        }
    });
});
