//! Other worlds than that of pairs of 64-byte programs: frozen, followed from outside, and
//! looked at with every command.

use std::path::{Path, PathBuf};

use crate::common::{broth_with, data, fail, read, read_text, sha256, succeed};
use broth::engine::{Engine, Options};
use broth::language::machine::{I8080, Z80, Z80_ZFF};
use broth::language::{Language, forth};
use broth::soup::checkpoint::Checkpoint;
use broth::soup::meeting::Grid;
use broth::soup::settings::World;
use broth::{Meeting, Settings, Soup};
use rayon::ThreadPoolBuilder;

fn settings(world: World, language: &'static Language, seed: u64) -> Settings {
    Settings {
        language,
        world,
        seed,
        num_programs: world.num_programs(language),
        mutation_prob: world.mutation_prob(),
        max_steps: world.max_steps(language),
        ..Settings::default()
    }
}

/// A soup after so many epochs, by the engine that runs by default.
fn soup_after(settings: Settings, epochs: u64) -> Soup {
    let mut soup = Soup::new(settings).unwrap();
    soup.set_engine(Engine::Auto, &Options::default());
    for _ in 0..epochs {
        soup.step();
    }
    soup
}

/// The grid of zff's own code, its batches split among four workers as its page does it.
#[test]
fn zffs_grid_is_zffs() {
    for (seed, first, hundredth) in [
        (
            1,
            "88cc150e553675d3d564b1cdb4560b261c0fc626a302246fe68f19ac06d2d996",
            "23294c8dffc7d6f2c83e371865a2845e099751a07ac526df299ba7de726075c3",
        ),
        (
            2,
            "d1817dd6fdb3d7ef3e1142d96acb847336439df5a136ea40da85d7137835a1f6",
            "84cc1ab3e2839f78d7115799db63182fe1f9f35128432e154ba2b312478f921e",
        ),
        (
            77,
            "5413f6c0096908ceb1caf120bb0f5ede40fc13655ebd92f4908f3506f68e1f89",
            "12b72f8e5189b4b7401efc29bc57c6dabffb5e206ef2c8675c26067c0af18421",
        ),
    ] {
        let mut soup = soup_after(settings(World::Zff, &Z80_ZFF, seed), 1);
        assert_eq!(sha256(soup.programs()), first, "seed {seed}");
        for _ in 1..100 {
            soup.step();
        }
        assert_eq!(sha256(soup.programs()), hundredth, "seed {seed}");
    }
}

/// The same after a thousand batches: life is under way by then.
#[test]
#[ignore = "takes a minute"]
fn zffs_grid_is_zffs_for_long() {
    for (seed, thousandth) in [
        (
            1,
            "6b06559595a4f2374e12e7512aedcd1344ae893ce08a13b40bb3aec274cd7b0a",
        ),
        (
            2,
            "56fef9029fe7f13e704607e64b7d14a57c8e7c7f6ce5b4c4f0259ebdc5fdc594",
        ),
        (
            77,
            "74788079ca18470434a245ec6bc9a72fee06c290f26f2d016d1deb6ace7961ae",
        ),
    ] {
        let soup = soup_after(settings(World::Zff, &Z80_ZFF, seed), 1000);
        assert_eq!(sha256(soup.programs()), thousandth, "seed {seed}");
    }
}

/// Small soups of every other world.
fn other_worlds() -> Vec<(&'static str, Settings)> {
    let tape = |head_offset| World::LongTape { head_offset };
    let small = |world, language: &'static Language, seed| Settings {
        num_programs: 8192 / language.program_len,
        ..settings(world, language, seed)
    };
    let language = |name: &str| name.parse().unwrap();
    let grid = |torus| {
        Meeting::Grid(Grid {
            width: 32,
            height: 16,
            radius: 2,
            torus,
        })
    };
    vec![
        (
            "long-tape bff_noheads",
            small(tape(12), language("bff_noheads"), 1),
        ),
        (
            "long-tape bff_noheads_4bit",
            small(tape(12), language("bff_noheads_4bit"), 1),
        ),
        (
            "long-tape bff_noheads_4bit, 0",
            small(tape(0), language("bff_noheads_4bit"), 1),
        ),
        ("long-tape bff8", small(tape(3), language("bff8"), 1)),
        (
            "long-tape bff_selfmove",
            small(tape(16), language("bff_selfmove"), 1),
        ),
        (
            "long-tape forthrelative",
            small(tape(0), &forth::FORTHRELATIVE, 1),
        ),
        ("long-tape i8080", small(tape(0), &I8080, 1)),
        ("long-tape z80", small(tape(0), &Z80, 1)),
        ("pairs z80", small(World::Pairs, &Z80, 1)),
        ("pairs z80_zff", small(World::Pairs, &Z80_ZFF, 1)),
        ("pairs i8080", small(World::Pairs, &I8080, 1)),
        (
            "pairs forthrelative",
            small(World::Pairs, &forth::FORTHRELATIVE, 1),
        ),
        (
            "torus z80",
            Settings {
                num_programs: 512,
                meeting: grid(true),
                ..small(World::Pairs, &Z80, 1)
            },
        ),
        (
            "torus bff_noheads",
            Settings {
                num_programs: 512,
                meeting: grid(true),
                ..small(World::Pairs, language("bff_noheads"), 1)
            },
        ),
    ]
}

/// What these worlds are was chosen here (docs/worlds.md); it stays as it is.
#[test]
fn other_worlds_are_frozen() {
    let mut lines = String::new();
    for (name, settings) in other_worlds() {
        let soup = soup_after(settings, 100);
        lines += &format!("{}  {name}\n", sha256(soup.programs()));
    }
    assert_eq!(lines, read_text(data("worlds.txt")));
}

/// Threads, engines, and being saved in between change nothing.
#[test]
fn other_worlds_are_the_same_however_they_are_run() {
    let mut worlds = other_worlds();
    worlds.push(("zff", settings(World::Zff, &Z80_ZFF, 5)));
    for (name, settings) in worlds {
        let mut whole = Soup::new(settings.clone()).unwrap();
        whole.set_engine(Engine::Reference, &Options::default());
        let mut soup = Soup::new(settings.clone()).unwrap();
        for epoch in 0..12 {
            let engine = Engine::ALL[epoch % 4];
            soup.set_engine(engine, &Options::default());
            let threads = ThreadPoolBuilder::new().num_threads(1 + epoch % 3).build();
            let tally = threads.unwrap().install(|| soup.step());
            assert_eq!(tally, whole.step(), "{name}, epoch {epoch}");
            assert!(soup.programs() == whole.programs(), "{name}, epoch {epoch}");
            if epoch % 4 == 1 {
                let mut saved = Checkpoint::empty();
                saved.copy_from(&soup);
                soup = Soup::from_checkpoint(settings.clone(), saved, true).unwrap();
            }
        }
    }
}

/// A run in a folder of its own.
fn run(folder: &Path, words: &str) -> PathBuf {
    let run = folder.join("run");
    succeed(&format!("run --quiet {words} --out"), &[&run]);
    run
}

/// Every command that looks at soups has something to say in every world.
#[test]
fn every_command_works_in_every_world() {
    for (words, lang, epochs) in [
        ("--world zff --seed 7 --max-steps 16", "z80_zff", 3),
        ("--lang z80 --grid 16x8 --torus --seed 7", "z80", 8),
        (
            "--world long-tape --lang i8080 --tape-bytes 4096 --seed 7",
            "i8080",
            8,
        ),
        (
            "--world long-tape --lang bff_noheads_4bit --tape-bytes 4096 --head-offset 12",
            "bff_noheads_4bit",
            8,
        ),
        (
            "--world long-tape --lang forthrelative --tape-bytes 4096",
            "forthrelative",
            8,
        ),
    ] {
        let parent = tempfile::tempdir().unwrap();
        let every = "--eval-selfrep --log-interval 2 --checkpoint-interval 2";
        let frames = parent.path().join("frames");
        let frames_flag = format!("--frames {} --frame-interval 2", frames.display());
        let run = run(
            parent.path(),
            &format!("{words} {every} {frames_flag} --max-epochs {epochs}"),
        );
        let checkpoint = run.join(format!("checkpoints/{epochs:010}.dat"));
        succeed("census --top 2 --sequences 4", &[&run]);
        succeed(&format!("census --top 2 --lang {lang}"), &[&checkpoint]);
        let out = succeed(&format!("inspect --lang {lang}"), &[&checkpoint]);
        let out = String::from_utf8(out.stdout).unwrap();
        assert!(out.contains("commonest programs"), "{out}");
        succeed("picture", &[&run]);
        succeed("picture --layout columns", &[&run]);
        succeed("strip --quiet", &[&run]);
        succeed("strip --quiet --programs 3..40", &[&run]);
        succeed("plot", &[&run]);
        let film = parent.path().join("film.png");
        succeed("film --quiet", &[&frames, Path::new("--out"), &film]);
        succeed(
            &format!("selfrep --lang {lang} --checkpoint"),
            &[&checkpoint],
        );
        succeed(
            &format!("exec --lang {lang} --trace --max-steps 9 --hex 0102"),
            &[],
        );
        succeed(&format!("selfrep --lang {lang} --hex 0102 --partners"), &[]);
        // What is told of pairs of 64-byte programs alone is refused by name.
        let names = ["single interactions", "census"];
        fail(2, "show-interaction --epoch 1 --pair 0", &[&run], &names);
        fail(2, "ancestry --first-replicator", &[&run], &names);
        // A run can be repeated, and gone on with.
        let more = format!("run --quiet --max-epochs {} --resume", epochs + 2);
        succeed(&more, &[&run]);
    }
}

/// Resumed, or begun from a checkpoint whose sidecar has its stream, zff's grid goes on.
#[test]
fn zffs_stream_is_kept() {
    let parent = tempfile::tempdir().unwrap();
    let folder = |name: &str| parent.path().join(name);
    let words = "run --quiet --world zff --seed 4 --max-steps 8 --checkpoint-interval 100";
    let [whole, halves, loaded] = ["whole", "halves", "loaded"].map(folder);
    succeed(&format!("{words} --max-epochs 8 --out"), &[&whole]);
    succeed(&format!("{words} --max-epochs 5 --out"), &[&halves]);
    let start = halves.join("checkpoints/0000000005.dat");
    let load = |out: &Path| -> [PathBuf; 4] {
        [
            "--load".into(),
            start.clone(),
            "--out".into(),
            out.to_path_buf(),
        ]
    };
    let arguments = load(&loaded);
    let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
    succeed(&format!("{words} --max-epochs 8"), &arguments);
    succeed("run --quiet --max-epochs 8 --resume", &[&halves]);
    let end = |run: &Path| read(run.join("checkpoints/0000000008.dat"));
    assert!(end(&halves) == end(&whole) && end(&loaded) == end(&whole));

    // A stream that is not what was written; none at all.
    let sidecar = start.with_extension("toml");
    let text = read_text(&sidecar);
    let other = text.replace("stream = \"", "stream = \"0");
    for (text, hint) in [(other, "random stream"), (String::new(), "sidecar")] {
        std::fs::write(&sidecar, text).unwrap();
        let refused = folder("refused");
        let arguments = load(&refused);
        let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
        fail(2, &format!("{words} --max-epochs 8"), &arguments, &[hint]);
    }
    std::fs::remove_file(&sidecar).unwrap();
    let refused = folder("refused");
    let arguments = load(&refused);
    let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
    fail(
        2,
        &format!("{words} --max-epochs 8"),
        &arguments,
        &["--world zff", "sidecar"],
    );
}

/// What settings.toml says can be given as flags, on a long tape too.
#[test]
fn a_long_tape_is_repeated_by_its_settings() {
    let parent = tempfile::tempdir().unwrap();
    let soup = |name: &str, words: &str| {
        let out = parent.path().join(name);
        let words = format!("run --quiet --world long-tape --max-epochs 4 {words} --out");
        succeed(&words, &[&out]);
        let settings = read_text(out.join("settings.toml"));
        (read(out.join("checkpoints/0000000004.dat")), settings)
    };
    let (by_bytes, settings) = soup("bytes", "--tape-bytes 4096");
    assert!(settings.contains("num = 64"), "{settings}");
    assert!(soup("num", "--num 64").0 == by_bytes);
}

#[test]
fn wrong_worlds_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("run");
    for (words, hints) in [
        ("--world moon", vec!["--world moon", "long-tape"]),
        ("--world zff --lang bff", vec!["--world zff", "bff", "z80"]),
        ("--world zff --num 64", vec!["--num 64", "40000"]),
        ("--world zff --grid 200x200", vec!["--world zff", "--grid"]),
        ("--world zff --reset-interval 5", vec!["--reset-interval"]),
        (
            "--world zff --head-offset 5",
            vec!["--head-offset", "long-tape"],
        ),
        ("--tape-bytes 4096", vec!["--tape-bytes", "long-tape"]),
        (
            "--world long-tape --num 6",
            vec!["--num 6: they are 384 bytes", "power of two"],
        ),
        (
            "--world long-tape --tape-bytes 5000",
            vec!["--tape-bytes 5000", "power of two"],
        ),
        (
            "--world long-tape --tape-bytes 128",
            vec!["--tape-bytes 128", "256"],
        ),
        (
            "--world long-tape --lang subleq",
            vec!["subleq", "forthrelative"],
        ),
        (
            "--world long-tape --lang i8080 --tape-bytes 131072",
            vec!["131072", "65536"],
        ),
        (
            "--world long-tape --tape-bytes 256 --head-offset 256",
            vec!["--head-offset 256"],
        ),
        (
            "--world long-tape --tracers",
            vec!["--tracers", "long-tape"],
        ),
        ("--torus", vec!["--grid"]),
        ("--lang z80 --tracers", vec!["--tracers", "z80"]),
    ] {
        fail(
            2,
            &format!("run {words} --max-epochs 2 --out"),
            &[&out],
            &hints,
        );
        assert!(!out.exists(), "{words}");
    }
    // A checkpoint of programs of another length says so.
    succeed(
        "run --quiet --lang z80 --num 64 --max-epochs 1 --out",
        &[&out],
    );
    let checkpoint = out.join("checkpoints/0000000001.dat");
    let hints = ["32 bytes", "not of 64", "--lang"];
    let alone = out.join("alone.dat");
    std::fs::copy(&checkpoint, &alone).unwrap();
    fail(2, "inspect", &[&alone], &hints);
    fail(2, "search --lang z80", &[], &["z80", "64"]);
    let bench = broth_with("bench --lang z80", &[]);
    assert_eq!(bench.status.code(), Some(2));
}
