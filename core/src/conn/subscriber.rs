//! What this connection is subscribed to, counted by the server's confirmations.

use crate::command::Subscription;
use crate::resp::{Kind, Reply};

/// How many subscriptions there are. Changed by confirmations only, never by requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Subscriber {
    channels: u32,
    patterns: u32,
    shards: u32,
}

/// What a frame means to a subscriber.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// `subscribe` and its like.
    Subscribed(Subscription),
    /// `unsubscribe` and its like.
    Unsubscribed(Subscription),
    /// `message`, `pmessage`, `smessage`.
    Message(Subscription),
}

impl Subscriber {
    /// No subscription at all.
    pub(super) const NONE: Self = Self { channels: 0, patterns: 0, shards: 0 };

    /// Whether there is any subscription: in RESP2 the connection then speaks another language.
    pub(super) const fn is_active(self) -> bool {
        self.channels > 0 || self.patterns > 0 || self.shards > 0
    }

    /// How many subscriptions of one kind there are.
    pub(super) const fn count(self, subscription: Subscription) -> u32 {
        match subscription {
            Subscription::Channel => self.channels,
            Subscription::Pattern => self.patterns,
            Subscription::Shard => self.shards,
        }
    }

    /// Reads a confirmation. Its last element counts what is left, channels and patterns together,
    /// shards apart; so one kind's number is that total without the other's. `None`, and nothing
    /// changes, if it lacks a name or a count.
    pub(super) fn confirm(&mut self, subscription: Subscription, reply: Reply<'_>) -> Option<()> {
        let mut elements = reply.elements()?;
        elements.advance()?;
        let name = elements.advance()?;
        let total = elements.advance()?.as_integer()?;
        if name.kind().is_aggregate() {
            return None;
        }
        let total = u32::try_from(total).ok()?;
        match subscription {
            Subscription::Channel => self.channels = total.saturating_sub(self.patterns),
            Subscription::Pattern => self.patterns = total.saturating_sub(self.channels),
            Subscription::Shard => self.shards = total,
        }
        Some(())
    }
}

impl Word {
    /// The meaning of a push, or of an array that a RESP2 server sends for one.
    pub(crate) fn of(reply: Reply<'_>) -> Option<Self> {
        if !matches!(reply.kind(), Kind::Push | Kind::Array) {
            return None;
        }
        let first = reply.first_inside()?.as_bytes()?;
        WORDS.iter().find(|(text, _)| text.as_bytes() == first).map(|&(_, word)| word)
    }
}

static WORDS: [(&str, Word); 9] = [
    ("message", Word::Message(Subscription::Channel)),
    ("pmessage", Word::Message(Subscription::Pattern)),
    ("smessage", Word::Message(Subscription::Shard)),
    ("subscribe", Word::Subscribed(Subscription::Channel)),
    ("psubscribe", Word::Subscribed(Subscription::Pattern)),
    ("ssubscribe", Word::Subscribed(Subscription::Shard)),
    ("unsubscribe", Word::Unsubscribed(Subscription::Channel)),
    ("punsubscribe", Word::Unsubscribed(Subscription::Pattern)),
    ("sunsubscribe", Word::Unsubscribed(Subscription::Shard)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn confirm(subscriber: &mut Subscriber, bytes: &[u8]) -> Option<Word> {
        let reply = Reply::parse(bytes).unwrap();
        let word = Word::of(reply);
        if let Some(Word::Subscribed(kind) | Word::Unsubscribed(kind)) = word {
            subscriber.confirm(kind, reply)?;
        }
        word
    }

    #[test]
    fn half_a_confirmation_counts_nothing() {
        let mut s = Subscriber::default();
        confirm(&mut s, b"*3\r\n+subscribe\r\n+a\r\n:1\r\n").unwrap();
        for bytes in [
            &b"*1\r\n+subscribe\r\n"[..],
            b"*2\r\n+subscribe\r\n+a\r\n",
            b"*3\r\n+subscribe\r\n+a\r\n+2\r\n",
            b"*3\r\n+subscribe\r\n*0\r\n:2\r\n",
            b"*3\r\n+unsubscribe\r\n+a\r\n:-1\r\n",
            b"*3\r\n+unsubscribe\r\n+a\r\n:4294967296\r\n",
        ] {
            assert_eq!(confirm(&mut s, bytes), None);
            assert_eq!(s.count(Subscription::Channel), 1);
        }
    }

    #[test]
    fn counts_each_kind_from_the_common_total() {
        let mut s = Subscriber::default();
        confirm(&mut s, b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
        confirm(&mut s, b"*3\r\n$10\r\npsubscribe\r\n$1\r\nb\r\n:2\r\n");
        confirm(&mut s, b">3\r\n$10\r\npsubscribe\r\n$1\r\nc\r\n:3\r\n");
        assert_eq!((s.count(Subscription::Channel), s.count(Subscription::Pattern)), (1, 2));
        confirm(&mut s, b"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:2\r\n");
        assert_eq!((s.count(Subscription::Channel), s.count(Subscription::Pattern)), (0, 2));
        assert!(s.is_active());
    }

    #[test]
    fn an_ordinary_array_is_no_message() {
        assert_eq!(Word::of(Reply::parse(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n").unwrap()), None);
        assert_eq!(Word::of(Reply::parse(b"*0\r\n").unwrap()), None);
        assert_eq!(Word::of(Reply::parse(b"$7\r\nmessage\r\n").unwrap()), None);
    }
}
