//! What drawings are written as, and in which colours.

use std::fs;

use broth::plot::theme::{Rgb, Theme};

use super::{LIVELY, bff_noheads, decode};
use crate::common::{fail, read, read_text, succeed};

#[test]
fn only_pictures_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed("run --num 2 --max-epochs 1 --quiet --out", &[&run]);
    let notes = folder.path().join("notes.png");
    fs::write(&notes, "precious").unwrap();
    let within = folder.path().join("folder.png");
    fs::create_dir(&within).unwrap();
    let nowhere = folder.path().join("no/such/folder.png");
    for words in ["plot", "picture", "strip", "film"] {
        for (out, hint) in [
            (&notes, "exists already and is no PNG"),
            (&within, "exists already and is no PNG"),
            (&nowhere, "no such folder"),
        ] {
            fail(2, words, &[&run, "--out".as_ref(), out], &["--out", hint]);
        }
    }
    assert_eq!(read_text(&notes), "precious");
    // Nor is a picture of another format, which has been given another ending.
    let png = folder.path().join("a.png");
    succeed("plot", &[&run, "--out".as_ref(), &png]);
    for (words, name, format) in [("plot", "a.svg", "SVG"), ("film", "a.gif", "GIF")] {
        let out = folder.path().join(name);
        fs::copy(&png, &out).unwrap();
        let hint = format!("exists already and is no {format}");
        fail(2, words, &[&run, "--out".as_ref(), &out], &[&hint]);
        fs::remove_file(&out).unwrap();
        for _ in 0..2 {
            succeed(&format!("{words} --out"), &[&out, &run]);
        }
    }
}

/// The name of a drawing decides what is written. What cannot be written is refused before any
/// work: the run given here is none, which nobody looks at.
#[test]
fn endings_are_kept_to_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&format!("{LIVELY} --max-epochs 20 --out"), &[&run]);
    for (words, name, start) in [
        ("plot", "x.svg", &b"<svg"[..]),
        ("plot", "x.SVG", b"<svg"),
        ("plot", "x.png", b"\x89PNG"),
        ("strip --quiet", "y.svg", b"<svg"),
        ("strip --quiet", "y.png", b"\x89PNG"),
        ("picture", "z.png", b"\x89PNG"),
        ("film --quiet", "w.gif", b"GIF89a"),
        ("film --quiet", "w.apng", b"\x89PNG"),
        ("film --quiet", "w.png", b"\x89PNG"),
    ] {
        let out = folder.path().join(name);
        succeed(&format!("{words} --out"), &[&out, &run]);
        assert!(read(&out).starts_with(start), "{words} {name}");
    }
    assert_eq!(
        read(folder.path().join("w.png")),
        read(folder.path().join("w.apng"))
    );
    let no_run = folder.path().join("no-run");
    for (words, name, hints) in [
        (
            "plot --out",
            "no.jpg",
            &["--out", "as .jpg", ".png or .svg"][..],
        ),
        ("plot --out", "no", &["--out", "no ending", ".png or .svg"]),
        ("strip --out", "no.pdf", &["as .pdf", ".png or .svg"]),
        (
            "picture --out",
            "no.svg",
            &["picture of a soup", "as .svg", ".png"],
        ),
        ("film --out", "no.mp4", &["as .mp4", ".png, .apng or .gif"]),
        (
            "film --out",
            "no.webp",
            &["as .webp", ".png, .apng or .gif"],
        ),
        (
            "ancestry --first-replicator --picture",
            "no.gif",
            &["--picture", "as .gif", ".png or .svg"],
        ),
    ] {
        let out = folder.path().join(name);
        fail(2, words, &[&out, &no_run], hints);
        assert!(!out.exists());
    }
}

/// Text in an SVG is text, what is told by lines is lines, and the cells of a strip are those
/// of the PNG.
#[test]
fn svg_holds_what_png_does() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&format!("{LIVELY} --max-epochs 70 --out"), &[&run]);
    let [plot, strip] = ["plot", "strip"].map(|words| {
        let out = folder.path().join(format!("{words}.svg"));
        succeed(&format!("{words} --out"), &[&out, &run]);
        read_text(out)
    });
    for label in [
        "Shannon entropy (bits per byte)",
        "brotli size (bits per byte)",
        "high-order entropy",
        "epochs done",
        "bff_noheads, seed 561, 256 programs",
    ] {
        assert!(plot.contains(label), "{label}");
    }
    assert!(plot.contains("<polyline") && !plot.contains("<image"));
    assert!(strip.contains("copy to head 1") && strip.matches("<image").count() == 1);
    // A drawing of some size, whatever the number of cells.
    assert!(strip.len() < 2_000_000, "{}", strip.len());
}

/// In the light theme the background is white, and a null is still told from a no-op.
#[test]
fn a_light_theme_for_papers() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&format!("{LIVELY} --max-epochs 20 --out"), &[&run]);
    for words in [
        "plot",
        "strip --quiet",
        "picture",
        "picture --layout tiles",
        "picture --layout columns",
    ] {
        let [dark, light] = ["dark", "light"].map(|theme| {
            let out = folder.path().join("x.png");
            succeed(&format!("{words} --theme {theme} --out"), &[&out, &run]);
            decode(&out).frames.remove(0)
        });
        let plain = folder.path().join("plain.png");
        succeed(&format!("{words} --out"), &[&plain, &run]);
        assert!(
            decode(&plain).frames[0] == dark,
            "{words}: dark is the default"
        );
        let share = |pixels: &[Rgb], rgb: Rgb| {
            let of_colour = pixels.iter().filter(|pixel| **pixel == rgb).count();
            of_colour as f64 / pixels.len() as f64
        };
        assert_eq!(light.len(), dark.len());
        assert!(share(&light, [0xff; 3]) > 0.2, "{words}");
        assert_eq!(share(&light, Theme::Dark.background()), 0.0, "{words}");
        assert!(share(&dark, Theme::Dark.background()) > 0.2, "{words}");
        if words != "plot" {
            let no_op = Theme::Light.role_colour(bff_noheads().kind(b'x').role);
            assert!(
                share(&light, no_op) > 0.02 && share(&light, [0; 3]) > 1e-4,
                "{words}"
            );
        }
    }
    let svg = folder.path().join("x.svg");
    succeed("plot --theme light --out", &[&svg, &run]);
    assert!(read_text(&svg).contains("fill=\"#FFFFFF\""));
    fail(
        2,
        "plot --theme grey",
        &[&run],
        &["--theme", "dark", "light"],
    );
}
