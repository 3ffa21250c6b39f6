//! Charts, pictures, strips and films, as a user makes them; and frames of runs that are
//! stopped and resumed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::common::{broth, fail, read, read_text, succeed};
use broth::language::{Language, PROGRAM_LEN};
use broth::plot::picture::{BACKGROUND, Rgb, kind_colours, role_colour};
use broth::soup::checkpoint::Checkpoint;

/// A soup in which a replicator spreads at once, so that pictures change.
const LIVELY: &str = "run --num 256 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                      --log-interval 8 --checkpoint-interval 32 --quiet";

struct Decoded {
    width: usize,
    /// One picture, or those of a film.
    frames: Vec<Vec<Rgb>>,
    /// Seconds that each of a film stays.
    delays: Vec<f64>,
}

fn decode(path: &Path) -> Decoded {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let count = reader.info().animation_control.map_or(1, |c| c.num_frames);
    let mut decoded = Decoded {
        width: reader.info().width as usize,
        frames: Vec::new(),
        delays: Vec::new(),
    };
    for _ in 0..count {
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        decoded.frames.push(pixels.as_chunks::<3>().0.to_vec());
        if let Some(control) = reader.info().frame_control {
            let delay = f64::from(control.delay_num) / f64::from(control.delay_den);
            decoded.delays.push(delay);
        }
    }
    decoded
}

fn bff_noheads() -> &'static Language {
    "bff_noheads".parse().unwrap()
}

fn colour_of(byte: u8) -> Rgb {
    let kind = bff_noheads().kind_numbers()[byte as usize];
    kind_colours(bff_noheads())[kind as usize]
}

fn checkpoint(run: &Path, epochs: u64) -> PathBuf {
    run.join(format!("checkpoints/{epochs:010}.dat"))
}

/// Names and content of all files in a folder and those within.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(content(&path)),
            false => files.push((path.file_name().unwrap().into(), read(&path))),
        }
    }
    files.sort();
    files
}

#[test]
fn a_plot_shows_what_the_run_has_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut heights = Vec::new();
    for (name, flags) in [("plain", ""), ("scored", "--eval-selfrep")] {
        let out = folder.path().join(name);
        succeed(&format!("{LIVELY} --max-epochs 70 {flags} --out"), &[&out]);
        let output = succeed("plot", &[&out]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("plot.png"));
        let plot = decode(&out.join("plot.png"));
        let pixels = &plot.frames[0];
        let has = |rgb: Rgb| pixels.iter().filter(|pixel| **pixel == rgb).count() > 100;
        let kind = |name: &str| {
            let kind = bff_noheads().kinds().into_iter().find(|k| k.name == name);
            role_colour(kind.unwrap().role)
        };
        // Lines of single bytes' entropy and of ops; of replicators where they are counted.
        assert!(has(kind("head 0 right")) && has(kind("copy to head 1")));
        assert_eq!(has(kind("increment")), name == "scored");
        assert_eq!(plot.width, 1600);
        heights.push(pixels.len() / plot.width);
    }
    assert!(heights[1] > heights[0]);
    // It may be made again, and elsewhere.
    let out = folder.path().join("plain");
    succeed("plot", &[&out]);
    let elsewhere = folder.path().join("elsewhere.png");
    succeed("plot", &[&out, "--out".as_ref(), &elsewhere]);
    assert_eq!(read(&elsewhere), read(out.join("plot.png")));
}

#[test]
fn wrong_tables_are_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(
        "run --num 2 --max-epochs 3 --log-interval 1 --quiet --out",
        &[&out],
    );
    let metrics = out.join("metrics.csv");
    let good = read_text(&metrics);
    for (bad, hints) in [
        (
            good.replace("\n2,", "\n2,x"),
            &["metrics.csv line 3", "byte_entropy"][..],
        ),
        (good.replace("\n2,", "\n1,"), &["line 3", "epoch"]),
        (good.replace("\n3,", "\n3,1,"), &["line 4", "cells"]),
        (good.replace("epoch,", "epochs,"), &["is no table of a run"]),
        (
            good.lines().next().unwrap().to_string() + "\n",
            &["no row yet"],
        ),
        (String::new(), &["is no table of a run"]),
    ] {
        fs::write(&metrics, bad).unwrap();
        fail(2, "plot", &[&out], hints);
        assert!(!out.join("plot.png").exists());
    }
    fs::remove_file(&metrics).unwrap();
    fail(2, "plot", &[&out], &["metrics.csv", "check the path"]);
    fail(2, "plot no-such-folder", &[], &["not a run folder"]);
}

#[test]
fn pictures_of_a_run_and_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    succeed(&format!("{LIVELY} --max-epochs 70 --out"), &[&out]);
    // The run's own picture is that of its newest checkpoint.
    let own = read(out.join("soup-0000000070.png"));
    fs::remove_file(out.join("soup-0000000070.png")).unwrap();
    succeed("picture", &[&out]);
    assert_eq!(read(out.join("soup-0000000070.png")), own);

    // By tiles, 16 in a row, in the middle of 720 pixels; and by columns.
    let file = checkpoint(&out, 33);
    let programs = Checkpoint::read(&file).unwrap().programs;
    let png = folder.path().join("soup.png");
    type Place = fn(usize, usize) -> (usize, usize);
    let places: [(&str, Place); 3] = [
        ("tiles", |program, byte| {
            (
                296 + program % 16 * 8 + byte % 8,
                program / 16 * 8 + byte / 8,
            )
        }),
        ("columns", |program, byte| (232 + program, byte)),
        ("grid --grid 64x4", |program, byte| {
            (
                104 + program % 64 * 8 + byte % 8,
                program / 64 * 8 + byte / 8,
            )
        }),
    ];
    for (layout, place) in places {
        let words = format!("picture --lang bff_noheads --layout {layout} --out");
        succeed(&words, &[&png, &file]);
        let picture = decode(&png);
        assert_eq!(picture.width, 720);
        for (i, byte) in programs.iter().enumerate() {
            let (x, y) = place(i / PROGRAM_LEN, i % PROGRAM_LEN);
            let seen = picture.frames[0][y * picture.width + x];
            assert_eq!(seen, colour_of(*byte), "{layout}: byte {i}");
        }
        assert_eq!(picture.frames[0][0], BACKGROUND);
    }
    // A run knows its language and its checkpoints.
    succeed("picture --epoch 33 --layout columns", &[&out]);
    let of_run = decode(&out.join("soup-0000000033-columns.png"));
    assert_eq!(of_run.frames[0][232], colour_of(programs[0]));
    fail(
        2,
        "picture --epoch 34",
        &[&out],
        &["--epoch 34", "those that it has: 70, 65, 33, 1"],
    );
    let alone = folder.path().join("0000000033.dat");
    fs::copy(&file, &alone).unwrap();
    for (words, path, hints) in [
        ("picture", &alone, &["0000000033.dat", "give --lang"][..]),
        (
            "picture --lang bff",
            &file,
            &["--lang", "bff_noheads", "contradicts"],
        ),
        (
            "picture --lang bff_noheads --epoch 3",
            &file,
            &["--epoch 3", "leave it out"],
        ),
        (
            "picture --lang bff_noheads --layout grid",
            &file,
            &["--layout grid", "--grid WxH"],
        ),
        (
            "picture --lang bff_noheads --grid 5x5",
            &file,
            &["--grid 5x5", "256 programs"],
        ),
        ("picture --lang bff", &out, &["--lang", "knows its own"]),
        ("picture --layout grid", &out, &["--layout grid"]),
        ("picture --layout spiral", &out, &["--layout", "columns"]),
    ] {
        fail(2, words, &[path], hints);
    }
}

#[test]
fn only_pictures_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed("run --num 2 --max-epochs 1 --quiet --out", &[&run]);
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "precious").unwrap();
    let nowhere = folder.path().join("no/such/folder.png");
    for words in ["plot", "picture", "strip", "film"] {
        for (out, hint) in [
            (&notes, "exists already and is no PNG"),
            (&run, "exists already and is no PNG"),
            (&nowhere, "no such folder"),
        ] {
            fail(2, words, &[&run, "--out".as_ref(), out], &["--out", hint]);
        }
    }
    assert_eq!(read_text(&notes), "precious");
}

/// The frames that a run of so many epochs leaves in `name.frames`.
fn run_with_frames(folder: &Path, name: &str, epochs: u64) -> (PathBuf, PathBuf) {
    let (run, frames) = (folder.join(name), folder.join(format!("{name}.frames")));
    let words = format!("{LIVELY} --frame-interval 8 --max-epochs {epochs} --frames");
    succeed(&words, &[&frames, "--out".as_ref(), &run]);
    (run, frames)
}

#[test]
fn frames_are_written_while_a_run_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (run, frames) = run_with_frames(folder.path(), "run", 40);
    let names: Vec<_> = content(&frames).into_iter().map(|(name, _)| name).collect();
    let expected = [1, 9, 17, 25, 33].map(|e| PathBuf::from(format!("{e:010}.png")));
    assert_eq!(names, expected);
    // They show the soup, and change nothing of the run.
    let programs = Checkpoint::read(&checkpoint(&run, 33)).unwrap().programs;
    let frame = decode(&frames.join("0000000033.png"));
    assert_eq!(frame.frames[0][296], colour_of(programs[0]));
    let plain = folder.path().join("plain");
    succeed(&format!("{LIVELY} --max-epochs 40 --out"), &[&plain]);
    for file in [
        "metrics.csv",
        "checkpoints/0000000040.dat",
        "soup-0000000040.png",
    ] {
        assert_eq!(read(run.join(file)), read(plain.join(file)), "{file}");
    }
    let settings = read_text(run.join("settings.toml"));
    assert!(settings.contains("frame-interval = 8\n"), "{settings}");
    assert!(!read_text(plain.join("settings.toml")).contains("frame"));
}

#[test]
fn a_resumed_run_has_the_frames_of_an_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_, whole) = run_with_frames(folder.path(), "whole", 120);
    let whole = content(&whole);
    assert_eq!(whole.len(), 15);

    // From a checkpoint before the last frames, of which one is not what it should be.
    let (run, frames) = run_with_frames(folder.path(), "short", 90);
    for epochs in [90, 65] {
        fs::remove_file(checkpoint(&run, epochs)).unwrap();
    }
    fs::copy(frames.join("0000000001.png"), frames.join("0000000073.png")).unwrap();
    fs::copy(frames.join("0000000001.png"), frames.join("0000000075.png")).unwrap();
    fs::write(frames.join("notes.txt"), "mine").unwrap();
    succeed("run --quiet --max-epochs 120 --resume", &[&run]);
    fs::remove_file(frames.join("notes.txt")).unwrap();
    assert!(content(&frames) == whole);

    // After a kill.
    let (run, frames) = (
        folder.path().join("killed"),
        folder.path().join("killed.frames"),
    );
    let mut child = broth()
        .args(LIVELY.split_whitespace())
        .args("--frame-interval 8 --max-epochs 200000 --threads 1".split(' '))
        .arg("--frames")
        .arg(&frames)
        .arg("--out")
        .arg(&run)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..2000 {
        if checkpoint(&run, 65).exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had no time for may be more than the others have: as many are compared.
    let last = Checkpoint::read(&newest(&run)).unwrap().epochs_done + 40;
    succeed(
        &format!("run --quiet --max-epochs {last} --resume"),
        &[&run],
    );
    let (_, undisturbed) = run_with_frames(folder.path(), "undisturbed", last);
    assert!(content(&frames) == content(&undisturbed));
}

fn newest(run: &Path) -> PathBuf {
    let entries = fs::read_dir(run.join("checkpoints")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let checkpoints = paths.filter(|path| path.extension() == Some("dat".as_ref()));
    checkpoints.max().unwrap()
}

#[test]
fn frames_of_another_run_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (run, frames) = run_with_frames(folder.path(), "run", 33);
    let new = folder.path().join("new");
    fail(
        2,
        "run --num 2 --max-epochs 1 --frames",
        &[&frames, "--out".as_ref(), &new],
        &["--frames", "frames of another run", "choose an empty"],
    );
    assert!(!new.exists());
    // Put in the way of a run that goes on.
    let other = folder.path().join("other");
    let words = "run --num 256 --max-epochs 1 --quiet --frames";
    succeed(words, &[&other, "--out".as_ref(), &folder.path().join("o")]);
    let theirs = frames.join("0000000041.png");
    fs::copy(other.join("0000000001.png"), &theirs).unwrap();
    fail(
        2,
        "run --quiet --max-epochs 50 --resume",
        &[&run],
        &["0000000041.png", "no frame of this run", "move it away"],
    );
    assert_eq!(read(&theirs), read(other.join("0000000001.png")));
    fs::remove_file(&theirs).unwrap();
    succeed("run --quiet --max-epochs 50 --resume", &[&run]);
    assert!(theirs.exists());

    for (words, hints) in [
        ("run --frame-interval 3", &["--frames"][..]),
        ("run --frames x --frame-interval 0", &["--frame-interval 0"]),
        ("run --resume x --frames y", &["--resume", "--frames"]),
    ] {
        fail(2, words, &[], hints);
    }
}

#[test]
fn films_of_frames_and_of_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (run, frames) = run_with_frames(folder.path(), "run", 70);
    let film = folder.path().join("film.png");
    let out: &[&Path] = &[&frames, "--out".as_ref(), &film];

    succeed("film --fps 5", out);
    let decoded = decode(&film);
    assert_eq!(decoded.delays, [vec![0.2; 8], vec![3.0]].concat());
    for (i, pixels) in decoded.frames.iter().enumerate() {
        let frame = decode(&frames.join(format!("{:010}.png", 1 + 8 * i)));
        assert!(frame.frames[0] == *pixels, "frame {i}");
    }
    succeed("film --from 2 --to 57 --every 16 --quiet", out);
    let chosen = decode(&film);
    // 9, 25, 41, 57
    assert_eq!(chosen.delays, [0.1, 0.1, 0.1, 3.0]);
    assert!(chosen.frames[1] == decoded.frames[3]);

    // Of a run, from epochs without a checkpoint on; its folder stays as it is.
    let before = content(&run);
    let out: &[&Path] = &[&run, "--out".as_ref(), &film];
    succeed("film --from 34 --to 65 --every 31", out);
    assert!(content(&run) == before);
    let replayed = decode(&film);
    assert_eq!(replayed.frames.len(), 2);
    let programs = Checkpoint::read(&checkpoint(&run, 65)).unwrap().programs;
    for (i, byte) in programs.iter().enumerate() {
        let (program, byte_at) = (i / PROGRAM_LEN, i % PROGRAM_LEN);
        let (x, y) = (
            296 + program % 16 * 8 + byte_at % 8,
            program / 16 * 8 + byte_at / 8,
        );
        let seen = replayed.frames[1][y * replayed.width + x];
        assert_eq!(seen, colour_of(*byte), "byte {i}");
    }
    succeed("film --quiet", out);
    assert_eq!(decode(&film).frames.len(), 36);

    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(frames.join("0000000003.png"), "GIF89a").unwrap();
    for (words, path, hints) in [
        (
            "film",
            &empty,
            &["neither a run folder nor one with frames"][..],
        ),
        ("film --from 80", &frames, &["a film of 0 frames"]),
        (
            "film",
            &frames,
            &["0000000003.png", "is no frame", "move it away"],
        ),
        ("film --every 0", &run, &["--every"]),
        ("film --fps 0", &run, &["--fps"]),
        (
            "film --to 5000 --every 1",
            &run,
            &["--every 1", "choose 6 or more"],
        ),
        (
            "film --from 9 --to 8",
            &run,
            &["epochs 9 to 8", "70 epochs done"],
        ),
    ] {
        fail(2, words, &[path, "--out".as_ref(), &film], hints);
    }
    fail(
        2,
        "film no-such-folder",
        &[],
        &["no-such-folder", "check the path"],
    );
    // A frame of another soup among them.
    let others = folder.path().join("others");
    succeed(
        "run --num 2000 --lang forth --max-epochs 1 --quiet --frames",
        &[&others, "--out".as_ref(), &folder.path().join("o")],
    );
    fs::copy(others.join("0000000001.png"), frames.join("0000000003.png")).unwrap();
    let out: &[&Path] = &[&frames, "--out".as_ref(), &film];
    fail(2, "film", out, &["0000000003.png", "another run"]);
}

#[test]
fn a_strip_shows_bytes_over_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&format!("{LIVELY} --max-epochs 70 --out"), &[&run]);
    let before = content(&run);
    let png = folder.path().join("strip.png");
    let out: &[&Path] = &[&run, "--out".as_ref(), &png];
    succeed("strip --from 33 --to 65 --every 32 --programs 3..4", out);
    assert!(content(&run) == before);
    let strip = decode(&png);
    assert_eq!(strip.width, 1600);
    // Two columns, of 1426 pixels together, and 64 rows of 6.
    for (epochs, x) in [(33, 134 + 356), (65, 134 + 1070)] {
        let programs = Checkpoint::read(&checkpoint(&run, epochs))
            .unwrap()
            .programs;
        for (row, byte) in programs[3 * PROGRAM_LEN..4 * PROGRAM_LEN]
            .iter()
            .enumerate()
        {
            let y = 60 + 44 + 260 + 44 + row * 6 + 3;
            let seen = strip.frames[0][y * strip.width + x];
            assert_eq!(seen, colour_of(*byte), "epoch {epochs}, byte {row}");
        }
    }
    // Above, of 248 pixels, all kinds but no-ops; the most there is takes ten elevenths.
    let points = [(33, 134 + 356), (65, 134 + 1070)];
    let soups = points.map(|(epochs, _)| Checkpoint::read(&checkpoint(&run, epochs)).unwrap());
    let no_op = bff_noheads().kind(b'x');
    let is_op = |byte: &&u8| bff_noheads().kind(**byte) != no_op;
    let ops = soups
        .each_ref()
        .map(|s| s.programs.iter().filter(is_op).count() as f64);
    for (ops_here, (_, x)) in ops.iter().zip(points) {
        let column = (104..352).map(|y| strip.frames[0][y * strip.width + x]);
        let filled = column.filter(|pixel| *pixel != BACKGROUND).count() as f64;
        let expected = ops_here / ops[0].max(ops[1]) / 1.1 * 248.0;
        assert!((filled - expected).abs() < 3.0, "{filled} {expected}");
    }

    // Of many programs each a row, two pixels high.
    succeed("strip --from 33 --to 65 --every 32 --programs 0..256", out);
    let strip = decode(&png);
    for (soup, (_, x)) in soups.iter().zip(points) {
        for (row, program) in soup.programs.chunks(PROGRAM_LEN).enumerate() {
            let y = 60 + 44 + 260 + 44 + row * 2 + 1;
            let seen = strip.frames[0][y * strip.width + x];
            let times = |rgb: Rgb| {
                let ops = program.iter().filter(is_op);
                ops.filter(|byte| colour_of(**byte) == rgb).count()
            };
            let most = kind_colours(bff_noheads()).into_iter().map(times).max();
            match most {
                Some(0) => assert_eq!(seen, BACKGROUND),
                most => assert_eq!(Some(times(seen)), most, "program {row}"),
            }
        }
    }
    succeed("strip", &[&run]);
    assert!(run.join("strip.png").exists());
    for (words, hints) in [
        (
            "strip --programs 250..257",
            &["--programs 250..257", "0..256"][..],
        ),
        ("strip --programs 4..4", &["--programs 4..4"]),
        ("strip --programs 4", &["--programs", "A..B"]),
        (
            "strip --to 9000 --every 1",
            &["--every 1", "choose 3 or more"],
        ),
    ] {
        fail(2, words, out, hints);
    }
    // A run that began with a checkpoint has nothing before it.
    let loaded = folder.path().join("loaded");
    let words = "run --quiet --max-epochs 80 --seed 2 --override-settings --load";
    succeed(words, &[&checkpoint(&run, 70), "--out".as_ref(), &loaded]);
    succeed("strip --quiet", &[&loaded]);
    fail(
        2,
        "strip --from 69",
        &[&loaded],
        &["--from 69", "choose 70 or more"],
    );
}
