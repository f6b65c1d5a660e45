//! Requests as the server reads them.

use crate::command::Subscription;

/// One request, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Ask {
    pub(in super::super) verb: Verb,
    /// The number of the last argument that is a token.
    pub(in super::super) token: Option<u64>,
    /// The first argument that is a number.
    pub(in super::super) number: u64,
    /// How many words it has.
    pub(super) words: usize,
    /// The topics that it names, a bit for each.
    pub(in super::super) topics: u8,
}

/// What a request wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Verb {
    Hello,
    Auth,
    Select,
    Client,
    Echo,
    Get,
    Set,
    Swap,
    Count,
    Eval,
    EvalSha,
    Multi,
    Exec,
    Discard,
    Watch,
    Subscribe,
    Unsubscribe,
    Psubscribe,
    Punsubscribe,
    Ssubscribe,
    Sunsubscribe,
    Ping,
    Wait,
    Reset,
    Quit,
    Unknown,
}

/// How many shapes of answers EVAL can give.
pub(in super::super) const SHAPES: u64 = 19;

const VERBS: [(&[u8], Verb); 25] = [
    (b"HELLO", Verb::Hello),
    (b"AUTH", Verb::Auth),
    (b"SELECT", Verb::Select),
    (b"CLIENT", Verb::Client),
    (b"ECHO", Verb::Echo),
    (b"GET", Verb::Get),
    (b"SET", Verb::Set),
    (b"GETSET", Verb::Swap),
    (b"HINCRBY", Verb::Count),
    (b"EVAL", Verb::Eval),
    (b"EVALSHA", Verb::EvalSha),
    (b"MULTI", Verb::Multi),
    (b"EXEC", Verb::Exec),
    (b"DISCARD", Verb::Discard),
    (b"WATCH", Verb::Watch),
    (b"SUBSCRIBE", Verb::Subscribe),
    (b"UNSUBSCRIBE", Verb::Unsubscribe),
    (b"PSUBSCRIBE", Verb::Psubscribe),
    (b"PUNSUBSCRIBE", Verb::Punsubscribe),
    (b"SSUBSCRIBE", Verb::Ssubscribe),
    (b"SUNSUBSCRIBE", Verb::Sunsubscribe),
    (b"PING", Verb::Ping),
    (b"BLPOP", Verb::Wait),
    (b"RESET", Verb::Reset),
    (b"QUIT", Verb::Quit),
];

impl Verb {
    /// Whether it writes.
    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Set | Self::Swap | Self::Count | Self::Wait)
    }

    /// Whether it needs the data of the server.
    pub(super) const fn reads(self) -> bool {
        self.writes() || matches!(self, Self::Get | Self::Eval | Self::EvalSha)
    }

    /// Whether subscribers of RESP2 may say it.
    pub(super) const fn is_for_subscribers(self) -> bool {
        self.subscribes().is_some() || matches!(self, Self::Ping | Self::Reset | Self::Quit)
    }

    /// What it subscribes to, or ends.
    pub(super) const fn subscribes(self) -> Option<(Subscription, bool)> {
        Some(match self {
            Self::Subscribe => (Subscription::Channel, true),
            Self::Unsubscribe => (Subscription::Channel, false),
            Self::Psubscribe => (Subscription::Pattern, true),
            Self::Punsubscribe => (Subscription::Pattern, false),
            Self::Ssubscribe => (Subscription::Shard, true),
            Self::Sunsubscribe => (Subscription::Shard, false),
            _ => return None,
        })
    }

    /// Whether it is done at once inside MULTI.
    pub(super) const fn is_never_queued(self) -> bool {
        matches!(self, Self::Exec | Self::Discard | Self::Reset | Self::Quit | Self::Multi)
    }
}

/// The byte at this place of every value that is supplied later.
pub(in super::super) const fn payload(at: usize) -> u8 {
    b'a' + (at % 23) as u8
}

/// What stands at the front of the bytes.
pub(super) enum Read {
    /// A request of so many bytes.
    Whole(Ask, usize),
    /// The start of one.
    Short,
    /// Something else.
    Garbled,
}

/// Reads the request at the front.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut ask = Ask { verb: Verb::Unknown, token: None, number: 0, words: 0, topics: 0 };
    let (count, mut rest) = match header(bytes, b'*') {
        Header::Is(count, rest) => (count, rest),
        Header::Short => return Read::Short,
        Header::Not => return Read::Garbled,
    };
    ask.words = count;
    for at in 0..count {
        let (len, behind) = match header(rest, b'$') {
            Header::Is(len, behind) => (len, behind),
            Header::Short => return Read::Short,
            Header::Not => return Read::Garbled,
        };
        let (Some(word), Some(behind)) = (behind.get(..len), behind.get(len..)) else { return Read::Short };
        match behind.strip_prefix(b"\r\n") {
            Some(behind) => rest = behind,
            None if b"\r\n".starts_with(behind) => return Read::Short,
            None => return Read::Garbled,
        }
        if at == 0 {
            ask.verb = VERBS.iter().find(|(name, _)| *name == word).map_or(Verb::Unknown, |&(_, verb)| verb);
        } else if let (Some(topic), Some(_)) = (topic_of(word), ask.verb.subscribes()) {
            ask.topics |= 1 << topic;
        } else if let Some(token) = token_of(word) {
            ask.token = Some(token);
        } else if at == 2 && ask.verb == Verb::Set {
            if !word.iter().enumerate().all(|(at, &byte)| byte == payload(at)) {
                return Read::Garbled;
            }
        } else if at == 1 {
            ask.number = number(word).unwrap_or(0);
        }
    }
    if count == 0 { Read::Garbled } else { Read::Whole(ask, bytes.len() - rest.len()) }
}

enum Header<'a> {
    Is(usize, &'a [u8]),
    Short,
    Not,
}

fn header(bytes: &[u8], tag: u8) -> Header<'_> {
    let Some((&first, rest)) = bytes.split_first() else { return Header::Short };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (Some(number_of), Some(behind)) = (rest.get(..digits), rest.get(digits..)) else {
        return Header::Not;
    };
    match (first == tag && digits < 8, behind.strip_prefix(b"\r\n"), number(number_of)) {
        (true, Some(behind), Some(n)) => Header::Is(n as usize, behind),
        (true, None, _) if b"\r\n".starts_with(behind) => Header::Short,
        _ => Header::Not,
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |n, &byte| byte.is_ascii_digit().then(|| n * 10 + u64::from(byte - b'0')))
}

/// The number of a topic, `c3`.
pub(in super::super) fn topic_of(word: &[u8]) -> Option<u8> {
    match word {
        &[b'c', digit @ b'0'..=b'7'] => Some(digit - b'0'),
        _ => None,
    }
}

/// The number of a token, `t123e`.
fn token_of(word: &[u8]) -> Option<u64> {
    number(word.strip_prefix(b"t")?.strip_suffix(b"e")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_it_is_whole_and_not_before() {
        let bytes = b"*4\r\n$4\r\nEVAL\r\n$2\r\n17\r\n$3\r\n\r\n$\r\n$4\r\nt12e\r\n";
        for end in 0..bytes.len() {
            assert!(matches!(read(&bytes[..end]), Read::Short), "{end}");
        }
        let Read::Whole(ask, len) = read(bytes) else { panic!() };
        assert_eq!((ask.verb, ask.token, ask.number, len), (Verb::Eval, Some(12), 17, bytes.len()));
    }

    #[test]
    fn half_a_request_and_another_are_garbled() {
        for bytes in [&b"*2\r\n$4\r\nECHO\r\n$5\r\nt1*2\r\n$4\r\n"[..], b"*2\r\n$4*", b"GET\r\n", b"*0\r\n"] {
            assert!(matches!(read(bytes), Read::Garbled));
        }
    }
}
