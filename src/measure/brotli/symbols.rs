//! The symbols of a meta-block: literals, commands and distances (RFC 7932, sections 4 and 5), of
//! which only numbers are kept.

use super::trees::{MAX_SYMBOLS, Trees};

/// Commands up to which a meta-block uses fixed codes for commands and distances.
const FEW_COMMANDS: usize = 128;

/// Bits of the descriptions of these two codes.
const FIXED_CODES: u64 = 59 + 28;

/// Distance codes that stand for recent distances.
const SHORT_CODES: usize = 16;

/// How many distance codes there are.
const DISTANCES: usize = 64;

/// Literals that are inserted, and a copy of earlier bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub inserted: usize,
    /// Bytes that are copied.
    pub copied: usize,
    /// What the copy's length is coded as: more than is copied where a word of the dictionary
    /// is cut off.
    pub coded: usize,
    /// A short code, or the distance + 15.
    pub distance_code: usize,
}

/// How often each symbol occurs, and how many bits come after symbols.
#[derive(Debug)]
pub(super) struct Tally {
    literals: [[u32; 256]; 4],
    commands: [u32; MAX_SYMBOLS],
    distances: [u32; DISTANCES],
    extra_bits: u64,
    num_commands: usize,
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally {
            literals: [[0; 256]; 4],
            commands: [0; MAX_SYMBOLS],
            distances: [0; DISTANCES],
            extra_bits: 0,
            num_commands: 0,
        }
    }

    /// Count a command, its literals apart.
    pub(super) fn add(&mut self, command: &Command) {
        let (distance, distance_bits) = distance_symbol(command.distance_code);
        let insert = insert_code(command.inserted);
        let copy = copy_code(command.coded);
        let symbol = command_symbol(insert, copy, distance == 0);
        self.commands[symbol] += 1;
        self.extra_bits += INSERT_BITS[insert] + COPY_BITS[copy];
        if symbol >= 128 {
            self.distances[distance] += 1;
            self.extra_bits += distance_bits;
        }
        self.num_commands += 1;
    }

    /// Count the last command, which copies nothing.
    pub(super) fn add_last(&mut self, inserted: usize) {
        let insert = insert_code(inserted);
        // Its copy has length 4 and a distance, neither of which is there.
        self.commands[command_symbol(insert, copy_code(4), false)] += 1;
        self.extra_bits += INSERT_BITS[insert];
        self.num_commands += 1;
    }

    #[inline(always)]
    pub(super) fn add_literal(&mut self, literal: u8) {
        self.literals[0][usize::from(literal)] += 1;
    }

    pub(super) fn add_literals(&mut self, literals: &[u8]) {
        let mut fours = literals.chunks_exact(4);
        // Four counters of each, so that none waits for the one before.
        for four in &mut fours {
            for (counts, literal) in self.literals.iter_mut().zip(four) {
                counts[usize::from(*literal)] += 1;
            }
        }
        for literal in fours.remainder() {
            self.add_literal(*literal);
        }
    }

    /// How many commands there are.
    pub(super) fn num_commands(&self) -> usize {
        self.num_commands
    }

    /// Bits of codes and symbols.
    pub(super) fn cost(&self, trees: &mut Trees) -> u64 {
        let [a, b, c, d] = &self.literals;
        let mut literals = [0; 256];
        for (value, count) in literals.iter_mut().enumerate() {
            *count = a[value] + b[value] + c[value] + d[value];
        }
        let mut bits = self.extra_bits + trees.cost(&literals, 8);
        if self.num_commands <= FEW_COMMANDS {
            let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
            let (common, rare) = self.commands.split_at(448);
            bits += FIXED_CODES + sum(common) * 9 + sum(rare) * 11 + sum(&self.distances) * 6;
        } else {
            bits += trees.cost(&self.commands, 10) + trees.cost(&self.distances, 6);
        }
        bits
    }

    pub(super) fn clear(&mut self) {
        *self = Tally::new();
    }
}

/// Extra bits after each insert length code.
const INSERT_BITS: [u64; 24] = [
    0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 12, 14, 24,
];

/// Extra bits after each copy length code.
const COPY_BITS: [u64; 24] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 24,
];

/// Insert lengths whose codes are in a table.
const SHORT_INSERTS: usize = 130;

/// Copy lengths whose codes are in a table.
const SHORT_COPIES: usize = 134;

/// Codes of short lengths: which of the ranges one is in is hard to predict.
const INSERT_CODES: [u8; SHORT_INSERTS] = {
    let mut codes = [0; SHORT_INSERTS];
    let mut len = 0;
    while len < SHORT_INSERTS {
        codes[len] = long_insert_code(len) as u8;
        len += 1;
    }
    codes
};

const COPY_CODES: [u8; SHORT_COPIES] = {
    let mut codes = [0; SHORT_COPIES];
    let mut len = 2;
    while len < SHORT_COPIES {
        codes[len] = long_copy_code(len) as u8;
        len += 1;
    }
    codes
};

fn insert_code(len: usize) -> usize {
    let code = INSERT_CODES.get(len);
    code.map_or_else(|| long_insert_code(len), |code| usize::from(*code))
}

fn copy_code(len: usize) -> usize {
    let code = COPY_CODES.get(len);
    code.map_or_else(|| long_copy_code(len), |code| usize::from(*code))
}

const fn long_insert_code(len: usize) -> usize {
    match len {
        0..6 => len,
        6..130 => {
            let bits = (len - 2).ilog2() as usize - 1;
            (bits << 1) + ((len - 2) >> bits) + 2
        }
        130..2114 => (len - 66).ilog2() as usize + 10,
        2114..6210 => 21,
        6210..22594 => 22,
        _ => 23,
    }
}

const fn long_copy_code(len: usize) -> usize {
    match len {
        0..10 => len - 2,
        10..134 => {
            let bits = (len - 6).ilog2() as usize - 1;
            (bits << 1) + ((len - 6) >> bits) + 4
        }
        134..2118 => (len - 70).ilog2() as usize + 12,
        _ => 23,
    }
}

/// The symbol of an insert and a copy length code; below 128 where that says that the distance is
/// the last one.
fn command_symbol(insert: usize, copy: usize, is_last_distance: bool) -> usize {
    // Cells of 64 symbols, by insert codes from 0, 8, 16 and copy codes from 0, 8, 16.
    const CELLS: [[usize; 3]; 3] = [[2, 3, 6], [4, 5, 8], [7, 9, 10]];
    let within = (insert & 7) << 3 | (copy & 7);
    let cell = if is_last_distance && insert < 8 && copy < 16 {
        copy >> 3
    } else {
        CELLS[insert >> 3][copy >> 3]
    };
    cell << 6 | within
}

/// The symbol of a distance, and how many bits follow it.
fn distance_symbol(code: usize) -> (usize, u64) {
    if code < SHORT_CODES {
        return (code, 0);
    }
    let distance = code - SHORT_CODES + 4;
    let bits = distance.ilog2() as usize - 1;
    let half = distance >> bits & 1;
    (SHORT_CODES + 2 * (bits - 1) + half, bits as u64)
}
