//! Figures of tables, pixel by pixel and number by number.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use broth::plot::theme::Rgb;
use broth::sweep::Table;

use super::file;
use crate::common::{read_text, succeed};

fn decode(path: &Path) -> (usize, Vec<Rgb>) {
    let decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    (
        reader.info().width as usize,
        pixels.as_chunks::<3>().0.to_vec(),
    )
}

const BLUE: Rgb = [0x56, 0xb4, 0xe9];
const ORANGE: Rgb = [0xe6, 0x9f, 0x00];

/// A table of three conditions with eight runs each.
fn known_table() -> String {
    let mut text = String::from(
        "run,key,condition,expected,seed,lang,num,mutation-prob,max-epochs,log-interval,ended,\
         why,epochs,epoch_entropy_1,epoch_alive,epoch_selfreps_48,number_selfreps_48,trace\n",
    );
    // A quarter of all `first` runs alive at epoch 500 of 1000, half of them with a replicator.
    for seed in 1..=8 {
        let (alive, ended, end, last) = match seed <= 2 {
            true => ("500", "stopped", 500, 5),
            false => ("", "finished", 1000, 1),
        };
        let replicator = if seed <= 4 { "500" } else { "" };
        text += &format!(
            "{seed},a{seed},first,0.9,{seed},bff,64,0,1000,1,{ended},,{end},{alive},{alive},\
             {replicator},0,1:0.5 {end}:{last}\n"
        );
        text += &format!(
            "{},b{seed},second,,{seed},forth,64,0.01,1000,1,finished,,1000,,,,0,1:0 1000:0\n",
            8 + seed
        );
        text += &format!(
            "{},c{seed},third,,{seed},bff,64,0.01,1000,1,stopped,,250,250,250,,0,1:0 250:4\n",
            16 + seed
        );
    }
    text
}

/// Figures of a table written by hand, of which every number is known.
#[test]
fn figures_show_the_numbers_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let table = file(folder.path(), "table.csv", &known_table());
    assert_eq!(Table::read_csv(&table).unwrap().len(), 24);
    let screen = succeed("figures", &[&table, "--out".as_ref(), &out]).stdout;
    let screen = String::from_utf8(screen).unwrap();
    let names = [
        "entropy-1-by-epoch",
        "alive-by-epoch",
        "share-by-condition",
        "share-by-mutation-rate",
        "first-replicator",
        "entropy-traces",
    ];
    for name in names {
        assert!(
            screen.contains(&format!("{name}.png")),
            "{name} in {screen}"
        );
        let svg = read_text(out.join(format!("{name}.svg")));
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{name}"
        );
        assert!(match name {
            "share-by-mutation-rate" => svg.contains("0 %") && svg.contains("1 %"),
            "first-replicator" => svg.contains("first (4/8)") && svg.contains("second (0/8)"),
            _ => svg.contains("first") && svg.contains("second"),
        });
    }
    assert_survival_is_drawn(&out.join("alive-by-epoch.png"));
    // The numbers: 2 of 8 by Kaplan and Meier, and by Wilson.
    let line = |name: &str, start: &str| {
        let text = read_text(out.join(format!("{name}.csv")));
        let line = text.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{start} in {text}"))
            .to_string()
    };
    let step = line("alive-by-epoch", "first,");
    assert!(step.starts_with("first,500,8,2,0.250000,"), "{step}");
    assert_eq!(
        line("share-by-condition", "first,3"),
        "first,3,2,8,0,0.250000,0.071479,0.590725,wilson,"
    );
    assert!(line("share-by-condition", "first,1").ends_with("wilson,0.900000"));
    assert!(line("share-by-mutation-rate", "mutation_prob").starts_with("mutation_prob,above"));
    assert!(line("first-replicator", "first,4,").starts_with("first,4,500,1,500"));
    assert!(line("first-replicator", "first,5,").starts_with("first,5,1000,0,500"));
    assert!(line("first-replicator", "second,5,").ends_with("second,5,1000,0,"));
    // A run that has ended keeps its last value: two of 5, and six of 1.
    assert_eq!(
        line("entropy-traces", "first,1000,"),
        "first,1000,8,6,1.000000,1.000000,1.000000,2.000000,5.000000"
    );
    assert!(line("entropy-traces", "first,1,8,8,").contains("0.500000,0.500000,0.500000"));
}

/// One step, at epoch 500: the middle of the axis, from no run to a quarter of them.
fn assert_survival_is_drawn(picture: &Path) {
    let (width, pixels) = decode(picture);
    let blue: Vec<(usize, usize)> = (0..pixels.len())
        .filter(|i| pixels[*i] == BLUE && i % width < 1140)
        .map(|i| (i % width, i / width))
        .collect();
    let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
    for (x, _) in &blue {
        *heights.entry(*x).or_default() += 1;
    }
    let (step, height) = heights.iter().max_by_key(|(_, height)| **height).unwrap();
    // Along the bottom another condition lies above it.
    let (left, right) = (20 + 100, *heights.keys().max().unwrap());
    assert!(
        step.abs_diff((left + right) / 2) <= 3,
        "{left} {step} {right}"
    );
    let (top, bottom) = (100 + 8, 900 - 8 - 76);
    assert!(
        height.abs_diff((bottom - top) / 4) <= 6,
        "{height} of {}",
        bottom - top
    );
    let last_row = blue
        .iter()
        .filter(|(x, _)| *x > step + 10)
        .map(|(_, y)| *y)
        .max()
        .unwrap();
    assert!(
        last_row.abs_diff(bottom - (bottom - top) / 4) <= 3,
        "{last_row}"
    );
    // The other condition stays at the bottom.
    let orange: Vec<usize> = (0..pixels.len())
        .filter(|i| pixels[*i] == ORANGE && i % width < 1190)
        .map(|i| i / width)
        .collect();
    assert!(orange.len() > 1000 && orange.iter().all(|y| y.abs_diff(bottom) <= 3));
}

/// Figures compare runs that differ in one thing, each once, and say what is not known.
#[test]
fn figures_compare_like_with_like() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let figures = |rows: &[&str]| {
        let header = "key,condition,seed,lang,num,mutation-prob,settings,ended,epochs,\
                      epoch_entropy_1,epoch_selfreps_48,number_selfreps_48,trace";
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let table = file(folder.path(), "table.csv", &text);
        succeed("figures", &[&table, "--out".as_ref(), &out]);
    };
    let numbers = |name: &str| read_text(out.join(format!("{name}.csv")));
    let has = |name: &str, lines: &[&str]| {
        let text = numbers(name);
        for line in lines {
            assert!(text.lines().any(|it| it == *line), "{line} in {text}");
        }
    };
    // A run that two conditions share stands once for its rate; of two groups of runs that
    // differ otherwise, one is drawn.
    figures(&[
        "a1,default,1,bff,64,0.25,,finished,9,9,,,1:0.5",
        "a2,default,2,bff,64,0.25,,finished,9,,,,1:0.5",
        "a1,rate,1,bff,64,0.25,,finished,9,9,,,1:0.5",
        "b1,rate,1,bff,64,0,,finished,9,,,,1:0.5",
        "c1,fixed,1,bff,64,0,{ fixed-shuffle = true },finished,9,9,,,1:0.5",
    ]);
    has(
        "share-by-mutation-rate",
        &[
            "0,1,0,1,0,0.000000,0.000000,0.793451,wilson,",
            "0.25,1,1,2,0,0.500000,0.094531,0.905469,wilson,",
        ],
    );
    let svg = read_text(out.join("share-by-mutation-rate.svg"));
    assert!(svg.contains("by mutation rate: bff, num 64"), "{svg}");
    // Conditions of one name that are two things; runs given up at once, or stopped by another
    // rule before anything was seen.
    figures(&[
        "d1,default,1,bff,64,0,,finished,9,9,,,1:0.5",
        "d2,default,1,bff,128,0,,finished,9,,,,1:0.5",
        "e1,early,1,bff,64,0,,censored,1,,,,1:0.5",
        "f1,mixed,1,bff,64,0,,stopped,2,,,,1:0.5",
        "f2,mixed,2,bff,64,0,,finished,9,9,,,1:0.5",
    ]);
    has(
        "share-by-condition",
        &[
            "\"default: bff, mutation-prob 0, num 64\",1,1,1,0,1.000000,0.206549,1.000000,wilson,",
            "\"default: bff, mutation-prob 0, num 128\",1,0,1,0,0.000000,0.000000,0.793451,wilson,",
            "early,1,0,1,1,0.000000,0.000000,1.000000,wilson,",
            "mixed,1,1,2,1,1.000000,0.206549,1.000000,kaplan-meier,",
        ],
    );
    has(
        "entropy-1-by-epoch",
        &["early,1,1,0,0.000000,0.000000,0.793451"],
    );
    // What an earlier table had and this one has not is gone.
    assert!(!out.join("share-by-mutation-rate.png").exists());
    // Languages, as long as nothing else differs.
    let of_languages = [
        "g1,x,1,bff,64,0,,finished,9,,5,1,1:0.5",
        "g2,x,1,forth,64,0,,finished,9,,7,1,1:0.5",
    ];
    figures(&of_languages);
    has("first-replicator", &["bff,1,5,1,5", "forth,1,7,1,7"]);
    let larger = "g3,larger,1,forth,128,0,,finished,9,,8,1,1:0.5";
    figures(&[of_languages[0], larger]);
    has("first-replicator", &["x,1,5,1,5", "larger,1,8,1,8"]);
}

/// Six conditions in one chart: each has a colour and a dash of its own, and all their names are
/// there, apart from each other, beside the ends of their curves.
#[test]
fn six_conditions_can_be_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures");
    let mut text = String::from("key,condition,seed,lang,num,ended,epochs,epoch_entropy_1,trace\n");
    let names = ["one", "two", "three", "four", "five", "six"];
    for (i, name) in names.iter().enumerate() {
        // Of two conditions as many pass, and of two others none: their curves end together.
        let passing = [8, 6, 6, 3, 0, 0][i];
        for seed in 0..8 {
            let epoch = if seed < passing {
                (100 * seed + 90 + 10 * i).to_string()
            } else {
                String::new()
            };
            text += &format!("{name}{seed},{name},{seed},bff,64,finished,1000,{epoch},1:0.5\n");
        }
    }
    let table = file(folder.path(), "table.csv", &text);
    for theme in ["dark", "light"] {
        let words = format!("figures --theme {theme}");
        succeed(&words, &[&table, "--out".as_ref(), &out]);
        let svg = read_text(out.join("entropy-1-by-epoch.svg"));
        let mut heights: Vec<f64> = Vec::new();
        for (name, passed) in names.iter().zip([8, 6, 6, 3, 0, 0]) {
            let label = format!("{name} ({passed}/8)");
            let (before, _) = svg.split_once(&label).unwrap_or_else(|| panic!("{label}"));
            let tag = &before[before.rfind("<text").unwrap()..];
            let attribute = |name: &str| -> f64 {
                let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
                tag[start..].split('"').next().unwrap().parse().unwrap()
            };
            assert!(attribute("x") > 1200.0, "{label}");
            heights.push(attribute("y"));
        }
        // From the top to the bottom, with room for a line of text each.
        assert!(
            heights.windows(2).all(|pair| pair[1] - pair[0] >= 30.0),
            "{heights:?}"
        );
        let (width, pixels) = decode(&out.join("entropy-1-by-epoch.png"));
        let series = if theme == "dark" { DARK } else { LIGHT };
        for (i, rgb) in series.into_iter().enumerate() {
            let found = pixels.iter().enumerate();
            let curve = found.filter(|(at, pixel)| **pixel == rgb && at % width < 1190);
            assert!(curve.count() > 300, "{theme}: curve {i}");
        }
    }
}

const DARK: [Rgb; 6] = [
    BLUE,
    ORANGE,
    [0x00, 0x9e, 0x73],
    [0xf0, 0xe4, 0x42],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
];
const LIGHT: [Rgb; 6] = [
    [0x00, 0x72, 0xb2],
    ORANGE,
    [0x00, 0x9e, 0x73],
    [0x56, 0xb4, 0xe9],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
];
