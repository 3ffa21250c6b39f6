//! What the library cannot do it refuses: it does not pad, truncate, or answer a default.

use std::sync::Arc;

use broth::engine::ring::{self, Start};
use broth::engine::{Engine, Options, reference};
use broth::language::bff::{BFF, BFF_NOHEADS};
use broth::language::machine::{Z80, Z80_ZFF};
use broth::language::{Language, Outcome, Ring};
use broth::measure::replicators::{Partners, Scorer};
use broth::plot::picture::{Picture, View};
use broth::run::folder::settings::Row;
use broth::soup::checkpoint::Checkpoint;
use broth::soup::interaction::{Interactions, Which};
use broth::soup::meeting::Pattern;
use broth::soup::settings::Meeting;
use broth::{Error, Settings, Soup};

fn small(language: &'static Language) -> Settings {
    Settings {
        language,
        num_programs: 16,
        ..Settings::default()
    }
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, hint: &str) {
    let error = result.err().expect("this cannot be done");
    assert!(error.is_usage(), "{error}");
    assert!(error.to_string().contains(hint), "{error}");
}

#[test]
fn a_tape_of_another_length_is_refused() {
    for (language, fits) in [(&BFF, 128), (&Z80, 64), (&Z80_ZFF, 32)] {
        for len in [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 256] {
            let mut tape = vec![b'+'; len];
            let result = reference::trace_bytes(language, &mut tape, 9, |_, _| {});
            if len == fits {
                assert!(result.is_ok(), "{language} {len}");
                continue;
            }
            refused(result, "cannot be run");
            assert!(tape == vec![b'+'; len], "{language} {len}");
            let runner = Engine::Auto.runner(language, &Options::default());
            if len % fits != 0 {
                let mut outcomes = [Outcome::default(); 8];
                refused(
                    runner.run_bytes(&mut tape, 9, &mut outcomes),
                    "bytes of tapes",
                );
            }
        }
    }
}

#[test]
fn a_ring_is_run_in_languages_with_rules_for_it() {
    let start = Start {
        pc: 0,
        head_offset: 0,
    };
    for language in Language::every() {
        let mut bytes = [0x21; 256];
        let mut ring = Ring::new(&mut bytes).unwrap();
        let result = ring::run(language, &mut ring, start, 7);
        if Settings::usual(
            language,
            broth::soup::settings::World::LongTape { head_offset: 0 },
        )
        .check()
        .is_ok()
        {
            assert_eq!(result.unwrap().steps, 7, "{language}");
        } else {
            refused(result, "no rules for a ring");
        }
    }
}

#[test]
fn a_soup_is_scored_by_a_scorer_of_its_language() {
    let soup = Soup::new(small(&BFF)).unwrap();
    let scorer = |language| Scorer::new(language, Engine::Auto, &Options::default());
    assert!(scorer(&BFF).count(&soup).is_ok());
    refused(scorer(&BFF_NOHEADS).count(&soup), "a soup of bff cannot");
    refused(scorer(&Z80_ZFF).count(&soup), "a soup of bff cannot");
    let partners = Partners::of_lone_program(&Z80);
    refused(scorer(&BFF).agreement(&[0; 64], &partners), "partners");
}

#[test]
fn a_checkpoint_of_other_programs_is_refused() {
    let settings = small(&BFF);
    for (programs, program_len) in [(1023, 64), (1025, 64), (1024, 32), (1024, 0), (0, 64)] {
        let checkpoint = Checkpoint {
            programs: vec![1; programs],
            program_len,
            ..Checkpoint::empty()
        };
        let soup = Soup::from_checkpoint(settings.clone(), checkpoint, false);
        refused(soup, "the settings ask for 16");
    }
}

#[test]
fn bytes_that_are_no_soup_have_no_picture_and_no_interactions() {
    let settings = small(&BFF);
    let view = View::of(&settings, (512, 512));
    let mut interactions = Interactions::new(&settings).unwrap();
    for len in [0, 1, 63, 65, 1023, 1025] {
        let bytes = vec![0; len];
        refused(Picture::of_soup(&view, &bytes, 0), "have no picture");
        let result = interactions.get(0, &bytes, Which::Pair(0));
        refused(result, "no soup of 16 programs");
    }
}

#[test]
fn a_pattern_names_programs_of_its_soup() {
    for wrong in [(0, 16), (16, 0), (5, 5), (u32::MAX, 0)] {
        refused(Pattern::new(16, &[(0, 1), wrong]), "not two of 16 programs");
    }
    let pattern = Arc::new(Pattern::new(8, &[(0, 1)]).unwrap());
    let settings = Settings {
        meeting: Meeting::Pattern(pattern),
        ..small(&BFF)
    };
    refused(settings.check(), "for 8 programs");
}

#[test]
fn a_count_beyond_those_of_files_is_refused() {
    let row = Row::of("max-epochs").unwrap();
    assert!(row.value_of("9223372036854775807").is_ok());
    for wrong in ["9223372036854775808", "18446744073709551615"] {
        assert!(row.value_of(wrong).unwrap_err().contains("up to"));
    }
}
