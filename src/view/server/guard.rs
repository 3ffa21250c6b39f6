//! Who may talk to the server: pages that it served itself, and programs on this machine or with
//! the token.

use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Uri};

/// The rules of a server.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    port: u16,
    /// The name or address that it was told to listen at, where that is not loopback.
    host: Option<String>,
    token: Option<String>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It names another host: a name that was made to lead here, perhaps.
    Host,
    /// It comes from a page of another site.
    Origin,
    /// It has no token, or another.
    Token,
}

impl Refusal {
    /// What is said of it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Refusal::Host => "refused: this server is not called so; use the address it printed\n",
            Refusal::Origin => "refused: the request comes from a page of another site\n",
            Refusal::Token => "refused: the token is missing; use the whole address it printed\n",
        }
    }
}

impl Guard {
    pub(super) fn new(port: u16, host: Option<String>, token: Option<String>) -> Guard {
        Guard { port, host, token }
    }

    /// Whether a request may be answered. A page of another site may lead to the page itself and
    /// to nothing else.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name| headers.get(name).map(HeaderValue::to_str);
        let host = match text(HOST) {
            Some(Ok(host)) if self.knows(host) => host,
            _ => return Err(Refusal::Host),
        };
        match text(ORIGIN) {
            None => {}
            Some(Ok(origin)) if origin.strip_prefix("http://") == Some(host) => {}
            Some(_) => return Err(Refusal::Origin),
        }
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_own = matches!(site, None | Some(b"same-origin" | b"none"));
        if !is_own && uri.path() != "/" {
            return Err(Refusal::Origin);
        }
        match &self.token {
            Some(token) if !self.has_token(token, uri, headers) => Err(Refusal::Token),
            _ => Ok(()),
        }
    }

    /// Whether the server goes by this name, with its port.
    fn knows(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(self.port) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        if ["localhost", "127.0.0.1", "[::1]"].contains(&&*name) {
            return true;
        }
        let Some(own) = &self.host else {
            return false;
        };
        // An address is no name that could be made to lead elsewhere.
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.eq_ignore_ascii_case(own) || bare.parse::<IpAddr>().is_ok()
    }

    fn has_token(&self, token: &str, uri: &Uri, headers: &HeaderMap) -> bool {
        let query = uri.query().unwrap_or_default();
        let in_query = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("token="));
        let text = |name| {
            headers
                .get_all(name)
                .into_iter()
                .filter_map(|it| it.to_str().ok())
        };
        let name = self.cookie_name();
        let cookies = text(COOKIE).flat_map(|it| it.split(';'));
        let in_cookies = cookies.filter_map(|it| it.trim().strip_prefix(&*name)?.strip_prefix('='));
        let bearers = text(AUTHORIZATION).filter_map(|it| it.strip_prefix("Bearer "));
        in_query
            .chain(in_cookies)
            .chain(bearers)
            .any(|it| is_same(it, token))
    }

    fn cookie_name(&self) -> String {
        format!("broth-{}", self.port)
    }

    /// The cookie by which a page that was opened with the token keeps it.
    pub(super) fn cookie(&self) -> Option<String> {
        let token = self.token.as_ref()?;
        let name = self.cookie_name();
        Some(format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict"))
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn is_same(a: &str, b: &str) -> bool {
    let differences = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, path: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        guard.check(&path.parse().unwrap(), &map)
    }

    #[test]
    fn on_loopback_only_its_own_names_and_pages_are_let_in() {
        let guard = Guard::new(4664, None, None);
        for host in [
            "localhost:4664",
            "127.0.0.1:4664",
            "[::1]:4664",
            "LocalHost:4664",
        ] {
            assert_eq!(check(&guard, "/ws", &[("host", host)]), Ok(()));
            let origin = format!("http://{host}");
            assert_eq!(
                check(&guard, "/ws", &[("host", host), ("origin", &origin)]),
                Ok(())
            );
        }
        for host in [
            "evil.example:4664",
            "localhost",
            "localhost:80",
            "127.0.0.1:46640",
            "192.168.0.7:4664",
            "localhost.evil.example:4664",
            "",
            "[::1]",
            "127.0.0.1:4664:4664",
        ] {
            assert_eq!(
                check(&guard, "/", &[("host", host)]),
                Err(Refusal::Host),
                "{host}"
            );
        }
        assert_eq!(check(&guard, "/", &[]), Err(Refusal::Host));
        for origin in [
            "http://evil.example",
            "https://localhost:4664",
            "http://localhost:4665",
            "null",
            "http://127.0.0.1:4664",
            "http://localhost:4664.evil.example",
        ] {
            let headers = [("host", "localhost:4664"), ("origin", origin)];
            assert_eq!(
                check(&guard, "/ws", &headers),
                Err(Refusal::Origin),
                "{origin}"
            );
        }
        let from = |site| [("host", "localhost:4664"), ("sec-fetch-site", site)];
        assert_eq!(
            check(&guard, "/api/state", &from("cross-site")),
            Err(Refusal::Origin)
        );
        assert_eq!(
            check(&guard, "/api/state", &from("same-site")),
            Err(Refusal::Origin)
        );
        assert_eq!(check(&guard, "/api/state", &from("same-origin")), Ok(()));
        assert_eq!(check(&guard, "/", &from("cross-site")), Ok(()));
    }

    #[test]
    fn elsewhere_a_token_is_needed() {
        let guard = Guard::new(80, Some("lab.example".into()), Some("s3cret".into()));
        let host = ("host", "lab.example");
        assert_eq!(check(&guard, "/", &[host]), Err(Refusal::Token));
        for path in [
            "/?token=s3cre",
            "/?token=s3cretx",
            "/?token=",
            "/?xtoken=s3cret",
            "/#token=s3cret",
        ] {
            assert_eq!(check(&guard, path, &[host]), Err(Refusal::Token), "{path}");
        }
        assert_eq!(check(&guard, "/?seed=1&token=s3cret", &[host]), Ok(()));
        let cookie = ("cookie", "a=b; broth-80=s3cret");
        assert_eq!(check(&guard, "/ws", &[host, cookie]), Ok(()));
        assert_eq!(
            check(&guard, "/ws", &[("host", "10.0.0.9"), cookie]),
            Ok(())
        );
        assert_eq!(
            check(&guard, "/ws", &[("host", "evil.example"), cookie]),
            Err(Refusal::Host)
        );
        assert_eq!(
            check(&guard, "/ws", &[host, ("cookie", "broth-81=s3cret")]),
            Err(Refusal::Token)
        );
        assert_eq!(
            check(&guard, "/ws", &[host, ("authorization", "Bearer s3cret")]),
            Ok(())
        );
        let cookie = guard.cookie().unwrap();
        assert!(cookie.starts_with("broth-80=s3cret;") && cookie.contains("HttpOnly"));
    }
}
