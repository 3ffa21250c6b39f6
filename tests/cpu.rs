//! The Z80 and the 8080: every opcode against an independent emulator, corner cases by the
//! letter, and whole tapes.
//!
//! iz80 has no WZ and no Q, does not count R, and takes some liberties. Where it differs from
//! broth is listed by name in [`DEPARTURES`]: each must be seen to differ, in no more than it
//! says, and nothing else may.

use std::fmt::Write as _;

use broth::language::cpu::z80::Variant;
use broth::language::cpu::{i8080, z80};
use broth::random::mix;
use iz80::{Cpu, Machine, Reg8, Reg16};
use sha2::{Digest, Sha256};

/// Bytes of the memories that single instructions run on.
const SIZE: usize = 256;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        let random = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        random
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

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
const YX: u16 = 0x28;
const ALL: u16 = 0xffff;

fn is_index(byte: u8) -> bool {
    matches!(byte, 0xdd | 0xfd)
}

/// Whether it is `opcode` behind DD or FD, CB and a displacement.
fn is_displaced_cb(bytes: &[u8], opcodes: impl Fn(u8) -> bool) -> bool {
    is_index(bytes[0]) && bytes[1] == 0xcb && opcodes(bytes[3])
}

/// The bytes behind one prefix DD or FD, if there is one.
fn bare(bytes: &[u8]) -> &[u8] {
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
fn instructions() -> Vec<Vec<u8>> {
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

/// Registers that are all different, WZ among them; some of the memory's bytes are an address.
fn before(code: &[u8]) -> (z80::State, [u8; 32]) {
    let mut state = z80::State::new();
    state.set_af(0x1200);
    state.set_bc(0x3456);
    state.set_de(0x789a);
    state.set_hl(0xbcde);
    state.set_ix(0x2345);
    state.set_iy(0x4567);
    state.set_sp(0x0010);
    state.set_wz(0x6666);
    let mut memory = [0; 32];
    memory[..code.len()].copy_from_slice(code);
    memory[0x10..0x12].copy_from_slice(&[0x34, 0x12]);
    (state, memory)
}

fn after(variant: Variant, steps: u32, code: &[u8]) -> (z80::State, [u8; 32]) {
    after_with(variant, steps, code, |_| ())
}

fn after_with(
    variant: Variant,
    steps: u32,
    code: &[u8],
    set: impl FnOnce(&mut z80::State),
) -> (z80::State, [u8; 32]) {
    let (mut state, mut memory) = before(code);
    set(&mut state);
    assert_eq!(z80::run(variant, &mut memory, &mut state, steps), steps);
    (state, memory)
}

#[test]
fn a_fresh_z80() {
    let state = z80::State::new();
    assert_eq!((state.af(), state.sp()), (0xffff, 0xffff));
    let low = z80::State::with_low_stack();
    assert_eq!((low.af(), low.sp()), (0xffff, 0x00ff));
    for state in [state, low] {
        let pairs = [state.bc(), state.de(), state.hl(), state.ix(), state.iy()];
        assert_eq!(pairs, [0; 5]);
        assert_eq!(state.shadow(), [0; 4]);
        assert_eq!((state.pc(), state.wz(), state.i(), state.r()), (0, 0, 0, 0));
        assert!(!state.iff2() && !state.halted());
    }
}

#[test]
fn only_places_in_memory_wrap_around() {
    let mut state = z80::State::new();
    let mut memory = [0; 32];
    memory[..3].copy_from_slice(&[0xc3, 0x38, 0x12]); // JP 1238
    memory[0x18] = 0xc7; // there: RST 00
    z80::run(Variant::Zff, &mut memory, &mut state, 1);
    assert_eq!(state.pc(), 0x1238);
    z80::run(Variant::Zff, &mut memory, &mut state, 1);
    assert_eq!((state.pc(), state.sp()), (0x0000, 0xfffd));
    assert_eq!(memory[0x1d..0x1f], [0x39, 0x12]);
}

#[test]
fn a_halt_is_the_last_step() {
    let (mut state, mut memory) = before(&[0x00, 0x76, 0x3c]);
    assert_eq!(z80::run(Variant::Zff, &mut memory, &mut state, 128), 2);
    assert!(state.halted());
    assert_eq!((state.pc(), state.r()), (2, 2));
    let halted = state;
    assert_eq!(z80::run(Variant::Zff, &mut memory, &mut state, 128), 0);
    z80::step(Variant::Zff, &mut memory, &mut state);
    assert_eq!(state, halted);
}

#[test]
fn runs_are_their_steps() {
    let mut random = Random(4);
    for variant in [Variant::Zff, Variant::Hardware] {
        for _ in 0..500 {
            let mut memory = [0; 64];
            random.fill(&mut memory);
            let (mut state, mut alone) = (z80::State::with_low_stack(), memory);
            let mut stepped = state;
            let done = z80::run(variant, &mut memory, &mut state, 512);
            for _ in 0..done {
                assert!(!stepped.halted());
                z80::step(variant, &mut alone, &mut stepped);
            }
            assert_eq!((state, memory), (stepped, alone));
            assert!(done == 512 || state.halted());
        }
    }
}

#[test]
fn each_round_of_a_block_copy_is_a_step() {
    let set = |state: &mut z80::State| {
        state.set_bc(3);
        state.set_hl(0x0010);
        state.set_de(0x0014);
    };
    let (state, memory) = after_with(Variant::Zff, 2, &[0xed, 0xb0], set);
    assert_eq!((state.pc(), state.bc(), state.r()), (0, 1, 4));
    assert_eq!(memory[0x14..0x17], [0x34, 0x12, 0]);
    let (state, _) = after_with(Variant::Zff, 3, &[0xed, 0xb0], set);
    assert_eq!(
        (state.pc(), state.bc(), state.hl(), state.de()),
        (2, 0, 0x13, 0x17)
    );
}

#[test]
fn a_prefix_before_a_prefix() {
    // What follows is LD HL,nn for zff, which passes over both, and LD IY,nn on hardware.
    let code = [0xdd, 0xfd, 0x21, 0x34, 0x12];
    let (state, _) = after(Variant::Zff, 1, &code);
    assert_eq!((state.pc(), state.r()), (2, 1));
    let (state, _) = after(Variant::Zff, 2, &code);
    assert_eq!((state.hl(), state.iy()), (0x1234, 0x4567));
    let (state, _) = after(Variant::Hardware, 1, &code);
    assert_eq!((state.pc(), state.r()), (1, 1));
    let (state, _) = after(Variant::Hardware, 2, &code);
    assert_eq!((state.hl(), state.iy()), (0xbcde, 0x1234));
}

#[test]
fn prefixes_that_mean_nothing() {
    for variant in [Variant::Zff, Variant::Hardware] {
        // LD B,C behind DD; an opcode that ED does not have; LDI behind FD and ED.
        let (state, _) = after(variant, 1, &[0xdd, 0x41]);
        assert_eq!((state.bc(), state.pc()), (0x5656, 2));
        let (mut state, _) = after(variant, 1, &[0xed, 0x00]);
        let (untouched, _) = before(&[]);
        assert_eq!((state.pc(), state.r()), (2, 2));
        state.set_pc(0);
        state.set_r(0);
        assert_eq!(state, untouched);
        let (state, _) = after(variant, 1, &[0xfd, 0xed, 0xa0]);
        assert_eq!((state.bc(), state.hl(), state.pc()), (0x3455, 0xbcdf, 3));
    }
}

#[test]
fn r_counts() {
    let cases: [(&[u8], u8, u8); 9] = [
        (&[0x00], 1, 1),
        (&[0xcb, 0x00], 2, 2),
        (&[0xed, 0x00], 2, 2),
        (&[0xdd, 0x24], 2, 2),
        (&[0xdd, 0x00], 2, 2),
        (&[0xdd, 0xcb, 0x00, 0x06], 2, 2),
        (&[0xdd, 0xdd], 1, 1),
        (&[0xfd, 0xed, 0x00], 3, 3),
        // Bit 7 stays.
        (&[0xed, 0x4f], 0x12, 0x12),
    ];
    for (code, zff, hardware) in cases {
        assert_eq!(after(Variant::Zff, 1, code).0.r(), zff, "{code:02X?}");
        assert_eq!(
            after(Variant::Hardware, 1, code).0.r(),
            hardware,
            "{code:02X?}"
        );
    }
    let set = |state: &mut z80::State| state.set_r(0xff);
    assert_eq!(after_with(Variant::Zff, 1, &[0x00], set).0.r(), 0x80);
    // LD A,R reads it counted: before zff takes one off again, behind DD.
    for (code, zff, hardware) in [(&[0xed, 0x5f][..], 2, 2), (&[0xdd, 0xed, 0x5f], 4, 3)] {
        let a = |variant| after(variant, 1, code).0.af() >> 8;
        assert_eq!((a(Variant::Zff), a(Variant::Hardware)), (zff, hardware));
    }
    // LD R,A, then NOP; behind DD, zff takes one off what was loaded.
    assert_eq!(after(Variant::Zff, 2, &[0xed, 0x4f, 0x00]).0.r(), 0x13);
    assert_eq!(after(Variant::Zff, 1, &[0xdd, 0xed, 0x4f]).0.r(), 0x11);
    assert_eq!(after(Variant::Hardware, 1, &[0xdd, 0xed, 0x4f]).0.r(), 0x12);
}

#[test]
fn opcodes_that_no_manual_has() {
    for variant in [Variant::Zff, Variant::Hardware] {
        // SLL B shifts a one in.
        assert_eq!(after(variant, 1, &[0xcb, 0x30]).0.bc(), 0x6956);
        // INC IXH; LD IYL,A
        assert_eq!(after(variant, 1, &[0xdd, 0x24]).0.ix(), 0x2445);
        assert_eq!(after(variant, 1, &[0xfd, 0x6f]).0.iy(), 0x4512);
        // LD H,SET 0,(IX-34): to (2311), and to H itself.
        let (state, memory) = after(variant, 1, &[0xdd, 0xcb, 0xcc, 0xc4]);
        assert_eq!((state.hl(), state.ix()), (0x13de, 0x2345));
        assert_eq!(memory[0x11], 0x13);
        // LD H,(IX-34) is H, too.
        assert_eq!(after(variant, 1, &[0xdd, 0x66, 0xcc]).0.hl(), 0x12de);
        // NEG by another name; OUT (C),0 and IN (C) write no register.
        assert_eq!(after(variant, 1, &[0xed, 0x7c]).0.af() >> 8, 0xee);
        assert_eq!(after(variant, 1, &[0xed, 0x70]).0.hl(), 0xbcde);
    }
}

#[test]
fn flags_in_which_zff_and_hardware_differ() {
    let flags = |variant, steps, code: &[u8], af: u16| {
        let state = after_with(variant, steps, code, |state| state.set_af(af)).0;
        state.af() as u8
    };
    let both = |steps, code: &[u8], af| {
        let [zff, hardware] = [Variant::Zff, Variant::Hardware];
        (
            flags(zff, steps, code, af),
            flags(hardware, steps, code, af),
        )
    };
    // IN B,(C) reads 0: zff keeps bits 5 and 3.
    assert_eq!(both(1, &[0xed, 0x40], 0x0028), (0x6c, 0x44));
    // LD A,I reads 0, likewise; LD I,A before it, and then they are those of A.
    assert_eq!(both(1, &[0xed, 0x57], 0x0028), (0x68, 0x40));
    assert_eq!(both(2, &[0xed, 0x47, 0xed, 0x57], 0x2800), (0x00, 0x28));
    // EI lets LD A,I say so at once; DI undoes it.
    assert_eq!(both(2, &[0xfb, 0xed, 0x57], 0x0000), (0x44, 0x44));
    assert_eq!(both(3, &[0xfb, 0xf3, 0xed, 0x57], 0x0000), (0x40, 0x40));
    // INI reads 0, B becomes 33: zff sets N, clears Z, and keeps the rest.
    assert_eq!(both(1, &[0xed, 0xa2], 0x00d5), (0x97, 0x20));
    // SCF takes bits of A. On hardware it adds those of F, unless F was just set.
    assert_eq!(both(1, &[0x37], 0x0828), (0x09, 0x29));
    assert_eq!(both(2, &[0x00, 0x37], 0x0828), (0x09, 0x29));
    assert_eq!(both(2, &[0xa7, 0x37], 0x0828), (0x09, 0x09));
    // CP 28, which shows its operand in F but not in A; then SCF, at once and after a NOP.
    assert_eq!(both(2, &[0xfe, 0x28, 0x37], 0x0000), (0x81, 0x81));
    assert_eq!(both(3, &[0xfe, 0x28, 0x00, 0x37], 0x0000), (0x81, 0xa9));
    // LDIR that goes on shows its own address on hardware: 2800 and 0000.
    let set = |state: &mut z80::State| state.set_pc(0x2800);
    let state = after_with(Variant::Hardware, 1, &[0xed, 0xb0], set).0;
    assert_eq!(state.af() & YX, 0x28);
    assert_eq!(both(1, &[0xed, 0xb0], 0x0800), (0x0c, 0x04));
    // BIT 0,(HL) shows the high byte of WZ, BIT 0,(IX+d) that of the address.
    assert_eq!(both(1, &[0xcb, 0x46], 0x0000), (0x74, 0x74));
    assert_eq!(both(1, &[0xdd, 0xcb, 0x00, 0x46], 0x0000), (0x74, 0x74));
    let set = |state: &mut z80::State| state.set_wz(0x0866);
    let state = after_with(Variant::Zff, 1, &[0xcb, 0x46], set).0;
    assert_eq!(state.af() & YX, 0x08);
}

#[test]
fn wz_is_what_it_is() {
    type Set = fn(&mut z80::State);
    let as_it_is: Set = |_| ();
    let zero: Set = |state| state.set_af(0x1240);
    // Compared with a 0 in the memory, A = 0 is found.
    let found: Set = |state| state.set_af(0x0000);
    let cases: [(&[u8], Set, u16, u16); 49] = [
        (&[0x0a], as_it_is, 0x3457, 0x3457),
        (&[0x1a], as_it_is, 0x789b, 0x789b),
        (&[0x3a, 0x34, 0x12], as_it_is, 0x1235, 0x1235),
        (&[0x02], as_it_is, 0x1257, 0x1257),
        (&[0x12], as_it_is, 0x129b, 0x129b),
        (&[0x32, 0xff, 0x20], as_it_is, 0x1200, 0x1200),
        (&[0x2a, 0xff, 0x20], as_it_is, 0x2100, 0x2100),
        (&[0x22, 0xff, 0x20], as_it_is, 0x2100, 0x2100),
        (&[0xed, 0x7b, 0xff, 0x20], as_it_is, 0x2100, 0x2100),
        (&[0xed, 0x43, 0xff, 0x20], as_it_is, 0x2100, 0x2100),
        (&[0xdd, 0x2a, 0xff, 0x20], as_it_is, 0x6666, 0x2100),
        (&[0xfd, 0x22, 0xff, 0x20], as_it_is, 0x6666, 0x2100),
        (&[0x09], as_it_is, 0xbcdf, 0xbcdf),
        (&[0xdd, 0x09], as_it_is, 0x2346, 0x2346),
        (&[0xed, 0x4a], as_it_is, 0xbcdf, 0xbcdf),
        (&[0xed, 0x42], as_it_is, 0xbcdf, 0xbcdf),
        (&[0xed, 0x6f], as_it_is, 0xbcdf, 0xbcdf),
        (&[0xed, 0x67], as_it_is, 0xbcdf, 0xbcdf),
        (&[0xc3, 0xcd, 0xab], as_it_is, 0xabcd, 0xabcd),
        (&[0xc2, 0xcd, 0xab], zero, 0xabcd, 0xabcd),
        (&[0xcd, 0xcd, 0xab], as_it_is, 0xabcd, 0xabcd),
        (&[0xc4, 0xcd, 0xab], zero, 0xabcd, 0xabcd),
        (&[0xff], as_it_is, 0x0038, 0x0038),
        (&[0xc9], as_it_is, 0x1234, 0x1234),
        (&[0xc0], zero, 0x6666, 0x6666),
        (&[0xed, 0x45], as_it_is, 0x1234, 0x1234),
        (&[0x18, 0x05], as_it_is, 0x6666, 0x0007),
        (&[0x20, 0x05], as_it_is, 0x0007, 0x0007),
        (&[0x20, 0x05], zero, 0x6666, 0x6666),
        (&[0x10, 0x05], as_it_is, 0x0007, 0x0007),
        (&[0xe9], as_it_is, 0x6666, 0x6666),
        (&[0xdd, 0xe9], as_it_is, 0x2345, 0x6666),
        (&[0xe3], as_it_is, 0x1234, 0x1234),
        (&[0xdd, 0x7e, 0xfb], as_it_is, 0x2340, 0x2340),
        (&[0xdb, 0x07], as_it_is, 0x1201, 0x1208),
        (&[0xd3, 0xff], as_it_is, 0x1300, 0x1200),
        (&[0xed, 0x40], as_it_is, 0x6666, 0x3457),
        (&[0xed, 0x78], as_it_is, 0x3457, 0x3457),
        (&[0xed, 0x41], as_it_is, 0x6666, 0x3457),
        (&[0xed, 0x79], as_it_is, 0x3457, 0x3457),
        (&[0xed, 0xa2], as_it_is, 0x3357, 0x3457),
        (&[0xed, 0xab], as_it_is, 0x3354, 0x3355),
        (&[0xed, 0xa1], as_it_is, 0x6667, 0x6667),
        (&[0xed, 0xa9], as_it_is, 0x6665, 0x6665),
        (&[0xed, 0xb0], as_it_is, 0x0001, 0x0001),
        (&[0xed, 0xb1], as_it_is, 0x0001, 0x0001),
        (&[0xed, 0xb1], found, 0x6668, 0x6667),
        (&[0xed, 0xb9], as_it_is, 0x6665, 0x0001),
        (&[0xed, 0xb9], found, 0x6666, 0x6665),
    ];
    for (code, set, zff, hardware) in cases {
        let wz = |variant| after_with(variant, 1, code, set).0.wz();
        let both = (wz(Variant::Zff), wz(Variant::Hardware));
        assert_eq!(both, (zff, hardware), "{code:02X?}");
    }
}

/// The digest of what 20,000 tapes of N bytes come to, half of them with prefixes put in.
fn digest<const N: usize>(mut run: impl FnMut(&mut [u8; N]) -> Vec<u8>) -> String {
    const PREFIXES: [u8; 4] = [0xcb, 0xed, 0xdd, 0xfd];
    let mut random = Random(3);
    let mut digest = Sha256::new();
    for tape in 0..20_000 {
        let mut memory = [0; N];
        random.fill(&mut memory);
        if tape % 2 == 1 {
            for _ in 0..4 {
                let place = random.next() as usize;
                memory[place % N] = PREFIXES[place >> 16 & 3];
            }
        }
        let registers = run(&mut memory);
        digest.update(registers);
        digest.update(memory);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// All registers in a fixed order, low bytes first.
fn z80_bytes(state: &z80::State) -> Vec<u8> {
    let mut bytes = Vec::new();
    for pair in [state.af(), state.bc(), state.de(), state.hl(), state.sp()] {
        bytes.extend(pair.to_le_bytes());
    }
    for pair in [state.pc(), state.ix(), state.iy(), state.wz()] {
        bytes.extend(pair.to_le_bytes());
    }
    for pair in state.shadow() {
        bytes.extend(pair.to_le_bytes());
    }
    bytes.extend([
        state.i(),
        state.r(),
        state.iff2().into(),
        state.halted().into(),
    ]);
    bytes
}

/// The digest is that of zff's own C code, built and run elsewhere.
#[test]
fn tapes_come_to_what_zff_makes_of_them() {
    let zff = digest::<32>(|memory| {
        let mut state = z80::State::new();
        z80::run(Variant::Zff, memory, &mut state, 128);
        z80_bytes(&state)
    });
    assert_eq!(
        zff,
        "06df8d5df4e8450b8a627e9ee3843075b6bfa9ce8bf6b8e3db91af2674577811"
    );
}

#[test]
fn tapes_come_to_what_they_came_to() {
    let hardware = digest::<64>(|memory| {
        let mut state = z80::State::with_low_stack();
        z80::run(Variant::Hardware, memory, &mut state, 512);
        z80_bytes(&state)
    });
    assert_eq!(
        hardware,
        "9fc6a871a81f91637a716f7a5714e6d70be925ae92b1a40fec820c7ad7e8a7bb"
    );
    let i8080 = digest::<256>(|memory| {
        let mut state = i8080::State::new();
        i8080::run(memory, &mut state, 512);
        let mut bytes = vec![state.halted().into()];
        for pair in [
            state.psw(),
            state.bc(),
            state.de(),
            state.hl(),
            state.sp(),
            state.pc(),
        ] {
            bytes.extend(pair.to_le_bytes());
        }
        bytes
    });
    assert_eq!(
        i8080,
        "3db384ceea0456ff91357bc830632a161a801f4605c269c9c4e532283b553489"
    );
}

#[test]
fn every_instruction_has_a_name_and_its_length() {
    // Nothing jumps over the operands of what it is, so that the length is how far PC moved.
    let mut random = Random(5);
    for instruction in instructions() {
        let mut memory = [0; 32];
        random.fill(&mut memory);
        memory[..instruction.len()].copy_from_slice(&instruction);
        let (text, length) = z80::disassemble(&memory, 0);
        let jumps = ["JP", "JR", "DJNZ", "CALL", "RET", "RST"];
        let again = matches!(bare(&memory), [0xed, 0xb0..=0xbb, ..]);
        assert!(!text.is_empty() && text.is_ascii(), "{instruction:02X?}");
        if !jumps.iter().any(|jump| text.starts_with(jump)) && !again {
            let mut state = z80::State::new();
            let mut run = memory;
            z80::step(Variant::Zff, &mut run, &mut state);
            assert_eq!(usize::from(state.pc()), length, "{memory:02X?} {text}");
        }
    }
    for opcode in 0..=255 {
        let memory = [opcode, 0x00, 0x00, 0x00];
        let (text, length) = i8080::disassemble(&memory, 0);
        let jumps = ["J", "C", "R", "PCHL"];
        if !jumps.iter().any(|jump| text.starts_with(jump)) {
            let mut state = i8080::State::new();
            i8080::step(&mut memory.clone(), &mut state);
            assert_eq!(usize::from(state.pc()), length, "{opcode:02X} {text}");
        }
    }
    assert_eq!(z80::disassemble(&[], 7).1, 1);
    assert_eq!(i8080::disassemble(&[], 7).1, 1);
}

/// The names of whole pages as the manufacturers' tables give them, eight opcodes a row, the
/// operand 1234 behind each; registers and operations from 40 to BF are told of by a rule.
#[test]
fn pages_of_names() {
    let i8080 = "\
        00 NOP|LXI B,1234|STAX B|INX B|INR B|DCR B|MVI B,34|RLC
        08 NOP|DAD B|LDAX B|DCX B|INR C|DCR C|MVI C,34|RRC
        10 NOP|LXI D,1234|STAX D|INX D|INR D|DCR D|MVI D,34|RAL
        18 NOP|DAD D|LDAX D|DCX D|INR E|DCR E|MVI E,34|RAR
        20 NOP|LXI H,1234|SHLD 1234|INX H|INR H|DCR H|MVI H,34|DAA
        28 NOP|DAD H|LHLD 1234|DCX H|INR L|DCR L|MVI L,34|CMA
        30 NOP|LXI SP,1234|STA 1234|INX SP|INR M|DCR M|MVI M,34|STC
        38 NOP|DAD SP|LDA 1234|DCX SP|INR A|DCR A|MVI A,34|CMC
        C0 RNZ|POP B|JNZ 1234|JMP 1234|CNZ 1234|PUSH B|ADI 34|RST 0
        C8 RZ|RET|JZ 1234|JMP 1234|CZ 1234|CALL 1234|ACI 34|RST 1
        D0 RNC|POP D|JNC 1234|OUT 34|CNC 1234|PUSH D|SUI 34|RST 2
        D8 RC|RET|JC 1234|IN 34|CC 1234|CALL 1234|SBI 34|RST 3
        E0 RPO|POP H|JPO 1234|XTHL|CPO 1234|PUSH H|ANI 34|RST 4
        E8 RPE|PCHL|JPE 1234|XCHG|CPE 1234|CALL 1234|XRI 34|RST 5
        F0 RP|POP PSW|JP 1234|DI|CP 1234|PUSH PSW|ORI 34|RST 6
        F8 RM|SPHL|JM 1234|EI|CM 1234|CALL 1234|CPI 34|RST 7";
    let z80 = "\
        00 NOP|LD BC,1234|LD (BC),A|INC BC|INC B|DEC B|LD B,34|RLCA
        08 EX AF,AF'|ADD HL,BC|LD A,(BC)|DEC BC|INC C|DEC C|LD C,34|RRCA
        10 DJNZ 36|LD DE,1234|LD (DE),A|INC DE|INC D|DEC D|LD D,34|RLA
        18 JR 36|ADD HL,DE|LD A,(DE)|DEC DE|INC E|DEC E|LD E,34|RRA
        20 JR NZ,36|LD HL,1234|LD (1234),HL|INC HL|INC H|DEC H|LD H,34|DAA
        28 JR Z,36|ADD HL,HL|LD HL,(1234)|DEC HL|INC L|DEC L|LD L,34|CPL
        30 JR NC,36|LD SP,1234|LD (1234),A|INC SP|INC (HL)|DEC (HL)|LD (HL),34|SCF
        38 JR C,36|ADD HL,SP|LD A,(1234)|DEC SP|INC A|DEC A|LD A,34|CCF
        C0 RET NZ|POP BC|JP NZ,1234|JP 1234|CALL NZ,1234|PUSH BC|ADD A,34|RST 00
        C8 RET Z|RET|JP Z,1234|?|CALL Z,1234|CALL 1234|ADC A,34|RST 08
        D0 RET NC|POP DE|JP NC,1234|OUT (34),A|CALL NC,1234|PUSH DE|SUB 34|RST 10
        D8 RET C|EXX|JP C,1234|IN A,(34)|CALL C,1234|?|SBC A,34|RST 18
        E0 RET PO|POP HL|JP PO,1234|EX (SP),HL|CALL PO,1234|PUSH HL|AND 34|RST 20
        E8 RET PE|JP (HL)|JP PE,1234|EX DE,HL|CALL PE,1234|?|XOR 34|RST 28
        F0 RET P|POP AF|JP P,1234|DI|CALL P,1234|PUSH AF|OR 34|RST 30
        F8 RET M|LD SP,HL|JP M,1234|EI|CALL M,1234|?|CP 34|RST 38";
    let z80_ed = "\
        40 IN B,(C)|OUT (C),B|SBC HL,BC|LD (1234),BC|NEG|RETN|IM 0|LD I,A
        48 IN C,(C)|OUT (C),C|ADC HL,BC|LD BC,(1234)|NEG|RETI|IM 0|LD R,A
        50 IN D,(C)|OUT (C),D|SBC HL,DE|LD (1234),DE|NEG|RETN|IM 1|LD A,I
        58 IN E,(C)|OUT (C),E|ADC HL,DE|LD DE,(1234)|NEG|RETN|IM 2|LD A,R
        60 IN H,(C)|OUT (C),H|SBC HL,HL|LD (1234),HL|NEG|RETN|IM 0|RRD
        68 IN L,(C)|OUT (C),L|ADC HL,HL|LD HL,(1234)|NEG|RETN|IM 0|RLD
        70 IN (C)|OUT (C),0|SBC HL,SP|LD (1234),SP|NEG|RETN|IM 1|NOP
        78 IN A,(C)|OUT (C),A|ADC HL,SP|LD SP,(1234)|NEG|RETN|IM 2|NOP
        A0 LDI|CPI|INI|OUTI|NOP|NOP|NOP|NOP
        A8 LDD|CPD|IND|OUTD|NOP|NOP|NOP|NOP
        B0 LDIR|CPIR|INIR|OTIR|NOP|NOP|NOP|NOP
        B8 LDDR|CPDR|INDR|OTDR|NOP|NOP|NOP|NOP";
    let registers_8080 = ["B", "C", "D", "E", "H", "L", "M", "A"];
    let registers_z80 = ["B", "C", "D", "E", "H", "L", "(HL)", "A"];
    let arithmetic_8080 = ["ADD", "ADC", "SUB", "SBB", "ANA", "XRA", "ORA", "CMP"];
    let arithmetic_z80 = [
        "ADD A,", "ADC A,", "SUB ", "SBC A,", "AND ", "XOR ", "OR ", "CP ",
    ];
    let shifts = ["RLC", "RRC", "RL", "RR", "SLA", "SRA", "SLL", "SRL"];
    let is = |found: String, name: &str, code: &[u8]| {
        if name != "?" {
            assert_eq!(found, name, "{code:02X?}");
        }
    };
    /// A prefix, rows behind it, and who names them.
    type Page = (&'static [u8], &'static str, fn(&[u8]) -> String);
    let pages: [Page; 3] = [
        (&[], i8080, |code| i8080::disassemble(code, 0).0),
        (&[], z80, |code| z80::disassemble(code, 0).0),
        (&[0xed], z80_ed, |code| z80::disassemble(code, 0).0),
    ];
    for (prefix, rows, name_of) in pages {
        for row in rows.lines() {
            let (first, names) = row.trim().split_once(' ').unwrap();
            let first = u8::from_str_radix(first, 16).unwrap();
            let names: Vec<&str> = names.split('|').collect();
            assert_eq!(names.len(), 8);
            for (opcode, name) in (first..=first + 7).zip(names) {
                let mut code = [prefix, &[opcode, 0x34, 0x12]].concat();
                code.resize(64, 0);
                is(name_of(&code), name, &code[..4]);
            }
        }
    }
    for opcode in 0x40..0xc0u8 {
        let (upper, lower) = (usize::from(opcode >> 3 & 7), usize::from(opcode & 7));
        let (from_8080, from_z80) = (registers_8080[lower], registers_z80[lower]);
        let (name_8080, name_z80) = match opcode {
            0x76 => ("HLT".into(), "HALT".into()),
            ..0x80 => (
                format!("MOV {},{from_8080}", registers_8080[upper]),
                format!("LD {},{from_z80}", registers_z80[upper]),
            ),
            _ => (
                format!("{} {from_8080}", arithmetic_8080[upper]),
                format!("{}{from_z80}", arithmetic_z80[upper]),
            ),
        };
        is(i8080::disassemble(&[opcode], 0).0, &name_8080, &[opcode]);
        is(z80::disassemble(&[opcode], 0).0, &name_z80, &[opcode]);
    }
    for opcode in 0..=255u8 {
        let (bit, register) = (opcode >> 3 & 7, registers_z80[usize::from(opcode & 7)]);
        let name = match opcode >> 6 {
            0 => format!("{} {register}", shifts[usize::from(bit)]),
            kind => format!(
                "{} {bit},{register}",
                ["", "BIT", "RES", "SET"][usize::from(kind)]
            ),
        };
        is(
            z80::disassemble(&[0xcb, opcode], 0).0,
            &name,
            &[0xcb, opcode],
        );
    }
}

#[test]
fn instructions_by_name() {
    let z80: [(&[u8], &str); 24] = [
        (&[0x01, 0xc5, 0x01], "LD BC,01C5"),
        (&[0xc5], "PUSH BC"),
        (&[0xf5], "PUSH AF"),
        (&[0x18, 0xfe], "JR 00"),
        (&[0x20, 0x02], "JR NZ,00"),
        (&[0x38, 0xff], "JR C,01"),
        (&[0x7e], "LD A,(HL)"),
        (&[0xdd, 0x7e, 0x05], "LD A,(IX+05)"),
        (&[0xfd, 0x66, 0x80], "LD H,(IY-80)"),
        (&[0xdd, 0x66, 0x00], "LD H,(IX+00)"),
        (&[0xdd, 0x65], "LD IXH,IXL"),
        (&[0xdd, 0xcb, 0x05, 0xc0], "LD B,SET 0,(IX+05)"),
        (&[0xdd, 0xcb, 0x05, 0x46], "BIT 0,(IX+05)"),
        (&[0xcb, 0x36], "SLL (HL)"),
        (&[0xed, 0xb0], "LDIR"),
        (&[0xed, 0xab], "OUTD"),
        (&[0xed, 0xbb], "OTDR"),
        (&[0xed, 0x5e], "IM 2"),
        (&[0xed, 0x42], "SBC HL,BC"),
        (&[0xed, 0x77], "NOP"),
        (&[0xdd, 0xed, 0xb8], "LDDR"),
        (&[0xff], "RST 38"),
        (&[0xd6, 0x01], "SUB 01"),
        (&[0xdd, 0xe9], "JP (IX)"),
    ];
    for (code, text) in z80 {
        let mut memory = [0; 4];
        memory[..code.len()].copy_from_slice(code);
        assert_eq!(z80::disassemble(&memory, 0), (text.into(), code.len()));
    }
    let i8080: [(&[u8], &str); 8] = [
        (&[0x01, 0xc5, 0x01], "LXI B,01C5"),
        (&[0xf5], "PUSH PSW"),
        (&[0x7e], "MOV A,M"),
        (&[0x36, 0x12], "MVI M,12"),
        (&[0xfe, 0x12], "CPI 12"),
        (&[0xc2, 0x34, 0x12], "JNZ 1234"),
        (&[0xf0], "RP"),
        (&[0xff], "RST 7"),
    ];
    for (code, text) in i8080 {
        let mut memory = [0; 4];
        memory[..code.len()].copy_from_slice(code);
        assert_eq!(i8080::disassemble(&memory, 0), (text.into(), code.len()));
    }
    // Around the end of the memory.
    assert_eq!(
        z80::disassemble(&[0x34, 0x12, 0xc3], 2),
        ("JP 1234".into(), 3)
    );
}

#[test]
fn every_kind_has_a_byte() {
    for (kinds, kind) in [
        (&z80::KINDS[..], z80::kind as fn(u8) -> _),
        (&i8080::KINDS[..], i8080::kind as fn(u8) -> _),
    ] {
        for known in kinds {
            assert!((0..=255).any(|byte| kind(byte) == known), "{}", known.name);
        }
    }
    for (byte, z80, i8080) in [
        (0x00, "no-op", "no-op"),
        (0x01, "constant", "constant"),
        (0x08, "exchange", "no-op"),
        (0x18, "jump", "no-op"),
        (0x41, "move", "move"),
        (0x46, "load", "load"),
        (0x70, "store", "store"),
        (0x76, "halt", "halt"),
        (0x23, "pair arithmetic", "pair arithmetic"),
        (0x24, "arithmetic", "arithmetic"),
        (0x80, "arithmetic", "arithmetic"),
        (0xc1, "pop", "pop"),
        (0xc3, "jump", "jump"),
        (0xc5, "push", "push"),
        (0xc9, "return", "return"),
        (0xcb, "prefix", "jump"),
        (0xcd, "call", "call"),
        (0xdb, "port, interrupts", "port, interrupts"),
        (0xd9, "exchange", "return"),
        (0xdd, "prefix", "call"),
        (0xed, "prefix of block copies", "call"),
        (0xff, "call", "call"),
    ] {
        assert_eq!((z80::kind(byte).name, i8080::kind(byte).name), (z80, i8080));
    }
}
