//! The smallest component that uses respire, without `std`: `minimal.wasm HOST PORT` looks the name
//! up, connects, says HELLO, sets a key and gets it. Its memory is fixed but for the transport's.
#![no_std]

extern crate alloc;

mod runtime;

use alloc::string::String;
use core::time::Duration;

use respire_wasi::Dialer;
use respire_wasi::command::{ExpiryOptions, get, set};
use respire_wasi::conn::{Config, Connection, Settings};
use respire_wasi::core::client::{Dial, Endpoint};
use respire_wasi::core::io::Driver;
use wasi::cli::environment::get_arguments;
use wasi::cli::stdout::get_stdout;

struct Minimal;

wasi::cli::command::export!(Minimal);

impl wasi::exports::cli::run::Guest for Minimal {
    fn run() -> Result<(), ()> {
        let mut arguments = get_arguments().into_iter().skip(1);
        let host = arguments.next().ok_or(())?;
        let port = arguments.next().and_then(|port| port.parse().ok()).ok_or(())?;
        greet(host, port).ok_or(())
    }
}

/// `None`: it went wrong, and nothing is said of how.
fn greet(host: String, port: u16) -> Option<()> {
    let transport = Dialer::default().dial(&Endpoint::Tcp { host, port }, Duration::from_secs(5)).ok()?;
    let connection = Connection::<[u8; 512], 4>::new([0; 512], [0; 512], Config::default());
    let mut driver = Driver::new(connection, transport);
    driver.start(&Settings::default()).ok()?;
    let set = set("minimal", "hello from a component\n").ex(60);
    driver.call(&set, |reply| reply.error().is_none(), |_| {}).ok().filter(|&done| done)?;
    let print = |text: &[u8]| get_stdout().blocking_write_and_flush(text).ok();
    driver.call(&get("minimal"), |reply| reply.as_bytes().and_then(print), |_| {}).ok()?
}
