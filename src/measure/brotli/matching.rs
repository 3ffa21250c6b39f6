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

/// How many bytes two slices of the same length have in common at their beginnings.
pub(super) fn match_len(a: &[u8], b: &[u8]) -> usize {
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
