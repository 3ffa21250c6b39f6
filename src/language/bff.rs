//! The BFF family: two heads, ten commands, loops in brackets.
//!
//! Seven dialects differ in the bytes of their commands, where a run starts, how brackets jump, and
//! whether a copy moves a head; all of this is data in [`Dialect`]. Facts: docs/reference.md, "BFF
//! family".

use super::{
    Ended, Family, Kind, Language, MAX_STEPS, PROGRAM_LEN, Role, Rules, Space, Step, TAPE_LEN,
    Tape, View,
};

/// What a byte means to a dialect. The first ten are the commands, in the
/// order of [`COMMANDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// `[`: to the matching `]` if the byte at head 0 is null.
    Open,
    /// `]`: back to the matching `[` if the byte at head 0 is not null.
    Close,
    /// `+`: add one to the byte at head 0.
    Increment,
    /// `-`: subtract one from the byte at head 0.
    Decrement,
    /// `.`: copy the byte at head 0 to head 1.
    CopyTo1,
    /// `,`: copy the byte at head 1 to head 0.
    CopyTo0,
    /// `<`: head 0 left.
    Left0,
    /// `>`: head 0 right.
    Right0,
    /// `{`: head 1 left.
    Left1,
    /// `}`: head 1 right.
    Right1,
    /// The byte that brackets test for; executed, it does nothing.
    Null,
    /// Any other byte.
    Noop,
}

impl Op {
    /// Every op, the ten commands first.
    pub const ALL: [Op; 12] = [
        Op::Open,
        Op::Close,
        Op::Increment,
        Op::Decrement,
        Op::CopyTo1,
        Op::CopyTo0,
        Op::Left0,
        Op::Right0,
        Op::Left1,
        Op::Right1,
        Op::Null,
        Op::Noop,
    ];
}

/// The command characters of program text, in the order of [`Op`].
pub const COMMANDS: [char; 10] = ['[', ']', '+', '-', '.', ',', '<', '>', '{', '}'];

/// The kinds of bytes of the family, in the order of [`Op`].
pub static KINDS: [Kind; 12] = {
    const fn kind(symbol: &'static str, name: &'static str, role: Role) -> Kind {
        Kind { symbol, name, role }
    }
    [
        kind("[", "loop start", Role::Open),
        kind("]", "loop end", Role::Close),
        kind("+", "increment", Role::Arithmetic),
        kind("-", "decrement", Role::Arithmetic),
        kind(".", "copy to head 1", Role::Copy),
        kind(",", "copy to head 0", Role::Copy),
        kind("<", "head 0 left", Role::Move),
        kind(">", "head 0 right", Role::Move),
        kind("{", "head 1 left", Role::MoveSecond),
        kind("}", "head 1 right", Role::MoveSecond),
        kind("0", "null", Role::Null),
        kind("·", "no-op", Role::Noop),
    ]
};

/// What execution needs to know about a byte, in one word: which command it is, if any, and whether
/// brackets treat it as null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Class(u8);

impl Class {
    /// The bits that identify the command: 0 for none, otherwise its index in [`Op`] plus one.
    pub const COMMAND: u8 = 0x0f;
    /// The bit of a byte that is not null.
    pub const SET: u8 = 0x40;
    /// The bit of a byte that is null.
    pub const NULL: u8 = 0x80;

    /// The class as a number.
    #[inline(always)]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The number in the command bits of `op`.
    pub const fn command(op: Op) -> u8 {
        match op {
            Op::Null | Op::Noop => 0,
            _ => op as u8 + 1,
        }
    }
}

/// How brackets jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    /// To their partner, found on the tape as it is at that moment.
    Match,
    /// By this many bytes, forwards or backwards.
    Jump(usize),
}

/// One dialect, as data.
#[derive(Debug)]
pub struct Dialect {
    ops: [Op; 256],
    classes: [Class; 256],
    /// The significant bits of each command that the dialect has.
    commands: [Option<u8>; 10],
    /// The significant bits of a byte.
    mask: u8,
    /// Whether the first two bytes of the tape say where the heads start; the program counter then
    /// starts after them.
    heads_on_tape: bool,
    brackets: Brackets,
    /// Whether `,` then moves head 1 right.
    copy_moves: bool,
    /// The byte for a space in program text: a no-op.
    space: u8,
}

impl Dialect {
    /// A dialect whose command `c` has the byte `commands[c]`, if any.
    const fn new(commands: [Option<u8>; 10], mask: u8) -> Self {
        let mut ops = [Op::Noop; 256];
        let mut classes = [Class(0); 256];
        let mut byte = 0;
        while byte < 256 {
            let significant = byte as u8 & mask;
            if significant == 0 {
                ops[byte] = Op::Null;
            }
            let mut command = 0;
            while command < commands.len() {
                if let Some(code) = commands[command]
                    && code == significant
                {
                    ops[byte] = Op::ALL[command];
                }
                command += 1;
            }
            let null = match significant {
                0 => Class::NULL,
                _ => Class::SET,
            };
            classes[byte] = Class(Class::command(ops[byte]) | null);
            byte += 1;
        }
        Dialect {
            ops,
            classes,
            commands,
            mask,
            heads_on_tape: false,
            brackets: Brackets::Match,
            copy_moves: false,
            space: b' ',
        }
    }

    const fn ascii() -> Self {
        let mut commands = [None; 10];
        let mut command = 0;
        while command < commands.len() {
            commands[command] = Some(COMMANDS[command] as u8);
            command += 1;
        }
        Dialect::new(commands, 0xff)
    }

    const fn with_heads_on_tape(mut self) -> Self {
        self.heads_on_tape = true;
        self
    }

    const fn with_brackets(mut self, brackets: Brackets) -> Self {
        self.brackets = brackets;
        self
    }

    const fn with_moving_copy(mut self) -> Self {
        self.copy_moves = true;
        self
    }

    const fn with_space(mut self, space: u8) -> Self {
        self.space = space;
        self
    }

    /// What `byte` means.
    #[inline(always)]
    pub fn op(&self, byte: u8) -> Op {
        self.ops[byte as usize]
    }

    /// The class of `byte`.
    #[inline(always)]
    pub fn class(&self, byte: u8) -> Class {
        self.classes[byte as usize]
    }

    /// The class of every byte.
    pub(crate) fn classes(&self) -> &[Class; 256] {
        &self.classes
    }

    /// The kind of `byte`.
    pub fn kind(&self, byte: u8) -> &'static Kind {
        &KINDS[self.op(byte) as usize]
    }

    /// The significant bits of each command, in the order of [`Op`]; `None` if the dialect lacks
    /// it.
    pub fn commands(&self) -> &[Option<u8>; 10] {
        &self.commands
    }

    /// The significant bits of a byte.
    pub(crate) fn significant_bits(&self) -> u8 {
        self.mask
    }

    /// How brackets jump.
    pub fn brackets(&self) -> Brackets {
        self.brackets
    }

    /// The place where a run starts.
    pub(crate) fn first_place(&self) -> usize {
        if self.heads_on_tape { 2 } else { 0 }
    }

    /// Where both heads start, if the tape does not say it.
    #[cfg(feature = "jit")]
    pub(crate) fn fixed_start(&self) -> Option<usize> {
        (!self.heads_on_tape).then_some(0)
    }

    /// Whether `,` then moves head 1 right.
    pub(crate) fn copy_moves(&self) -> bool {
        self.copy_moves
    }

    /// Whether brackets treat `byte` as null.
    #[inline(always)]
    pub fn is_null(&self, byte: u8) -> bool {
        byte & self.mask == 0
    }

    /// The byte that program text writes as `op`: the highest if there are several, as in cubff;
    /// `None` if the dialect lacks the command.
    pub fn byte_of(&self, op: Op) -> Option<u8> {
        match op {
            Op::Null => (0..=255).rev().find(|byte| self.is_null(*byte)),
            Op::Noop => Some(self.space),
            _ => (0..=255).rev().find(|byte| self.op(*byte) == op),
        }
    }

    /// The place of the `]` that matches the `[` at `pc`, on the tape as it is. On a ring the
    /// search wraps around, up to the `[` itself.
    #[inline(always)]
    pub(crate) fn matching_close<S: Space>(&self, tape: &S, pc: usize) -> Option<usize> {
        let bytes = tape.bytes();
        let behind = pc + 1;
        let round = if S::CIRCULAR { &bytes[..pc] } else { &[] };
        let ahead = bytes[behind..].iter().chain(round);
        let found = self.find_partner(ahead, Op::Close, Op::Open)?;
        Some((behind + found) & (bytes.len() - 1))
    }

    /// The place of the `[` that matches the `]` at `pc`, on the tape as it is. On a ring the
    /// search wraps around, up to the `]` itself.
    #[inline(always)]
    pub(crate) fn matching_open<S: Space>(&self, tape: &S, pc: usize) -> Option<usize> {
        let bytes = tape.bytes();
        let round = if S::CIRCULAR { &bytes[pc + 1..] } else { &[] };
        let back = bytes[..pc].iter().rev().chain(round.iter().rev());
        let found = self.find_partner(back, Op::Open, Op::Close)?;
        Some(pc.wrapping_sub(1 + found) & (bytes.len() - 1))
    }

    /// The number of bytes before the partner of a bracket; each `nested` bracket on the way takes
    /// a `partner` for itself.
    #[inline(always)]
    fn find_partner<'a>(
        &self,
        bytes: impl Iterator<Item = &'a u8>,
        partner: Op,
        nested: Op,
    ) -> Option<usize> {
        let mut depth = 0usize;
        for (distance, byte) in bytes.enumerate() {
            let op = self.op(*byte);
            if op == nested {
                depth += 1;
            } else if op == partner {
                if depth == 0 {
                    return Some(distance);
                }
                depth -= 1;
            }
        }
        None
    }
}

/// The state of a run of a BFF tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Place of the byte about to be read, on the tape.
    pub pc: usize,
    /// Place of head 0, on the tape.
    pub head0: usize,
    /// Place of head 1, on the tape.
    pub head1: usize,
}

impl Dialect {
    /// One step in any space. Must not be called again after it has reported `ended`.
    #[inline(always)]
    pub(crate) fn step_on<S: Space>(&self, space: &mut S, state: &mut State) -> Step {
        let ended = |reason| Step {
            is_op: true,
            ended: Some(reason),
        };
        let last = space.bytes().len() - 1;
        let tape = space.bytes_mut();
        let State { pc, head0, head1 } = state;
        let op = self.op(tape[*pc]);
        let go_on = |pc: &mut usize, is_op| {
            *pc += 1;
            if S::CIRCULAR {
                *pc &= last;
            }
            Step {
                is_op,
                ended: (*pc > last).then_some(Ended::LeftTape),
            }
        };
        // By far the most common case, before the large `match`.
        if matches!(op, Op::Null | Op::Noop) {
            return go_on(pc, false);
        }
        match op {
            Op::Left0 => *head0 = head0.wrapping_sub(1) & last,
            Op::Right0 => *head0 = (*head0 + 1) & last,
            Op::Left1 => *head1 = head1.wrapping_sub(1) & last,
            Op::Right1 => *head1 = (*head1 + 1) & last,
            Op::Increment => tape[*head0] = tape[*head0].wrapping_add(1),
            Op::Decrement => tape[*head0] = tape[*head0].wrapping_sub(1),
            Op::CopyTo1 => tape[*head1] = tape[*head0],
            Op::CopyTo0 => {
                tape[*head0] = tape[*head1];
                if self.copy_moves {
                    *head1 = (*head1 + 1) & last;
                }
            }
            Op::Open => {
                if self.is_null(tape[*head0]) {
                    match self.brackets {
                        Brackets::Match => match self.matching_close(space, *pc) {
                            Some(close) => *pc = close,
                            None => return ended(Ended::UnmatchedBracket),
                        },
                        Brackets::Jump(distance) => *pc += distance,
                    }
                }
            }
            Op::Close => {
                if !self.is_null(tape[*head0]) {
                    match self.brackets {
                        Brackets::Match => match self.matching_open(space, *pc) {
                            Some(open) => *pc = open,
                            None => return ended(Ended::UnmatchedBracket),
                        },
                        Brackets::Jump(distance) if S::CIRCULAR => {
                            *pc = pc.wrapping_sub(distance) & last;
                        }
                        Brackets::Jump(distance) => match pc.checked_sub(distance) {
                            Some(target) => *pc = target,
                            None => return ended(Ended::LeftTape),
                        },
                    }
                }
            }
            Op::Null | Op::Noop => {}
        }
        go_on(pc, true)
    }
}

impl Rules for Dialect {
    type State = State;

    fn start(&self, tape: &Tape) -> State {
        if self.heads_on_tape {
            State {
                pc: 2,
                head0: tape[0] as usize % TAPE_LEN,
                head1: tape[1] as usize % TAPE_LEN,
            }
        } else {
            State {
                pc: 0,
                head0: 0,
                head1: 0,
            }
        }
    }

    #[inline(always)]
    fn step(&self, tape: &mut Tape, state: &mut State) -> Step {
        self.step_on(tape, state)
    }

    fn view<'a>(&self, _tape: &Tape, state: &'a State) -> View<'a> {
        View {
            pc: state.pc,
            marks: [Some(state.head0), Some(state.head1), None],
            stack: &[],
            note: String::new(),
        }
    }
}

const fn language(name: &'static str, summary: &'static str, dialect: Dialect) -> Language {
    Language {
        name,
        summary,
        family: Family::Bff(dialect),
        program_len: PROGRAM_LEN,
        max_steps: MAX_STEPS,
    }
}

/// The family's languages of 64-byte programs that every engine runs, in alphabetical order.
pub(super) const LANGUAGES: [&Language; 7] = [
    &BFF,
    &BFF8,
    &BFF8_NOHEADS,
    &BFF_NOHEADS,
    &BFF_NOHEADS_4BIT,
    &BFF_PERM,
    &BFF_SELFMOVE,
];

/// The paper's BFF with the initial places of the heads on the tape.
pub static BFF: Language = language(
    "bff",
    "BFF; the first two bytes of the tape say where the heads start",
    Dialect::ascii().with_heads_on_tape(),
);

/// BFF whose brackets jump by eight.
pub static BFF8: Language = language(
    "bff8",
    "bff with brackets that jump 8 bytes instead of to their partner",
    Dialect::ascii()
        .with_heads_on_tape()
        .with_brackets(Brackets::Jump(8)),
);

/// BFF whose brackets jump by eight, heads starting at 0.
pub static BFF8_NOHEADS: Language = language(
    "bff8_noheads",
    "bff8 with both heads starting at 0",
    Dialect::ascii().with_brackets(Brackets::Jump(8)),
);

/// The paper's BFF.
pub static BFF_NOHEADS: Language = language(
    "bff_noheads",
    "the paper's BFF: both heads start at 0",
    Dialect::ascii(),
);

/// BFF decoded from the low nibble: each command has sixteen bytes.
pub static BFF_NOHEADS_4BIT: Language = language(
    "bff_noheads_4bit",
    "bff_noheads with commands read off the low 4 bits: denser code",
    Dialect::new(
        [
            Some(6),
            Some(7),
            Some(8),
            Some(9),
            Some(10),
            Some(11),
            Some(12),
            Some(13),
            Some(14),
            Some(15),
        ],
        0x0f,
    )
    .with_space(0xf1),
);

/// BFF with its commands on the bytes 1 to 10.
pub static BFF_PERM: Language = language(
    "bff_perm",
    "bff with its commands on bytes 1 to 10",
    Dialect::new(
        [
            Some(9),
            Some(10),
            Some(5),
            Some(6),
            Some(7),
            Some(8),
            Some(1),
            Some(2),
            Some(3),
            Some(4),
        ],
        0xff,
    )
    .with_heads_on_tape(),
);

/// BFF with seven commands; its copy moves head 1.
pub static BFF_SELFMOVE: Language = language(
    "bff_selfmove",
    "seven commands on bytes 0 to 6; `,` also moves head 1 right",
    Dialect::new(
        [
            Some(5),
            Some(6),
            Some(2),
            Some(3),
            None,
            Some(4),
            Some(1),
            Some(0),
            None,
            None,
        ],
        0xff,
    )
    .with_heads_on_tape()
    .with_moving_copy(),
);
