//! Native code of Forth loops against the reference engine.

use broth::engine::jit::Exit;
use broth::engine::jit::NativeTally;
use broth::engine::{Engine, Options, Runner, reference};
use broth::language::{Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape, forth};

use super::interpreter_forth_subleq::{Numbers, forths, small_soup};
use crate::common::engines::EAGER;

/// A runner that makes every loop native that it comes to.
fn runner(language: &'static Language, closed_forms: bool) -> Runner {
    let options = Options {
        closed_forms,
        jit: EAGER,
    };
    Engine::Jit.runner(language, &options)
}

/// Have the loops of `tapes` compiled: one of each run at a time.
fn warm_up(runner: &mut Runner, tapes: &[Tape]) {
    let mut outcomes = vec![Outcome::default(); tapes.len()];
    for _ in 0..3 {
        runner.run_all(&mut tapes.to_vec(), 8192, &mut outcomes);
        runner.jit_mut().expect("there is native code").settle();
    }
}

/// Run `tapes` for each of these limits, natively where possible, and compare.
#[track_caller]
fn check(
    language: &'static Language,
    runner: &Runner,
    tapes: &[Tape],
    limits: impl Iterator<Item = u32>,
) -> NativeTally {
    let mut tally = NativeTally::default();
    let mut outcomes = vec![Outcome::default(); tapes.len()];
    for max_steps in limits {
        let mut tapes_then = tapes.to_vec();
        tally = tally + runner.run_all(&mut tapes_then, max_steps, &mut outcomes);
        for ((before, then), outcome) in tapes.iter().zip(&tapes_then).zip(&outcomes) {
            let mut expected_tape = *before;
            let expected = reference::run(language, &mut expected_tape, max_steps);
            assert!(
                *outcome == expected && *then == expected_tape,
                "{language}, {max_steps} steps, {}\nreference {expected:?}\n{}\n\
                 native    {outcome:?}\n{}",
                language.program_text(before),
                language.program_text(&expected_tape),
                language.program_text(then),
            );
        }
    }
    tally
}

/// Step limits that end runs in, at the end of and between iterations.
fn limits() -> impl Iterator<Item = u32> {
    (0..300).chain([1000, 4095, 8191, 8192])
}

/// Compile and check `tapes`, with closed forms and without.
#[track_caller]
fn check_all(language: &'static Language, tapes: &[Tape]) -> [NativeTally; 2] {
    [false, true].map(|closed_forms| {
        let mut runner = runner(language, closed_forms);
        for tapes in tapes.chunks(32) {
            warm_up(&mut runner, tapes);
        }
        let mut tally = NativeTally::default();
        for tapes in tapes.chunks(32) {
            tally = tally + check(language, &runner, tapes, limits());
        }
        tally
    })
}

impl Numbers {
    /// A byte that makes loops likely.
    pub(super) fn byte_of_a_loop(&mut self) -> u8 {
        match self.below(9) {
            0 => 0xc0 + self.below(12) as u8,
            1 => 0x80 + self.below(4) as u8,
            2 | 3 => 0x40 + self.below(64) as u8,
            4 => [0x20, 0x3f, 0x13][self.below(3)],
            _ => self.below(14) as u8,
        }
    }

    /// A tape with a loop somewhere, which a run comes to with some entries on its
    /// stack.
    pub(super) fn tape_around_a_loop(&mut self) -> Tape {
        let mut tape: Tape = match self.below(4) {
            0 => [self.byte(); TAPE_LEN],
            // Guards.
            1 => [0x13; TAPE_LEN],
            _ => std::array::from_fn(|_| self.byte()),
        };
        let body = 1 + self.below(20);
        let pushes = self.below(10);
        let first = pushes + 2 + self.below(TAPE_LEN - body - pushes - 2);
        for byte in &mut tape[..pushes] {
            *byte = 0x40 + self.below(64) as u8;
        }
        // Jump ahead to it, as far as one jump goes and then another.
        let ahead = first - pushes;
        tape[pushes] = 0x80 + (ahead.min(64) - 1) as u8;
        if ahead > 64 {
            tape[pushes + 64] = 0x80 + (ahead - 65) as u8;
        }
        for byte in &mut tape[first..first + body] {
            *byte = match self.below(10) {
                0 | 1 => 0x40 + self.below(64) as u8,
                2 => 0x80 + self.below(4) as u8,
                3 => 0x13,
                4 => 0x07,
                5 => 0x04,
                _ => self.below(14) as u8,
            };
        }
        tape[(first + body).min(TAPE_LEN - 1)] = 0xc0 + (body - 1) as u8;
        tape
    }
}

/// Check tapes in every language, which are to leave native code in every way;
/// without closed forms and with.
fn tapes_of_loops(seed: u64, make: impl Fn(&mut Numbers) -> Tape) -> [NativeTally; 2] {
    let mut sum = [NativeTally::default(); 2];
    for (number, language) in forths().enumerate() {
        let mut numbers = Numbers((seed << 32) + ((number as u64) << 24));
        let tapes: Vec<Tape> = (0..160).map(|_| make(&mut numbers)).collect();
        for (sum, tally) in sum.iter_mut().zip(check_all(language, &tapes)) {
            *sum = *sum + tally;
        }
    }
    // The tapes are worth the test.
    let [plain, closed] = &sum;
    assert!(plain.entered.loops > 100_000, "{plain:?}");
    assert!(plain.iterations > 1_000_000, "{plain:?}");
    // Most loops are settled by a trace.
    assert!(closed.entered.loops > 10_000, "{closed:?}");
    assert!(closed.iterations > 5000, "{closed:?}");
    for exit in [Exit::End, Exit::OutOfSteps, Exit::Stack, Exit::Rewritten] {
        let count = plain.exits[exit as usize];
        assert!(count > 500, "{}: {plain:?}", exit.name());
    }
    for exit in [Exit::End, Exit::OutOfSteps, Exit::Stack, Exit::Pause] {
        let count = closed.exits[exit as usize];
        assert!(count > 10, "{}: {closed:?}", exit.name());
    }
    // Pauses are there to look for cycles.
    assert_eq!(plain.exits[Exit::Pause as usize], 0, "{plain:?}");
    sum
}

#[test]
fn tapes_dense_in_loops() {
    tapes_of_loops(1, |numbers| {
        std::array::from_fn(|_| numbers.byte_of_a_loop())
    });
}

#[test]
fn tapes_grown_around_loops() {
    for tally in tapes_of_loops(2, Numbers::tape_around_a_loop) {
        assert!(tally.exits[Exit::Guard as usize] > 50, "{tally:?}");
    }
}

/// Loops that chance hardly finds.
#[test]
fn loops_of_every_kind() {
    for language in forths() {
        let write = if language == &forth::FORTHCOPY { 1 } else { 2 };
        let mut starts: Vec<Vec<u8>> = vec![
            // No-ops count as steps only.
            vec![0x3f, 0xc0],
            vec![0x3f, 0x3f, 0x80, 0xc2],
            // Push until the stack is full.
            vec![0x41, 0xc0],
            vec![0x41, 0x42, 0x43, 0x05, 0x05, 0xc4],
            vec![0x41, 0x42, 0x06, 0x04, 0xc1],
            // On an empty stack, and on one that gets empty.
            vec![0x05, 0xc0],
            vec![0x04, 0xc0],
            vec![0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x05, 0xc0],
            vec![0x41, 0x42, 0x43, 0x0a, 0xc0],
            // Count down, and leave; skip the jump, and skip to it.
            vec![0x7f, 0x09, 0x07, 0x80, 0xc2],
            vec![0x7f, 0x09, 0x07, 0xc1, 0xc2, 0xc3],
            // A loop in a loop; two that overlap.
            vec![
                0x43, 0x46, 0x09, 0x07, 0x80, 0xc2, 0x05, 0x09, 0x07, 0x80, 0xc8,
            ],
            vec![0x7f, 0x09, 0x07, 0xc2, 0x06, 0x06, 0xc3],
            // Copy with a counter.
            vec![0x40, 0x04, 0x0c, 0x08, 0xc2],
            vec![0x40, 0x04, 0x0d, 0x09, 0xc2],
            vec![0x40, 0x04, 0x04, 0x00, write, 0x08, 0x07, 0x80, 0xc6],
        ];
        // Add one to a byte for ever: to one that is not run, to each byte of the loop,
        // its jump among them, and to the one behind it.
        for at in 0x40..0x48 {
            starts.push(vec![at, at, 0x00, 0x08, write, 0xc4]);
            starts.push(vec![at, at, 0x00, 0x09, write, 0xc4, 0xc5]);
            starts.push(vec![at, at, 0x00, 0x08, write, 0x3f, 0x20, 0xc6]);
        }
        let mut tapes = Vec::new();
        for start in &starts {
            for first in [0, 60, TAPE_LEN - start.len()] {
                let mut tape = [0x3f; TAPE_LEN];
                tape[first..first + start.len()].copy_from_slice(start);
                tapes.push(tape);
            }
        }
        let [plain, _] = check_all(language, &tapes);
        assert!(plain.entered.loops > 10_000, "{language}: {plain:?}");
    }
}

/// The longest loop, wherever it may lie.
#[test]
fn the_longest_loop() {
    for language in forths() {
        let tapes: Vec<Tape> = (0..PROGRAM_LEN)
            .map(|first| {
                let mut tape = [0x3f; TAPE_LEN];
                tape[first] = 0x41;
                tape[first + 9] = 0x05;
                tape[first + PROGRAM_LEN] = 0xff;
                tape
            })
            .collect();
        let [plain, _] = check_all(language, &tapes);
        assert!(plain.entered.loops > 1000, "{language}: {plain:?}");
    }
}

#[test]
fn tapes_of_soups() {
    for language in forths() {
        let mut soup = small_soup(language);
        for _ in 0..64 {
            soup.step();
        }
        let (tapes, _) = soup.programs().as_chunks::<TAPE_LEN>();
        check_all(language, &tapes[..64]);
    }
}

/// One runner that compiles as it goes, and is told of epochs, as a soup does.
#[test]
fn compiling_meanwhile() {
    for language in forths() {
        let mut runner = runner(language, false);
        let mut numbers = Numbers(7 << 32);
        let mut tally = NativeTally::default();
        let tapes: Vec<Tape> = (0..64).map(|_| numbers.tape_around_a_loop()).collect();
        for _ in 0..100 {
            tally = tally + check(language, &runner, &tapes, [300].into_iter());
            runner.safepoint(std::time::Duration::from_millis(1));
        }
        assert!(tally.looked_up.loops > 100, "{language}: {tally:?}");
    }
}
