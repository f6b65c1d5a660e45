//! Values of all types as one, and the fields that they go into.

use core::num::{NonZeroU16, NonZeroU32};

use crate::command::Retry;
use crate::config::{Address, Databases, Network, Password, Patience, Size, Topology};
use crate::conn::Protocol;
use crate::time::Duration;

/// What stands in an option, whatever its type. `Debug` hides a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A text; empty where there is none.
    Text(&'a str),
    /// A password.
    Secret(Password<'a>),
    /// Yes or no.
    Flag(bool),
    /// A number, of bytes too, or a percentage.
    Count(u64),
    /// A time.
    Span(Patience),
    /// How many connections.
    Size(Size),
    /// A word, by its place in [`Kind::Word`](super::Kind::Word).
    Word(u8),
    /// Databases.
    Databases(Databases),
    /// A host with a port, or a path.
    Address(Address<'a>),
}

/// A field of any type. As an object, so that each option has no more code than the way to its field.
pub(super) trait Field<'a> {
    /// What stands in it.
    fn value(&self) -> Value<'a>;

    /// Puts a value in. False: it is of another type, or too large for this one, and nothing has changed.
    fn put(&mut self, value: Value<'a>) -> bool;
}

/// False if there is nothing to put in.
fn replace<T>(field: &mut T, value: Option<T>) -> bool {
    value.map(|value| *field = value).is_some()
}

/// Fields from values of one variant.
macro_rules! fields {
    ($($Field:ty: $Variant:ident($value:ident) => $read:expr, $field:ident => $show:expr;)+) => {$(
        impl<'a> Field<'a> for $Field {
            fn value(&self) -> Value<'a> {
                let $field = *self;
                Value::$Variant($show)
            }

            fn put(&mut self, value: Value<'a>) -> bool {
                match value {
                    Value::$Variant($value) => replace(self, $read),
                    _ => false,
                }
            }
        }
    )+};
}

fields! {
    &'a str: Text(text) => Some(text), text => text;
    Option<&'a str>: Text(text) => Some(Some(text).filter(|text| !text.is_empty())), text => text.unwrap_or_default();
    Password<'a>: Secret(password) => Some(password), password => password;
    bool: Flag(flag) => Some(flag), flag => flag;
    u8: Count(count) => count.try_into().ok(), count => count.into();
    u16: Count(count) => count.try_into().ok(), count => count.into();
    u32: Count(count) => count.try_into().ok(), count => count.into();
    u64: Count(count) => Some(count), count => count;
    Option<NonZeroU16>: Count(count) => count.try_into().ok().map(NonZeroU16::new), count => count.map_or(0, |count| count.get().into());
    Option<NonZeroU32>: Count(count) => count.try_into().ok().map(NonZeroU32::new), count => count.map_or(0, |count| count.get().into());
    Patience: Span(span) => Some(span), span => span;
    Duration: Span(span) => match span { Patience::For(span) => Some(span), _ => None }, span => Patience::For(span);
    Option<Duration>: Span(span) => match span {
        Patience::For(span) => Some(Some(span)),
        Patience::Never => Some(None),
        Patience::Auto => None,
    }, span => span.map_or(Patience::Never, Patience::For);
    Size: Size(size) => Some(size), size => size;
    Databases: Databases(databases) => Some(databases), databases => databases;
    Address<'a>: Address(address) => Some(address), address => address;
}

/// Types that are one of several words.
macro_rules! words {
    ($($WORDS:ident: $Type:ty = $($word:literal $case:path),+;)+) => {$(
        pub(super) const $WORDS: &[&str] = &[$($word),+];

        impl<'a> Field<'a> for $Type {
            fn value(&self) -> Value<'a> {
                let place = [$($case),+].into_iter().position(|case| case == *self);
                // What has no word is out of the range.
                Value::Word(place.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX))
            }

            fn put(&mut self, value: Value<'a>) -> bool {
                match value {
                    Value::Word(at) => replace(self, [$($case),+].into_iter().nth(at.into())),
                    _ => false,
                }
            }
        }
    )+};
}

words! {
    NETWORKS: Network = "tcp" Network::Tcp, "unix" Network::Unix;
    TOPOLOGIES: Topology = "single" Topology::Single, "cluster" Topology::Cluster;
    PROTOCOLS: Protocol = "2" Protocol::Resp2, "3" Protocol::Resp3;
    CEILINGS: Retry = "always" Retry::Always, "read-only" Retry::ReadOnly, "checked-write" Retry::CheckedWrite,
        "last-write-wins" Retry::LastWriteWins, "accumulating" Retry::Accumulating;
}
