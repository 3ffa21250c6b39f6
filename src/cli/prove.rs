//! `broth prove`

pub(super) mod say;
mod soups;

use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use broth::Error;
use broth::files;
use broth::language::{Language, PROGRAM_LEN, Program};
use broth::proof::{Effort, Proof, certificate, check as checker};
use clap::Args;
use serde_json::{Value, json};

use super::output::{self, write_json};
use super::paint;
use super::selfrep::read_program;
use super::source::SoupArgs;
use super::{Failure, number, parse_language};

const EXAMPLES: &str = "\
The program is run on the left of a partner whose 64 bytes are unknown, and so is its mirror image.
Where a bracket asks whether an unknown byte is null, both answers are followed. What holds in the
end of every branch holds beside each of the 256^64 partners: the program copies itself (forwards,
mirrored or at an offset) and is itself still there. B[0] to B[63] are the partner's bytes. On the
right of a partner nothing can be proved: there the partner's bytes run first.

Where a run depends on a byte of the partner in another way, or copies only under a condition, a
partner is looked for that it does not copy itself beside. Every statement is compared with runs of
the reference engine before it is made. BFF family only.

Examples:
  broth prove '[[{.>]-]                                                ]-]>.{[['
      one program, and its mirror image
  broth prove --lang bff --hex 'ffbf 2cf3 2f0e 2961'
  broth prove runs/bff_noheads-seed-29
      the commonest replicator of a run's newest checkpoint
  broth prove runs
      that of each run in a folder, as a table
  broth prove --lang bff --hex 'ffbf 2cf3 2f0e 2961' --certificate proof.txt
  broth prove --check proof.txt
      the proof step by step, and a checker with rules of its own";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ProveArgs {
    /// Program text, at most 64 bytes, padded with zeros; or the path of a checkpoint, a run folder
    /// or a folder of run folders, whose commonest replicator is then the program
    #[arg(required_unless_present = "check", allow_hyphen_values = true)]
    program: Option<String>,

    /// Write a certificate to this new file: both runs, step by step
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    certificate: Option<PathBuf>,

    /// Check a certificate instead, by rules of its own
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    check: Option<PathBuf>,

    /// What the bytes mean; `broth languages` lists them [default: bff_noheads; of a checkpoint
    /// what its sidecar records]
    #[arg(long, value_name = "LANG", value_parser = parse_language)]
    lang: Option<&'static Language>,

    /// Read PROGRAM as pairs of hex digits
    #[arg(long)]
    hex: bool,

    /// Steps after which a run ends [default: 8192; of a run what its settings say]
    #[arg(long, value_name = "STEPS", value_parser = number::any::<u32>)]
    max_steps: Option<u32>,

    /// Partners to draw, to look for one that the program does not copy itself beside
    #[arg(long, value_name = "N", default_value_t = 4096,
          value_parser = number::within::<u32>(1..=1 << 24))]
    partners: u32,

    /// The seed that partners are drawn from; of a soup without a sidecar also its own
    /// [default: 0]
    #[arg(long, value_name = "SEED", value_parser = number::any::<u64>)]
    seed: Option<u64>,

    #[command(flatten)]
    soup: SoupArgs,

    /// Show only the result, no notes
    #[arg(long, short)]
    quiet: bool,

    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
}

/// A program, and what is proved of it and of its mirror image.
struct Both {
    language: &'static Language,
    program: Program,
    own: Proof,
    /// That of the mirror image, unless it is the program itself.
    mirror: Option<Proof>,
}

impl Both {
    fn of(
        language: &'static Language,
        program: Program,
        max_steps: u32,
        effort: &Effort,
    ) -> Result<Both, Error> {
        let mut mirror = program;
        mirror.reverse();
        let prove = |program: &Program| Proof::of(language, program, max_steps, effort);
        let own = prove(&program)?;
        let mirror = if mirror == program {
            None
        } else {
            Some(prove(&mirror)?)
        };
        Ok(Both {
            language,
            program,
            own,
            mirror,
        })
    }

    /// Write the certificate that is asked for.
    fn certify(&self, args: &ProveArgs) -> Result<(), Error> {
        let Some(path) = &args.certificate else {
            return Ok(());
        };
        let proofs = [Some(&self.own), self.mirror.as_ref()];
        let mut runs = proofs.into_iter().flatten();
        let mut runs = runs.by_ref().map(|proof| (&proof.followed, &proof.verdict));
        files::write_new(path, |file| certificate::write(file, &mut runs))
    }

    fn to_json(&self) -> Value {
        json!({
            "lang": self.language.name,
            "max_steps": self.own.followed.max_steps,
            "program": output::program(self.language, &self.program),
            "proof": say::proof_json(&self.own),
            "mirror": self.mirror.as_ref().map(say::proof_json),
        })
    }

    fn write(&self, out: &mut impl Write) -> Result<(), Failure> {
        let shown = |program: &[u8]| paint::tape(self.language, program, [None; 4]);
        writeln!(out, "program     {}", shown(&self.program))?;
        say::write_proof(out, &self.own)?;
        match &self.mirror {
            None => writeln!(out, "\nmirror      the program is its own mirror image")?,
            Some(mirror) => {
                writeln!(out, "\nmirror      {}", shown(&mirror.followed.program))?;
                say::write_proof(out, mirror)?;
            }
        }
        Ok(())
    }
}

pub(super) fn prove(args: ProveArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.check {
        return check(&args, path);
    }
    if let Some(path) = &args.certificate {
        output::check_new("--certificate", path)?;
    }
    if let Some(path) = args.soup_path() {
        return soups::prove(&args, path);
    }
    let language = args.language();
    let text = args.program.as_deref().unwrap_or_default();
    let bytes = read_program(language, text, args.hex)?;
    let mut program = [0; PROGRAM_LEN];
    program[..bytes.len()].copy_from_slice(&bytes);
    let max_steps = args.max_steps.unwrap_or(language.max_steps);
    let both = Both::of(language, program, max_steps, &args.effort())?;
    both.certify(&args)?;
    if args.json {
        write_json(&both.to_json())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    both.write(&mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

impl ProveArgs {
    /// The path that stands for PROGRAM, if one does.
    fn soup_path(&self) -> Option<&Path> {
        let path = Path::new(self.program.as_deref()?);
        let is_soup = path.is_dir() || path.extension() == Some("dat".as_ref());
        Some(path).filter(|path| is_soup && path.exists())
    }

    /// The language of a program.
    fn language(&self) -> &'static Language {
        self.lang.unwrap_or(broth::Settings::default().language)
    }

    fn effort(&self) -> Effort {
        Effort {
            tried: self.partners,
            seed: self.seed.unwrap_or(0),
            ..Effort::default()
        }
    }
}

/// Check the certificate at `path`, and say what it shows.
fn check(args: &ProveArgs, path: &Path) -> Result<ExitCode, Failure> {
    let file = BufReader::new(files::open(path)?);
    let parts =
        checker::check(file).map_err(|wrong| Error::file(path, format!("is wrong at {wrong}")))?;
    if args.json {
        let parts: Vec<Value> = parts.iter().map(say::part_json).collect();
        write_json(&json!({"certificate": path.display().to_string(), "shows": parts}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    for part in &parts {
        let text = paint::tape(part.language, &part.program, [None; 4]);
        writeln!(out, "program     {text}")?;
        say::write_part(&mut out, part)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
