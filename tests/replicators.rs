//! Replicator scores, against cubff's and against a plain twin.

use crate::common::{all_of_it, data, fail, read_text, succeed};
use broth::engine::{Engine, Options, reference};
use broth::examples::{self, Example};
use broth::language::{Language, MAX_STEPS, PROGRAM_LEN, Program, TAPE_LEN, bff, forth};
use broth::measure::replicators::{AGREEING, GENERATIONS, Partners, Replicators, Scorer};
use broth::random::Streams;
use broth::{Settings, Soup};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// A program that copies itself mirrored, planted in the soups of cubff's scores.
const PLANTED: &str = "[[{.>]-]]-]>.{[[";

#[test]
fn scores_of_a_soup_are_cubffs() {
    let language = &bff::BFF_NOHEADS;
    let settings = Settings {
        num_programs: 1024,
        seed: 561,
        initial_program: language.parse_program(PLANTED).unwrap(),
        ..Settings::default()
    };
    let streams = Streams::new(settings.seed);
    let mut soup = Soup::new(settings).unwrap();
    soup.set_engine(Engine::Auto, &Options::default());
    let scorer = Scorer::new(language, Engine::Auto, &Options::default());
    for epochs_done in [129, 513] {
        while soup.epochs_done() < epochs_done {
            soup.step();
        }
        let path = format!("scores/bff_noheads-1024-seed561-planted-epoch{epochs_done}.txt");
        let text = read_text(data(&path));
        let expected: Vec<u8> = text.lines().map(|line| line.parse().unwrap()).collect();
        let scores = scorer
            .score_soup(soup.programs(), &streams, epochs_done)
            .unwrap();
        assert!(scores == expected, "{path}");
    }
}

/// A score by the definition, a step and a run at a time.
fn plain_score(language: &Language, program: &Program, partners: &Partners) -> u8 {
    let ends = partners.programs().map(|partner| {
        let mut left = *program;
        let mut tape = [0; TAPE_LEN];
        for _ in 0..GENERATIONS {
            tape[..PROGRAM_LEN].copy_from_slice(&left);
            tape[PROGRAM_LEN..].copy_from_slice(partner);
            reference::run(language, &mut tape, MAX_STEPS);
            left.copy_from_slice(&tape[PROGRAM_LEN..]);
        }
        tape
    });
    let ends: Vec<_> = ends.collect();
    let holding = |place: usize, byte: u8| ends.iter().filter(|end| end[place] == byte).count();
    let left = (0..PROGRAM_LEN).filter(|place| holding(*place, program[*place]) >= AGREEING);
    let right = (PROGRAM_LEN..TAPE_LEN)
        .filter(|place| (0..=255).any(|byte| holding(*place, byte) >= AGREEING));
    left.count().min(right.count()) as u8
}

/// Random programs, programs of young soups, and these with a byte or two changed, in every
/// language and by every engine.
#[test]
fn scores_are_those_of_the_plain_twin() {
    for language in Language::ALL {
        let mut rng = StdRng::seed_from_u64(7);
        let settings = Settings {
            language,
            num_programs: 256,
            seed: 3,
            mutation_prob: 0.004,
            ..Settings::default()
        };
        let mut soup = Soup::new(settings).unwrap();
        soup.set_engine(Engine::Auto, &Options::default());
        for _ in 0..600 {
            soup.step();
        }
        let (grown, _) = soup.programs().as_chunks::<PROGRAM_LEN>();
        let mut programs: Vec<Program> = vec![[0; PROGRAM_LEN], [0x41; PROGRAM_LEN]];
        for _ in 0..12 {
            programs.push(rng.random());
            let mut program = grown[rng.random_range(0..grown.len())];
            programs.push(program);
            program[rng.random_range(0..PROGRAM_LEN)] = rng.random();
            programs.push(program);
        }
        let whole = |example: &Example| Program::try_from(example.program()).unwrap();
        programs.extend(examples::of(language).map(whole));
        let scorers = [Engine::Reference, Engine::Interpreter, Engine::Jit]
            .map(|engine| Scorer::new(language, engine, &Options::default()));
        let panels: Vec<_> = scorers
            .iter()
            .map(|scorer| scorer.panel(Partners::of_lone_program(language)).unwrap())
            .collect();
        let mut best = 0;
        for (index, program) in programs.iter().enumerate() {
            let streams = Streams::new(rng.next_u64());
            let partners = Partners::of(language, &streams, programs.len(), rng.random(), index);
            let expected = plain_score(language, program, &partners);
            best = best.max(expected);
            for scorer in &scorers {
                let score = scorer.agreement(program, &partners).unwrap().score();
                assert_eq!(score, expected, "{language}: {program:02x?} {scorer:?}");
            }
            // With what is known of partners beforehand, too.
            let expected = plain_score(language, program, &Partners::of_lone_program(language));
            for (scorer, panel) in scorers.iter().zip(&panels) {
                let score = scorer.score_beside(program, panel).unwrap();
                assert_eq!(score, expected, "{language}: {program:02x?} {scorer:?}");
            }
        }
        assert!(best >= 48, "{language}: {best}");
    }
}

#[test]
fn replicators_are_counted_from_their_threshold_on() {
    let counts = Replicators::of(PROGRAM_LEN, &[0, 4, 5, 6, 47, 48, 64]);
    assert_eq!((counts.cubff, counts.knierim), (5, 2));
}

/// Soups that come alive in three languages: cubff's log says as many replicators as cubff does,
/// and so does metrics.csv, in a run that was resumed.
#[test]
fn logs_with_replicators_are_cubffs() {
    for (language, num, seed, interval, epochs) in [
        ("forthtrivial", 2048, 3, 128, 2561),
        ("bff_noheads_4bit", 2048, 3, 128, 1793),
        ("bff_perm", 4096, 2, 256, 2305),
    ] {
        let expected = read_text(data(&format!("selfrep/{language}-{num}-{seed}.csv")));
        let folder = tempfile::tempdir().unwrap();
        let (out, log) = (folder.path().join("run"), folder.path().join("log.csv"));
        let flags = format!(
            "run --lang {language} --num {num} --seed {seed} --eval-selfrep --quiet \
             --log-interval {interval} --checkpoint-interval {interval}"
        );
        let half = epochs / 2;
        succeed(
            &format!("{flags} --max-epochs {half} --out"),
            &[&out, "--log".as_ref(), &log],
        );
        succeed(
            &format!("run --quiet --max-epochs {epochs} --resume"),
            &[&out],
        );
        let mut columns = String::new();
        for line in read_text(&log).lines() {
            let cells: Vec<_> = line.split(',').collect();
            columns += &format!("{},{},{}\n", cells[0], cells[2], cells[4]);
        }
        assert_eq!(columns, expected, "{language}");
        let metrics = read_text(out.join("metrics.csv"));
        let counts = |text: &str, column: &str| {
            let mut lines = text.lines().map(|line| line.split(','));
            let column = lines.next().unwrap().position(|name| name == column);
            let cells = lines.map(|mut cells| cells.nth(column.unwrap()).unwrap().to_string());
            cells
                .map(|cell| cell.parse::<u64>().unwrap())
                .collect::<Vec<_>>()
        };
        let cubffs = counts(&metrics, "number_selfreps");
        assert_eq!(cubffs, counts(&expected, "number_selfreps"), "{language}");
        let knierims = counts(&metrics, "number_selfreps_48");
        assert!(knierims.iter().zip(&cubffs).all(|(few, many)| few <= many));
        assert!(knierims.first() == Some(&0) && *knierims.last().unwrap() > num / 2);
    }
}

/// The run ends at the first log point with enough replicators, and stays ended.
#[test]
fn a_run_stops_when_there_are_replicators_enough() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let stopped = succeed(
        "run --lang bff_noheads_4bit --num 2048 --seed 3 --eval-selfrep --log-interval 128 \
         --stopping-selfrep-count 1000 --max-epochs 4000 --out",
        &[&out],
    );
    let expected = read_text(data("selfrep/bff_noheads_4bit-2048-3.csv"));
    let count = |line: &str| line.rsplit(',').next().unwrap().parse().unwrap_or(0);
    let first = expected.lines().find(|line| count(line) >= 1000).unwrap();
    let epoch = first.split(',').next().unwrap();
    let said = String::from_utf8_lossy(&stopped.stdout).to_string();
    let grouped = format!(
        "{},{}",
        &epoch[..epoch.len() - 3],
        &epoch[epoch.len() - 3..]
    );
    assert!(
        said.contains(&format!("enough after {grouped} epochs")),
        "{said}"
    );
    assert!(said.contains("replicators first at epoch "), "{said}");
    assert!(out.join(format!("checkpoints/{epoch:0>10}.dat")).exists());
    let again = succeed("run --max-epochs 9000 --resume", &[&out]);
    let said = String::from_utf8_lossy(&again.stdout).to_string();
    assert!(
        said.contains(&format!("enough after {grouped} epochs")),
        "{said}"
    );
}

/// The same finds at the same numbers by one thread and by three; each scores what it is said
/// to by the definition; the finds are in the table, and so are those of a shorter search.
#[test]
fn a_search_finds_the_same_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let search = |flags: &str, name: &str| {
        let path = folder.path().join(name);
        let command = format!("search --lang bff_selfmove --from operators-64 {flags} --out");
        let output = succeed(&command, &[&path]);
        let said = String::from_utf8_lossy(&output.stdout).to_string();
        (
            read_text(path),
            said.lines().rev().nth(1).unwrap().to_string(),
        )
    };
    let (finds, estimate) = search("--finds 2 --threads 3", "three.csv");
    if all_of_it() {
        let again = search("--finds 2 --threads 2", "two.csv");
        assert_eq!(again, (finds.clone(), estimate));
    }
    let (first, _) = search("--finds 1 --threads 1", "first.csv");
    assert!(finds.starts_with(&first) && finds.len() > first.len());
    let rows: Vec<_> = finds.lines().skip(1).collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let cells: Vec<_> = row.split(',').collect();
        let bytes = broth::language::parse_hex(cells[2]).unwrap();
        let program: Program = bytes.try_into().unwrap();
        let language = &bff::BFF_SELFMOVE;
        let score = plain_score(language, &program, &Partners::of_lone_program(language));
        assert_eq!(score.to_string(), cells[1]);
        assert!(score >= 48);
        // As it is said of the program alone.
        let said = succeed(
            &format!("selfrep --lang bff_selfmove --hex {}", cells[2]),
            &[],
        );
        let said = String::from_utf8_lossy(&said.stdout).to_string();
        assert!(
            said.contains(&format!("score       {score} of 64: a replicator")),
            "{said}"
        );
        assert!(said.contains("copied"), "{said}");
    }
}

/// What soups come up with, against soups that are lived through here by the reference engine:
/// the first program of each that scores, how many others were new before it, and where it was.
#[test]
fn a_search_in_soups_scores_all_that_is_new_in_them() {
    let language = &forth::FORTHTRIVIAL;
    let mut expected = String::from("number,score,program,seed,epoch,index\n");
    let mut number = 0;
    for seed in 3..9 {
        let mut soup = Soup::new(Settings {
            language,
            num_programs: 64,
            seed,
            ..Settings::default()
        })
        .unwrap();
        soup.set_engine(Engine::Reference, &Options::default());
        let mut before: Vec<Program> = Vec::new();
        'soup: loop {
            let programs = soup.programs().as_chunks::<PROGRAM_LEN>().0.to_vec();
            for (index, program) in programs.iter().enumerate() {
                if before.get(index) == Some(program) {
                    continue;
                }
                let score = plain_score(language, program, &Partners::of_lone_program(language));
                if score >= 1 {
                    let hex: String = program.iter().map(|byte| format!("{byte:02X}")).collect();
                    let epochs = soup.epochs_done();
                    expected += &format!("{number},{score},{hex},{seed},{epochs},{index}\n");
                    number += 1;
                    break 'soup;
                }
                number += 1;
            }
            before = programs;
            soup.step();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let search = |flags: &str| {
        let path = folder.path().join("finds.csv");
        let command = "search --lang forthtrivial --from soup --num 64 --threshold 1 --seed 3";
        let output = succeed(&format!("{command} {flags} --out"), &[&path]);
        let table = read_text(path.clone());
        std::fs::remove_file(path).unwrap();
        (table, String::from_utf8_lossy(&output.stdout).to_string())
    };
    let (table, said) = search("--finds 6 --threads 1");
    assert_eq!(table.to_uppercase(), expected.to_uppercase());
    let tested = format!("\n{},{:03} programs", number / 1000, number % 1000);
    assert!(said.contains(&tested), "{tested}: {said}");
    assert!(said.contains("seed 3, epoch"), "{said}");
    assert_eq!(search("--finds 6 --threads 3").0, table);
    // Ends with its programs, of which the last epoch has all.
    let (rows, said) = search(&format!("--max-programs {}", number - 1));
    assert!(table.starts_with(&rows), "{rows}");
    assert!(said.contains("that score at least 1"), "{said}");
}

#[test]
fn a_search_ends_with_its_programs_and_walks_find_too() {
    let none = succeed("search --max-programs 20000 --finds 9", &[]);
    let said = String::from_utf8_lossy(&none.stdout).to_string();
    assert!(
        said.contains("32,768 programs of bff_noheads (uniform), 0 that score"),
        "{said}"
    );
    assert!(said.contains("at least 8.883e3 (95 % interval)"), "{said}");
    let walked = succeed(
        "search --lang forthtrivial --threshold 5 --walk 1/64 --finds 3 --max-programs 400000",
        &[],
    );
    let said = String::from_utf8_lossy(&walked.stdout).to_string();
    assert!(said.contains("95 % interval"), "{said}");
}

#[test]
fn wrong_questions_are_refused() {
    let soup = data("cubff-513.dat");
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "mine").unwrap();
    for (words, hints) in [
        (
            "search --from nothing",
            &["--from nothing", "uniform, operators"][..],
        ),
        (
            "search --lang subleq --from operators",
            &["subleq", "uniform"],
        ),
        ("search --walk 2", &["--walk", "from 0 to 1"]),
        ("search --num 64", &["--num", "--from soup"]),
        ("search --from soup --num 63", &["63", "even"]),
        ("search --from soup --walk 0.1", &["--walk", "--from soup"]),
        ("search --threshold 65", &["--threshold", "64"]),
        ("search --finds 0", &["--finds"]),
        ("selfrep", &["PROGRAM"]),
        ("selfrep [x]", &["PROGRAM", "character 2"]),
        ("selfrep --hex 123", &["PROGRAM", "half a byte"]),
        ("selfrep --scores out.txt [", &["--scores", "PROGRAM"]),
        (
            "selfrep --checkpoint no-such-file",
            &["no-such-file", "check the path"],
        ),
        ("run --stopping-selfrep-count 3", &["--eval-selfrep"]),
        (
            "run --eval-selfrep --stopping-selfrep-count 0",
            &["--stopping-selfrep-count 0"],
        ),
    ] {
        fail(2, words, &[], hints);
    }
    let long = "41".repeat(65);
    fail(
        2,
        &format!("selfrep --hex {long}"),
        &[],
        &["65 bytes", "64"],
    );
    // A file that is there stays.
    fail(1, "search --max-programs 1 --out", &[&taken], &["taken"]);
    let flags = "selfrep --lang bff_noheads --seed 11 --checkpoint";
    fail(1, flags, &[&soup, "--scores".as_ref(), &taken], &["taken"]);
    assert_eq!(read_text(&taken), "mine");
}

#[test]
fn a_program_written_for_spaces_is_told_so() {
    let text = "{[<},]],}<[{";
    let out = succeed(&format!("selfrep {text}"), &[]);
    let out = String::from_utf8(out.stdout).unwrap();
    assert!(out.contains("0 of 64: no replicator"), "{out}");
    assert!(
        out.contains("with spaces instead of zeros it scores 64"),
        "{out}"
    );
    let out = succeed(&format!("selfrep --json {text}"), &[]);
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(said["score"], 0);
    assert_eq!(said["score_padded_with_spaces"], 64);
    // Where both agree, or nothing is padded, there is no hint.
    let out = succeed("selfrep +", &[]);
    assert!(!String::from_utf8(out.stdout).unwrap().contains("hint"));
    let out = succeed(&format!("selfrep --json --hex {}", "5b".repeat(64)), &[]);
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(said["score_padded_with_spaces"].is_null());
}
