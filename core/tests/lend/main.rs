//! The blocking driver lends long arguments: what is written, in how many calls, and what is told when
//! it ends half way.
#![cfg(feature = "alloc")]

mod ends;
mod wire;
mod writes;
