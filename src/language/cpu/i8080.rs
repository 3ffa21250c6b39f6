//! The 8080, with what its opcodes without a name do.
//!
//! There are no interrupts, no clock and nothing at the ports: IN reads 0. Facts:
//! docs/cpus.md.

use std::fmt;

use super::{
    CARRY, Class, HALF, HL, Listing, Memory, Registers, SIGN_ZERO_PARITY, add_or_subtract,
    decimal_correction, direction, holds, increment_or_decrement, is_and, is_compare, last_pair,
    logic, lower_is_memory, match_opcode, named, upper_is_memory,
};
use crate::language::{Kind, Role};

/// The bit of the flags that is always set; bits 3 and 5 are always clear.
const ALWAYS: u8 = 0x02;

/// The kinds of opcodes.
pub static KINDS: [Kind; 15] = [
    named("·", "no-op", Role::Noop),
    named("MVI", "constant", Role::Number),
    named("MOV", "move", Role::Move),
    named("LDA", "load", Role::Read),
    named("STA", "store", Role::Copy),
    named("ADD", "arithmetic", Role::Arithmetic),
    named("INX", "pair arithmetic", Role::MoveSecond),
    named("XCHG", "exchange", Role::NumberHigh),
    named("PUSH", "push", Role::Copy),
    named("POP", "pop", Role::Read),
    named("JMP", "jump", Role::Open),
    named("CALL", "call", Role::Open),
    named("RET", "return", Role::Close),
    named("IN", "port, interrupts", Role::Noop),
    named("HLT", "halt", Role::Close),
];

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Noop; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = Class::of_i8080(byte as u8);
        byte += 1;
    }
    classes
};

/// The kind of `byte` where it is an opcode.
pub fn kind(byte: u8) -> &'static Kind {
    &KINDS[CLASSES[byte as usize] as usize]
}

/// All registers.
///
/// ```
/// use broth::language::cpu::i8080::{State, run};
///
/// let mut memory = [0; 65_536];
/// memory[..4].copy_from_slice(&[0x01, 0xc5, 0x01, 0xc5]); // LXI B,01C5; PUSH B
/// let mut state = State::new();
/// assert_eq!(run(&mut memory, &mut state, 2), 2);
/// assert_eq!(memory[65_534..], [0xc5, 0x01]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State {
    registers: Registers,
    pc: u16,
    sp: u16,
    halted: bool,
}

impl State {
    /// All registers 0; the flags are 02, since one of them is always set.
    pub fn new() -> Self {
        let mut registers = Registers::default();
        registers.set_f(ALWAYS);
        State {
            registers,
            pc: 0,
            sp: 0,
            halted: false,
        }
    }

    /// Where the next instruction is.
    pub fn pc(&self) -> u16 {
        self.pc
    }

    /// Have the next instruction be at `pc`.
    pub fn set_pc(&mut self, pc: u16) {
        self.pc = pc;
    }

    /// Whether it has met a HLT.
    pub fn halted(&self) -> bool {
        self.halted
    }

    /// The stack pointer.
    pub fn sp(&self) -> u16 {
        self.sp
    }

    /// Set the stack pointer.
    pub fn set_sp(&mut self, sp: u16) {
        self.sp = sp;
    }

    /// The processor status word: A, and the flags as low byte.
    pub fn psw(&self) -> u16 {
        self.registers.pushed(0xf5)
    }

    /// Set A and the flags; bits 1, 3 and 5 of the flags are what they always are.
    pub fn set_psw(&mut self, psw: u16) {
        self.registers.pop(0xf1, psw & !0x28 | u16::from(ALWAYS));
    }

    /// B and C.
    pub fn bc(&self) -> u16 {
        self.registers.pair(0x00)
    }

    /// Set B and C.
    pub fn set_bc(&mut self, bc: u16) {
        self.registers.set_pair(0x00, bc);
    }

    /// D and E.
    pub fn de(&self) -> u16 {
        self.registers.pair(0x10)
    }

    /// Set D and E.
    pub fn set_de(&mut self, de: u16) {
        self.registers.set_pair(0x10, de);
    }

    /// H and L.
    pub fn hl(&self) -> u16 {
        self.registers.pair(HL)
    }

    /// Set H and L.
    pub fn set_hl(&mut self, hl: u16) {
        self.registers.set_pair(HL, hl);
    }
}

impl Default for State {
    fn default() -> Self {
        State::new()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (psw, bc, de, hl) = (self.psw(), self.bc(), self.de(), self.hl());
        let (pc, sp, halted) = (self.pc, self.sp, self.halted);
        write!(
            f,
            "PC {pc:04X} SP {sp:04X} PSW {psw:04X} BC {bc:04X} DE {de:04X} HL {hl:04X} "
        )?;
        write!(f, "halted {halted}")
    }
}

/// Do one instruction, its operands with it, on a `memory`; addresses wrap around in it. After a HLT nothing is done any more.
#[inline]
pub fn step<M: Memory + ?Sized>(memory: &mut M, state: &mut State) {
    run(memory, state, 1);
}

/// Do `max_steps` instructions, or fewer if there is a HLT. Returns how many.
///
/// # Panics
///
/// Where the memory has not as many bytes as a power of two up to 65,536.
#[inline]
pub fn run<M: Memory + ?Sized>(memory: &mut M, state: &mut State, max_steps: u32) -> u32 {
    memory.check();
    let mut machine = Machine {
        memory,
        state: *state,
    };
    let mut done = 0;
    while done < max_steps && !machine.state.halted {
        done += 1;
        machine.instruction();
    }
    *state = machine.state;
    done
}

/// The flags of `result`, with the carries given.
#[inline(always)]
fn flags_of(result: u8, half: u8, carry: u8) -> u8 {
    SIGN_ZERO_PARITY[result as usize] | half & HALF | carry & CARRY | ALWAYS
}

/// A after DAA, and the flags.
fn adjust_decimal(a: u8, flags: u8) -> (u8, u8) {
    let (correction, carry) = decimal_correction(a, flags);
    let result = a.wrapping_add(correction);
    (result, flags_of(result, a ^ correction ^ result, carry))
}

/// A run of `state`'s on a memory.
struct Machine<'m, M: Memory + ?Sized> {
    memory: &'m mut M,
    state: State,
}

impl<M: Memory + ?Sized> Machine<'_, M> {
    #[inline(always)]
    fn fetch(&mut self) -> u8 {
        let byte = self.memory.read(self.state.pc);
        self.state.pc = self.state.pc.wrapping_add(1);
        byte
    }

    #[inline(always)]
    fn fetch_pair(&mut self) -> u16 {
        let pair = self.memory.read_pair(self.state.pc);
        self.state.pc = self.state.pc.wrapping_add(2);
        pair
    }

    #[inline(always)]
    fn push(&mut self, value: u16) {
        self.state.sp = self.state.sp.wrapping_sub(2);
        self.memory.write_pair(self.state.sp, value);
    }

    #[inline(always)]
    fn pop(&mut self) -> u16 {
        let value = self.memory.read_pair(self.state.sp);
        self.state.sp = self.state.sp.wrapping_add(2);
        value
    }

    /// The register in bits 0 to 2 of `opcode`, or the byte at (HL).
    #[inline(always)]
    fn lower(&self, opcode: u8) -> u8 {
        if lower_is_memory(opcode) {
            self.memory.read(self.state.hl())
        } else {
            self.state.registers.get(Registers::lower(opcode))
        }
    }

    /// The register in bits 3 to 5 of `opcode`, or the byte at (HL).
    #[inline(always)]
    fn upper(&self, opcode: u8) -> u8 {
        self.lower(opcode >> 3)
    }

    /// Set the register in bits 3 to 5 of `opcode`, or the byte at (HL).
    #[inline(always)]
    fn set_upper(&mut self, opcode: u8, value: u8) {
        if upper_is_memory(opcode) {
            self.memory.write(self.state.hl(), value);
        } else {
            self.state.registers.set(Registers::upper(opcode), value);
        }
    }

    /// The pair in bits 4 and 5 of `opcode`, of which the last one is SP.
    #[inline(always)]
    fn pair(&self, opcode: u8) -> u16 {
        if last_pair(opcode) {
            self.state.sp
        } else {
            let shift = Registers::pair_of(opcode);
            self.state.registers.pair(shift)
        }
    }

    #[inline(always)]
    fn set_pair(&mut self, opcode: u8, value: u16) {
        if last_pair(opcode) {
            self.state.sp = value;
        } else {
            let shift = Registers::pair_of(opcode);
            self.state.registers.set_pair(shift, value);
        }
    }

    #[inline(always)]
    fn jump_if(&mut self, taken: bool) {
        let target = self.fetch_pair();
        if taken {
            self.state.pc = target;
        }
    }

    #[inline(always)]
    fn call_if(&mut self, taken: bool) {
        let target = self.fetch_pair();
        if taken {
            self.push(self.state.pc);
            self.state.pc = target;
        }
    }

    #[inline(always)]
    fn return_if(&mut self, taken: bool) {
        if taken {
            self.state.pc = self.pop();
        }
    }

    #[inline(always)]
    fn arithmetic(&mut self, opcode: u8, operand: u8) {
        let registers = self.state.registers;
        let (a, flags) = (registers.a(), registers.f());
        let sum = add_or_subtract(opcode, a, operand, flags);
        // Unlike the carry, the half carry of a subtraction is the adder's.
        let flags = flags_of(sum.result, sum.carries, sum.carry ^ sum.inverted);
        let a = if is_compare(opcode) { a } else { sum.result };
        self.state.registers.set_af(a, flags);
    }

    #[inline(always)]
    fn logic(&mut self, opcode: u8, operand: u8) {
        let a = self.state.registers.a();
        let result = logic(opcode, a, operand);
        // The half carry of ANA is bit 3 of either operand.
        let half = if is_and(opcode) {
            (a | operand) << 1
        } else {
            0
        };
        self.state
            .registers
            .set_af(result, flags_of(result, half, 0));
    }

    /// Do the next instruction.
    #[inline(always)]
    fn instruction(&mut self) {
        match_opcode!(self.fetch(), OPCODE => self.execute(OPCODE));
    }

    /// The rest of an instruction that begins with `opcode`.
    #[expect(clippy::too_many_lines, reason = "the table of opcodes")]
    #[inline(always)]
    fn execute(&mut self, opcode: u8) {
        let registers = self.state.registers;
        let (a, flags) = (registers.a(), registers.f());
        match opcode {
            // NOP, and seven opcodes without a name.
            0x00 | 0x08 | 0x10 | 0x18 | 0x20 | 0x28 | 0x30 | 0x38 => {}
            // LXI rr,nn
            0x01 | 0x11 | 0x21 | 0x31 => {
                let value = self.fetch_pair();
                self.set_pair(opcode, value);
            }
            // DAD rr
            0x09 | 0x19 | 0x29 | 0x39 => {
                let (sum, carry) = registers.pair(HL).overflowing_add(self.pair(opcode));
                self.state.registers.set_pair(HL, sum);
                let flags = flags & !CARRY | u8::from(carry);
                self.state.registers.set_f(flags);
            }
            // STAX rr
            0x02 | 0x12 => {
                let address = registers.pair(Registers::pair_of(opcode));
                self.memory.write(address, a);
            }
            // LDAX rr
            0x0a | 0x1a => {
                let address = registers.pair(Registers::pair_of(opcode));
                self.state.registers.set_a(self.memory.read(address));
            }
            // SHLD nn
            0x22 => {
                let address = self.fetch_pair();
                self.memory.write_pair(address, registers.pair(HL));
            }
            // LHLD nn
            0x2a => {
                let address = self.fetch_pair();
                let value = self.memory.read_pair(address);
                self.state.registers.set_pair(HL, value);
            }
            // STA nn
            0x32 => {
                let address = self.fetch_pair();
                self.memory.write(address, a);
            }
            // LDA nn
            0x3a => {
                let address = self.fetch_pair();
                self.state.registers.set_a(self.memory.read(address));
            }
            // INX rr, DCX rr
            0x03 | 0x0b | 0x13 | 0x1b | 0x23 | 0x2b | 0x33 | 0x3b => {
                let value = self.pair(opcode).wrapping_add(direction(opcode));
                self.set_pair(opcode, value);
            }
            // INR r, DCR r
            0x04 | 0x05 | 0x0c | 0x0d | 0x14 | 0x15 | 0x1c | 0x1d | 0x24 | 0x25 | 0x2c | 0x2d
            | 0x34 | 0x35 | 0x3c | 0x3d => {
                let value = self.upper(opcode);
                let result = increment_or_decrement(opcode, value);
                self.set_upper(opcode, result);
                let decrement = 0u8.wrapping_sub(opcode & 1);
                let flags = flags_of(result, value ^ result ^ decrement, flags);
                self.state.registers.set_f(flags);
            }
            // MVI r,n
            0x06 | 0x0e | 0x16 | 0x1e | 0x26 | 0x2e | 0x36 | 0x3e => {
                let value = self.fetch();
                self.set_upper(opcode, value);
            }
            // RLC, RRC, RAL, RAR
            0x07 | 0x0f | 0x17 | 0x1f => {
                let (result, carry) = match opcode {
                    0x07 => (a.rotate_left(1), a >> 7),
                    0x0f => (a.rotate_right(1), a),
                    0x17 => (a << 1 | flags & CARRY, a >> 7),
                    _ => (a >> 1 | flags << 7, a),
                };
                let flags = flags & !CARRY | carry & CARRY;
                self.state.registers.set_af(result, flags);
            }
            // DAA
            0x27 => {
                let (result, flags) = adjust_decimal(a, flags);
                self.state.registers.set_af(result, flags);
            }
            // CMA
            0x2f => self.state.registers.set_a(!a),
            // STC
            0x37 => self.state.registers.set_f(flags | CARRY),
            // CMC
            0x3f => self.state.registers.set_f(flags ^ CARRY),
            // HLT
            0x76 => self.state.halted = true,
            // MOV r,r'
            0x40..=0x7f => {
                let value = self.lower(opcode);
                self.set_upper(opcode, value);
            }
            // ADD, ADC, SUB, SBB, CMP r
            0x80..=0x9f | 0xb8..=0xbf => self.arithmetic(opcode, self.lower(opcode)),
            // ANA, XRA, ORA r
            0xa0..=0xb7 => self.logic(opcode, self.lower(opcode)),
            // ADI, ACI, SUI, SBI, CPI n
            0xc6 | 0xce | 0xd6 | 0xde | 0xfe => {
                let operand = self.fetch();
                self.arithmetic(opcode, operand);
            }
            // ANI, XRI, ORI n
            0xe6 | 0xee | 0xf6 => {
                let operand = self.fetch();
                self.logic(opcode, operand);
            }
            // Rcc
            0xc0 | 0xc8 | 0xd0 | 0xd8 | 0xe0 | 0xe8 | 0xf0 | 0xf8 => {
                self.return_if(holds(opcode, flags));
            }
            // RET, and an opcode without a name.
            0xc9 | 0xd9 => self.return_if(true),
            // Jcc nn
            0xc2 | 0xca | 0xd2 | 0xda | 0xe2 | 0xea | 0xf2 | 0xfa => {
                self.jump_if(holds(opcode, flags));
            }
            // JMP nn, and an opcode without a name.
            0xc3 | 0xcb => self.jump_if(true),
            // Ccc nn
            0xc4 | 0xcc | 0xd4 | 0xdc | 0xe4 | 0xec | 0xf4 | 0xfc => {
                self.call_if(holds(opcode, flags));
            }
            // CALL nn, and three opcodes without a name.
            0xcd | 0xdd | 0xed | 0xfd => self.call_if(true),
            // RST
            0xc7 | 0xcf | 0xd7 | 0xdf | 0xe7 | 0xef | 0xf7 | 0xff => {
                self.push(self.state.pc);
                self.state.pc = u16::from(opcode & 0x38);
            }
            // POP rr
            0xc1 | 0xd1 | 0xe1 => {
                let value = self.pop();
                self.state.registers.pop(opcode, value);
            }
            // POP PSW
            0xf1 => {
                let value = self.pop();
                self.state.set_psw(value);
            }
            // PUSH rr
            0xc5 | 0xd5 | 0xe5 | 0xf5 => self.push(registers.pushed(opcode)),
            // OUT n
            0xd3 => {
                self.fetch();
            }
            // IN n
            0xdb => {
                self.fetch();
                self.state.registers.set_a(0);
            }
            // XTHL
            0xe3 => {
                let value = self.memory.read_pair(self.state.sp);
                self.memory.write_pair(self.state.sp, registers.pair(HL));
                self.state.registers.set_pair(HL, value);
            }
            // PCHL
            0xe9 => self.state.pc = registers.pair(HL),
            // XCHG
            0xeb => {
                let de = registers.pair(0x10);
                self.state.registers.set_pair(0x10, registers.pair(HL));
                self.state.registers.set_pair(HL, de);
            }
            // SPHL
            0xf9 => self.state.sp = registers.pair(HL),
            // DI, EI
            0xf3 | 0xfb => {}
        }
    }
}

const REGISTERS: [&str; 8] = ["B", "C", "D", "E", "H", "L", "M", "A"];
const PAIRS: [&str; 4] = ["B", "D", "H", "SP"];
const CONDITIONS: [&str; 8] = ["NZ", "Z", "NC", "C", "PO", "PE", "P", "M"];
const OPERATIONS: [[&str; 2]; 8] = [
    ["ADD", "ADI"],
    ["ADC", "ACI"],
    ["SUB", "SUI"],
    ["SBB", "SBI"],
    ["ANA", "ANI"],
    ["XRA", "XRI"],
    ["ORA", "ORI"],
    ["CMP", "CPI"],
];

/// The instruction at `pc` in Intel's words with all numbers in hex, such as `LXI B,01C5`, and
/// how many bytes it has. Addresses wrap around in `memory`. What has no name of its own is
/// called by what it does.
///
/// ```
/// use broth::language::cpu::i8080::disassemble;
///
/// assert_eq!(disassemble(&[0x01, 0xc5, 0x01, 0xc5], 0), ("LXI B,01C5".into(), 3));
/// ```
pub fn disassemble(memory: &[u8], pc: u16) -> (String, usize) {
    let mut listing = Listing::new(memory, pc);
    let opcode = listing.byte();
    let upper = usize::from(opcode >> 3 & 7);
    let (to, from) = (REGISTERS[upper], REGISTERS[usize::from(opcode & 7)]);
    let pair = PAIRS[upper / 2];
    let pushed = if upper / 2 == 3 { "PSW" } else { pair };
    let condition = CONDITIONS[upper];
    let [operation, immediate] = OPERATIONS[upper];
    let text = match opcode {
        0x00 | 0x08 | 0x10 | 0x18 | 0x20 | 0x28 | 0x30 | 0x38 => "NOP".into(),
        0x02 | 0x12 => format!("STAX {pair}"),
        0x0a | 0x1a => format!("LDAX {pair}"),
        0x22 => format!("SHLD {:04X}", listing.pair()),
        0x2a => format!("LHLD {:04X}", listing.pair()),
        0x32 => format!("STA {:04X}", listing.pair()),
        0x3a => format!("LDA {:04X}", listing.pair()),
        0x76 => "HLT".into(),
        0xc9 | 0xd9 => "RET".into(),
        0xc3 | 0xcb => format!("JMP {:04X}", listing.pair()),
        0xcd | 0xdd | 0xed | 0xfd => format!("CALL {:04X}", listing.pair()),
        0xd3 => format!("OUT {:02X}", listing.byte()),
        0xdb => format!("IN {:02X}", listing.byte()),
        0xe3 => "XTHL".into(),
        0xe9 => "PCHL".into(),
        0xeb => "XCHG".into(),
        0xf3 => "DI".into(),
        0xf9 => "SPHL".into(),
        0xfb => "EI".into(),
        0x00..=0x3f => match opcode & 7 {
            1 if opcode & 8 == 0 => format!("LXI {pair},{:04X}", listing.pair()),
            1 => format!("DAD {pair}"),
            3 if opcode & 8 == 0 => format!("INX {pair}"),
            3 => format!("DCX {pair}"),
            4 => format!("INR {to}"),
            5 => format!("DCR {to}"),
            6 => format!("MVI {to},{:02X}", listing.byte()),
            _ => ["RLC", "RRC", "RAL", "RAR", "DAA", "CMA", "STC", "CMC"][upper].into(),
        },
        0x40..=0x7f => format!("MOV {to},{from}"),
        0x80..=0xbf => format!("{operation} {from}"),
        0xc0..=0xff => match opcode & 7 {
            0 => format!("R{condition}"),
            1 => format!("POP {pushed}"),
            2 => format!("J{condition} {:04X}", listing.pair()),
            4 => format!("C{condition} {:04X}", listing.pair()),
            5 => format!("PUSH {pushed}"),
            6 => format!("{immediate} {:02X}", listing.byte()),
            _ => format!("RST {upper}"),
        },
    };
    (text, listing.taken)
}
