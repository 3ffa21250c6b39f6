//! Bytes of which little or nothing is known.

use crate::language::{PROGRAM_LEN, Program};

/// A byte of the tape, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Byte {
    /// This value.
    Known(u8),
    /// A byte of the partner, and what has been added to it.
    Partner {
        /// Its place in the partner.
        place: u8,
        /// What was added, modulo 256.
        added: u8,
    },
}

impl Byte {
    /// The byte with `count` added.
    pub(super) fn plus(self, count: u8) -> Byte {
        match self {
            Byte::Known(value) => Byte::Known(value.wrapping_add(count)),
            Byte::Partner { place, added } => Byte::Partner {
                place,
                added: added.wrapping_add(count),
            },
        }
    }

    /// Its value beside a partner.
    pub fn beside(self, partner: &Program) -> u8 {
        match self {
            Byte::Known(value) => value,
            Byte::Partner { place, added } => partner[usize::from(place)].wrapping_add(added),
        }
    }
}

/// The values that a byte may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values([u64; 4]);

impl Values {
    /// All of them.
    pub const ALL: Values = Values([u64::MAX; 4]);

    /// Whether `value` is one of them.
    pub fn contains(self, value: u8) -> bool {
        self.0[usize::from(value / 64)] >> (value % 64) & 1 == 1
    }

    /// How many they are.
    pub fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Each of them, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |value| self.contains(*value))
    }

    /// The only one, if there is one only.
    pub fn only(self) -> Option<u8> {
        self.iter().next().filter(|_| self.count() == 1)
    }

    /// Those of them that `keep` says.
    pub(super) fn that(self, keep: impl Fn(u8) -> bool) -> Values {
        let mut kept = [0; 4];
        for value in self.iter().filter(|value| keep(*value)) {
            kept[usize::from(value / 64)] |= 1 << (value % 64);
        }
        Values(kept)
    }

    /// What `of` says of each of them, if it says the same of all.
    pub(super) fn agree<T: PartialEq>(self, of: impl Fn(u8) -> T) -> Option<T> {
        let mut values = self.iter();
        let first = of(values.next()?);
        values.all(|value| of(value) == first).then_some(first)
    }
}

/// What is known of a partner: the values that each of its bytes may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner([Values; PROGRAM_LEN]);

impl Partner {
    /// Nothing is known.
    pub const ANY: Partner = Partner([Values::ALL; PROGRAM_LEN]);

    /// The values that the byte at `place` may have.
    pub fn at(&self, place: u8) -> Values {
        self.0[usize::from(place)]
    }

    /// Keep those values of the byte at `place` that `keep` says.
    pub(super) fn narrow(&mut self, place: u8, keep: impl Fn(u8) -> bool) {
        let values = &mut self.0[usize::from(place)];
        *values = values.that(keep);
    }

    /// Whether `partner` is one of those that are meant.
    pub fn matches(&self, partner: &Program) -> bool {
        let mut bytes = self.0.iter().zip(partner);
        bytes.all(|(values, byte)| values.contains(*byte))
    }

    /// The share of all partners that are meant.
    pub fn share(&self) -> f64 {
        let shares = self
            .0
            .iter()
            .map(|values| f64::from(values.count()) / 256.0);
        shares.product()
    }

    /// The nearest that there is to `partner` of those that are meant.
    pub fn nearest(&self, partner: &Program) -> Program {
        std::array::from_fn(|place| {
            let (values, byte) = (self.0[place], partner[place]);
            let later = (0..=u8::MAX).map(|distance| byte.wrapping_add(distance));
            let mut allowed = later.filter(|value| values.contains(*value));
            allowed.next().unwrap_or(byte)
        })
    }

    /// The places of which something is known, and what.
    pub fn known(&self) -> impl Iterator<Item = (u8, Values)> {
        let all = (0..PROGRAM_LEN as u8).map(|place| (place, self.at(place)));
        all.filter(|(_, values)| *values != Values::ALL)
    }

    /// The value of `byte`, if it is known.
    pub fn value(&self, byte: Byte) -> Option<u8> {
        match byte {
            Byte::Known(value) => Some(value),
            Byte::Partner { place, added } => {
                let only = self.at(place).only();
                only.map(|value| value.wrapping_add(added))
            }
        }
    }

    /// What `of` says of `byte`, if it says the same of all values that it may have.
    pub(super) fn agree<T: PartialEq>(&self, byte: Byte, of: impl Fn(u8) -> T) -> Option<T> {
        match byte {
            Byte::Known(value) => Some(of(value)),
            Byte::Partner { place, added } => {
                self.at(place).agree(|value| of(value.wrapping_add(added)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_told_apart() {
        assert_eq!(Values::ALL.count(), 256);
        let few = Values::ALL.that(|value| value % 100 == 7);
        assert_eq!(few.iter().collect::<Vec<_>>(), [7, 107, 207]);
        assert_eq!((few.count(), few.only()), (3, None));
        assert_eq!(few.that(|value| value > 200).only(), Some(207));
        assert_eq!(few.agree(|value| value % 100), Some(7));
        assert_eq!(few.agree(|value| value > 100), None);
        let none = few.that(|_| false);
        assert_eq!((none.count(), none.only()), (0, None));
        assert_eq!(none.agree(|value| value), None);
    }

    #[test]
    fn what_is_known_of_a_partner_is_kept() {
        let mut partner = Partner::ANY;
        assert_eq!(partner.share(), 1.0);
        partner.narrow(63, |value| value.wrapping_add(2) == 0);
        partner.narrow(5, |value| value != 9);
        assert_eq!(partner.share(), 255.0 / 65536.0);
        let byte = |place, added| Byte::Partner { place, added };
        assert_eq!(partner.value(byte(63, 3)), Some(1));
        assert_eq!(partner.value(byte(5, 3)), None);
        assert_eq!(partner.agree(byte(5, 3), |value| value == 12), Some(false));
        assert_eq!(partner.agree(byte(5, 3), |value| value == 13), None);
        assert_eq!(partner.value(Byte::Known(4).plus(255)), Some(3));
        let places: Vec<u8> = partner.known().map(|(place, _)| place).collect();
        assert_eq!(places, [5, 63]);
        let near = partner.nearest(&[9; PROGRAM_LEN]);
        assert!(partner.matches(&near) && !partner.matches(&[9; PROGRAM_LEN]));
        assert_eq!((near[5], near[63], near[0]), (10, 254, 9));
        assert_eq!(byte(5, 255).plus(2).beside(&near), 11);
    }
}
