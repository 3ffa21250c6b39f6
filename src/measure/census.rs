//! A census of a soup: which programs there are most of.

use std::collections::HashMap;
use std::ops::Range;

use super::copying::copying_loop;
use super::replicators::{Partners, Scorer};
use crate::language::{Language, PROGRAM_LEN};
use crate::random::Streams;

/// Programs that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many there are.
    pub count: u64,
    /// The lowest index of one.
    pub index: usize,
    /// The one of that index.
    pub program: Vec<u8>,
    /// How many programs of the soup are its mirror image, by the measure that the group is
    /// of: its bytes, or their kinds, in the opposite order. Itself included, where it is.
    pub mirrored: u64,
}

/// The programs of a soup, grouped.
#[derive(Clone, Debug)]
pub struct Census {
    /// Groups of programs of the same bytes, the largest first.
    pub programs: Vec<Group>,
    /// Groups of programs of the same skeleton: the same kinds of bytes.
    pub skeletons: Vec<Group>,
}

impl Census {
    /// Count the programs of a soup. Of groups of one size the one of the lowest index comes
    /// first.
    pub fn of(language: &Language, programs: &[u8]) -> Census {
        let kind_of = language.kind_numbers();
        let kinds: Vec<u8> = programs
            .iter()
            .map(|byte| kind_of[usize::from(*byte)])
            .collect();
        Census {
            programs: group(language.program_len, programs, programs),
            skeletons: group(language.program_len, programs, &kinds),
        }
    }
}

/// Groups of programs of `len` bytes whose `keys`, which are as long, are the same.
fn group(len: usize, programs: &[u8], keys: &[u8]) -> Vec<Group> {
    #[derive(Default)]
    struct Found {
        count: u64,
        index: usize,
    }
    let mut found: HashMap<&[u8], Found> = HashMap::new();
    // From behind, so that the lowest index stays.
    for (index, key) in keys.chunks_exact(len).enumerate().rev() {
        let found = found.entry(key).or_default();
        (found.count, found.index) = (found.count + 1, index);
    }
    let mut groups: Vec<Group> = found
        .iter()
        .map(|(key, Found { count, index })| {
            let mut mirror = key.to_vec();
            mirror.reverse();
            Group {
                count: *count,
                index: *index,
                program: programs[index * len..][..len].to_vec(),
                mirrored: found.get(&mirror[..]).map_or(0, |found| found.count),
            }
        })
        .collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.index));
    groups
}

/// What there is to say of one program of a soup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portrait {
    /// Its score as a replicator.
    pub score: u8,
    /// The places of its loop that changes most bytes when it is run beside the first of its
    /// partners, where that is a loop of its own.
    pub copying_loop: Option<Range<usize>>,
}

impl Portrait {
    /// Of the program number `index` of `num_programs`, `epochs_done` epochs from the start.
    pub fn of(
        language: &Language,
        scorer: &Scorer,
        streams: &Streams,
        num_programs: usize,
        epochs_done: u64,
        (index, program): (usize, &[u8]),
    ) -> Portrait {
        let place = (num_programs, epochs_done, index);
        match language.program_len {
            16 => Portrait::paint::<16>(language, scorer, streams, place, program),
            32 => Portrait::paint::<32>(language, scorer, streams, place, program),
            _ => Portrait::paint::<PROGRAM_LEN>(language, scorer, streams, place, program),
        }
    }

    fn paint<const L: usize>(
        language: &Language,
        scorer: &Scorer,
        streams: &Streams,
        (num_programs, epochs_done, index): (usize, u64, usize),
        bytes: &[u8],
    ) -> Portrait {
        let mut program = [0; L];
        program[..bytes.len().min(L)].copy_from_slice(&bytes[..bytes.len().min(L)]);
        let epoch = epochs_done.saturating_sub(1);
        let partners = Partners::of(streams, num_programs, epoch, index);
        let tape = [program, partners.programs()[0]];
        Portrait {
            score: scorer.agreement(&program, &partners).score(),
            copying_loop: copying_loop(language, tape.as_flattened(), language.max_steps)
                .filter(|places| places.end <= L),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::bff::BFF_NOHEADS;

    #[test]
    fn programs_are_grouped_by_bytes_and_by_kinds() {
        let program = |text: &[u8]| {
            let mut program = [7; PROGRAM_LEN];
            program[..text.len()].copy_from_slice(text);
            program
        };
        let [a, b, c] = [program(b"[.x"), program(b"[.y"), program(b"]")];
        let mut mirrored = a;
        mirrored.reverse();
        let soup = [c, a, b, a, mirrored, a].concat();
        let census = Census::of(&BFF_NOHEADS, &soup);
        let counts = |groups: &[Group]| -> Vec<_> {
            let group = |g: &Group| (g.count, g.index, g.mirrored);
            groups.iter().map(group).collect()
        };
        let programs = [(3, 1, 1), (1, 0, 0), (1, 2, 0), (1, 4, 3)];
        assert_eq!(counts(&census.programs), programs);
        assert_eq!(counts(&census.skeletons), [(4, 1, 1), (1, 0, 0), (1, 4, 4)]);
        assert_eq!(census.skeletons[0].program, a);
        // A mirror image of itself.
        let census = Census::of(&BFF_NOHEADS, &[7; 2 * PROGRAM_LEN]);
        assert_eq!(counts(&census.programs), [(2, 0, 2)]);
    }
}
