//! Numbers that tell programs apart: of their bytes, and of the kinds of their bytes.

use rayon::prelude::*;

use crate::language::Language;
use crate::random::mix;

/// A 64-bit hash of some bytes: the same for the same bytes, on every machine and in every
/// release that keeps it. Two of a million different programs have the same one by a chance of
/// one in thirty million.
pub fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain(std::iter::once(&last));
    words.fold(mix(bytes.len() as u64), |hash, word| {
        mix(hash ^ u64::from_le_bytes(*word))
    })
}

/// Tells the classes of programs of a language: programs are of one class if the kinds of their
/// bytes are the same, place by place.
#[derive(Clone, Debug)]
pub struct Classes {
    kinds: [u8; 256],
}

impl Classes {
    /// Those of `language`.
    pub fn of(language: &Language) -> Classes {
        Classes {
            kinds: language.kind_numbers(),
        }
    }

    /// The class of a program: [`hash`] of the numbers of its kinds.
    pub fn class(&self, program: &[u8]) -> u64 {
        // Programs are short.
        let mut kinds = [0; crate::language::PROGRAM_LEN];
        if program.len() <= kinds.len() {
            for (kind, byte) in kinds.iter_mut().zip(program) {
                *kind = self.kinds[usize::from(*byte)];
            }
            return hash(&kinds[..program.len()]);
        }
        let kinds = program.iter().map(|byte| self.kinds[usize::from(*byte)]);
        hash(&kinds.collect::<Vec<u8>>())
    }
}

/// The [`hash`] of each program of a soup, on all threads.
pub fn hashes(language: &Language, programs: &[u8]) -> Vec<u64> {
    programs
        .par_chunks_exact(language.program_len)
        .map(hash)
        .collect()
}

/// The class of each program of a soup, on all threads.
pub fn classes(language: &Language, programs: &[u8]) -> Vec<u64> {
    let classes = Classes::of(language);
    programs
        .par_chunks_exact(language.program_len)
        .map(|program| classes.class(program))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::BFF_NOHEADS;

    #[test]
    fn hashes_tell_bytes_places_and_lengths_apart() {
        let all: [&[u8]; 7] = [
            b"",
            b"\0",
            b"\0\0",
            b"a",
            b"abcdefgh",
            b"abcdefgh\0",
            b"habcdefg",
        ];
        let hashes: std::collections::HashSet<u64> = all.map(hash).into();
        assert_eq!(hashes.len(), all.len());
        // They are in tables, and must stay.
        assert_eq!(hash(b"abcdefgh"), 0xb789_4ec9_05dc_2dfc);
    }

    #[test]
    fn programs_of_the_same_kinds_are_of_one_class() {
        let programs = |text: &[u8]| {
            let mut program = [b'x'; 64];
            program[..text.len()].copy_from_slice(text);
            program
        };
        let soup = [programs(b"[a]"), programs(b"[b]"), programs(b"[b}")].concat();
        let [a, b, c] = classes(&BFF_NOHEADS, &soup)[..] else {
            panic!("three programs");
        };
        assert!(a == b && b != c);
        let [a, b, c] = hashes(&BFF_NOHEADS, &soup)[..] else {
            panic!("three programs");
        };
        assert!(a != b && b != c && a != c);
        assert_eq!(a, hash(&soup[..64]));
        // As long as no program is, too.
        let classes = Classes::of(&BFF_NOHEADS);
        assert_eq!(classes.class(&[b'a'; 200]), classes.class(&[b'b'; 200]));
    }
}
