//! Soups against cubff's own logs: 131,072 programs, to the last digit.
//!
//! The everyday test compares the first lines of each log; the whole logs take
//! minutes and are for `cargo test --release -- --include-ignored`.

use broth::engine::{Engine, Options};
use broth::language::Language;
use broth::measure::Measures;
use broth::measure::row::{Columns, LogRow};
use broth::{Settings, Soup};

use crate::common::{all_of_it, data, read_text};

/// The languages that cubff has a log of.
fn languages() -> Vec<&'static Language> {
    let mut names: Vec<String> = std::fs::read_dir(data("golden"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 13);
    let name = |file: &String| file.strip_suffix(".txt").unwrap().parse().unwrap();
    names.iter().map(name).collect()
}

/// Compare the log of `language` up to `last_epoch` epochs done.
fn check(language: &'static Language, engine: Engine, last_epoch: u64) {
    let path = data(&format!("golden/{}.txt", language.name));
    let golden = read_text(path);
    let mut lines = golden.lines();
    assert_eq!(lines.next(), Some(&*Columns::default().cubff_header()));
    let settings = Settings {
        language,
        seed: 10248,
        ..Settings::default()
    };
    let mut soup = Soup::new(settings).unwrap();
    soup.set_engine(engine, &Options::default());
    let mut compared = 0;
    for expected in lines {
        let epoch: u64 = expected.split(',').next().unwrap().parse().unwrap();
        if epoch > last_epoch {
            break;
        }
        let mut tally = broth::Tally::default();
        while soup.epochs_done() < epoch {
            tally = soup.step();
        }
        let row = LogRow {
            epoch,
            measures: Measures::of(soup.programs()),
            tally,
            replicators: None,
            tokens: None,
            also: Vec::new(),
        };
        assert_eq!(row.past().cubff_line(1 << 17), expected, "{language}");
        compared += 1;
    }
    assert_eq!(compared, 1 + last_epoch / 64, "{language}");
}

#[test]
fn first_lines_of_all_thirteen_logs() {
    for language in languages() {
        for engine in [Engine::Auto, Engine::Reference] {
            check(language, engine, 1);
        }
    }
}

#[test]
fn a_quarter_of_the_logs() {
    let one_of = if all_of_it() { 1 } else { 4 };
    for language in languages().into_iter().step_by(one_of) {
        check(language, Engine::Auto, 65);
    }
}

#[test]
#[ignore = "takes a minute"]
fn a_quarter_of_all_thirteen_logs_by_the_reference_engine() {
    for language in languages() {
        check(language, Engine::Reference, 65);
    }
}

#[test]
#[ignore = "takes minutes"]
fn all_thirteen_logs_to_the_end() {
    for language in languages() {
        check(language, Engine::Auto, 257);
    }
}

#[test]
#[ignore = "takes minutes"]
fn all_thirteen_logs_to_the_end_by_the_reference_engine() {
    for language in languages() {
        check(language, Engine::Reference, 257);
    }
}
