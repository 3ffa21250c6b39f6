//! The instructions that every machine has.

use super::vectors::{Vectors, Work};
use crate::language::{TAPE_LEN, Tape};

/// Eight bytes in a word, on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portable;

impl Vectors for Portable {
    type Loaded = [u64; TAPE_LEN / 8];

    unsafe fn assume() -> Portable {
        Portable
    }

    #[inline(always)]
    fn run<W: Work<Portable>>(self, work: W) -> W::Output {
        work.run(self)
    }

    #[inline(always)]
    fn load(self, tape: &Tape, mask: u8) -> Self::Loaded {
        let (words, _) = tape.as_chunks::<8>();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]) & repeat(mask))
    }

    #[inline(always)]
    fn equal(self, loaded: &Self::Loaded, byte: u8) -> u128 {
        const LOW7: u64 = repeat(0x7f);
        let mut places = 0;
        for (i, word) in loaded.iter().enumerate() {
            let differing = word ^ repeat(byte);
            // The top bit of each byte that is zero, and of no other.
            let zero = !(((differing & LOW7) + LOW7) | differing | LOW7);
            // Gathers the eight top bits in the top byte.
            let bits = (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            places |= u128::from(bits) << (8 * i);
        }
        places
    }
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}
