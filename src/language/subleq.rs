//! The subleq family: one instruction, subtract and branch.
//!
//! Facts: docs/reference.md, "subleq and rsubleq4".

use super::{
    Ended, Family, Kind, Language, MAX_STEPS, PROGRAM_LEN, Role, Rules, Step, TAPE_LEN, Tape, View,
};

/// One variant, as data.
///
/// An instruction has `ADDRESSES` addresses before its jump: two (target and subtrahend) or three
/// (target, minuend and subtrahend). If `RELATIVE`, addresses and jumps are relative to the
/// instruction, and jumps are signed.
#[derive(Debug)]
pub struct Variant<const ADDRESSES: usize, const RELATIVE: bool>;

/// Addresses from the start of the tape; the target is also the minuend.
pub type Absolute = Variant<2, false>;
/// Addresses relative to the instruction; target, minuend and subtrahend are separate.
pub type Relative = Variant<3, true>;

static ABSOLUTE_KINDS: [Kind; 4] = [
    kind("00", "zero", Role::Null),
    kind("01-3F", "in the left program", Role::Number),
    kind("40-7F", "in the right program", Role::NumberHigh),
    kind("80-FF", "wraps; as a result negative", Role::Close),
];

static RELATIVE_KINDS: [Kind; 4] = [
    kind("00", "zero", Role::Null),
    kind("01-3F", "near ahead", Role::Number),
    kind("40-BF", "far away", Role::NumberHigh),
    kind("C0-FF", "near behind", Role::Close),
];

const fn kind(symbol: &'static str, name: &'static str, role: Role) -> Kind {
    Kind { symbol, name, role }
}

impl<const ADDRESSES: usize, const RELATIVE: bool> Variant<ADDRESSES, RELATIVE> {
    /// Bytes of an instruction.
    const INSTRUCTION_LEN: usize = ADDRESSES + 1;

    /// The kinds of bytes. Addresses have no op, so kinds are ranges of places.
    pub fn kinds(&self) -> &'static [Kind] {
        if RELATIVE {
            &RELATIVE_KINDS
        } else {
            &ABSOLUTE_KINDS
        }
    }

    /// The kind of `byte`.
    pub fn kind(&self, byte: u8) -> &'static Kind {
        let highest_middle = if RELATIVE { 0xbf } else { 0x7f };
        let index = match byte {
            0 => 0,
            1..=0x3f => 1,
            _ if byte <= highest_middle => 2,
            _ => 3,
        };
        &self.kinds()[index]
    }

    /// Whether a run has ended at `state`.
    #[inline(always)]
    pub fn ended(&self, state: &State) -> Option<Ended> {
        (state.pc > TAPE_LEN - Self::INSTRUCTION_LEN).then_some(Ended::LeftTape)
    }

    /// The place given by address `index` of the instruction at `pc`.
    #[inline(always)]
    fn address(&self, tape: &Tape, pc: usize, index: usize) -> usize {
        let base = if RELATIVE { pc } else { 0 };
        (base + tape[pc + index] as usize) % TAPE_LEN
    }
}

/// The state of a run of a subleq tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Place of the instruction about to be executed.
    pub pc: usize,
}

impl<const ADDRESSES: usize, const RELATIVE: bool> Rules for Variant<ADDRESSES, RELATIVE> {
    type State = State;

    fn start(&self, _tape: &Tape) -> State {
        State { pc: 0 }
    }

    #[inline(always)]
    fn step(&self, tape: &mut Tape, state: &mut State) -> Step {
        let pc = state.pc;
        let target = self.address(tape, pc, 0);
        let subtrahend = self.address(tape, pc, ADDRESSES - 1);
        let minuend = self.address(tape, pc, ADDRESSES - 2);
        let result = tape[minuend].wrapping_sub(tape[subtrahend]);
        tape[target] = result;
        // The jump is read after the write, which may have changed it. A jump
        // back past the start wraps to a place far above the tape.
        let jump = tape[pc + ADDRESSES];
        let jumped = match RELATIVE {
            true => pc.wrapping_add_signed(jump as i8 as isize),
            false => jump as usize,
        };
        // Unpredictable: every other instruction jumps.
        state.pc =
            std::hint::select_unpredictable(result as i8 <= 0, jumped, pc + Self::INSTRUCTION_LEN);
        Step {
            is_op: true,
            ended: self.ended(state),
        }
    }

    fn view<'a>(&self, tape: &Tape, state: &'a State) -> View<'a> {
        let mark = |index| (index < ADDRESSES).then(|| self.address(tape, state.pc, index));
        View {
            pc: state.pc,
            marks: [mark(0), mark(1), mark(2)],
            stack: &[],
            note: String::new(),
        }
    }
}

/// The family's languages of 64-byte programs that every engine runs, in alphabetical order.
pub(super) const LANGUAGES: [&Language; 2] = [&RSUBLEQ4, &SUBLEQ];

/// Addresses from the start of the tape.
pub static SUBLEQ: Language = Language {
    name: "subleq",
    summary: "subtract and branch if not positive; three bytes an instruction",
    family: Family::Subleq(Variant),
    program_len: PROGRAM_LEN,
    max_steps: MAX_STEPS,
};

/// Addresses relative to the instruction.
pub static RSUBLEQ4: Language = Language {
    name: "rsubleq4",
    summary: "subleq of four bytes, every address relative to the instruction",
    family: Family::RelativeSubleq(Variant),
    program_len: PROGRAM_LEN,
    max_steps: MAX_STEPS,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The symbol of a kind is the range of its bytes.
    #[test]
    fn kinds_are_where_they_say() {
        for language in [&SUBLEQ, &RSUBLEQ4] {
            for byte in 0..=255u8 {
                let symbol = language.kind(byte).symbol;
                let mut ends = symbol
                    .split('-')
                    .map(|end| u8::from_str_radix(end, 16).unwrap());
                let first = ends.next().unwrap();
                let last = ends.next().unwrap_or(first);
                assert!(
                    (first..=last).contains(&byte),
                    "{language} {byte:02X} {symbol}"
                );
            }
        }
    }
}
