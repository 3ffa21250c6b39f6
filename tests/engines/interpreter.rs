//! The interpreter against the reference engine: same tape, same outcome, for
//! tapes of every sort and any number of steps.

use crate::common::engines::{Natives, Walk, bff_dialects, check};
use crate::common::share;
use std::ops::ControlFlow;

use broth::bench::soups::{Recipe, Sort};
use broth::engine::{Options, every_width, reference};
use broth::language::bff::{COMMANDS, Dialect, Op};
use broth::language::{Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// With many budgets: few, many, and where the full run ends, give or take.
fn check_budgets(language: &'static Language, tape: &Tape, random: &mut StdRng) {
    let Outcome { steps, .. } = check(language, tape, 8192);
    let around = [steps.saturating_sub(1), steps, steps + 1];
    let any = std::array::from_fn::<u32, 6, _>(|_| random.random_range(0..=steps.max(1)));
    for max_steps in [0, 1].into_iter().chain(around).chain(any) {
        check(language, tape, max_steps);
    }
}

/// The bytes of the commands that a dialect has, in the order of [`Op`].
pub(super) fn command_bytes(dialect: &Dialect) -> Vec<u8> {
    let all = &Op::ALL[..COMMANDS.len()];
    all.iter().filter_map(|op| dialect.byte_of(*op)).collect()
}

/// Ops as dense as asked for, in all; the rest any bytes, or nulls.
#[test]
fn random_tapes_of_every_density() {
    let mut random = StdRng::seed_from_u64(1);
    for (language, dialect) in bff_dialects() {
        let commands = command_bytes(dialect);
        for density in [0.04, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0] {
            for round in 0..share(300) {
                let tape: Tape = std::array::from_fn(|_| {
                    if random.random_bool(density) {
                        *commands.choose(&mut random).unwrap()
                    } else if round % 2 == 0 {
                        random.random()
                    } else {
                        0
                    }
                });
                check_budgets(language, &tape, &mut random);
            }
        }
    }
}

/// Few sorts of commands a tape: most make loops that go on.
#[test]
fn tapes_of_few_commands() {
    let mut random = StdRng::seed_from_u64(2);
    for (language, dialect) in bff_dialects() {
        let commands = command_bytes(dialect);
        for _ in 0..share(2500) {
            let tape = tape_of_few_commands(&mut random, &commands);
            check_budgets(language, &tape, &mut random);
        }
    }
}

pub(super) fn tape_of_few_commands(random: &mut StdRng, commands: &[u8]) -> Tape {
    let mut few = vec![commands[0], commands[1]];
    few.extend((0..random.random_range(1..4)).map(|_| commands.choose(random).unwrap()));
    few.extend((0..random.random_range(0..3)).map(|_| random.random::<u8>()));
    std::array::from_fn(|_| *few.choose(random).unwrap())
}

/// Of the tapes above some are run by native code; here all of another draw are.
#[test]
#[ignore = "takes minutes"]
fn more_random_tapes_by_native_code() {
    let mut random = StdRng::seed_from_u64(6);
    for (language, dialect) in bff_dialects() {
        let commands = command_bytes(dialect);
        let mut natives = Natives::new(language);
        for round in 0..6000 {
            let density = [0.1, 0.4, 0.6, 1.0][round % 4];
            let mut few = commands.clone();
            if round % 3 > 0 {
                few.truncate(2);
                few.extend((0..3).map(|_| *commands.choose(&mut random).unwrap()));
            }
            let tape: Tape = std::array::from_fn(|_| match random.random_bool(density) {
                true => *few.choose(&mut random).unwrap(),
                false => random.random(),
            });
            let walk = Walk::new(language, dialect, &tape, 300);
            natives.check(&walk.expected("a tape", 8192));
            for max_steps in (0..walk.steps()).chain([1000, 5000]) {
                natives.check_as_it_is(&walk.expected("a tape", max_steps));
            }
        }
    }
}

/// Bodies of loops, of every closed form and others.
pub(super) const BODIES: [&str; 38] = [
    "", "<", ">", "{", "}", "<<", ">>>", "<{", ">}", ".<{", ".>}", ".<}", ".>{", "<.}", "{.>",
    ",<{", ",>}", ",<}", ",>{", "<,}", ">,{", "{,>", "}.<", "{.<>>", "<,}.", "+", "-", "+>", "-<",
    "->+<", "+>-", ".>}+", ",.", ".}<,>", ">+", ">>.}}", "<,", ">,",
];

/// Tapes around loops of every closed form.
#[test]
fn tapes_grown_around_loops() {
    let mut random = StdRng::seed_from_u64(3);
    for (language, dialect) in bff_dialects() {
        for body in BODIES {
            for round in 0..share(120) as u64 {
                let tape = tape_around_a_loop(&mut random, dialect, body, round);
                check_budgets(language, &tape, &mut random);
            }
        }
    }
}

/// A loop of a few commands with room between, somewhere on a tape of few or many nulls,
/// by the `round`, heads anywhere.
pub(super) fn tape_around_a_loop(
    random: &mut StdRng,
    dialect: &Dialect,
    body: &str,
    round: u64,
) -> Tape {
    let fill = match round % 4 {
        0 => 0.0,
        1 => 0.02,
        2 => 0.5,
        _ => 1.0,
    };
    let mut tape: Tape = std::array::from_fn(|_| {
        if random.random_bool(fill) {
            0
        } else {
            random.random_range(b'a'..=b'z')
        }
    });
    let mut text = "<>{}".repeat(4);
    text.truncate(random.random_range(0..=text.len()));
    let text: Vec<char> = text
        .chars()
        .filter(|_| random.random_bool(0.5))
        .chain(std::iter::once('['))
        .chain(body.chars())
        .chain(std::iter::once(']'))
        .collect();
    let mut place = random.random_range(0..TAPE_LEN);
    for char in text {
        let index = COMMANDS.iter().position(|c| *c == char).unwrap();
        let Some(byte) = dialect.commands()[index] else {
            continue;
        };
        if place < TAPE_LEN {
            tape[place] = byte;
        }
        place += 1;
        if random.random_bool(0.15) {
            place += random.random_range(1..8);
        }
    }
    if random.random_bool(0.3) {
        tape[0] = random.random();
        tape[1] = random.random();
    }
    tape
}

/// Pairs of real soups: young ones, old ones without life, and living ones, of
/// replicators that were planted (those of three languages do not take over).
#[test]
fn tapes_of_real_soups() {
    let cache = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(4);
    for language in Language::ALL {
        let known = !language.name.contains("subleq");
        let alive = if known { 2048 } else { 300 };
        for (sort, epochs) in [
            (Sort::Random, 1),
            (Sort::Prelife, 300),
            (Sort::Alive, alive),
        ] {
            let recipe = Recipe {
                language,
                num_programs: 512,
                seed: 561,
                sort,
                epochs,
            };
            let soup = recipe
                .prepare(cache.path(), &mut |_| ControlFlow::Continue(()))
                .unwrap()
                .unwrap();
            let stays_dead = ["forthtrivial_reset", "rsubleq4", "subleq"];
            let as_asked = soup.as_asked || stays_dead.contains(&language.name);
            assert!(as_asked, "{language} does not come alive");
            let (programs, _) = soup.checkpoint.programs.as_chunks::<PROGRAM_LEN>();
            for _ in 0..150 {
                let mut tape = [0; TAPE_LEN];
                for half in tape.chunks_mut(PROGRAM_LEN) {
                    half.copy_from_slice(programs.choose(&mut random).unwrap());
                }
                check_budgets(language, &tape, &mut random);
            }
        }
    }
}

/// Tapes that are run together, more and fewer than are classified at once.
#[test]
fn many_tapes_at_once() {
    let mut random = StdRng::seed_from_u64(5);
    for language in Language::ALL {
        for count in 0..=33 {
            let tapes: Vec<Tape> = (0..count).map(|_| random.random()).collect();
            for max_steps in [0, 100, 8192] {
                let mut expected_tapes = tapes.clone();
                let run = |tape| reference::run(language, tape, max_steps);
                let expected: Vec<Outcome> = expected_tapes.iter_mut().map(run).collect();
                for (width, runner) in every_width(language, &Options::default()) {
                    let (mut tapes, mut outcomes) = (tapes.clone(), expected.clone());
                    outcomes.fill(Outcome::default());
                    runner.run_all(&mut tapes, max_steps, &mut outcomes);
                    let alike = tapes == expected_tapes && outcomes == expected;
                    assert!(alike, "{language}, {width}, {count} tapes");
                }
            }
        }
    }
}

/// The last of the widths is the one that every machine has.
#[test]
fn every_language_has_the_portable_width() {
    for language in Language::ALL {
        let names: Vec<_> = every_width(language, &Options::default())
            .map(|(n, _)| n)
            .collect();
        assert_eq!(names.last(), Some(&"portable"), "{language}");
    }
}
