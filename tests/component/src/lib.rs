//! The smallest component that uses respire, without `std`: `minimal.wasm redis://host:port` looks
//! the name up, connects, says HELLO, sets a key and gets it. What went wrong is its exit status.
#![no_std]

extern crate alloc;

mod runtime;

use alloc::vec::Vec;

use respire_wasi::command::{ExpiryOptions, StringCommands};
use respire_wasi::{Client, Error};
use wasi::cli::environment::get_arguments;
use wasi::cli::stdout::get_stdout;

struct Minimal;

wasi::cli::command::export!(Minimal);

impl wasi::exports::cli::run::Guest for Minimal {
    fn run() -> Result<(), ()> {
        let arguments = get_arguments();
        let url = arguments.get(1).map_or("redis://localhost", |url| url);
        let greeting = greet(url).map_err(|_| ())?;
        get_stdout().blocking_write_and_flush(&greeting).map_err(|_| ())
    }
}

fn greet(url: &str) -> Result<Vec<u8>, Error> {
    let client = Client::open(url)?;
    client.set("minimal", "hello from a component\n").ex(60).wait()?;
    let greeting: Option<Vec<u8>> = client.get("minimal").wait()?;
    Ok(greeting.unwrap_or_default())
}
