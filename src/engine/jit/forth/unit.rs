//! Units of the Forth family: what they are, and how the engine finds their code.

use crate::engine::jit::NotAUnit;
use crate::engine::jit::table::{Key, Native, Table, hash_halves};
use crate::engine::jit::tiers::Tier;
use crate::engine::jit::unit::{CompilationUnit, EntryKind, Index};
use crate::language::forth::{Dialect, Op, distance};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};

/// A unit: the bytes of a loop before its jump back; which jump that is their number tells.
///
/// They are kept as they are, apart from no-ops, which are all the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LoopBody {
    bytes: [u8; MOST],
    len: u8,
}

/// Bytes before the jump, at most: as far as a jump goes.
const MOST: usize = PROGRAM_LEN;

/// The first jump back.
const JUMP_BACK: u8 = 0xc0;
/// The bytes from here on all mean something of their own.
pub(super) const FIRST_CONSTANT: u8 = 0x40;

impl LoopBody {
    /// That of the loop from `first` to the jump back at `last`.
    #[inline(always)]
    pub fn of(dialect: &Dialect, tape: &Tape, first: usize, last: usize) -> LoopBody {
        let body = &tape[first..last];
        let mut bytes = [0; MOST];
        bytes[..body.len()].copy_from_slice(body);
        let noop = dialect.first_noop();
        for byte in &mut bytes {
            *byte = meaning(*byte, noop);
        }
        LoopBody {
            bytes,
            len: body.len() as u8,
        }
    }

    /// The shortest loop there is.
    pub fn shortest(dialect: &Dialect) -> LoopBody {
        let mut tape = [0; TAPE_LEN];
        tape[0] = dialect.first_noop();
        LoopBody::of(dialect, &tape, 0, 1)
    }

    /// Its bytes, the jump back included.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.bytes[..usize::from(self.len)].to_vec();
        bytes.push(JUMP_BACK + (self.len - 1));
        bytes
    }
}

/// A byte that means the same as `byte`: itself, or the first no-op.
#[inline(always)]
fn meaning(byte: u8, first_noop: u8) -> u8 {
    if byte < FIRST_CONSTANT {
        byte.min(first_noop)
    } else {
        byte
    }
}

impl CompilationUnit for LoopBody {
    fn kind(&self) -> EntryKind {
        EntryKind::Loop
    }

    fn fingerprint(&self) -> u64 {
        Key::hash(self)
    }

    /// Its bytes in hex.
    fn text(&self) -> String {
        let bytes = self.bytes();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.join(" ")
    }
}

impl Key for LoopBody {
    const NONE: LoopBody = LoopBody {
        bytes: [0; MOST],
        len: 0,
    };

    #[inline(always)]
    fn hash(&self) -> u64 {
        let (words, _) = self.bytes.as_chunks();
        let words: [u64; MOST / 8] = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
        let [a, b, c, d, e, f, g, h] = words;
        hash_halves([a, b, c, d], [e, f, g, h], u64::from(self.len))
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        self == other
    }
}

/// The native functions of the family.
#[derive(Default)]
pub(crate) struct Functions {
    loops: Table<LoopBody>,
}

impl Functions {
    #[inline(always)]
    pub(crate) fn find(&self, body: &LoopBody) -> Option<Native> {
        self.loops.find(body)
    }
}

impl Index<LoopBody> for Functions {
    fn fill(&mut self, functions: &[(LoopBody, Native)]) {
        self.loops.fill(functions.iter().copied());
    }

    #[inline(always)]
    fn serves(&self, tier: Tier) -> bool {
        match tier {
            Tier::Interpreter => true,
            Tier::Loops => !self.loops.is_empty(),
            Tier::Programs => false,
        }
    }
}

/// The loop from the first byte of `code` to its last, which must jump back there.
pub(crate) fn parse(
    dialect: &Dialect,
    kind: Option<EntryKind>,
    code: &[u8],
) -> Result<LoopBody, NotAUnit> {
    if kind.is_some_and(|kind| kind != EntryKind::Loop) {
        return Err(NotAUnit(
            "of the Forth family only loops become native code".into(),
        ));
    }
    let last = code.len().saturating_sub(1);
    let is_loop = (1..=PROGRAM_LEN).contains(&last)
        && dialect.op(code[last]) == Op::JumpBack
        && usize::from(distance(code[last])) == last;
    if !is_loop {
        return Err(NotAUnit(
            "a Forth loop ends with a jump back to its first byte".into(),
        ));
    }
    let mut tape: Tape = [0; TAPE_LEN];
    tape[..code.len()].copy_from_slice(code);
    Ok(LoopBody::of(dialect, &tape, 0, last))
}
