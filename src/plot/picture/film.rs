//! Films: a soup over its epochs, as animated PNG or GIF.

use std::path::{Path, PathBuf};

use super::{Pen, Picture, SHADES, View, frames, not_drawn, open_font};
use crate::Error;
use crate::files;
use crate::measure::ALIVE;
use crate::plot::format::{Format, Subject};
use crate::plot::series::Series;
use crate::run::replay::Replay;

/// Frames of the longest film, which is made in memory.
pub const MAX_FRAMES: usize = 1000;
/// How long the last frame stays, in seconds.
pub const LAST_FRAME: u16 = 3;
/// Pixels of the soup in a film, with its legend.
const SIZE: (usize, usize) = (960, 720);
/// Pixels of the curve below the soup, and of its label.
const CURVE_HEIGHT: usize = 72;
const LABEL_HEIGHT: usize = 26;
const MARGIN: usize = 12;

/// A picture of a film, and whether it is the last one.
struct Frame {
    picture: Picture,
    is_last: bool,
}

/// A film's frames, one after another; all must have the same size and palette.
struct Reel<'a> {
    /// How many there are at most.
    count: usize,
    /// How many have been made.
    made: usize,
    is_over: bool,
    make: &'a mut dyn FnMut(usize) -> Result<Frame, Error>,
}

impl Reel<'_> {
    /// The next frame, if there is one.
    fn next(&mut self) -> Result<Option<Frame>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let mut frame = (self.make)(self.made)?;
        self.made += 1;
        frame.is_last |= self.made == self.count;
        self.is_over = frame.is_last;
        Ok(Some(frame))
    }
}

/// Write a film of at most this many frames to `out`, as animated PNG or GIF, as its name says;
/// `rate` of them per second. Returns the number of frames.
fn write(
    out: &Path,
    count: usize,
    rate: u16,
    make: &mut dyn FnMut(usize) -> Result<Frame, Error>,
) -> Result<usize, Error> {
    let format = Format::of(out, Subject::Film)?;
    if count == 0 || count > MAX_FRAMES {
        return Err(Error::Setting(format!(
            "a film of {count} frames: choose `from`, `to` and `every` so that there are \
             from 1 to {MAX_FRAMES}"
        )));
    }
    let mut reel = Reel {
        count,
        made: 0,
        is_over: false,
        make,
    };
    let bytes = match format {
        Format::Gif => to_gif(&mut reel, rate, out)?,
        Format::Png | Format::Svg => to_png(&mut reel, rate, out)?,
    };
    files::write_whole(out, |file| file.write_all(&bytes))?;
    Ok(reel.made)
}

/// The film as animated PNG.
fn to_png(reel: &mut Reel<'_>, rate: u16, out: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |error: png::EncodingError| not_drawn(out, error);
    let mut bytes = Vec::new();
    let mut next = reel.next()?;
    let Some(first) = &next else {
        return Ok(bytes);
    };
    let mut encoder = first.picture.encoder(&mut bytes);
    encoder.set_animated(reel.count as u32, 0).map_err(wrong)?;
    encoder.set_frame_delay(1, rate).map_err(wrong)?;
    // A film is made once and watched often.
    encoder.set_deflate_compression(png::DeflateCompression::Level(6));
    let mut writer = encoder.write_header().map_err(wrong)?;
    while let Some(frame) = next {
        if frame.is_last {
            writer.set_frame_delay(LAST_FRAME, 1).map_err(wrong)?;
        }
        let pixels = &frame.picture.pixels;
        writer.write_image_data(pixels).map_err(wrong)?;
        next = reel.next()?;
    }
    writer.finish().map_err(wrong)?;
    if reel.made < reel.count {
        set_frame_count(&mut bytes, reel.made as u32);
    }
    Ok(bytes)
}

/// The film as GIF, with the very colours of its pictures. A frame holds what has changed since
/// the one before.
fn to_gif(reel: &mut Reel<'_>, rate: u16, out: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |error: gif::EncodingError| not_drawn(out, error);
    let mut bytes = Vec::new();
    let mut next = reel.next()?;
    let Some(first) = &next else {
        return Ok(bytes);
    };
    let size = |pixels: usize| u16::try_from(pixels).map_err(|error| not_drawn(out, error));
    let (width, height) = (size(first.picture.width)?, size(first.picture.height)?);
    // One colour more, for what stays as it is.
    let mut palette = first.picture.palette.clone();
    let same = u8::try_from(palette.len() / 3).map_err(|error| not_drawn(out, error))?;
    palette.extend([0; 3]);
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).map_err(wrong)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(wrong)?;
    let mut shown: Vec<u8> = Vec::new();
    while let Some(Frame { picture, is_last }) = next {
        let mut changed = picture.pixels.clone();
        for (pixel, shown) in changed.iter_mut().zip(&shown) {
            if pixel == shown {
                *pixel = same;
            }
        }
        // In hundredths of a second, of which players show no fewer than two.
        let delay = if is_last {
            100 * LAST_FRAME
        } else {
            ((100 + rate / 2) / rate.max(1)).max(2)
        };
        let frame = gif::Frame {
            delay,
            dispose: gif::DisposalMethod::Keep,
            transparent: Some(same),
            width,
            height,
            buffer: changed.into(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).map_err(wrong)?;
        shown = picture.pixels;
        next = reel.next()?;
    }
    drop(encoder);
    Ok(bytes)
}

/// Set the number of frames in an animated PNG.
fn set_frame_count(png: &mut [u8], count: u32) {
    let Some(at) = png.windows(4).position(|name| name == b"acTL") else {
        return;
    };
    // Behind the name of the chunk: frames, repetitions and a checksum of all three.
    png[at + 4..at + 8].copy_from_slice(&count.to_be_bytes());
    let sum = crc32(&png[at..at + 12]);
    png[at + 12..at + 16].copy_from_slice(&sum.to_be_bytes());
}

/// The checksum of a PNG's chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// Write a film of frames that `broth run --frames` wrote, as animated PNG or GIF, as the name of
/// `out` says; returns their number.
pub fn of_frames(frames: &[PathBuf], rate: u16, out: &Path) -> Result<usize, Error> {
    let mut first: Option<(usize, usize, Vec<u8>)> = None;
    write(out, frames.len(), rate, &mut |i| {
        let picture = frames::read(&frames[i])?;
        let shape = (picture.width, picture.height, picture.palette.clone());
        if *first.get_or_insert(shape.clone()) != shape {
            return Err(Error::file(
                &frames[i],
                "has another size or other colours than the frames before it: it is of \
                 another run; move it away",
            ));
        }
        Ok(Frame {
            picture,
            is_last: false,
        })
    })
}

/// Write a film of a run at these points, in ascending order, by recomputing it, as animated PNG or
/// GIF, as the name of `out` says; `metrics` has its
/// entropy, and `watch` is called for every epoch. If `replay` is stopped, the film ends with the
/// soup at which it stopped. Returns the number of frames.
pub fn of_replay(
    replay: &mut Replay,
    points: &[u64],
    metrics: Option<&Series>,
    rate: u16,
    out: &Path,
    watch: &mut dyn FnMut(u64),
) -> Result<usize, Error> {
    let view = View::of(replay.soup().settings(), SIZE);
    write(out, points.len(), rate, &mut |i| {
        replay.go_to(points[i], watch);
        let epochs_done = replay.soup().epochs_done();
        let mut picture = Picture::of_soup(&view, replay.soup().programs(), epochs_done)?;
        if let (Some(metrics), Some(last)) = (metrics, points.last()) {
            add_curve(&mut picture, metrics, (points[0], epochs_done, *last))?;
        }
        Ok(Frame {
            picture,
            is_last: replay.is_stopped(),
        })
    })
}

/// Draw the high-order entropy below a picture, from the first point to the last, bright up to the
/// current one.
fn add_curve(
    picture: &mut Picture,
    metrics: &Series,
    (first, now, last): (u64, u64, u64),
) -> Result<(), Error> {
    let font = open_font()?;
    let pen = Pen {
        font: &font,
        size: 17.0,
    };
    let rows: Vec<_> = metrics
        .stretches("high_order_entropy")
        .into_iter()
        .flatten()
        .filter(|(epoch, ..)| (first..=last).contains(epoch))
        .collect();
    let width = picture.width;
    let mut pixels = vec![0; width * (LABEL_HEIGHT + CURVE_HEIGHT + MARGIN)];
    let most = rows
        .iter()
        .fold(ALIVE + 0.5, |most, row| most.max(row.2 as f32));
    let height = |value: f64| {
        let share = (value as f32 / most).clamp(0.0, 1.0);
        (share * CURVE_HEIGHT as f32) as usize
    };
    let span = (last - first).max(1);
    let plot_width = width - 2 * MARGIN;
    let mut at = 0;
    for x in 0..plot_width {
        let epoch = first + (span as u128 * x as u128 / plot_width as u128) as u64;
        while at + 1 < rows.len() && rows[at + 1].0 <= epoch {
            at += 1;
        }
        // Interpolated between two log points.
        let high = match rows.get(at..(at + 2).min(rows.len())) {
            Some([(e0, _, v0), (e1, _, v1)]) if epoch > *e0 => {
                let share = (epoch - e0) as f64 / (e1 - e0) as f64;
                height(v0 + (v1 - v0) * share)
            }
            Some([(_, _, value), ..]) => height(*value),
            _ => 0,
        };
        let shade = if epoch <= now { SHADES - 3 } else { 4 };
        for y in 0..CURVE_HEIGHT {
            let up = CURVE_HEIGHT - 1 - y;
            let is_alive_line = up == height(ALIVE.into()) && x % 12 < 7;
            let pixel = &mut pixels[(LABEL_HEIGHT + y) * width + MARGIN + x];
            if is_alive_line {
                *pixel = if up < high && epoch <= now {
                    0
                } else {
                    SHADES as u8 - 6
                };
            } else if up < high.max(1) {
                *pixel = shade as u8;
            }
        }
    }
    let measured = rows.iter().rfind(|(epoch, ..)| *epoch <= now);
    let label = match measured {
        Some((_, _, value)) => {
            format!("High-order entropy {value:.2} bits per byte; alive above {ALIVE} (dashed)")
        }
        None => format!("High-order entropy, bits per byte; alive above {ALIVE} (dashed)"),
    };
    pen.write(&mut pixels, width, (MARGIN, 2), &label);
    picture.height += pixels.len() / width;
    picture.pixels.extend(pixels);
    Ok(())
}
