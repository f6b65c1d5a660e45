//! respire over WASI.
#![no_std]
