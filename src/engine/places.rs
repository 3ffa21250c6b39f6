//! Places of a tape as bit masks: bit i is place i.

use crate::language::TAPE_LEN;

/// The bits below `n`, which is at most 128.
#[inline(always)]
pub(super) fn below(n: usize) -> u128 {
    if n >= TAPE_LEN { !0 } else { (1 << n) - 1 }
}

/// The bits of the places from `start` to before `end`.
#[inline(always)]
pub(super) fn range(start: usize, end: usize) -> u128 {
    below(end) & !below(start)
}
