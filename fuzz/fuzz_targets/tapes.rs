//! Any bytes as a tape of any language: every engine keeps within its bounds
//! and agrees with the reference engine, traced or not.
#![no_main]

use broth::engine::{Engine, interpreter, reference};
use broth::language::{Ended, Language, TAPE_LEN, Tape};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

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

    let engines = Engine::ALL
        .into_iter()
        .map(|engine| (engine.name(), engine.runner(language)));
    for (name, runner) in engines.chain(interpreter::every_width(language)) {
        let mut other = first;
        assert_eq!(runner.run(&mut other, max_steps), outcome, "{name}");
        assert_eq!(other, tape, "{name}");
    }
});
