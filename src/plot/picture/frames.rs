//! Pictures that a run writes while it is running, named like its checkpoints. Each records which
//! soup it shows.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use toml::Table;

use super::{DEFLATE_BYTES, MAX_SIZE, Picture, View, not_drawn};
use crate::Error;
use crate::files;
use crate::run::{self, folder};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::Settings;

/// The keyword of the text in a frame that identifies its soup.
const KEYWORD: &str = "broth-soup";

/// Draws the soups of runs as PNG: the frames that they want, and the last soup.
#[derive(Clone, Copy, Debug)]
pub struct SoupPictures;

impl run::Pictures for SoupPictures {
    fn frames(
        &self,
        folder: PathBuf,
        settings: &Settings,
        of_soup: &Table,
    ) -> Box<dyn run::Frames> {
        Box::new(Frames::new(folder, settings, of_soup))
    }

    fn draw(&self, path: &Path, settings: &Settings, soup: &Checkpoint) -> Result<(), Error> {
        super::write_soup(path, settings, soup)
    }
}

/// Where a run's frames go, and what they show.
#[derive(Debug)]
pub struct Frames {
    folder: PathBuf,
    view: View,
    /// SHA-256 of the settings that determine the soup.
    soup: String,
}

impl Frames {
    /// The frames in `folder` of a soup with these settings; `of_soup` are the settings as a table.
    pub fn new(folder: PathBuf, settings: &Settings, of_soup: &Table) -> Frames {
        Frames {
            folder,
            view: View::of(settings, View::FRAME),
            soup: files::sha256(&[of_soup.to_string().as_bytes()]),
        }
    }

    fn latest(&self) -> PathBuf {
        self.folder.join(run::LATEST_FRAME)
    }

    fn is_own(&self, path: &Path) -> bool {
        let frame = open(path);
        frame.is_ok_and(|frame| {
            let mut texts = frame.info().uncompressed_latin1_text.iter();
            texts.any(|text| text.keyword == KEYWORD && text.text == self.soup)
        })
    }
}

impl run::Frames for Frames {
    /// Write the frame of a soup, and a copy of it as the latest one. An existing frame of another
    /// soup stays and is an error.
    fn write(&self, soup: &Checkpoint) -> Result<(), Error> {
        let path = path(&self.folder, soup.epochs_done);
        let latest = self.latest();
        for path in [&path, &latest] {
            if path.symlink_metadata().is_ok() && !self.is_own(path) {
                return Err(Error::file(
                    path,
                    "is there already, and is no frame of this run; \
                     move it away, then resume the run",
                ));
            }
        }
        let picture = Picture::of_soup(&self.view, &soup.programs, soup.epochs_done)?;
        let bytes = picture
            .encode(&[(KEYWORD, &self.soup)])
            .map_err(|error| not_drawn(&path, error))?;
        for path in [&path, &latest] {
            files::write_whole(path, |file| file.write_all(&bytes))?;
        }
        Ok(())
    }

    /// Remove this soup's frames after this epoch; the resumed run writes them again. The latest
    /// one becomes the newest of those that stay.
    fn remove_after(&self, epochs_done: u64) -> Result<(), Error> {
        let remove = |path: &Path| {
            fs::remove_file(path).map_err(|error| Error::cannot("remove", path, error))
        };
        let mut newest = None;
        for (epochs, path) in list(&self.folder)? {
            if !self.is_own(&path) {
                continue;
            }
            if epochs > epochs_done {
                remove(&path)?;
            } else if newest.is_none() {
                newest = Some(path);
            }
        }
        let latest = self.latest();
        let is_free = latest.symlink_metadata().is_err();
        match newest {
            Some(newest) if is_free || self.is_own(&latest) => {
                let cannot = |error| Error::cannot("read", &newest, error);
                let bytes = fs::read(&newest).map_err(cannot)?;
                files::write_whole(&latest, |file| file.write_all(&bytes))
            }
            None if !is_free && self.is_own(&latest) => remove(&latest),
            _ => Ok(()),
        }
    }
}

/// The frames in a folder, as (epochs done, path), the newest first.
pub fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    folder::list(folder, "png")
}

fn path(folder: &Path, epochs_done: u64) -> PathBuf {
    folder
        .join(Checkpoint::file_name(epochs_done))
        .with_extension("png")
}

/// Start reading a frame; its header must be that of a frame.
fn open(path: &Path) -> Result<png::Reader<BufReader<File>>, Error> {
    // Twice the largest picture: a file that unpacks to more is not a frame.
    let bytes = 2 * MAX_SIZE * MAX_SIZE;
    let file = BufReader::new(files::open(path)?);
    let reader = png::Decoder::new_with_limits(file, png::Limits { bytes })
        .read_info()
        .map_err(|error| no_frame(path, error))?;
    let info = reader.info();
    if info.color_type != png::ColorType::Indexed
        || info.bit_depth != png::BitDepth::Eight
        || info.is_animated()
        || info.width.max(info.height) as usize > MAX_SIZE
    {
        return Err(no_frame(path, "it is some other picture"));
    }
    Ok(reader)
}

/// Read a frame.
pub fn read(path: &Path) -> Result<Picture, Error> {
    let mut reader = open(path)?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    let palette = info.palette.as_deref().unwrap_or_default().to_vec();
    let mut pixels = vec![0; width * height];
    reader
        .next_frame(&mut pixels)
        .map_err(|error| no_frame(path, error))?;
    if pixels.iter().any(|i| usize::from(*i) * 3 >= palette.len()) {
        return Err(no_frame(path, "it has colours that its palette lacks"));
    }
    Ok(Picture {
        width,
        height,
        palette,
        pixels,
        deflate: DEFLATE_BYTES,
    })
}

fn no_frame(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::file(
        path,
        format!("is no frame of a run of broth: {why}; move it away"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Frames as _;

    fn soup(epochs_done: u64) -> Checkpoint {
        Checkpoint {
            epochs_done,
            programs: (0..=255).cycle().take(64 * 64).collect(),
            ..Checkpoint::empty()
        }
    }

    #[test]
    fn frames_of_another_soup_stay() {
        let folder = tempfile::tempdir().unwrap();
        let frames = |seed: i64| {
            let table = Table::from_iter([("seed".into(), seed.into())]);
            Frames::new(folder.path().into(), &Settings::default(), &table)
        };
        for epochs in [1, 5, 9] {
            frames(1).write(&soup(epochs)).unwrap();
        }
        let before = read(&path(folder.path(), 5)).unwrap();
        let error = frames(2).write(&soup(5)).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("no frame of this run"));
        frames(2).remove_after(0).unwrap();
        frames(1).write(&soup(5)).unwrap();
        assert_eq!(read(&path(folder.path(), 5)).unwrap(), before);
        let latest = folder.path().join(run::LATEST_FRAME);
        frames(1).remove_after(1).unwrap();
        assert_eq!(list(folder.path()).unwrap().len(), 1);
        // The latest one is of those that are left, and none where none is left.
        let first = read(&path(folder.path(), 1)).unwrap();
        assert_eq!(read(&latest).unwrap(), first);
        frames(1).remove_after(0).unwrap();
        assert!(!latest.exists());
        // One of another soup stays.
        frames(2).write(&soup(3)).unwrap();
        frames(1).remove_after(0).unwrap();
        let error = frames(1).write(&soup(5)).unwrap_err();
        assert!(error.to_string().contains("latest.png"), "{error}");
        assert_eq!(
            read(&latest).unwrap(),
            read(&path(folder.path(), 3)).unwrap()
        );
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000000001.png");
        let mut bomb = Vec::new();
        let mut encoder = png::Encoder::new(&mut bomb, 1 << 20, 1 << 20);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(vec![0; 3]);
        drop(encoder.write_header().unwrap());
        // A colour outside the palette.
        let picture = Picture {
            width: 2,
            height: 1,
            palette: vec![0; 6],
            pixels: vec![1, 2],
            deflate: DEFLATE_BYTES,
        };
        let colourless = picture.encode(&[]).unwrap();
        let mut cut = colourless.clone();
        cut.truncate(60);
        for bytes in [b"".to_vec(), b"GIF89a".to_vec(), bomb, colourless, cut] {
            fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.to_string().contains("is no frame"), "{error}");
        }
    }
}
