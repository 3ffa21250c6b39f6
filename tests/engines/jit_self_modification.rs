//! Native code against the reference engine where programs rewrite themselves, and
//! so leave it: each tape with every step limit, as it comes, by its own native
//! code, and, with a byte changed, next to the native code of what it was.
//!
//! The everyday tests take few tapes of each sort; the others are for
//! `cargo test --release -- --include-ignored`.

use std::ops::Range;

use crate::common::engines::{Natives, Walk, bff_dialects, has_heads_on_tape};
use crate::common::{all_of_it, share};
use broth::engine::jit::{Exit, NativeTally};
use broth::language::bff::{COMMANDS, Dialect, Op};
use broth::language::{Language, PROGRAM_LEN, TAPE_LEN, Tape};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// A tape, then the same with each of `mutants` changes, by the native code of the
/// first and no other.
#[track_caller]
fn check_tape(
    natives: &mut Natives,
    name: &str,
    (language, dialect): (&'static Language, &'static Dialect),
    tape: &Tape,
    mutants: impl Iterator<Item = (usize, u8)>,
) {
    const EVERY_LIMIT: u32 = 280;
    let walk = Walk::new(language, dialect, tape, EVERY_LIMIT);
    // First to the end, where all that comes up is compiled.
    natives.check(&walk.expected(name, 8192));
    for max_steps in (0..=walk.steps() + 1).rev().chain([1000, 4801, 8191]) {
        natives.check_as_it_is(&walk.expected(name, max_steps));
    }
    for (place, byte) in mutants {
        let mut mutant = *tape;
        mutant[place] = byte;
        let walk = Walk::new(language, dialect, &mutant, 120);
        natives.check_as_it_is(&walk.expected(name, 8192));
        for max_steps in (3..120).step_by(13) {
            natives.check_as_it_is(&walk.expected(name, max_steps));
        }
    }
}

/// Code that writes to where it is, if the heads are there.
const CODES: &[&str] = &[
    // Straight: onto the next op, onto itself, behind.
    "+-+",
    ">+<-<+",
    ".}.{,>,",
    ",,-.",
    // A loop and its brackets.
    "[+]",
    "[-]",
    "[ + ]",
    "[+>]",
    "[>-]",
    "[->+<]",
    "[.>}]",
    "[.}]",
    "[,}]",
    "[,>]",
    "[-,]",
    "[>+>-]",
    "[>>.{]",
    "[+-+]",
    // Ahead of a loop, behind one, in between.
    "+[>]-",
    "+[<]",
    "-[+]+",
    ",[>]>.",
    ">+[ ]",
    "+[>]+[<]+",
    "[>+]   [+<]",
    ".}[>}]-{,",
    // Loops in loops.
    "[[>]+]",
    "[+[>]]",
    "[[+]>]",
    "[>[-]<]",
    "[-[.}]>]",
    "[[>]<-[<]]",
    "[+[-[>]<]>]",
    "[[[-]>]<]",
    "[[[>]+]-]",
    "[[[.>]}]+]",
    // Brackets that lack a partner, or find another one.
    "+[[]",
    "-]]+",
    "[+]]",
    "[[+]",
    "+]-[",
    // Jumps by eight.
    "[+      ]",
    "[>-[    ][+>    ]",
    "[.>}    ]  [,   ]",
    "[[>-+   ]]+     [",
    "-[+>]   ][+    ]]",
];

/// What lies around the code, and between its commands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fill {
    Noop,
    Null,
    /// Bytes that are a command once 1 is added or taken away, and others.
    Near,
    /// Commands.
    Ops,
    Any,
}

const FILLS: [Fill; 5] = [Fill::Noop, Fill::Null, Fill::Near, Fill::Ops, Fill::Any];

fn command_byte(dialect: &Dialect, char: char) -> Option<u8> {
    let index = COMMANDS.iter().position(|c| *c == char)?;
    dialect.byte_of(Op::ALL[index])
}

fn any_command(random: &mut StdRng, dialect: &Dialect) -> u8 {
    let all: Vec<u8> = COMMANDS
        .iter()
        .filter_map(|command| command_byte(dialect, *command))
        .collect();
    *all.choose(random).unwrap()
}

fn filling(random: &mut StdRng, dialect: &Dialect, fill: Fill) -> u8 {
    let noop = dialect.byte_of(Op::Noop).unwrap();
    match fill {
        Fill::Noop => noop,
        Fill::Null => dialect.byte_of(Op::Null).unwrap(),
        Fill::Near => match random.random_range(0..6) {
            0 => noop,
            1 => 0,
            2 => any_command(random, dialect),
            3 => any_command(random, dialect).wrapping_add(1),
            _ => any_command(random, dialect).wrapping_sub(1),
        },
        Fill::Ops => any_command(random, dialect),
        Fill::Any => random.random(),
    }
}

/// `code` at `start`, and the heads so far from there at first.
fn tape_of(
    random: &mut StdRng,
    dialect: &Dialect,
    fill: Fill,
    code: &str,
    start: usize,
    [right0, right1]: [i32; 2],
) -> Option<Tape> {
    let len = TAPE_LEN as i32;
    let mut tape: Tape = std::array::from_fn(|_| filling(random, dialect, fill));
    let heads = [right0, right1].map(|right| (start as i32 + right).rem_euclid(len));
    let mut place = 0;
    if has_heads_on_tape(dialect) {
        tape[..2].copy_from_slice(&heads.map(|head| head as u8));
    } else {
        for (head, [left, right]) in heads.into_iter().zip([['<', '>'], ['{', '}']]) {
            let (step, count) = match head < len / 2 {
                true => (right, head),
                false => (left, len - head),
            };
            for _ in 0..count {
                *tape.get_mut(place)? = command_byte(dialect, step)?;
                place += 1;
            }
        }
        if place > start {
            return None;
        }
    }
    let noop = dialect.byte_of(Op::Noop)?;
    for (offset, char) in code.chars().enumerate() {
        let byte = match char {
            // Now and then something that is easily made a command.
            ' ' if random.random_bool(0.5) => filling(random, dialect, Fill::Near),
            ' ' => noop,
            char => command_byte(dialect, char)?,
        };
        let place = start + offset;
        if place < TAPE_LEN {
            tape[place] = byte;
        }
    }
    Some(tape)
}

/// Changes of single bytes, most of them in and around the code.
fn mutants(
    random: &mut StdRng,
    dialect: &Dialect,
    start: usize,
    len: usize,
    count: usize,
) -> Vec<(usize, u8)> {
    (0..count)
        .map(|_| {
            let place = match random.random_bool(0.8) {
                true => start.saturating_sub(1) + random.random_range(0..len + 2),
                false => random.random_range(0..TAPE_LEN),
            };
            let byte = match random.random_bool(0.7) {
                true => any_command(random, dialect),
                false => filling(random, dialect, Fill::Near),
            };
            (place.min(TAPE_LEN - 1), byte)
        })
        .collect()
}

/// Each code at places around the ends of programs, the heads everywhere around
/// it; of so many tapes one.
fn check_codes(dialect: (&'static Language, &'static Dialect), one_in: u32) -> NativeTally {
    let mut random = StdRng::seed_from_u64(6);
    let mut natives = Natives::new(dialect.0);
    for code in CODES {
        let len = code.len();
        let starts = [2, 30, 62, 64, 65, 66, 90, 110, TAPE_LEN - len];
        for start in starts {
            for right0 in -2..len as i32 + 3 {
                for right1 in [-3, 0, 1, len as i32 - 1, len as i32, 20, 64] {
                    for fill in FILLS {
                        if !random.random_ratio(1, one_in) {
                            continue;
                        }
                        let heads = [right0, right1];
                        let tape = tape_of(&mut random, dialect.1, fill, code, start, heads);
                        let Some(tape) = tape else { continue };
                        let mutants = mutants(&mut random, dialect.1, start, len, 6);
                        let name = format!("{code}, {fill:?}");
                        check_tape(&mut natives, &name, dialect, &tape, mutants.into_iter());
                    }
                }
            }
        }
    }
    natives.tally
}

/// A tape on which several of the codes lie, with bytes put in between and cut off; what
/// fills it, and where the code is.
pub(super) fn grown(random: &mut StdRng, dialect: &Dialect) -> (Tape, Fill, Range<usize>) {
    loop {
        let mut code = String::new();
        for _ in 0..random.random_range(1..5) {
            for char in CODES.choose(random).unwrap().chars() {
                if !random.random_bool(0.04) {
                    code.push(char);
                }
                if random.random_bool(0.12) {
                    let more = [' ', ' ', '+', '-', '>', '<', '.', ',', '[', ']'];
                    code.push(*more.choose(random).unwrap());
                }
            }
            code.push_str(&" ".repeat(random.random_range(0..4)));
        }
        let start = random.random_range(2..TAPE_LEN);
        let right0 = random.random_range(-4..code.len() as i32 + 8);
        let right1 = match random.random_bool(0.6) {
            true => random.random_range(-4..code.len() as i32 + 8),
            false => random.random_range(0..TAPE_LEN as i32),
        };
        let fill = *FILLS.choose(random).unwrap();
        let heads = [right0, right1];
        if let Some(tape) = tape_of(random, dialect, fill, &code, start, heads) {
            return (tape, fill, start..start + code.len());
        }
    }
}

/// Tapes grown around code, and changes of them.
fn check_grown(
    dialect: (&'static Language, &'static Dialect),
    seed: u64,
    count: usize,
) -> NativeTally {
    let mut random = StdRng::seed_from_u64(seed);
    let mut natives = Natives::new(dialect.0);
    for _ in 0..count {
        let (tape, fill, code) = grown(&mut random, dialect.1);
        let mutants = mutants(&mut random, dialect.1, code.start, code.len(), 8);
        let name = format!("grown {fill:?}");
        check_tape(&mut natives, &name, dialect, &tape, mutants.into_iter());
    }
    natives.tally
}

/// Check tapes of every dialect, of which each must have native code do all that it
/// can do.
#[track_caller]
fn check_all_dialects(check: impl Fn((&'static Language, &'static Dialect)) -> NativeTally) {
    let mut all = NativeTally::default();
    for dialect in bff_dialects() {
        let (language, tally) = (dialect.0, check(dialect));
        all = all + tally;
        println!("{language}: {tally:?}");
        assert!(tally.entered.programs > 0, "{language}: {tally:?}");
        assert!(tally.entered.loops > 0, "{language}: {tally:?}");
        assert!(tally.iterations > 0, "{language}: {tally:?}");
        for exit in [Exit::End, Exit::OutOfSteps, Exit::Rewritten, Exit::Bracket] {
            let count = tally.exits[exit as usize];
            assert!(count > 0, "{language}: no {}, {tally:?}", exit.name());
        }
    }
    // Hardly any tapes of bff_selfmove come back to where they were.
    assert!(all.settled > 0, "{all:?}");
}

#[test]
fn code_that_writes_to_where_it_is() {
    let one_of = if all_of_it() { 2500 } else { 10_000 };
    check_all_dialects(|dialect| check_codes(dialect, one_of));
}

#[test]
fn tapes_grown_around_code_that_rewrites_itself() {
    // With fewer, native code does not leave in every way.
    check_all_dialects(|dialect| check_grown(dialect, 7, share(60).max(15)));
}

#[test]
#[ignore = "takes minutes"]
fn more_code_that_writes_to_where_it_is() {
    check_all_dialects(|dialect| check_codes(dialect, 20));
}

#[test]
#[ignore = "takes minutes"]
fn more_tapes_grown_around_code_that_rewrites_itself() {
    for dialect in bff_dialects() {
        for seed in 100..110 {
            check_grown(dialect, seed, 500);
        }
    }
}

/// A jump by eight that leads out of a loop, over a place that the loop has changed.
#[test]
fn a_jump_out_of_a_loop_over_a_change() {
    let dialect = bff_dialects().find(|dialect| dialect.0.name == "bff8");
    let dialect = dialect.unwrap();
    let mut natives = Natives::new(dialect.0);
    let mut tape = [0; TAPE_LEN];
    tape[..2].copy_from_slice(&[40, 21]);
    // From 10 to 18 the loop; its `.` makes a null of the `<`, and its `[` jumps
    // behind the `-`.
    tape[10..25].copy_from_slice(b"{}. [   ]  <->+");
    for change in 18..25 {
        tape[1] = change;
        check_tape(&mut natives, "a jump", dialect, &tape, std::iter::empty());
    }
}

/// A copy that has a closed form and writes over the loop around it, or over what
/// comes behind.
#[test]
fn a_closed_loop_that_rewrites_what_is_around_it() {
    for dialect in bff_dialects() {
        if !has_heads_on_tape(dialect.1) {
            continue;
        }
        let mut natives = Natives::new(dialect.0);
        for code in [
            "[[.>}]>++++++++++++]",
            "[.>}]>++++++++++++++",
            "[+[.>}]>+++++++++++]",
        ] {
            for target in 5..32 {
                let command = |char| command_byte(dialect.1, char);
                let place = |tape: &mut Tape, first: usize, text: &str| {
                    for (byte, char) in tape[first..].iter_mut().zip(text.chars()) {
                        *byte = command(char)?;
                    }
                    Some(())
                };
                let mut tape = [dialect.1.byte_of(Op::Noop).unwrap(); TAPE_LEN];
                let pieces = [(10, code), (60, "-<>-")];
                let placed = pieces.map(|(first, text)| place(&mut tape, first, text));
                if placed.contains(&None) {
                    continue;
                }
                tape[..2].copy_from_slice(&[60, target]);
                tape[64] = dialect.1.byte_of(Op::Null).unwrap();
                check_tape(&mut natives, code, dialect, &tape, std::iter::empty());
            }
        }
    }
}

/// Every byte of a tape that loops is made every command in turn, next to the native
/// code of what it was: two pieces that differ in one command are two pieces.
#[test]
fn native_code_is_for_what_it_was_made_of_alone() {
    let noop = |dialect: &Dialect| dialect.byte_of(Op::Noop).unwrap();
    for dialect in bff_dialects() {
        let mut random = StdRng::seed_from_u64(8);
        let mut natives = Natives::new(dialect.0);
        for (code, heads) in [
            ("[+>-<,>]", [40, 8]),
            ("[>[->]<]", [30, 20]),
            ("[-[>]+    ]", [3, 5]),
        ] {
            let start = PROGRAM_LEN + 40;
            let tape = tape_of(&mut random, dialect.1, Fill::Noop, code, start, heads);
            let Some(tape) = tape else { continue };
            let all = (0..TAPE_LEN).flat_map(|place| {
                let bytes = COMMANDS.iter().filter_map(|c| command_byte(dialect.1, *c));
                let bytes = bytes.chain([noop(dialect.1)]);
                bytes.map(move |byte| (place, byte)).collect::<Vec<_>>()
            });
            // A share of them, another for each dialect.
            let all = all.filter(|_| random.random_ratio(1, 12));
            let all: Vec<_> = all.collect();
            check_tape(&mut natives, code, dialect, &tape, all.into_iter());
        }
        assert!(natives.tally.entered.programs > 0 && natives.tally.entered.loops > 0);
    }
}
