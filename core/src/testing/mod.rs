//! A test kit: an in-memory server over bytes.
