//! The JSON API: what a page, or any program, may ask of the soup shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::App;
use crate::Error;
use crate::files::sha256;
use crate::format::hex;
use crate::run::folder::settings::key_of;
use crate::view::frame::Frame;
use crate::view::program;
use crate::view::scene::Scene;

/// What stands behind the `?` of an address, by name. Bytes that make no text are left out.
fn parameters(uri: &Uri) -> BTreeMap<String, String> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Text as it is written in an address.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// An answer, or what was wrong with the question.
fn answer(result: Result<Value, Error>) -> Response {
    match result {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(error) => {
            let code = if error.is_usage() {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            json_response(code, &json!({"error": error.naming(key_of)}))
        }
    }
}

fn json_response(code: StatusCode, value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (code, kind, value.to_string()).into_response()
}

fn no_soup() -> Error {
    Error::Usage("there is no soup yet; ask again".into())
}

/// Work that takes a while, on a thread of its own.
async fn aside(work: impl FnOnce() -> Result<Value, Error> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => answer(result),
        Err(_) => answer(Err(Error::Bug("a thread of the server ended early".into()))),
    }
}

/// The newest frame and its scene, in which `newer` asks for one that is up to date.
fn newest(app: &App) -> Result<(Arc<Frame>, Arc<Scene>), Error> {
    app.shared.newest().ok_or_else(no_soup)
}

/// `GET /api/state`: where the soup stands.
pub(super) async fn state(State(app): State<Arc<App>>) -> Response {
    let state = app.shared.state.borrow().to_json();
    let scene = Arc::clone(&app.shared.scene.borrow());
    answer(scene.address().map(|address| {
        json!({"state": state, "address": address, "lang": scene.settings.language.name,
            "seed": scene.settings.seed.to_string(), "num": scene.settings.num_programs})
    }))
}

/// `GET /api/soup`: the bytes of the newest frame, and its epoch in a header.
pub(super) async fn soup(State(app): State<Arc<App>>) -> Response {
    let Ok((frame, _)) = newest(&app) else {
        return answer(Err(no_soup()));
    };
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/octet-stream".to_owned(),
        ),
        ("broth-epoch", frame.epoch.to_string()),
        ("broth-frame", frame.id.to_string()),
    ];
    (headers, Body::from(frame.programs().to_vec())).into_response()
}

/// `GET /api/hash`: the SHA-256 of the newest frame's bytes.
pub(super) async fn hash(State(app): State<Arc<App>>) -> Response {
    aside(move || {
        let (frame, _) = newest(&app)?;
        Ok(json!({"epoch": frame.epoch, "sha256": sha256(&[frame.programs()])}))
    })
    .await
}

/// `GET /api/program/INDEX`, or with `?hex=`: what there is to say of a program.
pub(super) async fn details(
    State(app): State<Arc<App>>,
    Path(index): Path<usize>,
    uri: Uri,
) -> Response {
    aside(move || {
        let query = parameters(&uri);
        let (frame, scene) = newest(&app)?;
        let program = match query.get("hex") {
            Some(hex) => crate::view::scene::program_of(&scene.settings, index, hex)?,
            None => {
                let program = frame.program(index).map(<[u8]>::to_vec);
                program.ok_or_else(|| {
                    Error::Usage(format!(
                        "program {index}: the soup has {}, counted from 0",
                        frame.num_programs()
                    ))
                })?
            }
        };
        program::details(&scene, &frame, index, &program)
    })
    .await
}

/// `GET /api/places?hex=`: where programs of these bytes are.
pub(super) async fn places(State(app): State<Arc<App>>, uri: Uri) -> Response {
    aside(move || {
        let (frame, scene) = newest(&app)?;
        let query = parameters(&uri);
        let hex = query.get("hex").map_or("", |hex| hex);
        let program = crate::view::scene::program_of(&scene.settings, 0, hex)?;
        Ok(program::places(&frame, &program))
    })
    .await
}

/// `GET /api/interaction/INDEX`: the last interaction of a program.
pub(super) async fn interaction(
    State(app): State<Arc<App>>,
    Path(index): Path<usize>,
    uri: Uri,
) -> Response {
    aside(move || {
        let epoch = match parameters(&uri).get("epoch") {
            Some(text) => crate::format::parse_number(text).map_err(Error::Usage)?,
            None => newest(&app)?.0.epoch,
        };
        let history = app.shared.history().clone();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|error| Error::Usage(format!("no thread: {error}")))?;
        pool.install(|| program::last_interaction(&history, epoch, index))
    })
    .await
}

/// `GET /api/trace?tape=`: a run of a tape, step by step.
pub(super) async fn trace(State(app): State<Arc<App>>, uri: Uri) -> Response {
    aside(move || {
        let scene = Arc::clone(&app.shared.scene.borrow());
        let query = parameters(&uri);
        let tape = query.get("tape").map_or("", |hex| hex);
        let tape = crate::language::parse_hex(tape)?;
        program::trace(scene.settings.language, &tape, scene.settings.max_steps)
    })
    .await
}

/// `GET /api/parse?text=`: program text as hex digits, padded to a whole program by `?pad=`.
pub(super) async fn parse(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let scene = Arc::clone(&app.shared.scene.borrow());
    let language = scene.settings.language;
    let query = parameters(&uri);
    let text = query.get("text").map_or("", |text| text);
    let parsed = language.parse_program(text).map_err(Error::from);
    answer(parsed.and_then(|program| {
        if program.len() > language.program_len {
            return Err(Error::Usage(format!(
                "a program of {} bytes: those of {language} have {}",
                program.len(),
                language.program_len
            )));
        }
        Ok(json!({"hex": hex(&program), "text": language.program_text(&program)}))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_pages_write_them() {
        let uri: Uri = "/api/parse?text=%5B%5b%7B.%3E%5D-%5D+%20x&pad=1&x"
            .parse()
            .unwrap();
        let found = parameters(&uri);
        assert_eq!(found["text"], "[[{.>]-]  x");
        assert_eq!((found.len(), &*found["pad"]), (2, "1"));
        for (text, expected) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%%41", "%A"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }
}
