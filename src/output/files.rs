//! Writing files so that none is ever half there under its final name.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PersistError};

use crate::Error;

/// How temporary files are called until they get their final name.
const TEMPORARY_PREFIX: &str = ".broth-unfinished-";

/// Write a file whole or not at all: to a temporary name beside it, synced,
/// then renamed. A file of that name is replaced.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write_then(path, write, |file| file.persist(path))
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
    rename: impl FnOnce(NamedTempFile) -> Result<fs::File, PersistError>,
) -> Result<(), Error> {
    let cannot = |error| Error::cannot("write", path, error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Readable as any other file: what the umask leaves of this.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(cannot)?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    write(&mut buffered).map_err(cannot)?;
    buffered.flush().map_err(cannot)?;
    drop(buffered);
    file.as_file().sync_all().map_err(cannot)?;
    rename(file).map_err(|error| cannot(error.error))?;
    sync_folder(folder).map_err(cannot)
}

/// SHA-256 of `pieces`, one behind the other, in hex digits.
pub fn sha256(pieces: &[&[u8]]) -> String {
    let hash = pieces.iter().fold(Sha256::new(), Digest::chain_update);
    let bytes = hash.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Make the names in a folder last through a crash, where the system can.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Remove what an interrupted [`write_whole`] may have left in a folder.
pub fn remove_unfinished(folder: &Path) -> Result<(), Error> {
    let cannot = |error| Error::cannot("read", folder, error);
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX)
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
        remove_unfinished(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
