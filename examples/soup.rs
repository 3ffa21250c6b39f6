//! A soup that runs until it is alive, or 2,000 epochs.
//!
//! ```sh
//! cargo run --release --no-default-features --features jit --example soup
//! ```

use broth::language::bff::BFF_NOHEADS;
use broth::measure::Measures;
use broth::{Error, Settings, Soup};

fn main() -> Result<(), Error> {
    let settings = Settings {
        language: &BFF_NOHEADS,
        num_programs: 8192,
        seed: 1,
        ..Settings::default()
    };
    let mut soup = Soup::new(settings)?;
    // A replicator among 8,191 random programs; without it, wait longer.
    let text = "[[{.>]-]                                                ]-]>.{[[";
    soup.set_program(0, &BFF_NOHEADS.parse_program(text)?)?;
    while soup.epochs_done() < 2000 {
        let tally = soup.step();
        if !soup.epochs_done().is_multiple_of(50) {
            continue;
        }
        let measures = Measures::of(soup.programs());
        println!(
            "epoch {:4}: high-order entropy {:.3} bits per byte, {:5.0} steps an interaction",
            soup.epochs_done(),
            measures.high_order_entropy,
            tally.steps as f64 / tally.interactions as f64,
        );
        if measures.is_alive() {
            println!("alive");
            break;
        }
    }
    Ok(())
}
