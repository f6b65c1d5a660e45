//! The code of a server's error as a value that can be matched.

use super::ServerError;

/// From one list: the enum, and the table that is searched.
macro_rules! kinds {
    ($(#[$doc:meta])+ pub enum $Name:ident; $($(#[$what:meta])+ $code:literal => $Kind:ident,)+) => {
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum $Name<'a> {
            $($(#[$what])+ $Kind,)+
            /// `MOVED`: another node serves the slot from now on.
            Moved {
                /// The hash slot, below 16384.
                slot: u16,
                /// A name or an address, IPv6 without brackets; empty for the host that answered.
                host: &'a str,
                /// The port there.
                port: u16,
            },
            /// `ASK`: another node serves this one request, after `ASKING`.
            Ask {
                /// The hash slot, below 16384.
                slot: u16,
                /// As in [`Moved`](Self::Moved).
                host: &'a str,
                /// The port there.
                port: u16,
            },
            /// `REDIRECT`, of Valkey to clients that said they know it: another server is the primary.
            Redirect {
                /// As in [`Moved`](Self::Moved).
                host: &'a str,
                /// The port there.
                port: u16,
            },
            /// Any other code, as it came; empty if there is none. A redirection whose slot, host or
            /// port is not what it should be is only its code, too.
            Other(&'a [u8]),
        }

        /// Codes that say all there is to say.
        const PLAIN: &[(&[u8], $Name<'static>)] = &[$(($code, $Name::$Kind)),+];
    };
}

kinds! {
    /// The code of a server's error, to be matched; and of a redirection, where to.
    ///
    /// **Whoever may run a script can forge each of these**, in words of their own choice: `return
    /// {err = 'MOVED 1 elsewhere:1'}`. Never connect anywhere because an error said so, let alone log
    /// in there, unless a server that you know names that place, too. Inside an aggregate, such as the
    /// answer to `EXEC`, an error is data.
    ///
    /// ```
    /// use respire_core::error::{ErrorKind, ServerError};
    /// let error = ServerError::new(b"MOVED 3999 127.0.0.1:6381");
    /// assert_eq!(error.kind(), ErrorKind::Moved { slot: 3999, host: "127.0.0.1", port: 6381 });
    /// assert_eq!(ServerError::new(b"WRONGTYPE no list").kind(), ErrorKind::WrongType);
    /// ```
    pub enum ErrorKind;

    /// Whatever has no code of its own: the message says more.
    b"ERR" => Err,
    /// A script or a function runs for too long; only `SCRIPT KILL`, `FUNCTION KILL` and `SHUTDOWN`
    /// are executed.
    b"BUSY" => Busy,
    /// `XGROUP CREATE`: the group exists.
    b"BUSYGROUP" => BusyGroup,
    /// `RESTORE` or `MIGRATE`: the key exists.
    b"BUSYKEY" => BusyKey,
    /// The cluster does not serve this slot, or none.
    b"CLUSTERDOWN" => ClusterDown,
    /// The keys of one request belong to several slots.
    b"CROSSSLOT" => CrossSlot,
    /// Protected mode: the server has no password and takes no connection from elsewhere.
    b"DENIED" => Denied,
    /// The transaction was discarded; nothing of it was executed.
    b"EXECABORT" => ExecAbort,
    /// A failover is under way already (Sentinel).
    b"INPROG" => InProgress,
    /// The object is not what the command wants of it: a damaged HyperLogLog.
    b"INVALIDOBJ" => InvalidObject,
    /// The server could not reach the target of a `MIGRATE`.
    b"IOERR" => IoError,
    /// The server still reads its data from the disk.
    b"LOADING" => Loading,
    /// A replica without its primary that may not serve what it has.
    b"MASTERDOWN" => MasterDown,
    /// The server cannot save, and takes no writes until it can.
    b"MISCONF" => Misconfigured,
    /// Log in first.
    b"NOAUTH" => NoAuth,
    /// No replica can take over (Sentinel).
    b"NOGOODSLAVE" => NoGoodReplica,
    /// No such stream, or no such group of it.
    b"NOGROUP" => NoGroup,
    /// The replica is not connected to its primary.
    b"NOMASTERLINK" => NoMasterLink,
    /// The user may not do this.
    b"NOPERM" => NoPermission,
    /// `HELLO`: the server does not speak that version of the protocol.
    b"NOPROTO" => NoProtocol,
    /// Too few Sentinels agree.
    b"NOQUORUM" => NoQuorum,
    /// Too few replicas are in touch for the server to take writes.
    b"NOREPLICAS" => NoReplicas,
    /// `EVALSHA`: the server does not have the script. Nothing was executed.
    b"NOSCRIPT" => NoScript,
    /// Nothing to unsubscribe from (some versions of Valkey).
    b"NOSUB" => NoSubscription,
    /// `SCRIPT KILL`: no script runs.
    b"NOTBUSY" => NotBusy,
    /// The server's memory is full. In a script, some of it may have been executed.
    b"OOM" => OutOfMemory,
    /// A replica takes no writes.
    b"READONLY" => ReadOnly,
    /// The slot is on its way to another node, and so are some of the keys.
    b"TRYAGAIN" => TryAgain,
    /// A blocked command was ended by `CLIENT UNBLOCK`, or because the server became a replica.
    b"UNBLOCKED" => Unblocked,
    /// The script cannot be killed: it has written.
    b"UNKILLABLE" => Unkillable,
    /// Wrong user or password.
    b"WRONGPASS" => WrongPassword,
    /// The key holds another type.
    b"WRONGTYPE" => WrongType,
}

impl<'a> ServerError<'a> {
    /// The code, to be matched. See there why a redirection must not be trusted.
    pub fn kind(self) -> ErrorKind<'a> {
        let code = self.code();
        let plain = PLAIN.iter().find(|(known, _)| *known == code).map(|&(_, kind)| kind);
        plain.or_else(|| redirection(code, self.message())).unwrap_or(ErrorKind::Other(code))
    }
}

impl<'a> ErrorKind<'a> {
    /// The code as the server spells it.
    pub fn code(self) -> &'a [u8] {
        match self {
            Self::Moved { .. } => b"MOVED",
            Self::Ask { .. } => b"ASK",
            Self::Redirect { .. } => b"REDIRECT",
            Self::Other(code) => code,
            plain => PLAIN.iter().find(|(_, kind)| *kind == plain).map_or(b"", |&(code, _)| code),
        }
    }
}

/// What a redirection says, if all of it is as it should be.
fn redirection<'a>(code: &[u8], message: &'a [u8]) -> Option<ErrorKind<'a>> {
    if code == b"REDIRECT" {
        let (host, port) = place(message)?;
        return Some(ErrorKind::Redirect { host, port });
    }
    let space = message.iter().position(|&byte| byte == b' ')?;
    let slot = decimal(message.get(..space)?).filter(|&slot| slot < 16384)?;
    let (host, port) = place(message.get(space.checked_add(1)?..)?)?;
    match code {
        b"MOVED" => Some(ErrorKind::Moved { slot, host, port }),
        b"ASK" => Some(ErrorKind::Ask { slot, host, port }),
        _ => None,
    }
}

/// `host:port`, `[IPv6]:port`, `IPv6:port` or `:port`.
///
/// The host is made of what names and addresses are made of, and nothing else: it may end up in a
/// log or a URL. A server that was not told its name says `?`, which is no place.
fn place(text: &[u8]) -> Option<(&str, u16)> {
    let colon = text.iter().rposition(|&byte| byte == b':')?;
    let port = decimal(text.get(colon.checked_add(1)?..)?)?;
    let host = match text.get(..colon)? {
        [b'[', address @ .., b']'] if address.contains(&b':') => address,
        host => host,
    };
    let usual = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(byte);
    let host = if host.iter().all(usual) { core::str::from_utf8(host).ok()? } else { return None };
    Some((host, port))
}

/// A plain number: digits alone, without zeros in front.
fn decimal(text: &[u8]) -> Option<u16> {
    match text {
        [b'0'] => Some(0),
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
            core::str::from_utf8(text).ok()?.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ErrorKind<'_> {
        ServerError::new(text.as_bytes()).kind()
    }

    #[test]
    fn every_code_is_known_by_its_first_word() {
        let all =
            b"ERR BUSY BUSYGROUP BUSYKEY CLUSTERDOWN CROSSSLOT DENIED EXECABORT INPROG INVALIDOBJ IOERR \
            LOADING MASTERDOWN MISCONF NOAUTH NOGOODSLAVE NOGROUP NOMASTERLINK NOPERM NOPROTO NOQUORUM \
            NOREPLICAS NOSCRIPT NOSUB NOTBUSY OOM READONLY TRYAGAIN UNBLOCKED UNKILLABLE WRONGPASS WRONGTYPE";
        let all = || all.split(|&byte| byte == b' ').filter(|code| !code.is_empty());
        // An interpreter takes its time.
        for code in all().step_by(if cfg!(miri) { 10 } else { 1 }) {
            let known = ServerError::new(code).kind();
            assert!(!matches!(known, ErrorKind::Other(_)), "{}", code.escape_ascii());
            assert_eq!(known.code(), code);
            assert_eq!(all().filter(|&other| ServerError::new(other).kind() == known).count(), 1);
        }
        assert_eq!(all().count(), PLAIN.len());
        assert_eq!(kind("WRONGTYPE Operation against a key"), ErrorKind::WrongType);
        assert_eq!(kind("ERR unknown command 'MOVED 1 a:1'"), ErrorKind::Err);
    }

    #[test]
    fn other_codes_are_kept_as_they_came() {
        assert_eq!(kind("MYERR of a script"), ErrorKind::Other(b"MYERR"));
        assert_eq!(kind("wrongtype"), ErrorKind::Other(b"wrongtype"));
        assert_eq!(kind("WRONGTYPE, that"), ErrorKind::Other(b"WRONGTYPE,"));
        assert_eq!(kind(""), ErrorKind::Other(b""));
        assert_eq!(kind(" ERR"), ErrorKind::Other(b""));
        assert_eq!(ServerError::new(b"\xff\0").kind(), ErrorKind::Other(b"\xff\0"));
    }

    #[test]
    fn redirections_say_where_to() {
        for (place, host, port) in [
            ("127.0.0.1:6381", "127.0.0.1", 6381),
            (":6380", "", 6380),
            ("[::1]:6381", "::1", 6381),
            ("::1:6381", "::1", 6381),
            ("[fe80::1%eth0]:7000", "fe80::1%eth0", 7000),
            ("node-1.example_net.org:65535", "node-1.example_net.org", 65535),
            ("h:0", "h", 0),
        ] {
            let text = std::format!("MOVED 3999 {place}");
            assert_eq!(kind(&text), ErrorKind::Moved { slot: 3999, host, port }, "{text}");
            let text = std::format!("ASK 0 {place}");
            assert_eq!(kind(&text), ErrorKind::Ask { slot: 0, host, port }, "{text}");
            let text = std::format!("REDIRECT {place}");
            assert_eq!(kind(&text), ErrorKind::Redirect { host, port }, "{text}");
        }
        assert!(matches!(kind("MOVED 16383 h:1"), ErrorKind::Moved { slot: 16383, .. }));
    }

    #[test]
    fn a_redirection_to_nowhere_is_only_a_code() {
        for place in [
            "",
            "6380",
            "h",
            "h:",
            ":",
            "h:65536",
            "h:-1",
            "h:+1",
            "h:01",
            "h: 1",
            "h:1 ",
            "h:1\n",
            "h:1,name",
            "?:6380",
            "a b:1",
            " h:1",
            "h/x:1",
            "u@h:1",
            "h\x1b[2J:1",
            "[::1:1",
            "::1]:1",
            "[]:1",
            "[h]:1",
            "[[::1]]:1",
            "hé:1",
            "h:99999999999999999999",
        ] {
            for (code, slot) in [("MOVED", "1 "), ("ASK", "1 "), ("REDIRECT", "")] {
                let text = std::format!("{code} {slot}{place}");
                assert_eq!(kind(&text), ErrorKind::Other(code.as_bytes()), "{text:?}");
            }
        }
        for slot in ["16384", "65536", "-1", "+1", "01", "", "x", "1x", "99999999999999999999"] {
            let text = std::format!("MOVED {slot} h:1");
            assert_eq!(kind(&text), ErrorKind::Other(b"MOVED"), "{text:?}");
        }
        for text in ["MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED h:1"] {
            assert_eq!(kind(text), ErrorKind::Other(b"MOVED"), "{text:?}");
        }
        // The slot is no part of a REDIRECT, and no other code redirects.
        assert_eq!(kind("REDIRECT 1 h:1"), ErrorKind::Other(b"REDIRECT"));
        assert_eq!(kind("GONE 1 h:1"), ErrorKind::Other(b"GONE"));
    }
}
