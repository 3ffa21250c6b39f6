//! The interpreter against the reference engine where it is easily wrong: small
//! tapes written by hand, each with every step limit.

use broth::engine::{Options, every_width};
use broth::language::bff::{self, Dialect, Op};
use broth::language::{Ended, Language, Outcome, TAPE_LEN, Tape};
use broth::random::mix;

use crate::common::all_of_it;
use crate::common::engines::{bff_dialects, check_named as check, has_heads_on_tape};

/// What lies where nothing was put: no-ops, or nulls.
const FILLS: [Op; 2] = [Op::Noop, Op::Null];

/// With every step limit up to `all`, then one in so many, and those around the end. The
/// everyday tests try a third of the limits between the first and the last, another third for
/// each tape.
#[track_caller]
fn check_limits(name: &str, language: &'static Language, tape: &Tape, all: u32) -> Outcome {
    let outcome = check(name, language, tape, 8192);
    let last = outcome.steps + 1;
    let (one_in, turn) = if all_of_it() {
        (1, 0)
    } else {
        (3, tape.iter().map(|byte| u32::from(*byte)).sum())
    };
    let limits = (0..=last.min(all))
        .filter(|limit| *limit < 16 || (limit + turn).is_multiple_of(one_in))
        .chain((all..last).step_by(1999));
    for max_steps in limits.chain(last.saturating_sub(3)..=last) {
        check(name, language, tape, max_steps);
    }
    outcome
}

/// A tape of `fill` with these pieces of program text on it; `None` where the
/// dialect lacks a command.
fn tape_of(
    language: &Language,
    dialect: &Dialect,
    fill: Op,
    pieces: &[(usize, &str)],
) -> Option<Tape> {
    let mut tape = [dialect.byte_of(fill).unwrap(); TAPE_LEN];
    for (place, text) in pieces {
        let bytes = language.parse_program(text).ok()?;
        tape[*place..place + bytes.len()].copy_from_slice(&bytes);
    }
    Some(tape)
}

/// Pieces at their places, over either filling, and where the tape says where the
/// heads start, from several places.
#[track_caller]
fn check_pieces(name: &str, pieces: &[(usize, &str)]) {
    check_pieces_up_to(700, name, pieces);
}

/// As [`check_pieces`], with every step limit up to `all`.
#[track_caller]
fn check_pieces_up_to(all: u32, name: &str, pieces: &[(usize, &str)]) {
    let mut checked = 0;
    for (language, dialect) in bff_dialects() {
        let tapes = FILLS.map(|fill| tape_of(language, dialect, fill, pieces));
        // Where the pieces cover all, the filling makes no difference.
        let different = 1 + usize::from(tapes[0] != tapes[1]);
        for tape in tapes.into_iter().flatten().take(different) {
            checked += 1;
            check_limits(name, language, &tape, all);
            if has_heads_on_tape(dialect) {
                for heads in [[0, 0], [2, 64], [127, 3]] {
                    let mut tape = tape;
                    tape[..2].copy_from_slice(&heads);
                    check_limits(name, language, &tape, all.min(300));
                }
            }
        }
    }
    assert!(checked > 0, "{name}: no dialect has these commands");
}

/// `code`, before which the heads stand so far to the right of its start.
fn tape_around(
    language: &Language,
    dialect: &Dialect,
    fill: Op,
    [right0, right1]: [i32; 2],
    code: &str,
) -> Option<Tape> {
    let len = TAPE_LEN as i32;
    if has_heads_on_tape(dialect) {
        let start = 40;
        let mut tape = tape_of(language, dialect, fill, &[(start as usize, code)])?;
        tape[0] = (start + right0).rem_euclid(len) as u8;
        tape[1] = (start + right1).rem_euclid(len) as u8;
        return Some(tape);
    }
    // The heads go left around the end, and so to the code from behind.
    let left0 = 20;
    let start = len - left0 - right0;
    let (left1, step1) = match left0 + right0 - right1 {
        left if left >= 0 => (left, "{"),
        left => (-left, "}"),
    };
    let moves = "<".repeat(left0 as usize) + &step1.repeat(left1 as usize);
    let fits = moves.len() <= start as usize && start as usize + code.len() <= TAPE_LEN;
    fits.then(|| {
        tape_of(
            language,
            dialect,
            fill,
            &[(0, &moves), (start as usize, code)],
        )
    })?
}

/// `code` with the heads from 3 places before its start to 3 behind its end.
#[track_caller]
fn check_all_around(name: &str, code: &str, right1: i32) {
    for (language, dialect) in bff_dialects() {
        for fill in FILLS {
            for right0 in -3..code.len() as i32 + 3 {
                let heads = [right0, right1];
                if let Some(tape) = tape_around(language, dialect, fill, heads, code) {
                    for max_steps in (0..130).chain([256, 257, 500]) {
                        check(name, language, &tape, max_steps);
                    }
                }
            }
        }
    }
}

#[test]
fn step_limits_that_end_anywhere() {
    let rows: &[(&str, &[(usize, &str)])] = &[
        ("nothing but filling", &[]),
        ("an op at either end", &[(0, "+"), (127, "-")]),
        (
            "ops far apart",
            &[(5, ">"), (63, "+"), (64, "-"), (126, "<")],
        ),
        ("an empty loop for ever", &[(2, "[]")]),
        ("a loop of no-ops", &[(2, "[     ]")]),
        ("a loop that moves", &[(2, "[>]")]),
        ("a loop that moves by 3", &[(2, "[>>>]")]),
        (
            "a loop that moves by 64",
            &[(
                2,
                "[>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>\
            >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>]",
            )],
        ),
        ("a copy for ever", &[(2, "[.>}]")]),
        ("a copy of a place onto itself", &[(2, "[.]"), (9, "[,]")]),
        (
            "a copy block over no-ops",
            &[(2, "}}}}}}}}}}}}}}}}}}}}[.  >  }]")],
        ),
        ("a copy back block", &[(2, "{{{{{{{{{{{{{{{{{{{{[,  >  }]")]),
        ("a counter", &[(2, ">>>>>>>>>>>>>>>>>>>>[-]>+[+]")]),
        (
            "a counter with no-ops",
            &[(2, ">>>>>>>>>>>>>>>>>>>>[  -  ]")],
        ),
        ("a counter beside the test", &[(2, "[>+<]")]),
        ("a settled loop", &[(2, "[,,.]")]),
        ("a loop that adds nothing", &[(2, "[+-]")]),
        ("nested loops for ever", &[(2, "[[]]")]),
        ("nested loops with a period", &[(2, "[[>]<[<]>]")]),
        (
            "nested loops that count",
            &[(2, ">>>>>>>>>>>>>>>>>>>>+[[-]+]")],
        ),
        (
            "nested loops that count long",
            &[(2, ">>>>>>>>>>>>>>>>>>>>+[->+[<]>]")],
        ),
        ("three deep", &[(2, "[[[>]<]<]")]),
        ("two loops in one", &[(2, "[[>]>[<]<]")]),
    ];
    for (name, pieces) in rows {
        check_pieces(name, pieces);
    }
}

/// Of its eight laps around the tape one changes two bytes, by copies that are
/// not the same when done again: the seven between change nothing, and then it
/// does so once more.
#[test]
fn a_loop_that_has_not_settled_yet() {
    let code = format!("[{}{}.}},{{]", ">".repeat(16), "}".repeat(16));
    check_pieces(
        "by 16",
        &[(0, "\\x08\\x09"), (2, &code), (56, "\\x61\\x62\\x63")],
    );
    let stride_32 = format!("[.{}]", ">".repeat(32));
    check_pieces("by 32", &[(0, "\\x5c\\x14"), (40, &stride_32)]);
}

#[test]
fn writes_around_the_program_counter() {
    // Onto the byte that is run, onto brackets, just ahead and just behind.
    for (name, code) in [
        ("one write", "+"),
        ("a write, then a loop", "+[]"),
        ("a write before and after", ">+<-+>"),
        ("a write in a loop", "[+]"),
        ("a write down in a loop", "[-]"),
        ("a write with others around", "[ + ]-["),
        ("a copy in a loop", "[.]"),
        ("a copy back in a loop", "[,]"),
        ("two writes in a loop", "[+>-<]"),
        ("writes that make brackets", "+-+-[[]]"),
        ("a write between loops", "[>]+[<]"),
        ("copies of brackets", ".}.}.}[]]"),
        ("copies back of brackets", ",>,>,>[]]"),
        ("an unmatched close behind", "+,]"),
        ("an unmatched open behind", "-.["),
    ] {
        for right1 in [-2, 0, 1, 2, 4] {
            check_all_around(name, code, right1);
        }
    }
}

#[test]
fn copies_that_cross() {
    // Themselves, their loop, the ends of the tape, and nulls.
    let codes = [
        "[.>}]",
        "[.<{]",
        "[.>{]",
        "[.<}]",
        "[,>}]",
        "[,<{]",
        "[,>{]",
        "[,<}]",
        "[>.}]",
        "[>}.]",
        "[<,{]",
        "[<{,]",
        "[>,{]",
        "[<,}]",
        "[}.<]",
        "[<]",
        "[<,]",
        "[,<]",
        "[>,]",
        "[,>]",
        "[ . > } ]",
        "[.>>}}]",
        "[.>}-]",
        "[->}.]",
    ];
    let apart = [
        -65, -64, -63, -33, -20, -5, -2, -1, 0, 1, 2, 3, 4, 7, 19, 31, 32, 62, 63, 64,
    ];
    for (language, dialect) in bff_dialects() {
        for code in codes {
            for (i, apart) in apart.into_iter().enumerate() {
                for right0 in [-8, 2, 30] {
                    for fill in FILLS {
                        let heads = [right0, right0 + apart];
                        let tape = tape_around(language, dialect, fill, heads, code);
                        let Some(mut tape) = tape else { continue };
                        // Something to copy: bytes that differ, and one null.
                        for place in (i..TAPE_LEN).step_by(3) {
                            if place > 1 && tape[place] == dialect.byte_of(fill).unwrap() {
                                tape[place] = 0x80 | place as u8;
                            }
                        }
                        check(code, language, &tape, 8192);
                        for max_steps in (1..400).step_by(19) {
                            check(code, language, &tape, max_steps);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn copies_that_cross_with_every_limit() {
    let rows: &[(&str, &[(usize, &str)])] = &[
        ("up from the loop", &[(2, "}}}}}[.>}]"), (40, "0")]),
        ("into the loop from below", &[(2, "{{{{{[.>}]")]),
        ("down around the start", &[(2, "{{{[.<{]")]),
        ("opposite, meeting on an odd lap", &[(2, "}}}}}}}[.>{]")]),
        ("opposite, meeting on an even lap", &[(2, "}}}}}}}}[.>{]")]),
        ("opposite, parting", &[(2, "}}}}}}}}[.<}]")]),
        ("back, opposite", &[(2, "}}}}}}}}[,>{]"), (60, "0")]),
        (
            "back, testing the byte just copied",
            &[(2, "}}}}}}}}}}}}[<,}]"), (90, "0")],
        ),
        (
            "back, testing the next byte",
            &[(2, "}}}}}}}}}}}}[,>}]"), (50, "0")],
        ),
        ("onto the next byte", &[(2, "}[.>}]")]),
        ("onto the byte before", &[(2, "{[.>}]")]),
        ("mirrored", &[(2, "[[{.>]-]"), (118, "]-]>.{[[")]),
        ("a replicator", &[(0, "[[{.>]-]                ]-]>.{[[")]),
    ];
    for (name, pieces) in rows {
        check_pieces(name, pieces);
    }
}

#[test]
fn heads_that_wrap() {
    let rows: &[(&str, &[(usize, &str)])] = &[
        ("head 0 left", &[(2, "<+<-")]),
        ("head 1 left", &[(2, "{.{.{,")]),
        ("head 0 left in a loop", &[(2, "[<]"), (70, "0")]),
        ("head 0 left by 2", &[(2, "[<<]"), (71, "00")]),
        ("head 0 right to the end", &[(2, "[>]>>+"), (126, "00")]),
        ("both right around", &[(2, "}[.>}]>>>>"), (127, "0")]),
        ("both left around", &[(2, "<<<<{{{[,<{]")]),
        ("a counter at the end", &[(2, "<[-]>[+]")]),
        ("a write onto the last byte", &[(2, "<+"), (127, "]")]),
        ("a write onto the first byte", &[(2, "[>]>+"), (127, "0")]),
    ];
    for (name, pieces) in rows {
        check_pieces(name, pieces);
    }
    // More than 128 and than 256 moves to either side.
    for (moves, back) in [("<", ">"), (">", "<"), ("{", "}"), ("}", "{")] {
        let all = moves.repeat(120) + "+." + &back.repeat(4) + "]";
        check_pieces("many moves", &[(0, &all)]);
        let loops = moves.repeat(60) + "+[" + &moves.repeat(55) + ",]";
        check_pieces("many moves in loops", &[(0, &loops)]);
    }
}

#[test]
fn more_ops_than_a_script_holds() {
    #[track_caller]
    fn check(name: &str, pieces: &[(usize, &str)]) {
        check_pieces_up_to(140, name, pieces);
    }
    for filling in ["<", "+", "><.,", ">}", "[]", "{."] {
        let full = filling.repeat(TAPE_LEN / filling.len());
        check("full of ops", &[(0, &full)]);
        check(
            "full of ops but for the end",
            &[(0, &full), (120, "00000000")],
        );
        for (open, close) in [
            (3, 10),
            (3, 62),
            (3, 63),
            (3, 64),
            (3, 65),
            (3, 127),
            (60, 70),
        ] {
            let pieces = [(0, &*full), (open, "["), (close, "]")];
            check("a loop", &pieces);
            let pieces = [(0, &*full), (open, "["), (close, "]"), (127, "0")];
            check("a loop and a null", &pieces);
            let pieces = [(0, &*full), (open, "0["), (close, "]")];
            check("a null in a loop", &pieces);
        }
        for (first, second) in [(3, 61), (61, 63), (62, 64), (63, 65), (66, 100)] {
            let pieces = [
                (0, &*full),
                (first, "[["),
                (second, "]"),
                (second + 20, "]"),
            ];
            check("nested over the end", &pieces);
            let pieces = [
                (0, &*full),
                (first, "["),
                (second, "["),
                (second + 20, "]]"),
            ];
            check("nested across the end", &pieces);
        }
    }
    // As many ops as fit, give or take one, then no-ops and brackets behind.
    for count in 61..=66 {
        let ops = "<".repeat(count);
        check("just so many", &[(0, &ops)]);
        check("just so many, and an end", &[(0, &ops), (127, "]")]);
        check(
            "just so many, and a loop",
            &[(0, &ops), (2, "["), (count + 3, "]")],
        );
        check(
            "just so many writes",
            &[(0, &"+".repeat(count)), (count + 3, "]")],
        );
        check(
            "spread out",
            &[(0, &"< ".repeat(count.min(64))), (60, "["), (99, "]")],
        );
    }
}

#[test]
fn single_brackets_everywhere() {
    // Unmatched for most dialects; a jump by 8, on or off the tape, for two.
    for (language, dialect) in bff_dialects() {
        for fill in FILLS {
            for place in 0..TAPE_LEN {
                for text in ["[", "]", "<", "+"] {
                    let tape = tape_of(language, dialect, fill, &[(place, text)]).unwrap();
                    check_limits("alone", language, &tape, 140);
                    let heads = [(0, "\u{20}0"), (place, text)];
                    let tape = tape_of(language, dialect, fill, &heads).unwrap();
                    check_limits("over a null", language, &tape, 140);
                }
            }
        }
    }
}

#[test]
fn brackets_at_the_ends_of_the_tape() {
    for open in [0, 1, 2, 3, 8, 62, 63, 64, 118, 119, 120, 125, 126] {
        for close in [1, 2, 7, 8, 9, 10, 11, 63, 64, 65, 126, 127] {
            if open < close {
                check_pieces("around all", &[(open, "["), (close, "]")]);
                check_pieces("the wrong way", &[(open, "]"), (close, "[")]);
            }
        }
    }
    for pair in [
        (0, "[["),
        (0, "[]"),
        (0, "]]"),
        (126, "[["),
        (126, "[]"),
        (126, "]]"),
        (126, "]["),
    ] {
        check_pieces("at one end", &[pair]);
        check_pieces("with moves", &[(10, ">>>>"), pair]);
        check_pieces("with a write", &[(10, ">-<+<-"), pair]);
        check_pieces("with an open", &[(10, "["), pair]);
        check_pieces("with a close", &[(10, "]"), pair]);
    }
}

#[test]
fn brackets_without_a_partner() {
    let moves = ">".repeat(20);
    let many = "<>".repeat(20);
    for (name, code) in [
        ("open", "["),
        ("close", "]"),
        ("two opens, one close", "[[]"),
        ("one open, two closes", "[]]"),
        ("inside out", "]["),
        ("deep", "[[[]]"),
        ("deep the other way", "[[]]]"),
        ("behind a loop", "[>][[]"),
        ("made by a write", "<+>["),
    ] {
        check_pieces(name, &[(2, code)]);
        check_pieces(name, &[(2, &moves), (30, code)]);
        // The same with ops behind, so that the script ends before the tape.
        check_pieces(name, &[(2, &moves), (30, code), (40, &many), (80, &many)]);
        check_pieces(name, &[(2, &many), (42, &moves), (70, code), (80, &many)]);
        check_pieces(name, &[(2, &many), (42, &many), (90, code)]);
        check_pieces(name, &[(2, "["), (4, &many), (44, &many), (90, code)]);
        check_pieces(name, &[(2, &many), (42, &many), (90, code), (120, "]")]);
    }
}

#[test]
fn loops_with_many_writes() {
    for writes in [23, 24, 25, 40] {
        for write in ["+", ".", ",", ">-", ",}"] {
            let body = format!("[{}]", write.repeat(writes));
            check_pieces("from the first place", &[(2, &body)]);
            let body = format!("{}{body}", "<".repeat(20));
            if body.len() < 124 {
                check_pieces("from the end", &[(2, &body)]);
            }
        }
    }
}

#[test]
fn counters_of_every_value() {
    for (language, dialect) in bff_dialects() {
        for code in ["[-]", "[+]", "[ -]", "[->>+<<]", "[--]", "[-+-]"] {
            for value in 0..=255 {
                for right0 in [-6, 0, 2, 10] {
                    let heads = [right0, right0];
                    let tape = tape_around(language, dialect, Op::Noop, heads, code);
                    let Some(mut tape) = tape else { continue };
                    let start = match has_heads_on_tape(dialect) {
                        true => 40,
                        false => TAPE_LEN as i32 - 20 - right0,
                    };
                    tape[(start + right0) as usize % TAPE_LEN] = value;
                    let Outcome { steps, .. } = check(code, language, &tape, 8192);
                    for max_steps in [steps / 2, steps - 1] {
                        check(code, language, &tape, max_steps);
                    }
                }
            }
        }
    }
}

#[test]
fn the_moving_copy_of_bff_selfmove() {
    let (language, dialect) = bff_dialects()
        .find(|(language, _)| language.name == "bff_selfmove")
        .unwrap();
    for code in [
        "[,]", "[,<]", "[,>]", "[<,]", "[>,]", "[<<,]", "[>,,]", "[,-]", "[,,<<]",
    ] {
        for fill in FILLS {
            for right0 in -6..7 {
                for right1 in -6..7 {
                    let heads = [right0, right1];
                    let tape = tape_around(language, dialect, fill, heads, code).unwrap();
                    check_limits(code, language, &tape, 20);
                    // Into the loop after some laps, from either side.
                    for far in [-20, 20, 60] {
                        let heads = [right0 + far, right1];
                        let tape = tape_around(language, dialect, fill, heads, code).unwrap();
                        check_limits(code, language, &tape, 20);
                    }
                }
            }
        }
    }
}

#[test]
fn jumps_by_eight() {
    for (name, pieces) in [
        ("a loop of nine", &[(2, "+       ]")][..]),
        ("open and close", &[(2, "[.>}     ]")][..]),
        ("over the end of the tape", &[(119, "["), (120, "[")][..]),
        ("to the last place", &[(118, "["), (127, "+")][..]),
        ("back to before the tape", &[(7, "]")][..]),
        ("back to the start", &[(8, "]")][..]),
        ("back to just behind the start", &[(9, "]")][..]),
        ("loops that overlap", &[(2, "     [  ]  ]  ]")][..]),
        ("a copy in a loop", &[(2, "{.>      ]")][..]),
        ("a copy over its loop", &[(2, "{{{.>      ]")][..]),
    ] {
        check_pieces(name, pieces);
    }
}

#[test]
fn all_endings_are_met() {
    let mut met = [false; Ended::ALL.len()];
    for (language, dialect) in bff_dialects() {
        for text in ["[]", "]", " "] {
            let tape = tape_of(language, dialect, Op::Noop, &[(2, text)]).unwrap();
            met[check("endings", language, &tape, 1000).ended as usize] = true;
        }
    }
    for ended in [Ended::LeftTape, Ended::StepLimit, Ended::UnmatchedBracket] {
        assert!(met[ended as usize], "{ended:?}");
    }
}

#[test]
fn the_highest_step_limit() {
    // Loops for ever whose laps and periods divide it, and do not.
    for (language, dialect) in bff_dialects() {
        for code in ["[]", "[ ]", "[  ]", "[[]]", "[[>]<[<]>]", "[.]"] {
            let tape = tape_around(language, dialect, Op::Noop, [40, 41], code);
            let Some(tape) = tape else { continue };
            let long = check(code, language, &tape, 8192);
            for (width, runner) in every_width(language, &Options::default()) {
                let mut tape = tape;
                let outcome = runner.run(&mut tape, u32::MAX);
                if long.ended == Ended::StepLimit {
                    assert_eq!(outcome.ended, Ended::StepLimit, "{code}, {width}");
                    assert_eq!(outcome.steps, u32::MAX, "{code}, {width}");
                } else {
                    assert_eq!(outcome, long, "{code}, {width}");
                }
            }
        }
    }
}

/// Nests of a loop that copies over what they make of a null: over tapes with few
/// and many nulls, some in the nest itself, with the heads apart by anything.
#[test]
fn nests_around_loops_that_copy() {
    let nests = [
        "[[,}<]-]",
        "[ [ , }  <  ]   -  ]",
        "[[,{>]+]",
        "[[,{<]-]",
        "[[,}>]+++]",
        "[[}},{<]--]",
        "[[,}<]-+]",
        "[[,}<]->]",
        "[[,}<] ]",
        "[[[,}<]-]+]",
        // In bff_selfmove, whose copy moves head 1, and whose null is a command when it is run.
        "[[,>]-]",
        "[[,>]-<>]",
        "[[,>] - < >  ]",
        "[[,>]+  > < ]",
        "[[,<]---<>]",
    ];
    let mut settled = 0;
    for (language, dialect) in bff_dialects() {
        for (i, nest) in nests.iter().enumerate() {
            let Ok(code) = language.parse_program(nest) else {
                continue;
            };
            for round in 0..24u64 {
                let number = |n: u64| mix(round << 32 | (i as u64) << 16 | n);
                let nulls = [2, 5, 20, 60][round as usize % 4];
                let mut tape: Tape =
                    std::array::from_fn(|place| match number(place as u64) % nulls {
                        0 => dialect.byte_of(Op::Null).unwrap(),
                        1 if nulls > 20 => number(200 + place as u64) as u8,
                        _ => dialect.byte_of(Op::Noop).unwrap(),
                    });
                let moves = "<".repeat(number(300) as usize % 30);
                let mut moves = language.parse_program(&moves).unwrap();
                match dialect.byte_of(Op::Right1) {
                    Some(byte) => moves.extend(vec![byte; number(301) as usize % 20]),
                    // Its heads are on the tape.
                    None => [tape[0], tape[1]] = [303, 304].map(|n| number(n) as u8),
                }
                let start = 2 + number(302) as usize % (TAPE_LEN - 70);
                tape[start..][..moves.len()].copy_from_slice(&moves);
                tape[start + moves.len()..][..code.len()].copy_from_slice(&code);
                let outcome = check(nest, language, &tape, 8192);
                settled += u32::from(outcome.ended == Ended::StepLimit);
                let some = (0..40).map(|n| number(400 + n) as u32 % outcome.steps.max(1));
                for max_steps in some.chain(outcome.steps.saturating_sub(12)..outcome.steps) {
                    check(nest, language, &tape, max_steps);
                }
            }
        }
    }
    // Many of them go round until their steps are used up.
    assert!(settled > 100, "{settled}");
}

/// In bff_selfmove a null moves a head when it is run: a nest that copies nulls over itself leaves
/// its commands as they are, and what it makes of the nulls does not.
#[test]
fn a_null_that_is_a_command() {
    let language = &bff::BFF_SELFMOVE;
    let mut tape = [b' '; TAPE_LEN];
    let code = language.parse_program(r"\x40\x80[[,>]-<>]").unwrap();
    tape[..code.len()].copy_from_slice(&code);
    let outcome = check_limits("the shortest", language, &tape, 800);
    assert_eq!((outcome.ops, outcome.steps), (617, 727));
    let code = r"\x40\x80[[,>]-           <  >        ]";
    let code = language.parse_program(code).unwrap();
    tape[..code.len()].copy_from_slice(&code);
    check_limits("with no-ops", language, &tape, 800);
}
