//! The page: files that are part of the program.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asset {
    pub path: &'static str,
    pub kind: &'static str,
    pub bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset {
            path: $path,
            kind: $kind,
            bytes: include_bytes!(concat!("../page/", $file)),
        }
    };
}

/// All files of the page.
pub(super) static ASSETS: &[Asset] = &[
    asset!("/", "text/html; charset=utf-8", "index.html"),
    asset!("/style.css", "text/css; charset=utf-8", "style.css"),
    asset!("/icon.svg", "image/svg+xml", "icon.svg"),
    asset!("/main.js", SCRIPT, "main.js"),
    asset!("/link.js", SCRIPT, "link.js"),
    asset!("/soup.js", SCRIPT, "soup.js"),
    asset!("/painter.js", SCRIPT, "painter.js"),
    asset!("/charts.js", SCRIPT, "charts.js"),
    asset!("/program.js", SCRIPT, "program.js"),
    asset!("/text.js", SCRIPT, "text.js"),
];
