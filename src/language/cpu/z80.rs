//! The Z80, as the grid world has it and as hardware has it.
//!
//! Undocumented opcodes, flags 5 and 3, the hidden register WZ and the refresh
//! register are all there, since each of them can end up in a soup. There are no
//! interrupts, no clock and nothing at the ports: IN reads 0. Facts: docs/cpus.md.

use std::fmt;

use super::{
    CARRY, Class, HALF, HL, Listing, Memory, PARITY, Registers, SIGN, SIGN_ZERO_PARITY, ZERO,
    add_or_subtract, decimal_correction, direction, holds, increment_or_decrement, is_and,
    is_compare, last_pair, logic, lower_is_memory, match_opcode, named, upper_is_memory,
};
use crate::language::{Kind, Role};

/// Whose Z80 it is, where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// That of zff, the grid world of Alexander Mordvintsev.
    #[default]
    Zff,
    /// The chip as Zilog made it (NMOS).
    Hardware,
}

/// The last operation subtracted.
const SUBTRACTED: u8 = 0x02;
/// Copies of bits 5 and 3, mostly of the result: Y and X.
const YX: u8 = 0x28;

/// The kinds of opcodes, of those without a prefix and of the prefixes.
pub static KINDS: [Kind; 17] = [
    named("·", "no-op", Role::Noop),
    named("LD n", "constant", Role::Number),
    named("LD", "move", Role::Move),
    named("LD@", "load", Role::Read),
    named("LD!", "store", Role::Copy),
    named("ADD", "arithmetic", Role::Arithmetic),
    named("INC rr", "pair arithmetic", Role::MoveSecond),
    named("EX", "exchange", Role::NumberHigh),
    named("PUSH", "push", Role::Copy),
    named("POP", "pop", Role::Read),
    named("JP", "jump", Role::Open),
    named("CALL", "call", Role::Open),
    named("RET", "return", Role::Close),
    named("IN", "port, interrupts", Role::Noop),
    named("HALT", "halt", Role::Close),
    named("CB", "prefix", Role::Arithmetic),
    named("ED", "prefix of block copies", Role::Copy),
];

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Noop; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = Class::of_z80(byte as u8);
        byte += 1;
    }
    classes
};

/// The kind of `byte` where it is an opcode, or the prefix of one.
pub fn kind(byte: u8) -> &'static Kind {
    &KINDS[CLASSES[byte as usize] as usize]
}

/// All registers.
///
/// ```
/// use broth::language::cpu::z80::{State, Variant, step};
///
/// let mut memory = [0; 32];
/// memory[..3].copy_from_slice(&[0x01, 0x34, 0x12]); // LD BC,1234
/// let mut state = State::new();
/// step(Variant::Zff, &mut memory, &mut state);
/// assert_eq!((state.bc(), state.pc()), (0x1234, 3));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State {
    core: Core,
    rest: Rest,
}

/// What most instructions use.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Core {
    registers: Registers,
    pc: u16,
    sp: u16,
    wz: u16,
}

/// What few instructions use.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Rest {
    /// BC', DE', HL' and AF'.
    shadow: Registers,
    /// IX, and IY above it.
    index: u32,
    i: u8,
    /// The low seven bits of R.
    refresh: u8,
    /// The eighth bit of R.
    refresh_high: u8,
    /// What the last instruction set the flags to, and 0 if it left them alone.
    q: u8,
    /// IFF2.
    interrupts: bool,
    halted: bool,
}

impl State {
    /// The registers at the start of a run of zff: AF = SP = FFFF, all others 0.
    pub fn new() -> Self {
        let mut state = State {
            core: Core::default(),
            rest: Rest::default(),
        };
        state.core.sp = 0xffff;
        state.set_af(0xffff);
        state
    }

    /// The registers at the start of a run of Cicala et al.: A = F = FF,
    /// SP = 00FF, all others 0.
    pub fn with_low_stack() -> Self {
        let mut state = State::new();
        state.core.sp = 0x00ff;
        state
    }

    /// Where the next instruction is.
    pub fn pc(&self) -> u16 {
        self.core.pc
    }

    /// Have the next instruction be at `pc`.
    pub fn set_pc(&mut self, pc: u16) {
        self.core.pc = pc;
    }

    /// Whether it has met a HALT.
    pub fn halted(&self) -> bool {
        self.rest.halted
    }

    /// The stack pointer.
    pub fn sp(&self) -> u16 {
        self.core.sp
    }

    /// Set the stack pointer.
    pub fn set_sp(&mut self, sp: u16) {
        self.core.sp = sp;
    }

    /// A, and the flags as low byte.
    pub fn af(&self) -> u16 {
        self.core.registers.pushed(0xf5)
    }

    /// Set A and the flags.
    pub fn set_af(&mut self, af: u16) {
        self.core.registers.pop(0xf1, af);
    }

    /// B and C.
    pub fn bc(&self) -> u16 {
        self.core.registers.pair(0x00)
    }

    /// Set B and C.
    pub fn set_bc(&mut self, bc: u16) {
        self.core.registers.set_pair(0x00, bc);
    }

    /// D and E.
    pub fn de(&self) -> u16 {
        self.core.registers.pair(0x10)
    }

    /// Set D and E.
    pub fn set_de(&mut self, de: u16) {
        self.core.registers.set_pair(0x10, de);
    }

    /// H and L.
    pub fn hl(&self) -> u16 {
        self.core.registers.pair(HL)
    }

    /// Set H and L.
    pub fn set_hl(&mut self, hl: u16) {
        self.core.registers.set_pair(HL, hl);
    }

    /// AF', BC', DE' and HL'.
    pub fn shadow(&self) -> [u16; 4] {
        let shadow = self.rest.shadow;
        [0xf5, 0xc5, 0xd5, 0xe5].map(|push| shadow.pushed(push))
    }

    /// Set AF', BC', DE' and HL'.
    pub fn set_shadow(&mut self, pairs: [u16; 4]) {
        for (pop, pair) in [0xf1, 0xc1, 0xd1, 0xe1].into_iter().zip(pairs) {
            self.rest.shadow.pop(pop, pair);
        }
    }

    /// IX.
    pub fn ix(&self) -> u16 {
        self.rest.index as u16
    }

    /// Set IX.
    pub fn set_ix(&mut self, ix: u16) {
        self.rest.index = self.rest.index & 0xffff_0000 | u32::from(ix);
    }

    /// IY.
    pub fn iy(&self) -> u16 {
        (self.rest.index >> 16) as u16
    }

    /// Set IY.
    pub fn set_iy(&mut self, iy: u16) {
        self.rest.index = self.rest.index & 0xffff | u32::from(iy) << 16;
    }

    /// The hidden register WZ (MEMPTR), which no instruction but BIT shows.
    pub fn wz(&self) -> u16 {
        self.core.wz
    }

    /// Set WZ.
    pub fn set_wz(&mut self, wz: u16) {
        self.core.wz = wz;
    }

    /// The interrupt vector.
    pub fn i(&self) -> u8 {
        self.rest.i
    }

    /// Set the interrupt vector.
    pub fn set_i(&mut self, i: u8) {
        self.rest.i = i;
    }

    /// The refresh register.
    pub fn r(&self) -> u8 {
        self.rest.refresh | self.rest.refresh_high
    }

    /// Set the refresh register.
    pub fn set_r(&mut self, r: u8) {
        self.rest.refresh = r & 0x7f;
        self.rest.refresh_high = r & 0x80;
    }

    /// The interrupt flip-flop IFF2, which LD A,I and LD A,R show.
    pub fn iff2(&self) -> bool {
        self.rest.interrupts
    }

    /// Set IFF2.
    pub fn set_iff2(&mut self, iff2: bool) {
        self.rest.interrupts = iff2;
    }
}

impl Default for State {
    fn default() -> Self {
        State::new()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (af, bc, de, hl) = (self.af(), self.bc(), self.de(), self.hl());
        let (sp, pc, ix, iy) = (self.core.sp, self.core.pc, self.ix(), self.iy());
        let (wz, i, r, iff2) = (self.core.wz, self.rest.i, self.r(), self.rest.interrupts);
        write!(
            f,
            "PC {pc:04X} SP {sp:04X} AF {af:04X} BC {bc:04X} DE {de:04X} HL {hl:04X} "
        )?;
        write!(
            f,
            "IX {ix:04X} IY {iy:04X} WZ {wz:04X} I {i:02X} R {r:02X} IFF2 {iff2}"
        )?;
        write!(
            f,
            " shadow {:04X?} halted {}",
            self.shadow(),
            self.rest.halted
        )
    }
}

/// Do one instruction, its prefixes and operands with it, on a `memory`; addresses wrap
/// around in it. A round of an instruction that repeats itself is one. After a HALT
/// nothing is done any more.
#[inline]
pub fn step<M: Memory + ?Sized>(variant: Variant, memory: &mut M, state: &mut State) {
    run(variant, memory, state, 1);
}

/// Do `max_steps` instructions, or fewer if there is a HALT. Returns how many.
///
/// # Panics
///
/// Where the memory has not as many bytes as a power of two up to 65,536.
#[inline]
pub fn run<M: Memory + ?Sized>(
    variant: Variant,
    memory: &mut M,
    state: &mut State,
    max_steps: u32,
) -> u32 {
    match variant {
        Variant::Zff => Machine::<M, false>::run(memory, state, max_steps),
        Variant::Hardware => Machine::<M, true>::run(memory, state, max_steps),
    }
}

/// What eight rotations and shifts make of each byte, with the carry clear and set:
/// the result, and above it the flags. Numbered by bits 3 to 5 of the opcode, and then the carry.
static ROTATED: [[u16; 256]; 16] = {
    let mut table = [[0; 256]; 16];
    let mut i = 0;
    while i < 16 * 256 {
        let (operation, carry, value) = (i >> 9, (i >> 8 & 1) as u8, i as u8);
        let result = match operation {
            0 => value.rotate_left(1),
            1 => value.rotate_right(1),
            2 => value << 1 | carry,
            3 => value >> 1 | carry << 7,
            4 => value << 1,
            5 => (value as i8 >> 1) as u8,
            6 => value << 1 | 1,
            _ => value >> 1,
        };
        let out = if operation % 2 == 0 {
            value >> 7
        } else {
            value & 1
        };
        let flags = SIGN_ZERO_PARITY[result as usize] | result & YX | out;
        table[i >> 8][i & 0xff] = u16::from_le_bytes([result, flags]);
        i += 1;
    }
    table
};

/// The result and the flags of the rotation or shift in bits 3 to 5 of `opcode`.
#[inline(always)]
fn rotate(opcode: u8, value: u8, flags: u8) -> [u8; 2] {
    let row = opcode >> 2 & 0x0e | flags & CARRY;
    ROTATED[row as usize][value as usize].to_le_bytes()
}

/// Sign, zero, Y and X of `result`.
#[inline(always)]
fn sign_zero_yx(result: u8) -> u8 {
    result & (SIGN | YX) | if result == 0 { ZERO } else { 0 }
}

/// Result and flags of ADD, ADC, SUB, SBC and CP, which bits 3 to 5 of `opcode` tell apart.
#[inline(always)]
fn add(opcode: u8, a: u8, operand: u8, flags: u8) -> (u8, u8) {
    let sum = add_or_subtract(opcode, a, operand, flags);
    let flags = sign_zero_yx(sum.result)
        | (sum.carries ^ sum.inverted) & HALF
        | (sum.carries >> 7 ^ sum.carry) << 2
        | sum.inverted & SUBTRACTED
        | (sum.carry ^ sum.inverted) & CARRY;
    (sum.result, flags)
}

/// The flags of AND, XOR and OR.
#[inline(always)]
fn logic_flags(opcode: u8, result: u8) -> u8 {
    let half = if is_and(opcode) { HALF } else { 0 };
    SIGN_ZERO_PARITY[result as usize] | result & YX | half
}

/// The flags of INC and DEC, which have made `value` a `result`.
#[inline(always)]
fn increment_flags(opcode: u8, value: u8, result: u8, flags: u8) -> u8 {
    let decrement = opcode & 1;
    let overflown = 0x80 - decrement;
    flags & CARRY
        | sign_zero_yx(result)
        | (value ^ result) & HALF
        | if result == overflown { PARITY } else { 0 }
        | decrement << 1
}

/// A after DAA, and the flags.
fn adjust_decimal(a: u8, flags: u8) -> (u8, u8) {
    let (correction, carry) = decimal_correction(a, flags);
    let result = if flags & SUBTRACTED != 0 {
        a.wrapping_sub(correction)
    } else {
        a.wrapping_add(correction)
    };
    let flags = flags & SUBTRACTED
        | SIGN_ZERO_PARITY[result as usize]
        | result & YX
        | (a ^ result) & HALF
        | carry;
    (result, flags)
}

/// What DD and FD do to an opcode that follows them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indexed {
    /// Nothing.
    No,
    /// IX or IY takes the place of HL, H and L.
    Pair,
    /// (IX+d) or (IY+d) takes the place of (HL).
    Memory,
}

/// What DD and FD do to each opcode, prefixes left out.
static INDEXED: [Indexed; 256] = {
    let mut table = [Indexed::No; 256];
    let mut i = 0;
    while i < 256 {
        let (upper, lower) = (i >> 3 & 7, i & 7);
        let (in_upper, in_lower) = (upper & 6 == 4, lower & 6 == 4);
        table[i] = match i {
            0x76 => Indexed::No,
            0x09 | 0x19 | 0x21..=0x23 | 0x29..=0x2b | 0x39 => Indexed::Pair,
            0xe1 | 0xe3 | 0xe5 | 0xe9 | 0xf9 => Indexed::Pair,
            0x34..=0x36 => Indexed::Memory,
            0x00..=0x3f if in_upper && matches!(lower, 4..=6) => Indexed::Pair,
            0x40..=0x7f if lower == 6 || upper == 6 => Indexed::Memory,
            0x40..=0x7f if in_upper || in_lower => Indexed::Pair,
            0x80..=0xbf if lower == 6 => Indexed::Memory,
            0x80..=0xbf if in_lower => Indexed::Pair,
            _ => Indexed::No,
        };
        i += 1;
    }
    table
};

/// A run on a memory, HARDWARE being its variant.
struct Machine<'m, M: Memory + ?Sized, const HARDWARE: bool> {
    memory: &'m mut M,
    /// With `pc` behind what was read of the instruction.
    core: Core,
    /// With `refresh` less by `done`, and with any eighth bit.
    rest: &'m mut Rest,
    /// Instructions begun.
    done: u32,
    /// How many there are to be.
    limit: u32,
}

impl<'m, M: Memory + ?Sized, const HARDWARE: bool> Machine<'m, M, HARDWARE> {
    fn run(memory: &'m mut M, state: &'m mut State, max_steps: u32) -> u32 {
        if state.rest.halted {
            return 0;
        }
        memory.check();
        let State { core, rest } = state;
        let mut machine = Machine::<M, HARDWARE> {
            memory,
            core: *core,
            rest,
            done: 0,
            limit: max_steps,
        };
        while machine.done < machine.limit {
            machine.instruction();
        }
        *core = machine.core;
        let done = machine.done;
        rest.refresh = rest.refresh.wrapping_add(done as u8) & 0x7f;
        done
    }

    #[inline(always)]
    fn fetch(&mut self) -> u8 {
        let byte = self.memory.read(self.core.pc);
        self.core.pc = self.core.pc.wrapping_add(1);
        byte
    }

    #[inline(always)]
    fn fetch_pair(&mut self) -> u16 {
        let pair = self.memory.read_pair(self.core.pc);
        self.core.pc = self.core.pc.wrapping_add(2);
        pair
    }

    #[inline(always)]
    fn push(&mut self, value: u16) {
        self.core.sp = self.core.sp.wrapping_sub(2);
        self.memory.write_pair(self.core.sp, value);
    }

    #[inline(always)]
    fn pop(&mut self) -> u16 {
        let value = self.memory.read_pair(self.core.sp);
        self.core.sp = self.core.sp.wrapping_add(2);
        value
    }

    #[inline(always)]
    fn set_flags(&mut self, flags: u8) {
        self.core.registers.set_f(flags);
        if HARDWARE {
            self.rest.q = flags;
        }
    }

    #[inline(always)]
    fn set_a_and_flags(&mut self, a: u8, flags: u8) {
        self.core.registers.set_af(a, flags);
        if HARDWARE {
            self.rest.q = flags;
        }
    }

    /// Add `displacement` to the program counter if `taken`; then WZ has it, too.
    #[inline(always)]
    fn jump_relative(&mut self, taken: bool, displacement: u8) {
        if taken {
            self.core.pc = self.core.pc.wrapping_add(displacement as i8 as u16);
            self.core.wz = self.core.pc;
        }
    }

    /// The register in bits 0 to 2 of `opcode`, or the byte at `at`.
    #[inline(always)]
    fn lower(&self, opcode: u8, at: u16) -> u8 {
        if lower_is_memory(opcode) {
            self.memory.read(at)
        } else {
            self.core.registers.get(Registers::lower(opcode))
        }
    }

    /// The register in bits 3 to 5 of `opcode`, or the byte at `at`.
    #[inline(always)]
    fn upper(&self, opcode: u8, at: u16) -> u8 {
        self.lower(opcode >> 3, at)
    }

    /// Set the register in bits 3 to 5 of `opcode`, or the byte at `at`.
    #[inline(always)]
    fn set_upper(&mut self, opcode: u8, at: u16, value: u8) {
        if upper_is_memory(opcode) {
            self.memory.write(at, value);
        } else {
            self.core.registers.set(Registers::upper(opcode), value);
        }
    }

    /// The pair in bits 4 and 5 of `opcode`, of which the last one is SP.
    #[inline(always)]
    fn pair(&self, opcode: u8) -> u16 {
        if last_pair(opcode) {
            self.core.sp
        } else {
            self.core.registers.pair(Registers::pair_of(opcode))
        }
    }

    #[inline(always)]
    fn set_pair(&mut self, opcode: u8, value: u16) {
        if last_pair(opcode) {
            self.core.sp = value;
        } else {
            let shift = Registers::pair_of(opcode);
            self.core.registers.set_pair(shift, value);
        }
    }

    /// Do the next instruction.
    #[inline(always)]
    fn instruction(&mut self) {
        self.done += 1;
        let q = self.rest.q;
        if HARDWARE {
            self.rest.q = 0;
        }
        match_opcode!(self.fetch(), OPCODE => match OPCODE {
            0xcb => self.execute_cb(),
            0xed => self.execute_ed(),
            0xdd | 0xfd => self.execute_indexed(OPCODE, q),
            _ => self.execute(OPCODE, self.core.registers.hl(), q),
        });
    }

    /// The rest of an instruction that begins with `opcode`, which is no prefix. The byte that
    /// it calls (HL) is at `at`; `q` is Q as the instruction before left it.
    #[expect(clippy::too_many_lines, reason = "the table of opcodes")]
    #[inline(always)]
    fn execute(&mut self, opcode: u8, at: u16, q: u8) {
        let registers = self.core.registers;
        let (a, flags) = (registers.a(), registers.f());
        match opcode {
            // NOP
            0x00 => {}
            // EX AF,AF'
            0x08 => self.exchange(0xffff << 48),
            // DJNZ d
            0x10 => {
                let displacement = self.fetch();
                let b = registers.get(8).wrapping_sub(1);
                self.core.registers.set(8, b);
                self.jump_relative(b != 0, displacement);
            }
            // JR d
            0x18 => {
                let displacement = self.fetch();
                self.core.pc = self.core.pc.wrapping_add(displacement as i8 as u16);
                if HARDWARE {
                    self.core.wz = self.core.pc;
                }
            }
            // JR cc,d
            0x20 | 0x28 | 0x30 | 0x38 => {
                let displacement = self.fetch();
                self.jump_relative(holds(opcode & 0x18, flags), displacement);
            }
            // LD rr,nn
            0x01 | 0x11 | 0x21 | 0x31 => {
                let value = self.fetch_pair();
                self.set_pair(opcode, value);
            }
            // ADD HL,rr
            0x09 | 0x19 | 0x29 | 0x39 => {
                let (hl, addend) = (registers.hl(), self.pair(opcode));
                let (sum, carry) = hl.overflowing_add(addend);
                self.core.registers.set_hl(sum);
                self.core.wz = hl.wrapping_add(1);
                let [_, high] = sum.to_le_bytes();
                let half = ((hl ^ addend ^ sum) >> 8) as u8 & HALF;
                let kept = flags & (SIGN | ZERO | PARITY);
                self.set_flags(kept | high & YX | half | u8::from(carry));
            }
            // LD (BC),A, LD (DE),A
            0x02 | 0x12 => {
                let address = registers.pair(Registers::pair_of(opcode));
                self.store_a(address, a);
            }
            // LD A,(BC), LD A,(DE)
            0x0a | 0x1a => {
                let address = registers.pair(Registers::pair_of(opcode));
                self.load_a(address);
            }
            // LD (nn),HL
            0x22 => {
                let address = self.fetch_pair();
                self.memory.write_pair(address, registers.hl());
                self.core.wz = address.wrapping_add(1);
            }
            // LD HL,(nn)
            0x2a => {
                let address = self.fetch_pair();
                let value = self.memory.read_pair(address);
                self.core.registers.set_hl(value);
                self.core.wz = address.wrapping_add(1);
            }
            // LD (nn),A
            0x32 => {
                let address = self.fetch_pair();
                self.store_a(address, a);
            }
            // LD A,(nn)
            0x3a => {
                let address = self.fetch_pair();
                self.load_a(address);
            }
            // INC rr, DEC rr
            0x03 | 0x0b | 0x13 | 0x1b | 0x23 | 0x2b | 0x33 | 0x3b => {
                let value = self.pair(opcode).wrapping_add(direction(opcode));
                self.set_pair(opcode, value);
            }
            // INC r, DEC r
            0x04 | 0x05 | 0x0c | 0x0d | 0x14 | 0x15 | 0x1c | 0x1d | 0x24 | 0x25 | 0x2c | 0x2d
            | 0x34 | 0x35 | 0x3c | 0x3d => {
                let value = self.upper(opcode, at);
                let result = increment_or_decrement(opcode, value);
                let flags = increment_flags(opcode, value, result, flags);
                self.set_upper(opcode, at, result);
                self.set_flags(flags);
            }
            // LD r,n
            0x06 | 0x0e | 0x16 | 0x1e | 0x26 | 0x2e | 0x36 | 0x3e => {
                let value = self.fetch();
                self.set_upper(opcode, at, value);
            }
            // RLCA, RRCA, RLA, RRA
            0x07 | 0x0f | 0x17 | 0x1f => {
                let [result, rotated] = rotate(opcode, a, flags);
                let kept = flags & (SIGN | ZERO | PARITY);
                self.set_a_and_flags(result, kept | rotated & (YX | CARRY));
            }
            // DAA
            0x27 => {
                let (result, flags) = adjust_decimal(a, flags);
                self.set_a_and_flags(result, flags);
            }
            // CPL
            0x2f => {
                let kept = flags & (SIGN | ZERO | PARITY | CARRY);
                self.set_a_and_flags(!a, kept | !a & YX | HALF | SUBTRACTED);
            }
            // SCF, CCF
            0x37 | 0x3f => {
                let yx = if HARDWARE { (q ^ flags) | a } else { a };
                let complement = opcode >> 3 & 1;
                let was = flags & complement;
                let kept = flags & (SIGN | ZERO | PARITY);
                self.set_flags(kept | yx & YX | was << 4 | was ^ CARRY);
            }
            // HALT
            0x76 => {
                self.rest.halted = true;
                self.limit = self.done;
            }
            // LD r,r'
            0x40..=0x7f => {
                let value = self.lower(opcode, at);
                self.set_upper(opcode, at, value);
            }
            // ADD, ADC, SUB, SBC, CP r
            0x80..=0x9f | 0xb8..=0xbf => {
                let operand = self.lower(opcode, at);
                self.arithmetic(opcode, operand);
            }
            // AND, XOR, OR r
            0xa0..=0xb7 => {
                let result = logic(opcode, a, self.lower(opcode, at));
                self.set_a_and_flags(result, logic_flags(opcode, result));
            }
            // ADD, ADC, SUB, SBC, CP n
            0xc6 | 0xce | 0xd6 | 0xde | 0xfe => {
                let operand = self.fetch();
                self.arithmetic(opcode, operand);
            }
            // AND, XOR, OR n
            0xe6 | 0xee | 0xf6 => {
                let result = logic(opcode, a, self.fetch());
                self.set_a_and_flags(result, logic_flags(opcode, result));
            }
            // RET cc
            0xc0 | 0xc8 | 0xd0 | 0xd8 | 0xe0 | 0xe8 | 0xf0 | 0xf8 => {
                self.return_if(holds(opcode, flags));
            }
            // RET
            0xc9 => self.return_if(true),
            // POP rr
            0xc1 | 0xd1 | 0xe1 | 0xf1 => {
                let value = self.pop();
                self.core.registers.pop(opcode, value);
            }
            // PUSH rr
            0xc5 | 0xd5 | 0xe5 | 0xf5 => self.push(registers.pushed(opcode)),
            // EXX
            0xd9 => self.exchange(0xffff_ffff_ffff),
            // JP (HL)
            0xe9 => self.core.pc = registers.hl(),
            // LD SP,HL
            0xf9 => self.core.sp = registers.hl(),
            // JP cc,nn
            0xc2 | 0xca | 0xd2 | 0xda | 0xe2 | 0xea | 0xf2 | 0xfa => {
                let target = self.fetch_pair();
                self.core.wz = target;
                if holds(opcode, flags) {
                    self.core.pc = target;
                }
            }
            // JP nn
            0xc3 => {
                self.core.pc = self.fetch_pair();
                self.core.wz = self.core.pc;
            }
            // CALL cc,nn
            0xc4 | 0xcc | 0xd4 | 0xdc | 0xe4 | 0xec | 0xf4 | 0xfc => {
                let target = self.fetch_pair();
                self.core.wz = target;
                if holds(opcode, flags) {
                    self.push(self.core.pc);
                    self.core.pc = target;
                }
            }
            // CALL nn
            0xcd => {
                let target = self.fetch_pair();
                self.call(target);
            }
            // RST
            0xc7 | 0xcf | 0xd7 | 0xdf | 0xe7 | 0xef | 0xf7 | 0xff => {
                self.call(u16::from(opcode & 0x38));
            }
            // OUT (n),A
            0xd3 => {
                let port = u16::from(self.fetch());
                let low = if HARDWARE {
                    (port + 1) & 0xff
                } else {
                    port + 1
                };
                self.core.wz = low | u16::from(a) << 8;
            }
            // IN A,(n)
            0xdb => {
                let port = self.fetch();
                self.core.registers.set_a(0);
                let low = if HARDWARE { port } else { 0 };
                self.core.wz = u16::from_le_bytes([low, a]).wrapping_add(1);
            }
            // EX (SP),HL
            0xe3 => {
                let value = self.memory.read_pair(self.core.sp);
                self.memory.write_pair(self.core.sp, registers.hl());
                self.core.registers.set_hl(value);
                self.core.wz = value;
            }
            // EX DE,HL
            0xeb => {
                let de = registers.pair(0x10);
                self.core.registers.set_pair(0x10, registers.hl());
                self.core.registers.set_hl(de);
            }
            // DI, EI
            0xf3 | 0xfb => self.rest.interrupts = opcode & 8 != 0,
            // Prefixes, which do not come here.
            0xcb | 0xdd | 0xed | 0xfd => {}
        }
    }

    #[inline(always)]
    fn exchange(&mut self, which: u64) {
        let difference = (self.core.registers.0 ^ self.rest.shadow.0) & which;
        self.core.registers.0 ^= difference;
        self.rest.shadow.0 ^= difference;
    }

    #[inline(always)]
    fn store_a(&mut self, address: u16, a: u8) {
        self.memory.write(address, a);
        self.core.wz = u16::from_le_bytes([(address as u8).wrapping_add(1), a]);
    }

    #[inline(always)]
    fn load_a(&mut self, address: u16) {
        let value = self.memory.read(address);
        self.core.registers.set_a(value);
        self.core.wz = address.wrapping_add(1);
    }

    #[inline(always)]
    fn arithmetic(&mut self, opcode: u8, operand: u8) {
        let registers = self.core.registers;
        let (a, flags) = (registers.a(), registers.f());
        let (result, flags) = add(opcode, a, operand, flags);
        // A comparison leaves A, and shows bits of what A was compared with.
        if is_compare(opcode) {
            self.set_flags(flags & !YX | operand & YX);
        } else {
            self.set_a_and_flags(result, flags);
        }
    }

    #[inline(always)]
    fn return_if(&mut self, taken: bool) {
        if taken {
            self.core.pc = self.pop();
            self.core.wz = self.core.pc;
        }
    }

    #[inline(always)]
    fn call(&mut self, target: u16) {
        self.push(self.core.pc);
        self.core.pc = target;
        self.core.wz = target;
    }

    /// The operation on `value` that an opcode behind CB stands for. BIT leaves the value,
    /// and its Y and X are those of `shown`.
    #[inline(always)]
    fn operate_cb(&mut self, opcode: u8, value: u8, shown: u8) -> u8 {
        let flags = self.core.registers.f();
        let bit = 1 << (opcode >> 3 & 7);
        match opcode >> 6 {
            0 => {
                let [result, flags] = rotate(opcode, value, flags);
                self.set_flags(flags);
                result
            }
            1 => {
                let tested = value & bit;
                let zero = if tested == 0 { ZERO | PARITY } else { 0 };
                self.set_flags(flags & CARRY | tested & SIGN | zero | HALF | shown & YX);
                value
            }
            2 => value & !bit,
            _ => value | bit,
        }
    }

    #[inline(always)]
    fn execute_cb(&mut self) {
        let opcode = self.fetch();
        self.rest.refresh = self.rest.refresh.wrapping_add(1);
        let at = self.core.registers.hl();
        let value = self.lower(opcode, at);
        let [_, high] = self.core.wz.to_le_bytes();
        let shown = if lower_is_memory(opcode) { high } else { value };
        let result = self.operate_cb(opcode, value, shown);
        self.set_upper(opcode << 3, at, result);
    }

    /// What follows DD (`prefix`: IX) or FD (IY).
    #[inline(always)]
    fn execute_indexed(&mut self, prefix: u8, q: u8) {
        let (memory, rest) = (&mut *self.memory, &mut *self.rest);
        self.core = Self::indexed_apart(memory, rest, self.core, self.done, prefix, q);
        if self.rest.halted {
            self.limit = self.done;
        }
    }

    /// [`Machine::indexed`], kept apart. That it gets the core by value lets the run keep
    /// it in registers of the machine that it runs on.
    #[inline(never)]
    fn indexed_apart(
        memory: &mut M,
        rest: &mut Rest,
        core: Core,
        done: u32,
        prefix: u8,
        q: u8,
    ) -> Core {
        let mut machine = Machine::<M, HARDWARE> {
            memory,
            core,
            rest,
            done,
            limit: done,
        };
        machine.indexed(prefix, q);
        machine.core
    }

    #[inline(always)]
    fn indexed(&mut self, prefix: u8, q: u8) {
        let opcode = self.memory.read(self.core.pc);
        match opcode {
            0xdd | 0xfd => {
                // zff passes over both. On hardware the second one counts.
                if !HARDWARE {
                    self.core.pc = self.core.pc.wrapping_add(1);
                }
                return;
            }
            0xed => {
                self.core.pc = self.core.pc.wrapping_add(1);
                let counted = if HARDWARE { 1 } else { 2 };
                self.rest.refresh = self.rest.refresh.wrapping_add(counted);
                self.execute_ed();
                if !HARDWARE {
                    self.rest.refresh = self.rest.refresh.wrapping_sub(1);
                }
                return;
            }
            _ => {}
        }
        self.core.pc = self.core.pc.wrapping_add(1);
        self.rest.refresh = self.rest.refresh.wrapping_add(1);
        let shift = prefix >> 1 & 0x10;
        let index = (self.rest.index >> shift) as u16;
        if opcode == 0xcb {
            let at = self.displaced(index);
            let opcode = self.fetch();
            let value = self.memory.read(at);
            let [_, high] = at.to_le_bytes();
            let result = self.operate_cb(opcode, value, high);
            if opcode >> 6 != 1 {
                self.memory.write(at, result);
                // Registers get a copy.
                self.set_upper(opcode << 3, at, result);
            }
            return;
        }
        match INDEXED[opcode as usize] {
            Indexed::No => {
                let at = self.core.registers.hl();
                self.execute(opcode, at, q);
            }
            Indexed::Memory => {
                let at = self.displaced(index);
                self.execute(opcode, at, q);
            }
            Indexed::Pair => {
                let (hl, wz) = (self.core.registers.hl(), self.core.wz);
                self.core.registers.set_hl(index);
                self.execute(opcode, 0, q);
                let mask = 0xffff << shift;
                let index = u32::from(self.core.registers.hl()) << shift;
                self.rest.index = self.rest.index & !mask | index;
                self.core.registers.set_hl(hl);
                if !HARDWARE {
                    match opcode {
                        0x22 | 0x2a => self.core.wz = wz,
                        0xe9 => self.core.wz = self.core.pc,
                        _ => {}
                    }
                }
            }
        }
    }

    /// The address of (IX+d), which WZ gets, too.
    #[inline(always)]
    fn displaced(&mut self, index: u16) -> u16 {
        let displacement = self.fetch();
        self.core.wz = index.wrapping_add(displacement as i8 as u16);
        self.core.wz
    }

    #[inline(always)]
    fn execute_ed(&mut self) {
        let opcode = self.fetch();
        self.rest.refresh = self.rest.refresh.wrapping_add(1);
        let registers = self.core.registers;
        let (a, flags) = (registers.a(), registers.f());
        match opcode {
            // IN r,(C)
            0x40 | 0x48 | 0x50 | 0x58 | 0x60 | 0x68 | 0x70 | 0x78 => {
                if opcode != 0x70 {
                    self.core.registers.set(Registers::upper(opcode), 0);
                }
                let yx = if HARDWARE { 0 } else { flags & YX };
                self.set_flags(flags & CARRY | yx | ZERO | PARITY);
                if HARDWARE || opcode == 0x78 {
                    self.core.wz = registers.bc().wrapping_add(1);
                }
            }
            // OUT (C),r, which otherwise does nothing
            0x41 | 0x49 | 0x51 | 0x59 | 0x61 | 0x69 | 0x71 | 0x79 if HARDWARE || opcode == 0x79 => {
                self.core.wz = registers.bc().wrapping_add(1);
            }
            // SBC HL,rr, ADC HL,rr
            0x42 | 0x4a | 0x52 | 0x5a | 0x62 | 0x6a | 0x72 | 0x7a => {
                let (hl, operand) = (registers.hl(), self.pair(opcode));
                // As ADC A,n and SBC A,n, one byte after the other.
                let (low_op, high_op) = if opcode & 8 == 0 {
                    (0x18, 0x18)
                } else {
                    (0x08, 0x08)
                };
                let [l, h] = hl.to_le_bytes();
                let [low, high] = operand.to_le_bytes();
                let (l, carried) = add(low_op, l, low, flags);
                let (h, flags) = add(high_op, h, high, carried);
                let result = u16::from_le_bytes([l, h]);
                let zero = if result == 0 { ZERO } else { 0 };
                self.core.registers.set_hl(result);
                self.core.wz = hl.wrapping_add(1);
                self.set_flags(flags & !ZERO | zero);
            }
            // LD (nn),rr
            0x43 | 0x53 | 0x63 | 0x73 => {
                let address = self.fetch_pair();
                self.memory.write_pair(address, self.pair(opcode));
                self.core.wz = address.wrapping_add(1);
            }
            // LD rr,(nn)
            0x4b | 0x5b | 0x6b | 0x7b => {
                let address = self.fetch_pair();
                let value = self.memory.read_pair(address);
                self.set_pair(opcode, value);
                self.core.wz = address.wrapping_add(1);
            }
            // NEG
            0x44 | 0x4c | 0x54 | 0x5c | 0x64 | 0x6c | 0x74 | 0x7c => {
                let (result, flags) = add(0x10, 0, a, 0);
                self.set_a_and_flags(result, flags);
            }
            // RETN, RETI
            0x45 | 0x4d | 0x55 | 0x5d | 0x65 | 0x6d | 0x75 | 0x7d => self.return_if(true),
            // LD I,A
            0x47 => self.rest.i = a,
            // LD R,A
            0x4f => {
                self.rest.refresh = a.wrapping_sub(self.done as u8);
                self.rest.refresh_high = a & 0x80;
            }
            // LD A,I, LD A,R
            0x57 | 0x5f => {
                let value = if opcode == 0x57 {
                    self.rest.i
                } else {
                    let refresh = self.rest.refresh.wrapping_add(self.done as u8);
                    refresh & 0x7f | self.rest.refresh_high
                };
                let yx = if HARDWARE { value & YX } else { flags & YX };
                let parity = if self.rest.interrupts { PARITY } else { 0 };
                let kept = flags & CARRY | sign_zero_yx(value) & !YX;
                self.set_a_and_flags(value, kept | yx | parity);
            }
            // RRD, RLD
            0x67 | 0x6f => {
                let at = registers.hl();
                let value = self.memory.read(at);
                let (digit, stored) = if opcode == 0x67 {
                    (value & 0x0f, value >> 4 | a << 4)
                } else {
                    (value >> 4, value << 4 | a & 0x0f)
                };
                let result = a & 0xf0 | digit;
                self.memory.write(at, stored);
                self.core.wz = at.wrapping_add(1);
                let parity = SIGN_ZERO_PARITY[result as usize];
                self.set_a_and_flags(result, flags & CARRY | parity | result & YX);
            }
            // LDI, LDD, LDIR, LDDR
            0xa0 | 0xa8 | 0xb0 | 0xb8 => self.copy_round(opcode),
            // CPI, CPD, CPIR, CPDR
            0xa1 | 0xa9 | 0xb1 | 0xb9 => self.compare_round(opcode),
            // INI, IND, INIR, INDR, OUTI, OUTD, OTIR, OTDR
            0xa2 | 0xa3 | 0xaa | 0xab | 0xb2 | 0xb3 | 0xba | 0xbb => self.port_round(opcode),
            // IM, which nothing shows, and what has no meaning.
            _ => {}
        }
    }

    /// Whether a block instruction goes on, and to the same instruction again if so.
    #[inline(always)]
    fn repeat(&mut self, again: bool) -> bool {
        if again {
            self.core.pc = self.core.pc.wrapping_sub(2);
        }
        again
    }

    /// On hardware, an instruction that repeats itself shows bits of its own address.
    #[inline(always)]
    fn show_own_address(&mut self) {
        if HARDWARE {
            let [_, high] = self.core.pc.to_le_bytes();
            let flags = self.core.registers.f();
            self.set_flags(flags & !YX | high & YX);
        }
    }

    #[inline(always)]
    fn copy_round(&mut self, opcode: u8) {
        let one = direction(opcode);
        let (bc, de, hl) = (
            self.core.registers.bc(),
            self.core.registers.de(),
            self.core.registers.hl(),
        );
        let value = self.memory.read(hl);
        self.memory.write(de, value);
        self.core.registers.set_bc(bc.wrapping_sub(1));
        self.core.registers.set_de(de.wrapping_add(one));
        self.core.registers.set_hl(hl.wrapping_add(one));
        let shown = value.wrapping_add(self.core.registers.a());
        let kept = self.core.registers.f() & (SIGN | ZERO | CARRY);
        let more = if bc != 1 { PARITY } else { 0 };
        self.set_flags(kept | more | shown & 0x08 | shown << 4 & 0x20);
        if self.repeat(opcode & 0x10 != 0 && bc != 1) {
            self.core.wz = self.core.pc.wrapping_add(1);
            self.show_own_address();
        }
    }

    #[inline(always)]
    fn compare_round(&mut self, opcode: u8) {
        let one = direction(opcode);
        let (bc, hl) = (self.core.registers.bc(), self.core.registers.hl());
        let (a, flags) = (self.core.registers.a(), self.core.registers.f());
        let (result, compared) = add(0x10, a, self.memory.read(hl), 0);
        self.core.registers.set_bc(bc.wrapping_sub(1));
        self.core.registers.set_hl(hl.wrapping_add(one));
        self.core.wz = self.core.wz.wrapping_add(one);
        let shown = result.wrapping_sub(compared >> 4 & 1);
        let more = if bc != 1 { PARITY } else { 0 };
        self.set_flags(
            flags & CARRY
                | compared & (SIGN | ZERO | HALF | SUBTRACTED)
                | more
                | shown & 0x08
                | shown << 4 & 0x20,
        );
        if opcode & 0x10 == 0 {
            return;
        }
        if self.repeat(bc != 1 && result != 0) {
            // zff has nothing more for CPDR.
            if HARDWARE || opcode == 0xb1 {
                self.core.wz = self.core.pc.wrapping_add(1);
            }
            self.show_own_address();
        } else if !HARDWARE {
            self.core.wz = self.core.wz.wrapping_add(1);
        }
    }

    #[inline(always)]
    fn port_round(&mut self, opcode: u8) {
        let one = direction(opcode);
        let is_in = opcode & 1 == 0;
        let (bc, hl) = (self.core.registers.bc(), self.core.registers.hl());
        let value = if is_in { 0 } else { self.memory.read(hl) };
        if is_in {
            self.memory.write(hl, value);
        }
        let next = hl.wrapping_add(one);
        self.core.registers.set_hl(next);
        let after = bc.wrapping_sub(0x100);
        self.core.registers.set_bc(after);
        let [_, b] = after.to_le_bytes();
        let flags = self.core.registers.f();
        if HARDWARE {
            self.core.wz = if is_in { bc } else { after }.wrapping_add(one);
            let other = if is_in { bc.wrapping_add(one) } else { next } as u8;
            let (sum, carried) = value.overflowing_add(other);
            let parity = SIGN_ZERO_PARITY[(sum & 7 ^ b) as usize] & PARITY;
            let carries = if carried { HALF | CARRY } else { 0 };
            self.set_flags(sign_zero_yx(b) | value >> 6 & SUBTRACTED | parity | carries);
        } else {
            let zero = if b == 0 { ZERO } else { 0 };
            self.set_flags(flags & !ZERO | zero | SUBTRACTED);
            let moved = if one == 1 { 1 } else { 2u16.wrapping_neg() };
            self.core.wz = after.wrapping_add(moved);
        }
        if self.repeat(opcode & 0x10 != 0 && b != 0) && HARDWARE {
            self.core.wz = self.core.pc.wrapping_add(1);
            self.show_own_address();
            self.show_interrupted(value, b);
        }
    }

    /// The half carry and the parity of a block instruction on ports that will go on,
    /// `b` being what B is then.
    fn show_interrupted(&mut self, value: u8, b: u8) {
        let mut flags = self.core.registers.f();
        let mut counted = b;
        if flags & CARRY != 0 {
            let (next, last) = if value & 0x80 != 0 {
                (b.wrapping_sub(1), 0x00)
            } else {
                (b.wrapping_add(1), 0x0f)
            };
            counted = next;
            flags = flags & !HALF | if b & 0x0f == last { HALF } else { 0 };
        }
        let odd = !SIGN_ZERO_PARITY[(counted & 7) as usize] & PARITY;
        self.set_flags(flags ^ odd);
    }
}

const CONDITIONS: [&str; 8] = ["NZ", "Z", "NC", "C", "PO", "PE", "P", "M"];
const OPERATIONS: [&str; 8] = [
    "ADD A,", "ADC A,", "SUB ", "SBC A,", "AND ", "XOR ", "OR ", "CP ",
];
const ROTATIONS: [&str; 8] = ["RLC", "RRC", "RL", "RR", "SLA", "SRA", "SLL", "SRL"];

/// What an instruction calls HL, H, L and (HL): itself, or what an index register makes of them.
struct Names {
    pair: &'static str,
    high: &'static str,
    low: &'static str,
    memory: String,
}

impl Names {
    fn plain() -> Self {
        Names {
            pair: "HL",
            high: "H",
            low: "L",
            memory: "(HL)".into(),
        }
    }

    /// The register in the low three bits of `field`.
    fn register(&self, field: u8) -> &str {
        let names = ["B", "C", "D", "E", self.high, self.low, &self.memory, "A"];
        names[usize::from(field & 7)]
    }

    /// The pair in bits 4 and 5 of `opcode`, the last one being `last`.
    fn pair(&self, opcode: u8, last: &'static str) -> &'static str {
        ["BC", "DE", self.pair, last][usize::from(opcode >> 4 & 3)]
    }
}

/// The instruction at `pc` in Zilog's words with all numbers in hex, such as `LD BC,01C5`, and
/// how many bytes it has, prefixes included. Addresses wrap around in `memory`; the target of a
/// relative jump is given as a place in it. What does nothing is called NOP, and a prefix that
/// does nothing is passed over. Two prefixes DD or FD are one NOP, as for zff.
///
/// ```
/// use broth::language::cpu::z80::disassemble;
///
/// assert_eq!(disassemble(&[0xed, 0xb0], 0), ("LDIR".into(), 2));
/// assert_eq!(disassemble(&[0xdd, 0x36, 0xfe, 0x21], 0), ("LD (IX-02),21".into(), 4));
/// ```
pub fn disassemble(memory: &[u8], pc: u16) -> (String, usize) {
    let mut listing = Listing::new(memory, pc);
    let text = match listing.byte() {
        0xcb => list_cb(&mut listing),
        0xed => list_ed(&mut listing),
        prefix @ (0xdd | 0xfd) => list_indexed(&mut listing, prefix),
        opcode => list_plain(&mut listing, opcode, &Names::plain()),
    };
    (text, listing.taken)
}

fn list_plain(listing: &mut Listing<'_>, opcode: u8, names: &Names) -> String {
    let upper = usize::from(opcode >> 3 & 7);
    let (to, from) = (names.register(opcode >> 3), names.register(opcode));
    let (pair, pushed) = (names.pair(opcode, "SP"), names.pair(opcode, "AF"));
    let hl = names.pair;
    let condition = CONDITIONS[upper];
    let mut relative = |name: &str| {
        let displacement = listing.byte() as i8;
        let target = (listing.pc + listing.taken) as i64 + i64::from(displacement);
        let len = listing.memory.len().max(1) as i64;
        format!("{name}{:02X}", target.rem_euclid(len))
    };
    match opcode {
        0x00 => "NOP".into(),
        0x08 => "EX AF,AF'".into(),
        0x10 => relative("DJNZ "),
        0x18 => relative("JR "),
        0x20 | 0x28 | 0x30 | 0x38 => relative(&format!("JR {},", CONDITIONS[upper & 3])),
        0x02 | 0x12 => format!("LD ({pair}),A"),
        0x0a | 0x1a => format!("LD A,({pair})"),
        0x22 => format!("LD ({:04X}),{hl}", listing.pair()),
        0x2a => format!("LD {hl},({:04X})", listing.pair()),
        0x32 => format!("LD ({:04X}),A", listing.pair()),
        0x3a => format!("LD A,({:04X})", listing.pair()),
        0x76 => "HALT".into(),
        0xc3 => format!("JP {:04X}", listing.pair()),
        0xc9 => "RET".into(),
        0xcd => format!("CALL {:04X}", listing.pair()),
        0xd3 => format!("OUT ({:02X}),A", listing.byte()),
        0xd9 => "EXX".into(),
        0xdb => format!("IN A,({:02X})", listing.byte()),
        0xe3 => format!("EX (SP),{hl}"),
        0xe9 => format!("JP ({hl})"),
        0xeb => "EX DE,HL".into(),
        0xf3 => "DI".into(),
        0xf9 => format!("LD SP,{hl}"),
        0xfb => "EI".into(),
        0x01..=0x3f => match opcode & 7 {
            1 if opcode & 8 == 0 => format!("LD {pair},{:04X}", listing.pair()),
            1 => format!("ADD {hl},{pair}"),
            3 if opcode & 8 == 0 => format!("INC {pair}"),
            3 => format!("DEC {pair}"),
            4 => format!("INC {to}"),
            5 => format!("DEC {to}"),
            6 => format!("LD {to},{:02X}", listing.byte()),
            _ => ["RLCA", "RRCA", "RLA", "RRA", "DAA", "CPL", "SCF", "CCF"][upper].into(),
        },
        0x40..=0x7f => format!("LD {to},{from}"),
        0x80..=0xbf => format!("{}{from}", OPERATIONS[upper]),
        0xc0..=0xff => match opcode & 7 {
            0 => format!("RET {condition}"),
            1 => format!("POP {pushed}"),
            2 => format!("JP {condition},{:04X}", listing.pair()),
            4 => format!("CALL {condition},{:04X}", listing.pair()),
            5 => format!("PUSH {pushed}"),
            6 => format!("{}{:02X}", OPERATIONS[upper], listing.byte()),
            _ => format!("RST {:02X}", opcode & 0x38),
        },
    }
}

/// What an opcode behind CB does to what is called `operand`.
fn operation_cb(opcode: u8, operand: &str) -> String {
    let upper = opcode >> 3 & 7;
    match opcode >> 6 {
        0 => format!("{} {operand}", ROTATIONS[usize::from(upper)]),
        1 => format!("BIT {upper},{operand}"),
        2 => format!("RES {upper},{operand}"),
        _ => format!("SET {upper},{operand}"),
    }
}

fn list_cb(listing: &mut Listing<'_>) -> String {
    let opcode = listing.byte();
    operation_cb(opcode, Names::plain().register(opcode))
}

fn list_indexed(listing: &mut Listing<'_>, prefix: u8) -> String {
    let opcode = listing.byte();
    let [pair, high, low] = if prefix == 0xdd {
        ["IX", "IXH", "IXL"]
    } else {
        ["IY", "IYH", "IYL"]
    };
    let displaced = |listing: &mut Listing<'_>| {
        let displacement = listing.byte() as i8;
        let sign = if displacement < 0 { '-' } else { '+' };
        format!("({pair}{sign}{:02X})", displacement.unsigned_abs())
    };
    let mut names = Names::plain();
    match opcode {
        0xdd | 0xfd => return "NOP".into(),
        0xed => return list_ed(listing),
        0xcb => {
            let operand = displaced(listing);
            let opcode = listing.byte();
            let text = operation_cb(opcode, &operand);
            return if opcode >> 6 == 1 || lower_is_memory(opcode) {
                text
            } else {
                format!("LD {},{text}", names.register(opcode))
            };
        }
        _ => {}
    }
    match INDEXED[usize::from(opcode)] {
        Indexed::No => {}
        Indexed::Memory => names.memory = displaced(listing),
        Indexed::Pair => (names.pair, names.high, names.low) = (pair, high, low),
    }
    list_plain(listing, opcode, &names)
}

fn list_ed(listing: &mut Listing<'_>) -> String {
    let opcode = listing.byte();
    let names = Names::plain();
    let (register, pair) = (names.register(opcode >> 3), names.pair(opcode, "SP"));
    match opcode {
        0x70 => "IN (C)".into(),
        0x71 => "OUT (C),0".into(),
        0x47 => "LD I,A".into(),
        0x4d => "RETI".into(),
        0x4f => "LD R,A".into(),
        0x57 => "LD A,I".into(),
        0x5f => "LD A,R".into(),
        0x67 => "RRD".into(),
        0x6f => "RLD".into(),
        0x40..=0x7f => match opcode & 7 {
            0 => format!("IN {register},(C)"),
            1 => format!("OUT (C),{register}"),
            2 if opcode & 8 == 0 => format!("SBC HL,{pair}"),
            2 => format!("ADC HL,{pair}"),
            3 if opcode & 8 == 0 => format!("LD ({:04X}),{pair}", listing.pair()),
            3 => format!("LD {pair},({:04X})", listing.pair()),
            4 => "NEG".into(),
            5 => "RETN".into(),
            6 => format!("IM {}", [0, 0, 1, 2][usize::from(opcode >> 3 & 3)]),
            _ => "NOP".into(),
        },
        0xa0..=0xbf if opcode & 7 < 4 => {
            let stem = ["LD", "CP", "IN", "OT"][usize::from(opcode & 7)];
            let end = ["I", "D", "IR", "DR"][usize::from(opcode >> 3 & 3)];
            match opcode {
                0xa3 => "OUTI".into(),
                0xab => "OUTD".into(),
                _ => format!("{stem}{end}"),
            }
        }
        _ => "NOP".into(),
    }
}
