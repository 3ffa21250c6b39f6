//! The parse: which bytes are literals, and which are copied from where.
//!
//! A table remembers for each hash of five bytes where they were last. The encoder keeps only the
//! place, and looks there to see what it has found: a cache miss at nearly every look-up. Here
//! four bytes are kept beside the place, which tell nearly always.

use super::dictionary::Dictionary;
use super::matching::{BASE, Match, load32, load64, match_len, score};
use super::symbols::{Command, Tally};
use crate::engine::simd::prefetch;

/// Greatest distance of a copy.
const WINDOW: usize = (1 << 24) - 16;

/// log2 of how many hashes there are.
const HASH_BITS: u32 = 16;

/// What a match must be worth more than.
const LEAST: usize = BASE + 100;

/// How much more the next place's match must be worth to be taken instead.
const LAZY: usize = 175;

/// Literals in a row after which places are left out.
const SPREE: usize = 64;

/// Places that are looked up ahead.
const AHEAD: usize = 2;

/// Bytes that a look-up may read.
const LOOKAHEAD: usize = 8;

/// Where five bytes were last, and the first four of them.
#[derive(Clone, Copy, Debug)]
struct Entry(u64);

impl Entry {
    fn new(place: usize, bytes: u64) -> Entry {
        Entry(bytes << 32 | place as u64)
    }

    fn place(self) -> usize {
        self.0 as u32 as usize
    }

    /// Whether `bytes` begin with the same four.
    fn begins_like(self, bytes: u64) -> bool {
        (self.0 >> 32) as u32 == bytes as u32
    }
}

/// What is known of the bytes so far.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    input: &'a [u8],
    table: Box<[Entry; 1 << HASH_BITS]>,
    dictionary: Dictionary,
    /// The last four distances, the newest first.
    pub distances: [usize; 4],
    /// The command before, not counted yet: it may still be extended. Its literals end at the
    /// place beside it.
    pending: Option<(Command, usize)>,
    /// Literals since the command before.
    pub inserted: usize,
    /// Literals of the commands since the meta-block's beginning.
    pub num_literals: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(input: &'a [u8]) -> Parser<'a> {
        // Place 0 is what the table holds where it holds nothing.
        let first = if input.len() < 4 { 0 } else { load32(input, 0) };
        let empty = Entry::new(0, u64::from(first));
        Parser {
            input,
            table: vec![empty; 1 << HASH_BITS]
                .into_boxed_slice()
                .try_into()
                .expect("its length"),
            dictionary: Dictionary::new(),
            distances: [4, 11, 15, 16],
            pending: None,
            inserted: 0,
            num_literals: 0,
        }
    }

    /// Parse the bytes from `start` to `end`, counting commands in `tally`. `beyond` is what the
    /// encoder sees behind them.
    pub(super) fn parse(&mut self, start: usize, end: usize, beyond: u8, tally: &mut Tally) {
        if end - start >= 7 && start >= 3 {
            for place in start - 3..start {
                self.store(place);
            }
        }
        let start = self.extend(start, end);
        if self.dictionary.is_in_use() {
            self.parse_block::<true>(start, end, beyond, tally);
        } else {
            self.parse_block::<false>(start, end, beyond, tally);
        }
    }

    /// Count the commands that are left, at the end of a meta-block. Answers with the number of
    /// literals in it.
    pub(super) fn finish(&mut self, end: usize, tally: &mut Tally) -> usize {
        self.count_pending(tally);
        if self.inserted > 0 {
            tally.add_last(&self.input[end - self.inserted..end]);
            self.num_literals += self.inserted;
            self.inserted = 0;
        }
        std::mem::take(&mut self.num_literals)
    }

    /// How many commands there are that the tally does not know of.
    pub(super) fn num_pending(&self) -> usize {
        usize::from(self.pending.is_some())
    }

    fn count_pending(&mut self, tally: &mut Tally) {
        if let Some((command, at)) = self.pending.take() {
            tally.add(&self.input[at - command.inserted..at], &command);
        }
    }

    /// Have a copy that ended at `start` go on, as far as it does.
    fn extend(&mut self, start: usize, end: usize) -> usize {
        let Some((command, _)) = &mut self.pending else {
            return start;
        };
        let distance = self.distances[0];
        let farthest = (start - command.copied).min(WINDOW);
        let is_last = command.distance_code < 16 || command.distance_code - 15 == distance;
        if self.inserted > 0 || !is_last || distance > farthest {
            return start;
        }
        let more = match_len(
            &self.input[start - distance..end - distance],
            &self.input[start..end],
        );
        command.copied += more;
        command.coded += more;
        start + more
    }

    fn hash(bytes: u64) -> usize {
        ((bytes << 24).wrapping_mul(0x1FE3_5A7B_D357_9BD3) >> (64 - HASH_BITS)) as usize
    }

    fn store(&mut self, place: usize) {
        let bytes = load64(self.input, place);
        self.table[Self::hash(bytes)] = Entry::new(place, bytes);
    }

    /// The match that the encoder finds at `place` and remembers the place. It must have the byte
    /// `probe` behind it, which is there as `byte`, and is at most `max_len` long.
    #[inline(always)]
    fn find<const DICTIONARY: bool>(
        &mut self,
        place: usize,
        probe: usize,
        byte: u8,
        max_len: usize,
    ) -> Option<Match> {
        let input = self.input;
        let bytes = load64(input, place);
        let key = Self::hash(bytes);
        let entry = std::mem::replace(&mut self.table[key], Entry::new(place, bytes));
        let here = &input[place..place + max_len];
        let last = self.distances[0];
        if last <= place {
            let before = place - last;
            if load32(input, before) == bytes as u32 && input[before + probe] == byte {
                let len = match_len(&input[before..before + max_len], here);
                let score = BASE + 135 * len + 15;
                if len >= 4 {
                    return Some(Match {
                        len,
                        coded: len,
                        distance: last,
                        score,
                    });
                }
            }
        }
        let begins_alike = entry.begins_like(bytes);
        if !DICTIONARY && !begins_alike {
            return None;
        }
        let before = entry.place();
        let distance = place - before;
        if distance == 0 || distance > WINDOW || input[before + probe] != byte {
            return None;
        }
        if begins_alike {
            let len = match_len(&input[before..before + max_len], here);
            let score = score(len, distance);
            if len >= 4 && score > LEAST {
                return Some(Match {
                    len,
                    coded: len,
                    distance,
                    score,
                });
            }
        }
        if DICTIONARY {
            return self.dictionary.find(here, place.min(WINDOW), LEAST);
        }
        None
    }

    fn parse_block<const DICTIONARY: bool>(
        &mut self,
        start: usize,
        end: usize,
        beyond: u8,
        tally: &mut Tally,
    ) {
        let mut place = start;
        let store_end = if end - start >= LOOKAHEAD {
            end - LOOKAHEAD + 1
        } else {
            start
        };
        let mut sparse_from = start + SPREE;
        let byte_at = |input: &[u8], at: usize| if at < end { input[at] } else { beyond };
        while place + LOOKAHEAD < end {
            let found = self.find::<DICTIONARY>(place, 0, self.input[place], end - place);
            let Some(mut found) = found.filter(|found| found.score > LEAST) else {
                place += 1;
                self.inserted += 1;
                if place > sparse_from {
                    let step = if place > sparse_from + 4 * SPREE {
                        4
                    } else {
                        2
                    };
                    let jump = (place + 4 * step).min(end - 7);
                    while place < jump {
                        self.store(place);
                        place += step;
                        self.inserted += step;
                    }
                }
                continue;
            };
            for _ in 0..4 {
                let max_len = end - place - 1;
                let probe = (found.len - 1).min(max_len);
                let byte = byte_at(self.input, place + 1 + probe);
                match self.find::<DICTIONARY>(place + 1, probe, byte, max_len) {
                    Some(next) if next.score >= found.score + LAZY => {
                        place += 1;
                        self.inserted += 1;
                        found = next;
                    }
                    _ => break,
                }
                if place + LOOKAHEAD >= end {
                    break;
                }
            }
            sparse_from = place + 2 * found.len + SPREE;
            self.take(place, &found, tally);
            let copied_to = place + found.len;
            self.prefetch(copied_to, end);
            let to = copied_to.min(store_end);
            let mut from = place + 2;
            if found.distance < found.len >> 2 {
                from = to.min(from.max(copied_to - (found.distance << 2)));
            }
            if from < to {
                for (i, bytes) in self.input[from..to + 7].windows(8).enumerate() {
                    let bytes = load64(bytes, 0);
                    self.table[Self::hash(bytes)] = Entry::new(from + i, bytes);
                }
            }
            place = copied_to;
        }
        self.inserted += end - place;
    }

    /// Fetch what will be looked at from `place` on, while there is something else to do.
    #[inline(always)]
    fn prefetch(&self, place: usize, end: usize) {
        if place + AHEAD + LOOKAHEAD <= end {
            for place in place..place + AHEAD {
                let entry = self.table[Self::hash(load64(self.input, place))];
                prefetch(&self.input[entry.place()]);
            }
        }
    }

    /// Take a match at `place`.
    fn take(&mut self, place: usize, found: &Match, tally: &mut Tally) {
        self.count_pending(tally);
        let farthest = place.min(WINDOW);
        let code = self.distance_code(found.distance, farthest);
        if found.distance <= farthest && code > 0 {
            let [a, b, c, _] = self.distances;
            self.distances = [found.distance, a, b, c];
        }
        let command = Command {
            inserted: self.inserted,
            copied: found.len,
            coded: found.coded,
            distance_code: code,
        };
        self.pending = Some((command, place));
        self.num_literals += self.inserted;
        self.inserted = 0;
    }

    /// A short code, or the distance + 15. Distances beyond `farthest` are words.
    fn distance_code(&self, distance: usize, farthest: usize) -> usize {
        // Codes of the last distance minus 3 to plus 3, and likewise of the one before.
        const NEAR_LAST: [usize; 7] = [8, 6, 4, 0, 5, 7, 9];
        const NEAR_SECOND: [usize; 7] = [14, 12, 10, 1, 11, 13, 15];
        if distance <= farthest {
            let [last, second, third, fourth] = self.distances;
            let (near_last, near_second) = (
                (distance + 3).wrapping_sub(last),
                (distance + 3).wrapping_sub(second),
            );
            if distance == last {
                return 0;
            } else if distance == second {
                return 1;
            } else if let Some(code) = NEAR_LAST.get(near_last) {
                return *code;
            } else if let Some(code) = NEAR_SECOND.get(near_second) {
                return *code;
            } else if distance == third {
                return 2;
            } else if distance == fourth {
                return 3;
            }
        }
        distance + 15
    }
}
