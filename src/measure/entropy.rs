//! What the bytes of a soup measure: Shannon entropy, brotli bits per byte, and the difference
//! of both, high-order entropy.

use super::brotli;

/// High-order entropy above which a soup counts as alive, in bits per byte.
pub const ALIVE: f32 = 3.0;

/// What the bytes of a soup measure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Measures {
    /// How often each byte occurs.
    pub counts: [u64; 256],
    /// Shannon entropy of the bytes taken one by one, in bits per byte.
    pub byte_entropy: f64,
    /// Bytes that brotli makes of the whole soup (quality 2, window 24).
    pub brotli_size: usize,
    /// Brotli's bits per byte.
    pub brotli_bpb: f64,
    /// High-order entropy: byte entropy minus brotli's bits per byte. What
    /// the bytes have in common beyond their frequencies; near 0 in a random
    /// soup, above [`ALIVE`] in one that replicators have taken over.
    pub high_order_entropy: f32,
}

impl Measures {
    /// Measure the bytes of a soup.
    ///
    /// # Panics
    ///
    /// Where there are none: no soup is empty, and nothing has no entropy.
    pub fn of(bytes: &[u8]) -> Measures {
        assert!(!bytes.is_empty(), "a soup of no bytes has no measures");
        let counts = count(bytes);
        let len = bytes.len() as f64;
        let byte_entropy = counts
            .iter()
            .filter(|count| **count > 0)
            .map(|count| *count as f64 / len)
            .fold(0.0, |entropy, share| entropy - share * share.log2());
        let brotli_size = brotli::compressed_size(bytes);
        let brotli_bpb = brotli_size as f64 * 8.0 / len;
        Measures {
            counts,
            byte_entropy,
            brotli_size,
            brotli_bpb,
            high_order_entropy: (byte_entropy - brotli_bpb) as f32,
        }
    }

    /// Whether the soup counts as alive.
    pub fn is_alive(&self) -> bool {
        self.high_order_entropy > ALIVE
    }

    /// The commonest bytes, each with its share of the soup; the lower byte
    /// first where two are equally common.
    pub fn commonest(&self) -> Vec<(u8, f64)> {
        let total: u64 = self.counts.iter().sum();
        let mut bytes: Vec<u8> = (0..=255).collect();
        bytes.sort_by_key(|byte| std::cmp::Reverse(self.counts[*byte as usize]));
        bytes
            .into_iter()
            .map(|byte| (byte, self.counts[byte as usize] as f64 / total as f64))
            .collect()
    }
}

fn count(bytes: &[u8]) -> [u64; 256] {
    // Tables in turn: equal bytes in a row would wait for each other.
    let mut tables = [[0u32; 256]; 4];
    let mut counts = [0; 256];
    // In chunks that no table's count overflows with.
    for chunk in bytes.chunks(1 << 30) {
        let (words, rest) = chunk.as_chunks();
        for word in words {
            let word = u64::from_le_bytes(*word);
            for place in 0..8 {
                tables[place % 4][(word >> (8 * place) & 0xff) as usize] += 1;
            }
        }
        for byte in rest {
            tables[0][usize::from(*byte)] += 1;
        }
        for (byte, count) in counts.iter_mut().enumerate() {
            *count += tables
                .iter_mut()
                .map(|table| u64::from(std::mem::take(&mut table[byte])))
                .sum::<u64>();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_bytes() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
        let measures = Measures::of(&bytes);
        assert_eq!(measures.byte_entropy, 8.0);
        assert!(measures.high_order_entropy > 7.0);
        assert_eq!(measures.commonest()[0], (0, 1.0 / 256.0));
        let zeros = Measures::of(&[0; 131]);
        assert_eq!(zeros.byte_entropy, 0.0);
        assert_eq!(zeros.counts[0], 131);
    }
}
