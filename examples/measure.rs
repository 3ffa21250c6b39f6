//! A measure of one's own: how many different programs a soup has, and how many commands.
//!
//! ```sh
//! cargo run --release --no-default-features --features jit --example measure
//! ```

use std::collections::HashSet;

use broth::language::Role;
use broth::{Error, Settings, Soup};

fn main() -> Result<(), Error> {
    let settings = Settings {
        num_programs: 4096,
        seed: 2,
        ..Settings::default()
    };
    let mut soup = Soup::new(settings)?;
    println!("epoch  different programs  share of commands");
    for epoch in 0..=256 {
        if epoch % 32 == 0 {
            let (programs, commands) = measure(&soup);
            println!("{epoch:5}  {programs:18}  {:15.2} %", 100.0 * commands);
        }
        soup.step();
    }
    Ok(())
}

/// The number of different programs, and the share of bytes that are no no-ops.
fn measure(soup: &Soup) -> (usize, f64) {
    let language = soup.settings().language;
    let bytes = soup.programs();
    let programs: HashSet<&[u8]> = bytes.chunks(language.program_len).collect();
    let is_command = |byte: &&u8| language.kind(**byte).role != Role::Noop;
    let commands = bytes.iter().filter(is_command).count();
    (programs.len(), commands as f64 / bytes.len() as f64)
}
