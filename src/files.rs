//! Reading only what is a file and not too long, and writing so that no file is ever half
//! there under its final name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PersistError};

use crate::Error;
use crate::format::hex;

/// How temporary files are called until they get their final name.
const TEMPORARY_PREFIX: &str = ".broth-unfinished-";

/// No settings and no sidecar are longer.
const MAX_TEXT: u64 = 1 << 16;

/// Held by all who put a saved state in place, and by the one who keeps them from it.
static IN_PLACE: RwLock<()> = RwLock::new(());

/// Put something in place and note that it is there, as one piece of work: a program that ends
/// while it holds [`hold`] has done both or neither. Such work must be short, and not be nested.
pub fn commit<T>(work: impl FnOnce() -> T) -> T {
    let _held = IN_PLACE.read().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Wait for every [`commit`] under way, and keep others from beginning while this is held.
pub fn hold() -> RwLockWriteGuard<'static, ()> {
    IN_PLACE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Open a file to read it. A folder, a pipe or a device is refused: one that nobody
/// writes to would be waited for, another would never end.
pub fn open(path: &Path) -> Result<File, Error> {
    let cannot = |error| Error::cannot("read", path, error);
    // First, since opening a pipe waits already.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(Error::file(
            path,
            "is not a file; broth reads no folders, pipes or devices",
        ));
    }
    File::open(path).map_err(cannot)
}

/// Read a short text, settings say.
pub fn read_text(path: &Path) -> Result<String, Error> {
    read_text_up_to(path, MAX_TEXT)
}

/// Read a text of at most so many bytes.
pub(crate) fn read_text_up_to(path: &Path, most: u64) -> Result<String, Error> {
    let mut bytes = Vec::new();
    open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::cannot("read", path, error))?;
    if bytes.len() as u64 > most {
        let problem = format!("has more than {most} bytes: it is something else");
        return Err(Error::file(path, problem));
    }
    String::from_utf8(bytes).map_err(|_| Error::file(path, "is not text: it is something else"))
}

/// Write a file whole or not at all: to a temporary name beside it, synced,
/// then renamed. A file of that name is replaced.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write_and_note(path, write, || ())
}

/// As [`write_whole`], and [`commit`]s the new name together with `note`.
pub(crate) fn write_and_note(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    note: impl FnOnce(),
) -> Result<(), Error> {
    write_then(path, write, |file| {
        commit(|| {
            let file = file.persist(path)?;
            note();
            Ok(file)
        })
    })
}

/// As [`write_whole`], but a file of that name is an error and stays.
pub fn write_new(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write_then(path, write, |file| file.persist_noclobber(path))
}

fn write_then(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    rename: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> Result<(), Error> {
    let mut file = Unfinished::create(path)?;
    write(&mut file).map_err(|error| Error::cannot("write", path, error))?;
    file.finish_by(path, rename)
}

/// A file that is being written, by a temporary name: it gets its own in the end, or is gone.
#[derive(Debug)]
pub(crate) struct Unfinished(BufWriter<NamedTempFile>);

impl Unfinished {
    /// One that is to become the file at `path`.
    pub(crate) fn create(path: &Path) -> Result<Unfinished, Error> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY_PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Readable as any other file: what the umask leaves of this.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder_of(path));
        let file = file.map_err(|error| Error::cannot("write", path, error))?;
        Ok(Unfinished(BufWriter::new(file)))
    }

    /// Make it the file at `path`, which is replaced.
    #[cfg(feature = "run")]
    pub(crate) fn finish(self, path: &Path) -> Result<(), Error> {
        self.finish_by(path, |file| file.persist(path))
    }

    fn finish_by(
        self,
        path: &Path,
        rename: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
    ) -> Result<(), Error> {
        let cannot = |error| Error::cannot("write", path, error);
        let file = self.0.into_inner().map_err(|error| cannot(error.into()))?;
        file.as_file().sync_all().map_err(cannot)?;
        rename(file).map_err(|error| cannot(error.error))?;
        sync_name(path)
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The folder that a file or folder lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// SHA-256 of `pieces`, one behind the other, in hex digits.
pub fn sha256(pieces: &[&[u8]]) -> String {
    let hash = pieces.iter().fold(Sha256::new(), Digest::chain_update);
    hex(&hash.finalize())
}

/// Make a new name last through a power cut, where the system can.
pub(crate) fn sync_name(path: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(folder_of(path))
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Error::cannot("write", path, error))?;
    }
    Ok(())
}

/// Make a folder and those it lies in, so that they last through a power cut.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let folder = folder_of(path);
    if folder != path {
        make_folder(folder)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            Err(Error::cannot("create", path, error))
        }
        _ => sync_name(path),
    }
}

/// Remove what an interrupted [`write_whole`] may have left in a folder.
#[cfg(feature = "run")]
pub(crate) fn remove_unfinished(folder: &Path) -> Result<(), Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(TEMPORARY_PREFIX)
            && entry.file_type().map_err(cannot)?.is_file()
        {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| Error::cannot("remove", &path, error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let result = write_whole(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(matches!(result, Err(Error::System { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write_whole(&path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_new_file_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, |file| file.write_all(b"first")).unwrap();
        let result = write_new(&path, |file| file.write_all(b"second"));
        assert!(matches!(result, Err(Error::System { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn unfinished_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("{TEMPORARY_PREFIX}x")), "").unwrap();
        fs::write(folder.path().join("kept"), "").unwrap();
        // No file of ours.
        fs::create_dir(folder.path().join(format!("{TEMPORARY_PREFIX}y"))).unwrap();
        remove_unfinished(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn folders_are_made_with_those_around_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        make_folder(&path).unwrap();
        make_folder(&path).unwrap();
        assert!(path.is_dir());
        fs::write(path.join("file"), "").unwrap();
        for wrong in ["file", "file/d"] {
            let error = make_folder(&path.join(wrong)).unwrap_err();
            assert!(error.to_string().contains("cannot create"), "{error}");
        }
    }

    #[test]
    fn only_short_text_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (bytes, hint) in [
            (vec![b'x'; MAX_TEXT as usize], None),
            (vec![b'x'; MAX_TEXT as usize + 1], Some("more than 65536")),
            (vec![0xff], Some("not text")),
        ] {
            fs::write(&path, &bytes).unwrap();
            match (read_text(&path), hint) {
                (Ok(text), None) => assert_eq!(text.as_bytes(), bytes),
                (Err(error), Some(hint)) => assert!(error.to_string().contains(hint), "{error}"),
                (result, _) => panic!("{result:?}"),
            }
        }
        assert!(read_text(folder.path()).unwrap_err().is_usage());
    }
}
