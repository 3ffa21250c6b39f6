//! `broth examples`

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use broth::Error;
use broth::engine::{Engine, Options};
use broth::examples::{self, Example, Place, SOUP_EPOCHS, SOUP_LEN};
use broth::format::hex;
use broth::measure::replicators::Scorer;
use broth::soup::settings::World;
use clap::Args;
use serde_json::{Value, json};

use super::output::{self, write_json};
use super::paint::{self, BOLD, DIM, RESET};
use super::{Failure, program};

const EXAMPLES: &str = "\
Each example has the score of `broth selfrep`, with no-ops in its free places. Planted once, it
takes over the soup of the command shown with it; one example dies out instead, and says so.

Examples:
  broth examples
  broth examples subleq
  broth examples forthtrivial/one-byte
  broth run --lang subleq --num 1024 --initial-program \"$(broth examples subleq --text)\"
  broth selfrep --lang bff --hex \"$(broth examples bff --hex)\"";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExamplesArgs {
    /// A language, an example, or both as LANG/NAME; list all if left out
    #[arg(value_name = "LANG|NAME")]
    which: Option<String>,

    /// Print only the program text, for --initial-program; for a language, that of its first
    /// example
    #[arg(long, requires = "which")]
    text: bool,

    /// Print only the whole program in hex digits, with no-ops in its free places
    #[arg(long, requires = "which", conflicts_with = "text")]
    hex: bool,

    /// Write the examples as JSON to standard output
    #[arg(long, conflicts_with_all = ["text", "hex"])]
    json: bool,
}

pub(super) fn examples(args: ExamplesArgs) -> Result<ExitCode, Failure> {
    if args.json {
        let found = match &args.which {
            Some(which) => examples::named(which)?,
            None => examples::ALL.iter().collect(),
        };
        let found = found.into_iter().map(to_json);
        let found = found.collect::<Result<Vec<Value>, Error>>()?;
        write_json(&json!({"examples": found}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    match &args.which {
        None => list(&mut out)?,
        Some(which) => {
            let found = examples::named(which)?;
            if args.text || args.hex {
                let example = only(which, &found)?;
                if args.text {
                    writeln!(out, "{}", example.text())?;
                } else {
                    writeln!(out, "{}", hex(&example.program()))?;
                }
            } else {
                for (number, example) in found.iter().enumerate() {
                    if number > 0 {
                        writeln!(out)?;
                    }
                    show(&mut out, example)?;
                }
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn to_json(example: &Example) -> Result<Value, Error> {
    Ok(json!({
        "lang": example.language.name,
        "name": example.name,
        "summary": example.summary,
        "source": example.source.to_string(),
        "how": example.how,
        "text": example.text(),
        "program": output::program(example.language, &example.program()),
        "bytes": example.code_len(),
        "score": score(example)?,
    }))
}

/// The one that is meant: a language means its first, a name must be of one language.
fn only(which: &str, found: &[&'static Example]) -> Result<&'static Example, Error> {
    let languages: Vec<_> = found.iter().map(|example| example.full_name()).collect();
    match found {
        [first, rest @ ..] if rest.iter().all(|other| other.language == first.language) => {
            Ok(first)
        }
        _ => Err(Error::Usage(format!(
            "`{which}` is an example of several languages; choose one of {}",
            languages.join(", ")
        ))),
    }
}

/// The score of an example, as that of a lone program.
fn score(example: &Example) -> Result<u8, Error> {
    let scorer = Scorer::new(example.language, Engine::Auto, &Options::default());
    scorer.score_alone(&example.program())
}

fn list(out: &mut impl Write) -> Result<(), Failure> {
    writeln!(
        out,
        "{BOLD}language            name              bytes  score{RESET}"
    )?;
    let mut language = "";
    for example in &examples::ALL {
        let shown = match example.language.name {
            same if same == language => "",
            name => name,
        };
        language = example.language.name;
        writeln!(
            out,
            "{shown:<20}{:<16}{:>7}{:>7}  {}",
            example.name,
            example.code_len(),
            score(example)?,
            example.summary
        )?;
    }
    writeln!(
        out,
        "\n{DIM}bytes: those of the program that matter; score: of its length, 64, of z80 32 and \
         of z80_zff 16;\na replicator from three quarters on. `broth examples NAME` shows more.{RESET}"
    )?;
    Ok(())
}

fn show(out: &mut impl Write, example: &Example) -> Result<(), Failure> {
    let language = example.language;
    let program = example.program();
    let program_len = language.program_len;
    writeln!(
        out,
        "{BOLD}{}{RESET}: {}",
        example.full_name(),
        example.summary
    )?;
    writeln!(out, "code        {}", example.code)?;
    writeln!(
        out,
        "            {} of {program_len} bytes{}",
        example.code_len(),
        match example.place {
            Place::Front => ", in front; the rest is free",
            Place::BothEnds => ", in front and mirrored at the end; those between are free",
            Place::Repeated => ", repeated",
        }
    )?;
    writeln!(out, "source      {}", example.source)?;
    writeln!(
        out,
        "program     {}",
        paint::tape(language, &program, [None; 4])
    )?;
    writeln!(out, "hex         {}", hex(&program))?;
    writeln!(out, "score       {} of {program_len}", score(example)?)?;
    for (number, line) in example.how.lines().enumerate() {
        let label = if number == 0 { "how" } else { "" };
        writeln!(out, "{label:<12}{line}")?;
    }
    let size = match example.world {
        World::LongTape { .. } => {
            format!("--world long-tape --tape-bytes {}", SOUP_LEN * program_len)
        }
        World::Pairs | World::Zff => format!("--num {SOUP_LEN}"),
    };
    let soup = match example.seed {
        Some(seed) => format!(
            "{size} --seed {seed} --max-epochs {SOUP_EPOCHS} --log-interval 16 \\\n\
             {:<16}--eval-selfrep ",
            ""
        ),
        None => "".into(),
    };
    writeln!(
        out,
        "{}  {}",
        if example.seed.is_some() {
            "takes over"
        } else {
            "planted   "
        },
        program::command(&format!(
            "run --lang {language} {soup}--initial-program {}",
            program::quoted(&example.text())
        ))
    )?;
    Ok(())
}
