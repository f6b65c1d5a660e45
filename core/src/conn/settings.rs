//! What a connection is told before it starts.

use core::fmt;
use core::num::NonZeroU32;

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
    /// How long a request may wait, first to be sent and then for its answer; one that blocks by its own
    /// arguments, as long as these say more. `None` waits for ever;
    /// [`Connection::submit_until`] sets it for one request.
    ///
    /// [`Connection::submit_until`]: super::Connection::submit_until
    pub reply_timeout: Option<Duration>,
    /// How long the server may take no bytes while there are some to write, before the connection is
    /// given up: once to twice as long.
    pub write_timeout: Option<Duration>,
    /// How long an answer may still take that nobody waits for any more, after its request timed out or was
    /// abandoned, and after the deadlines of those in front of it. Then the connection is given up. With zero the first request that times out ends it, and all
    /// that is in flight with it.
    pub grace: Duration,
    /// Integrity: behind so many requests goes an `ECHO` of a number, which must come back among the answers; if
    /// anything else comes in its place, an error too, the connection ends with
    /// [`OutOfStep`](super::CloseReason::OutOfStep), and all that is in flight is `Unknown`. It finds what a
    /// broken proxy or network has done within so many answers, and takes a slot, some 30 bytes and the server's time for
    /// each number. None goes where a server would not answer it: into a
    /// transaction, beside a subscription, behind RESET or a change of user that is not over. Not for servers
    /// that do not let us say `ECHO` at all.
    pub verify_every: Option<NonZeroU32>,
}

impl Config {
    /// For servers and desktops: [`Limits::SERVER`], and five seconds each.
    pub const SERVER: Self = Self {
        limits: Limits::SERVER,
        handshake_timeout: PATIENCE,
        reply_timeout: Some(PATIENCE),
        write_timeout: Some(PATIENCE),
        grace: PATIENCE,
        verify_every: None,
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
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// The server is not to close this connection for lack of memory: `CLIENT NO-EVICT`, Redis 7.0.
    pub no_evict: bool,
    /// Reads are not to count as use of a key: `CLIENT NO-TOUCH`, Redis 7.2.
    pub no_touch: bool,
    /// The server is to say which keys have changed, in pushes: `CLIENT TRACKING`. Needs RESP3, for in RESP2 a
    /// server agrees and says nothing; so `protocol` does not matter then.
    pub tracking: Option<Tracking>,
    /// A number that the server must `ECHO` at the end of the handshake: any that the last connection did not have,
    /// such as the time. For a server that knows no `HELLO`, the next number ends the second attempt. If it does not come back the answers are not to our requests, and the connection ends. A
    /// server that does not let us say `ECHO` is trusted.
    pub nonce: Option<u64>,
}

/// Which keys a server tells of when they change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tracking {
    /// Which keys.
    pub mode: TrackingMode,
    /// Without those that this connection has changed itself.
    pub no_loop: bool,
}

/// Which keys are tracked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TrackingMode {
    /// Those that this connection has read.
    Read,
    /// Those that it has read by a command behind `CLIENT CACHING YES`.
    OptIn,
    /// Those that it has read, but not by a command behind `CLIENT CACHING NO`.
    OptOut,
    /// All that anybody changes.
    Broadcast,
}

impl Tracking {
    /// The words behind `CLIENT TRACKING ON`; empty ones are none.
    pub(super) const fn words(self) -> [&'static str; 2] {
        let mode = match self.mode {
            TrackingMode::Read => "",
            TrackingMode::OptIn => "OPTIN",
            TrackingMode::OptOut => "OPTOUT",
            TrackingMode::Broadcast => "BCAST",
        };
        [mode, if self.no_loop { "NOLOOP" } else { "" }]
    }
}

impl Settings<'_> {
    /// A server without a password, the best version it knows, and nothing else.
    pub const NONE: Self = Self {
        protocol: None,
        user: None,
        password: None,
        db: 0,
        name: None,
        library: None,
        no_evict: false,
        no_touch: false,
        tracking: None,
        nonce: None,
    };
}

impl Default for Settings<'_> {
    /// [`Settings::NONE`].
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Settings<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Settings {{ protocol: {}, user: {}, password: {}, db: {}, name: {}, library: {}, \
             no_evict: {}, no_touch: {}, tracking: {}, nonce: {} }}",
            self.protocol,
            self.user,
            self.password.map(|_| "***"),
            self.db,
            self.name,
            self.library,
            self.no_evict,
            self.no_touch,
            self.tracking,
            self.nonce
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
            .field("no_evict", &self.no_evict)
            .field("no_touch", &self.no_touch)
            .field("tracking", &self.tracking)
            .field("nonce", &self.nonce)
            .finish()
    }
}
