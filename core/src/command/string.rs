//! Strings: <https://redis.io/docs/latest/commands/?group=string>, Redis 7.0.

use super::table::commands;
use super::{Arg, Argument, As, Carry, Key, Keys, Pairs};
use crate::resp::{ArgSink, Done, Seq};

commands! {
    /// Strings and counters.
    trait StringCommands;

    /// Appends `value` to the string at `key`; the length that the string has then.
    WRITE "APPEND" => Append<'a> append(key: Key<'a>, value: Arg<'a>) -> i64;
    /// Takes 1 from the integer at `key`; its new value.
    WRITE "DECR" => Decr<'a> decr(key: Key<'a>) -> i64;
    /// Takes `by` from the integer at `key`; its new value.
    WRITE "DECRBY" => DecrBy<'a> decr_by(key: Key<'a>, by: i64) -> i64;
    /// Returns the string at `key`, or nothing.
    READONLY "GET" => Get<'a> get(key: Key<'a>) as T -> Option<&'r [u8]>;
    /// Returns the string at `key`, or nothing, and deletes it. Redis 6.2.
    WRITE "GETDEL" => GetDel<'a> get_del(key: Key<'a>) as T -> Option<&'r [u8]>;
    /// Returns the string at `key`, or nothing, and changes its time to live as the
    /// [options](ExpiryOptions) say. Redis 6.2.
    WRITE "GETEX" => GetEx<'a> get_ex(key: Key<'a>)[expiry: Expiry] as T -> Option<&'r [u8]>;
    /// Returns bytes `start` to `end` of the string at `key`, both counted in, from the end if
    /// negative.
    READONLY "GETRANGE" => GetRange<'a> get_range(key: Key<'a>, start: i64, end: i64) as T -> &'r [u8];
    /// Adds 1 to the integer at `key`, which starts at 0; its new value.
    WRITE "INCR" => Incr<'a> incr(key: Key<'a>) -> i64;
    /// Adds `by` to the integer at `key`; its new value.
    WRITE "INCRBY" => IncrBy<'a> incr_by(key: Key<'a>, by: i64) -> i64;
    /// Adds `by` to the number at `key`; its new value.
    WRITE "INCRBYFLOAT" => IncrByFloat<'a> incr_by_float(key: Key<'a>, by: f64) -> f64;
    /// Returns the strings at `keys`, in their order, with nothing for a key that holds none.
    READONLY "MGET" => MGet<'a> mget(keys: Keys<'a>) as T -> Seq<'r, Option<&'r [u8]>>;
    /// Stores all pairs at once.
    WRITE "MSET" => MSet<'a> mset(pairs: Pairs<'a>) -> Done;
    /// Stores all pairs at once if none of the keys exists; whether it did.
    WRITE "MSETNX" => MSetNx<'a> mset_nx(pairs: Pairs<'a>) -> bool;
    /// Stores `value` at `key`. `None` if a [condition](WhenOptions) was not met.
    WRITE "SET" => Set<'a> set(key: Key<'a>, value: Arg<'a>)[when: When, expiry: Expiry] -> Option<Done>;
    /// Stores `value` at `key`; the string that was there before, or nothing. Takes the same
    /// options as [`set`]. Redis 6.2.
    WRITE "SET" => SetGet<'a> set_get(key: Key<'a>, value: Arg<'a>)[when: When, expiry: Expiry, get: GetWord]
        as T -> Option<&'r [u8]>;
    /// Overwrites the string at `key` from byte `offset` on; the length that it has then.
    WRITE "SETRANGE" => SetRange<'a> set_range(key: Key<'a>, offset: i64, value: Arg<'a>) -> i64;
    /// The length of the string at `key`, 0 if there is none.
    READONLY "STRLEN" => StrLen<'a> strlen(key: Key<'a>) -> i64;
}

/// When SET stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum When {
    /// Whatever there is.
    #[default]
    Always,
    /// `NX`: if the key does not exist.
    Missing,
    /// `XX`: if the key exists.
    Present,
}

/// How long a value lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expiry {
    /// As the command does by itself: SET forgets the time to live, GETEX keeps it.
    #[default]
    Unsaid,
    /// `EX`: seconds from now.
    Seconds(i64),
    /// `PX`: milliseconds from now.
    Millis(i64),
    /// `EXAT`: seconds since 1970. Redis 6.2.
    AtSeconds(i64),
    /// `PXAT`: milliseconds since 1970. Redis 6.2.
    AtMillis(i64),
    /// `KEEPTTL`: as it was. SET only.
    Keep,
    /// `PERSIST`: for ever. GETEX only.
    Persist,
}

/// The word that makes SET return what was there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GetWord;

impl Argument for When {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::Always => {}
            Self::Missing => sink.word("NX"),
            Self::Present => sink.word("XX"),
        }
    }
}

impl Argument for Expiry {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let (word, n) = match *self {
            Self::Unsaid => return,
            Self::Keep => return sink.word("KEEPTTL"),
            Self::Persist => return sink.word("PERSIST"),
            Self::Seconds(n) => ("EX", n),
            Self::Millis(n) => ("PX", n),
            Self::AtSeconds(n) => ("EXAT", n),
            Self::AtMillis(n) => ("PXAT", n),
        };
        sink.word(word);
        sink.integer(n);
    }
}

impl Argument for GetWord {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("GET");
    }
}

/// A request with a time to live.
pub trait HasExpiry {
    /// The place where it is kept.
    fn expiry_mut(&mut self) -> &mut Expiry;
}

/// A request with a condition.
pub trait HasWhen {
    /// The place where it is kept.
    fn when_mut(&mut self) -> &mut When;
}

macro_rules! has {
    ($($Trait:ident $method:ident $field:ident $Field:ident for $($Name:ident)+;)+) => { $(
        $( impl $Trait for $Name<'_> {
            fn $method(&mut self) -> &mut $Field {
                &mut self.$field
            }
        } )+
        impl<R: $Trait, T> $Trait for As<R, T> {
            fn $method(&mut self) -> &mut $Field {
                self.inner_mut().$method()
            }
        }
    )+ };
}

has! {
    HasExpiry expiry_mut expiry Expiry for Set SetGet GetEx;
    HasWhen when_mut when When for Set SetGet;
}

/// The time to live of [`set`], [`set_get`] and [`get_ex`], on the request and on a client's call.
pub trait ExpiryOptions<R: HasExpiry>: Carry<R> {
    /// Expires `seconds` from now.
    #[must_use]
    fn ex(self, seconds: i64) -> Self {
        self.expiry(Expiry::Seconds(seconds))
    }

    /// Expires `millis` milliseconds from now.
    #[must_use]
    fn px(self, millis: i64) -> Self {
        self.expiry(Expiry::Millis(millis))
    }

    /// Expires as `expiry` says.
    #[must_use]
    fn expiry(self, expiry: Expiry) -> Self {
        self.map(|mut request| {
            *request.expiry_mut() = expiry;
            request
        })
    }
}

impl<R: HasExpiry, C: Carry<R>> ExpiryOptions<R> for C {}

/// The condition of [`set`] and [`set_get`], on the request and on a client's call.
pub trait WhenOptions<R: HasWhen>: Carry<R> {
    /// Only if the key does not exist.
    #[must_use]
    fn nx(self) -> Self {
        self.when(When::Missing)
    }

    /// Only if the key exists.
    #[must_use]
    fn xx(self) -> Self {
        self.when(When::Present)
    }

    /// Only as `when` says.
    #[must_use]
    fn when(self, when: When) -> Self {
        self.map(|mut request| {
            *request.when_mut() = when;
            request
        })
    }
}

impl<R: HasWhen, C: Carry<R>> WhenOptions<R> for C {}
