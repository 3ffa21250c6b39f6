//! Proofs in words, and as JSON.

use std::io::Write;

use broth::format::{hex, thousands};
use broth::language::{Language, PROGRAM_LEN, Program};
use broth::proof::check::Part;
use broth::proof::{Condition, Copies, Dependence, How, Proof, Tried, Values, Verdict};
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::number::plural;
use crate::cli::paint::{BOLD, RESET};
use crate::cli::program;

/// Kinds of partners that are written out; of more, only their number.
const MOST_KINDS: usize = 4;

/// What is proved of a program, in a few lines.
pub(super) fn write_proof(out: &mut impl Write, proof: &Proof) -> Result<(), Failure> {
    let followed = &proof.followed;
    let branches = match followed.branches.len() {
        1 => "1 branch; nothing that it does depends on its partner".into(),
        count => format!("{} branches; in each of them it is so", thousands(count)),
    };
    match &proof.verdict {
        Verdict::Every(copies) => {
            writeln!(
                out,
                "copies      itself {BOLD}{}, beside every one of the 256^64 partners{RESET}, and \
                 stays as it is",
                way(*copies)
            )?;
            writeln!(out, "            {branches}")?;
        }
        Verdict::When {
            copies,
            share,
            when,
            fails,
            depends,
        } => {
            writeln!(
                out,
                "copies      itself {BOLD}{}, beside every partner with {}{RESET}, which is {} of \
                 all, and stays as it is",
                way(*copies),
                kinds(when),
                percent(*share)
            )?;
            if !fails.is_empty() {
                writeln!(
                    out,
                    "            beside those with {} it leaves no whole copy",
                    kinds(fails)
                )?;
            }
            if let Some(depends) = depends {
                writeln!(out, "            else {}", dependence(*depends))?;
            }
        }
        Verdict::Depends(depends) => {
            writeln!(
                out,
                "copies      itself: {BOLD}not proved{RESET}; {}",
                dependence(*depends)
            )?;
        }
        Verdict::Partly => {
            writeln!(
                out,
                "copies      itself: {BOLD}no{RESET}; it leaves no whole copy, whatever its \
                 partner's bytes"
            )?;
            if let Some((copies, bytes)) = followed.certain_bytes() {
                writeln!(
                    out,
                    "            of its {PROGRAM_LEN} bytes {bytes} are there beside every \
                     partner, {}",
                    way(copies)
                )?;
            }
        }
        _ => {}
    }
    if let Some(tried) = &proof.tried {
        write_tried(out, proof, tried)?;
    }
    writeln!(
        out,
        "checked     {} of the reference engine agree, step by step",
        plural(proof.checked, "run")
    )?;
    Ok(())
}

fn write_tried(out: &mut impl Write, proof: &Proof, tried: &Tried) -> Result<(), Failure> {
    let partners = plural(tried.partners, "drawn partner");
    match tried.copies {
        Some(copies) => writeln!(
            out,
            "tried       it copies itself {} beside {} of {partners}",
            way(copies),
            thousands(tried.copied as usize),
        )?,
        None => writeln!(
            out,
            "tried       it copies itself beside none of {partners}"
        )?,
    }
    let Some(counterexample) = &tried.counterexample else {
        writeln!(
            out,
            "            no partner was found that it does not copy itself beside"
        )?;
        return Ok(());
    };
    match tried.value {
        Some(place) => writeln!(
            out,
            "            not beside this one, which has B[{place}] = {} and differs in that byte \
             only from one of these:",
            counterexample[usize::from(place)]
        )?,
        None => writeln!(out, "            not beside this one:")?,
    }
    writeln!(out, "            {}", exec(proof, counterexample))?;
    Ok(())
}

/// The command that runs a program beside a partner.
fn exec(proof: &Proof, partner: &Program) -> String {
    let followed = &proof.followed;
    let language = followed.language();
    let max_steps = if followed.max_steps == language.max_steps {
        String::new()
    } else {
        format!(" --max-steps {}", followed.max_steps)
    };
    program::command(&format!(
        "exec --lang {language}{max_steps} --hex {}{}",
        hex(&followed.program),
        hex(partner)
    ))
}

/// What is proved, in a few words.
pub(in crate::cli) fn short(proof: &Proof) -> String {
    match &proof.verdict {
        Verdict::Every(copies) => format!("{}, every partner", way(*copies)),
        Verdict::When {
            copies,
            share,
            when,
            ..
        } => format!(
            "{}, {} of all: {}",
            way(*copies),
            percent(*share),
            kinds(when)
        ),
        Verdict::Depends(depends) => {
            let seen = match &proof.tried {
                Some(Tried {
                    copies: Some(copies),
                    partners,
                    copied,
                    ..
                }) => format!("{}, {copied} of {partners} drawn", way(*copies)),
                _ => "none drawn".into(),
            };
            format!(
                "{seen}: depends on B[{}] at step {}",
                depends.place, depends.step
            )
        }
        _ => match proof.followed.certain_bytes() {
            Some((copies, bytes)) => format!("{bytes} of its bytes, {}", way(copies)),
            None => "no whole copy".into(),
        },
    }
}

/// How a program copies itself.
fn way(copies: Copies) -> String {
    match copies.offset() {
        0 => copies.direction().into(),
        offset => format!("{} at an offset of {offset}", copies.direction()),
    }
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    // Never all of them where it is not all.
    if (99.95..100.0).contains(&percent) {
        "more than 99.9%".into()
    } else if percent < 0.05 {
        "less than 0.1%".into()
    } else {
        format!("{percent:.1}%")
    }
}

fn dependence(depends: Dependence) -> String {
    let Dependence {
        step, place, at, ..
    } = depends;
    let moved = if at == PROGRAM_LEN + usize::from(place) {
        String::new()
    } else {
        format!(" (now at place {at} of the tape)")
    };
    let what = match depends.how {
        How::Executed => "executes",
        How::Matched => "looks for a bracket across",
        _ => "asks whether it is null after too many such questions:",
    };
    format!("at step {step} it {what} its partner's byte B[{place}]{moved}")
}

/// Partners of several kinds.
fn kinds(kinds: &[Condition]) -> String {
    let mut said: Vec<String> = kinds.iter().take(MOST_KINDS).map(condition).collect();
    if kinds.len() > MOST_KINDS {
        said.push(format!("{} more kinds", kinds.len() - MOST_KINDS));
    }
    said.join(", or ")
}

/// One kind of partners, by what its bytes are: places with the same values go together.
pub(super) fn condition(kind: &Condition) -> String {
    let mut groups: Vec<(Values, Vec<u8>)> = Vec::new();
    for (place, values) in kind.known() {
        match groups.iter_mut().find(|(it, _)| *it == values) {
            Some((_, places)) => places.push(place),
            None => groups.push((values, vec![place])),
        }
    }
    let said = groups
        .iter()
        .map(|(values, places)| format!("{} {}", ranges(places), of_values(*values)));
    let said: Vec<String> = said.collect();
    if said.is_empty() {
        return "any bytes".into();
    }
    said.join(" and ")
}

/// Places of the partner, those that follow one another together.
fn ranges(places: &[u8]) -> String {
    let mut said = Vec::new();
    for run in places.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [place] => said.push(format!("B[{place}]")),
            [first, .., last] => said.push(format!("B[{first}] to B[{last}]")),
            [] => {}
        }
    }
    said.join(", ")
}

fn of_values(values: Values) -> String {
    let list = |chosen: bool| {
        let all = (0..=u8::MAX).filter(|value| values.contains(*value) == chosen);
        let all: Vec<String> = all.map(|value| value.to_string()).collect();
        all.join(", ")
    };
    match values.count() {
        1 => format!("= {}", list(true)),
        255 => format!("≠ {}", list(false)),
        2..=16 => format!("in {{{}}}", list(true)),
        240.. => format!("not in {{{}}}", list(false)),
        count => format!("of {count} values"),
    }
}

fn way_json(copies: Copies) -> Value {
    json!({"direction": copies.direction(), "offset": copies.offset()})
}

fn dependence_json(depends: Dependence) -> Value {
    json!({
        "step": depends.step,
        "byte": depends.place,
        "at": depends.at,
        "how": depends.how.name(),
    })
}

/// What is proved of a program.
pub(super) fn proof_json(proof: &Proof) -> Value {
    let followed = &proof.followed;
    let (verdict, copies, share) = match &proof.verdict {
        Verdict::Every(copies) => ("every", Some(*copies), 1.0),
        Verdict::When { copies, share, .. } => ("when", Some(*copies), *share),
        Verdict::Depends(_) => ("depends", None, 0.0),
        _ => ("partly", None, 0.0),
    };
    let (when, fails, depends) = match &proof.verdict {
        Verdict::When {
            when,
            fails,
            depends,
            ..
        } => (Some(when), Some(fails), *depends),
        Verdict::Depends(depends) => (None, None, Some(*depends)),
        _ => (None, None, None),
    };
    let said = |kinds: Option<&Vec<Condition>>| {
        kinds.map(|kinds| kinds.iter().map(condition).collect::<Vec<String>>())
    };
    let tried = proof.tried.as_ref().map(|tried| {
        json!({
            "copies": tried.copies.map(way_json),
            "partners": tried.partners,
            "copied": tried.copied,
            "counterexample": tried.counterexample.map(|partner| hex(&partner)),
            "byte": tried.value,
        })
    });
    json!({
        "program": hex(&followed.program),
        "verdict": verdict,
        "copies": copies.map(way_json),
        "share": share,
        "when": said(when),
        "fails": said(fails),
        "depends": depends.map(dependence_json),
        "certain_bytes": followed.certain_bytes().map(|(_, bytes)| bytes),
        "branches": followed.branches.len(),
        "checked": proof.checked,
        "tried": tried,
    })
}

/// Who the language of a program is, for a heading.
pub(super) fn heading(language: &Language, seed: u64, epochs_done: u64) -> String {
    format!(
        "{language}, seed {seed}, after {}",
        plural(epochs_done, "epoch")
    )
}

/// What a certificate shows of a program.
pub(super) fn write_part(out: &mut impl Write, part: &Part) -> Result<(), Failure> {
    let way = match part.claim {
        None => "the certificate claims nothing of it".into(),
        Some((mirrored, offset)) => {
            let direction = if mirrored { "mirrored" } else { "forwards" };
            let offset = match offset {
                0 => String::new(),
                offset => format!(" at an offset of {offset}"),
            };
            let beside = if part.holds.len() as u64 == part.branches {
                "beside every one of the 256^64 partners"
            } else {
                "in these branches"
            };
            format!("itself {BOLD}{direction}{offset}, {beside}{RESET}, and stays as it is")
        }
    };
    writeln!(out, "copies      {way}")?;
    if part.holds.len() as u64 != part.branches {
        for asked in part.holds.iter().take(MOST_KINDS) {
            let asked = asked.iter().map(|(place, added, null)| {
                let verb = if *null { "is" } else { "is not" };
                match added {
                    0 => format!("B[{place}] {verb} null"),
                    added => format!("B[{place}] + {added} {verb} null"),
                }
            });
            let asked: Vec<String> = asked.collect();
            writeln!(out, "            {}", asked.join(", "))?;
        }
        let more = part.holds.len().saturating_sub(MOST_KINDS) as u64;
        if more > 0 {
            writeln!(out, "            and {} more", thousands(more as usize))?;
        }
    }
    writeln!(
        out,
        "checked     {} in {}, at {} a run in {}",
        plural(part.steps, "step"),
        match part.branches {
            1 => "1 branch".into(),
            branches => format!("{} branches", thousands(branches as usize)),
        },
        plural(part.limit.into(), "step"),
        part.language
    )?;
    Ok(())
}

/// What a certificate shows of a program.
pub(super) fn part_json(part: &Part) -> Value {
    let copies = part.claim.map(|(mirrored, offset)| {
        let direction = if mirrored { "mirrored" } else { "forwards" };
        json!({"direction": direction, "offset": offset})
    });
    json!({
        "lang": part.language.name,
        "program": hex(&part.program),
        "max_steps": part.limit,
        "copies": copies,
        "branches": part.branches,
        "holds": part.holds.len(),
        "every": part.claim.is_some() && part.holds.len() as u64 == part.branches,
        "steps": part.steps,
    })
}
