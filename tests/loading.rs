//! Where settings come from: sidecars of checkpoints, settings files, and flags beside them.

use std::path::{Path, PathBuf};

use crate::common::{data, fail, read, read_text, succeed};

/// A soup of another language than the default, on a grid.
const FORTH: &str = "run --quiet --lang forthtrivial --seed 7 --grid 8x8 --radius 1 --torus \
                     --mutation-prob 0.01 --max-steps 500 --checkpoint-interval 20";

fn checkpoint(run: &Path, epochs: u64) -> PathBuf {
    run.join(format!("checkpoints/{epochs:010}.dat"))
}

fn said(words: &str, arguments: &[&Path]) -> (String, String) {
    let output = succeed(words, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The run of [`FORTH`] in a folder of its own, to its end after 41 epochs.
fn forth_run(parent: &Path) -> PathBuf {
    let run = parent.join("forth");
    succeed(&format!("{FORTH} --max-epochs 41 --out"), &[&run]);
    run
}

/// A copy of the checkpoint after 21 epochs, without its sidecar.
fn without_sidecar(run: &Path) -> PathBuf {
    let copy = run.join("copy.dat");
    std::fs::copy(checkpoint(run, 21), &copy).unwrap();
    copy
}

#[test]
fn a_loaded_checkpoint_goes_on_as_its_sidecar_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let loaded = folder.path().join("loaded");
    let start = checkpoint(&run, 21);
    let arguments: [&Path; 3] = [&start, "--out".as_ref(), &loaded];
    let (_, stderr) = said("run --max-epochs 41 --load", &arguments);
    assert_eq!(read(checkpoint(&loaded, 41)), read(checkpoint(&run, 41)));
    for hint in ["0000000021.toml", "forthtrivial", "seed 7", "8x8"] {
        assert!(stderr.contains(hint), "no `{hint}` in {stderr}");
    }
    // What is given as the sidecar says it contradicts nothing.
    let again = folder.path().join("again");
    succeed(
        &format!("{FORTH} --max-epochs 41 --load"),
        &[&start, "--out".as_ref(), &again],
    );
    assert_eq!(read(checkpoint(&again, 41)), read(checkpoint(&run, 41)));
}

#[test]
fn flags_that_contradict_a_sidecar_are_refused_unless_they_override_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let start = checkpoint(&run, 21);
    let out = folder.path().join("out");
    for (flags, hints) in [
        ("--mutation-prob 0.5", ["--mutation-prob 0.5", "0.01"]),
        ("--lang bff", ["--lang \"bff\"", "forthtrivial"]),
        ("--seed random", ["--seed", "7"]),
        ("--grid 16x4", ["--grid \"16x4\"", "8x8"]),
        ("--grid none", ["--grid \"8x8\"", "is set there"]),
        (
            "--reset-interval 3",
            ["--reset-interval 3", "not set there"],
        ),
        ("--zero-init", ["--zero-init true", "not set there"]),
    ] {
        let hints = [hints[0], hints[1], "0000000021.toml", "--override-settings"];
        let arguments: [&Path; 3] = [&start, "--out".as_ref(), &out];
        fail(
            2,
            &format!("run --quiet {flags} --load"),
            &arguments,
            &hints,
        );
        assert!(!out.exists());
    }
    for words in [
        "census --top 1 --seed 3",
        "inspect --lang bff",
        "selfrep --lang bff --checkpoint",
    ] {
        let hints = ["0000000021.toml", "--override-settings"];
        fail(2, words, &[&start], &hints);
        let (command, flags) = words.split_once(' ').unwrap();
        succeed(&format!("{command} --override-settings {flags}"), &[&start]);
    }
    let flags = "run --override-settings --mutation-prob 0.5 --max-epochs 30 --grid none --load";
    let (_, stderr) = said(flags, &[&start, "--out".as_ref(), &out]);
    assert!(stderr.contains("mutation-prob 0.5 (not 0.01)"), "{stderr}");
    let settings = read_text(out.join("settings.toml"));
    for line in ["lang = \"forthtrivial\"", "mutation-prob = 0.5", "seed = 7"] {
        assert!(settings.contains(line), "{settings}");
    }
    assert!(!settings.contains("grid"), "{settings}");
}

#[test]
fn a_checkpoint_without_a_sidecar_needs_its_language() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let alone = without_sidecar(&run);
    for words in [
        "run --quiet --out never-made --load",
        "selfrep --checkpoint",
        "census",
        "picture",
        "search --max-programs 1 --from",
        "jit show --checkpoint",
    ] {
        fail(
            2,
            words,
            &[&alone],
            &["copy.toml", "does not say", "--lang"],
        );
    }
    assert!(!Path::new("never-made").exists());
    // Bytes can be counted, whatever they mean.
    succeed("inspect", &[&alone]);
    succeed("census --top 1 --lang forthtrivial", &[&alone]);
    succeed("inspect", &[&data("cubff-513.dat")]);
}

#[test]
fn a_sidecar_of_another_checkpoint_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let path = without_sidecar(&run);
    std::fs::copy(
        checkpoint(&run, 41).with_extension("toml"),
        path.with_extension("toml"),
    )
    .unwrap();
    for words in [
        "run --quiet --lang forthtrivial --out never-made --load",
        "selfrep --checkpoint",
        "census --lang forthtrivial",
        "picture",
        "inspect",
        "search --max-programs 1 --from",
        "jit show --checkpoint",
    ] {
        fail(
            2,
            words,
            &[&path],
            &["does not fit", "copy.toml", "SHA-256"],
        );
    }
}

#[test]
fn checkpoints_are_looked_at_as_their_sidecars_say() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let (known, alone) = (checkpoint(&run, 21), without_sidecar(&run));
    for words in ["selfrep --checkpoint", "census --top 3"] {
        let (with_sidecar, note) = said(words, &[&known]);
        let (with_flags, nothing) = said(
            words,
            &[&alone, "--lang=forthtrivial".as_ref(), "--seed=7".as_ref()],
        );
        assert_eq!(with_sidecar, with_flags);
        assert!(
            note.contains("0000000021.toml") && note.contains("seed 7"),
            "{note}"
        );
        assert_eq!(nothing, "");
    }
    let (with_sidecar, _) = said("inspect", &[&known]);
    let (with_flags, _) = said("inspect --lang forthtrivial", &[&alone]);
    assert_eq!(with_sidecar, with_flags);
    // The grid is the sidecar's, too.
    let [pictured, gridded] = ["a.png", "b.png"].map(|name| folder.path().join(name));
    succeed("picture", &[&known, "--out".as_ref(), &pictured]);
    succeed("picture --epoch 21", &[&run, "--out".as_ref(), &gridded]);
    assert_eq!(read(&pictured), read(&gridded));
    fail(2, "picture --grid 4x16", &[&known], &["--grid", "8x8"]);
}

#[test]
fn an_interaction_pattern_is_found_in_the_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let [run, loaded] = ["run", "loaded"].map(|name| folder.path().join(name));
    let pattern = data("pattern-512.txt");
    succeed(
        "run --quiet --num 512 --seed 3 --max-epochs 12 --checkpoint-interval 4 \
         --interaction-pattern",
        &[&pattern, "--out".as_ref(), &run],
    );
    let start = checkpoint(&run, 5);
    succeed(
        "run --quiet --max-epochs 12 --load",
        &[&start, "--out".as_ref(), &loaded],
    );
    assert_eq!(read(checkpoint(&loaded, 12)), read(checkpoint(&run, 12)));
    // Elsewhere it has to be given; to look at the soup it is not needed.
    let moved = folder.path().join("moved.dat");
    for (from, to) in [
        (start.clone(), moved.clone()),
        (start.with_extension("toml"), moved.with_extension("toml")),
    ] {
        std::fs::copy(from, to).unwrap();
    }
    succeed("census --top 1", &[&moved]);
    let again = folder.path().join("again");
    let arguments: [&Path; 3] = [&moved, "--out".as_ref(), &again];
    fail(
        2,
        "run --quiet --max-epochs 12 --load",
        &arguments,
        &["--interaction-pattern"],
    );
    let arguments: [&Path; 5] = [
        &moved,
        "--out".as_ref(),
        &again,
        "--interaction-pattern".as_ref(),
        &pattern,
    ];
    succeed("run --quiet --max-epochs 12 --load", &arguments);
    assert_eq!(read(checkpoint(&again, 12)), read(checkpoint(&run, 12)));
}

/// With its stop rule lifted or raised, a stopped run has the rows and bytes of one that never
/// had the rule, or had the other one from the start.
#[test]
fn a_stopped_run_goes_on_without_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lively = "run --num 256 --seed 561 --initial-program [[{.>]-]]-]>.{[[ --eval-selfrep \
                  --log-interval 8 --checkpoint-interval 32 --max-epochs 150";
    succeed(&format!("{lively} --quiet --out"), &[&path("free")]);
    for (number, (rule, other)) in [
        (
            "--stop-high-order-entropy 0.1",
            "--stop-high-order-entropy none",
        ),
        ("--stopping-bpb 7.85", "--stopping-bpb none"),
        (
            "--stopping-selfrep-count 1",
            "--stopping-selfrep-count none",
        ),
        ("--stopping-selfrep-count 1", "--stopping-selfrep-count 257"),
        (
            "--stop-high-order-entropy 0.1",
            "--stop-high-order-entropy 7.5",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let out = path(&number.to_string());
        let (stdout, _) = said(&format!("{lively} {rule} --out"), &[&out]);
        let flag = rule.split(' ').next().unwrap();
        let command = format!("broth run --resume {} {flag} none", out.display());
        assert!(stdout.contains(&command), "no `{command}` in {stdout}");
        assert!(!checkpoint(&out, 150).exists(), "{rule}");
        // It stays stopped as long as nobody says otherwise.
        succeed("run --quiet --resume", &[&out]);
        assert!(!checkpoint(&out, 150).exists(), "{rule}");
        succeed(&format!("run --quiet {other} --resume"), &[&out]);
        assert_eq!(
            read(out.join("metrics.csv")),
            read(path("free").join("metrics.csv"))
        );
        assert_eq!(
            read(checkpoint(&out, 150)),
            read(checkpoint(&path("free"), 150))
        );
        let settings = read_text(out.join("settings.toml"));
        let (flag, limit) = other.split_once(' ').unwrap();
        let line = format!("{} = {limit}", &flag[2..]);
        assert_eq!(settings.contains(&line), limit != "none", "{settings}");
    }
    let plain = path("plain");
    succeed("run --quiet --num 64 --max-epochs 2 --out", &[&plain]);
    fail(
        2,
        "run --stopping-selfrep-count 3 --resume",
        &[&plain],
        &[
            "--stopping-selfrep-count 3",
            "not counted",
            "--eval-selfrep",
        ],
    );
}

#[test]
fn a_new_run_begins_from_a_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = forth_run(folder.path());
    let path = |name: &str| folder.path().join(name);
    for (name, from) in [("a", run.clone()), ("b", run.join("settings.toml"))] {
        succeed(
            "run --quiet --settings",
            &[&from, "--out".as_ref(), &path(name)],
        );
        assert_eq!(
            read(checkpoint(&path(name), 41)),
            read(checkpoint(&run, 41))
        );
        assert_eq!(
            read(path(name).join("settings.toml")),
            read(run.join("settings.toml"))
        );
    }
    // Flags win, and that is said.
    let file = run.join("settings.toml");
    let arguments: [&Path; 3] = [&file, "--out".as_ref(), &path("c")];
    let (_, stderr) = said("run --max-epochs 21 --seed 8 --settings", &arguments);
    assert!(stderr.contains("seed 8 (not 7)"), "{stderr}");
    assert!(stderr.contains("max-epochs 21 (not 41)"), "{stderr}");
    let settings = read_text(path("c").join("settings.toml"));
    assert!(settings.contains("lang = \"forthtrivial\"") && settings.contains("seed = 8"));
    // By hand, with a path beside it.
    let pattern = folder.path().join("pattern.txt");
    std::fs::write(&pattern, "0 1\n2 3\n").unwrap();
    let file = path("mine.toml");
    let mine = "lang = \"bff\"\nnum = 4\nmutation-prob = \"1/1000\"\nmax-epochs = 3\n\
                interaction-pattern = \"pattern.txt\"\n";
    std::fs::write(&file, mine).unwrap();
    let arguments: [&Path; 3] = [&file, "--out".as_ref(), &path("d")];
    succeed("run --quiet --settings", &arguments);
    let settings = read_text(path("d").join("settings.toml"));
    assert!(settings.contains("mutation-prob = 0.001"), "{settings}");
    // One way of meeting replaces the other.
    let arguments: [&Path; 3] = [&file, "--out".as_ref(), &path("e")];
    succeed("run --quiet --fixed-shuffle --settings", &arguments);
    for (text, hints) in [
        ("lang = \"bfff\"", ["bfff", "mine.toml"]),
        ("mutation-rate = 0.1", ["mutation-rate", "mutation-prob"]),
        ("num = \"x\"", ["num", "mine.toml"]),
        ("num = 7", ["num 7", "even"]),
        ("[", ["mine.toml", "TOML"]),
    ] {
        std::fs::write(&file, text).unwrap();
        let arguments: [&Path; 3] = [&file, "--out".as_ref(), &path("never")];
        fail(2, "run --quiet --settings", &arguments, &hints);
    }
    fail(
        2,
        "run --resume x --settings y",
        &[],
        &["--resume", "--settings"],
    );
}
