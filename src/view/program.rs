//! One program, looked at closely: what it is, and how it runs beside another.

use serde_json::{Value, json};

use super::frame::Frame;
use super::history::History;
use super::looker::portrait;
use super::scene::Scene;
use crate::Error;
use crate::engine::reference;
use crate::format::hex;
use crate::language::Language;
use crate::measure::copying::Copied;
use crate::measure::families::Relatives;
use crate::soup::interaction::{self, Interactions, Which};

/// Steps of a run that are told one by one.
const MOST_STEPS: u32 = 1 << 15;
/// Places of equal programs that are told.
const MOST_PLACES: usize = 4096;
/// A program's last interaction is recomputed from no further back.
const MOST_EPOCHS: u64 = 4096;

/// What there is to say of a program of a frame, or of one that is in no soup.
pub(super) fn details(
    scene: &Scene,
    frame: &Frame,
    index: usize,
    program: &[u8],
) -> Result<Value, Error> {
    let language = scene.settings.language;
    let portrait = portrait(scene, frame.epoch, index, program)?;
    let relatives = Relatives::of([program], frame.programs());
    let mut mirrored = program.to_vec();
    mirrored.reverse();
    let (mut related, mut same, mut mirror_images) = (0_u64, 0_u64, 0_u64);
    for other in frame.programs().chunks_exact(frame.program_len) {
        related += u64::from(relatives.first(other).is_some());
        same += u64::from(other == program);
        mirror_images += u64::from(other == mirrored);
    }
    let streams = crate::random::Streams::new(scene.settings.seed);
    let epoch = frame.epoch.saturating_sub(1);
    let partners = crate::measure::replicators::Partners::of(
        language,
        &streams,
        scene.settings.num_programs,
        epoch,
        index,
    );
    let tape = [program, partners.first()].concat();
    let copied = Copied::to_the_right(language, &tape, language.max_steps)?;
    Ok(json!({
        "index": index,
        "epoch": frame.epoch,
        "hex": hex(program),
        "text": language.program_text(program),
        "score": portrait.score,
        "loop": portrait.copying_loop.map(|it| [it.start, it.end]),
        "copied": {
            "bytes": copied.bytes,
            "mirrored": copied.mirrored,
            "in_place": copied.in_place(language.program_len),
        },
        "relatives": related,
        "same": same,
        "mirror_images": mirror_images,
        "partner": hex(partners.first()),
    }))
}

/// The places of all programs like this one, up to some number.
pub(super) fn places(frame: &Frame, program: &[u8]) -> Value {
    let all = frame.programs().chunks_exact(frame.program_len);
    let found = all.enumerate().filter(|(_, it)| *it == program);
    let places: Vec<usize> = found.map(|it| it.0).take(MOST_PLACES).collect();
    json!({"epoch": frame.epoch, "places": places})
}

/// A run of two programs, step by step. A page needs the tape at the start and the writes to have
/// it at any step.
pub(super) fn trace(
    language: &'static Language,
    tape: &[u8],
    max_steps: u32,
) -> Result<Value, Error> {
    let mut run = tape.to_vec();
    let (mut pc, mut marks, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut stacks, mut notes) = (Vec::new(), Vec::new());
    let mut before = tape.to_vec();
    let max_steps = max_steps.min(MOST_STEPS);
    let outcome = reference::trace_bytes(language, &mut run, max_steps, |now, view| {
        note_writes(&mut writes, pc.len(), &mut before, now);
        pc.push(view.pc);
        marks.push(view.marks.map(|mark| mark.map_or(-1, |at| at as i64)));
        stacks.push(hex(view.stack));
        notes.push(view.note.clone());
    })?;
    note_writes(&mut writes, pc.len(), &mut before, &run);
    let has = |texts: &[String]| texts.iter().any(|text| !text.is_empty());
    Ok(json!({
        "start": hex(tape),
        "end": hex(&run),
        "pc": pc,
        "marks": marks,
        "writes": writes,
        "stacks": has(&stacks).then_some(&stacks),
        "notes": has(&notes).then_some(&notes),
        "ops": outcome.ops,
        "steps": outcome.steps,
        "ended": outcome.ended.to_string(),
    }))
}

/// The bytes that are no longer as before: (steps done, place, old, new).
fn note_writes(writes: &mut Vec<[usize; 4]>, done: usize, before: &mut [u8], now: &[u8]) {
    if before == now {
        return;
    }
    for (place, (old, new)) in before.iter_mut().zip(now).enumerate() {
        if old != new {
            writes.push([done, place, usize::from(*old), usize::from(*new)]);
            *old = *new;
        }
    }
}

/// The interaction that the program at `index` came out of, in the last of `epoch` epochs.
pub(super) fn last_interaction(
    history: &History,
    epoch: u64,
    index: usize,
) -> Result<Value, Error> {
    let settings = history.settings();
    interaction::check(settings)?;
    let Some(before) = epoch.checked_sub(1) else {
        return Err(Error::Usage(
            "no program has met another yet: no epoch is done".into(),
        ));
    };
    let mut steps = 0;
    let soup = history.soup_after(before, &mut |_| {
        steps += 1;
        steps < MOST_EPOCHS
    })?;
    let Some(mut soup) = soup else {
        return Err(Error::Usage(format!(
            "the soup of epoch {before} is too far from any that is kept"
        )));
    };
    soup.reset_if_due();
    let mut interactions = Interactions::new(settings)?;
    let it = interactions.get(before, soup.programs(), Which::Program(index))?;
    let side = it.side_of(index);
    Ok(json!({
        "epoch": it.epoch,
        "pair": it.pair,
        "programs": it.programs,
        "side": side.name(),
        "before": hex(&it.before),
        "start": hex(&it.start),
        "after": hex(&it.after),
        "mutations": it.mutations.iter().map(|it| [it.place, it.from.into(), it.to.into()]).collect::<Vec<[usize; 3]>>(),
        "runs": it.outcome.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Options};
    use crate::language::bff::BFF_NOHEADS;
    use crate::soup::Soup;
    use crate::soup::settings::Settings;

    /// From the start and the writes, a page has the tape of any step, forwards and back.
    #[test]
    fn traces_hold_every_tape_of_a_run() {
        for language in Language::every() {
            let len = language.tape_len();
            let mut tape: Vec<u8> = (0..len).map(|i| (i * 37 + 11) as u8).collect();
            if language.name == "bff_noheads" {
                tape[..9].copy_from_slice(b"[[{.>]-]]");
            }
            let told = trace(language, &tape, 300).unwrap();
            let mut tapes = Vec::new();
            let mut run = tape.clone();
            reference::trace_bytes(language, &mut run, 300, |now, _| tapes.push(now.to_vec()))
                .unwrap();
            tapes.push(run);
            let mut now = tape.clone();
            let writes = told["writes"].as_array().unwrap();
            for (step, expected) in tapes.iter().enumerate() {
                for write in writes.iter().filter(|it| it[0] == step) {
                    let [place, old, new] = [1, 2, 3].map(|i| write[i].as_u64().unwrap());
                    assert_eq!(u64::from(now[place as usize]), old);
                    now[place as usize] = new as u8;
                }
                assert!(now == *expected, "{language} step {step}");
            }
            assert_eq!(told["pc"].as_array().unwrap().len() + 1, tapes.len());
            assert_eq!(told["end"], hex(&now));
        }
    }

    #[test]
    fn runs_of_any_length_are_told_up_to_some_step() {
        let tape = [b'['; 128];
        let mut endless = [0; 128];
        endless[..2].copy_from_slice(b"[]");
        endless[2..].copy_from_slice(&tape[2..]);
        let told = trace(&BFF_NOHEADS, &endless, u32::MAX).unwrap();
        assert!(told["pc"].as_array().unwrap().len() <= MOST_STEPS as usize);
        assert!(trace(&BFF_NOHEADS, &[0; 127], 8).is_err());
    }

    #[test]
    fn the_last_interaction_makes_the_program_that_is_there() {
        let settings = Settings {
            num_programs: 64,
            seed: 5,
            ..Settings::default()
        };
        let engine = (Engine::Auto, Options::default());
        let history = History::new(settings.clone(), false, engine, None);
        let mut soup = Soup::new(settings).unwrap();
        for _ in 0..9 {
            soup.step();
        }
        for index in [0, 17, 63] {
            let told = last_interaction(&history, 9, index).unwrap();
            let after = told["after"].as_str().unwrap();
            let half = if told["side"] == "left" {
                0..128
            } else {
                128..256
            };
            assert_eq!(after[half], hex(&soup.programs()[index * 64..][..64]));
        }
        assert!(last_interaction(&history, 0, 0).is_err());
        assert!(last_interaction(&history, 9, 64).is_err());
    }
}
