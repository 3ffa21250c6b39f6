//! Every opcode against an independent emulator.
//!
//! iz80 has no WZ and no Q, does not count R, and takes some liberties. Where it differs from
//! broth is listed by name in [`DEPARTURES`]: each must be seen to differ, in no more than it
//! says, and nothing else may.

use std::fmt::Write as _;

use broth::language::cpu::z80::Variant;
use broth::language::cpu::{i8080, z80};
use iz80::{Cpu, Machine, Reg8, Reg16};

use super::Random;

/// Bytes of the memories that single instructions run on.
const SIZE: usize = 256;

/// A memory in which addresses wrap around, with nothing at the ports.
struct Wrapping([u8; SIZE]);

impl Machine for Wrapping {
    fn peek(&mut self, address: u16) -> u8 {
        self.0[usize::from(address) % SIZE]
    }

    fn poke(&mut self, address: u16, value: u8) {
        self.0[usize::from(address) % SIZE] = value;
    }

    fn port_in(&mut self, _: u16) -> u8 {
        0
    }

    fn port_out(&mut self, _: u16, _: u8) {}
}

/// What can be seen of both emulators.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// AF, BC, DE, HL, SP, PC, IX, IY, AF', BC', DE', HL', I and R.
    registers: [u16; 14],
    halted: bool,
    memory: [u8; SIZE],
}

const NAMES: [&str; 14] = [
    "AF", "BC", "DE", "HL", "SP", "PC", "IX", "IY", "AF'", "BC'", "DE'", "HL'", "I", "R",
];
const AF: usize = 0;
const HL: usize = 3;
const PC: usize = 5;
const IX: usize = 6;
const IY: usize = 7;
const R: usize = 13;

impl Seen {
    /// The places in which two differ, by name.
    fn differences(&self, other: &Seen) -> String {
        let mut text = String::new();
        for (name, (ours, theirs)) in NAMES.iter().zip(self.registers.iter().zip(other.registers)) {
            if *ours != theirs {
                let _ = write!(text, " {name} {ours:04X} theirs {theirs:04X}");
            }
        }
        for (at, (ours, theirs)) in self.memory.iter().zip(other.memory).enumerate() {
            if *ours != theirs {
                let _ = write!(text, " ({at:02X}) {ours:02X} theirs {theirs:02X}");
            }
        }
        if self.halted != other.halted {
            text += " HALT";
        }
        text
    }
}

/// How a register differs where iz80 departs from broth.
struct Departure {
    name: &'static str,
    /// The variants that it is a departure from.
    of: &'static [Variant],
    /// Whether an instruction, from its first byte on, is one of those.
    is: fn(&[u8]) -> bool,
    /// Bits that may differ, in registers by number.
    bits: &'static [(usize, u16)],
}

const BOTH: &[Variant] = &[Variant::Zff, Variant::Hardware];
pub(super) const YX: u16 = 0x28;
const ALL: u16 = 0xffff;

fn is_index(byte: u8) -> bool {
    matches!(byte, 0xdd | 0xfd)
}

/// Whether it is `opcode` behind DD or FD, CB and a displacement.
fn is_displaced_cb(bytes: &[u8], opcodes: impl Fn(u8) -> bool) -> bool {
    is_index(bytes[0]) && bytes[1] == 0xcb && opcodes(bytes[3])
}

/// The bytes behind one prefix DD or FD, if there is one.
pub(super) fn bare(bytes: &[u8]) -> &[u8] {
    if is_index(bytes[0]) {
        &bytes[1..]
    } else {
        bytes
    }
}

/// Whether it is `opcode` behind ED, the prefix being ignored or not there.
fn is_ed(bytes: &[u8], opcodes: impl Fn(u8) -> bool) -> bool {
    let bytes = bare(bytes);
    bytes[0] == 0xed && opcodes(bytes[1])
}

static DEPARTURES: [Departure; 11] = [
    Departure {
        name: "BIT n,(HL) shows bits of H, not of WZ",
        of: BOTH,
        is: |bytes| bytes[0] == 0xcb && bytes[1] & 0xc7 == 0x46,
        bits: &[(AF, YX)],
    },
    Departure {
        name: "BIT n,(IX+d) without 6 in the low bits tests a register",
        of: BOTH,
        is: |bytes| is_displaced_cb(bytes, |opcode| opcode >> 6 == 1 && opcode & 7 != 6),
        bits: &[(AF, 0xfe)],
    },
    Departure {
        name: "copies of (IX+d) meant for H and L go to halves of IX",
        of: BOTH,
        is: |bytes| is_displaced_cb(bytes, |opcode| opcode >> 6 != 1 && opcode & 6 == 4),
        bits: &[(HL, ALL), (IX, ALL), (IY, ALL)],
    },
    Departure {
        name: "LD A,I and LD A,R leave all flags alone",
        of: BOTH,
        is: |bytes| is_ed(bytes, |opcode| matches!(opcode, 0x57 | 0x5f)),
        bits: &[(AF, 0xfe)],
    },
    Departure {
        name: "IN r,(C) shows bits 5 and 3 of what it read",
        of: &[Variant::Zff],
        is: |bytes| is_ed(bytes, |opcode| opcode & 0xc7 == 0x40),
        bits: &[(AF, YX)],
    },
    Departure {
        name: "block instructions on ports set all flags",
        of: &[Variant::Zff],
        is: |bytes| is_ed(bytes, |opcode| opcode & 0xe6 == 0xa2),
        bits: &[(AF, 0xbf)],
    },
    Departure {
        name: "SCF and CCF show bits of A alone",
        of: &[Variant::Hardware],
        is: |bytes| matches!(bare(bytes)[0], 0x37 | 0x3f),
        bits: &[(AF, YX)],
    },
    Departure {
        name: "LDIR and LDDR that go on do not show their own address",
        of: &[Variant::Hardware],
        is: |bytes| is_ed(bytes, |opcode| matches!(opcode, 0xb0 | 0xb8)),
        bits: &[(AF, YX)],
    },
    Departure {
        name: "CPIR and CPDR that go on do not show their own address",
        of: &[Variant::Hardware],
        is: |bytes| is_ed(bytes, |opcode| matches!(opcode, 0xb1 | 0xb9)),
        bits: &[(AF, YX)],
    },
    Departure {
        name: "INIR and INDR that go on have the flags of INI and IND",
        of: &[Variant::Hardware],
        is: |bytes| is_ed(bytes, |opcode| matches!(opcode, 0xb2 | 0xba)),
        bits: &[(AF, YX | 0x14)],
    },
    Departure {
        name: "OTIR and OTDR that go on have the flags of OUTI and OUTD",
        of: &[Variant::Hardware],
        is: |bytes| is_ed(bytes, |opcode| matches!(opcode, 0xb3 | 0xbb)),
        bits: &[(AF, YX | 0x14)],
    },
];

/// How often R counts for an instruction.
fn refreshes(variant: Variant, bytes: &[u8]) -> u8 {
    match (bytes[0], bytes[1]) {
        (0xdd | 0xfd, 0xdd | 0xfd) => 1,
        (0xdd | 0xfd, 0xed) if variant == Variant::Zff => 4,
        (0xdd | 0xfd, 0xed) => 3,
        (0xcb | 0xed | 0xdd | 0xfd, _) => 2,
        _ => 1,
    }
}

fn z80_state(registers: &[u16; 14], wz: u16, iff2: bool) -> z80::State {
    let [af, bc, de, hl, sp, pc, ix, iy, af_, bc_, de_, hl_, i, r] = *registers;
    let mut state = z80::State::new();
    state.set_af(af);
    state.set_bc(bc);
    state.set_de(de);
    state.set_hl(hl);
    state.set_sp(sp);
    state.set_pc(pc);
    state.set_ix(ix);
    state.set_iy(iy);
    state.set_shadow([af_, bc_, de_, hl_]);
    state.set_i(i as u8);
    state.set_r(r as u8);
    state.set_wz(wz);
    state.set_iff2(iff2);
    state
}

fn seen_of_z80(state: &z80::State, memory: [u8; SIZE]) -> Seen {
    let [af_, bc_, de_, hl_] = state.shadow();
    Seen {
        registers: [
            state.af(),
            state.bc(),
            state.de(),
            state.hl(),
            state.sp(),
            state.pc(),
            state.ix(),
            state.iy(),
            af_,
            bc_,
            de_,
            hl_,
            u16::from(state.i()),
            u16::from(state.r()),
        ],
        halted: state.halted(),
        memory,
    }
}

/// Have iz80 do an instruction of one byte, elsewhere.
fn aside(cpu: &mut Cpu, opcode: u8) {
    cpu.registers().set_pc(0);
    cpu.execute_instruction(&mut Wrapping([opcode; SIZE]));
}

/// What iz80 makes of it, R being what it is when LD A,R reads it.
fn by_iz80(cpu: &mut Cpu, registers: &[u16; 14], iff2: bool, memory: [u8; SIZE]) -> Seen {
    const PAIRS: [Reg16; 7] = [
        Reg16::AF,
        Reg16::BC,
        Reg16::DE,
        Reg16::HL,
        Reg16::SP,
        Reg16::IX,
        Reg16::IY,
    ];
    const PLACES: [usize; 7] = [0, 1, 2, 3, 4, 6, 7];
    aside(cpu, if iff2 { 0xfb } else { 0xf3 });
    for (place, pair) in PAIRS[..4].iter().enumerate() {
        cpu.registers().set16(*pair, registers[8 + place]);
    }
    aside(cpu, 0x08);
    aside(cpu, 0xd9);
    for (place, pair) in PLACES.into_iter().zip(PAIRS) {
        cpu.registers().set16(pair, registers[place]);
    }
    cpu.registers().set8(Reg8::I, registers[12] as u8);
    cpu.registers().set8(Reg8::R, registers[13] as u8);
    cpu.registers().set_pc(registers[PC]);
    let mut machine = Wrapping(memory);
    cpu.execute_instruction(&mut machine);

    let mut after = [0; 14];
    for (place, pair) in PLACES.into_iter().zip(PAIRS) {
        after[place] = cpu.registers().get16(pair);
    }
    after[12] = u16::from(cpu.registers().get8(Reg8::I));
    after[13] = u16::from(cpu.registers().get8(Reg8::R));
    after[PC] = cpu.registers().pc();
    let halted = cpu.is_halted();
    if halted {
        // Halted, it does not exchange registers. A new one does, and HALT exchanges none.
        after[8..12].copy_from_slice(&registers[8..12]);
        *cpu = Cpu::new_z80();
    } else {
        aside(cpu, 0x08);
        aside(cpu, 0xd9);
        for (place, pair) in PAIRS[..4].iter().enumerate() {
            after[8 + place] = cpu.registers().get16(*pair);
        }
    }
    Seen {
        registers: after,
        halted,
        memory: machine.0,
    }
}

/// Every opcode behind every prefix, and what is odd: a prefix before another one.
pub(super) fn instructions() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for opcode in 0..=255 {
        all.push(vec![opcode]);
        for prefix in [0xcb, 0xed, 0xdd, 0xfd] {
            all.push(vec![prefix, opcode]);
        }
        for prefix in [0xdd, 0xfd] {
            all.push(vec![prefix, 0xed, opcode]);
            all.push(vec![prefix, prefix ^ 0x20, opcode]);
            // Between them is the displacement, drawn anew each time.
            all.push(vec![prefix, 0xcb]);
        }
    }
    all
}

#[test]
fn the_z80_does_as_iz80_does() {
    let mut random = Random(1);
    let mut cpu = Cpu::new_z80();
    let mut seen_to_differ = vec![0; DEPARTURES.len()];
    let mut wrong = Vec::new();
    let instructions = instructions();
    for round in 0..200 {
        for instruction in &instructions {
            let mut memory = [0; SIZE];
            random.fill(&mut memory);
            let mut bytes = [0; 28];
            random.fill(&mut bytes);
            let mut registers: [u16; 14] =
                std::array::from_fn(|i| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]));
            registers[12] &= 0xff;
            registers[13] &= 0xff;
            let pick = random.next();
            // What chance hardly draws: the last rounds, and operands that are alike.
            if pick & 7 == 0 {
                registers[1] &= if pick & 8 == 0 { 0x0003 } else { 0x03ff };
            }
            if pick & 0x30 == 0 {
                registers[AF] = registers[AF] & 0xff
                    | u16::from(memory[usize::from(registers[HL]) % SIZE]) << 8;
            }
            let (iff2, wz) = (pick & 0x40 != 0, (pick >> 16) as u16);
            let at = |ahead: usize| (usize::from(registers[PC]) + ahead) % SIZE;
            for (ahead, byte) in instruction.iter().enumerate() {
                memory[at(ahead)] = *byte;
            }
            if instruction.len() == 2 && instruction[1] == 0xcb && is_index(instruction[0]) {
                memory[at(3)] = (round * 257 + (pick >> 32)) as u8;
            }
            let code: [u8; 5] = std::array::from_fn(|ahead| memory[at(ahead)]);
            for variant in [Variant::Zff, Variant::Hardware] {
                let mut ours = memory;
                let mut state = z80_state(&registers, wz, iff2);
                z80::step(variant, &mut ours, &mut state);
                let ours = seen_of_z80(&state, ours);

                let mut counted = registers;
                let r = registers[R] as u8;
                let low = r.wrapping_add(refreshes(variant, &code)) & 0x7f;
                counted[R] = u16::from(r & 0x80 | low);
                if is_index(code[0]) && is_index(code[1]) {
                    // iz80 goes through all prefixes at once.
                    let passed = if variant == Variant::Zff { 2 } else { 1 };
                    counted[PC] = counted[PC].wrapping_add(passed);
                    assert!(
                        ours.registers == counted && ours.memory == memory,
                        "{code:02X?}"
                    );
                    continue;
                }
                let mut theirs = by_iz80(&mut cpu, &counted, iff2, memory);
                if variant == Variant::Zff && is_index(code[0]) && code[1] == 0xed {
                    let r = theirs.registers[R];
                    theirs.registers[R] = r & 0x80 | r.wrapping_sub(1) & 0x7f;
                }
                if ours == theirs {
                    continue;
                }
                let mut rest = ours;
                for (departure, seen) in DEPARTURES.iter().zip(&mut seen_to_differ) {
                    if departure.of.contains(&variant) && (departure.is)(&code) {
                        for (register, bits) in departure.bits {
                            let (mine, other) = (&mut rest.registers, theirs.registers);
                            if (mine[*register] ^ other[*register]) & bits != 0 {
                                *seen += 1;
                            }
                            mine[*register] = mine[*register] & !bits | other[*register] & bits;
                        }
                    }
                }
                if rest != theirs {
                    let text = rest.differences(&theirs);
                    let (name, _) = z80::disassemble(&code, 0);
                    wrong.push(format!("{variant:?} {name} {code:02X?}:{text}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for (departure, seen) in DEPARTURES.iter().zip(seen_to_differ) {
        assert!(
            seen > 0,
            "iz80 does not depart here any more: {}",
            departure.name
        );
    }
}

#[test]
fn the_8080_does_as_iz80_does() {
    let mut random = Random(2);
    let mut cpu = Cpu::new_8080();
    for _ in 0..500 {
        for opcode in 0..=255 {
            let mut memory = [0; SIZE];
            random.fill(&mut memory);
            let [low, high] = [random.next(), random.next()];
            let [psw, bc, de, hl] = std::array::from_fn(|i| (low >> (16 * i)) as u16);
            let [sp, pc] = std::array::from_fn(|i| (high >> (16 * i)) as u16);
            memory[usize::from(pc) % SIZE] = opcode;

            let mut state = i8080::State::new();
            state.set_psw(psw);
            state.set_bc(bc);
            state.set_de(de);
            state.set_hl(hl);
            state.set_sp(sp);
            state.set_pc(pc);
            let mut ours = memory;
            i8080::step(&mut ours, &mut state);

            if cpu.is_halted() {
                cpu = Cpu::new_8080();
            }
            for (pair, value) in [
                (Reg16::AF, psw),
                (Reg16::BC, bc),
                (Reg16::DE, de),
                (Reg16::HL, hl),
                (Reg16::SP, sp),
            ] {
                cpu.registers().set16(pair, value);
            }
            cpu.registers().set_pc(pc);
            let mut theirs = Wrapping(memory);
            cpu.execute_instruction(&mut theirs);
            let registers = cpu.registers();
            let seen = [
                registers.get16(Reg16::AF),
                registers.get16(Reg16::BC),
                registers.get16(Reg16::DE),
                registers.get16(Reg16::HL),
                registers.get16(Reg16::SP),
                registers.pc(),
            ];
            let all = [
                state.psw(),
                state.bc(),
                state.de(),
                state.hl(),
                state.sp(),
                state.pc(),
            ];
            let (text, _) = i8080::disassemble(&memory, pc);
            assert_eq!(all, seen, "{opcode:02X} {text}, before PSW {psw:04X}");
            assert_eq!(ours, theirs.0, "{opcode:02X} {text}");
            assert_eq!(state.halted(), cpu.is_halted(), "{opcode:02X} {text}");
        }
    }
}
