//! Blocks and meta-blocks (RFC 7932, section 9): where the encoder begins new ones, and how they
//! are stored.

use super::parse::Parser;
use super::symbols::Tally;
use super::trees::Trees;

/// Bytes that are parsed at once.
const BLOCK: usize = 1 << 14;

/// Most bytes of a meta-block.
const MAX_META_BLOCK: usize = 1 << 24;

/// Literals and commands from which a meta-block ends with its block.
const MAX_SYMBOLS: usize = 0x2FFF;

/// Bytes that the encoder's ring buffer holds.
const RING: usize = 1 << 25;

/// Bits of the header of a stream with a window of 24 bits.
const STREAM_HEADER: u64 = 4;

/// How many bytes of `input` the encoder turns into how many.
pub(super) fn size(input: &[u8]) -> usize {
    if input.is_empty() {
        return 1;
    }
    let mut parser = Parser::new(input);
    let mut tally = Tally::new();
    let mut trees = Trees::new();
    let mut bits = STREAM_HEADER;
    let mut saved_distances = parser.distances;
    let mut begun_at = 0;
    for start in (0..input.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(input.len());
        // Behind a block, the ring buffer holds zeros, and later what it held one round ago.
        let beyond = end.checked_sub(RING).map_or(0, |place| input[place]);
        parser.parse(start, end, beyond, &mut tally);
        let is_last = end == input.len();
        let num_commands = tally.num_commands() + parser.num_pending();
        let fits = end - begun_at + BLOCK <= MAX_META_BLOCK;
        if !is_last && fits && parser.num_literals + num_commands < MAX_SYMBOLS {
            continue;
        }
        let num_literals = parser.finish(&mut tally);
        let block = MetaBlock {
            bytes: &input[begun_at..end],
            is_last,
            num_literals,
        };
        let (bits_then, is_stored) = block.append(bits, &tally, &mut trees);
        bits = bits_then;
        if is_stored {
            parser.distances = saved_distances;
        }
        saved_distances = parser.distances;
        tally.clear();
        begun_at = end;
    }
    bits.div_ceil(8) as usize
}

struct MetaBlock<'a> {
    bytes: &'a [u8],
    is_last: bool,
    num_literals: usize,
}

impl MetaBlock<'_> {
    /// How many bits there are once this follows `bits`, and whether its bytes are stored as they
    /// are.
    fn append(&self, bits: u64, tally: &Tally, trees: &mut Trees) -> (u64, bool) {
        if !self.is_worth_coding(tally.num_commands()) {
            return (self.append_stored(bits), true);
        }
        // ISLAST, ISEMPTY or ISUNCOMPRESSED, and 13 zeros: one block of each kind, no contexts.
        let coded = bits + 2 + self.len_bits() + 13 + tally.cost(trees);
        let coded = if self.is_last {
            coded.next_multiple_of(8)
        } else {
            coded
        };
        // What is measured includes bits that wait for their byte to be full.
        if self.bytes.len() as u64 + 4 < coded / 8 - bits / 8 {
            return (self.append_stored(bits), true);
        }
        (coded, false)
    }

    /// As above, with the bytes as they are.
    fn append_stored(&self, bits: u64) -> u64 {
        let header = bits + 1 + self.len_bits() + 1;
        let stored = header.next_multiple_of(8) + 8 * self.bytes.len() as u64;
        if self.is_last { stored + 8 } else { stored }
    }

    /// Bits of MNIBBLES and MLEN.
    fn len_bits(&self) -> u64 {
        let bits = (self.bytes.len() - 1).checked_ilog2().unwrap_or(0) + 1;
        2 + u64::from(bits.max(16).next_multiple_of(4))
    }

    /// Whether the encoder tries at all: it does not where hardly anything is copied and every
    /// thirteenth byte looks random.
    fn is_worth_coding(&self, num_commands: usize) -> bool {
        let len = self.bytes.len();
        if len <= 2 {
            return false;
        }
        if num_commands >= (len >> 8) + 2 || self.num_literals as f64 <= 0.99 * len as f64 {
            return true;
        }
        let mut counts = [0; 256];
        for byte in self.bytes.iter().step_by(13) {
            counts[usize::from(*byte)] += 1;
        }
        entropy(&counts) <= len as f64 * 7.92 * (1.0 / 13.0)
    }
}

/// The entropy of `counts` in bits, at least one for each, summed in the encoder's order.
fn entropy(counts: &[u32; 256]) -> f64 {
    let mut sum = 0;
    let mut entropy = 0.0;
    for count in counts {
        sum += count;
        entropy -= f64::from(*count) * log2(*count);
    }
    if sum > 0 {
        entropy += f64::from(sum) * log2(sum);
    }
    entropy.max(f64::from(sum))
}

/// log2, of small numbers as the encoder's table has it: rounded to 24 bits.
fn log2(number: u32) -> f64 {
    match number {
        0 => 0.0,
        1..256 => f64::from(f64::from(number).log2() as f32),
        _ => f64::from(number).log2(),
    }
}
