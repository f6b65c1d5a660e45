//! What the core says about requests from their bytes, against what real servers say and do.

mod blocks;
mod keys;
mod known;
mod policy;
mod proof;
mod support;
mod twice;
