//! The types of arguments. All borrow; none allocates.

use core::fmt;

use crate::resp::{ArgSink, DoubleText};

/// Something that stands for zero or more arguments.
pub trait Argument {
    /// Tells `sink` the arguments.
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S);
}

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key<'a>(pub &'a [u8]);

/// A value, a member, a channel: bytes, or a number that is formatted on its way out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Arg<'a> {
    /// Bytes as they are.
    Bytes(&'a [u8]),
    /// An integer in decimal.
    Integer(i64),
    /// An unsigned integer in decimal.
    Unsigned(u64),
    /// A double, as text.
    Double(Double),
    /// So many bytes that follow later: see [`Later`].
    Later(u64),
}

/// A value of so many bytes that are not here yet, or too many for the transmit buffer: they are
/// [supplied](crate::conn::Connection::supply) to the connection once it has taken the request.
/// One argument of a request may be left for later. A driver that has the bytes at hand may
/// [lend](crate::conn::Connection::poll_transmit_lent) them instead.
///
/// ```
/// use respire_core::command::{ExpiryOptions, Later, set};
/// use respire_core::conn::{Config, Connection, Protocol, Settings, Token};
/// use respire_core::time::Instant;
///
/// let mut connection = Connection::<[u8; 64], 1>::new([0; 64], [0; 64], Config::default());
/// let now = Instant::ZERO;
/// connection.start(now, &Settings { protocol: Some(Protocol::Resp2), ..Settings::default() })?;
/// connection.submit(now, Token(1), &set("photo", Later(1000)).ex(60))?;
///
/// // 1000 bytes through 64 bytes of memory.
/// let (photo, mut wire) = ([7; 1000], Vec::new());
/// loop {
///     let from = photo.len() - connection.owed() as usize;
///     let _taken = connection.supply(&photo[from..]);
///     let ready = connection.poll_transmit();
///     if ready.is_empty() {
///         break;
///     }
///     wire.extend_from_slice(ready);
///     let n = ready.len();
///     connection.handle_transmitted(n);
/// }
/// assert_eq!(connection.owed(), 0);
/// assert!(wire.starts_with(b"*5\r\n$3\r\nSET\r\n$5\r\nphoto\r\n$1000\r\n\x07\x07"));
/// assert!(wire.ends_with(b"\x07\x07\r\n$2\r\nEX\r\n$2\r\n60\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Later(pub u64);

/// A double in the shortest text that reads back as the same number. It is made where the number is
/// given, so that a program without doubles has no code for them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Double(DoubleText);

impl From<f64> for Double {
    fn from(n: f64) -> Self {
        Self(DoubleText::new(n))
    }
}

impl From<f32> for Double {
    fn from(n: f32) -> Self {
        Self::from(f64::from(n))
    }
}

/// A password, or anything else that no log and no `Debug` shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(pub &'a [u8]);

/// Keys, or other arguments of one kind: `"a"`, `&["a", "b"]`, `&names` for a `Vec<String>`.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Keys<'a> {
    /// A single one.
    One(&'a [u8]),
    /// Strings.
    Strs(&'a [&'a str]),
    /// Bytes.
    Slices(&'a [&'a [u8]]),
    /// Owned strings.
    #[cfg(feature = "alloc")]
    Strings(&'a [alloc::string::String]),
    /// Owned bytes.
    #[cfg(feature = "alloc")]
    Vecs(&'a [alloc::vec::Vec<u8>]),
}

/// Pairs of key and value: `&[("a", "1")]`, or `&[(Key, Arg)]` for mixed values.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Pairs<'a> {
    /// Strings to strings.
    Strs(&'a [(&'a str, &'a str)]),
    /// Bytes to bytes.
    Slices(&'a [(&'a [u8], &'a [u8])]),
    /// Keys to anything.
    Args(&'a [(Key<'a>, Arg<'a>)]),
    /// Owned strings to owned strings.
    #[cfg(feature = "alloc")]
    Strings(&'a [(alloc::string::String, alloc::string::String)]),
}

impl Argument for Key<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.key(self.0);
    }
}

impl Argument for Arg<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        match *self {
            Self::Bytes(bytes) => sink.arg(bytes),
            Self::Integer(n) => sink.integer(n),
            Self::Unsigned(n) => sink.unsigned(n),
            Self::Double(ref n) => sink.arg(n.0.as_bytes()),
            Self::Later(len) => sink.later(len),
        }
    }
}

impl Argument for Later {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.later(self.0);
    }
}

impl Argument for Secret<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.secret(self.0);
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Argument for i64 {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.integer(*self);
    }
}

impl Argument for f64 {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.double(*self);
    }
}

impl Argument for Keys<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::One(key) => sink.key(key),
            Self::Strs(keys) => keys.iter().for_each(|key| sink.key(key.as_bytes())),
            Self::Slices(keys) => keys.iter().for_each(|key| sink.key(key)),
            #[cfg(feature = "alloc")]
            Self::Strings(keys) => keys.iter().for_each(|key| sink.key(key.as_bytes())),
            #[cfg(feature = "alloc")]
            Self::Vecs(keys) => keys.iter().for_each(|key| sink.key(key)),
        }
    }
}

impl Argument for Pairs<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let mut pair = |key: &[u8], value: &[u8]| {
            sink.key(key);
            sink.arg(value);
        };
        match self {
            Self::Strs(pairs) => pairs.iter().for_each(|(k, v)| pair(k.as_bytes(), v.as_bytes())),
            Self::Slices(pairs) => pairs.iter().for_each(|(k, v)| pair(k, v)),
            #[cfg(feature = "alloc")]
            Self::Strings(pairs) => pairs.iter().for_each(|(k, v)| pair(k.as_bytes(), v.as_bytes())),
            Self::Args(pairs) => {
                for (key, value) in *pairs {
                    key.visit(sink);
                    value.visit(sink);
                }
            }
        }
    }
}

/// `From` for everything that is plainly bytes.
macro_rules! from_bytes {
    ($($Type:ident => $make:expr;)+) => { $(
        impl<'a> From<&'a [u8]> for $Type<'a> {
            fn from(bytes: &'a [u8]) -> Self {
                $make(bytes)
            }
        }
        impl<'a> From<&'a str> for $Type<'a> {
            fn from(text: &'a str) -> Self {
                $make(text.as_bytes())
            }
        }
        impl<'a, const N: usize> From<&'a [u8; N]> for $Type<'a> {
            fn from(bytes: &'a [u8; N]) -> Self {
                $make(bytes)
            }
        }
        #[cfg(feature = "alloc")]
        impl<'a> From<&'a alloc::string::String> for $Type<'a> {
            fn from(text: &'a alloc::string::String) -> Self {
                $make(text.as_bytes())
            }
        }
    )+ };
}

from_bytes! {
    Key => Key;
    Arg => Arg::Bytes;
    Secret => Secret;
    Keys => Keys::One;
}

/// `From` for vectors of bytes, which for [`Keys`] would read as several.
macro_rules! from_vec {
    ($($Type:ident => $make:expr;)+) => { $(
        #[cfg(feature = "alloc")]
        impl<'a> From<&'a alloc::vec::Vec<u8>> for $Type<'a> {
            fn from(bytes: &'a alloc::vec::Vec<u8>) -> Self {
                $make(bytes)
            }
        }
    )+ };
}

from_vec! {
    Key => Key;
    Arg => Arg::Bytes;
    Secret => Secret;
}

macro_rules! from_numbers {
    ($($number:ty => $Variant:ident;)+) => { $(
        impl From<$number> for Arg<'_> {
            fn from(n: $number) -> Self {
                Self::$Variant(n.into())
            }
        }
    )+ };
}

from_numbers! {
    i8 => Integer;
    i16 => Integer;
    i32 => Integer;
    i64 => Integer;
    u8 => Integer;
    u16 => Integer;
    u32 => Integer;
    u64 => Unsigned;
    f32 => Double;
    f64 => Double;
}

impl From<usize> for Arg<'_> {
    fn from(n: usize) -> Self {
        Self::Unsigned(n as u64)
    }
}

impl From<Later> for Arg<'_> {
    fn from(later: Later) -> Self {
        Self::Later(later.0)
    }
}

impl<'a> From<Key<'a>> for Arg<'a> {
    fn from(key: Key<'a>) -> Self {
        Self::Bytes(key.0)
    }
}

/// `From` for slices, arrays and, with `alloc`, vectors of one element type.
macro_rules! from_lists {
    ($($(#[$cfg:meta])? $List:ident::$Variant:ident($Item:ty);)+) => { $(
        $(#[$cfg])?
        impl<'a> From<&'a [$Item]> for $List<'a> {
            fn from(items: &'a [$Item]) -> Self {
                Self::$Variant(items)
            }
        }
        $(#[$cfg])?
        impl<'a, const N: usize> From<&'a [$Item; N]> for $List<'a> {
            fn from(items: &'a [$Item; N]) -> Self {
                Self::$Variant(items)
            }
        }
        #[cfg(feature = "alloc")]
        impl<'a> From<&'a alloc::vec::Vec<$Item>> for $List<'a> {
            fn from(items: &'a alloc::vec::Vec<$Item>) -> Self {
                Self::$Variant(items)
            }
        }
    )+ };
}

from_lists! {
    Keys::Strs(&'a str);
    Keys::Slices(&'a [u8]);
    #[cfg(feature = "alloc")]
    Keys::Strings(alloc::string::String);
    #[cfg(feature = "alloc")]
    Keys::Vecs(alloc::vec::Vec<u8>);
    Pairs::Strs((&'a str, &'a str));
    Pairs::Slices((&'a [u8], &'a [u8]));
    Pairs::Args((Key<'a>, Arg<'a>));
    #[cfg(feature = "alloc")]
    Pairs::Strings((alloc::string::String, alloc::string::String));
}
