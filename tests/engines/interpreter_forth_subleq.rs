//! The interpreter against the reference engine: the Forth and subleq families.

use broth::engine::{Engine, Options, every_width, reference};
use broth::language::{
    Ended, Family, Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape, forth, subleq,
};
use broth::random::mix;
use broth::{Settings, Soup};

use crate::common::engines::check;

/// Every language of the Forth and subleq families.
fn languages() -> impl Iterator<Item = &'static Language> {
    let is_bff = |language: &&Language| matches!(language.family, Family::Bff(_));
    Language::ALL
        .into_iter()
        .filter(move |language| !is_bff(language))
}

/// Every language of the Forth family.
pub(super) fn forths() -> impl Iterator<Item = &'static Language> {
    languages().filter(|language| matches!(language.family, Family::Forth(_)))
}

/// A small soup with many mutations.
pub(super) fn small_soup(language: &'static Language) -> Soup {
    Soup::new(Settings {
        language,
        num_programs: 512,
        mutation_prob: 0.01,
        ..Settings::default()
    })
    .unwrap()
}

/// A stream of numbers.
pub(super) struct Numbers(pub u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 += 1;
        (mix(self.0) % end as u64) as usize
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn max_steps(&mut self) -> u32 {
        const USUAL: [u32; 12] = [0, 1, 2, 7, 15, 16, 17, 31, 33, 257, 8191, 8192];
        match self.below(4) {
            0 => USUAL[self.below(USUAL.len())],
            1 => self.below(200) as u32,
            2 => self.below(3000) as u32,
            _ => self.below(20_000) as u32,
        }
    }

    /// A byte that makes loops likely.
    pub(super) fn loopy_byte(&mut self, language: &Language) -> u8 {
        match language.family {
            Family::Forth(_) => match self.below(8) {
                0 => 0xc0 + self.below(12) as u8,
                1 => 0x80 + self.below(4) as u8,
                2 => 0x40 + self.below(20) as u8,
                3 => 0x20,
                4 => 0x13,
                _ => self.below(14) as u8,
            },
            Family::RelativeSubleq(_) => match self.below(4) {
                0 => self.below(12) as u8,
                1 => 0xff - self.below(12) as u8,
                2 => 0,
                _ => self.byte(),
            },
            _ => match self.below(3) {
                0 => 3 * self.below(6) as u8,
                1 => self.below(20) as u8,
                _ => self.byte(),
            },
        }
    }
}

/// A limit of no steps leaves everything as it is, and of few steps, what these do: of one tape
/// and of many at once, which take turns.
#[test]
fn hardly_any_steps() {
    let mut numbers = Numbers(77);
    for language in Language::ALL {
        let tapes: [Tape; 40] = std::array::from_fn(|_| std::array::from_fn(|_| numbers.byte()));
        for max_steps in 0..4 {
            let expected = tapes.map(|tape| check(language, &tape, max_steps));
            for (width, runner) in every_width(language, &Options::default()) {
                let mut tapes = tapes;
                let mut outcomes = [Outcome::default(); 40];
                runner.run_all(&mut tapes, max_steps, &mut outcomes);
                assert_eq!(outcomes, expected, "{language}, {width}, {max_steps}");
            }
        }
    }
}

#[test]
fn tapes_of_any_bytes() {
    let mut numbers = Numbers(1 << 32);
    for language in languages() {
        for _ in 0..5000 {
            let tape = std::array::from_fn(|_| numbers.byte());
            check(language, &tape, numbers.max_steps());
        }
    }
}

#[test]
fn tapes_of_few_different_bytes() {
    let mut numbers = Numbers(2 << 32);
    for language in languages() {
        for _ in 0..5000 {
            let loopy = numbers.below(2) == 0;
            let bytes: Vec<u8> = (0..2 + numbers.below(7))
                .map(|_| match loopy {
                    true => numbers.loopy_byte(language),
                    false => numbers.byte(),
                })
                .collect();
            let tape = std::array::from_fn(|_| bytes[numbers.below(bytes.len())]);
            check(language, &tape, numbers.max_steps());
        }
    }
}

#[test]
fn tapes_with_many_loops() {
    let mut numbers = Numbers(3 << 32);
    for language in languages() {
        let mut ended = [0; Ended::ALL.len()];
        for _ in 0..5000 {
            let tape = std::array::from_fn(|_| numbers.loopy_byte(language));
            check(language, &tape, numbers.max_steps());
            ended[check(language, &tape, 1000).ended as usize] += 1;
        }
        // The tapes are worth the test.
        assert!(
            ended[Ended::StepLimit as usize] > 10,
            "{language}: {ended:?}"
        );
    }
}

/// A few ops, a jump back to them and some bytes before, somewhere on a tape
/// that is any, all one byte, or twice the same.
#[test]
fn tapes_grown_around_forth_loops() {
    let mut numbers = Numbers(5 << 32);
    for language in forths() {
        for round in 0..20_000 {
            let mut tape: Tape = match round % 3 {
                0 => [numbers.byte(); TAPE_LEN],
                _ => std::array::from_fn(|_| numbers.byte()),
            };
            let (before, body) = (numbers.below(6), 1 + numbers.below(11));
            let first = numbers.below(TAPE_LEN - before - body);
            for byte in &mut tape[first..first + before + body] {
                *byte = match numbers.below(8) {
                    0 => 0x40 + numbers.below(64) as u8,
                    1 => 0x80 + numbers.below(4) as u8,
                    2 => 0x13,
                    _ => numbers.below(14) as u8,
                };
            }
            tape[first + before + body] = 0xc0 + (body - 1) as u8;
            if first > 0 {
                // Jump ahead to it, as far as one jump goes and then another.
                tape[0] = 0x80 + (first.min(64) - 1) as u8;
                if first > 64 {
                    tape[64] = 0x80 + (first - 65) as u8;
                }
            }
            if round % 3 == 1 {
                // But for a byte or two.
                let (left, right) = tape.split_at_mut(PROGRAM_LEN);
                match first < PROGRAM_LEN {
                    true => right.copy_from_slice(left),
                    false => left[1..].copy_from_slice(&right[1..]),
                }
                tape[numbers.below(TAPE_LEN)] = numbers.byte();
            }
            check(language, &tape, 8192);
            check(language, &tape, numbers.max_steps());
        }
    }
}

#[test]
fn tapes_of_soups() {
    let mut numbers = Numbers(4 << 32);
    for language in languages() {
        let mut soup = small_soup(language);
        for _ in 0..8 {
            for _ in 0..8 {
                soup.step();
            }
            let (tapes, _) = soup.programs().as_chunks::<TAPE_LEN>();
            for tape in tapes {
                check(language, tape, 8192);
                check(language, tape, numbers.max_steps());
            }
        }
    }
}

/// Check the tape that starts with `bytes` for every step limit that could
/// matter: in, at the end of and between the periods that are skipped.
#[track_caller]
fn check_limits(language: &'static Language, bytes: &[u8]) -> Outcome {
    let mut tape = [0x3f; TAPE_LEN];
    tape[..bytes.len()].copy_from_slice(bytes);
    for max_steps in (0..1200).chain(8100..8192) {
        check(language, &tape, max_steps);
    }
    check(language, &tape, 8192)
}

#[test]
fn forth_loops() {
    const CASES: [(&[u8], Ended); 20] = [
        // No-ops count as steps only.
        (&[0x3f, 0xc0], Ended::StepLimit),
        (&[0x3f, 0x3f, 0x80, 0xc2], Ended::StepLimit),
        // Long before the loop, and longer than it.
        (&[0x8f; 100], Ended::LeftTape),
        // Pushes until the stack is full, in the midst of a period or at its end.
        (&[0x41, 0xc0], Ended::StackOverflow),
        (&[0x41, 0x42, 0x43, 0xc2], Ended::StackOverflow),
        (&[0x41, 0x3f, 0x42, 0x05, 0xc3], Ended::StackOverflow),
        // Goes higher within a period than from one to the next.
        (&[0x41, 0x42, 0x43, 0x05, 0x05, 0xc4], Ended::StackOverflow),
        // Reads what the last period left, and leaves one more of it.
        (&[0x41, 0x04, 0xc0], Ended::StackOverflow),
        (&[0x41, 0x42, 0x06, 0x04, 0xc1], Ended::StackOverflow),
        // Ever another top: nothing repeats.
        (&[0x41, 0x04, 0x08, 0xc1], Ended::StackOverflow),
        // On an empty stack: drop; add one; swap; skip, which skips nothing.
        (&[0x05, 0xc0], Ended::StepLimit),
        (&[0x08, 0xc0], Ended::StepLimit),
        (&[0x06, 0xc0], Ended::StepLimit),
        (&[0x07, 0xc0], Ended::StepLimit),
        (&[0x04, 0xc0], Ended::StackOverflow),
        // Eats a stack first.
        (
            &[0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x05, 0xc0],
            Ended::StepLimit,
        ),
        // A top that comes back after 256 periods.
        (&[0x40, 0x08, 0xc0], Ended::StepLimit),
        // Leaves when the top has come down to 0.
        (&[0x7f, 0x09, 0x07, 0x80, 0xc2], Ended::StepLimit),
        // Sums: two pops, one push, on a stack that gets empty.
        (&[0x41, 0x42, 0x43, 0x0a, 0xc0], Ended::StepLimit),
        (&[0x41, 0x42, 0x0b, 0x43, 0x06, 0xc1], Ended::StackOverflow),
    ];
    for language in forths() {
        for (bytes, ended) in CASES {
            assert_eq!(check_limits(language, bytes).ended, ended, "{bytes:02x?}");
        }
    }
}

#[test]
fn forth_loops_that_write() {
    for language in forths() {
        let copy = language == &forth::FORTHCOPY;
        let (read, write) = if copy { (0x00, 0x01) } else { (0x00, 0x02) };
        // Add one to a byte for ever: to one that is not run, to each byte of
        // the loop, its jump among them, and to the one behind it.
        for at in [32, 0, 1, 2, 3, 4, 5, 6] {
            let at = 0x40 + at;
            check_limits(language, &[at, at, read, 0x08, write, 0xc4]);
            check_limits(language, &[at, at, read, 0x09, write, 0xc4, 0xc5]);
        }
        // Write the same again and again; push another one each time.
        check_limits(language, &[0x50, 0x51, write, 0xc2]);
        check_limits(language, &[0x50, 0x51, write, 0x41, 0xc3]);
        // Copy with a counter, as replicators do, in loops that end and do not.
        for op in [0x02, 0x0c, 0x0d] {
            check_limits(language, &[op, 0x08, 0xc1]);
            check_limits(language, &[op, 0x08, 0x80, 0x04, 0x04, 0xc4]);
            check_limits(language, &[0x41, op, 0x08, 0xc1]);
        }
    }
}

/// Places that a loop comes to only after some laps that have changed nothing.
#[test]
fn forth_loops_that_write_late() {
    // Copy at the top; a constant moves up from below, one entry a lap.
    for (depth, body) in [
        (2, &[0x0c, 0x60, 0x06, 0xc2][..]),
        (1, &[0x0c, 0x60, 0xc1][..]),
        // Copy at every fourth place, and at every one.
        (1, &[0x04, 0x0c, 0x08, 0x08, 0x08, 0x08, 0xc5][..]),
        (1, &[0x04, 0x0c, 0x08, 0xc2][..]),
        (1, &[0x04, 0x0c, 0x09, 0xc2][..]),
        // Two places in turn.
        (2, &[0x04, 0x0c, 0x06, 0xc2][..]),
        (2, &[0x04, 0x0c, 0x08, 0x06, 0xc3][..]),
    ] {
        for other in [0x3f, 0x13] {
            for place in 0..PROGRAM_LEN {
                let mut tape = [0x3f; TAPE_LEN];
                for (entry, byte) in tape[..depth].iter_mut().enumerate() {
                    *byte = 0x70 + 7 * entry as u8;
                }
                tape[depth..][..body.len()].copy_from_slice(body);
                let (left, right) = tape.split_at_mut(PROGRAM_LEN);
                right.copy_from_slice(left);
                right[place] ^= 0x40;
                right[63] = other;
                for language in forths() {
                    for max_steps in [40, 400, 1001, 8190, 8191, 8192] {
                        check(language, &tape, max_steps);
                    }
                }
            }
        }
    }
}

#[test]
fn guards_refill_within_a_loop() {
    // The loop is in the right program, out of the refill's reach; it copies
    // over a guard for ever, and in a second one pushes until it overflows.
    for pushed in [0x3f, 0x41] {
        let mut bytes = [0x3f; TAPE_LEN];
        bytes[0] = 0xbf;
        bytes[64..68].copy_from_slice(&[0x4a, 0x0c, pushed, 0xc2]);
        bytes[74] = 0x13;
        let before = bytes;
        check_limits(&forth::FORTHTRIVIAL_RESET, &bytes);
        reference::run(&forth::FORTHTRIVIAL_RESET, &mut bytes, 8192);
        assert_ne!(bytes[..64], before[..64]);
        assert_eq!(bytes[64..], before[64..]);
    }
}

#[test]
fn subleq_loops() {
    const RELATIVE: [&[u8]; 8] = [
        // 0 - 0 into itself, jump to itself.
        &[0x08, 0x08, 0x08, 0x00],
        // Counts down, and back from the top, while not positive.
        &[0x08, 0x08, 0x09, 0x00, 0, 0, 0, 0, 0, 1],
        &[0x08, 0x08, 0x09, 0x00, 0, 0, 0, 0, 0xff, 3],
        // Two instructions, there and back.
        &[0x10, 0x10, 0x10, 0x04, 0x10, 0x10, 0x10, 0xfc],
        // Writes its own operands, and its jump.
        &[0x00, 0x08, 0x09, 0x00, 0, 0, 0, 0, 0, 1],
        &[0x01, 0x01, 0x08, 0x00, 0, 0, 0, 0, 1],
        &[0x02, 0x08, 0x09, 0x00, 0, 0, 0, 0, 0x80, 2],
        &[0x03, 0x08, 0x09, 0x00, 0, 0, 0, 0, 0xfc, 2],
    ];
    for bytes in RELATIVE {
        check_limits(&subleq::RSUBLEQ4, bytes);
    }
    const ABSOLUTE: [&[u8]; 7] = [
        &[0x08, 0x08, 0x00],
        &[0x08, 0x09, 0x00, 0, 0, 0, 0, 0, 0, 1],
        &[0x08, 0x09, 0x00, 0, 0, 0, 0, 0, 0xff, 3],
        &[0x10, 0x10, 0x03, 0x10, 0x10, 0x00],
        &[0x00, 0x09, 0x00, 0, 0, 0, 0, 0, 0, 1],
        &[0x01, 0x09, 0x00, 0, 0, 0, 0, 0, 0, 1],
        &[0x02, 0x09, 0x00, 0, 0, 0, 0, 0, 0, 1],
    ];
    for bytes in ABSOLUTE {
        check_limits(&subleq::SUBLEQ, bytes);
    }
}

#[test]
fn the_highest_step_limit() {
    let run = |language, tape: &mut Tape| {
        let runner = Engine::Interpreter.runner(language, &Options::default());
        runner.run(tape, u32::MAX)
    };
    let mut tape = [0x3f; TAPE_LEN];
    tape[1] = 0xc0;
    let outcome = run(&forth::FORTH, &mut tape);
    assert_eq!(outcome.ended, Ended::StepLimit);
    assert_eq!((outcome.steps, outcome.ops), (u32::MAX, u32::MAX / 2));

    let mut tape = [0; TAPE_LEN];
    let outcome = run(&subleq::RSUBLEQ4, &mut tape);
    assert_eq!(outcome.ended, Ended::StepLimit);
    assert_eq!((outcome.steps, outcome.ops), (u32::MAX, u32::MAX));
}

/// A program that copies itself, with a guard in it: once all is copied, the copy of
/// the guard is what the next round meets.
#[test]
fn a_guard_that_is_copied_is_met_again() {
    for language in forths() {
        let code = language.parse_program("04 0c 08 c2").unwrap();
        for place in 4..PROGRAM_LEN {
            for filling in [0x20, 0x13] {
                let mut tape = [0x21; TAPE_LEN];
                tape[PROGRAM_LEN..].fill(filling);
                tape[..code.len()].copy_from_slice(&code);
                tape[place] = 0x13;
                for max_steps in [200, 256, 300, 511, 512, 513, 600, 8192] {
                    check(language, &tape, max_steps);
                }
            }
        }
    }
}
