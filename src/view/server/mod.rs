//! The server: the page's files, its WebSocket and a JSON API, on a thread of its own.

mod api;
mod assets;
mod guard;
mod socket;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::looker::Looker;
use super::protocol::LONGEST_COMMAND;
use super::shared::Shared;
use crate::Error;
use assets::ASSETS;
use guard::Guard;

/// Pages that may be open at once.
const MOST_CLIENTS: usize = 64;
/// Where a server listens if nothing is said; where that is taken, at one of the next ports.
const FIRST_PORT: u16 = 4664;
/// How many ports are tried.
const TRIED_PORTS: u16 = 32;

/// What a page may load and connect to: what this server serves, and nothing else.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Where a server listens, and who may talk to it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A name or an address of this machine; loopback where nothing is said.
    pub host: Option<String>,
    /// The port; the first free one from 4664 on where nothing is said.
    pub port: Option<u16>,
    /// What requests must have if not only this machine can send them. Without it, a server
    /// listens on loopback only.
    pub token: Option<String>,
}

/// A server that has its port and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    guard: Guard,
    address: String,
}

impl Server {
    /// Take the port. Whoever asks for another host than loopback must give a token.
    pub fn bind(access: &Access) -> Result<Server, Error> {
        let host = access.host.as_deref();
        let ip = match host {
            Some(host) => resolve(host)?,
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        if !ip.is_loopback() && access.token.is_none() {
            return Err(Error::Setting(format!(
                "`host` {ip}: others can reach it, so that a token is needed"
            )));
        }
        let listener = listen(ip, access.port)?;
        let port = listener.local_addr().map_or(0, |address| address.port());
        let name = match host {
            Some(host) if host.parse::<IpAddr>().is_err() => host.to_owned(),
            _ if ip.is_unspecified() => format!("{}", Ipv4Addr::LOCALHOST),
            _ if ip.is_ipv6() => format!("[{ip}]"),
            _ => ip.to_string(),
        };
        let query = match &access.token {
            Some(token) => format!("?token={token}"),
            None => String::new(),
        };
        Ok(Server {
            listener,
            guard: Guard::new(port, access.host.clone(), access.token.clone()),
            address: format!("http://{name}:{port}/{query}"),
        })
    }

    /// The address of the page.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Answer from now on, on a thread of its own, until the program ends.
    pub(super) fn start(self, shared: Arc<Shared>) -> Result<(), Error> {
        let problem = |error: std::io::Error| Error::Usage(format!("no server: {error}"));
        self.listener.set_nonblocking(true).map_err(problem)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // However many pages there are, they keep no more of the machine busy.
            .max_blocking_threads(2)
            .build()
            .map_err(problem)?;
        let app = Arc::new(App {
            looker: Looker::start(Arc::clone(&shared)),
            shared,
            guard: self.guard,
            clients: AtomicUsize::new(0),
        });
        let listener = self.listener;
        thread::Builder::new()
            .name("view".into())
            .spawn(move || {
                runtime.block_on(async {
                    // Without it there is nothing to serve.
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        let _ = axum::serve(listener, router(app)).await;
                    }
                });
            })
            .map(drop)
            .map_err(problem)
    }
}

/// The address of a host of this machine.
fn resolve(host: &str) -> Result<IpAddr, Error> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return Ok(ip);
    }
    let found = (bare, 0)
        .to_socket_addrs()
        .ok()
        .and_then(|mut it| it.next());
    found.map(|it: SocketAddr| it.ip()).ok_or_else(|| {
        Error::Setting(format!(
            "`host` {host}: no address has this name; give a name or an address of this machine"
        ))
    })
}

fn listen(ip: IpAddr, port: Option<u16>) -> Result<TcpListener, Error> {
    let taken = |port: u16, error: std::io::Error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
            _ => error.to_string(),
        };
        Error::Setting(format!(
            "`port` {port} on {ip}: {why}; choose another port, or 0 for any that is free"
        ))
    };
    if let Some(port) = port {
        return TcpListener::bind((ip, port)).map_err(|error| taken(port, error));
    }
    let mut last = None;
    for port in FIRST_PORT..FIRST_PORT + TRIED_PORTS {
        match TcpListener::bind((ip, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(taken(port, error)),
        }
    }
    Err(last.unwrap_or_else(|| Error::Bug("no port was tried".into())))
}

/// What answers need.
#[derive(Debug)]
struct App {
    shared: Arc<Shared>,
    looker: Arc<Looker>,
    guard: Guard,
    clients: AtomicUsize,
}

fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for asset in ASSETS {
        let kind = [(header::CONTENT_TYPE, asset.kind)];
        let answer = move || async move { (kind, asset.bytes) };
        router = router.route(asset.path, get(answer));
    }
    router
        .route("/ws", get(open_socket))
        .route("/api/state", get(api::state))
        .route("/api/soup", get(api::soup))
        .route("/api/hash", get(api::hash))
        .route("/api/program/{index}", get(api::details))
        .route("/api/places", get(api::places))
        .route("/api/interaction/{index}", get(api::interaction))
        .route("/api/trace", get(api::trace))
        .route("/api/parse", get(api::parse))
        .layer(from_fn_with_state(Arc::clone(&app), guarded))
        .with_state(app)
}

/// Refuse whom the guard does not know; add to each answer what keeps pages safe.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_page = request.uri().path() == "/";
    let mut response = match app.guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => (StatusCode::FORBIDDEN, refusal.text()).into_response(),
    };
    let is_served = response.status() == StatusCode::OK;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if is_page
        && is_served
        && let Some(cookie) = app.guard.cookie()
        && let Ok(cookie) = HeaderValue::try_from(cookie)
    {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn open_socket(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    if app.clients.fetch_add(1, Ordering::Relaxed) >= MOST_CLIENTS {
        app.clients.fetch_sub(1, Ordering::Relaxed);
        let text = format!("{MOST_CLIENTS} pages are open already\n");
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    let counted = Counted(Arc::clone(&app));
    upgrade
        .max_message_size(LONGEST_COMMAND)
        .max_frame_size(LONGEST_COMMAND)
        .on_upgrade(move |socket| async move {
            let _counted = counted;
            socket::serve(socket, Arc::clone(&app.shared), Arc::clone(&app.looker)).await;
        })
}

/// A page that is counted as long as this lives.
struct Counted(Arc<App>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
