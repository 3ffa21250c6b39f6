//! Bytes that occurred before, and what copying them is worth.

/// Score from which lengths and distances count.
pub(super) const BASE: usize = 30 * 8 * 8;

/// Bytes that occurred before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub len: usize,
    /// The length that is coded, see [`Command`].
    pub coded: usize,
    pub distance: usize,
    pub score: usize,
}

impl Match {
    /// Whether the byte `probe` behind `place`, where this was found, is `byte` where it is copied
    /// from.
    pub(super) fn has(&self, input: &[u8], place: usize, probe: usize, byte: u8) -> bool {
        input[place - self.distance + probe] == byte
    }
}

/// What a copy of this length and distance is worth.
pub(super) fn score(len: usize, distance: usize) -> usize {
    BASE + 135 * len - 30 * distance.ilog2() as usize
}

pub(super) fn load32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(super) fn load64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// How many bytes from `place` on are those from `before` on, up to `end`.
#[inline(always)]
pub(super) fn match_len(input: &[u8], before: usize, place: usize, end: usize) -> usize {
    // Which bytes of 64 differ, at once: where a match ends is hard to predict.
    let (there, here) = (input[before..].first_chunk(), input[place..].first_chunk());
    if let (Some(there), Some(here)) = (there, here) {
        let differing = differing(there, here);
        if differing != 0 {
            return (differing.trailing_zeros() as usize).min(end - place);
        }
    }
    common_len(&input[before..before + (end - place)], &input[place..end])
}

/// A bit for each byte that differs, the lowest for the first.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn differing(a: &[u8; 64], b: &[u8; 64]) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x};
    let word = |bytes: &[u8; 64], at: usize| load64(bytes, at) as i64;
    let equal = |at: usize| {
        // SAFETY: every x86-64 machine has SSE2.
        let equal = unsafe {
            let a = _mm_set_epi64x(word(a, at + 8), word(a, at));
            let b = _mm_set_epi64x(word(b, at + 8), word(b, at));
            _mm_movemask_epi8(_mm_cmpeq_epi8(a, b))
        };
        u64::from(equal as u32)
    };
    !(equal(0) | equal(16) << 16 | equal(32) << 32 | equal(48) << 48)
}

/// As above, as far as the first of them is concerned.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn differing(a: &[u8; 64], b: &[u8; 64]) -> u64 {
    let len = common_len(a, b);
    if len < 64 { 1 << len } else { 0 }
}

/// How many bytes two slices of the same length have in common at their beginnings.
pub(super) fn common_len(a: &[u8], b: &[u8]) -> usize {
    let eights = a.chunks_exact(8).zip(b.chunks_exact(8));
    for (i, (a, b)) in eights.enumerate() {
        let differing = load64(a, 0) ^ load64(b, 0);
        if differing != 0 {
            return i * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    let done = a.len() & !7;
    let rest = a[done..].iter().zip(&b[done..]);
    done + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    #[test]
    fn differing_bytes_are_found_as_one_by_one() {
        for case in 0..2000 {
            let a: [u8; 64] = std::array::from_fn(|i| mix(case * 64 + i as u64) as u8);
            let mut b = a;
            for change in 0..case % 5 {
                let random = mix(mix(case) + change);
                b[random as usize % 64] ^= (random >> 8) as u8;
            }
            let first = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(64);
            assert_eq!(differing(&a, &b).trailing_zeros() as usize, first);
            assert_eq!(common_len(&a, &b), first);
            let both = [&a[..], &b].concat();
            for len in [0, 7, 33, 64] {
                assert_eq!(match_len(&both, 0, 64, 64 + len), first.min(len));
            }
        }
    }
}
