//! Frames of runs that are stopped and resumed, and films.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use broth::language::PROGRAM_LEN;
use broth::soup::checkpoint::Checkpoint;

use super::{LIVELY, checkpoint, colour_of, content, decode};
use crate::common::{broth, fail, read, read_text, succeed};

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
    let mut expected = [1, 9, 17, 25, 33]
        .map(|e| PathBuf::from(format!("{e:010}.png")))
        .to_vec();
    expected.push("latest.png".into());
    assert_eq!(names, expected);
    // For whoever looks now and then.
    assert_eq!(
        read(frames.join("latest.png")),
        read(frames.join("0000000033.png"))
    );
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
    assert_eq!(whole.len(), 16);

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

/// A run that is looked at by others need not draw anything, and goes on like that.
#[test]
fn a_run_without_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = succeed(
        &format!(
            "{} --max-epochs 20 --no-picture --out",
            LIVELY.replace("--quiet", "")
        ),
        &[&run],
    );
    let pictures = |run: &Path| {
        let names = content(run).into_iter().map(|(name, _)| name);
        names
            .filter(|name| name.extension() == Some("png".as_ref()))
            .count()
    };
    assert_eq!(pictures(&run), 0);
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(
        screen.contains("checkpoint") && !screen.contains("picture"),
        "{screen}"
    );
    assert!(read_text(run.join("settings.toml")).contains("no-picture = true\n"));
    for epochs in [30, 40] {
        succeed(
            &format!("run --quiet --max-epochs {epochs} --resume"),
            &[&run],
        );
        assert_eq!(pictures(&run), 0);
    }
    // Asked for later.
    let other = folder.path().join("other");
    succeed(&format!("{LIVELY} --max-epochs 20 --out"), &[&other]);
    assert_eq!(pictures(&other), 1);
    succeed(
        "run --quiet --no-picture --max-epochs 40 --resume",
        &[&other],
    );
    assert_eq!(pictures(&other), 1);
    for file in ["metrics.csv", "checkpoints/0000000040.dat"] {
        assert_eq!(read(run.join(file)), read(other.join(file)), "{file}");
    }
    // It can be drawn all the same.
    succeed("picture", &[&run]);
    assert_eq!(pictures(&run), 1);
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
    let latest = folder.path().join("latest");
    fs::create_dir(&latest).unwrap();
    fs::write(latest.join("latest.png"), "mine").unwrap();
    fail(
        2,
        "run --num 2 --max-epochs 1 --frames",
        &[&latest, "--out".as_ref(), &new],
        &["--frames", "frames of another run"],
    );
    assert_eq!(read_text(latest.join("latest.png")), "mine");
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

    // Of whichever kind, a film goes where its frames come from.
    succeed("film --quiet", &[&run]);
    assert!(read(run.join("film.png")) == read(&film));
    succeed("film --quiet", &[&frames]);
    assert_eq!(decode(&frames.join("film.png")).frames.len(), 9);

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

/// A film has the same pictures as GIF, one on top of the other, for as long.
#[test]
fn films_as_gif_show_what_animated_png_does() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _) = run_with_frames(folder.path(), "run", 70);
    let [png, gif] = ["film.png", "film.gif"].map(|name| {
        let out = folder.path().join(name);
        succeed("film --fps 8 --every 5 --quiet --out", &[&out, &run]);
        out
    });
    let expected = decode(&png);
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut reader = options.read_info(File::open(&gif).unwrap()).unwrap();
    let palette = reader.global_palette().unwrap().to_vec();
    let size = (usize::from(reader.width()), usize::from(reader.height()));
    assert_eq!(
        size,
        (expected.width, expected.frames[0].len() / expected.width)
    );
    assert_eq!(reader.repeat(), gif::Repeat::Infinite);
    let mut shown = vec![[0; 3]; size.0 * size.1];
    let mut count = 0;
    while let Some(frame) = reader.read_next_frame().unwrap() {
        let frame_size = (usize::from(frame.width), usize::from(frame.height));
        assert_eq!(frame_size, size);
        for (pixel, index) in shown.iter_mut().zip(frame.buffer.iter()) {
            if Some(*index) != frame.transparent {
                *pixel = palette.as_chunks::<3>().0[usize::from(*index)];
            }
        }
        assert!(shown == expected.frames[count], "frame {count}");
        let seconds = f64::from(frame.delay) / 100.0;
        assert!(
            (seconds - expected.delays[count]).abs() < 0.01,
            "frame {count}"
        );
        count += 1;
    }
    assert_eq!(count, expected.frames.len());
    assert!(count > 10);
}
