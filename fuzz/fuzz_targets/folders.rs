//! Any bytes in place of a file of a run folder: the run is either refused by name, or resumed and
//! run to its end, which leaves a folder that can be resumed again.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use broth::plot::picture::frames::SoupPictures;
use broth::run::folder::RunFolder;
use broth::run::folder::{settings as settings_file, sidecar};
use broth::run::{Changes, Run, newest_soup};
use broth::soup::checkpoint::Checkpoint;
use broth::{Error, Soup};
use broth_fuzz::{FILES, WORLDS, make_run};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// Larger soups are skipped: they take long, and do not concern a parser.
const MOST_PROGRAMS: usize = 256;
/// Epochs for which a run is continued.
const MORE_EPOCHS: u64 = 4;

/// A run of three epochs, and what is in its folder.
struct Original {
    _parent: TempDir,
    /// The folder that inputs are written to.
    folder: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// In memory if the system has such a place, since files are synced.
fn parent() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// One for each world.
static ORIGINALS: LazyLock<Vec<Original>> = LazyLock::new(|| (0..WORLDS).map(original).collect());

fn original(world: usize) -> Original {
    let parent = parent();
    let folder = parent.path().join("run");
    make_run(&folder, world).unwrap();
    let mut names = vec!["checkpoints/0000000002.dat", "checkpoints/0000000002.toml"];
    names.extend(&FILES[..6]);
    let read = |name: &str| (folder.join(name), fs::read(folder.join(name)).unwrap());
    Original {
        files: names.into_iter().map(read).collect(),
        folder: folder.clone(),
        _parent: parent,
    }
}

/// Every refusal names a file, or a setting.
fn is_clear(error: &Error) -> bool {
    error.to_string().len() > 8
}

fn soup_of(path: &Path) -> Result<Soup, Error> {
    let (settings, plan) = settings_file::read(&RunFolder::look(path)?)?;
    if settings.num_programs > MOST_PROGRAMS || settings.max_steps > 8192 {
        return Err(Error::Usage("this soup takes too long".into()));
    }
    if plan.log.is_some() || plan.checkpoint_dir.is_some() || plan.frames.is_some() {
        return Err(Error::Usage("these may be any files of the machine".into()));
    }
    newest_soup(path)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, content)) = bytes.split_first() else {
        return;
    };
    let world = usize::from(*which) / FILES.len() % WORLDS;
    let which = usize::from(*which) % FILES.len();
    let original = &ORIGINALS[world];
    let folder = &original.folder;
    // Remove whatever the previous run left.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("checkpoints")).unwrap();
    for (path, content) in &original.files {
        fs::write(path, content).unwrap();
    }
    let path = folder.join(FILES[which]);
    fs::write(&path, content).unwrap();
    let program_len = if world == 1 { 32 } else { 64 };
    let checkpoint = Checkpoint::read_of(program_len, &folder.join(FILES[4]));
    if let Ok(checkpoint) = &checkpoint {
        let copy = folder.join("copy.dat");
        checkpoint.write(&copy).unwrap();
        assert_eq!(
            fs::read(&copy).unwrap(),
            fs::read(folder.join(FILES[4])).unwrap()
        );
        if which == 6 {
            let (settings, _) = settings_file::read(&RunFolder::look(folder).unwrap()).unwrap();
            let of_soup = settings_file::of_soup(&settings).unwrap();
            sidecar::write(&path, checkpoint, &of_soup).unwrap();
        }
    }

    let epochs_done = match soup_of(folder) {
        Ok(soup) => soup.epochs_done(),
        Err(error) => return assert!(is_clear(&error), "{error}"),
    };
    let resume = |more| {
        let max_epochs = i64::try_from(epochs_done.saturating_add(more)).unwrap_or(i64::MAX);
        let mut changes = Changes::default();
        let max_epochs = toml::Value::Integer(max_epochs);
        changes.given.insert("max-epochs".into(), max_epochs);
        Run::resume(folder, &changes, Some(&SoupPictures))
    };
    match resume(MORE_EPOCHS) {
        Ok(run) => match run.go(&AtomicBool::new(false), &mut ()) {
            Ok(summary) => {
                assert!(summary.epochs_done <= epochs_done + MORE_EPOCHS);
                let soup = newest_soup(folder).expect("a run leaves a folder to go on with");
                assert_eq!(soup.epochs_done(), summary.epochs_done);
            }
            Err(error) => assert!(is_clear(&error), "{error}"),
        },
        Err(error) => assert!(is_clear(&error), "{error}"),
    }
});
