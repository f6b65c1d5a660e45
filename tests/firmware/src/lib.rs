//! What the firmware programs share: the board, and one TCP connection.
//!
//! The board is an LM3S6965 evaluation board (Cortex-M3, 256 KiB of flash, 64 KiB of RAM) as QEMU emulates
//! it. Each program in `src/bin` boots without an operating system, runs smoltcp over the board's
//! Ethernet controller, drives `respire_core`'s connection over that and ends the emulator with an
//! exit status. There is no heap.
//!
//! ```text
//!    bin/ping               the program
//!    respire_core           Connection, pump            protocol
//!    net                    Net: a Socket               TCP/IP, smoltcp
//!    board/{nic, clock}     frames, interrupts, time    registers
//!    board/{host, stack}    what a test wants to know   semihosting, the deepest stack
//! ```
//!
//! # By hand
//!
//! In this folder, with `rustup target add thumbv7m-none-eabi` and Debian's `qemu-system-arm`:
//!
//! ```sh
//! redis-server --bind 127.0.0.1 --port 6391 --save "" --appendonly no &
//! cargo run --release --bin ping -- -append 6391; echo "exit status $?"
//! kill $!
//! ```
//!
//! Or without cargo:
//!
//! ```sh
//! qemu-system-arm -M lm3s6965evb -display none -monitor none -serial null \
//!     -nic user,model=stellaris -chardev stdio,id=host \
//!     -semihosting-config enable=on,target=native,chardev=host,arg=ping,arg=6391 \
//!     -kernel target/thumbv7m-none-eabi/release/ping
//! ```
//!
//! 10.0.2.2 is this machine's 127.0.0.1. The exit status is that of the program, or 101 after a
//! panic, 102 after a fault, 103 after an interrupt that nobody expected. Flash and RAM of a program:
//!
//! ```sh
//! cargo run -p respire-tests --bin firmware_size -- tests/firmware/target/thumbv7m-none-eabi/release/ping
//! ```
//!
//! `cargo test -p respire-tests --test firmware` builds and runs all of it.
#![no_std]

pub mod board;
pub mod net;
