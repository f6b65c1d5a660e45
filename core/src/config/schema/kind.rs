//! What may stand in an option: read from a text, compared with the range, written with its unit.

use core::fmt::{self, Display};

use super::Value;
use crate::config::units::number;
use crate::config::{Address, Databases, Password, Patience, Size};
use crate::key::{self, Policy};
use crate::time::Duration;

/// What may stand in an option. `Display` says it to a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Any text of so many bytes.
    Text {
        /// At least.
        least: usize,
        /// At most.
        most: usize,
    },
    /// What stands in front of keys, of at most so many bytes: with a `{` only if it has a whole hash tag.
    Prefix(usize),
    /// A text of visible ASCII without spaces, of at most so many bytes.
    Name(usize),
    /// A text that is never shown.
    Secret,
    /// Yes or no.
    Flag,
    /// A whole number.
    Count {
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// A number of bytes. As a text it may have a unit: `64KiB`.
    Bytes {
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// A part of something.
    Percent {
        /// At least.
        least: u8,
        /// At most.
        most: u8,
    },
    /// A time.
    Span {
        /// The unit of a number that has none.
        unit: Unit,
        /// At least.
        least: Duration,
        /// At most.
        most: Duration,
        /// Whether `none` is an answer, too: for ever, or never.
        none: bool,
        /// Whether `auto` is one: as another option says.
        auto: bool,
    },
    /// How many connections, alone or for each core, up to so many.
    Size(u16),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Databases.
    Databases,
    /// A host with a port, or a path.
    Address,
}

/// The unit of a time that is given as a bare number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

impl Kind {
    /// Reads a text. `None`: it is not of this kind; the range is another matter.
    pub(in crate::config) fn read<'a>(&self, text: &'a str) -> Option<Value<'a>> {
        Some(match *self {
            Self::Text { .. } | Self::Prefix(_) | Self::Name(_) => Value::Text(text),
            // What shows a configuration writes this; it is no password.
            Self::Secret if text == Password::MASK => return None,
            Self::Secret => Value::Secret(Password::new(text)),
            Self::Flag => Value::Flag(match text {
                "true" | "yes" | "on" | "1" => true,
                "false" | "no" | "off" | "0" => false,
                _ => return None,
            }),
            Self::Count { .. } => Value::Count(number(text)?),
            Self::Bytes { .. } => Value::Count(bytes(text)?),
            Self::Percent { .. } => Value::Count(number(text.strip_suffix('%').unwrap_or(text))?),
            Self::Span { unit, none, auto, .. } => Value::Span(match text {
                "auto" if auto => Patience::Auto,
                "none" | "-1" if none => Patience::Never,
                _ => match span(text, unit)? {
                    Duration::ZERO if none => Patience::Never,
                    span => Patience::For(span),
                },
            }),
            Self::Size(_) => match text.strip_suffix("/core") {
                Some(text) => Value::Size(Size::PerCore(number(text)?.try_into().ok()?)),
                None => Value::Size(Size::Fixed(number(text)?.try_into().ok()?)),
            },
            Self::Word(words) => {
                let at = words.iter().position(|word| word.eq_ignore_ascii_case(text))?;
                Value::Word(u8::try_from(at).ok()?)
            }
            Self::Databases => Value::Databases(Databases::read(text)?),
            Self::Address => Value::Address(Address::read(text)?),
        })
    }

    /// Whether a value is of this kind and in its range.
    pub(in crate::config) fn allows(&self, value: Value<'_>) -> bool {
        match (*self, value) {
            (Self::Text { least, most }, Value::Text(text)) => (least..=most).contains(&text.len()),
            (Self::Prefix(most), Value::Text(text)) => {
                text.len() <= most && Policy::PLAIN.with_prefix(text.as_bytes()).is_ok()
            }
            (Self::Name(most), Value::Text(text)) => {
                text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            (Self::Secret, Value::Secret(_)) | (Self::Flag, Value::Flag(_)) => true,
            (Self::Count { least, most } | Self::Bytes { least, most }, Value::Count(count)) => {
                (least..=most).contains(&count)
            }
            (Self::Percent { least, most }, Value::Count(count)) => {
                (u64::from(least)..=most.into()).contains(&count)
            }
            (Self::Span { least, most, none, auto, .. }, Value::Span(span)) => match span {
                Patience::Auto => auto,
                Patience::Never => none,
                Patience::For(span) => (least..=most).contains(&span),
            },
            (Self::Size(most), Value::Size(size)) => (1..=most).contains(&size.number()),
            (Self::Word(words), Value::Word(at)) => usize::from(at) < words.len(),
            (Self::Databases, Value::Databases(databases)) => {
                databases.is_valid() && databases.count() <= key::Databases::MAX.into()
            }
            (Self::Address, Value::Address(address)) => !address.host.is_empty() && address.port != 0,
            _ => false,
        }
    }

    /// Writes a value of this kind with its unit.
    pub(super) fn show(&self, value: Value<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, value) {
            (_, Value::Text(text)) => f.write_str(text),
            (_, Value::Secret(password)) => f.write_str(password.shown()),
            (_, Value::Flag(flag)) => flag.fmt(f),
            (Self::Bytes { .. }, Value::Count(count)) => show_bytes(count, f),
            (Self::Percent { .. }, Value::Count(count)) => write!(f, "{count}%"),
            (_, Value::Count(count)) => count.fmt(f),
            (_, Value::Span(Patience::Auto)) => f.write_str("auto"),
            (_, Value::Span(Patience::Never)) => f.write_str("none"),
            (Self::Span { unit, .. }, Value::Span(Patience::For(span))) => show_span(span, unit, f),
            (_, Value::Span(Patience::For(span))) => show_span(span, Unit::Seconds, f),
            (_, Value::Size(size)) => size.fmt(f),
            (Self::Word(words), Value::Word(at)) => f.write_str(words.get(usize::from(at)).unwrap_or(&"?")),
            (_, Value::Word(_)) => f.write_str("?"),
            (_, Value::Databases(databases)) => databases.fmt(f),
            (_, Value::Address(address)) => address.fmt(f),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Text { least: 0, most } => write!(f, "a text of at most {most} bytes"),
            Self::Text { least, most } => write!(f, "a text of {least} to {most} bytes"),
            Self::Prefix(most) => {
                write!(f, "at most {most} bytes, without a {{ that is no hash tag")
            }
            Self::Name(most) => write!(f, "at most {most} letters, digits and signs without spaces"),
            Self::Secret => f.write_str("a password, not ***"),
            Self::Flag => f.write_str("true or false"),
            Self::Count { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Bytes { least, most } => {
                f.write_str("bytes, from ")?;
                show_bytes(least, f)?;
                f.write_str(" to ")?;
                show_bytes(most, f)
            }
            Self::Percent { least, most } => write!(f, "from {least}% to {most}%"),
            Self::Span { unit, least, most, none, auto } => {
                f.write_str("a time from ")?;
                show_span(least, unit, f)?;
                f.write_str(" to ")?;
                show_span(most, unit, f)?;
                f.write_str(if none { ", or none" } else { "" })?;
                f.write_str(if auto { ", or auto" } else { "" })
            }
            Self::Size(most) => write!(f, "a whole number from 1 to {most}, or so many/core"),
            Self::Word(words) => words.iter().enumerate().try_for_each(|(at, word)| {
                f.write_str(if at == 0 { "" } else { " or " })?;
                f.write_str(word)
            }),
            Self::Databases => {
                write!(f, "databases in ascending order, at most {}: 3, 0-5 or 0,2,4-7", key::Databases::MAX)
            }
            Self::Address => f.write_str("host:port, [IPv6]:port or an absolute path"),
        }
    }
}

/// A whole number, and what stands behind it.
fn unit_of(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

const SCALES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

fn bytes(text: &str) -> Option<u64> {
    let (count, unit) = unit_of(text)?;
    match SCALES.iter().find(|(name, _)| *name == unit) {
        Some((_, scale)) => count.checked_mul(*scale),
        None => matches!(unit, "" | "B").then_some(count),
    }
}

fn show_bytes(count: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match SCALES.iter().find(|(_, scale)| count != 0 && count.is_multiple_of(*scale)) {
        Some((name, scale)) => write!(f, "{}{name}", count / scale),
        None => write!(f, "{count}B"),
    }
}

fn span(text: &str, unit: Unit) -> Option<Duration> {
    let (count, name) = unit_of(text)?;
    let secs = |each: u64| count.checked_mul(each).map(Duration::from_secs);
    match (name, unit) {
        ("ns", _) => Some(Duration::from_nanos(count)),
        ("us", _) => Some(Duration::from_micros(count)),
        ("ms", _) | ("", Unit::Millis) => Some(Duration::from_millis(count)),
        ("s", _) | ("", Unit::Seconds) => secs(1),
        ("m", _) => secs(60),
        ("h", _) => secs(60 * 60),
        ("d", _) => secs(24 * 60 * 60),
        _ => None,
    }
}

/// In its unit, or in a finer one that shows all of it. What no range allows may be shown as too short.
fn show_span(span: Duration, unit: Unit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (secs, nanos) = (span.as_secs(), span.subsec_nanos());
    let fine = |each: u64, less: u32| secs.saturating_mul(each).saturating_add((nanos / less).into());
    match unit {
        Unit::Seconds if nanos == 0 => write!(f, "{secs}s"),
        _ if nanos.is_multiple_of(1_000_000) => write!(f, "{}ms", fine(1_000, 1_000_000)),
        _ if nanos.is_multiple_of(1_000) => write!(f, "{}us", fine(1_000_000, 1_000)),
        _ => write!(f, "{}ns", fine(1_000_000_000, 1)),
    }
}
