//! The CPUs as languages: which machine runs a tape, and from which registers on.
//!
//! What an instruction does is written in [`super::cpu`]. A tape is the machine's whole
//! memory, in which addresses wrap round; a run goes on until HALT or its step limit.

use super::cpu::z80;
use super::{Ended, Family, Kind, Language, Outcome, Role, View};

/// A machine, and the registers it starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The Z80 of zff: AF = SP = FFFF, all else 0.
    ZffZ80,
    /// The Z80 as hardware has it, as Cicala et al. start it: A = F = SP low = FF, all else 0.
    Z80,
}

/// A machine at work on N bytes.
enum State {
    Z80(z80::Variant, z80::State),
}

impl State {
    fn run<const N: usize>(&mut self, memory: &mut [u8; N], max_steps: u32) -> u32 {
        match self {
            State::Z80(variant, state) => z80::run(*variant, memory, state, max_steps),
        }
    }

    fn halted(&self) -> bool {
        match self {
            State::Z80(_, state) => state.halted(),
        }
    }
}

impl Machine {
    fn start(self) -> State {
        match self {
            Machine::ZffZ80 => State::Z80(z80::Variant::Zff, z80::State::new()),
            Machine::Z80 => State::Z80(z80::Variant::Hardware, z80::State::with_low_stack()),
        }
    }

    /// Run `tape` for at most `max_steps` instructions.
    #[inline]
    pub fn run<const N: usize>(self, tape: &mut [u8; N], max_steps: u32) -> Outcome {
        let mut state = self.start();
        let steps = state.run(tape, max_steps);
        outcome(steps, &state)
    }

    /// As [`Machine::run`], calling `see` with the tape and where it stands before each step.
    pub fn trace<const N: usize>(
        self,
        tape: &mut [u8; N],
        max_steps: u32,
        mut see: impl FnMut(&[u8; N], View<'_>),
    ) -> Outcome {
        let mut state = self.start();
        let mut steps = 0;
        while steps < max_steps && !state.halted() {
            see(tape, view(tape, &state));
            state.run(tape, 1);
            steps += 1;
        }
        outcome(steps, &state)
    }

    /// The kinds of bytes.
    pub fn kinds(self) -> &'static [Kind] {
        &KINDS
    }

    /// The kind of `byte`.
    pub fn kind(self, byte: u8) -> &'static Kind {
        &KINDS[usize::from(byte == 0)]
    }
}

static KINDS: [Kind; 2] = [
    Kind {
        symbol: "x",
        name: "instruction",
        role: Role::Arithmetic,
    },
    Kind {
        symbol: "00",
        name: "no-op",
        role: Role::Noop,
    },
];

fn outcome(steps: u32, state: &State) -> Outcome {
    Outcome {
        ops: steps,
        steps,
        ended: match state.halted() {
            true => Ended::Halted,
            false => Ended::StepLimit,
        },
    }
}

fn view<'a, const N: usize>(_tape: &[u8; N], state: &State) -> View<'a> {
    let State::Z80(_, state) = state;
    let place = |address: u16| usize::from(address) % N;
    View {
        pc: place(state.pc()),
        marks: [Some(place(state.sp())), None, None],
        stack: &[],
        note: format!(
            "AF {:04X} BC {:04X} DE {:04X} HL {:04X}",
            state.af(),
            state.bc(),
            state.de(),
            state.hl()
        ),
    }
}

/// The Z80 of zff's grid.
pub static Z80_ZFF: Language = Language {
    name: "z80_zff",
    summary: "the Z80 as zff has it, on programs of 16 bytes",
    family: Family::Machine(Machine::ZffZ80),
    program_len: 16,
    max_steps: 128,
};

/// The Z80 of Cicala et al.
pub static Z80: Language = Language {
    name: "z80",
    summary: "the Z80 as hardware has it, on programs of 32 bytes",
    family: Family::Machine(Machine::Z80),
    program_len: 32,
    max_steps: 512,
};
