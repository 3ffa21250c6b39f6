//! Places of a tape as bit masks: bit i is place i.

use crate::language::TAPE_LEN;

/// The bits below `n`, which is at most 128.
#[inline(always)]
pub fn below(n: usize) -> u128 {
    if n >= TAPE_LEN { !0 } else { (1 << n) - 1 }
}

/// The bits of the places from `start` to before `end`.
#[inline(always)]
pub fn range(start: usize, end: usize) -> u128 {
    below(end) & !below(start)
}

/// The place of the `]` that matches the `[` at `open`, of those there are.
#[inline(always)]
pub fn matching_close(opens: u128, closes: u128, open: usize) -> Option<usize> {
    let mut rest = (opens | closes) & !below(open + 1);
    let mut depth = 0;
    while rest != 0 {
        let place = rest.trailing_zeros() as usize;
        if opens >> place & 1 == 1 {
            depth += 1;
        } else if depth == 0 {
            return Some(place);
        } else {
            depth -= 1;
        }
        rest &= rest - 1;
    }
    None
}

/// The place of the `[` that matches the `]` at `close`, of those there are.
#[inline(always)]
pub fn matching_open(opens: u128, closes: u128, close: usize) -> Option<usize> {
    // The same the other way round.
    let last = TAPE_LEN - 1;
    let open = matching_close(closes.reverse_bits(), opens.reverse_bits(), last - close)?;
    Some(last - open)
}
