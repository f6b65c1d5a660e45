//! respire
