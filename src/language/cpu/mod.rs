//! The Z80 and the 8080: common code.
//!
//! The 8080's registers, flags and most of its opcodes are a subset of the Z80's. Both encode
//! registers in the same three bits of an opcode and pairs in the same two. So both keep the
//! registers in one word, in which such a field, shifted, is the position of its register. That way
//! one piece of source covers dozens of opcodes.

pub mod i8080;
pub mod z80;

use super::{Kind, Role};

/// Do `$body` with the value of `$opcode` as the constant `$constant`. Rules that decode the fields
/// of an opcode are then compiled for each opcode separately, with nothing left to decode, and a
/// single jump dispatches to them.
macro_rules! match_opcode {
    ($opcode:expr, $constant:ident => $body:expr) => {
        match_opcode! { $opcode, $constant, $body,
            0x00 0x01 0x02 0x03 0x04 0x05 0x06 0x07 0x08 0x09 0x0a 0x0b 0x0c 0x0d 0x0e 0x0f
            0x10 0x11 0x12 0x13 0x14 0x15 0x16 0x17 0x18 0x19 0x1a 0x1b 0x1c 0x1d 0x1e 0x1f
            0x20 0x21 0x22 0x23 0x24 0x25 0x26 0x27 0x28 0x29 0x2a 0x2b 0x2c 0x2d 0x2e 0x2f
            0x30 0x31 0x32 0x33 0x34 0x35 0x36 0x37 0x38 0x39 0x3a 0x3b 0x3c 0x3d 0x3e 0x3f
            0x40 0x41 0x42 0x43 0x44 0x45 0x46 0x47 0x48 0x49 0x4a 0x4b 0x4c 0x4d 0x4e 0x4f
            0x50 0x51 0x52 0x53 0x54 0x55 0x56 0x57 0x58 0x59 0x5a 0x5b 0x5c 0x5d 0x5e 0x5f
            0x60 0x61 0x62 0x63 0x64 0x65 0x66 0x67 0x68 0x69 0x6a 0x6b 0x6c 0x6d 0x6e 0x6f
            0x70 0x71 0x72 0x73 0x74 0x75 0x76 0x77 0x78 0x79 0x7a 0x7b 0x7c 0x7d 0x7e 0x7f
            0x80 0x81 0x82 0x83 0x84 0x85 0x86 0x87 0x88 0x89 0x8a 0x8b 0x8c 0x8d 0x8e 0x8f
            0x90 0x91 0x92 0x93 0x94 0x95 0x96 0x97 0x98 0x99 0x9a 0x9b 0x9c 0x9d 0x9e 0x9f
            0xa0 0xa1 0xa2 0xa3 0xa4 0xa5 0xa6 0xa7 0xa8 0xa9 0xaa 0xab 0xac 0xad 0xae 0xaf
            0xb0 0xb1 0xb2 0xb3 0xb4 0xb5 0xb6 0xb7 0xb8 0xb9 0xba 0xbb 0xbc 0xbd 0xbe 0xbf
            0xc0 0xc1 0xc2 0xc3 0xc4 0xc5 0xc6 0xc7 0xc8 0xc9 0xca 0xcb 0xcc 0xcd 0xce 0xcf
            0xd0 0xd1 0xd2 0xd3 0xd4 0xd5 0xd6 0xd7 0xd8 0xd9 0xda 0xdb 0xdc 0xdd 0xde 0xdf
            0xe0 0xe1 0xe2 0xe3 0xe4 0xe5 0xe6 0xe7 0xe8 0xe9 0xea 0xeb 0xec 0xed 0xee 0xef
            0xf0 0xf1 0xf2 0xf3 0xf4 0xf5 0xf6 0xf7 0xf8 0xf9 0xfa 0xfb 0xfc 0xfd 0xfe 0xff
        }
    };
    ($opcode:expr, $constant:ident, $body:expr, $($byte:literal)*) => {
        match $opcode {
            $($byte => {
                const $constant: u8 = $byte;
                $body
            })*
        }
    };
}
use match_opcode;

/// The result was zero; all flags are bits of the register F.
const ZERO: u8 = 0x40;
/// Bit 7 of the result.
const SIGN: u8 = 0x80;
/// A carry from bit 3 to bit 4 (8080: auxiliary carry).
const HALF: u8 = 0x10;
/// An even number of ones, or (Z80) an overflow.
const PARITY: u8 = 0x04;
/// A carry from bit 7.
const CARRY: u8 = 0x01;

/// Sign and zero of each byte, and its parity.
static SIGN_ZERO_PARITY: [u8; 256] = {
    let mut flags = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        flags[byte] = value & SIGN
            | if value == 0 { ZERO } else { 0 }
            | if value.count_ones().is_multiple_of(2) {
                PARITY
            } else {
                0
            };
        byte += 1;
    }
    flags
};

/// The flags that the four pairs of conditions test, and 0 to test none.
const TESTED: [u8; 4] = [ZERO, CARRY, PARITY, SIGN];

/// Whether the condition in bits 3 to 5 of `opcode` holds: NZ, Z, NC, C, PO, PE, P, M.
#[inline(always)]
fn holds(opcode: u8, flags: u8) -> bool {
    let tested = TESTED[opcode as usize >> 4 & 3];
    (flags & tested != 0) == (opcode & 8 != 0)
}

/// The registers B, C, D, E, H, L, F and A, by their numbers in opcodes, with F in place of the
/// byte at (HL). Register r is byte `r ^ 1` of the word, so that the pairs BC, DE and HL are its
/// words 0 to 2; word 3 is F and A, in reverse order.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Registers(u64);

/// The position of the pair HL.
const HL: u8 = 0x20;

impl Registers {
    /// The position, as a shift, of the register in bits 3 to 5 of `opcode`.
    #[inline(always)]
    const fn upper(opcode: u8) -> u8 {
        opcode & 0x38 ^ 8
    }

    /// The position of the register in bits 0 to 2 of `opcode`.
    #[inline(always)]
    const fn lower(opcode: u8) -> u8 {
        Registers::upper(opcode << 3)
    }

    /// The position of the pair in bits 4 and 5 of `opcode`.
    #[inline(always)]
    const fn pair_of(opcode: u8) -> u8 {
        opcode & 0x30
    }

    #[inline(always)]
    const fn get(self, shift: u8) -> u8 {
        (self.0 >> (shift & 63)) as u8
    }

    #[inline(always)]
    fn set(&mut self, shift: u8, value: u8) {
        let shift = shift & 63;
        self.0 = self.0 & !(0xff << shift) | u64::from(value) << shift;
    }

    #[inline(always)]
    const fn pair(self, shift: u8) -> u16 {
        (self.0 >> (shift & 63)) as u16
    }

    #[inline(always)]
    fn set_pair(&mut self, shift: u8, value: u16) {
        let shift = shift & 63;
        self.0 = self.0 & !(0xffff << shift) | u64::from(value) << shift;
    }

    #[inline(always)]
    const fn a(self) -> u8 {
        (self.0 >> 48) as u8
    }

    #[inline(always)]
    fn set_a(&mut self, value: u8) {
        self.set(48, value);
    }

    #[inline(always)]
    const fn f(self) -> u8 {
        (self.0 >> 56) as u8
    }

    #[inline(always)]
    fn set_f(&mut self, value: u8) {
        self.set(56, value);
    }

    #[inline(always)]
    fn set_af(&mut self, a: u8, f: u8) {
        self.set_pair(48, u16::from_le_bytes([a, f]));
    }

    #[inline(always)]
    const fn bc(self) -> u16 {
        self.pair(0x00)
    }

    #[inline(always)]
    fn set_bc(&mut self, value: u16) {
        self.set_pair(0x00, value);
    }

    #[inline(always)]
    const fn de(self) -> u16 {
        self.pair(0x10)
    }

    #[inline(always)]
    fn set_de(&mut self, value: u16) {
        self.set_pair(0x10, value);
    }

    #[inline(always)]
    const fn hl(self) -> u16 {
        self.pair(HL)
    }

    #[inline(always)]
    fn set_hl(&mut self, value: u16) {
        self.set_pair(HL, value);
    }

    /// The pair in bits 4 and 5 of `opcode` for a push, where the last one is AF.
    #[inline(always)]
    fn pushed(self, opcode: u8) -> u16 {
        let pair = self.pair(Registers::pair_of(opcode));
        if last_pair(opcode) {
            pair.swap_bytes()
        } else {
            pair
        }
    }

    /// Set the pair in bits 4 and 5 of `opcode` to what was popped.
    #[inline(always)]
    fn pop(&mut self, opcode: u8, value: u16) {
        let value = if last_pair(opcode) {
            value.swap_bytes()
        } else {
            value
        };
        self.set_pair(Registers::pair_of(opcode), value);
    }
}

/// Whether bits 4 and 5 of `opcode` mean the last pair, SP or AF.
#[inline(always)]
const fn last_pair(opcode: u8) -> bool {
    opcode & 0x30 == 0x30
}

/// Whether bits 0 to 2 of `opcode` mean the byte at (HL).
#[inline(always)]
const fn lower_is_memory(opcode: u8) -> bool {
    opcode & 7 == 6
}

/// Whether bits 3 to 5 of `opcode` mean the byte at (HL).
#[inline(always)]
const fn upper_is_memory(opcode: u8) -> bool {
    opcode & 0x38 == 0x30
}

/// The result of an addition or subtraction.
struct Sum {
    result: u8,
    /// The carries into each bit, as the adder has them.
    carries: u8,
    /// The carry out of bit 7, as the adder has it.
    carry: u8,
    /// All ones for a subtraction, which adds the inverted operand: the borrows are its inverted
    /// carries.
    inverted: u8,
}

/// Do ADD, ADC, SUB, SBC or CP, according to bits 3 to 5 of `opcode`.
#[inline(always)]
fn add_or_subtract(opcode: u8, a: u8, operand: u8, flags: u8) -> Sum {
    let inverted = if opcode & 0x10 != 0 { 0xff } else { 0 };
    let carry = flags & opcode >> 3 & !(opcode >> 5) & CARRY;
    let addend = operand ^ inverted;
    let sum = u16::from(a) + u16::from(addend) + u16::from((carry ^ inverted) & 1);
    let [result, carry] = sum.to_le_bytes();
    Sum {
        result,
        carries: a ^ addend ^ result,
        carry,
        inverted,
    }
}

/// Whether `opcode` is a CP, not an ADD, ADC, SUB or SBC.
#[inline(always)]
const fn is_compare(opcode: u8) -> bool {
    opcode & 0x38 == 0x38
}

/// Whether `opcode` is an AND, not an XOR or OR.
#[inline(always)]
const fn is_and(opcode: u8) -> bool {
    opcode & 0x18 == 0
}

/// Do AND, XOR or OR, according to bits 3 to 5 of `opcode`.
#[inline(always)]
fn logic(opcode: u8, a: u8, operand: u8) -> u8 {
    // OR is the combination of AND and XOR.
    let both = if opcode & 0x08 == 0 { a & operand } else { 0 };
    let one = if is_and(opcode) { 0 } else { a ^ operand };
    both | one
}

/// A byte plus 1, or minus 1 for the odd opcodes.
#[inline(always)]
fn increment_or_decrement(opcode: u8, value: u8) -> u8 {
    value.wrapping_add(1).wrapping_sub(2 * (opcode & 1))
}

/// 1, or -1 if bit 3 of `opcode` is set.
#[inline(always)]
fn direction(opcode: u8) -> u16 {
    1u16.wrapping_sub(u16::from(opcode & 8) >> 2)
}

/// A memory that addresses wrap around in: as many bytes as a power of two up to 65,536. An array
/// where the compiler is to know how many, for the sizes that most is run on; or else a slice.
pub trait Memory: AsRef<[u8]> {
    /// Stop where addresses cannot wrap around in so many bytes.
    #[inline(always)]
    fn check(&self) {
        let len = self.as_ref().len();
        let wraps = len.is_power_of_two() && len <= 1 << 16;
        assert!(
            wraps,
            "a memory of {len} bytes: no power of two up to 65,536"
        );
    }

    /// The byte at `address`.
    fn read(&self, address: u16) -> u8;

    /// Make `value` the byte at `address`.
    fn write(&mut self, address: u16, value: u8);

    /// The two bytes from `address` on, the lower one first.
    #[inline(always)]
    fn read_pair(&self, address: u16) -> u16 {
        u16::from_le_bytes([self.read(address), self.read(address.wrapping_add(1))])
    }

    /// Make `value` the two bytes from `address` on.
    #[inline(always)]
    fn write_pair(&mut self, address: u16, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.write(address, low);
        self.write(address.wrapping_add(1), high);
    }
}

impl<const N: usize> Memory for [u8; N] {
    #[inline(always)]
    fn read(&self, address: u16) -> u8 {
        self[address as usize & (N - 1)]
    }

    #[inline(always)]
    fn write(&mut self, address: u16, value: u8) {
        self[address as usize & (N - 1)] = value;
    }
}

impl Memory for [u8] {
    #[inline(always)]
    fn read(&self, address: u16) -> u8 {
        self[address as usize & (self.len() - 1)]
    }

    #[inline(always)]
    fn write(&mut self, address: u16, value: u8) {
        let mask = self.len() - 1;
        self[address as usize & mask] = value;
    }
}

/// The value that DAA adds to A (or subtracts from it), and the resulting carry.
fn decimal_correction(a: u8, flags: u8) -> (u8, u8) {
    let low = if a & 0x0f > 9 || flags & HALF != 0 {
        0x06
    } else {
        0
    };
    let exceeds = a > 0x99 || flags & CARRY != 0;
    let high = if exceeds { 0x60 } else { 0 };
    (low | high, u8::from(exceeds))
}

const fn named(symbol: &'static str, name: &'static str, role: Role) -> Kind {
    Kind { symbol, name, role }
}

/// Classes of opcodes: the numbers of the kinds of both machines.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Noop,
    Constant,
    Move,
    Load,
    Store,
    Arithmetic,
    Pairs,
    Exchange,
    Push,
    Pop,
    Jump,
    Call,
    Return,
    Port,
    Halt,
    Prefix,
    Extended,
}

impl Class {
    /// The classes of the Z80's opcodes.
    const fn of_z80(opcode: u8) -> Class {
        match opcode {
            0x00 => Class::Noop,
            0x10 | 0x18 | 0x20 | 0x28 | 0x30 | 0x38 => Class::Jump,
            0x08 | 0xd9 | 0xe3 | 0xeb => Class::Exchange,
            0x02 | 0x12 | 0x22 | 0x32 | 0x36 => Class::Store,
            0x0a | 0x1a | 0x2a | 0x3a => Class::Load,
            0x76 => Class::Halt,
            0xc3 | 0xe9 => Class::Jump,
            0xc9 => Class::Return,
            0xcd => Class::Call,
            0xcb | 0xdd | 0xfd => Class::Prefix,
            0xed => Class::Extended,
            0xd3 | 0xdb | 0xf3 | 0xfb => Class::Port,
            0xf9 => Class::Move,
            0x01..=0x3f => match opcode & 7 {
                1 if opcode & 8 == 0 => Class::Constant,
                1 | 3 => Class::Pairs,
                6 => Class::Constant,
                _ => Class::Arithmetic,
            },
            0x40..=0x7f if lower_is_memory(opcode) => Class::Load,
            0x40..=0x7f if upper_is_memory(opcode) => Class::Store,
            0x40..=0x7f => Class::Move,
            0x80..=0xbf => Class::Arithmetic,
            0xc0..=0xff => match opcode & 7 {
                0 => Class::Return,
                1 => Class::Pop,
                2 => Class::Jump,
                5 => Class::Push,
                6 => Class::Arithmetic,
                _ => Class::Call,
            },
        }
    }

    /// The classes of the 8080's opcodes.
    const fn of_i8080(opcode: u8) -> Class {
        match opcode {
            0x08 | 0x10 | 0x18 | 0x20 | 0x28 | 0x30 | 0x38 => Class::Noop,
            0xcb => Class::Jump,
            0xd9 => Class::Return,
            0xdd | 0xed | 0xfd => Class::Call,
            _ => Class::of_z80(opcode),
        }
    }
}

/// The instruction at `pc` while it is disassembled: bytes are read one by one from a memory in
/// which addresses wrap around.
struct Listing<'m> {
    memory: &'m [u8],
    pc: usize,
    taken: usize,
}

impl<'m> Listing<'m> {
    fn new(memory: &'m [u8], pc: u16) -> Self {
        Listing {
            memory,
            pc: usize::from(pc),
            taken: 0,
        }
    }

    /// The next byte; 0 if the memory is empty.
    fn peek(&self) -> u8 {
        let at = (self.pc + self.taken).checked_rem(self.memory.len());
        at.map_or(0, |at| self.memory[at])
    }

    fn byte(&mut self) -> u8 {
        let byte = self.peek();
        self.taken += 1;
        byte
    }

    fn pair(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }
}
