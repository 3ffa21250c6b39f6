//! Languages: what the bytes of a tape mean, and only that.
//!
//! A language is data (an op table and a few flags) that the rules of its family interpret. The
//! rules are written once for each family: [`bff`], [`forth`], [`subleq`] and [`machine`]. Engines
//! run tapes by these rules and add none of their own.

pub mod bff;
pub mod cpu;
pub mod forth;
pub mod machine;
pub mod subleq;
mod text;

use std::fmt;
use std::str::FromStr;

pub use text::TextError;

/// Bytes of one program, in the languages of [`Language::ALL`].
pub const PROGRAM_LEN: usize = 64;
/// Bytes of one of their tapes: two programs joined.
pub const TAPE_LEN: usize = 2 * PROGRAM_LEN;

/// The default limit of steps for an interaction of two programs of 64 bytes.
pub const MAX_STEPS: u32 = 8192;

/// The bytes of one program.
pub type Program = [u8; PROGRAM_LEN];
/// Two programs joined: code and data at once.
pub type Tape = [u8; TAPE_LEN];

/// Why a run of a tape ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Ended {
    /// It used up all its steps.
    #[default]
    StepLimit,
    /// Its program counter left the tape.
    LeftTape,
    /// A bracket had to jump and had no partner.
    UnmatchedBracket,
    /// It pushed onto a full stack.
    StackOverflow,
    /// A CPU executed HALT.
    Halted,
}

impl Ended {
    /// Every way to end, in the order of their discriminants.
    pub const ALL: [Ended; 5] = [
        Ended::StepLimit,
        Ended::LeftTape,
        Ended::UnmatchedBracket,
        Ended::StackOverflow,
        Ended::Halted,
    ];

    /// The name used in file headers, such as `step_limit`.
    pub const fn name(self) -> &'static str {
        match self {
            Ended::StepLimit => "step_limit",
            Ended::LeftTape => "left_tape",
            Ended::UnmatchedBracket => "unmatched_bracket",
            Ended::StackOverflow => "stack_overflow",
            Ended::Halted => "halted",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ended::StepLimit => "it reached the step limit",
            Ended::LeftTape => "its program counter left the tape",
            Ended::UnmatchedBracket => "a bracket had no partner",
            Ended::StackOverflow => "the stack overflowed",
            Ended::Halted => "it came to a HALT",
        })
    }
}

/// The outcome of running a tape, besides the changed tape; the default is that of no steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Steps other than no-ops.
    pub ops: u32,
    /// Characters read, no-ops included (subleq family: instructions).
    pub steps: u32,
    /// Why it ended.
    pub ended: Ended,
}

/// The outcome of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// False for a no-op.
    pub is_op: bool,
    /// Set if this step ended the run.
    pub ended: Option<Ended>,
}

/// The state of a running tape, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct View<'a> {
    /// Place of the byte about to be read, on the tape.
    pub pc: usize,
    /// Places the next step may touch: the heads (BFF) or the operands (subleq family); fewer if
    /// the language has fewer.
    pub marks: [Option<usize>; 3],
    /// The stack, oldest first (Forth family; empty elsewhere).
    pub stack: &'a [u8],
    /// Additional text: for a CPU the instruction and the registers.
    pub note: String,
}

/// The rules of a family of languages: how a run starts and what one step does.
pub trait Rules {
    /// Everything about a running tape that is not on the tape.
    type State;

    /// The state before the first step.
    fn start(&self, tape: &Tape) -> Self::State;

    /// Do one step. Must not be called again after it has reported `ended`.
    fn step(&self, tape: &mut Tape, state: &mut Self::State) -> Step;

    /// The state of the run, for display.
    fn view<'a>(&self, tape: &Tape, state: &'a Self::State) -> View<'a>;
}

/// The bytes that a run works on; their number is a power of two.
///
/// Families with the same rules on a tape of two programs and on a long tape closed to a ring
/// implement their steps on this trait, so that they are written once.
pub trait Space {
    /// Whether the first byte follows the last one, for the program counter and for brackets that
    /// search for their partner. Heads and addresses wrap around in any space.
    const CIRCULAR: bool;

    /// The bytes.
    fn bytes(&self) -> &[u8];

    /// The bytes.
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl Space for Tape {
    const CIRCULAR: bool = false;

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline(always)]
    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// A long tape whose ends are joined.
#[derive(Debug)]
pub struct Ring<'a>(&'a mut [u8]);

impl<'a> Ring<'a> {
    /// The ring of these bytes; `None` if their number is not a power of two.
    pub fn new(bytes: &'a mut [u8]) -> Option<Ring<'a>> {
        bytes.len().is_power_of_two().then_some(Ring(bytes))
    }
}

impl Space for Ring<'_> {
    const CIRCULAR: bool = true;

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.0
    }

    #[inline(always)]
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

/// What a byte does, in the broadest terms; determines its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Starts a loop or jumps forwards.
    Open,
    /// Ends a loop or jumps backwards.
    Close,
    /// Computes.
    Arithmetic,
    /// Copies a byte from one place of the tape to another, or writes one.
    Copy,
    /// Reads a byte of the tape.
    Read,
    /// Moves the first head, or works on the stack.
    Move,
    /// Moves the second head.
    MoveSecond,
    /// A number, or an address.
    Number,
    /// Another kind of number.
    NumberHigh,
    /// The byte that loops test for.
    Null,
    /// Nothing.
    Noop,
}

/// An expression in which `$len` is a constant: the length of a language's programs. Code that is
/// compiled for each length that there is chooses here, and nowhere else.
macro_rules! with_program_len {
    ($language:expr, $len:ident => $expression:expr) => {
        match $language.program_len {
            16 => {
                const $len: usize = 16;
                $expression
            }
            32 => {
                const $len: usize = 32;
                $expression
            }
            _ => {
                const $len: usize = $crate::language::PROGRAM_LEN;
                $expression
            }
        }
    };
}
pub(crate) use with_program_len;

/// One kind of byte of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// How the kind is written, such as `[` or a range of hex bytes.
    pub symbol: &'static str,
    /// What it does, in a few words.
    pub name: &'static str,
    /// What it does in the broadest terms.
    pub role: Role,
}

/// The rules and data of a language, by family.
#[expect(
    clippy::large_enum_variant,
    reason = "languages are statics, never moved"
)]
#[derive(Debug)]
#[non_exhaustive]
pub enum Family {
    /// Heads on a tape, loops in brackets.
    Bff(bff::Dialect),
    /// A stack machine.
    Forth(forth::Dialect),
    /// Subtract and branch.
    Subleq(subleq::Absolute),
    /// Subtract and branch, with addresses relative to the instruction.
    RelativeSubleq(subleq::Relative),
    /// The stack machine with addresses relative to the op.
    RelativeForth(forth::Dialect),
    /// A CPU, whose memory is the tape.
    Machine(machine::Machine),
}

/// A language. There is one of each, in [`Language::ALL`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Language {
    /// cubff's name for it.
    pub name: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// Its rules.
    pub family: Family,
    /// Bytes of one of its programs; a tape has twice as many.
    pub program_len: usize,
    /// The default limit of steps for an interaction.
    pub max_steps: u32,
}

/// The languages of each family, whose alphabetical order is that of their languages.
const FAMILIES: [&[&Language]; 3] = [&bff::LANGUAGES, &forth::LANGUAGES, &subleq::LANGUAGES];

const NUM_LANGUAGES: usize =
    bff::LANGUAGES.len() + forth::LANGUAGES.len() + subleq::LANGUAGES.len();

impl Language {
    /// cubff's thirteen languages, in alphabetical order: those of 64-byte programs that
    /// every engine runs. Each family lists its own.
    pub const ALL: [&'static Language; NUM_LANGUAGES] = {
        let mut all = [bff::LANGUAGES[0]; NUM_LANGUAGES];
        let mut len = 0;
        let mut family = 0;
        while family < FAMILIES.len() {
            let mut index = 0;
            while index < FAMILIES[family].len() {
                all[len] = FAMILIES[family][index];
                len += 1;
                index += 1;
            }
            family += 1;
        }
        all
    };

    /// The languages of other worlds, in alphabetical order.
    pub const OF_WORLDS: [&'static Language; 4] = [
        &forth::FORTHRELATIVE,
        &machine::I8080,
        &machine::Z80,
        &machine::Z80_ZFF,
    ];

    /// Every language.
    pub fn every() -> impl Iterator<Item = &'static Language> {
        Language::ALL.into_iter().chain(Language::OF_WORLDS)
    }

    /// Bytes of a tape: two programs joined.
    pub fn tape_len(&self) -> usize {
        2 * self.program_len
    }

    /// The kind of `byte`.
    pub fn kind(&self, byte: u8) -> &'static Kind {
        match &self.family {
            Family::Bff(dialect) => dialect.kind(byte),
            Family::Forth(dialect) | Family::RelativeForth(dialect) => dialect.kind(byte),
            Family::Subleq(variant) => variant.kind(byte),
            Family::RelativeSubleq(variant) => variant.kind(byte),
            Family::Machine(machine) => machine.kind(byte),
        }
    }

    /// The kinds that at least one byte has, in a fixed order.
    pub fn kinds(&self) -> Vec<&'static Kind> {
        let all: &'static [Kind] = match &self.family {
            Family::Bff(_) => &bff::KINDS,
            Family::Forth(_) | Family::RelativeForth(_) => &forth::KINDS,
            Family::Subleq(variant) => variant.kinds(),
            Family::RelativeSubleq(variant) => variant.kinds(),
            Family::Machine(machine) => machine.kinds(),
        };
        let used: Vec<_> = (0..=255).map(|byte| self.kind(byte)).collect();
        all.iter().filter(|kind| used.contains(kind)).collect()
    }

    /// The number of each byte's kind, in the order of [`Language::kinds`].
    pub fn kind_numbers(&self) -> [u8; 256] {
        let kinds = self.kinds();
        std::array::from_fn(|byte| {
            let kind = self.kind(byte as u8);
            kinds.iter().position(|known| *known == kind).unwrap_or(0) as u8
        })
    }

    /// The bytes of a program text: in the BFF family the ten command characters, `0` for null, a
    /// space for a no-op, `\xHH` for any byte and [`Language::glyphs`]; in other families pairs of hex digits, with
    /// optional spaces between them.
    pub fn parse_program(&self, text: &str) -> Result<Vec<u8>, TextError> {
        match &self.family {
            Family::Bff(dialect) => text::parse_commands(self.name, dialect, text),
            _ => text::parse_hex(text),
        }
    }

    /// Program text that [`Language::parse_program`] reads back as `program`.
    pub fn program_text(&self, program: &[u8]) -> String {
        match &self.family {
            Family::Bff(dialect) => text::show_commands(dialect, program),
            _ => text::show_hex(program),
        }
    }

    /// A program as cubff prints it: commands, `0` for null, and for each other byte a letter of its
    /// own, mostly of Latin Extended. Only the BFF family has such letters;
    /// [`Language::parse_program`] reads them.
    pub fn glyphs(&self, program: &[u8]) -> Option<String> {
        match &self.family {
            Family::Bff(dialect) => Some(text::show_glyphs(dialect, program)),
            _ => None,
        }
    }

    /// One byte as text of constant width: one column in the BFF family (`·` for a no-op other than
    /// the space), two in other families.
    pub fn byte_text(&self, byte: u8) -> String {
        match &self.family {
            Family::Bff(dialect) => text::command_symbol(dialect, byte).unwrap_or('·').into(),
            _ => format!("{byte:02X}"),
        }
    }
}

/// The bytes of pairs of hex digits, with optional spaces between pairs.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, TextError> {
    text::parse_hex(text)
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Language {}

/// A name that no language has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown language `{name}`{}; the languages are {}",
    match nearest { Some(n) => format!(" (did you mean `{n}`?)"), None => String::new() },
    Language::every().map(|language| language.name).collect::<Vec<_>>().join(", "))]
#[non_exhaustive]
pub struct UnknownLanguage {
    /// The name asked for.
    pub name: String,
    /// The closest existing name, if one is close.
    pub nearest: Option<&'static str>,
}

impl FromStr for &'static Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        if let Some(language) = Language::every().find(|l| l.name == name) {
            return Ok(language);
        }
        let nearest = Language::every()
            .map(|language| {
                let likeness = strsim::jaro_winkler(&name.to_lowercase(), language.name);
                (likeness, language.name)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.7)
            .map(|(_, name)| name);
        Err(UnknownLanguage {
            name: name.into(),
            nearest,
        })
    }
}
