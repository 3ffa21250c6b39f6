//! Known replicators: each is what the table says, copies itself, and takes over its soup.

use crate::common::{broth, fail, succeed};
use broth::engine::{Engine, Options, reference};
use broth::examples::{self, Example, Place, SOUP_EPOCHS, SOUP_LEN, Source};
use broth::language::{Family, Language, PROGRAM_LEN, TAPE_LEN};
use broth::measure::Measures;
use broth::measure::replicators::{KNIERIM_THRESHOLD, Partners, Scorer, knierim_threshold};
use broth::random::Streams;
use broth::soup::checkpoint::Checkpoint;
use broth::soup::settings::World;
use broth::{Settings, Soup};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Languages of which no replicator is known.
const NONE_KNOWN: &[&str] = &[];

/// Epochs between looks at a soup.
const LOOK_INTERVAL: u64 = 16;

fn scorer(example: &Example) -> Scorer {
    Scorer::new(example.language, Engine::Auto, &Options::default())
}

/// The one that copies itself and not its program.
fn is_one_byte(example: &Example) -> bool {
    example.full_name() == "forthtrivial/one-byte"
}

#[test]
fn every_language_has_examples_that_read_back() {
    let languages = examples::ALL.iter().map(|example| example.language.name);
    let mut in_a_row: Vec<_> = languages.collect();
    in_a_row.dedup();
    let mut expected: Vec<_> = Language::every().map(|language| language.name).collect();
    expected.retain(|name| !NONE_KNOWN.contains(name));
    assert_eq!(in_a_row, expected);
    for example in &examples::ALL {
        let name = example.full_name();
        let code = example.language.parse_program(example.code).unwrap();
        let program_len = example.language.program_len;
        assert!((1..=program_len / 2).contains(&code.len()) || example.place == Place::Front);
        assert!(example.code_len() <= program_len, "{name}");
        // As text, in program text and in its own shape.
        let text = example.text();
        let bytes = example.language.parse_program(&text).unwrap();
        assert_eq!(example.language.program_text(&bytes), text, "{name}");
        let program = example.program();
        assert!(
            program.starts_with(&bytes) && bytes.starts_with(&code),
            "{name}"
        );
        assert_eq!(program.len(), program_len, "{name}");
        if example.place == Place::Repeated {
            assert_eq!(example.code_len(), program_len, "{name}");
            assert!(program.chunks(code.len()).all(|piece| piece == code));
        }
        let mut mirrored = program.clone();
        mirrored.reverse();
        assert_eq!(
            mirrored == program,
            example.place == Place::BothEnds,
            "{name}"
        );
        let others = examples::of(example.language).filter(|other| other.name == example.name);
        assert_eq!(others.count(), 1, "{name}");
        assert_eq!(examples::named(&name).unwrap().len(), 1);
    }
    let from_paper = examples::ALL.iter().filter(|e| e.source == Source::Paper);
    assert_eq!(from_paper.count(), 6);
}

/// The scores of the example as a lone program and beside the partners of 20 soups.
fn scores(example: &Example) -> Vec<u8> {
    let scorer = scorer(example);
    let (language, program) = (example.language, example.program());
    let soups = (0..20).map(|seed| Partners::of(language, &Streams::new(seed), 2, 5, 1));
    [Partners::of_lone_program(language)]
        .into_iter()
        .chain(soups)
        .map(|partners| scorer.agreement(&program, &partners).unwrap().score())
        .collect()
}

/// By the score of a lone program, and by that beside the partners of many soups: whatever its
/// free places hold.
#[test]
fn every_example_scores_as_a_replicator() {
    let mut rng = StdRng::seed_from_u64(3);
    for example in &examples::ALL {
        let program_len = example.language.program_len;
        let scores = scores(example);
        let alone = scores[0];
        let scorer = scorer(example);
        assert_eq!(scorer.score_alone(&example.program()).unwrap(), alone);
        let name = example.full_name();
        if is_one_byte(example) {
            // One place of 64, and sometimes a few more by chance.
            assert_eq!(alone, 1);
            assert!(
                scores.iter().all(|score| (1..8).contains(score)),
                "{scores:?}"
            );
            continue;
        }
        let least = knierim_threshold(program_len);
        assert!(
            scores.iter().all(|score| *score >= least),
            "{name}: {scores:?}"
        );
        assert_eq!(usize::from(alone), program_len, "{name}");
        if !matches!(example.language.family, Family::Bff(_)) {
            // Where the free places are never run they may hold anything.
            for _ in 0..20 {
                let noise: [u8; PROGRAM_LEN] = rng.random();
                // forthtrivial_reset does not let anybody replace a 13.
                let program = example.program_with(|place| noise[place].max(0x14));
                let score = scorer.score_alone(&program).unwrap();
                assert_eq!(score, alone, "{name}: {program:02x?}");
            }
        }
    }
}

/// Bytes of the subleq family's code that may hold anything: operands that are set before they
/// are used, and jumps that are never taken. The rest is what docs/replicators.md counts.
#[test]
fn few_bytes_of_the_subleq_familys_code_may_hold_anything() {
    for (name, expected) in [
        ("subleq", &[17, 23, 24, 25, 31, 33, 38][..]),
        ("rsubleq4", &[1]),
    ] {
        let example = examples::named(name).unwrap()[0];
        let scorer = scorer(example);
        let replicates = |place: usize, byte: u8| {
            let mut program = example.program();
            program[place] = byte;
            scorer.score_alone(&program).unwrap() >= KNIERIM_THRESHOLD
        };
        let idle: Vec<_> = (0..example.code_len())
            .filter(|place| (0..=255).all(|byte| replicates(*place, byte)))
            .collect();
        assert_eq!(idle, expected, "{name}");
    }
}

/// Whether a soup has been taken over.
fn is_taken_over(example: &Example, soup: &Soup) -> bool {
    if is_one_byte(example) {
        let programs = soup.programs().chunks(PROGRAM_LEN);
        let beginning = programs.filter(|program| program[0] == 0x0c).count();
        return beginning > SOUP_LEN / 2;
    }
    if example.world != World::Pairs {
        // Where on the tape it begins is not said, so its repeats are counted.
        let code = example.language.parse_program(example.code).unwrap();
        let repeats = soup.programs().windows(code.len());
        let bytes = repeats.filter(|bytes| *bytes == code).count() * code.len();
        return bytes > soup.programs().len() / 2;
    }
    // What CPUs do to random bytes has that much order at once, with no replicator in it.
    let is_machine = matches!(example.language.family, Family::Machine(_));
    let is_alive = || Measures::of(soup.programs()).is_alive();
    (!is_machine && is_alive())
        || scorer(example).count(soup).unwrap().knierim as usize >= SOUP_LEN / 2
}

/// The epoch at which the soup is seen to be taken over, if that is one of the first `epochs`.
fn takeover(example: &Example, settings: Settings, epochs: u64) -> Option<u64> {
    let mut soup = Soup::new(settings).unwrap();
    soup.set_engine(Engine::Auto, &Options::default());
    while soup.epochs_done() < epochs {
        soup.step();
        if soup.epochs_done().is_multiple_of(LOOK_INTERVAL) && is_taken_over(example, &soup) {
            return Some(soup.epochs_done());
        }
    }
    None
}

#[test]
fn every_example_takes_over_its_soup() {
    for example in &examples::ALL {
        let name = example.full_name();
        let Some(settings) = example.settings() else {
            assert_eq!(name, "forthtrivial_reset/four-byte");
            continue;
        };
        let Some(epochs) = takeover(example, settings.clone(), SOUP_EPOCHS) else {
            panic!("{name} does not take over");
        };
        if !is_one_byte(example) {
            // The same soup without it is as it was by then: it was the example that took over.
            let unplanted = Settings {
                initial_program: Vec::new(),
                ..settings
            };
            assert_eq!(takeover(example, unplanted, epochs), None, "{name}");
        }
    }
}

/// Every other place is copied, and whoever copies is not refilled.
#[test]
fn each_13_of_a_neighbour_is_stepped_over() {
    let example = examples::named("forthtrivial_reset/step-over").unwrap()[0];
    let program = example.program();
    let mut tape = [0x13; TAPE_LEN];
    tape[..PROGRAM_LEN].copy_from_slice(&program);
    for place in [0, 1, 19, 21, 40, 63] {
        tape[PROGRAM_LEN + place] = 0x77;
    }
    let mut expected = tape;
    for place in [0, 1, 19, 21, 40, 63] {
        expected[PROGRAM_LEN + place] = program[place];
    }
    reference::run(example.language, &mut tape, 8192);
    assert_eq!(tape, expected);
}

/// With no mutation, too.
#[test]
fn subleq_is_taken_over_without_mutation() {
    for name in ["subleq", "rsubleq4"] {
        for example in examples::named(name).unwrap() {
            let settings = Settings {
                mutation_prob: 0.0,
                seed: 1,
                ..example.settings().unwrap()
            };
            let mut soup = Soup::new(settings).unwrap();
            soup.set_engine(Engine::Auto, &Options::default());
            for _ in 0..SOUP_EPOCHS {
                soup.step();
            }
            // All of them.
            let count = scorer(example).count(&soup).unwrap().knierim;
            assert_eq!(count as usize, SOUP_LEN, "{name}");
        }
    }
}

fn printed(words: &str) -> String {
    String::from_utf8(succeed(words, &[]).stdout).unwrap()
}

#[test]
fn all_are_listed_with_their_scores() {
    let list = printed("examples");
    for example in &examples::ALL {
        let score = scorer(example).score_alone(&example.program()).unwrap();
        let row = format!(
            "{:<16}{:>7}{:>7}  {}\n",
            example.name,
            example.code_len(),
            score,
            example.summary
        );
        assert!(list.contains(&row), "{row}{list}");
    }
}

/// What is printed for a shell is what `broth run` plants and `broth selfrep` scores; so is the
/// command that is shown with it.
#[test]
fn text_for_a_shell_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for example in &examples::ALL {
        let (name, language) = (example.full_name(), example.language);
        let text = printed(&format!("examples {name} --text"));
        let text = text.strip_suffix('\n').unwrap();
        let out = folder.path().join(name.replace('/', "-"));
        let planted = format!("--lang {language} --num 64 --max-epochs 1 --quiet --out");
        let status = broth()
            .args(["run", "--initial-program", text])
            .args(planted.split(' '))
            .arg(&out)
            .status();
        assert!(status.unwrap().success(), "{name}");
        let mut soup = Soup::new(Settings {
            language,
            num_programs: 64,
            initial_program: example.planted(),
            max_steps: language.max_steps,
            ..Settings::default()
        })
        .unwrap();
        soup.set_engine(Engine::Reference, &Options::default());
        let code = language.parse_program(example.code).unwrap();
        assert!(soup.programs().starts_with(&code), "{name}");
        soup.step();
        let checkpoint = out.join("checkpoints/0000000001.dat");
        let run = Checkpoint::read_of(language.program_len, &checkpoint).unwrap();
        assert!(run.programs == soup.programs(), "{name}");

        let hex = printed(&format!("examples {name} --hex"));
        let scored = printed(&format!("selfrep --lang {language} --hex {hex}"));
        let score = scored.lines().find_map(|line| line.strip_prefix("score "));
        let score = score.unwrap().split(':').next().unwrap().trim();
        let shown = printed(&format!("examples {name}"));
        for part in [hex.trim(), &format!("score       {score}\n"), text] {
            assert!(shown.contains(part), "{name}: {part} in {shown}");
        }
        let size = match example.world {
            World::LongTape { .. } => "--world long-tape --tape-bytes 65536",
            World::Pairs | World::Zff => "--num 1024",
        };
        let seed = example
            .seed
            .map(|seed| format!("{size} --seed {seed} --max-epochs 256"));
        assert!(shown.contains(&seed.unwrap_or_default()), "{shown}");
    }
}

#[test]
fn languages_and_names_are_found() {
    let subleq = printed("examples subleq --text");
    assert_eq!(subleq, printed("examples subleq/countdown --text"));
    // A language means its first.
    let forthtrivial = printed("examples forthtrivial --text");
    assert_eq!(
        forthtrivial,
        printed("examples forthtrivial/four-byte --text")
    );
    // A name may be one of several languages.
    let loops = printed("examples copy-loop");
    assert!(loops.contains("bff_perm/copy-loop") && loops.contains("bff_selfmove/copy-loop"));
    fail(
        2,
        "examples copy-loop --text",
        &[],
        &["several languages", "bff_perm/copy-loop"],
    );
    fail(
        2,
        "examples palindrom",
        &[],
        &["`palindrom`", "did you mean `palindrome`?"],
    );
    fail(
        2,
        "examples zzz --hex",
        &[],
        &["`zzz`", "broth examples` lists them"],
    );
    fail(2, "examples --text", &[], &["LANG|NAME"]);
    fail(2, "examples subleq --text --hex", &[], &["--hex"]);
}
