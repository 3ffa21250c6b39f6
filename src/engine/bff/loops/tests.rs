//! Which form a loop has. That forms are exact is for the tests of the engines to say.

use super::scan::first_iteration_on;
use super::*;
use crate::engine::simd::Portable;
use crate::language::bff::BFF_NOHEADS;
use crate::language::{Family, Language};

/// The form of the innermost loop in some code, that is, of the last `[` and the first `]`.
fn form_of(language: &'static Language, code: &str) -> Option<Form> {
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
    Some(looped.form)
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
    for code in ["[[,}<]-]", "[ [,}<] + + ]"] {
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
    // Head 0 has moved already, a copy to head 1, a null that stays one, a move in the nest.
    for code in ["[[<,}]-]", "[[.}<]-]", "[[,}<]-+]", "[[,}<]>-]"] {
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
