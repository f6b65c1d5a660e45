//! What a connection is told before it starts.

use core::fmt;

use crate::resp::Limits;
use crate::time::Duration;

/// What does not change with the server: limits and patience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    /// What the server may send.
    pub limits: Limits,
    /// How long the handshake may take.
    pub handshake_timeout: Duration,
    /// How long a request may wait, first to be sent and then for its answer. `None` waits for ever, as
    /// blocking commands need; [`Connection::submit_until`] sets it for one request.
    ///
    /// [`Connection::submit_until`]: super::Connection::submit_until
    pub reply_timeout: Option<Duration>,
    /// How long the server may take no bytes while there are some to write, before the connection is
    /// given up: once to twice as long.
    pub write_timeout: Option<Duration>,
    /// How long an answer may still take that nobody waits for any more, after its request timed out or was
    /// abandoned. Then the connection is given up. With zero the first request that times out ends it, and all
    /// that is in flight with it.
    pub grace: Duration,
}

impl Config {
    /// For servers and desktops: [`Limits::SERVER`], and five seconds each.
    pub const SERVER: Self = Self {
        limits: Limits::SERVER,
        handshake_timeout: PATIENCE,
        reply_timeout: Some(PATIENCE),
        write_timeout: Some(PATIENCE),
        grace: PATIENCE,
    };

    /// For devices: [`Limits::DEVICE`], and five seconds each.
    pub const DEVICE: Self = Self { limits: Limits::DEVICE, ..Self::SERVER };
}

const PATIENCE: Duration = Duration::from_secs(5);

impl Default for Config {
    /// [`Config::SERVER`].
    fn default() -> Self {
        Self::SERVER
    }
}

/// The versions of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Protocol {
    /// RESP2: every server.
    Resp2,
    /// RESP3: Redis 6.0 and Valkey.
    Resp3,
}

/// Who we are and what we want of this server: the contents of the handshake.
///
/// `Debug` and `defmt::Format` hide the password.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings<'a> {
    /// The version to speak. `None`: RESP3, and RESP2 with servers that know no `HELLO` (before
    /// Redis 6.0). `Some(Resp2)` sends no `HELLO` at all, `Some(Resp3)` accepts nothing less.
    pub protocol: Option<Protocol>,
    /// The user; `default` if only a password is given.
    pub user: Option<&'a str>,
    /// The password. Without one no authentication is tried.
    pub password: Option<&'a str>,
    /// The database.
    pub db: u32,
    /// A name for `CLIENT LIST`.
    pub name: Option<&'a str>,
    /// Name and version of the library for `CLIENT LIST`; servers before Redis 7.2 refuse it,
    /// which is ignored.
    pub library: Option<(&'a str, &'a str)>,
}

#[cfg(feature = "defmt")]
impl defmt::Format for Settings<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Settings {{ protocol: {}, user: {}, password: {}, db: {}, name: {}, library: {} }}",
            self.protocol,
            self.user,
            self.password.map(|_| "***"),
            self.db,
            self.name,
            self.library
        );
    }
}

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("protocol", &self.protocol)
            .field("user", &self.user)
            .field("password", &self.password.map(|_| "***"))
            .field("db", &self.db)
            .field("name", &self.name)
            .field("library", &self.library)
            .finish()
    }
}
