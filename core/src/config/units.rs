//! The types of values that are no plain numbers.

use core::fmt;

use crate::time::Duration;

/// How long to wait, where "as long as for something else" is an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Patience {
    /// As another option says.
    Auto,
    /// For ever.
    Never,
    /// So long.
    For(Duration),
}

impl Patience {
    /// So many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self::For(Duration::from_secs(secs))
    }

    /// How long, if `auto` is what the other option says; `None`: for ever.
    pub const fn or(self, auto: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Auto => auto,
            Self::Never => None,
            Self::For(span) => Some(span),
        }
    }
}

/// How many connections, alone or by the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Size {
    /// So many. As a text: `50`.
    Fixed(u16),
    /// So many for each core of the processor. As a text: `10/core`.
    PerCore(u16),
}

impl Size {
    /// How many on a machine with so many cores.
    pub const fn on(self, cores: u16) -> u16 {
        match self.wanted(cores) {
            wanted if wanted > u16::MAX as u32 => u16::MAX,
            wanted => wanted as u16,
        }
    }

    /// The same, also if it is more than any pool can have.
    pub(super) const fn wanted(self, cores: u16) -> u32 {
        match self {
            Self::Fixed(size) => size as u32,
            Self::PerCore(size) => size as u32 * if cores == 0 { 1 } else { cores as u32 },
        }
    }

    /// The number in it, whatever it counts.
    pub(super) const fn number(self) -> u16 {
        let (Self::Fixed(number) | Self::PerCore(number)) = self;
        number
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => size.fmt(f),
            Self::PerCore(size) => write!(f, "{size}/core"),
        }
    }
}

/// How to reach a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Network {
    /// By TCP: a host and a port.
    Tcp,
    /// By a Unix socket: a path.
    Unix,
}

/// What stands behind an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Topology {
    /// One server.
    Single,
    /// A node of a cluster, which tells of the others.
    Cluster,
}

/// A host and a port, or the path of a Unix socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Address<'a> {
    /// A name, an address without brackets, or an absolute path.
    pub host: &'a str,
    /// The port; means nothing beside a path, but is in its range there, too.
    pub port: u16,
}

impl<'a> Address<'a> {
    /// The port of whoever names none.
    pub const DEFAULT_PORT: u16 = 6379;

    /// Reads `host`, `host:port`, `[IPv6]:port` or `/path`. Without a port it is 6379. `None`: neither.
    pub fn read(text: &'a str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = cut(rest, ']')?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None if text.starts_with('/') => (text, None),
            None => cut(text, ':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(port) => number(port)?.try_into().ok()?,
            None => Self::DEFAULT_PORT,
        };
        (!host.is_empty()).then_some(Self { host, port })
    }

    /// Whether it is the path of a Unix socket.
    pub fn is_path(self) -> bool {
        self.host.starts_with('/')
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if self.is_path() {
            f.write_str(host)
        } else if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// A password, or that there is none. Never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password<'a>(&'a str);

impl<'a> Password<'a> {
    /// No password.
    pub const NONE: Self = Self("");

    /// A password; none if it is empty.
    pub const fn new(password: &'a str) -> Self {
        Self(password)
    }

    /// What to send, if anything.
    pub const fn get(self) -> Option<&'a str> {
        if self.0.is_empty() { None } else { Some(self.0) }
    }

    /// All that may be shown of it: that there is one.
    pub(super) const fn shown(self) -> &'static str {
        if self.0.is_empty() { "" } else { Self::MASK }
    }

    /// What stands for a password.
    pub(super) const MASK: &'static str = "***";
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Password<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.shown());
    }
}

/// A whole number, and nothing else.
pub(super) fn number(text: &str) -> Option<u64> {
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// What stands before and behind the first of these letters, which are ASCII.
pub(super) fn cut(text: &str, letter: char) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| char::from(byte) == letter)?;
    let (before, behind) = text.split_at_checked(at)?;
    Some((before, behind.strip_prefix(letter)?))
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, host, port, shown) in [
            ("localhost", "localhost", 6379, "localhost:6379"),
            ("db.example:7000", "db.example", 7000, "db.example:7000"),
            ("[::1]:6380", "::1", 6380, "[::1]:6380"),
            ("[fe80::1]", "fe80::1", 6379, "[fe80::1]:6379"),
            ("/run/redis:1.sock", "/run/redis:1.sock", 6379, "/run/redis:1.sock"),
        ] {
            let address = Address::read(text);
            assert_eq!(address, Some(Address { host, port }), "{text}");
            assert_eq!(address.map(|address| format!("{address}")).as_deref(), Some(shown));
        }
        for text in ["", ":1", "::1", "h:", "h:x", "h:70000", "[::1", "[::1]x", "[]:1"] {
            assert_eq!(Address::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_goes_with_the_machine() {
        assert_eq!(Size::Fixed(50).on(8), 50);
        assert_eq!(Size::PerCore(10).on(8), 80);
        assert_eq!(Size::PerCore(10).on(0), 10);
        assert_eq!(Size::PerCore(40_000).on(2), u16::MAX);
    }
}
