//! The size that brotli gives, quality 2 and window 24, to the byte.
//!
//! Only the size of the stream is needed, so this follows the C library's encoder without writing a
//! stream: it finds the same copies, builds the same codes, and counts bits. What the encoder
//! decides where RFC 7932 leaves it free (where copies are looked for, when a meta-block ends, how
//! codes are built) was read in google/brotli 1.2.0, which is under the MIT licence. Tests compare
//! with the encoder itself ([`encoder`]).

mod dictionary;
pub(crate) mod encoder;
mod matching;
mod parse;
mod sizer;
mod symbols;
mod trees;

/// Longest input of the sizer: places fit 32 bits, and behind it the encoder's wrap around.
const LONGEST: usize = 3 << 30;

/// Bytes of the brotli stream of `input` as one buffer: quality 2, window 24, generic.
pub(crate) fn compressed_size(input: &[u8]) -> usize {
    if input.len() <= LONGEST {
        sizer::size(input)
    } else {
        encoder::compressed_size(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::random::mix;
    use crate::soup::Soup;
    use crate::soup::settings::{Settings, World};

    fn assert_equal(input: &[u8], what: &str) {
        let size = compressed_size(input);
        assert_eq!(
            size,
            encoder::compressed_size(input),
            "{what}, {} bytes",
            input.len()
        );
    }

    /// Soups of all languages at several ages, one after the other in each.
    fn soups(num_programs: usize) -> Vec<Vec<u8>> {
        let mut soups = Vec::new();
        for language in Language::ALL {
            let mut soup = Soup::new(Settings {
                num_programs,
                seed: 29,
                ..Settings::usual(language, World::Pairs)
            })
            .unwrap();
            let mut bytes = Vec::new();
            for age in [0, 1, 16, 64] {
                while soup.epochs_done() < age {
                    soup.step();
                }
                bytes.extend_from_slice(soup.programs());
            }
            soups.push(bytes);
        }
        soups
    }

    /// Numbers of one case.
    #[derive(Clone, Copy)]
    struct Draw(u64);

    impl Draw {
        fn at(self, place: usize) -> u64 {
            mix(self.0 ^ mix(place as u64))
        }

        fn below(self, place: usize, limit: usize) -> usize {
            (self.at(place) % limit as u64) as usize
        }
    }

    /// A length: short ones, and those around the ends of blocks.
    fn len_of(draw: Draw) -> usize {
        match draw.below(0, 8) {
            0 => draw.below(1, 40),
            1 => draw.below(1, 3000),
            2 => (1 + draw.below(1, 6)) * 16_384 + draw.below(2, 17) - 8,
            3 => draw.below(1, 300_000),
            4 => 16_384 - 8 + draw.below(1, 16),
            5 => draw.below(1, 65_536),
            6 => draw.below(1, 20) * 4096 + draw.below(2, 3),
            _ => draw.below(1, 20_000),
        }
    }

    /// Append `len` bytes of some kind.
    fn append(bytes: &mut Vec<u8>, len: usize, draw: Draw, soups: &[Vec<u8>]) {
        let byte = |i: usize| draw.at(100 + i) as u8;
        match draw.below(4, 9) {
            0 => bytes.extend((0..len).map(byte)),
            1 => bytes.extend((0..len).map(|_| draw.at(5) as u8)),
            2 => {
                let period = 1 + draw.below(6, 3000);
                bytes.extend((0..len).map(|i| byte(i % period)));
            }
            3 => {
                let values = 2 + draw.below(6, 60) as u8;
                bytes.extend((0..len).map(|i| byte(i) % values));
            }
            4 => {
                let distance = 1 + draw.below(6, [300, 100_000][draw.below(8, 2)]);
                let rate = 1 + draw.below(7, 200);
                for i in 0..len {
                    let copied = bytes.len().checked_sub(distance).map(|place| bytes[place]);
                    let copied = copied.filter(|_| draw.below(100 + i, rate) != 0);
                    bytes.push(copied.unwrap_or_else(|| byte(i)));
                }
            }
            5 => {
                let text = include_bytes!("mod.rs");
                let start = draw.below(7, text.len());
                bytes.extend(text[start..].iter().cycle().take(len));
            }
            6 => bytes.extend((0..len).map(|i| {
                let rare = draw.at(100 + i).is_multiple_of(64);
                if rare { byte(i) >> 3 } else { byte(i) >> 6 }
            })),
            _ => {
                let soup = &soups[draw.below(6, soups.len())];
                let start = draw.below(7, soup.len());
                bytes.extend(soup[start..].iter().cycle().take(len));
            }
        }
    }

    fn compare_cases(cases: std::ops::Range<u64>) {
        let soups = soups(2048);
        for case in cases {
            let draw = Draw(mix(case));
            let len = len_of(draw);
            let mut bytes = Vec::with_capacity(len);
            let parts = if draw.below(9, 3) == 0 {
                1
            } else {
                1 + draw.below(10, 5)
            };
            for part in 1..=parts {
                let rest = len - bytes.len();
                let draw = Draw(draw.at(11 + part));
                let here = if part < parts {
                    draw.below(3, rest + 1)
                } else {
                    rest
                };
                append(&mut bytes, here, draw, &soups);
            }
            assert_equal(&bytes, &format!("case {case}"));
        }
    }

    #[test]
    fn sizes_are_those_of_the_encoder() {
        compare_cases(0..1500);
    }

    #[test]
    #[ignore = "a hundred thousand cases"]
    fn sizes_are_those_of_the_encoder_in_many_cases() {
        compare_cases(0..100_000);
    }

    #[test]
    fn every_short_length_has_the_size_of_the_encoder() {
        let soup = &soups(256)[0];
        for len in (0..600).chain(16_376..16_392).chain(32_760..32_776) {
            assert_equal(&soup[..len.min(soup.len())], "a soup");
            assert_equal(&vec![0; len], "zeros");
            assert_equal(
                &(0..len).map(|i| mix(i as u64) as u8).collect::<Vec<_>>(),
                "noise",
            );
        }
    }

    /// The ring buffer has 32 MiB, a meta-block 16.
    #[test]
    #[ignore = "many megabytes"]
    fn long_inputs_have_the_size_of_the_encoder() {
        let soups = soups(4096);
        for mib in [8, 16, 17, 32, 33, 48, 64, 80] {
            for off in [-1, 0, 1, 4096] {
                let len = ((mib << 20) + off) as usize;
                let noise = |i: usize| mix(i as u64) as u8;
                assert_equal(&vec![7; len], "one byte");
                assert_equal(&(0..len).map(noise).collect::<Vec<_>>(), "noise");
                for period in [(1 << 24) - 17, (1 << 24) - 16, (1 << 24) - 15, 1 << 25] {
                    let again = (0..len).map(|i| noise(i % period));
                    assert_equal(&again.collect::<Vec<_>>(), "noise, as long as the window");
                }
                for soup in &soups {
                    let mut bytes: Vec<u8> = soup.iter().copied().cycle().take(len).collect();
                    for place in (0..len).step_by(61) {
                        bytes[place] ^= (mix(place as u64) % 3) as u8;
                    }
                    assert_equal(&bytes, "a soup, worn");
                }
            }
        }
    }

    #[test]
    fn words_of_the_dictionary_are_found_as_the_encoder_finds_them() {
        let text = "the time and life of people were government: information about the world, \
                    different children, national history. ";
        let mut input = Vec::new();
        for i in 0..3000u64 {
            input.extend(mix(i).to_le_bytes());
            let start = (mix(i) % 60) as usize;
            input.extend(&text.as_bytes()[start..start + 30]);
            assert!(i > 20 || compressed_size(&input) == encoder::compressed_size(&input));
        }
        assert_equal(&input, "words");
        let words = dictionary::every_word();
        assert!(words.len() > 13_000, "{}", words.len());
        for (i, word) in words.iter().enumerate() {
            let input = [&mix(i as u64).to_le_bytes()[..], word, b"12345678"].concat();
            assert_equal(&input, "a word");
        }
    }
}
