//! Classes 19, 20, 24 and 26: too much, too late, or to nobody.

use std::time::Duration;

use super::Outcome::{Dropped, Ends, NoEntry, Pushes, Stalls, Surplus};
use super::{Attack, Manner};

/// Longer than any client waits here.
const LATE: Duration = Duration::from_secs(6);

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::new(19, "two-answers", b"+own\r\n+surplus\r\n", Surplus(r#""own""#, "no request")),
    Attack::new(19, "two-answers-and-an-error", b"$3\r\nown\r\n-ERR surplus\r\n", Surplus(r#""own""#, "ERR surplus")),
    Attack::new(19, "answer-and-half-of-another", b"+own\r\n*2\r\n:1\r\n:2\r\n", Surplus(r#""own""#, "no request")),
    Attack::new(19, "answer-first", b":1\r\n", NoEntry("no request")).comes(Manner::Greeting),
    Attack::new(19, "too-many-clients", b"-ERR max number of clients reached\r\n", NoEntry("max number of clients reached")).comes(Manner::Greeting),
    Attack::new(19, "protected-mode", b"-DENIED Redis is running in protected mode\r\n", NoEntry("DENIED Redis is running in protected mode")).comes(Manner::Greeting),

    Attack::long(20, "push-and-answer", &[(b">2\r\n+invalidate\r\n*1\r\n+k\r\n", 1), (b"+own\r\n", 1)], Pushes(1, r#""own""#)),
    Attack::long(20, "flood-of-invalidations", &[(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", 2000), (b"+own\r\n", 1)], Pushes(2000, r#""own""#)),
    Attack::long(20, "flood-of-messages", &[(b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", 2000), (b"+own\r\n", 1)], Pushes(2000, r#""own""#)),
    Attack::long(20, "flood-of-empty-pushes", &[(b">0\r\n", 2000), (b"+own\r\n", 1)], Pushes(2000, r#""own""#)),
    Attack::long(20, "flood-without-end", &[(b">2\r\n+a\r\n+b\r\n", u64::MAX)], Stalls),
    Attack::long(20, "flood-of-messages-without-end", &[(b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", u64::MAX)], Stalls),

    Attack::new(24, "silence", b"", Stalls).comes(Manner::Last),
    Attack::long(24, "one-byte-in-a-while", &[(b"*1000\r\n", 1), (b":1\r\n", 1000)], Stalls).comes(Manner::Drip(Duration::from_millis(20))),
    Attack::long(24, "one-push-in-a-while", &[(b">0\r\n", u64::MAX)], Stalls).comes(Manner::Drip(Duration::from_millis(20))),
    Attack::new(24, "half-an-answer", b"$10\r\nabc", Stalls).comes(Manner::Last),
    Attack::new(24, "half-an-answer-and-the-end", b"$10\r\nabc", Ends).comes(Manner::Close),
    Attack::new(24, "end-instead-of-an-answer", b"", Ends).comes(Manner::Close),

    Attack::new(26, "answer-to-nobody", b"$6\r\nsecret\r\n", Dropped).comes(Manner::Abandoned),
    Attack::new(26, "error-to-nobody", b"-ERR secret\r\n", Dropped).comes(Manner::Abandoned),
    Attack::new(26, "array-to-nobody", b"*2\r\n$6\r\nsecret\r\n*1\r\n:1\r\n", Dropped).comes(Manner::Abandoned),
    Attack::new(26, "answer-too-late", b"$6\r\nsecret\r\n", Stalls).comes(Manner::Late(LATE)),
];
