//! The interpreter against the reference engine: same tape, same outcome, for
//! tapes of every sort and any number of steps.

use broth::engine::{interpreter, reference};
use broth::language::bff::{COMMANDS, Dialect, Op};
use broth::language::{Family, Language, Outcome, PROGRAM_LEN, TAPE_LEN, Tape};
use broth::{Settings, Soup};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

fn check(language: &Language, tape: &Tape, max_steps: u32) {
    let (mut expected_tape, mut actual_tape) = (*tape, *tape);
    let expected = reference::run(language, &mut expected_tape, max_steps);
    let actual = interpreter::run(language, &mut actual_tape, max_steps);
    assert!(
        expected == actual && expected_tape == actual_tape,
        "{language}, {max_steps} steps, {}\nreference   {expected:?}\n{}\ninterpreter {actual:?}\n{}",
        language.program_text(tape),
        language.program_text(&expected_tape),
        language.program_text(&actual_tape),
    );
}

/// With many budgets: few, many, and where the full run ends, give or take.
fn check_budgets(language: &Language, tape: &Tape, random: &mut StdRng) {
    let Outcome { steps, .. } = {
        let mut tape = *tape;
        reference::run(language, &mut tape, 8192)
    };
    let around = [steps.saturating_sub(1), steps, steps + 1];
    let any = std::array::from_fn::<u32, 6, _>(|_| random.random_range(0..=steps.max(1)));
    for max_steps in [0, 1, 8192].into_iter().chain(around).chain(any) {
        check(language, tape, max_steps);
    }
}

fn bff_dialects() -> impl Iterator<Item = (&'static Language, &'static Dialect)> {
    Language::ALL
        .into_iter()
        .filter_map(|language| match &language.family {
            Family::Bff(dialect) => Some((language, dialect)),
            _ => None,
        })
}

/// The bytes of the commands that a dialect has, in the order of [`Op`].
fn command_bytes(dialect: &Dialect) -> Vec<u8> {
    let all = &Op::ALL[..COMMANDS.len()];
    all.iter().filter_map(|op| dialect.byte_of(*op)).collect()
}

/// Ops as dense as asked for, in all; the rest any bytes, or nulls.
#[test]
fn random_tapes_of_every_density() {
    let mut random = StdRng::seed_from_u64(1);
    for (language, dialect) in bff_dialects() {
        let commands = command_bytes(dialect);
        for density in [0.04, 0.1, 0.25, 0.5, 0.75, 1.0] {
            for round in 0..400 {
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
        for _ in 0..2500 {
            let mut few = vec![commands[0], commands[1]];
            few.extend(
                (0..random.random_range(1..4)).map(|_| commands.choose(&mut random).unwrap()),
            );
            few.extend((0..random.random_range(0..3)).map(|_| random.random::<u8>()));
            let tape: Tape = std::array::from_fn(|_| *few.choose(&mut random).unwrap());
            check_budgets(language, &tape, &mut random);
        }
    }
}

/// Tapes around loops of every closed form: a loop of a few commands with
/// room between, somewhere on a tape of few or many nulls, heads anywhere.
#[test]
fn tapes_grown_around_loops() {
    let mut random = StdRng::seed_from_u64(3);
    let bodies = [
        "", "<", ">", "{", "}", "<<", ">>>", "<{", ">}", ".<{", ".>}", ".<}", ".>{", "<.}", "{.>",
        ",<{", ",>}", ",<}", ",>{", "<,}", ">,{", "{,>", "}.<", "{.<>>", "<,}.", "+", "-", "+>",
        "-<", "->+<", "+>-", ".>}+", ",.", ".}<,>", ">+", ">>.}}", "<,", ">,",
    ];
    for (language, dialect) in bff_dialects() {
        for body in bodies {
            for round in 0..120 {
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
                check_budgets(language, &tape, &mut random);
            }
        }
    }
}

/// Pairs of real soups: young ones, and small ones that a replicator took over.
#[test]
fn tapes_of_real_soups() {
    let mut random = StdRng::seed_from_u64(4);
    for language in Language::ALL {
        let planted = match &language.family {
            Family::Bff(_) if language.name != "bff_selfmove" => {
                language.parse_program("[[{.>]-]]-]>.{[[").unwrap()
            }
            _ => Vec::new(),
        };
        for (epochs, initial_program) in [(1, Vec::new()), (300, Vec::new()), (250, planted)] {
            let mut soup = Soup::new(Settings {
                language,
                num_programs: 512,
                seed: 561,
                initial_program,
                ..Settings::default()
            })
            .unwrap();
            for _ in 0..epochs {
                soup.step();
            }
            let (programs, _) = soup.programs().as_chunks::<PROGRAM_LEN>();
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
