//! What prefix codes cost: their descriptions, and the bits of what they code.
//!
//! The encoder describes codes with a fixed code of code lengths, and builds them by joining the
//! two rarest again and again. Which of two equally common symbols counts as the rarer one decides
//! the lengths, and thereby the size of the description. So symbols are sorted as the encoder
//! sorts them.

/// Longest code that is built.
const MAX_LEN: u8 = 14;

/// Most symbols of an alphabet: the commands.
pub(super) const MAX_SYMBOLS: usize = 704;

/// Gaps of the encoder's Shell sort. It starts with the third where symbols are few.
const GAPS: [usize; 6] = [132, 57, 23, 10, 4, 1];

/// Bits of the description of the fixed code of code lengths.
const FIXED_CODE: u64 = 40;

/// Weights and parents of a tree under construction, kept from one code to the next.
#[derive(Debug)]
pub(super) struct Trees {
    /// Leaves, sorted by weight: weight in the upper half, symbol in the lower.
    leaves: [u64; MAX_SYMBOLS],
    /// Inner nodes in the order in which they were joined, and so by weight.
    inner: [u32; MAX_SYMBOLS],
    /// The inner node above each leaf and each inner node.
    above_leaf: [u16; MAX_SYMBOLS],
    above_inner: [u16; MAX_SYMBOLS],
    /// Depth of each inner node.
    depths: [u8; MAX_SYMBOLS],
    /// Code length of each symbol.
    lens: [u8; MAX_SYMBOLS],
}

impl Trees {
    pub(super) fn new() -> Trees {
        Trees {
            leaves: [0; MAX_SYMBOLS],
            inner: [0; MAX_SYMBOLS],
            above_leaf: [0; MAX_SYMBOLS],
            above_inner: [0; MAX_SYMBOLS],
            depths: [0; MAX_SYMBOLS],
            lens: [0; MAX_SYMBOLS],
        }
    }

    /// Bits of a code for symbols that occur as often as `counts` says, and of these symbols in it.
    /// A symbol by itself takes `symbol_bits`.
    pub(super) fn cost(&mut self, counts: &[u32], symbol_bits: u64) -> u64 {
        let end = counts
            .iter()
            .rposition(|count| *count > 0)
            .map_or(0, |last| last + 1);
        let counts = &counts[..end];
        let used = counts.iter().filter(|count| **count > 0).count();
        if used <= 1 {
            return 4 + symbol_bits;
        }
        let mut floor = 1;
        while !self.build(counts, floor) {
            floor *= 2;
        }
        let lens = &self.lens[..end];
        let coded: u64 = counts
            .iter()
            .zip(lens)
            .map(|(count, len)| u64::from(*count) * u64::from(*len))
            .sum();
        coded
            + if used <= 4 {
                4 + used as u64 * symbol_bits + u64::from(used == 4)
            } else {
                FIXED_CODE + description(lens)
            }
    }

    /// Find code lengths for `counts`, each raised to `floor`. Answers with whether none is too
    /// long.
    fn build(&mut self, counts: &[u32], floor: u32) -> bool {
        let mut n = 0;
        for (symbol, count) in counts.iter().enumerate().rev() {
            if *count > 0 {
                self.leaves[n] = u64::from((*count).max(floor)) << 32 | symbol as u64;
                n += 1;
            }
        }
        sort(&mut self.leaves[..n]);
        self.join(n);
        // The root was joined last; each inner node lies below a later one.
        self.depths[n - 2] = 0;
        for node in (0..n - 2).rev() {
            self.depths[node] = self.depths[usize::from(self.above_inner[node])] + 1;
        }
        self.lens[..counts.len()].fill(0);
        let mut longest = 0;
        for leaf in 0..n {
            let len = self.depths[usize::from(self.above_leaf[leaf])] + 1;
            longest = longest.max(len);
            self.lens[self.leaves[leaf] as u32 as usize] = len;
        }
        longest <= MAX_LEN
    }

    /// Join the two lightest nodes until one is left; a leaf goes before an inner node of the
    /// same weight.
    fn join(&mut self, n: usize) {
        let (mut leaf, mut inner) = (0, 0);
        for joined in 0..n - 1 {
            let mut weight = 0u32;
            for _ in 0..2 {
                let leaf_weight = if leaf < n {
                    (self.leaves[leaf] >> 32) as u32
                } else {
                    u32::MAX
                };
                let inner_weight = if inner < joined {
                    self.inner[inner]
                } else {
                    u32::MAX
                };
                if leaf_weight <= inner_weight {
                    weight += leaf_weight;
                    self.above_leaf[leaf] = joined as u16;
                    leaf += 1;
                } else {
                    weight += inner_weight;
                    self.above_inner[inner] = joined as u16;
                    inner += 1;
                }
            }
            self.inner[joined] = weight;
        }
    }
}

/// Sort leaves by weight alone, equals in the order in which the encoder's sort leaves them.
fn sort(leaves: &mut [u64]) {
    let n = leaves.len();
    let gaps = match n {
        0..13 => &GAPS[5..],
        13..57 => &GAPS[2..],
        _ => &GAPS[..],
    };
    for gap in gaps {
        for i in *gap..n {
            let leaf = leaves[i];
            let mut at = i;
            while at >= *gap && (leaf >> 32) < (leaves[at - gap] >> 32) {
                leaves[at] = leaves[at - gap];
                at -= gap;
            }
            leaves[at] = leaf;
        }
    }
}

/// Bits of a list of code lengths, runs of equal ones shortened.
fn description(lens: &[u8]) -> u64 {
    let mut bits = 0;
    let mut previous = 8;
    for run in lens.chunk_by(|a, b| a == b) {
        let (len, mut times) = (run[0], run.len());
        if len == 0 {
            bits += zeros(times);
            continue;
        }
        let single = if len < 13 { 4 } else { 5 };
        if len != previous {
            bits += single;
            times -= 1;
        }
        bits += if times < 3 {
            times as u64 * single
        } else {
            groups(times - 3, 4) * 6
        };
        previous = len;
    }
    bits
}

/// Bits of a run of zeros.
fn zeros(times: usize) -> u64 {
    match times {
        0..3 => times as u64 * 4,
        // A single one and ten are shorter than two groups.
        11 => 4 + 7,
        _ => groups(times - 3, 8) * 7,
    }
}

/// How many repeat codes a number takes, each of which holds a digit in this base.
fn groups(mut number: usize, base: usize) -> u64 {
    let mut groups = 1;
    while number >= base {
        number = number / base - 1;
        groups += 1;
    }
    groups
}
