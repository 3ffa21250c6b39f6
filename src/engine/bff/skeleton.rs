//! Skeletons: the opcode signatures of tapes of the BFF family.
//!
//! A skeleton says which command is at each place, and nothing of the bytes that are none: no-ops
//! and nulls. Two tapes with the same skeleton are the same program on different data, so native
//! code is found by it, and what changes a skeleton invalidates code.

use crate::engine::places::below;
use crate::language::bff::{Class, Dialect, Op};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};

/// The commands of a tape, or of some places in a row: bit i of plane j is bit j of
/// the command at place i, which is 0 for none (see [`Class::COMMAND`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Skeleton(pub [u128; 4]);

/// The planes of one program.
pub(crate) type HalfSkeleton = [u64; 4];

impl Skeleton {
    /// Of `tape`, byte by byte.
    pub fn of(dialect: &Dialect, tape: &Tape) -> Skeleton {
        let mut planes = [0; 4];
        for (place, byte) in tape.iter().enumerate() {
            let command = dialect.class(*byte).bits() & Class::COMMAND;
            for (bit, plane) in planes.iter_mut().enumerate() {
                *plane |= u128::from(command >> bit & 1) << place;
            }
        }
        Skeleton(planes)
    }

    /// The `len` places from `first` on, as a skeleton of their own.
    #[inline(always)]
    pub fn piece(self, first: usize, len: usize) -> Skeleton {
        Skeleton(self.0.map(|plane| plane >> (first % TAPE_LEN) & below(len)))
    }

    /// The left program from `first` on, each command at its own place.
    #[inline(always)]
    pub fn left(self, first: usize) -> HalfSkeleton {
        self.0.map(|plane| plane as u64 & !0 << first)
    }

    /// The right program.
    #[inline(always)]
    pub fn right(self) -> HalfSkeleton {
        self.0.map(|plane| (plane >> PROGRAM_LEN) as u64)
    }

    /// That of one program.
    pub fn of_half(half: HalfSkeleton) -> Skeleton {
        Skeleton(half.map(u128::from))
    }

    /// What the byte at `place` does, nulls being no-ops.
    pub fn op(&self, place: usize) -> Op {
        let bit = |plane: u128| (plane >> place & 1) as u8;
        let command = (0..4).fold(0, |command, j| command | bit(self.0[j]) << j);
        match command {
            0 => Op::Noop,
            command => Op::ALL[usize::from(command) - 1],
        }
    }

    /// The places at which two differ.
    #[inline(always)]
    pub fn changes(&self, other: &Skeleton) -> u128 {
        let differences = |j: usize| self.0[j] ^ other.0[j];
        differences(0) | differences(1) | differences(2) | differences(3)
    }
}
