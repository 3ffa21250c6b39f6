//! Corner cases of the Z80, by the letter.

use broth::language::cpu::z80;
use broth::language::cpu::z80::Variant;

use super::Random;
use super::opcodes::YX;

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
