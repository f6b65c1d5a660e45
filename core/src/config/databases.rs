//! Which databases keys are spread over.

use core::fmt;

use super::units::{cut, number};

/// A set of databases: `3`, `0-5` or `0,2,4-7`, in ascending order, each from 0 to 65535.
///
/// It holds up to eight ranges, enough for any choice among the 16 databases that a server has unless it is told
/// otherwise.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Databases {
    /// First and last of each range; those behind `len` are zero.
    ranges: [(u16, u16); MOST],
    len: u8,
    preferred: bool,
}

const MOST: usize = 8;

impl Databases {
    /// Database 0 alone.
    pub const ZERO: Self = Self::one(0);

    /// One database.
    pub const fn one(db: u16) -> Self {
        Self::range(db, db)
    }

    /// All from `first` to `last`. If there are none, [`is_valid`](Self::is_valid) says so.
    pub const fn range(first: u16, last: u16) -> Self {
        const NONE: (u16, u16) = (0, 0);
        let ranges = [(first, last), NONE, NONE, NONE, NONE, NONE, NONE, NONE];
        Self { ranges, len: 1, preferred: false }
    }

    /// The same as a mere default: on a cluster, which has no other, database 0 will do.
    #[must_use]
    pub const fn preferred(self) -> Self {
        Self { preferred: true, ..self }
    }

    /// Whether nobody asked for just these.
    pub const fn is_preferred(&self) -> bool {
        self.preferred
    }

    /// Reads `3`, `0-5` or `0,2,4-7`. `None` if it is none of these, not in ascending order, or more than eight
    /// ranges. Brackets and spaces around numbers, as in a list of YAML, do not matter.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let mut all = Self { len: 0, ..Self::ZERO };
        let mut left = Some(text);
        while let Some(text) = left {
            let (part, more) = cut(text, ',').map_or((text, None), |(part, more)| (part, Some(more)));
            let (first, last) = cut(part, '-').unwrap_or((part, part));
            let number = |text: &str| number(text.trim_ascii())?.try_into().ok();
            all.push(number(first)?, number(last)?)?;
            left = more;
        }
        Some(all)
    }

    /// More databases behind those there are. `None` if they do not come behind them, or there is no room.
    fn push(&mut self, first: u16, last: u16) -> Option<()> {
        let len = usize::from(self.len);
        match len.checked_sub(1).and_then(|newest| self.ranges.get_mut(newest)) {
            _ if last < first => return None,
            Some((_, newest)) if first <= *newest => return None,
            Some((_, newest)) if first - *newest == 1 => *newest = last,
            _ => {
                *self.ranges.get_mut(len)? = (first, last);
                self.len += 1;
            }
        }
        Some(())
    }

    /// First and last of each range.
    pub fn ranges(&self) -> impl Iterator<Item = (u16, u16)> + use<> {
        self.ranges.into_iter().take(self.len.into())
    }

    /// Whether there is one at all, and each range goes upwards.
    pub fn is_valid(&self) -> bool {
        self.ranges().all(|(first, last)| first <= last)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.ranges().map(|(first, last)| u32::from(last.saturating_sub(first)) + 1).sum()
    }

    /// The `n`-th of them, from 0.
    pub fn nth(&self, mut n: u32) -> Option<u16> {
        for (first, last) in self.ranges() {
            let more = u32::from(last.saturating_sub(first));
            if n <= more {
                return u16::try_from(u32::from(first) + n).ok();
            }
            n -= more + 1;
        }
        None
    }

    /// Whether it is database 0 and no other.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

/// The same databases, asked for or not.
impl PartialEq for Databases {
    fn eq(&self, other: &Self) -> bool {
        self.ranges().eq(other.ranges())
    }
}

impl Eq for Databases {}

impl fmt::Display for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        for (text, count, shown) in [
            ("0", 1, "0"),
            ("0-5", 6, "0-5"),
            ("7-7", 1, "7"),
            ("0,1,2", 3, "0-2"),
            ("0,2,4-7", 6, "0,2,4-7"),
            (" [1, 3] ", 2, "1,3"),
            ("0-65535", 65536, "0-65535"),
            ("1,3,5,7,9,11,13,15", 8, "1,3,5,7,9,11,13,15"),
        ] {
            let all = Databases::read(text).unwrap();
            assert_eq!((all.count(), format!("{all}").as_str()), (count, shown), "{text}");
            // An interpreter takes its time.
            if cfg!(miri) && count > 100 {
                continue;
            }
            let each: Vec<_> = (0..count).map(|n| all.nth(n).unwrap()).collect();
            let naive: Vec<_> = all.ranges().flat_map(|(first, last)| first..=last).collect();
            assert_eq!(each, naive);
            assert_eq!(all.nth(count), None);
        }
        for text in ["", "x", "5-2", "-1", "+1", "1,", "2,1", "1,1", "0-5,5", "65536", "1-2-3", "[1"] {
            assert_eq!(Databases::read(text), None, "{text}");
        }
        assert_eq!(Databases::read("0,2,4,6,8,10,12,14,16"), None, "nine ranges");
    }

    #[test]
    fn a_range_of_none_is_not_valid() {
        assert!(!Databases::range(5, 2).is_valid());
        assert!(Databases::ZERO.preferred().is_zero());
    }
}
