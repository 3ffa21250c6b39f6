//! A small sweep: three seeds of two conditions, and what came of them.
//!
//! ```sh
//! cargo run --release --no-default-features --features jit,run --example sweep
//! ```

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use broth::Error;
use broth::sweep::{Event, Options, Records, Sweep};

const FILE: &str = "
seeds = \"1-3\"
[settings]
num = 1024
max-epochs = 400
log-interval = 20
[vary]
mutation-prob = [\"1/4096\", \"1/64\"]
";

fn main() -> Result<(), Error> {
    let folder = std::env::temp_dir().join(format!("broth-sweep-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| Error::cannot("create", &folder, error))?;
    let file = folder.join("sweep.toml");
    fs::write(&file, FILE).map_err(|error| Error::cannot("write", &file, error))?;
    let sweep = Sweep::read(&file)?;
    let records = Records::open(&folder.join("records"))?;
    let options = Options {
        threads: 2,
        jobs: None,
        save_every: Duration::from_secs(60),
    };
    // Set it from another thread, and the sweep saves itself and ends.
    let interrupt = AtomicBool::new(false);
    let summary = sweep.go(&records, &options, &interrupt, &mut |event| {
        if let Event::Ended(run, outcome) = event {
            let entropy = outcome
                .seen
                .as_ref()
                .map_or(0.0, |seen| seen.peak_high_order_entropy);
            println!("{}: high-order entropy at most {entropy:.3}", run.label());
        }
    })?;
    println!(
        "{} runs, table in {}",
        summary.done,
        records.csv().display()
    );
    fs::remove_dir_all(&folder).map_err(|error| Error::cannot("remove", &folder, error))
}
