//! Answers that others published, by every engine: none of them was made by broth.

use broth::engine::{Engine, Options, every_width};
use broth::format::hex;
use broth::language::{Ended, Language, Outcome, TAPE_LEN, Tape, parse_hex};
use broth::measure::Measures;
use broth::{Settings, Soup};

use crate::common::engines::{Expected, NO_CLOSED_FORMS, Natives};
use crate::common::{data, read_text, succeed};

fn language(name: &str) -> &'static Language {
    name.parse().unwrap()
}

/// The tape after a run, which all engines agree on.
#[track_caller]
fn run(language: &'static Language, tape: &Tape, max_steps: u32) -> (Tape, Outcome) {
    let expected = Expected::of("a known tape", language, tape, max_steps);
    for options in [Options::default(), NO_CLOSED_FORMS] {
        for (width, runner) in every_width(language, &options) {
            expected.check(width, &runner);
        }
        for engine in Engine::ALL {
            expected.check(engine.name(), &engine.runner(language, &options));
        }
    }
    Natives::new(language).check(&expected);
    (expected.tape_then, expected.outcome)
}

/// The score as `broth selfrep` tells it.
fn score(language: &Language, program: &[u8]) -> u32 {
    let hex = hex(program);
    let output = succeed(
        &format!("selfrep --lang {} --hex {hex}", language.name),
        &[],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find(|line| line.starts_with("score")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Tapes that were run by cubff's evaluator.
#[test]
fn tapes_of_cubffs_evaluator() {
    let text = read_text(data("known/cubff-tapes.txt"));
    let mut count = 0;
    for line in text.lines() {
        let cells: Vec<&str> = line.split(' ').collect();
        let &[lang, max_steps, ops, before, after, name] = cells.as_slice() else {
            panic!("{line}");
        };
        let tape = |hex: &str| -> Tape { parse_hex(hex).unwrap().try_into().unwrap() };
        let (tape_then, outcome) = run(language(lang), &tape(before), max_steps.parse().unwrap());
        assert_eq!(outcome.ops.to_string(), ops, "{name}");
        assert_eq!(tape_then, tape(after), "{name}");
        count += 1;
    }
    assert_eq!(count, 59);
}

/// Sizes by brotli 1.1.0.
#[test]
fn sizes_of_brotli() {
    let text = read_text(data("known/brotli-sizes.txt"));
    let mut count = 0;
    for line in text.lines() {
        let mut cells = line.split(' ');
        let (size, name) = (cells.next().unwrap(), cells.next().unwrap());
        // Of no bytes at all, 1; but a soup has some.
        let Some(hex) = cells.next() else { continue };
        let bytes = parse_hex(hex).unwrap();
        assert_eq!(Measures::of(&bytes).brotli_size.to_string(), size, "{name}");
        count += 1;
    }
    assert_eq!(count, 7);
}

/// Programs on which optimising interpreters of Brainfuck are known to fail.
#[test]
fn tapes_that_optimisers_get_wrong() {
    let lang = language("bff_noheads");
    type Row<'a> = (&'a str, &'a [(usize, u8)], &'a [(usize, u8)], u64, u32);
    let deep = "<<<<<<<<<<<<<<<<<<<<<<<<+[>[<->+[>+++>[+++++++++++>][]-[<]>-]]++++++++++<]";
    let rows: &[Row<'_>] = &[
        ("<<<<[--]", &[(124, 3)], &[(124, 177)], 8192, 8192),
        ("<<<<[--]", &[(124, 4)], &[(124, 0)], 11, 131),
        ("<<<<[---]", &[(124, 1)], &[(124, 0)], 689, 808),
        ("<<<<[+]", &[(124, 1)], &[(124, 0)], 515, 636),
        (
            "<<<<[->+>+++<<]",
            &[(124, 5), (125, 7), (126, 9)],
            &[(124, 0), (125, 12), (126, 24)],
            55,
            168,
        ),
        (
            "<<[->+++>+++<<]",
            &[(126, 5)],
            &[(126, 0), (0, 75), (127, 15)],
            63,
            176,
        ),
        (
            "<<<<<+++[<++++++++++>-]",
            &[],
            &[(122, 30), (123, 0)],
            51,
            156,
        ),
        (
            "<<<<[>.+<-]",
            &[(124, 5)],
            &[(124, 0), (0, 4), (125, 5)],
            35,
            152,
        ),
        (
            deep,
            &[],
            &[
                (104, 1),
                (105, 10),
                (106, 33),
                (107, 109),
                (108, 98),
                (109, 87),
                (110, 76),
                (111, 65),
                (112, 54),
                (113, 43),
                (114, 32),
                (115, 21),
                (116, 10),
                (117, 255),
            ],
            1084,
            1137,
        ),
        (
            "<<<<[>]+",
            &[(124, 1), (125, 1), (126, 1), (127, 1)],
            &[(8, 1)],
            30,
            150,
        ),
    ];
    for (code, bytes, then, ops, steps) in rows {
        let mut tape = [0; TAPE_LEN];
        let code_bytes = lang.parse_program(code).unwrap();
        tape[..code_bytes.len()].copy_from_slice(&code_bytes);
        for (place, byte) in *bytes {
            tape[*place] = *byte;
        }
        let (tape_then, outcome) = run(lang, &tape, 8192);
        assert_eq!(
            (u64::from(outcome.ops), outcome.steps),
            (*ops, *steps),
            "{code}"
        );
        for (place, byte) in *then {
            assert_eq!(tape_then[*place], *byte, "{code}, place {place}");
        }
    }
}

/// The replicator of 25 bytes that the paper prints for RSUBLEQ4.
#[test]
fn the_papers_replicator_of_rsubleq4() {
    let lang = language("rsubleq4");
    let code = parse_hex("091014040405130400000c04fdfd0904f808f9f400ffffc0b7").unwrap();
    let mut tape = [0; TAPE_LEN];
    tape[..code.len()].copy_from_slice(&code);
    let (tape_then, outcome) = run(lang, &tape, 8192);
    assert_eq!(outcome.steps, 258);
    // Places 8 and 9 are what it counts with.
    assert_eq!(tape_then[64..72], code[..8]);
    assert_eq!(tape_then[74..64 + code.len()], code[10..]);
    assert_eq!(score(lang, &tape[..64]), 62);
}

/// The paper's figure 4: a palindrome that copies itself mirrored, from its end.
#[test]
fn the_papers_palindrome() {
    let lang = language("bff_noheads");
    let code = lang.parse_program("[[{.>]-]").unwrap();
    let mut tape = [0; TAPE_LEN];
    tape[..8].copy_from_slice(&code);
    tape[64 - 8..64].copy_from_slice(&lang.parse_program("]-]>.{[[").unwrap());
    for (max_steps, end) in [(4, "["), (8, "[["), (12, "{[[")] {
        let (tape_then, _) = run(lang, &tape, max_steps);
        let end = lang.parse_program(end).unwrap();
        assert!(tape_then.ends_with(&end), "{max_steps} steps");
        assert_eq!(tape_then[TAPE_LEN - end.len() - 1], 0, "{max_steps} steps");
    }
}

/// A host, and a parasite of it that others found: left of the host it is copied over it.
#[test]
fn a_parasite_overwrites_its_host() {
    let lang = language("bff_noheads");
    let program = |code: &str, places: &[usize]| {
        let mut program = [b' '; 64];
        for (place, byte) in places.iter().zip(code.bytes()) {
            program[*place] = byte;
        }
        program
    };
    let host = program(
        "[..{>]]>{..[",
        &[4, 12, 14, 17, 18, 31, 32, 45, 46, 49, 51, 59],
    );
    let parasite = program("[..{>>{..[", &[1, 12, 14, 17, 18, 45, 46, 49, 51, 62]);
    let mut tape = [0; TAPE_LEN];
    tape[..64].copy_from_slice(&parasite);
    tape[64..].copy_from_slice(&host);
    let (tape_then, outcome) = run(lang, &tape, 8192);
    assert_eq!((outcome.steps, outcome.ops), (965, 174));
    assert_ne!(tape_then[64..], host);
    assert!(host.contains(&b']') && !tape_then[64..].contains(&b']'));
    assert_eq!((score(lang, &host), score(lang, &parasite)), (63, 0));
}

/// Programs of the two CPUs.
#[test]
fn cpus_do_what_others_say() {
    let pair = |name: &str, hex: &str| {
        let lang = language(name);
        let code = parse_hex(hex).unwrap();
        let mut tape = vec![0; 2 * lang.program_len];
        tape[..code.len()].copy_from_slice(&code);
        let mut outcomes = Vec::new();
        for engine in Engine::ALL {
            let mut tape_then = tape.clone();
            let runner = engine.runner(lang, &Options::default());
            let mut outcome = [Outcome::default()];
            let run = runner.run_bytes(&mut tape_then, lang.max_steps, &mut outcome);
            run.unwrap();
            outcomes.push((tape_then, outcome[0]));
        }
        outcomes.dedup();
        assert_eq!(outcomes.len(), 1, "{name}, {hex}");
        (code, outcomes.remove(0))
    };
    let (code, (tape, outcome)) = pair(
        "z80",
        "7a873c0120001120 00edb05f76".replace(' ', "").as_str(),
    );
    assert_eq!((outcome.steps, outcome.ended), (39, Ended::Halted));
    assert_eq!(tape[32..32 + code.len()], code);
    let (_, (tape, _)) = pair("i8080", "3e81c68127324000 76".replace(' ', "").as_str());
    assert_eq!(tape[64], 0x62);
}

/// Ops that a fork of cubff wrote for its own run, from the first epoch on.
#[test]
fn ops_of_the_first_hundred_epochs() {
    assert_eq!(total_ops(100).0, 444_061_689);
}

#[test]
#[ignore = "takes a minute"]
fn ops_and_entropy_of_four_thousand_epochs() {
    let (ops, entropy) = total_ops(4097);
    assert_eq!(ops, 173_107_946_270);
    assert_eq!(format!("{entropy:.4}"), "6.3339");
}

fn total_ops(epochs: u64) -> (u64, f64) {
    let mut soup = Soup::new(Settings {
        seed: 0,
        ..Settings::default()
    })
    .unwrap();
    let mut ops = 0;
    while soup.epochs_done() < epochs {
        ops += soup.step().ops;
    }
    (ops, Measures::of(soup.programs()).byte_entropy)
}
