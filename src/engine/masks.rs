//! The kinds of a BFF tape's bytes as bit masks: bit i is byte i.

use super::vectors::Vectors;
use crate::language::bff::Dialect;
#[cfg(test)]
use crate::language::bff::Op;
use crate::language::{TAPE_LEN, Tape};

/// Where the kinds of bytes lie that a walk over the tape asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Everything but nulls and no-ops.
    pub ops: u128,
    /// `[`
    pub open: u128,
    /// `]`
    pub close: u128,
    /// `+ - . ,`
    pub writes: u128,
    /// `<` and `>`
    pub left0: u128,
    pub right0: u128,
    /// `{`, and `}` or whatever moves head 1 right.
    pub left1: u128,
    pub right1: u128,
}

/// Places in half a tape: what one word has room for.
pub const HALF: usize = 64;

/// The masks of half a tape, as a walk over it asks for them.
#[derive(Clone, Copy, Debug)]
pub struct HalfMasks {
    pub ops: u64,
    pub open: u64,
    pub close: u64,
    pub writes: u64,
    left0: u64,
    right0: u64,
    left1: u64,
    right1: u64,
}

impl HalfMasks {
    /// How far the places in `range` move the heads, to be taken modulo 128.
    #[inline(always)]
    pub fn moves_in(&self, range: u64) -> (usize, usize) {
        let net = |right: u64, left: u64| {
            ((right & range).count_ones() as usize)
                .wrapping_sub((left & range).count_ones() as usize)
        };
        (net(self.right0, self.left0), net(self.right1, self.left1))
    }
}

/// The bits below `n` of a word; all where it is [`HALF`] or more.
#[inline(always)]
pub fn bits_below(n: usize) -> u64 {
    if n >= HALF { !0 } else { (1 << n) - 1 }
}

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

impl Masks {
    /// One half of the tape, 0 or 1.
    #[inline(always)]
    pub fn half(&self, half: usize) -> HalfMasks {
        let word = |mask: u128| (mask >> (half * HALF)) as u64;
        HalfMasks {
            ops: word(self.ops),
            open: word(self.open),
            close: word(self.close),
            writes: word(self.writes),
            left0: word(self.left0),
            right0: word(self.right0),
            left1: word(self.left1),
            right1: word(self.right1),
        }
    }

    /// `[` and `]`.
    #[inline(always)]
    pub fn brackets(&self) -> u128 {
        self.open | self.close
    }

    /// How many of the places in `range` hold ops.
    #[inline(always)]
    pub fn ops_in(&self, range: u128) -> u32 {
        (self.ops & range).count_ones()
    }

    /// How far the places in `range` move the heads, to be taken modulo 128.
    #[inline(always)]
    pub fn moves_in(&self, range: u128) -> (usize, usize) {
        let net = |right: u128, left: u128| {
            ((right & range).count_ones() as usize)
                .wrapping_sub((left & range).count_ones() as usize)
        };
        (net(self.right0, self.left0), net(self.right1, self.left1))
    }

    /// The place of the `]` that matches the `[` at `open`.
    #[inline(always)]
    pub fn matching_close(&self, open: usize) -> Option<usize> {
        let mut rest = self.brackets() & !below(open + 1);
        let mut depth = 0;
        while rest != 0 {
            let place = rest.trailing_zeros() as usize;
            if self.open >> place & 1 == 1 {
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

    /// The place of the `[` that matches the `]` at `close`.
    #[inline(always)]
    pub fn matching_open(&self, close: usize) -> Option<usize> {
        let mut rest = self.brackets() & below(close);
        let mut depth = 0;
        while rest != 0 {
            let place = 127 - rest.leading_zeros() as usize;
            if self.close >> place & 1 == 1 {
                depth += 1;
            } else if depth == 0 {
                return Some(place);
            } else {
                depth -= 1;
            }
            rest ^= 1 << place;
        }
        None
    }

    /// Note that the byte at `place` means `op`.
    #[cfg(test)]
    fn put(&mut self, dialect: &Dialect, place: usize, op: Op) {
        let bit = 1 << place;
        let set = |mask: &mut u128, is: bool| {
            *mask = *mask & !bit | if is { bit } else { 0 };
        };
        set(&mut self.ops, !matches!(op, Op::Null | Op::Noop));
        set(&mut self.open, op == Op::Open);
        set(&mut self.close, op == Op::Close);
        set(
            &mut self.writes,
            matches!(
                op,
                Op::Increment | Op::Decrement | Op::CopyTo1 | Op::CopyTo0
            ),
        );
        set(&mut self.left0, op == Op::Left0);
        set(&mut self.right0, op == Op::Right0);
        set(&mut self.left1, op == Op::Left1);
        set(
            &mut self.right1,
            op == Op::Right1 || dialect.copy_moves() && op == Op::CopyTo0,
        );
    }

    /// Classify a tape, with the instructions of `V`.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    pub unsafe fn classify<V: Vectors>(dialect: &Dialect, tape: &Tape) -> Masks {
        // SAFETY: the caller's promise.
        let loaded = unsafe { V::load(tape, dialect.significant_bits()) };
        let mut commands = [0; 10];
        for (mask, code) in commands.iter_mut().zip(dialect.commands()) {
            if let Some(code) = code {
                // SAFETY: the caller's promise.
                *mask = unsafe { V::equal(&loaded, *code) };
            }
        }
        let [
            open,
            close,
            increment,
            decrement,
            copy_to_1,
            copy_to_0,
            left0,
            right0,
            left1,
            right1,
        ] = commands;
        let writes = increment | decrement | copy_to_1 | copy_to_0;
        Masks {
            ops: open | close | writes | left0 | right0 | left1 | right1,
            open,
            close,
            writes,
            left0,
            right0,
            left1,
            right1: right1 | if dialect.copy_moves() { copy_to_0 } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::vectors::Portable;
    #[cfg(target_arch = "x86_64")]
    use crate::engine::vectors::{Avx2, Avx512};
    use crate::lanes::Lanes;
    use crate::language::{Family, Language};
    use crate::random::mix;

    /// Every width classifies as the dialect's own table does.
    #[test]
    fn every_width_classifies_alike() {
        for language in Language::ALL {
            let Family::Bff(dialect) = &language.family else {
                continue;
            };
            for round in 0..200 {
                let tape: Tape = std::array::from_fn(|i| {
                    let byte = mix(round * 128 + i as u64) as u8;
                    if round % 2 == 0 { byte } else { byte % 128 }
                });
                let mut expected = Masks::default();
                for (place, byte) in tape.iter().enumerate() {
                    expected.put(dialect, place, dialect.op(*byte));
                }
                for lanes in Lanes::available() {
                    // SAFETY: the machine has these lanes.
                    let masks = unsafe {
                        match lanes {
                            #[cfg(target_arch = "x86_64")]
                            Lanes::Avx512 => Masks::classify::<Avx512>(dialect, &tape),
                            #[cfg(target_arch = "x86_64")]
                            Lanes::Avx2 => Masks::classify::<Avx2>(dialect, &tape),
                            Lanes::Portable => Masks::classify::<Portable>(dialect, &tape),
                        }
                    };
                    assert_eq!(masks, expected, "{language} {lanes:?}");
                }
            }
        }
    }
}
