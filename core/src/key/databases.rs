//! The databases that keys are spread over.

use core::str::FromStr;

use super::DatabasesError;

/// One database of several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shard {
    /// Which one of the policy's, from 0.
    pub ordinal: u8,
    /// Its number on the server.
    pub database: u32,
}

/// The databases that keys are spread over: `"3"`, `"0-5"`, `"0,2,8-10"`, in this order and each once.
///
/// ```
/// use respire_core::key::Databases;
/// let databases: Databases = "0-2,9".parse()?;
/// assert!(databases.iter().map(|shard| shard.database).eq([0, 1, 2, 9]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Databases {
    ranges: [Range; Self::MAX_RANGES],
    count: u8,
}

/// `count` databases from `first` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: u32,
    count: u8,
}

impl Range {
    const NONE: Self = Self { first: 0, count: 0 };
}

impl Databases {
    /// How many there may be.
    pub const MAX: u8 = 64;
    /// How many numbers and ranges a list may have.
    pub const MAX_RANGES: usize = 8;

    /// One database.
    pub const fn one(database: u32) -> Self {
        Self::range(database, 1)
    }

    /// `count` of them from `first` on, at least one and at most [`MAX`](Self::MAX).
    pub const fn range(first: u32, count: u8) -> Self {
        let count = match count {
            0 => 1,
            count if count > Self::MAX => Self::MAX,
            count => count,
        };
        let mut ranges = [Range::NONE; Self::MAX_RANGES];
        let [range, ..] = &mut ranges;
        *range = Range { first, count };
        Self { ranges, count }
    }

    /// All from the first to the last of each range, in this order.
    ///
    /// # Errors
    /// As for a text; no range at all is [`NotANumber`](DatabasesError::NotANumber).
    pub fn of(ranges: impl IntoIterator<Item = (u32, u32)>) -> Result<Self, DatabasesError> {
        let mut all = Self::NONE;
        for (at, (first, last)) in ranges.into_iter().enumerate() {
            all.push(at, first, last)?;
        }
        if all.count == 0 { Err(DatabasesError::NotANumber) } else { Ok(all) }
    }

    const NONE: Self = Self { ranges: [Range::NONE; Self::MAX_RANGES], count: 0 };

    fn push(&mut self, at: usize, first: u32, last: u32) -> Result<(), DatabasesError> {
        let more = last.checked_sub(first).ok_or(DatabasesError::Reversed)?;
        let count = u8::try_from(more).ok().and_then(|more| more.checked_add(1));
        let total = count.and_then(|count| count.checked_add(self.count)).filter(|&total| total <= Self::MAX);
        let (Some(count), Some(total)) = (count, total) else { return Err(DatabasesError::TooMany) };
        if self.iter().any(|shard| first <= shard.database && shard.database <= last) {
            return Err(DatabasesError::Twice);
        }
        *self.ranges.get_mut(at).ok_or(DatabasesError::TooMany)? = Range { first, count };
        self.count = total;
        Ok(())
    }

    /// How many there are, at least one.
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Shard> + '_ {
        (0..self.count).filter_map(|ordinal| self.shard(ordinal))
    }

    /// The one at this place; `None` behind the last.
    pub fn shard(&self, ordinal: u8) -> Option<Shard> {
        let mut left = ordinal;
        for range in &self.ranges {
            match left.checked_sub(range.count) {
                None => return Some(Shard { ordinal, database: range.first.wrapping_add(left.into()) }),
                Some(behind) => left = behind,
            }
        }
        None
    }

    /// The first one.
    pub(super) fn first(&self) -> Shard {
        self.shard(0).unwrap_or_default()
    }

    /// Where a `SCAN` over all of them goes on after `shard` said `cursor`: 0 if that was the last of it.
    /// `None` if the cursor has more than 58 bits, as it has in no database of this world.
    pub fn join_cursor(&self, shard: Shard, cursor: u64) -> Option<u64> {
        let (ordinal, cursor) = match (self.count, cursor) {
            (1, _) => return Some(cursor),
            (count, 0) if shard.ordinal.saturating_add(1) >= count => return Some(0),
            (_, 0) => (shard.ordinal.saturating_add(1), 0),
            (_, cursor) => (shard.ordinal, cursor),
        };
        (cursor >> (64 - CURSOR_BITS) == 0).then_some(cursor << CURSOR_BITS | u64::from(ordinal))
    }

    /// Which database such a cursor means, and the cursor there. `None` if it is no such cursor.
    pub fn split_cursor(&self, cursor: u64) -> Option<(Shard, u64)> {
        if self.count == 1 {
            return Some((self.first(), cursor));
        }
        let shard = self.shard((cursor & (Self::MAX as u64 - 1)) as u8)?;
        Some((shard, cursor >> CURSOR_BITS))
    }
}

/// The low bits of a joined cursor say which database.
const CURSOR_BITS: u32 = 6;

impl Default for Databases {
    /// Database 0.
    fn default() -> Self {
        Self::one(0)
    }
}

impl FromStr for Databases {
    type Err = DatabasesError;

    fn from_str(text: &str) -> Result<Self, DatabasesError> {
        let mut all = Self::NONE;
        for (at, item) in text.split(',').enumerate() {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            all.push(at, number(first)?, number(last)?)?;
        }
        Ok(all)
    }
}

fn number(text: &str) -> Result<u32, DatabasesError> {
    let text = text.trim_ascii();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(DatabasesError::NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn numbers(text: &str) -> Result<Vec<u32>, DatabasesError> {
        let databases: Databases = text.parse()?;
        let shards: Vec<_> = databases.iter().collect();
        assert_eq!(shards.len(), usize::from(databases.count()));
        for (at, &shard) in shards.iter().enumerate() {
            assert_eq!(usize::from(shard.ordinal), at);
            assert_eq!(databases.shard(shard.ordinal), Some(shard));
        }
        assert_eq!(databases.shard(databases.count()), None);
        Ok(shards.iter().map(|shard| shard.database).collect())
    }

    /// S0-OPT-04: "N", "A-B" and lists.
    #[test]
    fn lists_and_ranges() {
        assert_eq!(numbers("3"), Ok(std::vec![3]));
        assert_eq!(numbers("0-5"), Ok((0..6).collect()));
        assert_eq!(numbers("7, 0-2 ,4"), Ok(std::vec![7, 0, 1, 2, 4]));
        assert_eq!(numbers("4294967295"), Ok(std::vec![u32::MAX]));
        assert_eq!(numbers("0-63"), Ok((0..64).collect()));
        assert_eq!("0-5".parse(), Ok(Databases::range(0, 6)));
        for (text, error) in [
            ("", DatabasesError::NotANumber),
            ("a", DatabasesError::NotANumber),
            ("+1", DatabasesError::NotANumber),
            ("-1", DatabasesError::NotANumber),
            ("1-", DatabasesError::NotANumber),
            ("1,", DatabasesError::NotANumber),
            ("1-2-3", DatabasesError::NotANumber),
            ("4294967296", DatabasesError::NotANumber),
            ("5-0", DatabasesError::Reversed),
            ("0,0", DatabasesError::Twice),
            ("0-5,3", DatabasesError::Twice),
            ("3,0-5", DatabasesError::Twice),
            ("0-64", DatabasesError::TooMany),
            ("0-255", DatabasesError::TooMany),
            ("0-4294967295", DatabasesError::TooMany),
            ("0-62,70-71", DatabasesError::TooMany),
            ("0,2,4,6,8,10,12,14,16", DatabasesError::TooMany),
        ] {
            assert_eq!(numbers(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_cursor_goes_through_all_databases() {
        let databases = Databases::range(3, 3);
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            let (shard, inner) = databases.split_cursor(cursor).unwrap();
            seen.push((shard.database, inner));
            // Each answers 9, then 1 << 57, then 0.
            let next =
                [(0, 9), (9, 1 << 57), (1 << 57, 0)].into_iter().find(|(from, _)| *from == inner).unwrap().1;
            cursor = databases.join_cursor(shard, next).unwrap();
            if cursor == 0 {
                break;
            }
        }
        let each = [0, 9, 1 << 57];
        let expected: Vec<_> = (3..6).flat_map(|database| each.map(|inner| (database, inner))).collect();
        assert_eq!(seen, expected);
        assert_eq!(databases.join_cursor(Shard::default(), 1 << 58), None);
        assert_eq!(databases.split_cursor(3), None);
        let one = Databases::one(9);
        assert_eq!(one.join_cursor(one.first(), u64::MAX), Some(u64::MAX));
        assert_eq!(one.split_cursor(u64::MAX), Some((one.first(), u64::MAX)));
    }
}
