//! Tables of pieces of code: which of them are native, which are becoming hot.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::forth::Span;
use super::frame::Function;
use crate::engine::bff::skeleton::{HalfSkeleton, Skeleton};

/// What pieces are found by.
pub trait Key: Copy {
    /// No piece's key.
    const NONE: Self;

    fn hash(&self) -> u64;

    /// Whether two keys are the same. (Number by number: a key has just been put
    /// together of numbers, and reading it as a whole would wait for them.)
    fn is(&self, other: &Self) -> bool;
}

impl Key for HalfSkeleton {
    // Every plane set: no command has that number.
    const NONE: HalfSkeleton = [!0; 4];

    #[inline(always)]
    fn hash(&self) -> u64 {
        let [a, b, c, d] = *self;
        fold(a ^ K[0], b ^ K[1]) ^ fold(c ^ K[2], d ^ K[3])
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        let differences = |j: usize| self[j] ^ std::hint::black_box(other[j]);
        differences(0) | differences(1) | differences(2) | differences(3) == 0
    }
}

impl Key for Skeleton {
    const NONE: Skeleton = Skeleton([!0; 4]);

    #[inline(always)]
    fn hash(&self) -> u64 {
        let halves = |j: usize| self.0.map(|plane| (plane >> (64 * j)) as u64);
        fold(halves(0).hash() ^ K[0], halves(1).hash() ^ K[1])
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        self.changes(other) == 0
    }
}

impl Key for Span {
    const NONE: Span = Span::NONE;

    #[inline(always)]
    fn hash(&self) -> u64 {
        let [a, b, c, d, e, f, g, h] = self.words();
        let halves = ([a, b, c, d].hash() ^ K[0], [e, f, g, h].hash() ^ K[1]);
        fold(halves.0 ^ self.body_len(), halves.1)
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        self == other
    }
}

/// Odd numbers without a pattern.
const K: [u64; 4] = [
    0x9e37_79b9_7f4a_7c15,
    0xd1b5_4a32_d192_ed03,
    0xaef1_7502_108e_f2d9,
    0x8cb9_2ba7_2f3d_8dd7,
];

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The native functions there are, by their pieces' keys. The whole key is compared:
/// two pieces with the same hash are two pieces.
pub struct Table<K> {
    slots: Box<[Slot<K>]>,
    len: usize,
}

#[derive(Clone, Copy)]
struct Slot<K> {
    key: K,
    function: Option<Native>,
}

/// A native function, and its number among the entries of the cache.
#[derive(Clone, Copy)]
pub struct Native {
    pub function: Function,
    pub entry: u32,
}

impl<K: Key> Table<K> {
    pub fn new() -> Self {
        Table {
            slots: Box::new([Slot {
                key: K::NONE,
                function: None,
            }]),
            len: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The function of the piece with this key.
    #[inline(always)]
    pub fn find(&self, key: &K) -> Option<Native> {
        let mask = self.slots.len() - 1;
        let mut at = key.hash() as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.key.is(key) {
                return slot.function;
            }
            // At least one slot is empty.
            slot.function?;
            at = (at + 1) & mask;
        }
    }

    /// Hold these and no others.
    pub fn fill(&mut self, functions: &[(K, Native)]) {
        let len = (2 * functions.len() + 1).next_power_of_two();
        self.slots = vec![
            Slot {
                key: K::NONE,
                function: None,
            };
            len
        ]
        .into();
        for (key, function) in functions {
            let mut at = key.hash() as usize & (len - 1);
            while self.slots[at].function.is_some() {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = Slot {
                key: *key,
                function: Some(*function),
            };
        }
        self.len = functions.len();
    }
}

/// How often pieces come up that are not native, about: many pieces share few
/// counters, and one that comes up more often than the others drives them out.
///
/// Threads count without waiting for each other; what gets lost in between makes
/// a piece native later, and changes nothing else.
pub struct Heat {
    counters: Box<[Counter]>,
}

#[derive(Default)]
struct Counter {
    hash: AtomicU64,
    count: AtomicU32,
}

impl Heat {
    pub fn new(counters: usize) -> Heat {
        Heat {
            counters: (0..counters.next_power_of_two())
                .map(|_| Counter::default())
                .collect(),
        }
    }

    /// Count a piece that came up so many `times`, one or more; whether that is how
    /// it got to `threshold`.
    #[inline]
    pub fn count(&self, hash: u64, times: u32, threshold: u32) -> bool {
        let counter = &self.counters[(hash >> 32) as usize & (self.counters.len() - 1)];
        let count = counter.count.load(Relaxed);
        let is_same = counter.hash.load(Relaxed) == hash;
        if !is_same && count >= times {
            counter.count.store(count - times, Relaxed);
            return false;
        }
        let before = if is_same { count } else { 0 };
        let now = before.saturating_add(times);
        counter.hash.store(hash, Relaxed);
        counter.count.store(now, Relaxed);
        before < threshold && now >= threshold
    }

    /// Forget everything.
    pub fn clear(&mut self) {
        for counter in &mut self.counters {
            *counter = Counter::default();
        }
    }
}
