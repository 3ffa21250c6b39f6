//! Results as JSON on standard output: docs/json.md describes each command's.

use std::io::{self, Write};

use broth::language::Language;
use serde_json::{Map, Value, json};

use super::hex;

/// Write the result of a command, one object.
pub(super) fn write_json(value: &Value) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// A measure of single precision, with no more digits than it has.
pub(super) fn real(number: f32) -> Value {
    number
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

/// A program as hex digits and as program text.
pub(super) fn program(language: &Language, bytes: &[u8]) -> Value {
    json!({"hex": hex(bytes), "text": language.program_text(bytes)})
}

/// Files that were written.
pub(super) fn written<P: AsRef<std::path::Path>>(paths: &[P]) -> Map<String, Value> {
    let paths = paths.iter().map(|path| path.as_ref().display().to_string());
    let list = Value::from_iter(paths);
    Map::from_iter([("written".to_string(), list)])
}
