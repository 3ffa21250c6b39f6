//! Results as JSON on standard output: docs/json.md describes each command's.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use broth::format::hex;
use broth::language::Language;
use broth::plot::format::dimensions;
use broth::{Error, files};
use serde::Serialize;
use serde_json::{Value, json};

use super::Failure;

/// Write the result of a command, one object.
pub(super) fn write_json(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// Before minutes of work: whether the file can be new.
pub(super) fn check_new(flag: &str, path: &Path) -> Result<(), Error> {
    let problem = if path.symlink_metadata().is_ok() {
        "exists already; remove it or choose another name"
    } else if path
        .parent()
        .is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        "is to go into a folder that is not there; create it or choose another"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!("{flag} {} {problem}", path.display())))
}

/// Write `value` as `--json [FILE]` asks for: to a new file, to standard output, or not at all.
pub(super) fn write_json_to(
    json: Option<&Option<PathBuf>>,
    value: &impl Serialize,
) -> Result<(), Failure> {
    match json {
        Some(Some(path)) => files::write_new(path, |file| {
            serde_json::to_writer_pretty(&mut *file, value)?;
            writeln!(file)
        })?,
        Some(None) => write_json(value)?,
        None => {}
    }
    Ok(())
}

/// A measure of single precision, with no more digits than it has.
pub(super) fn real(number: f32) -> Value {
    number
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

/// A program as hex digits, as a terminal shows it, as program text, and in cubff's glyphs.
pub(super) fn program(language: &Language, bytes: &[u8]) -> Value {
    json!({
        "hex": hex(bytes),
        "shown": shown(language, bytes),
        "text": language.program_text(bytes),
        "glyphs": language.glyphs(bytes),
    })
}

/// A program as a terminal shows it, without colours: all no-ops look alike.
pub(super) fn shown(language: &Language, bytes: &[u8]) -> String {
    bytes.iter().map(|byte| language.byte_text(*byte)).collect()
}

/// The files that a command has written, each with its format, its size and, of a drawing, its
/// pixels.
pub(super) fn written<P: AsRef<Path>>(paths: &[P]) -> Result<Value, Error> {
    /// Enough for the size of any drawing to be in it.
    const HEAD: u64 = 1024;
    let of_file = |path: &P| {
        let path = path.as_ref();
        let cannot = |error| Error::cannot("read", path, error);
        let file = files::open(path)?;
        let bytes = file.metadata().map_err(cannot)?.len();
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).map_err(cannot)?;
        let (width, height) = dimensions(&head).unzip();
        let format = path.extension().unwrap_or_default().to_string_lossy();
        Ok(json!({
            "path": path.display().to_string(),
            "format": format.to_lowercase(),
            "bytes": bytes,
            "width": width,
            "height": height,
        }))
    };
    let all = paths.iter().map(of_file);
    Ok(Value::Array(all.collect::<Result<_, Error>>()?))
}
