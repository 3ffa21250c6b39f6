//! Writes the inputs that fuzzing starts from into `fuzz/seeds/`: tapes and programs
//! with loops harvested from living soups of every language, one of a kind; and the
//! files of a run. More soups may be named, each as LANGUAGE=CHECKPOINT.dat.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use broth::bench::soups::{Recipe, Sort};
use broth::language::{Language, PROGRAM_LEN, Tape};
use broth::soup::checkpoint::Checkpoint;
use broth_fuzz::{Case, FILES, WORLDS, make_run, pattern};

/// Tapes harvested from a soup.
const TAPES: usize = 6;
/// Steps after which a tape that still runs loops.
const LONG: u32 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let scratch = tempfile::tempdir()?;
    for language in Language::ALL {
        let recipe = Recipe {
            language,
            num_programs: 4096,
            seed: 1,
            sort: Sort::Alive,
            epochs: 2000,
        };
        let soup = recipe.prepare(scratch.path(), &mut |_| ControlFlow::Continue(()))?;
        let soup = soup.expect("nobody ends the work").checkpoint;
        harvest(&seeds, language, "soup", &soup)?;
    }
    for (i, argument) in std::env::args().skip(1).enumerate() {
        let (language, path) = argument.split_once('=').ok_or("give LANGUAGE=FILE")?;
        let soup = Checkpoint::read(Path::new(path))?;
        harvest(&seeds, language.parse()?, &format!("world-{i}"), &soup)?;
    }
    files_of_a_run(&seeds, &scratch.path().join("run"))
}

fn write(folder: PathBuf, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

/// Keep tapes that loop, of different kinds, and their programs.
fn harvest(
    seeds: &Path,
    language: &'static Language,
    soup_name: &str,
    soup: &Checkpoint,
) -> Result<(), Box<dyn Error>> {
    let number = Language::ALL.iter().position(|other| *other == language);
    let number = number.ok_or("an unknown language")? as u8;
    let (tapes, _) = soup.programs.as_chunks::<{ 2 * PROGRAM_LEN }>();
    let mut kinds = HashSet::new();
    let mut kept = 0;
    for tape in tapes {
        let mut then: Tape = *tape;
        let outcome = broth::engine::reference::run(language, &mut then, 8192);
        // Alike are those that do about as much in about as many steps.
        let magnitude = |count: u32| count.checked_ilog2();
        let kind = (
            outcome.ended,
            magnitude(outcome.ops),
            magnitude(outcome.steps),
        );
        if outcome.steps < LONG || !kinds.insert(kind) || kept == TAPES {
            continue;
        }
        let case = Case {
            language: number,
            steps: 8192,
            // Native code at once, of programs and loops or of loops alone.
            options: 2 + kept as u8 % 2,
            tapes: vec![*tape],
        };
        let name = format!("{language}-{soup_name}-{kept}");
        for target in ["tapes", "loops"] {
            write(seeds.join(target), &name, &case.to_bytes())?;
        }
        let program = &tape[..PROGRAM_LEN];
        let text = language.program_text(program);
        write(seeds.join("programs"), &name, text.as_bytes())?;
        // The rest of a soup's input is what the fuzzer makes of it.
        let mut input = vec![number];
        input.extend(program);
        let numbers = (0..96).map(|i| broth::random::mix(i + 1000 * kept as u64) as u8);
        input.extend(numbers);
        write(seeds.join("soups"), &name, &input)?;
        kept += 1;
    }
    println!("{language}, {soup_name}: {kept} tapes");
    Ok(())
}

/// Every file of a run as an input of `folders`, and patterns.
fn files_of_a_run(seeds: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    write(
        seeds.join("patterns"),
        "three-pairs",
        pattern().to_text().as_bytes(),
    )?;
    write(
        seeds.join("patterns"),
        "comments",
        b"# who meets whom\n0 1\n\n 7\t63 # last\r\n",
    )?;
    for world in 0..WORLDS {
        let folder = folder.join(world.to_string());
        make_run(&folder, world)?;
        for (i, name) in FILES.iter().enumerate() {
            let number = world * FILES.len() + i;
            let mut input = vec![number as u8];
            input.extend(fs::read(folder.join(name))?);
            write(seeds.join("folders"), &format!("file-{number}"), &input)?;
        }
    }
    Ok(())
}
