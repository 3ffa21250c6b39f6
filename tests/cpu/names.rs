//! Disassembly: every instruction's name, length and kind.

use broth::language::cpu::z80::Variant;
use broth::language::cpu::{i8080, z80};

use super::Random;
use super::opcodes::{bare, instructions};

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

// The names of whole pages as the manufacturers' tables give them, eight opcodes a row, the
// operand 1234 behind each; registers and operations from 40 to BF follow a rule.

const PAGE_8080: &str = "\
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

const PAGE_Z80: &str = "\
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

const PAGE_Z80_ED: &str = "\
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

#[test]
fn pages_of_names() {
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
        (&[], PAGE_8080, |code| i8080::disassemble(code, 0).0),
        (&[], PAGE_Z80, |code| z80::disassemble(code, 0).0),
        (&[0xed], PAGE_Z80_ED, |code| z80::disassemble(code, 0).0),
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
