//! The Forth family: a stack of bytes, constants, relative jumps.
//!
//! Four dialects share all rules and differ in the ops of the lowest bytes; all of this is data in
//! [`Dialect`]. Facts: docs/reference.md, "Forth family". A fifth, for long tapes, has addresses
//! relative to the op (docs/worlds.md).

use super::{
    Ended, Family, Kind, Language, MAX_STEPS, PROGRAM_LEN, Role, Rules, Space, Step, Tape, View,
};
use crate::random::mix;

/// Maximum number of stack entries.
pub const STACK_LEN: usize = 128;

/// What a byte means to a dialect. A and B are the two programs of the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// `Push A[pop mod 64]`.
    ReadA,
    /// `Push B[pop mod 64]`.
    ReadB,
    /// `Push tape[pop mod 128]`; in a relative dialect `push tape[pc + pop]`.
    Read,
    /// `v = pop; A[pop mod 64] = v`.
    WriteA,
    /// `v = pop; B[pop mod 64] = v`.
    WriteB,
    /// `v = pop; tape[pop mod 128] = v`; in a relative dialect `tape[pc + pop] = v`.
    Write,
    /// `x = pop mod 64; B[x] = A[x]`.
    CopyAToB,
    /// `x = pop mod 64; A[x] = B[x]`.
    CopyBToA,
    /// `to = pop mod 128; from = pop mod 128; tape[to] = tape[from]`; in a relative dialect
    /// `far = pop; at = pop; tape[pc + at + far] = tape[pc + at]; push at`.
    Copy,
    /// Top of the stack xor 64.
    FlipSide,
    /// `v = pop; push it twice`.
    Dup,
    /// Pop.
    Drop,
    /// Exchange the two topmost entries.
    Swap,
    /// Skip the next byte if the top is not 0; the top stays.
    SkipIf,
    /// Add one to the top.
    Increment,
    /// Subtract one from the top.
    Decrement,
    /// Push the sum of two pops.
    Add,
    /// Push the first pop minus the second.
    Subtract,
    /// Push the low six bits of the byte; in a relative dialect as a signed number.
    Constant,
    /// Jump ahead by the low six bits plus one.
    JumpForward,
    /// Jump back by the low six bits plus one.
    JumpBack,
    /// Any other byte.
    Noop,
}

impl Op {
    /// Number of stack entries that it pops, even if only to push them again.
    pub(crate) const fn pops(self) -> usize {
        match self {
            Op::WriteA | Op::WriteB | Op::Write | Op::Copy => 2,
            Op::Swap | Op::Add | Op::Subtract => 2,
            Op::ReadA | Op::ReadB | Op::Read | Op::CopyAToB | Op::CopyBToA => 1,
            Op::FlipSide | Op::Dup | Op::Drop | Op::SkipIf => 1,
            Op::Increment | Op::Decrement => 1,
            Op::Constant | Op::JumpForward | Op::JumpBack | Op::Noop => 0,
        }
    }

    /// Number of stack entries that it pushes.
    pub(crate) const fn pushes(self) -> usize {
        match self {
            Op::Dup | Op::Swap => 2,
            Op::ReadA | Op::ReadB | Op::Read | Op::FlipSide | Op::SkipIf => 1,
            Op::Increment | Op::Decrement | Op::Add | Op::Subtract | Op::Constant => 1,
            Op::WriteA | Op::WriteB | Op::Write | Op::Copy => 0,
            Op::CopyAToB | Op::CopyBToA | Op::Drop => 0,
            Op::JumpForward | Op::JumpBack | Op::Noop => 0,
        }
    }
}

/// The distance of the jump `byte`.
#[inline(always)]
pub const fn distance(byte: u8) -> u8 {
    byte % 64 + 1
}

static ADVANCES: [i8; 256] = {
    let mut advances = [1; 256];
    let mut byte = 0x80;
    while byte < 256 {
        let distance = distance(byte as u8) as i8;
        advances[byte] = if byte < 0xc0 { distance } else { -distance };
        byte += 1;
    }
    advances
};

/// How far `byte` moves the pc, in every dialect; [`Op::SkipIf`] may add one.
#[inline(always)]
pub(crate) fn advance(byte: u8) -> isize {
    ADVANCES[byte as usize] as isize
}

/// The kinds of bytes of the family, in the order of [`Op`].
pub static KINDS: [Kind; 22] = {
    const fn kind(symbol: &'static str, name: &'static str, role: Role) -> Kind {
        Kind { symbol, name, role }
    }
    [
        kind("A@", "read left", Role::Read),
        kind("B@", "read right", Role::Read),
        kind("@", "read", Role::Read),
        kind("A!", "write left", Role::Copy),
        kind("B!", "write right", Role::Copy),
        kind("!", "write", Role::Copy),
        kind("A>B", "copy to right", Role::Copy),
        kind("B>A", "copy to left", Role::Copy),
        kind("copy", "copy", Role::Copy),
        kind("xor", "other side", Role::Arithmetic),
        kind("dup", "duplicate", Role::Move),
        kind("drop", "drop", Role::Move),
        kind("swap", "swap", Role::Move),
        kind("if", "skip if not 0", Role::MoveSecond),
        kind("1+", "increment", Role::Arithmetic),
        kind("1-", "decrement", Role::Arithmetic),
        kind("+", "add", Role::Arithmetic),
        kind("-", "subtract", Role::Arithmetic),
        kind("40-7F", "constant", Role::Number),
        kind("80-BF", "jump ahead", Role::Open),
        kind("C0-FF", "jump back", Role::Close),
        kind("·", "no-op", Role::Noop),
    ]
};

/// One dialect, as data.
#[derive(Debug)]
pub struct Dialect {
    ops: [Op; 256],
    /// The lowest byte without an op; all bytes from it up to the constants have none.
    first_noop: u8,
    /// If set, a write into B that would overwrite this byte refills A instead.
    guard: Option<u8>,
    /// Whether addresses are signed and relative to the op.
    relative: bool,
}

impl Dialect {
    /// A dialect in which the bytes from 0 up have the ops `first`.
    const fn new(first: &[Op]) -> Self {
        let mut ops = [Op::Noop; 256];
        let mut byte = 0;
        while byte < 256 {
            ops[byte] = match byte {
                0x40..0x80 => Op::Constant,
                0x80..0xc0 => Op::JumpForward,
                0xc0..=0xff => Op::JumpBack,
                _ if byte < first.len() => first[byte],
                _ => Op::Noop,
            };
            byte += 1;
        }
        Dialect {
            ops,
            first_noop: first.len() as u8,
            guard: None,
            relative: false,
        }
    }

    /// With signed addresses relative to the op.
    const fn relative(mut self) -> Self {
        self.relative = true;
        self
    }

    const fn with_guard(mut self, guard: u8) -> Self {
        self.guard = Some(guard);
        self
    }

    /// What `byte` means.
    #[inline(always)]
    pub fn op(&self, byte: u8) -> Op {
        self.ops[byte as usize]
    }

    /// The lowest no-op. Every byte from it to the constants is one.
    #[inline(always)]
    pub(crate) fn first_noop(&self) -> u8 {
        self.first_noop
    }

    /// The byte in B that defends itself, if the dialect has one.
    pub(crate) fn guard(&self) -> Option<u8> {
        self.guard
    }

    /// The kind of `byte`.
    pub fn kind(&self, byte: u8) -> &'static Kind {
        &KINDS[self.op(byte) as usize]
    }

    /// Write `value` to `B[at]`, unless a guard is there.
    fn write_right(&self, tape: &mut [u8], at: usize, value: u8, pc: usize) {
        if self.guard == Some(tape[PROGRAM_LEN + at]) {
            refill_left(tape, pc);
        } else {
            tape[PROGRAM_LEN + at] = value;
        }
    }
}

/// Fill A with noise determined by the whole tape and `pc`.
#[cold]
fn refill_left(tape: &mut [u8], pc: usize) {
    let digest = tape
        .iter()
        .fold(0, |digest, byte| mix(digest ^ u64::from(*byte)));
    let len = PROGRAM_LEN as u64;
    let first = digest.wrapping_mul(len * len).wrapping_add(pc as u64 * len);
    for (i, byte) in tape[..PROGRAM_LEN].iter_mut().enumerate() {
        *byte = mix(first.wrapping_add(i as u64)) as u8;
    }
}

/// The state of a run of a Forth tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Place of the byte about to be read, on the tape.
    pub pc: usize,
    pub(crate) stack: [u8; STACK_LEN],
    pub(crate) depth: usize,
}

impl State {
    /// The stack, oldest first.
    pub fn stack(&self) -> &[u8] {
        &self.stack[..self.depth.min(STACK_LEN)]
    }

    /// A push onto a full stack ends the run, so it does not matter where it is written.
    #[inline(always)]
    fn push(&mut self, value: u8) {
        self.stack[self.depth % STACK_LEN] = value;
        self.depth += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> u8 {
        if self.depth == 0 {
            return 0;
        }
        self.depth -= 1;
        self.stack[self.depth % STACK_LEN]
    }

    /// A pop as a place in one program.
    #[inline(always)]
    fn pop_place(&mut self) -> usize {
        self.pop() as usize % PROGRAM_LEN
    }

    /// A pop as a place on a tape whose last place is `last`.
    #[inline(always)]
    fn pop_address(&mut self, relative: bool, last: usize) -> usize {
        let address = self.pop();
        match relative {
            true => self.pc.wrapping_add_signed(address as i8 as isize) & last,
            false => address as usize & last,
        }
    }

    /// The start of a run at place `pc`.
    pub fn at(pc: usize) -> State {
        State {
            pc,
            stack: [0; STACK_LEN],
            depth: 0,
        }
    }
}

impl Rules for Dialect {
    type State = State;

    fn start(&self, _tape: &Tape) -> State {
        State::at(0)
    }

    #[inline(always)]
    fn step(&self, tape: &mut Tape, state: &mut State) -> Step {
        self.step_on(tape, state)
    }

    fn view<'a>(&self, _tape: &Tape, state: &'a State) -> View<'a> {
        View {
            pc: state.pc,
            marks: [None; 3],
            stack: state.stack(),
            note: String::new(),
        }
    }
}

impl Dialect {
    /// One step in any space. Must not be called again after it has reported `ended`.
    #[expect(clippy::too_many_lines, reason = "the table of opcodes")]
    #[inline(always)]
    pub(crate) fn step_on<S: Space>(&self, space: &mut S, state: &mut State) -> Step {
        let tape = space.bytes_mut();
        let last = tape.len() - 1;
        let byte = tape[state.pc & last];
        // A jump back past the start wraps to a place far above the tape.
        let mut next = state.pc + 1;
        let mut is_op = true;
        match self.op(byte) {
            Op::ReadA => {
                let at = state.pop_place();
                state.push(tape[at]);
            }
            Op::ReadB => {
                let at = state.pop_place();
                state.push(tape[PROGRAM_LEN + at]);
            }
            Op::Read => {
                let at = state.pop_address(self.relative, last);
                state.push(tape[at]);
            }
            Op::WriteA => {
                let value = state.pop();
                tape[state.pop_place()] = value;
            }
            Op::WriteB => {
                let value = state.pop();
                let at = state.pop_place();
                self.write_right(tape, at, value, state.pc);
            }
            Op::Write => {
                let value = state.pop();
                tape[state.pop_address(self.relative, last)] = value;
            }
            Op::CopyAToB => {
                let at = state.pop_place();
                self.write_right(tape, at, tape[at], state.pc);
            }
            Op::CopyBToA => {
                let at = state.pop_place();
                tape[at] = tape[PROGRAM_LEN + at];
            }
            Op::Copy if self.relative => {
                let far = state.pop();
                let at = state.pop();
                state.push(at);
                let from = state.pc.wrapping_add_signed(at as i8 as isize) & last;
                tape[from.wrapping_add_signed(far as i8 as isize) & last] = tape[from];
            }
            Op::Copy => {
                let to = state.pop_address(false, last);
                let from = state.pop_address(false, last);
                tape[to] = tape[from];
            }
            Op::FlipSide => {
                let value = state.pop();
                state.push(value ^ PROGRAM_LEN as u8);
            }
            Op::Dup => {
                let value = state.pop();
                state.push(value);
                state.push(value);
            }
            Op::Drop => {
                state.pop();
            }
            Op::Swap => {
                let a = state.pop();
                let b = state.pop();
                state.push(a);
                state.push(b);
            }
            Op::SkipIf => {
                let value = state.pop();
                if value != 0 {
                    next += 1;
                }
                state.push(value);
            }
            Op::Increment => {
                let value = state.pop();
                state.push(value.wrapping_add(1));
            }
            Op::Decrement => {
                let value = state.pop();
                state.push(value.wrapping_sub(1));
            }
            Op::Add => {
                let a = state.pop();
                let b = state.pop();
                state.push(a.wrapping_add(b));
            }
            Op::Subtract => {
                let a = state.pop();
                let b = state.pop();
                state.push(a.wrapping_sub(b));
            }
            Op::Constant if self.relative => state.push(((byte << 2) as i8 >> 2) as u8),
            Op::Constant => state.push(byte % 64),
            Op::JumpForward => next = state.pc + distance(byte) as usize,
            Op::JumpBack => next = state.pc.wrapping_sub(distance(byte) as usize),
            Op::Noop => is_op = false,
        }
        state.pc = if S::CIRCULAR { next & last } else { next };
        let ended = if state.depth > STACK_LEN {
            Some(Ended::StackOverflow)
        } else if state.pc > last {
            Some(Ended::LeftTape)
        } else {
            None
        };
        Step { is_op, ended }
    }
}

/// The ops of bytes 4 to B, the same in every dialect.
const fn with_stack_ops<const N: usize>(mut first: [Op; N]) -> [Op; N] {
    let stack_ops = [
        Op::Dup,
        Op::Drop,
        Op::Swap,
        Op::SkipIf,
        Op::Increment,
        Op::Decrement,
        Op::Add,
        Op::Subtract,
    ];
    let mut i = 0;
    while i < stack_ops.len() {
        first[4 + i] = stack_ops[i];
        i += 1;
    }
    first
}

/// The ops of forth, followed by those that only forthtrivial has.
const TRIVIAL_OPS: [Op; 14] = {
    let mut ops = [Op::Noop; 14];
    ops[0] = Op::ReadA;
    ops[1] = Op::ReadB;
    ops[2] = Op::WriteA;
    ops[3] = Op::WriteB;
    ops[12] = Op::CopyAToB;
    ops[13] = Op::CopyBToA;
    with_stack_ops(ops)
};

const COPY_OPS: [Op; 12] = {
    let mut ops = [Op::Noop; 12];
    ops[0] = Op::Read;
    ops[1] = Op::Write;
    ops[2] = Op::Copy;
    ops[3] = Op::FlipSide;
    with_stack_ops(ops)
};

const fn language(name: &'static str, summary: &'static str, dialect: Dialect) -> Language {
    Language {
        name,
        summary,
        family: Family::Forth(dialect),
        program_len: PROGRAM_LEN,
        max_steps: MAX_STEPS,
    }
}

/// The family's languages of 64-byte programs that every engine runs, in alphabetical order.
pub(super) const LANGUAGES: [&Language; 4] =
    [&FORTH, &FORTHCOPY, &FORTHTRIVIAL, &FORTHTRIVIAL_RESET];

/// Reads and writes either program through the stack.
pub static FORTH: Language = language(
    "forth",
    "a stack machine that reads and writes either program",
    Dialect::new(TRIVIAL_OPS.split_at(12).0),
);

/// One address space and a copy op.
pub static FORTHCOPY: Language = language(
    "forthcopy",
    "forth over the whole tape, with an op that copies a byte",
    Dialect::new(&COPY_OPS),
);

/// forth with two ops that copy a byte to the other program.
pub static FORTHTRIVIAL: Language = language(
    "forthtrivial",
    "forth with ops that copy a byte to the same place of the other program",
    Dialect::new(&TRIVIAL_OPS),
);

/// forthtrivial with bytes that defend themselves.
pub static FORTHTRIVIAL_RESET: Language = language(
    "forthtrivial_reset",
    "forthtrivial where writing over byte 13 hex refills the writer instead",
    Dialect::new(&TRIVIAL_OPS).with_guard(0x13),
);

/// The ops of forthcopy without "the other program", which a long tape does not have.
const RELATIVE_OPS: [Op; 12] = {
    let mut ops = COPY_OPS;
    ops[3] = Op::Noop;
    ops
};

/// Signed addresses relative to the op, and a copy op that takes a distance.
pub static FORTHRELATIVE: Language = Language {
    name: "forthrelative",
    summary: "forthcopy with addresses that count from the op; for long tapes",
    family: Family::RelativeForth(Dialect::new(&RELATIVE_OPS).relative()),
    program_len: PROGRAM_LEN,
    max_steps: MAX_STEPS,
};
