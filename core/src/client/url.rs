//! Where a server is and how to talk to it, as a URL.
//!
//! ```text
//! redis://[[user]:password@]host[:port][/db][?option=value&…]       also valkey://
//! rediss://…                                                        with TLS, also valkeys://
//! unix://[[user]:password@]/path/to/socket[?db=n&option=value…]
//! ```
//! IPv6 addresses stand in brackets; user, password, path and values are percent-decoded.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `db` | the database | 0 |
//! | `protocol` | 2 or 3 | 3, and 2 with servers before Redis 6.0 |
//! | `client_name` | the name for CLIENT LIST | none |
//! | `connect_timeout` | for dialling one address, and for the handshake, `5`, `5s` or `500ms` | 5 s |
//! | `timeout` | for the answer to one request, `0` waits for ever | 5 s |
//!
//! Looking up a name is left to the resolver of the frontend: on native systems the system's, with
//! its own patience.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::conn::{Protocol, Settings};
use crate::time::Duration;

/// Everything a URL says. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// The user, if named.
    pub user: Option<String>,
    /// The password, if given.
    pub password: Option<String>,
    /// The database.
    pub db: u32,
    /// The protocol version, if asked for.
    pub protocol: Option<Protocol>,
    /// A name for CLIENT LIST.
    pub client_name: Option<String>,
    /// For dialling one address, and again for the handshake.
    pub connect_timeout: Duration,
    /// For the answer to one request; `None` waits for ever.
    pub timeout: Option<Duration>,
}

/// Where a server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A host and a port.
    Tcp {
        /// A name, or an address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// The same with TLS. A dialer that has none must refuse it: nothing may go out in the clear.
    Tls {
        /// A name, or an address without brackets: what the server's certificate must be for.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket, by its path.
    Unix(String),
}

impl Endpoint {
    /// The port of a URL that names none.
    pub const DEFAULT_PORT: u16 = 6379;

    /// Whether it names this very address.
    pub(super) fn is(&self, address: SocketAddr) -> bool {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } => {
                *port == address.port() && host.parse() == Ok(address.ip())
            }
            Self::Unix(_) => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp { host, port } | Self::Tls { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => f.write_str(path),
        }
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::Tcp { host: "127.0.0.1".into(), port: Self::DEFAULT_PORT }
    }
}

impl Url {
    /// A server at `endpoint`, and the default of everything else.
    pub const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            user: None,
            password: None,
            db: 0,
            protocol: None,
            client_name: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Some(Duration::from_secs(5)),
        }
    }

    /// What the handshake is made of.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            protocol: self.protocol,
            user: self.user.as_deref(),
            password: self.password.as_deref(),
            db: self.db,
            name: self.client_name.as_deref(),
            library: Some(("respire", env!("CARGO_PKG_VERSION"))),
            ..Settings::NONE
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Url")
            .field("endpoint", &self.endpoint)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("db", &self.db)
            .field("protocol", &self.protocol)
            .field("client_name", &self.client_name)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// What is wrong with a URL. Never repeats the URL: it may hold a password.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `scheme://`.
    NoScheme,
    /// A scheme that this client does not know.
    UnknownScheme,
    /// A host is missing.
    NoHost,
    /// A bracket without its partner, or text behind it that is no port.
    BadHost,
    /// The port is not a number from 1 to 65535.
    BadPort,
    /// The database is not a number.
    BadDatabase,
    /// A Unix socket without its path.
    NoPath,
    /// A user without a password: it may as well be meant as a password.
    NoPassword,
    /// Percent-decoded text that is not UTF-8.
    NotUtf8,
    /// An option that this client does not know, by its name; without a name where an `@` follows,
    /// for then it may be a part of a password.
    UnknownOption(String),
    /// An option whose value makes no sense, by its name.
    BadOption(&'static str),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "the URL has no scheme: write redis://host:port or unix:///path",
            Self::UnknownScheme => "the URL's scheme is none of redis, rediss, valkey, valkeys and unix",
            Self::NoHost => "the URL has no host",
            Self::BadHost => "the URL's host is malformed: an IPv6 address stands in brackets",
            Self::BadPort => "the URL's port is not a number from 1 to 65535",
            Self::BadDatabase => "the URL's database is not a number",
            Self::NoPath => "the URL has no path to a socket: write unix:///path",
            Self::NoPassword => "the URL names a user without a password: write user:password@ or :password@",
            Self::NotUtf8 => "a part of the URL is not UTF-8 once it is percent-decoded",
            Self::UnknownOption(name) if name.is_empty() => {
                "the URL has an unknown option: is there a ? that should be %3F?"
            }
            Self::UnknownOption(name) => return write!(f, "the URL has an unknown option, {name:?}"),
            Self::BadOption(name) => {
                return write!(f, "the URL's option {name} has a value that makes no sense");
            }
        })
    }
}

impl core::error::Error for UrlError {}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A slash may be part of a password only when it is percent-encoded.
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(l, h)| (Some(l), h));
        let endpoint = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => tcp(host)?,
            "rediss" | "valkeys" => tls(host)?,
            "unix" => unix(host, path)?,
            _ => return Err(UrlError::UnknownScheme),
        };
        let mut url = Self::new(endpoint);
        if let Some(login) = login {
            url.log_in(login)?;
        }
        if !matches!(url.endpoint, Endpoint::Unix(_))
            && let Some(db) = path.strip_prefix('/').filter(|db| !db.is_empty())
        {
            url.db = db.parse().map_err(|_| UrlError::BadDatabase)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            url.option(&decode(name)?, &decode(value)?).map_err(|error| match error {
                UrlError::UnknownOption(_) if query.contains('@') => UrlError::UnknownOption(String::new()),
                error => error,
            })?;
        }
        Ok(url)
    }
}

impl Url {
    /// `user`, `user:password` or `:password`.
    fn log_in(&mut self, login: &str) -> Result<(), UrlError> {
        let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
        if !user.is_empty() {
            self.user = Some(decode(user)?);
        }
        self.password = Some(decode(password.ok_or(UrlError::NoPassword)?)?);
        Ok(())
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match name {
            "db" => self.db = value.parse().map_err(|_| UrlError::BadDatabase)?,
            "protocol" => {
                self.protocol = Some(match value {
                    "2" => Protocol::Resp2,
                    "3" => Protocol::Resp3,
                    _ => return Err(UrlError::BadOption("protocol")),
                });
            }
            "client_name" => self.client_name = Some(value.to_owned()),
            "connect_timeout" => {
                self.connect_timeout = span(value)
                    .filter(|span| !span.is_zero())
                    .ok_or(UrlError::BadOption("connect_timeout"))?;
            }
            "timeout" => {
                let timeout = span(value).ok_or(UrlError::BadOption("timeout"))?;
                self.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
            }
            _ => return Err(UrlError::UnknownOption(name.to_owned())),
        }
        Ok(())
    }
}

fn tcp(authority: &str) -> Result<Endpoint, UrlError> {
    place(authority).map(|(host, port)| Endpoint::Tcp { host, port })
}

fn tls(authority: &str) -> Result<Endpoint, UrlError> {
    place(authority).map(|(host, port)| Endpoint::Tls { host, port })
}

/// A host, and a port if it is not the usual one.
fn place(authority: &str) -> Result<(String, u16), UrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(UrlError::BadHost)?;
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port),
                None if port.is_empty() => None,
                None => return Err(UrlError::BadHost),
            };
            (host.to_owned(), port)
        }
        None => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
            if port.is_some_and(|port| port.contains(':')) {
                return Err(UrlError::BadHost);
            }
            (decode(host)?, port)
        }
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or(UrlError::BadPort)?,
        None => Endpoint::DEFAULT_PORT,
    };
    Ok((host, port))
}

fn unix(host: &str, path: &str) -> Result<Endpoint, UrlError> {
    let path = decode(path)?;
    if !host.is_empty() {
        return Err(UrlError::BadHost);
    }
    if path.len() < 2 { Err(UrlError::NoPath) } else { Ok(Endpoint::Unix(path)) }
}

fn decode(text: &str) -> Result<String, UrlError> {
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| UrlError::NotUtf8)
}

/// `5` and `5s` are seconds, `500ms` milliseconds.
fn span(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s').unwrap_or(text).parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use std::panic;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.into(), port }
    }

    /// S3-CONF-01: host, port and database from a URL, and who one is.
    #[test]
    fn every_part_has_its_place() {
        let full =
            url("redis://al%3Aice:p%40ss%2Fw@db.example:7000/3?protocol=2&client_name=a%20b&timeout=1500ms");
        assert_eq!(full.endpoint, tcp("db.example", 7000));
        assert_eq!(full.user.as_deref(), Some("al:ice"));
        assert_eq!(full.password.as_deref(), Some("p@ss/w"));
        assert_eq!((full.db, full.protocol), (3, Some(Protocol::Resp2)));
        assert_eq!(full.client_name.as_deref(), Some("a b"));
        assert_eq!(full.timeout, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn what_is_missing_has_its_default() {
        assert_eq!(url("redis://h"), Url::new(tcp("h", 6379)));
        assert_eq!(url("valkey://h/"), Url::new(tcp("h", 6379)));
        assert_eq!(url("redis://[::1]").endpoint, tcp("::1", 6379));
        assert_eq!(url("redis://[fe80::1]:1").endpoint, tcp("fe80::1", 1));
        assert_eq!(url("redis://:secret@h").password.as_deref(), Some("secret"));
        assert_eq!(url("redis://:secret@h").user, None);
        assert_eq!(url("redis://h?timeout=0").timeout, None);
        assert_eq!(url("REDIS://h?connect_timeout=2").connect_timeout, Duration::from_secs(2));
    }

    /// S0-SEC-01: TLS is asked for by the scheme, and by nothing else.
    #[test]
    fn an_s_asks_for_tls() {
        let secured = |host: &str, port| Endpoint::Tls { host: host.into(), port };
        assert_eq!(url("rediss://h").endpoint, secured("h", 6379));
        assert_eq!(url("valkeys://[::1]:7000").endpoint, secured("::1", 7000));
        let full = url("REDISS://u:p@h/3?timeout=1s");
        assert_eq!((full.endpoint, full.db), (secured("h", 6379), 3));
        assert_eq!(full.user.as_deref(), Some("u"));
        assert_ne!(url("redis://h").endpoint, url("rediss://h").endpoint);
        assert_eq!(format!("{} {}", secured("h", 1), secured("::1", 2)), "h:1 [::1]:2");
    }

    #[test]
    fn unix_sockets_have_a_path() {
        let unix = url("unix:///run/a%20b.sock?db=4");
        assert_eq!((unix.endpoint, unix.db), (Endpoint::Unix("/run/a b.sock".into()), 4));
        assert_eq!(url("unix://u:p@/s").password.as_deref(), Some("p"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, error) in [
            ("localhost:6379", UrlError::NoScheme),
            ("http://h", UrlError::UnknownScheme),
            ("rediss://", UrlError::NoHost),
            ("valkeys://h:0", UrlError::BadPort),
            ("redis://", UrlError::NoHost),
            ("redis://[::1", UrlError::BadHost),
            ("redis://::1", UrlError::BadHost),
            ("redis://[::1]x", UrlError::BadHost),
            ("redis://h:0", UrlError::BadPort),
            ("redis://h:70000", UrlError::BadPort),
            ("redis://h:", UrlError::BadPort),
            ("redis://h/x", UrlError::BadDatabase),
            ("redis://h/1/2", UrlError::BadDatabase),
            ("unix://", UrlError::NoPath),
            ("unix://host/path", UrlError::BadHost),
            ("redis://bob@h", UrlError::NoPassword),
            ("redis://:%ff@h", UrlError::NotUtf8),
            ("redis://h?colour=red", UrlError::UnknownOption("colour".into())),
            ("redis://u:1?secret@h", UrlError::UnknownOption(String::new())),
            ("redis://h?protocol=4", UrlError::BadOption("protocol")),
            ("redis://h?timeout=soon", UrlError::BadOption("timeout")),
            ("redis://h?connect_timeout=0", UrlError::BadOption("connect_timeout")),
        ] {
            assert_eq!(text.parse::<Url>(), Err(error), "{text}");
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = url("redis://u:canary-5f1d@h");
        assert!(!format!("{url:?}").contains("canary"));
        let error = "redis://u:canary-5f1d@h:port".parse::<Url>().unwrap_err();
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}
