//! The CPUs as languages: which machine runs a tape, and its initial registers.
//!
//! [`super::cpu`] defines the instructions. A tape is the machine's whole memory, in which
//! addresses wrap around; a run ends at HALT or at its step limit.

use super::cpu::Memory;
use super::cpu::{i8080, z80};
use super::{Ended, Family, Kind, Language, MAX_STEPS, Outcome, PROGRAM_LEN, View};

/// A machine, and the registers it starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The Z80 of zff: AF = SP = FFFF, all else 0.
    ZffZ80,
    /// The Z80 as the hardware behaves, started as by Cicala et al.: A = F = SP low = FF, all else
    /// 0.
    Z80,
    /// The 8080, all registers 0.
    I8080,
}

/// A running machine.
enum State {
    Z80(z80::Variant, z80::State),
    I8080(i8080::State),
}

impl State {
    fn run<M: Memory + ?Sized>(&mut self, memory: &mut M, max_steps: u32) -> u32 {
        match self {
            State::Z80(variant, state) => z80::run(*variant, memory, state, max_steps),
            State::I8080(state) => i8080::run(memory, state, max_steps),
        }
    }

    fn halted(&self) -> bool {
        match self {
            State::Z80(_, state) => state.halted(),
            State::I8080(state) => state.halted(),
        }
    }

    fn outcome(&self, steps: u32) -> Outcome {
        Outcome {
            ops: steps,
            steps,
            ended: match self.halted() {
                true => Ended::Halted,
                false => Ended::StepLimit,
            },
        }
    }

    fn view(&self, tape: &[u8]) -> View<'static> {
        let (pc, sp, [af, bc, de, hl], (instruction, _)) = match self {
            State::Z80(_, state) => (
                state.pc(),
                state.sp(),
                [state.af(), state.bc(), state.de(), state.hl()],
                z80::disassemble(tape, state.pc()),
            ),
            State::I8080(state) => (
                state.pc(),
                state.sp(),
                [state.psw(), state.bc(), state.de(), state.hl()],
                i8080::disassemble(tape, state.pc()),
            ),
        };
        let place = |address: u16| usize::from(address) & (tape.len() - 1);
        View {
            pc: place(pc),
            marks: [Some(place(sp)), None, None],
            stack: &[],
            note: format!(
                "{instruction:<12}  AF {af:04X} BC {bc:04X} DE {de:04X} HL {hl:04X} SP {sp:04X}"
            ),
        }
    }
}

impl Machine {
    fn start(self) -> State {
        match self {
            Machine::ZffZ80 => State::Z80(z80::Variant::Zff, z80::State::new()),
            Machine::Z80 => State::Z80(z80::Variant::Hardware, z80::State::with_low_stack()),
            Machine::I8080 => State::I8080(i8080::State::new()),
        }
    }

    /// Run `tape` for at most `max_steps` instructions.
    #[inline]
    pub fn run<const N: usize>(self, tape: &mut [u8; N], max_steps: u32) -> Outcome {
        let mut state = self.start();
        let steps = state.run(tape, max_steps);
        state.outcome(steps)
    }

    /// As [`Machine::run`], calling `see` with the tape and its state before each step.
    pub fn trace<const N: usize>(
        self,
        tape: &mut [u8; N],
        max_steps: u32,
        mut see: impl FnMut(&[u8; N], View<'_>),
    ) -> Outcome {
        let mut state = self.start();
        let mut steps = 0;
        while steps < max_steps && !state.halted() {
            see(tape, state.view(tape));
            state.run(tape, 1);
            steps += 1;
        }
        state.outcome(steps)
    }

    /// As [`Machine::run`], on memory whose size is known only now; where `start` is given, the
    /// run starts at that place, where the stack begins as well. Nothing is run where the size is
    /// no power of two from 32 bytes to 64 KiB.
    pub(crate) fn run_memory(
        self,
        memory: &mut [u8],
        start: Option<u16>,
        max_steps: u32,
    ) -> Outcome {
        let mut state = self.start();
        match (&mut state, start) {
            (State::Z80(_, state), Some(start)) => {
                state.set_pc(start);
                state.set_sp(start);
            }
            (State::I8080(state), Some(start)) => {
                state.set_pc(start);
                state.set_sp(start);
            }
            (_, None) => {}
        }
        macro_rules! run_memory_of {
            ($($len:literal)*) => {
                match memory.len() {
                    $($len => {
                        let memory: &mut [u8; $len] = memory.try_into().expect("so many bytes");
                        state.run(memory, max_steps)
                    })*
                    len if len.is_power_of_two() && (32..=1 << 16).contains(&len) => {
                        state.run(memory, max_steps)
                    }
                    _ => return Outcome::default(),
                }
            };
        }
        // For the tapes of pairs the compiler is to know the mask by which addresses wrap round.
        let steps = run_memory_of!(32 64 128);
        state.outcome(steps)
    }

    /// The kinds of bytes.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Machine::ZffZ80 | Machine::Z80 => &z80::KINDS,
            Machine::I8080 => &i8080::KINDS,
        }
    }

    /// The kind of `byte`.
    pub fn kind(self, byte: u8) -> &'static Kind {
        match self {
            Machine::ZffZ80 | Machine::Z80 => z80::kind(byte),
            Machine::I8080 => i8080::kind(byte),
        }
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

/// The 8080, for long tapes; it also runs pairs.
pub static I8080: Language = Language {
    name: "i8080",
    summary: "the 8080; for long tapes",
    family: Family::Machine(Machine::I8080),
    program_len: PROGRAM_LEN,
    max_steps: MAX_STEPS,
};
