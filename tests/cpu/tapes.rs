//! What whole tapes come to, by digests.

use broth::language::cpu::z80::Variant;
use broth::language::cpu::{i8080, z80};
use sha2::{Digest, Sha256};

use super::Random;

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
