//! Iterations by their traces against their steps, by the rules.

use super::*;
use crate::language::{Family, Language, Rules};
use crate::random::mix;

/// Take so many steps, none of which ends the run; count the ops.
fn step(dialect: &Dialect, tape: &mut Tape, state: &mut State, steps: u32) -> u32 {
    (0..steps)
        .map(|_| {
            let step = dialect.step(tape, state);
            assert_eq!(step.ended, None);
            u32::from(step.is_op)
        })
        .sum()
}

/// A tape of few sorts of bytes, among them a jump back.
fn tape(seed: u64) -> Tape {
    let number = |i: u64| mix(seed << 16 | i);
    let bytes: [u8; 8] = std::array::from_fn(|i| match i {
        0 => 0xc0 + (number(0) % 12) as u8,
        1 => number(1) as u8,
        2 => 0x40 + (number(2) % 64) as u8,
        i => (number(i as u64) % 14) as u8,
    });
    std::array::from_fn(|place| bytes[(number(100 + place as u64) % 8) as usize])
}

/// Compare iterations of a trace from here with their steps: tape, stack and place, to the last
/// entry. How many iterations that were, at most; nothing if there is none.
fn check(language: &Language, tape: &Tape, state: &State) -> Option<u32> {
    let Family::Forth(dialect) = &language.family else {
        return None;
    };
    let (mut trace, mut tape_then) = (Trace::new(dialect), *tape);
    let mut state_then = state.clone();
    let recorded = record(&mut trace, dialect, &mut tape_then, &mut state_then, 200);
    if !recorded.is_trace {
        return None;
    }
    let (mut plain_tape, mut plain_state) = (*tape, state.clone());
    let ops = step(dialect, &mut plain_tape, &mut plain_state, trace.steps);
    assert_eq!((ops, trace.steps), (trace.ops, recorded.steps));
    let mut plain_iterations = 0;
    for iterations in [1, 2, 3, 7, 64, 130, 257, 700] {
        let (mut tape, mut state) = (tape_then, state_then.clone());
        let done = trace.run(&mut tape, &mut state, iterations);
        let steps = (done - plain_iterations) * trace.steps;
        let ops = step(dialect, &mut plain_tape, &mut plain_state, steps);
        assert_eq!(ops, (done - plain_iterations) * trace.ops);
        plain_iterations = done;
        let text = language.program_text(&tape);
        assert_eq!(tape, plain_tape, "{language}: {text}");
        assert_eq!(state.pc, plain_state.pc);
        assert_eq!(state.stack(), plain_state.stack(), "{language}: {text}");
        if done < iterations {
            break;
        }
    }
    Some(plain_iterations)
}

fn forths() -> impl Iterator<Item = (&'static Language, &'static Dialect)> {
    Language::ALL
        .into_iter()
        .filter_map(|language| match &language.family {
            Family::Forth(dialect) => Some((language, dialect)),
            _ => None,
        })
}

#[test]
fn traces_leave_what_their_steps_do() {
    let (mut folded, mut settled) = (0, 0);
    for (language, dialect) in forths() {
        for seed in 0..4000 {
            let mut tape = tape(seed);
            let mut state = dialect.start(&tape);
            for _ in 0..60 {
                let pc = state.pc;
                if dialect.step(&mut tape, &mut state).ended.is_some() {
                    break;
                }
                if state.pc < pc {
                    let iterations = check(language, &tape, &state);
                    folded += u32::from(iterations.is_some());
                    settled += u32::from(iterations == Some(700));
                }
            }
        }
    }
    // The tapes are worth the test.
    assert!(folded > 5000 && settled > 1000, "{folded} {settled}");
}

/// Loops that chance hardly finds, in either program, on tapes where they
/// change nothing for long.
#[test]
fn traces_that_are_quiet_for_long() {
    let bodies: [&[u8]; 12] = [
        // Two entries in turn, one or both going up.
        &[0x06, 0x08],
        &[0x08, 0x06, 0x08],
        &[0x04, 0x0c, 0x06, 0x08],
        // Write the counter where it points to.
        &[0x04, 0x04, 0x02, 0x08],
        &[0x04, 0x04, 0x03, 0x08],
        // Copy to the next place; copy and add one.
        &[0x04, 0x04, 0x08, 0x06, 0x00, 0x03, 0x08],
        &[0x04, 0x04, 0x00, 0x08, 0x03, 0x08],
        // Copy at a difference, at a sum.
        &[0x08, 0x04, 0x54, 0x0b, 0x0c],
        &[0x08, 0x04, 0x04, 0x0a, 0x0c],
        // Skip nothing, as long as the counter is not 0.
        &[0x08, 0x07, 0x80],
        // From place to place, each byte telling of the next.
        &[0x00],
        // Write a counter, and before and after it two bytes in turn to another place.
        &[
            0x7e, 0x41, 0x02, 0x08, 0x04, 0x7d, 0x06, 0x02, 0x7e, 0x42, 0x02,
        ],
    ];
    for (language, dialect) in forths() {
        for body in bodies {
            for (first, fill, other) in
                (0..2 * PROGRAM_LEN).flat_map(|i| (0..4).map(move |fill| (i % 2 * 64, fill, i)))
            {
                let mut tape: Tape = std::array::from_fn(|place| match fill {
                    0 => 0x3f,
                    1 => place as u8 % 64,
                    2 => place as u8,
                    // Rings of eight places.
                    _ => place as u8 & !7 | (place as u8 + 3) & 7,
                });
                tape[other] ^= 0x55;
                tape[first..][..body.len()].copy_from_slice(body);
                tape[first + body.len()] = 0xc0 + (body.len() - 1) as u8;
                let mut state = dialect.start(&tape);
                state.pc = first;
                state.stack[..3].copy_from_slice(&[7, 200, 20]);
                state.depth = 3;
                check(language, &tape, &state);
            }
        }
    }
}

/// An iteration that comes by one place twice and has written another byte there in between, so
/// that the next one goes another way, though it leaves all places as they were last.
#[test]
fn an_iteration_that_rewrites_a_place_on_its_way() {
    use crate::language::forth::Op;
    for (language, dialect) in forths() {
        let byte = |ops: &[Op]| {
            (0..=255u8)
                .find(|byte| ops.contains(&dialect.op(*byte)))
                .unwrap()
        };
        let constant = |value: u8| 0x40 + value;
        let (ahead, back) = (|by: u8| 0x80 + by - 1, |by: u8| 0xc0 + by - 1);
        let (place, drop, increment) = (10, byte(&[Op::Drop]), byte(&[Op::Increment]));
        let noop = byte(&[Op::Noop]);
        let mut tape: Tape = [noop; TAPE_LEN];
        tape[..15].copy_from_slice(&[
            constant(0),
            ahead(9),
            // From 12, at first: 1 instead of 0 on the stack, and an op at the place.
            drop,
            constant(place),
            constant(increment),
            byte(&[Op::Write, Op::WriteA]),
            constant(1),
            ahead(3),
            noop,
            noop,
            // The place.
            noop,
            byte(&[Op::SkipIf]),
            back(10),
            drop,
            back(14),
        ]);
        let mut state = dialect.start(&tape);
        assert_eq!(check(language, &tape, &state), None, "{language}");
        // Once the op is there, it is a loop like others.
        step(dialect, &mut tape, &mut state, 15);
        assert_eq!((state.pc, tape[usize::from(place)]), (0, increment));
        assert_eq!(check(language, &tape, &state), Some(700), "{language}");
    }
}
