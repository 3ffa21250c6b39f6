//! One tape, traced step by step: a program that copies itself over its neighbour.
//!
//! ```sh
//! cargo run --no-default-features --example trace
//! ```

use broth::engine::reference;
use broth::language::bff::BFF_NOHEADS;
use broth::language::{PROGRAM_LEN, TAPE_LEN, Tape};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let language = &BFF_NOHEADS;
    let left = language
        .parse_program("[[{.>]-]                                                ]-]>.{[[")?;
    let mut tape: Tape = [b'x'; TAPE_LEN];
    tape[..PROGRAM_LEN].copy_from_slice(&left);
    let mut step = 0;
    let outcome = reference::trace(language, &mut tape, 8192, |tape, view| {
        step += 1;
        // The first steps; later ones are more of the same.
        if step <= 12 {
            let heads = view
                .marks
                .map(|mark| mark.map_or(String::new(), |at| at.to_string()));
            println!(
                "step {step:2}: `{}` at {:3}, heads at {:>3} and {:>3}",
                language.program_text(&tape[view.pc..=view.pc]),
                view.pc,
                heads[0],
                heads[1],
            );
        }
    });
    println!(
        "… {} steps, {} of them ops; {}",
        outcome.steps, outcome.ops, outcome.ended
    );
    let (left, right) = tape.split_at(PROGRAM_LEN);
    println!(
        "left:  {}\nright: {}",
        language.program_text(left),
        language.program_text(right)
    );
    Ok(())
}
