//! What drawings are written as, which the endings of their names say.

use std::path::Path;

use crate::Error;

/// How a drawing is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PNG; of a film, animated PNG.
    Png,
    /// SVG.
    Svg,
    /// GIF; of a film, animated.
    Gif,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Lines and text: charts, strips, figures.
    Chart,
    /// The bytes of a soup.
    Picture,
    /// One picture after another.
    Film,
}

impl Subject {
    /// The endings of names that it can be written under, and what each of them stands for.
    pub fn formats(self) -> &'static [(&'static str, Format)] {
        match self {
            Subject::Chart => &[("png", Format::Png), ("svg", Format::Svg)],
            Subject::Picture => &[("png", Format::Png)],
            Subject::Film => &[
                ("png", Format::Png),
                ("apng", Format::Png),
                ("gif", Format::Gif),
            ],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Subject::Chart => "a chart",
            Subject::Picture => "a picture of a soup",
            Subject::Film => "a film",
        }
    }
}

impl Format {
    /// The format of a drawing that is written to `path`. An ending that stands for none that it
    /// can be written in is an error.
    pub fn of(path: &Path, subject: Subject) -> Result<Format, Error> {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let formats = subject.formats();
        let known = formats
            .iter()
            .find(|(known, _)| ending.eq_ignore_ascii_case(known));
        if let Some((_, format)) = known {
            return Ok(*format);
        }
        let endings: Vec<String> = formats
            .iter()
            .map(|(known, _)| format!(".{known}"))
            .collect();
        let choice = match &endings[..] {
            [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => endings.concat(),
        };
        let what = subject.name();
        let problem = if ending.is_empty() {
            format!("has no ending that says how to write {what}")
        } else {
            format!("{what} cannot be written as .{ending}")
        };
        Err(Error::Usage(format!(
            "{}: {problem}; choose a name that ends in {choice}",
            path.display()
        )))
    }

    /// Whether a file that begins with these bytes is of this format.
    pub fn is_of(self, head: &[u8]) -> bool {
        match self {
            Format::Png => head.starts_with(b"\x89PNG\r\n\x1a\n"),
            Format::Svg => head.starts_with(b"<svg") || head.starts_with(b"<?xml"),
            Format::Gif => head.starts_with(b"GIF8"),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Svg => "SVG",
            Format::Gif => "GIF",
        }
    }
}

/// Pixels of the width and the height of the drawing that begins with these bytes, if they are
/// those of one.
pub fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    if Format::Png.is_of(head) {
        let number = |at: usize| Some(u32::from_be_bytes(*head.get(at..)?.first_chunk()?));
        return Some((number(16)?, number(20)?));
    }
    if Format::Gif.is_of(head) {
        let number = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
        return Some((number(6)?.into(), number(8)?.into()));
    }
    if !Format::Svg.is_of(head) {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let of = |name: &str| {
        let (_, rest) = text.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()?.parse().ok()
    };
    Some((of("width")?, of("height")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_say_how_large_they_are() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x06\x40\0\0\x04\xb0\x08";
        assert_eq!(dimensions(png), Some((1600, 1200)));
        assert_eq!(dimensions(b"GIF89a\xc0\x03\xd0\x02\xf7"), Some((960, 720)));
        let svg = b"<svg width=\"1600\" height=\"900\" viewBox=\"0 0 1600 900\">";
        assert_eq!(dimensions(svg), Some((1600, 900)));
        for (len, head) in [(22, &png[..]), (9, b"GIF89a\xc0\x03\xd0\x02"), (18, svg)] {
            assert_eq!(dimensions(&head[..len]), None);
        }
        for head in [&b""[..], b"epoch,a\n", b"<svg>"] {
            assert_eq!(dimensions(head), None);
        }
    }

    #[test]
    fn endings_decide_and_what_cannot_be_written_is_refused() {
        let of = |name: &str, subject| Format::of(Path::new(name), subject);
        for (name, subject, format) in [
            ("a.png", Subject::Chart, Format::Png),
            ("a.b/c.SVG", Subject::Chart, Format::Svg),
            ("a.Png", Subject::Picture, Format::Png),
            ("a.apng", Subject::Film, Format::Png),
            ("a.png", Subject::Film, Format::Png),
            ("a.gif", Subject::Film, Format::Gif),
        ] {
            assert_eq!(of(name, subject).unwrap(), format, "{name}");
        }
        for (name, subject, hint) in [
            (
                "a.mp4",
                Subject::Film,
                "as .mp4; choose a name that ends in .png, .apng or .gif",
            ),
            ("a.webp", Subject::Film, ".png, .apng or .gif"),
            ("a.svg", Subject::Film, ".svg"),
            ("a.jpg", Subject::Chart, "a chart cannot be written as .jpg"),
            ("a.apng", Subject::Chart, ".png or .svg"),
            (
                "a.svg",
                Subject::Picture,
                "a picture of a soup cannot be written as .svg",
            ),
            ("a", Subject::Picture, "no ending"),
            ("a.png/b", Subject::Picture, "ends in .png"),
        ] {
            let error = of(name, subject).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(hint),
                "{error}"
            );
        }
    }
}
