//! Which form a loop has. That forms are exact is for the tests of the engines to say.

use super::scan::first_iteration_on;
use super::*;
use crate::engine::simd::Portable;
use crate::language::bff::BFF_NOHEADS;
use crate::language::{Family, Language};

/// The form of the innermost loop in some code, that is, of the last `[` and the first `]`.
fn form_of(language: &'static Language, code: &str) -> Option<Form> {
    with_loop(language, code, |looped| looped.form)
}

/// What `tell` says of that loop.
fn with_loop<T>(
    language: &'static Language,
    code: &str,
    tell: impl Fn(&Loop<'_>) -> T,
) -> Option<T> {
    let Family::Bff(dialect) = &language.family else {
        return None;
    };
    let program = language.parse_program(code).unwrap();
    let mut tape = [0; TAPE_LEN];
    tape[..program.len()].copy_from_slice(&program);
    let mut script = Script::EMPTY;
    script.read(Portable, dialect, &tape, 0);
    let (first, close) = (code.rfind('[').unwrap() + 1, code.find(']').unwrap());
    let looped = Loop::decode(
        Portable,
        dialect,
        &script,
        (first, close),
        &mut SeenLoops::NONE.clone(),
    )?;
    let is_plain = matches!(looped.form, Form::Plain);
    assert_eq!(looped.has_closed_form(), !is_plain, "{code}");
    Some(tell(&looped))
}

#[test]
fn forms_are_told_by_what_iterations_write() {
    let form = |code| form_of(&BFF_NOHEADS, code);
    for code in ["[]", "[>]", "[<<}]", "[ > { ]"] {
        assert!(matches!(form(code), Some(Form::Scan)), "{code}");
    }
    for code in ["[-]", "[+]", "[>+<]", "[}-{{]"] {
        assert!(matches!(form(code), Some(Form::Count)), "{code}");
    }
    for code in ["[.>}]", "[<,}]", "[>>.<{]", "[,<{]", "[,<}]"] {
        assert!(matches!(form(code), Some(Form::Copy(_))), "{code}");
    }
    for code in [
        "[[,}<]-]",
        "[ [,}<] + + ]",
        "[[},>],]",
        "[[},>],-,]",
        "[[,}<]}}-,{{-]",
        "[[,}<,]-]",
        "[[-,}<],]",
        "[[,,}>]-]",
    ] {
        assert!(matches!(form(code), Some(Form::Nest(_))), "{code}");
    }
    for code in [
        "[.,,>}]",
        "[{<-,]",
        "[>+,}]",
        "[{<,,]",
        "[<,,}]",
        "[>{..]",
        "[,<{,]",
        "[,,,,{<,,]",
        "[.>.}]",
        "[.{<,]",
        "[.,,{<,,]",
    ] {
        assert!(matches!(form(code), Some(Form::ClumsyCopy(..))), "{code}");
    }
    for code in ["[+>]", "[.>>}]", "[.}]", "[-.>}]", "[--]"] {
        assert!(matches!(form(code), Some(Form::Plain)), "{code}");
    }
    // Head 0 has moved already, a copy to head 1, a null that stays one, a move in the nest, a
    // write of the nest to another place.
    for code in [
        "[[<,}]-]",
        "[[.}<]-]",
        "[[,}<]-+]",
        "[[,}<]>-]",
        "[[,}<]}-]",
        "[[,}<].-]",
        "[[,}<]>-<-]",
    ] {
        assert!(matches!(form(code), Some(Form::Copy(_))), "{code}");
    }
    let too_many = format!("[{}]", "+".repeat(MAX_WRITES + 1));
    assert!(form(&too_many).is_none());
}

#[test]
fn the_first_iteration_on_a_place() {
    for stride in 0..TAPE_LEN {
        for place in 0..TAPE_LEN {
            let start = (place * 7 + stride) % TAPE_LEN;
            let comes = |iteration: &usize| (start + iteration * stride) % TAPE_LEN == place;
            let expected = (1..=TAPE_LEN).find(comes).map(|iteration| iteration as u32);
            assert_eq!(first_iteration_on(1 << place, start, stride), expected);
        }
    }
}

#[cfg(feature = "jit")]
#[test]
fn loops_are_described() {
    for (code, expected) in [
        ("[>>]", "scan: to a null by h0, stride +2, 3 steps, 3 ops"),
        (
            "[->+<-]",
            "plain: 3 writes, one after the other, strides +0 +0, 6 steps, 6 ops",
        ),
        ("[-]", "count: -1, 2 steps, 2 ops"),
        ("[<.{]", "copy: h0-1→h1, strides -1 -1, 4 steps, 4 ops"),
        (
            "[{<-,]",
            "clumsy copy: h1-1→h0-1, strides -1 -1, 5 steps, 5 ops; dropped: 1 count",
        ),
        (
            "[ ,<{,]",
            "clumsy copy: h1-1→h0-1, strides -1 -1, 6 steps, 5 ops; \
             dropped: 1 redundant copy",
        ),
        (
            "[[},>],-]",
            "nest: h1+1→h0, strides +1 +1, 4 steps, 4 ops; each null: 4 steps, 4 ops more",
        ),
        (
            "[.>+}]",
            "plain: 2 writes, one after the other, strides +1 +1, which come to h0→h1, \
             h0+1 by +1, 5 steps, 5 ops",
        ),
    ] {
        let described = with_loop(&BFF_NOHEADS, code, |looped| looped.describe(true));
        assert_eq!(described.as_deref(), Some(expected));
    }
}
