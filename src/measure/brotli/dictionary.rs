//! The static dictionary of brotli (RFC 7932, appendix A), and the one word of it that the encoder
//! looks at in a place. Both tables are those of the C library.

use super::matching::{Match, common_len, load32, score};

/// How many words may be cut off, and by how much.
const CUTS: usize = 10;

/// The transform that cuts n bytes off is 4 n + the n-th of these.
const CUT_TRANSFORMS: [usize; CUTS] = [0, 8, 19, 11, 26, 43, 32, 20, 27, 28];

/// Hashes of the first four bytes of words, two for each.
const BUCKETS: usize = 1 << 15;

/// Greatest distance that a stream can hold.
const MAX_DISTANCE: usize = 0x3FF_FFFC;

/// The dictionary as the C library declares it.
#[repr(C)]
struct Words {
    /// log2 of the number of words of each length.
    size_bits: [u8; 32],
    offsets: [u32; 32],
    len: usize,
    bytes: *const u8,
}

unsafe extern "C" {
    #[link_name = "BrotliGetDictionary"]
    safe fn words() -> &'static Words;
    #[link_name = "kStaticDictionaryHashWords"]
    safe static WORD_OF: [u16; BUCKETS];
    #[link_name = "kStaticDictionaryHashLengths"]
    safe static LEN_OF: [u8; BUCKETS];
}

/// The dictionary, and how often looking into it has helped.
#[derive(Debug)]
pub(super) struct Dictionary {
    size_bits: &'static [u8; 32],
    offsets: &'static [u32; 32],
    bytes: &'static [u8],
    lookups: usize,
    matches: usize,
}

impl Dictionary {
    pub(super) fn new() -> Dictionary {
        let words = words();
        Dictionary {
            size_bits: &words.size_bits,
            offsets: &words.offsets,
            // SAFETY: the library says so many bytes are there, in a constant.
            bytes: unsafe { std::slice::from_raw_parts(words.bytes, words.len) },
            lookups: 0,
            matches: 0,
        }
    }

    /// Whether there are lookups still: the encoder gives them up once fewer than one in 128 has
    /// helped.
    pub(super) fn is_in_use(&self) -> bool {
        self.matches >= self.lookups >> 7
    }

    /// The word that `input` goes on with, if it is worth as much as `least`. Distances from
    /// `farthest` on are those of words.
    pub(super) fn find(&mut self, input: &[u8], farthest: usize, least: usize) -> Option<Match> {
        if !self.is_in_use() {
            return None;
        }
        self.lookups += 1;
        let bucket = (load32(input, 0).wrapping_mul(0x1E35_A7BD) >> 18 << 1) as usize;
        let len = usize::from(LEN_OF[bucket]);
        if len == 0 || len > input.len() {
            return None;
        }
        let word = usize::from(WORD_OF[bucket]);
        let start = self.offsets[len] as usize + len * word;
        let matching = common_len(&self.bytes[start..start + len], &input[..len]);
        let cut = len - matching;
        if matching == 0 || cut >= CUTS {
            return None;
        }
        let transform = 4 * cut + CUT_TRANSFORMS[cut];
        let distance = farthest + 1 + word + (transform << self.size_bits[len]);
        let score = score(matching, distance);
        if distance > MAX_DISTANCE || score < least {
            return None;
        }
        self.matches += 1;
        Some(Match {
            len: matching,
            coded: len,
            distance,
            score,
        })
    }
}

/// Every word of the dictionary.
#[cfg(test)]
pub(super) fn every_word() -> Vec<&'static [u8]> {
    let dictionary = Dictionary::new();
    let of_len = |len: usize| {
        let start = dictionary.offsets[len] as usize;
        let end = dictionary.offsets[len + 1] as usize;
        dictionary.bytes[start..end].chunks_exact(len)
    };
    (4..25).flat_map(of_len).collect()
}
