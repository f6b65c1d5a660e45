//! What changes from one configuration to the next.

use super::schema::{Class, ROWS, Row, Setting, Value};
use super::{Config, Size};

/// An option whose value is another one now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Difference<'a> {
    /// What stood there.
    pub old: Setting<'a>,
    /// What stands there now.
    pub new: Setting<'a>,
}

impl Difference<'_> {
    /// Which option.
    pub const fn row(&self) -> &'static Row {
        self.new.row
    }

    /// What the change takes: the class of the option, but a pool that grows loses no connections.
    pub const fn class(&self) -> Class {
        match (self.old.value, self.new.value) {
            (Value::Size(Size::Fixed(old)), Value::Size(Size::Fixed(new)))
            | (Value::Size(Size::PerCore(old)), Value::Size(Size::PerCore(new)))
                if new > old =>
            {
                Class::Live
            }
            _ => self.new.row.class,
        }
    }
}

impl<'a> Config<'a> {
    /// The options that differ in `new`, in the order of the table.
    pub fn differences<'c>(&'c self, new: &'c Config<'c>) -> Differences<'c> {
        Differences { old: self, new, rows: ROWS.iter() }
    }
}

/// The options that differ between two configurations.
#[derive(Clone, Debug)]
pub struct Differences<'c> {
    old: &'c Config<'c>,
    new: &'c Config<'c>,
    rows: core::slice::Iter<'static, Row>,
}

impl<'c> Iterator for Differences<'c> {
    type Item = Difference<'c>;

    fn next(&mut self) -> Option<Difference<'c>> {
        let (old, new) = (self.old, self.new);
        self.rows.by_ref().filter(|row| !row.is_view()).find_map(|row| {
            let setting = |config: &Config<'c>| Setting { row, value: row.value(config) };
            let difference = Difference { old: setting(old), new: setting(new) };
            (difference.old.value != difference.new.value).then_some(difference)
        })
    }
}
