//! What the firmware programs share: the board, and one TCP connection.
//!
//! The board is an LM3S6965 evaluation board (Cortex-M3, 256 KiB of flash, 64 KiB of RAM) as QEMU emulates
//! it. Each program in `src/bin` boots without an operating system, runs smoltcp over the board's
//! Ethernet controller, drives `respire_core`'s connection over that and ends the emulator with an
//! exit status. There is no heap.
//!
//! ```text
//!    bin/{ping, session}    the programs; bin/runtime checks board/runtime
//!    bin/{codec, count}     the codec alone: works, cannot panic; its instructions. bin/careless panics
//!    respire_core           Driver, Connection          protocol
//!    net                    Net: a Transport            TCP/IP, smoltcp
//!    board/{nic, clock}     frames, interrupts, time    registers
//!    board/{host, stack}    what a test wants to know   semihosting, the deepest stack
//!    board/runtime          memory, 64-bit division     what compiled code calls by itself
//! ```
//!
//! # By hand
//!
//! In this folder, with `rustup target add thumbv7m-none-eabi` and Debian's `qemu-system-arm`:
//!
//! ```sh
//! redis-server --bind 127.0.0.1 --port 6391 --save "" --appendonly no &
//! cargo run --release --bin ping -- -append 6391; echo "exit status $?"
//! cargo run --release --bin session -- -append 6391; echo "exit status $?"
//! kill $!
//! ```
//!
//! `ping` is the smallest program. `session` is a whole job: a login, values larger than its memory,
//! pipelines, messages, a lost connection. It waits five seconds for somebody to kill its connection,
//! `redis-cli -p 6391 CLIENT KILL TYPE normal`, and else leaves by itself. Where a login is needed,
//! its argument is `USER:PASSWORD@PORT`. What QEMU says of a timer at its start means nothing.
//!
//! Or without cargo:
//!
//! ```sh
//! qemu-system-arm -M lm3s6965evb -display none -monitor none -serial null \
//!     -nic user,model=stellaris -chardev stdio,id=host \
//!     -semihosting-config enable=on,target=native,chardev=host,arg=session,arg=6391 \
//!     -kernel target/thumbv7m-none-eabi/release/session
//! ```
//!
//! 10.0.2.2 is this machine's 127.0.0.1. The exit status is that of the program, or 101 after a
//! panic, 102 after a fault, 103 after an interrupt that nobody expected. Flash and RAM of a program:
//!
//! ```sh
//! cargo run -p respire-tests --bin firmware_size -- tests/firmware/target/thumbv7m-none-eabi/release/session
//! ```
//!
//! `cargo test -p respire-tests --test firmware` builds and runs all of it.
#![no_std]

pub mod board;
pub mod net;
