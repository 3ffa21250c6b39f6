//! The exercisers that emulators are known by, in as much of CP/M as they need. Their licences
//! keep them out of the repository: BROTH_EXERCISERS names a folder with their files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use broth::language::cpu::{i8080, z80};

use crate::common::read;

/// What CP/M needs to know of a machine.
trait Machine {
    const NAME: &str;
    fn step(&mut self, memory: &mut [u8; 1 << 16]);
    fn pc(&self) -> u16;
    fn begin(&mut self, pc: u16, sp: u16);
    /// Registers C and DE.
    fn arguments(&self) -> (u8, u16);
    fn halted(&self) -> bool;
}

macro_rules! machine {
    ($state:ty, $name:literal, $step:expr) => {
        impl Machine for $state {
            const NAME: &str = $name;
            fn step(&mut self, memory: &mut [u8; 1 << 16]) {
                $step(memory, self);
            }
            fn pc(&self) -> u16 {
                self.pc()
            }
            fn begin(&mut self, pc: u16, sp: u16) {
                self.set_pc(pc);
                self.set_sp(sp);
            }
            fn arguments(&self) -> (u8, u16) {
                (self.bc() as u8, self.de())
            }
            fn halted(&self) -> bool {
                self.halted()
            }
        }
    };
}

machine!(z80::State, "Z80", |memory, state| z80::step(
    z80::Variant::Hardware,
    memory,
    state
));
machine!(i8080::State, "8080", i8080::step);

/// Run a program of CP/M; gives what it printed, and its instructions.
fn run<M: Machine>(mut machine: M, program: &[u8]) -> (String, u64) {
    let mut memory = Box::new([0; 1 << 16]);
    memory[0x100..0x100 + program.len()].copy_from_slice(program);
    // A call of the system returns at once; where the system begins is where memory ends.
    memory[5] = 0xc9;
    memory[6..8].copy_from_slice(&0xf000u16.to_le_bytes());
    machine.begin(0x100, 0xf000);
    let (mut said, mut count) = (String::new(), 0);
    while machine.pc() != 0 && !machine.halted() {
        if machine.pc() == 5 {
            match machine.arguments() {
                (2, de) => said.push(char::from(de as u8)),
                (9, de) => {
                    let text = (0..).map(|i| memory[usize::from(de.wrapping_add(i))]);
                    said.extend(text.take_while(|byte| *byte != b'$').map(char::from));
                }
                _ => {}
            }
        }
        machine.step(&mut memory);
        count += 1;
    }
    (said, count)
}

/// Check one exerciser, under any of its file's names.
fn exercise<M: Machine>(folder: &Path, names: &[&str], machine: M, wanted: &str, count: u64) {
    let paths = names.iter().map(|name| folder.join(name));
    let path: PathBuf = paths
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{} has none of {names:?}", folder.display()));
    let begun = Instant::now();
    let (said, done) = run(machine, &read(&path));
    let name = path.file_name().unwrap().display().to_string();
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{}: {name}: {done} instructions in {seconds:.1} s\n{said}",
        M::NAME
    );
    assert!(said.contains(wanted), "{name} says:\n{said}");
    for bad in ["ERROR", "FAILED"] {
        assert!(!said.contains(bad), "{name} says:\n{said}");
    }
    assert_eq!(done, count, "{name}: instructions");
}

/// The folder of the files, where there is one.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("BROTH_EXERCISERS");
    if folder.is_none() {
        println!("nothing is run: BROTH_EXERCISERS names no folder with the exercisers' files");
    }
    folder.map(PathBuf::from)
}

#[test]
#[ignore = "takes minutes, and needs files that cannot be shipped"]
fn the_z80_passes_its_exercisers() {
    let Some(folder) = folder() else { return };
    let z80 = z80::State::new;
    exercise(
        &folder,
        &["prelim.com"],
        z80(),
        "Preliminary tests complete",
        897,
    );
    exercise(
        &folder,
        &["zexdoc.com", "zexdoc.cim"],
        z80(),
        "Tests complete",
        5_764_169_610,
    );
    exercise(
        &folder,
        &["zexall.com", "zexall.cim"],
        z80(),
        "Tests complete",
        5_764_169_610,
    );
}

#[test]
#[ignore = "takes minutes, and needs files that cannot be shipped"]
fn the_8080_passes_its_exercisers() {
    let Some(folder) = folder() else { return };
    let i8080 = i8080::State::new;
    exercise(
        &folder,
        &["TST8080.COM"],
        i8080(),
        "CPU IS OPERATIONAL",
        648,
    );
    exercise(
        &folder,
        &["8080PRE.COM"],
        i8080(),
        "8080 Preliminary tests complete",
        1059,
    );
    exercise(
        &folder,
        &["CPUTEST.COM"],
        i8080(),
        "CPU TESTS OK",
        33_971_128,
    );
    exercise(
        &folder,
        &["8080EXM.COM"],
        i8080(),
        "Tests complete",
        2_919_050_420,
    );
}
