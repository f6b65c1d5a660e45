//! Where threads meet: the standard library's locks, and its clock. The models in `tests/models` run these files with others
//! in their place.

pub(super) use std::sync::*;
pub(super) use std::time::Instant as Clock;
pub(super) use std::{thread, thread_local};
