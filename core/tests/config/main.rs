//! The configuration: defaults as they were promised, texts both ways, faults all at once, differences.

mod changes;
mod defaults;
mod faults;
#[cfg(feature = "defmt")]
mod hidden;
mod machines;
mod names;
mod texts;
