//! Units of the BFF family: what they are, and how the engine finds their code.

use crate::engine::bff::skeleton::{HalfSkeleton, Skeleton};
use crate::engine::jit::NotAUnit;
use crate::engine::jit::table::{Key, Native, Table, hash_halves};
use crate::engine::jit::tiers::Tier;
use crate::engine::jit::unit::{CompilationUnit, EntryKind, Index};
use crate::language::bff::{Brackets, COMMANDS, Dialect, Op};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};

/// A unit: what some consecutive places mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    pub kind: EntryKind,
    pub skeleton: Skeleton,
}

impl Unit {
    /// Places of the unit.
    pub fn len(&self) -> usize {
        match self.kind {
            EntryKind::Left | EntryKind::Right => PROGRAM_LEN,
            // Its last place is a `]`.
            EntryKind::Loop => {
                let ops = self.skeleton.0.iter().fold(0, |ops, plane| ops | plane);
                TAPE_LEN - ops.leading_zeros() as usize
            }
        }
    }

    /// The place of the unit at which a run enters.
    pub fn entry(&self, dialect: &Dialect) -> usize {
        match self.kind {
            EntryKind::Left => dialect.first_place(),
            EntryKind::Right => 0,
            EntryKind::Loop => 1,
        }
    }

    /// Where the unit lies on the tape, if that is known.
    pub fn base(&self) -> Option<usize> {
        match self.kind {
            EntryKind::Left => Some(0),
            EntryKind::Right => Some(PROGRAM_LEN),
            EntryKind::Loop => None,
        }
    }
}

impl CompilationUnit for Unit {
    fn kind(&self) -> EntryKind {
        self.kind
    }

    fn fingerprint(&self) -> u64 {
        self.skeleton.hash() ^ self.kind as u64
    }

    /// Its commands as text, a space for everything else.
    fn text(&self) -> String {
        (0..self.len())
            .map(|place| match self.skeleton.op(place) {
                Op::Null | Op::Noop => ' ',
                op => COMMANDS[op as usize],
            })
            .collect()
    }
}

impl Key for Skeleton {
    const NONE: Skeleton = Skeleton([!0; 4]);

    #[inline(always)]
    fn hash(&self) -> u64 {
        let half = |j: usize| self.0.map(|plane| (plane >> (64 * j)) as u64);
        hash_halves(half(0), half(1), 0)
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        self.changes(other) == 0
    }
}

/// The native functions of the family, a table for each kind of entry.
#[derive(Default)]
pub(crate) struct Functions {
    left: Table<HalfSkeleton>,
    right: Table<HalfSkeleton>,
    loops: Table<Skeleton>,
}

impl Functions {
    #[inline(always)]
    pub(crate) fn find_left(&self, key: &HalfSkeleton) -> Option<Native> {
        self.left.find(key)
    }

    #[inline(always)]
    pub(crate) fn find_right(&self, key: &HalfSkeleton) -> Option<Native> {
        self.right.find(key)
    }

    #[inline(always)]
    pub(crate) fn find_loop(&self, key: &Skeleton) -> Option<Native> {
        self.loops.find(key)
    }
}

impl Index<Unit> for Functions {
    fn fill(&mut self, functions: &[(Unit, Native)]) {
        let of = |kind: EntryKind| {
            let of_kind = functions.iter().filter(|(unit, _)| unit.kind == kind);
            let keyed = of_kind.map(|(unit, native)| (unit.skeleton, *native));
            keyed.collect::<Vec<_>>()
        };
        let half = |(skeleton, native): (Skeleton, Native)| (skeleton.left(0), native);
        self.left.fill(of(EntryKind::Left).into_iter().map(half));
        self.right.fill(of(EntryKind::Right).into_iter().map(half));
        self.loops.fill(of(EntryKind::Loop).into_iter());
    }

    #[inline(always)]
    fn serves(&self, tier: Tier) -> bool {
        match tier {
            Tier::Interpreter => true,
            Tier::Loops => !self.loops.is_empty(),
            // A run begins with a left program.
            Tier::Programs => !self.left.is_empty(),
        }
    }
}

/// The unit that `code` is, see [`Unit::parse`](crate::engine::jit::Unit::parse).
pub(crate) fn parse(
    dialect: &Dialect,
    kind: Option<EntryKind>,
    code: &[u8],
) -> Result<Unit, NotAUnit> {
    let starts_as_loop = code
        .first()
        .is_some_and(|byte| dialect.op(*byte) == Op::Open);
    match kind {
        Some(EntryKind::Loop) => parse_loop(dialect, code),
        Some(kind) => parse_program(dialect, kind, code),
        None if starts_as_loop => {
            parse_loop(dialect, code).or_else(|_| parse_program(dialect, EntryKind::Left, code))
        }
        None => parse_program(dialect, EntryKind::Left, code),
    }
}

/// What `code` means at the start of a tape without other commands.
fn skeleton(dialect: &Dialect, code: &[u8]) -> Skeleton {
    let mut tape: Tape = [0; TAPE_LEN];
    tape[..code.len()].copy_from_slice(code);
    // Zeros are commands of some dialects.
    Skeleton::of(dialect, &tape).piece(0, code.len())
}

fn parse_program(dialect: &Dialect, kind: EntryKind, code: &[u8]) -> Result<Unit, NotAUnit> {
    if code.len() > PROGRAM_LEN {
        return Err(NotAUnit(format!(
            "a program has at most {PROGRAM_LEN} bytes, and this has {}",
            code.len()
        )));
    }
    let first = match kind {
        EntryKind::Left => dialect.first_place(),
        EntryKind::Right | EntryKind::Loop => 0,
    };
    Ok(Unit {
        kind,
        skeleton: Skeleton::of_half(skeleton(dialect, code).left(first)),
    })
}

/// From the first byte of `code` to its last `]`, which must jump back there.
fn parse_loop(dialect: &Dialect, code: &[u8]) -> Result<Unit, NotAUnit> {
    let op = |place: usize| dialect.op(code[place]);
    let close = (0..code.len()).rfind(|place| op(*place) == Op::Close);
    let close = close.ok_or_else(|| NotAUnit("a loop ends with `]`, and here is none".into()))?;
    if close >= TAPE_LEN {
        return Err(NotAUnit(format!("a loop has at most {TAPE_LEN} bytes")));
    }
    match dialect.brackets() {
        Brackets::Jump(distance) if close == distance => {}
        Brackets::Jump(distance) => {
            return Err(NotAUnit(format!(
                "in this language `]` jumps back {distance} bytes: \
                 a loop is {distance} bytes and a `]`"
            )));
        }
        Brackets::Match => {
            if op(0) != Op::Open {
                return Err(NotAUnit("a loop begins with `[`".into()));
            }
            let mut depth = 0;
            for place in 0..=close {
                match op(place) {
                    Op::Open => depth += 1,
                    Op::Close => depth -= 1,
                    _ => {}
                }
                if depth == 0 && place < close {
                    return Err(NotAUnit(format!(
                        "the loop ends at byte {}, before the last `]`",
                        place + 1
                    )));
                }
            }
            if depth > 0 {
                return Err(NotAUnit("the first `[` has no `]`".into()));
            }
        }
    }
    Ok(Unit {
        kind: EntryKind::Loop,
        skeleton: skeleton(dialect, &code[..=close]),
    })
}
