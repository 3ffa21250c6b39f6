//! Charts, pictures, strips and films, as a user makes them; and frames of runs that are
//! stopped and resumed.

mod formats;
mod frames;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::common::{fail, read, read_text, succeed};
use broth::language::{Language, PROGRAM_LEN};
use broth::plot::theme::{Rgb, Theme};
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
    Theme::Dark.kind_colours(bff_noheads())[kind as usize]
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
            Theme::Dark.role_colour(kind.unwrap().role)
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
    fail(2, "plot no-such-folder", &[], &["no such file or folder"]);
    fail(2, "plot", &[folder.path()], &["not a run folder"]);
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
        assert_eq!(picture.frames[0][0], Theme::Dark.background());
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
        let filled = column
            .filter(|pixel| *pixel != Theme::Dark.background())
            .count() as f64;
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
            let most = Theme::Dark
                .kind_colours(bff_noheads())
                .into_iter()
                .map(times)
                .max();
            match most {
                Some(0) => assert_eq!(seen, Theme::Dark.background()),
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

/// The first picture that anyone sees: at the end of a run, at the size of a screen, grey where
/// all is noise, and coloured where a replicator has spread.
#[test]
fn the_picture_at_the_end_tells_life_from_noise() {
    let folder = tempfile::tempdir().unwrap();
    let share_of_colour = |name: &str, flags: &str| {
        let out = folder.path().join(name);
        let replicator = "[[{.>]-]   ]-]>.{[[";
        let words = format!("run --quiet --grid 120x68 --seed 3 {flags} --initial-program");
        succeed(&words, &[replicator.as_ref(), "--out".as_ref(), &out]);
        let entries = fs::read_dir(&out).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let picture = paths.find(|path| path.extension() == Some("png".as_ref()));
        let picture = decode(&picture.unwrap());
        assert_eq!(picture.width, 1600);
        let height = picture.frames[0].len() / picture.width;
        assert!(height <= 1200, "{height}");
        // A fifth of the picture is the grid; samples and legends have little colour.
        let is_coloured = |[r, g, b]: &&Rgb| r.max(g).max(b) - r.min(g).min(b) > 100;
        let coloured = picture.frames[0].iter().filter(is_coloured).count();
        coloured as f64 / picture.frames[0].len() as f64
    };
    let noise = share_of_colour("noise", "--max-epochs 1");
    let life = "--log-interval 8 --stop-high-order-entropy 2.5 --max-epochs 900";
    let alive = share_of_colour("alive", life);
    assert!(noise < 0.03 && alive > 0.08, "{noise} {alive}");
}
