//! The code that native units are translated to, Cranelift's text of it, against files in
//! tests/data/clif. A change of the translators shows there, line by line, before it shows
//! in the time that a soup takes.
//!
//! `BROTH_BLESS=1` writes the files anew.

use std::path::PathBuf;

use broth::engine::jit::{EntryKind, Jit, Options, Unit};
use broth::language::Language;

/// The name of a unit's file, its language, its kind of entry, whether closed forms are used,
/// and its program text.
type Case = (&'static str, &'static str, EntryKind, bool, &'static str);

const CASES: [Case; 21] = [
    ("loop-plain", "bff_noheads", EntryKind::Loop, true, "[>+<-]"),
    (
        "loop-plain-no-closed-forms",
        "bff_noheads",
        EntryKind::Loop,
        false,
        "[>+>-]",
    ),
    (
        "loop-that-counts",
        "bff_noheads",
        EntryKind::Loop,
        false,
        "[-]",
    ),
    (
        "loop-that-counts-closed",
        "bff_noheads",
        EntryKind::Loop,
        true,
        "[-]",
    ),
    (
        "loop-that-copies",
        "bff_noheads",
        EntryKind::Loop,
        false,
        "[.>}]",
    ),
    (
        "loop-that-copies-closed",
        "bff",
        EntryKind::Loop,
        true,
        "[.>}]",
    ),
    (
        "loop-that-rewrites-itself",
        "bff_noheads",
        EntryKind::Loop,
        false,
        "[,}+]",
    ),
    (
        "loop-nested",
        "bff_noheads",
        EntryKind::Loop,
        true,
        "[>[-<+>]<-]",
    ),
    (
        "loop-nested-copy",
        "bff_noheads",
        EntryKind::Loop,
        true,
        "[[{.>]-]",
    ),
    (
        "loop-four-bits",
        "bff_noheads_4bit",
        EntryKind::Loop,
        true,
        "[>+<-]",
    ),
    (
        "loop-jumps",
        "bff8_noheads",
        EntryKind::Loop,
        true,
        "[>-[    ]",
    ),
    (
        "loop-selfmove",
        "bff_selfmove",
        EntryKind::Loop,
        false,
        "[,<]",
    ),
    ("left", "bff_noheads", EntryKind::Left, true, "{.>[>+<-]"),
    (
        "left-heads-on-tape",
        "bff",
        EntryKind::Left,
        true,
        "  +>[.>}]-[->+<]",
    ),
    (
        "left-jumps",
        "bff8",
        EntryKind::Left,
        false,
        "  +[>-[    ][+>    ]",
    ),
    (
        "left-without-partners",
        "bff_noheads",
        EntryKind::Left,
        true,
        ">]+[-[>,]",
    ),
    (
        "right",
        "bff_noheads",
        EntryKind::Right,
        false,
        "+>[-<+>],[.}>]",
    ),
    (
        "forth-loop",
        "forth",
        EntryKind::Loop,
        true,
        "41 04 00 08 45 02 c5",
    ),
    (
        "forth-loop-that-skips",
        "forthtrivial",
        EntryKind::Loop,
        false,
        "04 07 82 08 0c 47 05 c6",
    ),
    (
        "forth-loop-that-copies",
        "forthcopy",
        EntryKind::Loop,
        true,
        "06 08 04 44 02 03 09 20 c7",
    ),
    (
        "forth-loop-with-a-guard",
        "forthtrivial_reset",
        EntryKind::Loop,
        true,
        "09 04 04 03 0c 45 07 c1 c7",
    ),
];

/// `ir` without what differs between machines and builds: addresses by the order in which they
/// come up, the convention of calls.
fn normalised(ir: &str) -> String {
    let mut addresses: Vec<u64> = Vec::new();
    let mut text = String::new();
    let mut rest = ir;
    while let Some(at) = rest.find("0x") {
        let (before, from) = rest.split_at(at);
        let is_digit = |c: char| c.is_ascii_hexdigit() || c == '_';
        let len = from[2..]
            .find(|c| !is_digit(c))
            .map_or(from.len(), |len| 2 + len);
        let (hex, behind) = from.split_at(len);
        let number = u64::from_str_radix(&hex[2..].replace('_', ""), 16).expect("a number");
        text.push_str(before);
        // Small numbers are places and offsets, those near the end negative ones.
        if (1 << 16..1 << 47).contains(&number) {
            let known = addresses.iter().position(|address| *address == number);
            let index = known.unwrap_or(addresses.len());
            if known.is_none() {
                addresses.push(number);
            }
            text.push_str(&format!("address{index}"));
        } else {
            text.push_str(hex);
        }
        rest = behind;
    }
    text.push_str(rest);
    for convention in ["apple_aarch64", "windows_fastcall"] {
        text = text.replace(convention, "system_v");
    }
    text
}

/// What is in the file of a unit: what it is, and its code.
fn listing((_, language, kind, closed_forms, text): Case) -> String {
    let language: &'static Language = language.parse().unwrap();
    let code = language.parse_program(text).unwrap();
    let unit = Unit::parse(language, Some(kind), &code).unwrap();
    let jit = Jit::new(language, Options::default(), closed_forms);
    let jit = jit.unwrap().expect("there is native code");
    let ir = normalised(&jit.show(&unit).unwrap().ir);
    let closed_forms = if closed_forms {
        ""
    } else {
        ", no closed forms"
    };
    format!("; {language}, {}{closed_forms}: {text}\n{ir}", kind.name())
}

#[test]
fn units_are_translated_as_they_were() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/clif");
    let mut changed = Vec::new();
    for case in CASES {
        let path = folder.join(case.0).with_extension("clif");
        let now = listing(case);
        if std::env::var_os("BROTH_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let then = std::fs::read_to_string(&path).unwrap_or_default();
        if now != then {
            let lines = now.lines().zip(then.lines());
            let same = lines.take_while(|(now, then)| now == then).count();
            changed.push(format!(
                "{}, line {}: {:?}, was {:?}",
                case.0,
                same + 1,
                now.lines().nth(same).unwrap_or_default(),
                then.lines().nth(same).unwrap_or_default(),
            ));
        }
    }
    assert!(
        changed.is_empty(),
        "other code than in tests/data/clif; BROTH_BLESS=1 accepts it\n{}",
        changed.join("\n")
    );
    // A file that no unit has would tell nothing.
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, CASES.len(), "files in tests/data/clif");
}
