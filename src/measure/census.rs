//! A census of a soup: which programs there are most of.

use std::collections::HashMap;
use std::ops::Range;

use super::copying::copying_loop;
use super::replicators::{CUBFF_THRESHOLD, Partners, Scorer, knierim_threshold};
use crate::Error;
use crate::language::Language;
use crate::random::Streams;

/// Programs that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[must_use]
pub struct Census {
    /// Groups of programs of the same bytes, the largest first.
    pub programs: Vec<Group>,
    /// Groups of programs of the same skeleton: the same kinds of bytes.
    pub skeletons: Vec<Group>,
}

impl Census {
    /// Count the programs of a soup. Of groups of one size the one of the lowest index comes
    /// first.
    pub fn of(language: &Language, programs: &[u8]) -> Result<Census, Error> {
        if !programs.len().is_multiple_of(language.program_len) {
            return Err(Error::Usage(format!(
                "{} bytes are no soup of programs of {}",
                programs.len(),
                language.program_len
            )));
        }
        let kind_of = language.kind_numbers();
        let kinds: Vec<u8> = programs
            .iter()
            .map(|byte| kind_of[usize::from(*byte)])
            .collect();
        Ok(Census {
            programs: group(language.program_len, programs, programs),
            skeletons: group(language.program_len, programs, &kinds),
        })
    }
}

/// The commonest replicator of a soup, it and its mirror image counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Winner {
    /// The commoner one of the two.
    pub group: Group,
    /// Its score as a replicator.
    pub score: u8,
}

impl Group {
    /// Whether the program is its own mirror image.
    pub fn is_its_mirror(&self) -> bool {
        self.program.iter().eq(self.program.iter().rev())
    }

    /// How many programs are this one or its mirror image.
    pub fn both_strands(&self) -> u64 {
        if self.is_its_mirror() {
            self.count
        } else {
            self.count + self.mirrored
        }
    }
}

impl Census {
    /// The commonest program that scores three quarters of its length or more, it and its mirror
    /// image counted together; if there is none, the commonest that cubff counts as a replicator.
    /// The soup is that of `streams` after `epochs_done` epochs. Looked at are the thousand
    /// commonest of those of which there are two or more.
    pub fn winner(
        &self,
        language: &'static Language,
        scorer: &Scorer,
        streams: &Streams,
        epochs_done: u64,
    ) -> Result<Option<Winner>, Error> {
        const MOST_SCORED: usize = 1000;
        let num_programs: u64 = self.programs.iter().map(|group| group.count).sum();
        let mut groups: Vec<&Group> = self.programs.iter().collect();
        groups.retain(|group| group.both_strands() > 1);
        // Groups come in order of their counts and indices.
        groups.sort_by_key(|group| std::cmp::Reverse(group.both_strands()));
        let mut second = None;
        for group in groups.into_iter().take(MOST_SCORED) {
            let epoch = epochs_done.saturating_sub(1);
            let partners =
                Partners::of(language, streams, num_programs as usize, epoch, group.index);
            let score = scorer.agreement(&group.program, &partners)?.score();
            let winner = || Winner {
                group: group.clone(),
                score,
            };
            if score >= knierim_threshold(language.program_len) {
                return Ok(Some(winner()));
            }
            if score >= CUBFF_THRESHOLD && second.is_none() {
                second = Some(winner());
            }
        }
        Ok(second)
    }
}

/// Groups of programs of `len` bytes whose `keys`, which are as long, are the same.
pub(crate) fn group(len: usize, programs: &[u8], keys: &[u8]) -> Vec<Group> {
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

/// Bytes in a row that a soup holds again and again, wherever they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sequence {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How often they come, where none of them belongs to a commoner sequence.
    pub count: u64,
    /// Bytes of the soup that lie in one of them and in no commoner sequence.
    pub covered: u64,
}

/// The commonest sequences of `len` bytes in `stretches` of a soup, `most` of them: what copies
/// itself on a long tape begins anywhere. The commonest comes first; it takes its bytes away
/// from all others, and so does the next. Of several that are as common, the first in order of
/// their bytes comes first.
pub fn sequences<'a>(
    stretches: impl Iterator<Item = &'a [u8]> + Clone,
    len: usize,
    most: usize,
) -> Vec<Sequence> {
    let mut free: Vec<Vec<bool>> = stretches.clone().map(|it| vec![true; it.len()]).collect();
    let mut found = Vec::new();
    while found.len() < most && len > 0 {
        let mut counts: HashMap<&[u8], u64> = HashMap::new();
        for (stretch, free) in stretches.clone().zip(&free) {
            for (bytes, free) in stretch.windows(len).zip(free.windows(len)) {
                if free.iter().all(|free| *free) {
                    *counts.entry(bytes).or_default() += 1;
                }
            }
        }
        let commonest = counts
            .into_iter()
            .max_by_key(|(bytes, count)| (*count, std::cmp::Reverse(*bytes)));
        let Some((bytes, count)) = commonest else {
            break;
        };
        let mut covered = 0;
        for (stretch, free) in stretches.clone().zip(&mut free) {
            let was_free = free.clone();
            let places = (0..stretch.len().saturating_sub(len - 1))
                .filter(|at| stretch[*at..at + len] == *bytes);
            for at in places {
                if was_free[at..at + len].iter().all(|free| *free) {
                    free[at..at + len].fill(false);
                }
            }
            let now_free = free.iter().filter(|free| **free).count();
            covered += (was_free.iter().filter(|free| **free).count() - now_free) as u64;
        }
        found.push(Sequence {
            bytes: bytes.to_vec(),
            count,
            covered,
        });
    }
    found
}

/// What there is to say of one program of a soup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
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
    ) -> Result<Portrait, Error> {
        let epoch = epochs_done.saturating_sub(1);
        let partners = Partners::of(language, streams, num_programs, epoch, index);
        let score = scorer.agreement(program, &partners)?.score();
        let tape = [program, partners.first()].concat();
        Ok(Portrait {
            score,
            copying_loop: copying_loop(language, &tape, language.max_steps)?
                .filter(|places| places.end <= program.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::PROGRAM_LEN;
    use crate::language::bff::BFF_NOHEADS;

    #[test]
    fn sequences_take_their_bytes() {
        let soup: &[u8] = b"abcabcabc_xyxy";
        let bytes = |found: Vec<Sequence>| -> Vec<_> {
            let one = |s: Sequence| (String::from_utf8(s.bytes).unwrap(), s.count, s.covered);
            found.into_iter().map(one).collect()
        };
        let found = bytes(sequences([soup].into_iter(), 3, 2));
        assert_eq!(found, [("abc".into(), 3, 9), ("_xy".into(), 1, 3)]);
        // Overlapping ones cover what they cover.
        let found = bytes(sequences([&b"aaaaa"[..]].into_iter(), 2, 9));
        assert_eq!(found, [("aa".into(), 4, 5)]);
        // None reaches from one stretch to the next; there may be none.
        let found = bytes(sequences([&b"ab"[..], &b"ab"[..]].into_iter(), 2, 9));
        assert_eq!(found, [("ab".into(), 2, 4)]);
        assert_eq!(sequences([&b"ab"[..]].into_iter(), 3, 9), []);
    }

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
        let census = Census::of(&BFF_NOHEADS, &soup).unwrap();
        let counts = |groups: &[Group]| -> Vec<_> {
            let group = |g: &Group| (g.count, g.index, g.mirrored);
            groups.iter().map(group).collect()
        };
        let programs = [(3, 1, 1), (1, 0, 0), (1, 2, 0), (1, 4, 3)];
        assert_eq!(counts(&census.programs), programs);
        assert_eq!(counts(&census.skeletons), [(4, 1, 1), (1, 0, 0), (1, 4, 4)]);
        assert_eq!(census.skeletons[0].program, a);
        // A mirror image of itself.
        let census = Census::of(&BFF_NOHEADS, &[7; 2 * PROGRAM_LEN]).unwrap();
        assert_eq!(counts(&census.programs), [(2, 0, 2)]);
        assert!(Census::of(&BFF_NOHEADS, &[7; 2 * PROGRAM_LEN + 1]).is_err());
    }
}
