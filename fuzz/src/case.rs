//! A case: some tapes of one language, a step limit, and options for native code.

use broth::engine::{Options, jit};
use broth::language::{Language, TAPE_LEN, Tape};

/// Bytes before the tapes.
const HEADER_LEN: usize = 4;
/// The highest step limit, which is also the usual one.
pub const MAX_STEPS: u16 = 8192;

/// The meaning of the bytes of an input; any bytes are valid:
///
/// | byte | content |
/// | --- | --- |
/// | 0 | the language, as a place in [`Language::every`] |
/// | 1, 2 | the step limit, low byte first |
/// | 3 | how native code is made, see [`Case::native`] |
/// | from 4 on | tapes of 128 bytes, of which shorter ones take the first; what is missing of the last one is null |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    pub language: u8,
    pub steps: u16,
    pub options: u8,
    pub tapes: Vec<Tape>,
}

impl Case {
    /// Read any bytes, but at most this many tapes; there is always at least one.
    pub fn read(bytes: &[u8], most_tapes: usize) -> Case {
        let header = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let rest = bytes.get(HEADER_LEN..).unwrap_or_default();
        let mut tapes: Vec<Tape> = rest
            .chunks(TAPE_LEN)
            .take(most_tapes)
            .map(|chunk| std::array::from_fn(|i| chunk.get(i).copied().unwrap_or(0)))
            .collect();
        if tapes.is_empty() {
            tapes.push([0; TAPE_LEN]);
        }
        Case {
            language: header(0),
            steps: u16::from_le_bytes([header(1), header(2)]),
            options: header(3),
            tapes,
        }
    }

    /// The bytes that [`Case::read`] reads it from.
    pub fn to_bytes(&self) -> Vec<u8> {
        let [low, high] = self.steps.to_le_bytes();
        let mut bytes = vec![self.language, low, high, self.options];
        bytes.extend(self.tapes.as_flattened());
        bytes
    }

    pub fn language(&self) -> &'static Language {
        let every: Vec<_> = Language::every().collect();
        every[usize::from(self.language) % every.len()]
    }

    pub fn max_steps(&self) -> u32 {
        u32::from(self.steps % (MAX_STEPS + 1))
    }

    /// How to compile and keep native code: of programs and loops or of loops only, at once or
    /// after some iterations, in a cache of any size. `None` for about every other case, since
    /// compiling takes longer than everything else.
    pub fn native(&self) -> Option<Options> {
        let of_four = |shift: u8| usize::from(self.options >> shift) % 4;
        if of_four(0) < 2 {
            return None;
        }
        let threshold = [1, 1, 3, 40][of_four(6)];
        Some(Options {
            closed_forms: self.options.count_ones() % 4 != 1,
            jit: jit::Options {
                thresholds: jit::Thresholds::AT_ONCE
                    .loops(threshold)
                    .programs(if of_four(0) == 2 { threshold } else { u32::MAX })
                    .backoff([0, 0, 1, 5][of_four(4)]),
                least: jit::Tier::Programs,
                // Enough for a generation or two, or for everything.
                cache_bytes: [64 << 20, 64 << 20, 60_000, 1][of_four(2)],
            },
        })
    }
}
