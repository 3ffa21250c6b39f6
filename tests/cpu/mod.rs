//! The Z80 and the 8080: every opcode against an independent emulator, corner cases by the
//! letter, and whole tapes.

mod corners;
mod exercisers;
mod names;
mod opcodes;
mod tapes;

use broth::random::mix;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        let random = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        random
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
