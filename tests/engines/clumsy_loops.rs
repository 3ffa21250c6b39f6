//! Loops that come to less than they do: what they write twice, there and back, or for a while.

use super::jit_plain_loops::{bytes_of, tape_around};
use crate::common::engines::{Expected, Walk, bff_dialects};
use broth::engine::{Options, Runner, every_width};
use broth::language::bff::{Dialect, Op};
use broth::language::{Language, TAPE_LEN, Tape};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

/// A loop of up to seven writes whose heads mostly move by one, in any order.
fn clumsy_loop(random: &mut StdRng, language: &Language, dialect: &Dialect) -> Vec<u8> {
    // A dialect may lack a command.
    let mut body: Vec<u8> = ["<>", "{}"]
        .iter()
        .filter_map(|moves| bytes_of(dialect, moves).choose(random).copied())
        .collect();
    let noop = dialect.byte_of(Op::Noop).unwrap();
    let writes = ["..,,", ".,", ",,,,-+", "..+", ",-", ".,+-"];
    let writes = *writes.choose(random).unwrap();
    // Where brackets jump by eight, seven places lie between.
    let jumps = language.name.starts_with("bff8");
    for _ in 0..random.random_range(2..if jumps { 6 } else { 8 }) {
        body.extend(bytes_of(dialect, writes).choose(random));
    }
    if !jumps {
        for there_and_back in ["<>", "{}", "<>", "{}"] {
            if random.random_bool(0.3) {
                body.extend(bytes_of(dialect, there_and_back));
            }
        }
        body.extend(vec![noop; random.random_range(0..4)]);
    }
    body.truncate(if jumps { 7 } else { usize::MAX });
    body.resize(body.len().max(if jumps { 7 } else { 0 }), noop);
    body.shuffle(random);
    let open = if jumps {
        vec![noop]
    } else {
        bytes_of(dialect, "[")
    };
    let close = bytes_of(dialect, "]");
    let looped = [open.clone(), body, close.clone()].concat();
    if jumps || random.random_bool(0.6) {
        return looped;
    }
    let tails = [
        "-", ",", "+", "--", ",-", "},{", "-,", "{,}+", ">-<", ">", ".",
    ];
    let tail = bytes_of(dialect, tails.choose(random).unwrap());
    [open, looped, tail, close].concat()
}

/// Each is run with every step limit near its ends, and with some in between.
#[test]
fn clumsy_loops_with_limits_that_end_anywhere() {
    for (language, dialect) in bff_dialects() {
        let mut random = StdRng::seed_from_u64(2);
        let runners: Vec<_> = every_width(language, &Options::default()).collect();
        let mut done = 0;
        while done < 300 {
            let code = clumsy_loop(&mut random, language, dialect);
            let tape = tape_around(&mut random, dialect, &code);
            let walk = Walk::new(language, dialect, &tape, 3000);
            if walk.steps() < 150 && random.random_bool(0.9) {
                continue;
            }
            done += 1;
            let name = language.program_text(&code);
            let last = walk.steps();
            let near_the_end = last.saturating_sub(15)..=last + 1;
            let some = (0..60).map(|_| random.random_range(0..=last + 1));
            for max_steps in some.chain(near_the_end).chain([5000, 8191, 8192]) {
                let expected = walk.expected(&name, max_steps);
                for (width, runner) in &runners {
                    expected.check(width, runner);
                }
            }
        }
    }
}

/// Loops that are known, the heads any distance apart.
#[test]
fn clumsy_loops_with_heads_any_distance_apart() {
    let known = [
        "[.,,>}]",
        "[{<-,]",
        "[>+,}]",
        "[{<,,]",
        "[,<{,]",
        "[.{<,]",
        "[+,>{,]",
        // The second copy comes first, and the first may change what it has read.
        "[>{,<},>{]",
        "[<},>{,<}]",
        "[>},<{,>}]",
        "[>{.<}.>{]",
        "[<{,>}.<{]",
        "[,<{,>.<]",
    ];
    run_at_every_distance(3, &known, 1);
}

/// Nests around a copy, the heads any distance apart, with nulls here and there.
#[test]
fn nests_with_heads_any_distance_apart() {
    let nests = [
        // What becomes of a null: a number, a byte by head 1, one of these with something added.
        "[[,}<]-]",
        "[[,}<]--++-]",
        "[[},>],]",
        "[[},>],-]",
        "[[},>]+,,]",
        "[[,}<]-,,-]",
        "[[,}>]}},{{]",
        "[[},<]{{{,}}}+]",
        "[[,{>]{-,}]",
        // Around clumsy copies, which say once more what they have said, or add what is lost.
        "[[,}<,]-]",
        "[[,}<,],]",
        "[[-,}<]-]",
        "[[-,}>],]",
        "[[,}>,]--]",
        "[[,,}<]{,}]",
        "[[+,{<]-]",
        "[[,{>,],+]",
        "[[,}<<,>]-]",
        // Nearly nests.
        "[[,}<]>-]",
        "[[<,}]-]",
        "[[.}<]-]",
        "[[,}<].]",
        "[[+}<,]-]",
        "[[,}<]]",
        "[[[},>],]-]",
    ];
    run_at_every_distance(4, &nests, 4);
}

/// Nests whose first copy, before their loop has jumped back, may change what is behind the loop.
#[test]
fn nests_that_change_before_their_loop_jumps_back() {
    let language: &'static Language = "bff".parse().unwrap();
    let runners: Vec<_> = every_width(language, &Options::default()).collect();
    let mut random = StdRng::seed_from_u64(5);
    for text in [
        "[[,}<]-]",
        "[[,}>] - ]",
        "[[,}>]-++]",
        "[[},>],]",
        "[[},>] , - ]",
        "[[},<]{ , }]",
        "[[,,}<]-]",
        "[[-,}>],]",
    ] {
        let code = language.parse_program(text).unwrap();
        let behind_loop = text.find(']').unwrap() + 1;
        for target in behind_loop..code.len() + 2 {
            for byte in *b"\x00\x01\xff+-,.<>{}[]5" {
                let mut tape: Tape = std::array::from_fn(|_| random.random_range(b'0'..=b'9'));
                let start = random.random_range(2..90);
                tape[start..start + code.len()].copy_from_slice(&code);
                for _ in 0..3 {
                    tape[random.random_range(start + code.len() + 2..TAPE_LEN)] = 0;
                }
                tape[2..start].fill(b'0');
                let head1 = random.random_range(start + code.len() + 3..TAPE_LEN - 12);
                tape[head1 - 1..=head1 + 1].fill(byte);
                if random.random_bool(0.5) {
                    // What is copied next is there already.
                    let rest = code.get(target + 1..).unwrap_or_default();
                    let source = head1 + usize::from(text.starts_with("[[}")) + 1;
                    tape[source..source + rest.len()].copy_from_slice(rest);
                }
                (tape[0], tape[1]) = ((start + target) as u8, head1 as u8);
                for max_steps in [
                    random.random_range(1..400),
                    random.random_range(1..4000),
                    8192,
                ] {
                    check(text, language, &runners, &tape, max_steps);
                }
            }
        }
    }
}

/// Run a tape with `name` on it at every width.
fn check(
    name: &str,
    language: &'static Language,
    runners: &[(&'static str, Runner)],
    tape: &Tape,
    max_steps: u32,
) {
    let expected = Expected::of(name, language, tape, max_steps);
    for (width, runner) in runners {
        expected.check(width, runner);
    }
}

/// Run tapes of numbers with one of `codes` on them, the heads any distance apart, and up to so
/// many nulls. Also bytes that are nearly null, or nearly commands.
fn run_at_every_distance(seed: u64, codes: &[&str], most_nulls: usize) {
    let language: &'static Language = "bff".parse().unwrap();
    let runners: Vec<_> = every_width(language, &Options::default()).collect();
    let mut random = StdRng::seed_from_u64(seed);
    for text in codes {
        let code = language.parse_program(text).unwrap();
        for distance in 0..TAPE_LEN {
            let mut tape: Tape = std::array::from_fn(|_| random.random_range(b'0'..=b'9'));
            if random.random_bool(0.2) {
                for place in tape.iter_mut() {
                    *place = *b"\x00\x01\xff+-Z\\^.,".choose(&mut random).unwrap();
                }
            }
            let head0: usize = random.random_range(0..TAPE_LEN);
            tape[0] = head0 as u8;
            tape[1] = ((head0 + distance) % TAPE_LEN) as u8;
            let start = random.random_range(2..TAPE_LEN - code.len());
            tape[2..start].fill(b'0');
            tape[start..start + code.len()].copy_from_slice(&code);
            for _ in 0..random.random_range(0..=most_nulls) {
                tape[random.random_range(start + code.len()..TAPE_LEN)] = 0;
            }
            for max_steps in [
                random.random_range(1..400),
                random.random_range(1..2000),
                random.random_range(1..4000),
                8192,
            ] {
                check(text, language, &runners, &tape, max_steps);
            }
        }
    }
}
