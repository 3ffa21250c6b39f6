//! Mutations of a case that a fuzzer hardly ever makes by flipping bits: loops, nested loops,
//! copies of one program in the other, bytes one step away from commands, heads about to wrap,
//! limits that end right here.

use broth::language::{Family, Language, PROGRAM_LEN, Role, TAPE_LEN, Tape};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::case::{Case, MAX_STEPS};

/// Maximum number of tapes in a case.
pub const MOST_TAPES: usize = 6;

/// Mutate the input in the first `size` bytes of `data`; returns its new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = StdRng::seed_from_u64(seed.into());
    let mut case = Case::read(&data[..size], MOST_TAPES);
    for _ in 0..random.random_range(1..=4) {
        change(&mut case, &mut random);
    }
    let bytes = case.to_bytes();
    let len = bytes.len().min(max_size);
    data[..len].copy_from_slice(&bytes[..len]);
    len
}

fn change(case: &mut Case, random: &mut StdRng) {
    let language = case.language();
    let which = random.random_range(0..case.tapes.len());
    let tape = &mut case.tapes[which];
    match random.random_range(0..16) {
        0..3 => put(tape, &[command(language, random)], random),
        3..6 => put(tape, &a_loop(language, random), random),
        6 => {
            // A loop around existing bytes.
            let (first, last) = two_places(random);
            if let Some([open, close]) = brackets(language) {
                (tape[first], tape[last]) = (open, close);
            } else {
                tape[last] = back(last - first);
            }
        }
        7 => {
            // Moves far enough to wrap, or initial heads on the tape.
            let moves: Vec<u8> = commands(language, &[Role::Move, Role::MoveSecond]);
            if moves.is_empty() || random.random() {
                tape[0] = [0, 1, 63, 64, 126, 127, 128, 255][random.random_range(0..8)];
                tape[1] = [0, 1, 63, 64, 126, 127, 128, 255][random.random_range(0..8)];
            } else {
                let run = vec![moves[random.random_range(0..moves.len())]; 24];
                put(tape, &run[..random.random_range(1..=24)], random);
            }
        }
        8 => {
            // A byte that an increment or a decrement turns into a command.
            let byte = command(language, random);
            let byte = byte.wrapping_add([1, 255][random.random_range(0..2)]);
            put(tape, &[byte], random);
        }
        9 => {
            // A copy in the other program, or a mirrored one.
            let mut half: [u8; PROGRAM_LEN] = std::array::from_fn(|i| tape[i]);
            if random.random() {
                half.reverse();
            }
            tape[PROGRAM_LEN..].copy_from_slice(&half);
        }
        10 => {
            // Nulls, or no nulls.
            let (first, last) = two_places(random);
            let byte = if random.random() { 0 } else { random.random() };
            tape[first..=last].fill(byte);
        }
        11 => {
            // A part of it copied a few places on.
            let (first, last) = two_places(random);
            let to = random.random_range(0..TAPE_LEN - (last - first));
            tape.copy_within(first..=last, to);
        }
        12 => {
            // The same tape except for one byte: close to what native code exists for.
            let mut other = *tape;
            put(&mut other, &[command(language, random)], random);
            if case.tapes.len() < MOST_TAPES {
                case.tapes.push(other);
            }
        }
        13 => {
            case.steps = match random.random_range(0..4) {
                0 => random.random_range(0..=300),
                1 => MAX_STEPS - random.random_range(0..=300),
                2 => case.steps.wrapping_add(1),
                _ => random.random_range(0..=MAX_STEPS),
            }
        }
        14 => case.options = random.random(),
        _ => {
            if random.random_bool(0.2) {
                case.language = random.random_range(0..Language::ALL.len() as u8);
            } else {
                tape[random.random_range(0..TAPE_LEN)] = random.random();
            }
        }
    }
}

/// Write bytes to the tape somewhere, as far as they fit.
fn put(tape: &mut Tape, bytes: &[u8], random: &mut StdRng) {
    let place = random.random_range(0..TAPE_LEN);
    for (to, byte) in tape[place..].iter_mut().zip(bytes) {
        *to = *byte;
    }
}

fn two_places(random: &mut StdRng) -> (usize, usize) {
    let first = random.random_range(0..TAPE_LEN - 1);
    let last = (first + random.random_range(1..48)).min(TAPE_LEN - 1);
    (first, last)
}

/// The bytes that have one of these roles.
fn commands(language: &'static Language, roles: &[Role]) -> Vec<u8> {
    let has = |byte: &u8| roles.contains(&language.kind(*byte).role);
    (0..=255).filter(has).collect()
}

/// Any byte that does something, with all roles equally likely.
fn command(language: &'static Language, random: &mut StdRng) -> u8 {
    const ROLES: [Role; 8] = [
        Role::Open,
        Role::Close,
        Role::Arithmetic,
        Role::Copy,
        Role::Read,
        Role::Move,
        Role::MoveSecond,
        Role::Number,
    ];
    let bytes = commands(language, &[ROLES[random.random_range(0..ROLES.len())]]);
    match bytes.len() {
        0 => 0,
        len => bytes[random.random_range(0..len)],
    }
}

/// `[` and `]`, if the language has them.
fn brackets(language: &'static Language) -> Option<[u8; 2]> {
    let Family::Bff(dialect) = &language.family else {
        return None;
    };
    let [open, close, ..] = *dialect.commands();
    // bff8 has no `[`: its `]` jumps by eight.
    Some([open.unwrap_or(0), close?])
}

/// A Forth jump back by this many places.
fn back(distance: usize) -> u8 {
    0xc0 | (distance as u8).wrapping_sub(1) % 64
}

/// A loop of a few commands with or without no-ops between.
fn a_loop(language: &'static Language, random: &mut StdRng) -> Vec<u8> {
    let room = random.random_bool(0.3);
    let mut bytes = Vec::new();
    for _ in 0..random.random_range(0..=7) {
        bytes.push(command(language, random));
        if room && random.random_bool(0.3) {
            bytes.push(b'a');
        }
    }
    match brackets(language) {
        Some([open, close]) => {
            bytes.insert(0, open);
            bytes.push(close);
        }
        None => bytes.push(back(bytes.len())),
    }
    bytes
}
