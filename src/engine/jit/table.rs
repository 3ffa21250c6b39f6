//! Tables of native functions, found by what their units mean.

use super::frame::Function;

/// What units are found by.
pub(super) trait Key: Copy {
    /// No unit's key.
    const NONE: Self;

    fn hash(&self) -> u64;

    /// Whether two keys are the same. (Number by number: a key has just been put
    /// together of numbers, and reading it as a whole would wait for them.)
    fn is(&self, other: &Self) -> bool;
}

/// The planes of one program, or half of a key.
impl Key for [u64; 4] {
    // Every plane set: no command has that number.
    const NONE: [u64; 4] = [!0; 4];

    #[inline(always)]
    fn hash(&self) -> u64 {
        let [a, b, c, d] = *self;
        fold(a ^ SALT[0], b ^ SALT[1]) ^ fold(c ^ SALT[2], d ^ SALT[3])
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        let differences = |j: usize| self[j] ^ std::hint::black_box(other[j]);
        differences(0) | differences(1) | differences(2) | differences(3) == 0
    }
}

/// Odd numbers without a pattern.
const SALT: [u64; 4] = [
    0x9e37_79b9_7f4a_7c15,
    0xd1b5_4a32_d192_ed03,
    0xaef1_7502_108e_f2d9,
    0x8cb9_2ba7_2f3d_8dd7,
];

/// The hash of two halves, and of a number beside them.
#[inline(always)]
pub(super) fn hash_halves(first: [u64; 4], second: [u64; 4], number: u64) -> u64 {
    fold(first.hash() ^ SALT[0] ^ number, second.hash() ^ SALT[1])
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// A native function, and its number among the entries of the cache.
#[derive(Clone, Copy)]
pub(crate) struct Native {
    pub function: Function,
    pub entry: u32,
}

/// The native functions there are, by their units' keys. The whole key is compared:
/// two units with the same hash are two units.
pub(super) struct Table<K> {
    slots: Box<[Slot<K>]>,
    len: usize,
}

#[derive(Clone, Copy)]
struct Slot<K> {
    key: K,
    function: Option<Native>,
}

impl<K: Key> Default for Table<K> {
    fn default() -> Self {
        Table {
            slots: Box::new([Slot {
                key: K::NONE,
                function: None,
            }]),
            len: 0,
        }
    }
}

impl<K: Key> Table<K> {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The function of the unit with this key.
    #[inline(always)]
    pub(super) fn find(&self, key: &K) -> Option<Native> {
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
    pub(super) fn fill(&mut self, functions: impl ExactSizeIterator<Item = (K, Native)>) {
        self.len = functions.len();
        let len = (2 * self.len + 1).next_power_of_two();
        let empty = Slot {
            key: K::NONE,
            function: None,
        };
        self.slots = vec![empty; len].into();
        for (key, function) in functions {
            let mut at = key.hash() as usize & (len - 1);
            while self.slots[at].function.is_some() {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = Slot {
                key,
                function: Some(function),
            };
        }
    }
}
