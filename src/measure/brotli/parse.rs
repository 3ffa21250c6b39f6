//! The parse: which bytes are literals, and which are copied from where.
//!
//! A table remembers for each hash of five bytes where they were last. The encoder keeps only the
//! place, and looks there to see what it has found: a cache miss at nearly every look-up. Here
//! four bytes are kept beside the place, which tell nearly always.

use super::dictionary::Dictionary;
use super::matching::{BASE, Match, load32, load64, match_len, score};
use super::symbols::{Command, Tally};

/// Greatest distance of a copy.
const WINDOW: usize = (1 << 24) - 16;

/// log2 of how many hashes there are.
const HASH_BITS: u32 = 16;

/// What a match must be worth more than.
const LEAST: usize = BASE + 100;

/// How much more the next place's match must be worth to be taken instead.
const LAZY: usize = 175;

/// How often a match is given up for that at the next place.
const MAX_DELAYS: usize = 4;

/// Literals in a row after which places are left out.
const SPREE: usize = 64;

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
    /// The command before, not counted yet: it may still be extended.
    pending: Option<Command>,
    /// From here on, every place up to the one under way is in the table.
    dense_from: usize,
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
            dense_from: 0,
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
        self.dense_from = start;
        if self.dictionary.is_in_use() {
            self.parse_block::<true>(start, end, beyond, tally);
        } else {
            self.parse_block::<false>(start, end, beyond, tally);
        }
    }

    /// Count the commands that are left, at the end of a meta-block. Answers with the number of
    /// literals in it.
    pub(super) fn finish(&mut self, tally: &mut Tally) -> usize {
        self.count_pending(tally);
        if self.inserted > 0 {
            tally.add_last(self.inserted);
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
        if let Some(command) = self.pending.take() {
            tally.add(&command);
        }
    }

    /// Have a copy that ended at `start` go on, as far as it does.
    fn extend(&mut self, start: usize, end: usize) -> usize {
        let Some(command) = &mut self.pending else {
            return start;
        };
        let distance = self.distances[0];
        let farthest = (start - command.copied).min(WINDOW);
        let is_last = command.distance_code < 16 || command.distance_code - 15 == distance;
        if self.inserted > 0 || !is_last || distance > farthest {
            return start;
        }
        let more = match_len(self.input, start - distance, start, end);
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

    /// Store the places from `from` to `to`.
    ///
    /// Places before them are stored again to make their number a multiple of sixteen: that changes
    /// nothing where all of them are in the table, and how many there are is hard to predict.
    #[inline(always)]
    fn store_all(&mut self, from: usize, to: usize) {
        const AT_ONCE: usize = 16;
        let times = to.saturating_sub(from).div_ceil(AT_ONCE);
        let Some(start) = to
            .checked_sub(times * AT_ONCE)
            .filter(|start| *start >= self.dense_from)
        else {
            for place in from..to {
                self.store(place);
            }
            return;
        };
        for from in (start..to).step_by(AT_ONCE) {
            let bytes = self.input[from..].first_chunk::<{ AT_ONCE + 7 }>();
            let bytes = bytes.expect("bytes that a look-up may read");
            for i in 0..AT_ONCE {
                let bytes = load64(bytes, i);
                self.table[Self::hash(bytes)] = Entry::new(from + i, bytes);
            }
        }
    }

    /// The match that the encoder finds at `place`, up to `end`; remembers the place. The byte
    /// `probe` behind it must be `byte`: of a match that is not at the last distance, and where no
    /// words of the dictionary are looked for, that is left to [`Match::has`].
    #[inline(always)]
    fn find<const DICTIONARY: bool>(
        &mut self,
        place: usize,
        end: usize,
        probe: usize,
        byte: u8,
    ) -> Option<Match> {
        let input = self.input;
        let bytes = load64(input, place);
        let key = Self::hash(bytes);
        let entry = std::mem::replace(&mut self.table[key], Entry::new(place, bytes));
        let last = self.distances[0];
        let recent = place.saturating_sub(last);
        let is_recent = (last <= place)
            & (load32(input, recent) == bytes as u32)
            & (input[recent + probe] == byte);
        let begins_alike = entry.begins_like(bytes);
        // One branch for both: each is hard to predict.
        let before = if is_recent { recent } else { entry.place() };
        let distance = place - before;
        if is_recent | begins_alike {
            if distance == 0 || distance > WINDOW || (DICTIONARY && input[before + probe] != byte) {
                return None;
            }
            let len = match_len(input, before, place, end);
            let score = if is_recent {
                BASE + 135 * len + 15
            } else {
                score(len, distance)
            };
            if score > LEAST {
                return Some(Match {
                    len,
                    coded: len,
                    distance,
                    score,
                });
            }
        } else if !DICTIONARY || distance == 0 || distance > WINDOW || input[before + probe] != byte
        {
            return None;
        }
        if DICTIONARY {
            return self
                .dictionary
                .find(&input[place..end], place.min(WINDOW), LEAST);
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
            let found = self.find::<DICTIONARY>(place, end, 0, self.input[place]);
            let Some(mut found) = found.filter(|found| found.score > LEAST) else {
                tally.add_literal(self.input[place]);
                place += 1;
                self.inserted += 1;
                if place > sparse_from {
                    let step = if place > sparse_from + 4 * SPREE {
                        4
                    } else {
                        2
                    };
                    let jump = (place + 4 * step).min(end - 7);
                    let from = place;
                    while place < jump {
                        self.store(place);
                        place += step;
                    }
                    tally.add_literals(&self.input[from..place]);
                    self.inserted += place - from;
                    self.dense_from = place;
                }
                continue;
            };
            let mut delays = 0;
            loop {
                let probe = (found.len - 1).min(end - place - 1);
                let byte = byte_at(self.input, place + 1 + probe);
                let next = self.find::<DICTIONARY>(place + 1, end, probe, byte);
                let is_better = |next: &Match| {
                    next.score >= found.score + LAZY
                        && (DICTIONARY || next.has(self.input, place + 1, probe, byte))
                };
                let Some(next) = next.filter(is_better) else {
                    break;
                };
                tally.add_literal(self.input[place]);
                place += 1;
                self.inserted += 1;
                found = next;
                delays += 1;
                if delays == MAX_DELAYS || place + LOOKAHEAD >= end {
                    // The next place is neither looked up nor stored.
                    self.dense_from = place + 2;
                    break;
                }
            }
            sparse_from = place + 2 * found.len + SPREE;
            self.take(place, &found, tally);
            let copied_to = place + found.len;
            let to = copied_to.min(store_end);
            let mut from = place + 2;
            if found.distance < found.len >> 2 {
                from = to.min(from.max(copied_to - (found.distance << 2)));
                self.dense_from = from;
            }
            self.store_all(from, to);
            place = copied_to;
        }
        tally.add_literals(&self.input[place..end]);
        self.inserted += end - place;
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
        self.pending = Some(command);
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
