//! Keys of any type: <https://redis.io/docs/latest/commands/?group=generic>, Redis 7.0.

use super::table::commands;
use super::{Arg, Argument, Carry, Key, Keys};
use crate::resp::{ArgSink, Done, Seq};

commands! {
    /// Keys of any type.
    trait GenericCommands;

    /// Copies the value at `source` to `target`; whether it did. Redis 6.2.
    WRITE "COPY" => CopyKey<'a> copy(source: Key<'a>, target: Key<'a>) -> bool;
    /// Deletes `keys`; how many there were.
    WRITE "DEL" => Del<'a> del(keys: Keys<'a>) -> i64;
    /// How many of `keys` exist; one that is named twice counts twice.
    READONLY "EXISTS" => Exists<'a> exists(keys: Keys<'a>) -> i64;
    /// Lets `key` expire in `seconds`; whether it exists.
    WRITE "EXPIRE" => Expire<'a> expire(key: Key<'a>, seconds: i64) -> bool;
    /// Lets `key` expire at `timestamp`, in seconds since 1970; whether it exists.
    WRITE "EXPIREAT" => ExpireAt<'a> expire_at(key: Key<'a>, timestamp: i64) -> bool;
    /// When `key` expires, in seconds since 1970: -1 never, -2 no such key. Redis 7.0.
    READONLY "EXPIRETIME" => ExpireTime<'a> expire_time(key: Key<'a>) -> i64;
    /// All keys that match `pattern`. Blocks the server while it looks: prefer [`scan`].
    READONLY "KEYS" => KeysMatching<'a> keys(pattern: Arg<'a>) as T -> Seq<'r, &'r [u8]>;
    /// How the value at `key` is stored, or nothing.
    READONLY "OBJECT" "ENCODING" => ObjectEncoding<'a> object_encoding(key: Key<'a>) as T -> Option<&'r str>;
    /// Takes the time to live off `key`; whether there was one.
    WRITE "PERSIST" => Persist<'a> persist(key: Key<'a>) -> bool;
    /// Lets `key` expire in `millis` milliseconds; whether it exists.
    WRITE "PEXPIRE" => PExpire<'a> pexpire(key: Key<'a>, millis: i64) -> bool;
    /// Milliseconds until `key` expires: -1 never, -2 no such key.
    READONLY "PTTL" => PTtl<'a> pttl(key: Key<'a>) -> i64;
    /// Some key, or nothing if there is none.
    READONLY "RANDOMKEY" => RandomKey random_key() as T -> Option<&'r [u8]>;
    /// Gives `key` another name, over whatever had it.
    WRITE "RENAME" => Rename<'a> rename(key: Key<'a>, name: Key<'a>) -> Done;
    /// Gives `key` another name if nothing has it; whether it did.
    WRITE "RENAMENX" => RenameNx<'a> rename_nx(key: Key<'a>, name: Key<'a>) -> bool;
    /// Some of the keys from `cursor` on, and the cursor to go on with: start at 0, end when 0
    /// comes back. Takes [options](ScanOptions).
    READONLY "SCAN" => Scan<'a> scan(cursor: Cursor)[options: ScanArgs<'a>] as T -> (u64, Seq<'r, &'r [u8]>);
    /// Marks `keys` as used now; how many exist.
    READONLY "TOUCH" => Touch<'a> touch(keys: Keys<'a>) -> i64;
    /// Seconds until `key` expires: -1 never, -2 no such key.
    READONLY "TTL" => Ttl<'a> ttl(key: Key<'a>) -> i64;
    /// The type of the value at `key`: `string`, `hash` …, `none`.
    READONLY "TYPE" => Type<'a> type_of(key: Key<'a>) as T -> &'r str;
    /// Deletes `keys` and frees their memory in the background; how many there were.
    WRITE "UNLINK" => Unlink<'a> unlink(keys: Keys<'a>) -> i64;
}

/// Where an iteration stands: 0 at the start, then what the server sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor(pub u64);

impl From<u64> for Cursor {
    fn from(cursor: u64) -> Self {
        Self(cursor)
    }
}

/// What SCAN looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScanArgs<'a> {
    pattern: Option<&'a [u8]>,
    count: Option<i64>,
    of: Option<&'a str>,
}

impl Argument for Cursor {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.unsigned(self.0);
    }
}

impl Argument for ScanArgs<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        if let Some(pattern) = self.pattern {
            sink.word("MATCH");
            sink.arg(pattern);
        }
        if let Some(count) = self.count {
            sink.word("COUNT");
            sink.integer(count);
        }
        if let Some(of) = self.of {
            sink.word("TYPE");
            sink.arg(of.as_bytes());
        }
    }
}

/// A request that scans.
pub trait HasScanArgs<'a> {
    /// The place where its options are kept.
    fn scan_args_mut(&mut self) -> &mut ScanArgs<'a>;
}

impl<'a> HasScanArgs<'a> for Scan<'a> {
    fn scan_args_mut(&mut self) -> &mut ScanArgs<'a> {
        &mut self.options
    }
}

impl<'a, R: HasScanArgs<'a>, T> HasScanArgs<'a> for super::As<R, T> {
    fn scan_args_mut(&mut self) -> &mut ScanArgs<'a> {
        self.inner_mut().scan_args_mut()
    }
}

/// Options of [`scan`], on the request and on a client's call.
pub trait ScanOptions<'a, R: HasScanArgs<'a>>: Carry<R> {
    /// Only keys that match the glob `pattern`.
    #[must_use]
    fn matching(self, pattern: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.map(|mut scan| {
            scan.scan_args_mut().pattern = Some(pattern.as_ref());
            scan
        })
    }

    /// Looks at about `count` keys a call; 10 if unsaid.
    #[must_use]
    fn count(self, count: i64) -> Self {
        self.map(|mut scan| {
            scan.scan_args_mut().count = Some(count);
            scan
        })
    }

    /// Only keys whose value is of this type. Redis 6.0.
    #[must_use]
    fn of_type(self, of: &'a str) -> Self {
        self.map(|mut scan| {
            scan.scan_args_mut().of = Some(of);
            scan
        })
    }
}

impl<'a, R: HasScanArgs<'a>, C: Carry<R>> ScanOptions<'a, R> for C {}
