//! Plain loops as native code: guard-free iterations, up to where a write comes to the
//! loop's own bytes, however the heads move.

use crate::common::engines::{EAGER, Natives, Walk, bff_dialects, has_heads_on_tape};
use crate::common::share;
use broth::engine::jit::{self, Exit, NativeTally};
use broth::engine::{Engine, Options};
use broth::language::bff::{COMMANDS, Class, Dialect, Op};
use broth::language::{Language, Outcome, Rules, TAPE_LEN, Tape};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// The bytes of those of `commands` that the dialect has.
pub(super) fn bytes_of(dialect: &Dialect, commands: &str) -> Vec<u8> {
    let byte = |command| {
        let index = COMMANDS.iter().position(|c| *c == command)?;
        dialect.byte_of(Op::ALL[index])
    };
    commands.chars().filter_map(byte).collect()
}

/// A loop without brackets inside, of 2 to 70 places, with runs of the same move.
fn any_loop(random: &mut StdRng, language: &Language, dialect: &Dialect) -> Vec<u8> {
    let noop = dialect.byte_of(Op::Noop).unwrap();
    let (moves, writes) = (bytes_of(dialect, "<>{}"), bytes_of(dialect, "+-.,"));
    // Where brackets jump by eight, seven places lie between.
    let jumps = language.name.starts_with("bff8");
    let len = match jumps {
        true => 7,
        false => *[2, 3, 5, 8, 12, 20, 40, 70].choose(random).unwrap(),
    };
    let mut code = match jumps {
        true => vec![noop],
        false => bytes_of(dialect, "["),
    };
    while code.len() <= len {
        let run = match random.random_range(0..5) {
            0 => vec![*writes.choose(random).unwrap()],
            1 => vec![noop],
            _ => {
                let longest = [1, 1 + len / 2][random.random_range(0..2)];
                let times = random.random_range(1..=longest);
                vec![*moves.choose(random).unwrap(); times]
            }
        };
        code.extend(run);
    }
    code.truncate(len + 1);
    code.extend(bytes_of(dialect, "]"));
    code
}

/// A tape that comes to `code` with its heads anywhere.
pub(super) fn tape_around(random: &mut StdRng, dialect: &Dialect, code: &[u8]) -> Tape {
    let noop = dialect.byte_of(Op::Noop).unwrap();
    let (moves, all) = (bytes_of(dialect, "<>{}"), bytes_of(dialect, "[]+-.,<>{}"));
    let fill = random.random_range(0..4);
    let mut tape: Tape = std::array::from_fn(|_| match fill {
        0 => noop,
        1 => random.random(),
        2 => *all.choose(random).unwrap(),
        _ => random.random_range(100..128),
    });
    if random.random_bool(0.6) {
        for byte in tape.iter_mut().filter(|byte| dialect.is_null(**byte)) {
            *byte = noop;
        }
    }
    let first = dialect.start(&tape).pc;
    let mut moved = 0;
    if has_heads_on_tape(dialect) {
        (tape[0], tape[1]) = (random.random(), random.random());
    } else {
        moved = random.random_range(0..(TAPE_LEN - code.len()).min(50));
        let two = [(); 2].map(|()| *moves.choose(random).unwrap());
        for place in 0..moved {
            tape[place] = two[usize::from(place % 3 == 0)];
        }
    }
    let start = random.random_range(first + moved..TAPE_LEN - code.len());
    for byte in &mut tape[first + moved..start] {
        if dialect.class(*byte).bits() & Class::COMMAND != 0 && random.random_bool(0.95) {
            *byte = noop;
        }
    }
    tape[start..start + code.len()].copy_from_slice(code);
    tape
}

#[test]
fn plain_loops_of_all_sorts() {
    for (language, dialect) in bff_dialects() {
        let mut random = StdRng::seed_from_u64(1);
        let mut natives = Natives::new(language);
        let (mut done, count) = (0, share(40));
        while done < count {
            let code = any_loop(&mut random, language, dialect);
            let tape = tape_around(&mut random, dialect, &code);
            let walk = Walk::new(language, dialect, &tape, 3000);
            if walk.steps() < 200 && random.random_bool(0.9) {
                continue;
            }
            done += 1;
            let name = language.program_text(&code);
            natives.check(&walk.expected(&name, 8192));
            let last = walk.steps();
            let near_the_end = last.saturating_sub(3)..=last + 1;
            let some = (0..20).map(|_| random.random_range(0..=last + 1));
            let limits: Vec<u32> = some.chain(near_the_end).chain([5000, 8191]).collect();
            for max_steps in limits {
                natives.check_as_it_is(&walk.expected(&name, max_steps));
            }
            // With a byte changed, by the native code of what it was.
            for _ in 0..3 {
                let mut mutant = tape;
                mutant[random.random_range(0..TAPE_LEN)] = random.random();
                let walk = Walk::new(language, dialect, &mutant, 400);
                for max_steps in (3..400).step_by(37).chain([8192]) {
                    natives.check_as_it_is(&walk.expected(&name, max_steps));
                }
            }
        }
        let entered = natives.tally.entered.loops;
        assert!(
            entered > 10 * count as u64,
            "{language}: {:?}",
            natives.tally
        );
    }
}

/// What native loops do in a run of `code`, the last two bytes of the tape being these,
/// once all of it is compiled.
fn by_native_loops(code: &str, last: [u8; 2], closed_forms: bool) -> (Outcome, NativeTally) {
    let language: &'static Language = "bff_noheads".parse().unwrap();
    let jit = jit::Options {
        thresholds: jit::Thresholds::AT_ONCE.programs(u32::MAX),
        ..EAGER
    };
    let mut runner = Engine::Jit.runner(language, &Options { closed_forms, jit });
    let code = language.parse_program(code).unwrap();
    let mut result = Default::default();
    for _ in 0..2 {
        let mut tape = [b' '; TAPE_LEN];
        tape[..code.len()].copy_from_slice(&code);
        tape[TAPE_LEN - 2..].copy_from_slice(&last);
        let mut outcomes = [Outcome::default()];
        let tally = runner.run_all(&mut [tape], 8192, &mut outcomes);
        runner.jit_mut().unwrap().settle();
        result = (outcomes[0], tally);
    }
    result
}

/// Guard-free iterations are counted like others: of 100 the interpreter runs the first, and
/// the last is no jump back.
#[test]
fn guard_free_iterations_are_counted() {
    for closed_forms in [true, false] {
        let (outcome, tally) = by_native_loops("<[<+>-]", [0, 100], closed_forms);
        assert_eq!(outcome.steps, 2 + 100 * 5 + 120 + 1);
        assert_eq!(tally.exits[Exit::End as usize], 1, "{tally:?}");
        assert_eq!((tally.iterations, tally.steps), (98, 99 * 5), "{tally:?}");
    }
}

/// Guard-free iterations end where a period is to be looked for.
#[test]
fn guard_free_iterations_leave_time_to_look_for_periods() {
    let (outcome, tally) = by_native_loops("<[+-]", [7, 7], true);
    assert_eq!(outcome.steps, 8192);
    assert!(tally.settled > 0 && tally.iterations < 100, "{tally:?}");
    let (outcome, tally) = by_native_loops("<[+-]", [7, 7], false);
    assert_eq!(outcome.steps, 8192);
    assert!(tally.settled == 0 && tally.iterations > 2000, "{tally:?}");
}
