//! Tapes to try: of any bytes, with ops as dense as may be, and their mutants.

use super::draw::Draw;
use crate::language::bff::Op as BffOp;
use crate::language::forth::Op as ForthOp;
use crate::language::{Family, Language, PROGRAM_LEN, Role, TAPE_LEN, Tape};

/// What a language's bytes are good for when tapes are drawn.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    /// Those that do something, each command as often as any other.
    commands: Vec<u8>,
    /// Those that do nothing, or data where every byte does something; nulls are among them.
    data: Vec<u8>,
    is_data: [bool; 256],
    /// Those that become a command, or another one, by 1 more or less.
    near: Vec<u8>,
    /// The byte that a tape is filled with where nothing matters: a no-op, or zero.
    noop: u8,
}

impl Bytes {
    /// Those of `language`.
    pub(super) fn of(language: &Language) -> Bytes {
        let is_noop = |byte: u8| matches!(language.kind(byte).role, Role::Noop | Role::Null);
        let all = 0..=255;
        let commands: Vec<u8> = match &language.family {
            Family::Bff(dialect) => dialect.commands().iter().flatten().copied().collect(),
            Family::Forth(dialect) | Family::RelativeForth(dialect) => {
                let is_plain = |op| !matches!(op, ForthOp::Noop | ForthOp::Constant);
                let ops = (0..0x40).filter(|byte| is_plain(dialect.op(*byte)));
                // Jumps and constants, so that each is about as likely as an op.
                ops.chain([
                    0x40, 0x41, 0x47, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc5, 0xff,
                ])
                .collect()
            }
            _ => all.clone().filter(|byte| !is_noop(*byte)).collect(),
        };
        let data: Vec<u8> = match all.clone().filter(|byte| is_noop(*byte)).collect() {
            // Few or no bytes do nothing: any will do.
            few if Vec::len(&few) < 8 => all.clone().collect(),
            many => many,
        };
        let kind = |byte: u8| language.kind(byte).symbol;
        let near = |byte: &u8| kind(*byte) != kind(byte.wrapping_add(1));
        let mut near: Vec<u8> = all.clone().filter(near).collect();
        let above: Vec<u8> = near.iter().map(|byte| byte.wrapping_add(1)).collect();
        near.extend(above);
        Bytes {
            commands,
            is_data: std::array::from_fn(|byte| data.contains(&(byte as u8))),
            data,
            near,
            noop: noop(language),
        }
    }

    /// One that does something.
    pub(super) fn command(&self, draw: &mut Draw) -> u8 {
        draw.of(&self.commands)
    }

    /// One that does nothing, where the language has such.
    pub(super) fn data(&self, draw: &mut Draw) -> u8 {
        draw.of(&self.data)
    }

    /// One next to another kind.
    pub(super) fn near(&self, draw: &mut Draw) -> u8 {
        draw.of(&self.near)
    }

    /// See the field.
    pub(super) fn noop(&self) -> u8 {
        self.noop
    }

    /// Whether `byte` counts as one that does nothing.
    pub(super) fn is_data(&self, byte: u8) -> bool {
        self.is_data[usize::from(byte)]
    }
}

/// The no-op of `language`, or zero where it has none.
pub(super) fn noop(language: &Language) -> u8 {
    match &language.family {
        Family::Bff(dialect) => {
            let noop = dialect.byte_of(BffOp::Noop);
            noop.unwrap_or(0)
        }
        Family::Forth(dialect) | Family::RelativeForth(dialect) => dialect.first_noop(),
        _ => 0,
    }
}

/// Chances in 16 that a byte is a command, of the tapes that are not of any bytes.
const DENSITIES: [usize; 8] = [1, 2, 4, 6, 8, 10, 13, 16];

/// A tape as a soup of random bytes has them.
pub(super) fn any_bytes(draw: &mut Draw) -> Tape {
    let mut tape = [0; TAPE_LEN];
    draw.fill(&mut tape);
    tape
}

/// A tape of commands, as dense as drawn, and other bytes between.
pub(super) fn of_density(bytes: &Bytes, draw: &mut Draw) -> Tape {
    let density = draw.of(&DENSITIES);
    // Few sorts of commands make loops that go on.
    let few: Vec<u8> = match draw.below(3) {
        0 => (0..draw.between(2, 6))
            .map(|_| bytes.command(draw))
            .collect(),
        _ => bytes.commands.clone(),
    };
    let between = draw.below(4);
    std::array::from_fn(|_| match draw.below(16) < density {
        true => draw.of(&few),
        false => match between {
            0 => 0,
            1 => bytes.noop,
            2 => draw.byte(),
            _ => bytes.data(draw),
        },
    })
}

/// Change `tape` a little: so that it means the same and has other data, or so that a byte or two
/// mean something else, or a whole program does.
pub(super) fn mutate(bytes: &Bytes, tape: &mut Tape, draw: &mut Draw) {
    match draw.below(16) {
        0..6 => {
            // Native code is found by commands alone, so that of the original runs this.
            let share = draw.of(&[1, 3, 8, 16]);
            let only_nulls = draw.one_in(3);
            for byte in tape {
                if bytes.is_data(*byte) && draw.below(16) < share {
                    *byte = if only_nulls { 0 } else { bytes.data(draw) };
                }
            }
        }
        6 => {
            // Where the heads start, in languages that have that on the tape.
            for byte in &mut tape[..2] {
                *byte = match draw.below(3) {
                    0 => draw.of(&[0, 1, 2, 3, 62, 63, 64, 65, 125, 126, 127, 128, 255]),
                    _ => draw.byte(),
                };
            }
        }
        7..10 => tape[draw.below(TAPE_LEN)] = draw.byte(),
        10 | 11 => tape[draw.below(TAPE_LEN)] = bytes.command(draw),
        12 => {
            let byte = &mut tape[draw.below(TAPE_LEN)];
            *byte = byte.wrapping_add(draw.of(&[1, 255]));
        }
        13 => {
            // A part of it a few places on, over what is there.
            let first = draw.below(TAPE_LEN - 1);
            let len = draw.between(1, 40).min(TAPE_LEN - first);
            tape.copy_within(first..first + len, draw.below(TAPE_LEN - len + 1));
        }
        14 => tape.rotate_right(draw.between(1, 3)),
        _ => {
            // A copy of the left program in the right one, as life makes them, or mirrored.
            let (left, right) = tape.split_at_mut(PROGRAM_LEN);
            right.copy_from_slice(left);
            if draw.one_in(2) {
                right.reverse();
            }
        }
    }
}

/// The limits of steps that a run is most likely to end at, or anywhere.
pub(super) fn limit(draw: &mut Draw) -> u32 {
    const SPECIAL: [usize; 14] = [0, 1, 2, 7, 15, 16, 17, 31, 33, 127, 128, 257, 8191, 20_000];
    let limit = match draw.below(8) {
        0 => draw.of(&SPECIAL),
        1 | 2 => draw.below(200),
        3 | 4 => draw.below(1200),
        5 => draw.below(8192),
        _ => 8192,
    };
    limit as u32
}
