//! Known replicators of every language, as data.
//!
//! A replicator is mostly a few bytes of code; whatever else its program holds is copied along.
//! So an example is that code, where in its program it stands, and a small soup in which it,
//! planted once, takes over. tests/examples.rs holds each of them to what is said here.

use std::fmt;

use crate::Error;
use crate::language::{Language, Role, bff, forth, machine, subleq};
use crate::soup::settings::{Settings, World};

/// A known replicator.
#[derive(Debug)]
#[non_exhaustive]
pub struct Example {
    /// What its bytes mean.
    pub language: &'static Language,
    /// Its name, one of its own within its language: lower case, with hyphens.
    pub name: &'static str,
    /// The bytes that copy, as program text.
    pub code: &'static str,
    /// Where they stand.
    pub place: Place,
    /// Where it is from.
    pub source: Source,
    /// How it copies, in a few words.
    pub summary: &'static str,
    /// How it copies, step by step.
    pub how: &'static str,
    /// The world that it is planted in. A long tape is looked at as programs, too.
    pub world: World,
    /// Seed of a soup of [`SOUP_LEN`] programs that it takes over within [`SOUP_EPOCHS`] epochs
    /// when it is planted once: the soup lives, or half of it scores as a replicator, or, on a
    /// long tape, is made of it. Of a CPU's soup life does not tell: it has that much order soon
    /// without any replicator. None where it dies out.
    pub seed: Option<u64>,
}

/// Where in a program the code of an example stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In front. All behind it is free.
    Front,
    /// In front, and mirrored at the end: it copies backwards, so its copies have at the front
    /// what it has at the end. All in between is free.
    BothEnds,
    /// Everywhere: the program is the code, repeated.
    Repeated,
}

/// Where an example is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// "Computational Life" (arXiv 2406.19108).
    Paper,
    /// It arose in a soup of broth's.
    Soup,
    /// Written for broth.
    Broth,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Paper => "the paper, \"Computational Life\" (arXiv 2406.19108)",
            Source::Soup => "arose in a soup of zff's grid (docs/worlds.md)",
            Source::Broth => "written for broth",
        })
    }
}

/// Programs of the soup that an example takes over.
pub const SOUP_LEN: usize = 1024;
/// Epochs within which it does so.
pub const SOUP_EPOCHS: u64 = 256;

/// Every example; those of a language in a row, the languages in the order of
/// [`Language::every`]. The first of each of cubff's languages is the one that `broth bench`
/// plants.
pub static ALL: [Example; 24] = [
    Example {
        language: &bff::BFF,
        name: "copy-loop",
        code: r"\x80\x40[[.>}]-]",
        place: Place::Front,
        source: Source::Broth,
        summary: "a loop copies forwards; an outer one carries it past nulls",
        how: "The first two bytes start head 0 at 0 and head 1 at 64, where the neighbour begins.\n\
              `[.>}]` copies a byte and advances both heads until head 0 meets a null. `-` turns the\n\
              null into 255, and `]` goes back into the loop.",
        world: World::Pairs,
        seed: Some(1),
    },
    Example {
        language: &bff::BFF8,
        name: "jump-back",
        code: r"\x80\x40.>}    ]",
        place: Place::Front,
        source: Source::Broth,
        summary: "copies forwards and jumps back by eight",
        how: "The first two bytes start head 0 at 0 and head 1 at 64. `.>}` copies a byte and\n\
              advances both heads; `]` goes back eight places and then on by one, to the `.`, unless\n\
              head 0 is on a null.",
        world: World::Pairs,
        seed: Some(3),
    },
    Example {
        language: &bff::BFF8_NOHEADS,
        name: "jump-back",
        code: " {.>    ]",
        place: Place::BothEnds,
        source: Source::Broth,
        summary: "copies backwards and jumps back by eight",
        how: "Both heads start at 0. `{` moves head 1 back, first to 127; `.` copies and `>`\n\
              advances head 0, so the neighbour becomes the mirror image of the program, which reads\n\
              the same from either end. `]` goes back eight places and then on by one, to the `{`.",
        world: World::Pairs,
        seed: Some(13),
    },
    Example {
        language: &bff::BFF_NOHEADS,
        name: "palindrome",
        code: "[[{.>]-]",
        place: Place::BothEnds,
        source: Source::Paper,
        summary: "the paper's palindrome, a half at each end: copies backwards",
        how: "Both heads start at 0. `[{.>]` moves head 1 back, first to 127, copies a byte there\n\
              and advances head 0: the neighbour becomes the mirror image of the program, which reads\n\
              the same from either end. If head 0 meets a null, `-` turns it into 255, and `]` goes\n\
              back into the loop.",
        world: World::Pairs,
        seed: Some(44),
    },
    Example {
        language: &bff::BFF_NOHEADS,
        name: "short-palindrome",
        code: "[[{.>]-]   ]-]>.{[[",
        place: Place::Front,
        source: Source::Paper,
        summary: "the paper's palindrome as printed: its copies have it at the end",
        how: "As `palindrome`, within the first 19 bytes. The copy is the mirror image of the whole\n\
              program, with the palindrome at its end; run from there, it copies the program back\n\
              the right way round.",
        world: World::Pairs,
        seed: Some(48),
    },
    Example {
        language: &bff::BFF_NOHEADS_4BIT,
        name: "palindrome",
        code: "[[{.>]-]",
        place: Place::BothEnds,
        source: Source::Paper,
        summary: "the palindrome of bff_noheads in this language's bytes",
        how: "As the palindrome of bff_noheads.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &bff::BFF_PERM,
        name: "copy-loop",
        code: r"\x80\x40[[.>}]-]",
        place: Place::Front,
        source: Source::Broth,
        summary: "the copy loop of bff in this language's bytes",
        how: "As the copy loop of bff.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &bff::BFF_SELFMOVE,
        name: "mirror",
        code: r"\xff\x80,[[<,]-]",
        place: Place::BothEnds,
        source: Source::Broth,
        summary: "copies backwards; head 1 advances by itself",
        how: "The first two bytes start head 0 at 127 and head 1 at 0. `,` copies from head 1, which\n\
              advances by itself, to head 0, which `<` moves back: the neighbour becomes the mirror\n\
              image of the program, which reads the same from either end.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &bff::BFF_SELFMOVE,
        name: "copy-loop",
        code: r"\x40\x80[[,>]-]",
        place: Place::Front,
        source: Source::Broth,
        summary: "copies forwards; an outer loop carries it past nulls",
        how: "The first two bytes start head 0 at 64 and head 1 at 0. `,` copies from head 1, which\n\
              advances by itself, to head 0, which `>` advances. A null ends the inner loop; `-` turns\n\
              it into 255, and the outer loop goes back into the inner one.",
        world: World::Pairs,
        seed: Some(4),
    },
    Example {
        language: &forth::FORTH,
        name: "six-byte",
        code: "04 04 00 03 08 C4",
        place: Place::Front,
        source: Source::Broth,
        summary: "dup dup read write inc, and back",
        how: "The top of the stack, at first 0, counts the places. Two `dup`s keep it; 00 reads that\n\
              place of this program, 03 writes it to the same place of the other, 08 counts up, and\n\
              C4 jumps back by five.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &forth::FORTHCOPY,
        name: "six-byte",
        code: "04 04 03 02 08 C4",
        place: Place::Front,
        source: Source::Broth,
        summary: "dup dup other copy inc, and back",
        how: "The top of the stack, at first 0, counts the places. Two `dup`s keep it; 03 turns the\n\
              upper one into the same place of the other program, 02 copies there from the lower\n\
              one, 08 counts up, and C4 jumps back by five.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &forth::FORTHTRIVIAL,
        name: "four-byte",
        code: "04 0C 08 C2",
        place: Place::Front,
        source: Source::Broth,
        summary: "dup copy inc, and back",
        how: "The top of the stack, at first 0, counts the places. `dup` keeps it; 0C copies that\n\
              place to the other program, 08 counts up, and C2 jumps back by three.",
        world: World::Pairs,
        seed: Some(6),
    },
    Example {
        language: &forth::FORTHTRIVIAL,
        name: "six-byte",
        code: "0C 08 04 81 2C C4",
        place: Place::Front,
        source: Source::Paper,
        summary: "the paper's: copy inc dup, over a byte, and back",
        how: "0C copies a place, at first 0, to the other program, 08 counts up and 04 keeps the count\n\
              for the next iteration. 81 jumps over 2C to C4, which jumps back by five. The stack\n\
              grows by one entry per iteration.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &forth::FORTHTRIVIAL,
        name: "one-byte",
        code: "0C",
        place: Place::Front,
        source: Source::Paper,
        summary: "the paper's single byte, which copies itself and nothing else",
        how: "The stack is empty, so 0C copies place 0, which is its own, to the other program. Nothing\n\
              else is copied: one place of 64, which is its score.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &forth::FORTHTRIVIAL_RESET,
        name: "four-byte",
        code: "04 0C 08 C2",
        place: Place::Front,
        source: Source::Broth,
        summary: "the four bytes of forthtrivial",
        how: "As the four bytes of forthtrivial. If the neighbour has the byte 13, which cannot be\n\
              replaced here, this program is refilled with random bytes instead. One in five neighbours\n\
              has one, so a single planted copy dies out.",
        world: World::Pairs,
        seed: None,
    },
    Example {
        language: &forth::FORTHTRIVIAL_RESET,
        name: "step-over",
        code: "04 01 53 0B 07 85 05 04 0C 08 C9 05 C2",
        place: Place::Front,
        source: Source::Broth,
        summary: "looks before it copies, and skips every 13 of its neighbour",
        how: "The top of the stack, at first 0, counts the places. 01 reads that place of the other\n\
              program, 53 and 0B subtract it from 13, and 07 skips 85 unless the result is 0. Then 05\n\
              drops the difference, 04 and 0C copy the place, 08 counts up, and C9 jumps back to the\n\
              start. If the byte is 13, 85 jumps to 05, which drops the difference, and C2 jumps back\n\
              to 08: the place is not written, and this program is not refilled.",
        world: World::Pairs,
        seed: Some(8),
    },
    Example {
        language: &subleq::RSUBLEQ4,
        name: "countdown",
        code: "F2 B2 10 04  7C 7C 0D 04  79 78 0A F8  74 04 05 FC  00 01 40",
        place: Place::Front,
        source: Source::Broth,
        summary: "an instruction that copies, and three that count its operands down",
        how: "The first instruction copies: [target] = [source] - [16], where [16] is 0. The second\n\
              counts the target down by [17], which is 1. The third sets the source to the target\n\
              minus [18], which is 64, and goes back to the copy as long as that is below 0; as an\n\
              address it runs from 63 down to 0. The fourth restarts the target at 0 - 1. So it\n\
              copies the program over the neighbour, last byte first, until its steps are used up.\n\
              A byte is copied in one step, so it may stop anywhere.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &subleq::SUBLEQ,
        name: "countdown",
        code: "1F 1F 03  1F 29 06  18 18 09  18 2C 01  19 19 0F  19 2C 00  21 21 15  21 2C 00  \
               3F 3F 1B  26 26 1E  26 7F 21  3F 26 24  18 0B 00  19 0B 41  21 0B 81  1F 0B 18  \
               26 26 FF",
        place: Place::Front,
        source: Source::Broth,
        summary: "sets four operands, copies by two subtractions, counts down",
        how: "Eight instructions set the operands of the loop: its source to 191, which as an address\n\
              is 63, and three targets to 127. In the loop four instructions copy: they clear the\n\
              target and a spare byte, subtract the source from the spare byte, and the spare byte\n\
              from the target. Four more count the operands down by 1. The last of them goes back as\n\
              long as the source, as a number, is below 0, which is 64 times. The last instruction\n\
              leaves the tape. The spare byte and the constants are bytes of jumps that are never\n\
              taken.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &forth::FORTHRELATIVE,
        name: "seven-byte",
        code: "7C 60 60 0A 02 08 C4",
        place: Place::Front,
        source: Source::Broth,
        summary: "copies to 64 places below, which on a tape is the other program",
        how: "7C pushes -4, which relative to 02 is the first place of the program. 60 60 0A push -32\n\
              twice and add them: 64 back or, on a ring of 128 places, ahead. 02 copies the place by\n\
              that distance and keeps its address; 08 counts up, and C4 jumps back by five.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &machine::I8080,
        name: "push-chain",
        code: "C5 01",
        place: Place::Repeated,
        source: Source::Paper,
        summary: "the paper's 01 C5: LXI B,01C5 and PUSH B, repeated",
        how: "01 C5 01 is LXI B,01C5, and the next C5 is PUSH B, which writes the bytes C5 and 01. The\n\
              stack starts at an even place and grows down from the end of the right program, so C5\n\
              goes to even places, and the program begins with it. The two zeros that the first C5\n\
              pushes are overwritten when the stack has wrapped around. On a long tape it may begin\n\
              anywhere, and copies go right below where a run starts. In pairs it mostly dies out.",
        world: World::LongTape { head_offset: 0 },
        seed: Some(0),
    },
    Example {
        language: &machine::Z80,
        name: "block-copy",
        code: "11 20 00 ED B0",
        place: Place::Front,
        source: Source::Broth,
        summary: "LDIR: LD DE,32 and the block copy of the Z80",
        how: "11 20 00 loads DE with 32, where the right program begins. ED B0, LDIR, copies byte by\n\
              byte from HL, at first 0, to DE. BC, also 0 at first, counts down from 65,536, so it\n\
              continues around the tape until the steps are used up.",
        world: World::Pairs,
        seed: Some(1),
    },
    Example {
        language: &machine::Z80,
        name: "push-chain",
        code: "11 D5",
        place: Place::Repeated,
        source: Source::Soup,
        summary: "LD DE,11D5 and PUSH DE, repeated",
        how: "11 D5 11 is LD DE,11D5, and the next D5 is PUSH DE, which writes the bytes D5 and 11. The\n\
              stack starts at an odd place and grows down from the end of the right program, so 11\n\
              goes to even places, as in the program. Any part of a chain copies parts of a chain.",
        world: World::Pairs,
        seed: Some(0),
    },
    Example {
        language: &machine::Z80_ZFF,
        name: "push-chain",
        code: "11 D5",
        place: Place::Repeated,
        source: Source::Soup,
        summary: "LD DE,11D5 and PUSH DE: the first to appear in zff's grid",
        how: "As the push chain of z80.",
        world: World::Pairs,
        seed: Some(23),
    },
    Example {
        language: &machine::Z80_ZFF,
        name: "block-copy",
        code: "11 10 00 ED B0",
        place: Place::Front,
        source: Source::Broth,
        summary: "LDIR: LD DE,16 and the block copy of the Z80",
        how: "As the block copy of z80, but to 16, where the right program begins here.",
        world: World::Pairs,
        seed: Some(0),
    },
];

impl Example {
    /// The example's name with that of its language, which no other has.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.language, self.name)
    }

    /// The bytes of the code. Empty if it were no program text; a test sees that it is.
    fn code_bytes(&self) -> Vec<u8> {
        self.language.parse_program(self.code).unwrap_or_default()
    }

    /// Bytes of the program that matter: those of the code, wherever it stands.
    pub fn code_len(&self) -> usize {
        self.code_bytes().len()
            * match self.place {
                Place::Front => 1,
                Place::BothEnds => 2,
                Place::Repeated => self.language.program_len / self.code_bytes().len().max(1),
            }
    }

    /// The whole program, as long as those of its language, its free places filled with the byte
    /// that `free` gives for them; with [`Place::BothEnds`] `free` is asked for the first half
    /// only, and the second is the first mirrored.
    pub fn program_with(&self, free: impl Fn(usize) -> u8) -> Vec<u8> {
        let mut code = self.code_bytes();
        if self.place == Place::Repeated {
            code = code.repeat(self.language.program_len / code.len().max(1));
        }
        let mut program: Vec<u8> = (0..self.language.program_len).map(free).collect();
        for (byte, code) in program.iter_mut().zip(code) {
            *byte = code;
        }
        if self.place == Place::BothEnds {
            let (left, right) = program.split_at_mut(self.language.program_len / 2);
            right.copy_from_slice(left);
            right.reverse();
        }
        program
    }

    /// The whole program, its free places filled with no-ops, or with zeros where the language
    /// has none: so it is scored.
    pub fn program(&self) -> Vec<u8> {
        let noops: Vec<u8> = (0..=255)
            .filter(|byte| self.language.kind(*byte).role == Role::Noop)
            .collect();
        // The one that program text has a space for, where there is one.
        let spaced = noops
            .iter()
            .find(|byte| self.language.program_text(&[**byte]) == " ");
        let noop = spaced.or(noops.first()).copied().unwrap_or(0);
        self.program_with(|_| noop)
    }

    /// What to plant it by: the code alone where it stands in front, since the rest may be
    /// whatever it is.
    pub fn planted(&self) -> Vec<u8> {
        match self.place {
            Place::Front => self.code_bytes(),
            Place::BothEnds | Place::Repeated => self.program(),
        }
    }

    /// The same as program text.
    pub fn text(&self) -> String {
        self.language.program_text(&self.planted())
    }

    /// The soup that it takes over, with the example as its initial program; see
    /// [`Example::seed`].
    pub fn settings(&self) -> Option<Settings> {
        Some(Settings {
            language: self.language,
            num_programs: SOUP_LEN,
            seed: self.seed?,
            initial_program: self.planted(),
            world: self.world,
            mutation_prob: self.world.mutation_prob(),
            max_steps: self.world.max_steps(self.language),
            ..Settings::default()
        })
    }
}

/// The examples of `language`.
pub fn of(language: &Language) -> impl Iterator<Item = &'static Example> {
    ALL.iter()
        .filter(move |example| example.language == language)
}

/// The examples that `query` names: all of a language (`forth`), one of it (`forth/six-byte`),
/// or all of a name (`six-byte`).
pub fn named(query: &str) -> Result<Vec<&'static Example>, Error> {
    let names = |example: &Example| {
        [
            example.language.name.to_string(),
            example.full_name(),
            example.name.to_string(),
        ]
    };
    let found: Vec<_> = ALL
        .iter()
        .filter(|example| names(example).iter().any(|name| name == query))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let likeness = |name: &String| strsim::jaro_winkler(&query.to_lowercase(), name);
    let nearest = ALL
        .iter()
        .flat_map(names)
        .map(|name| (likeness(&name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.7);
    let hint = match nearest {
        Some((_, name)) => format!(" (did you mean `{name}`?)"),
        None => String::new(),
    };
    Err(Error::Usage(format!(
        "no language and no example is called `{query}`{hint}; `broth examples` lists them"
    )))
}
