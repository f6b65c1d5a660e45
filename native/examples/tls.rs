//! TLS: the server is verified before anything is sent, by authorities of one's own or those of the system.
//!
//! `cargo run --example tls --features tls [rediss://127.0.0.1:6379 [ca.pem]]`

use std::error::Error;

use respire::prelude::*;
use respire::{Client, Dialer, Tls};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "rediss://127.0.0.1:6379".into());

    // A `rediss://` URL is enough where the system trusts the server's authority.
    match Client::open(&url) {
        Ok(client) => println!("trusted by the system: {}", client.ping::<String>().wait()?),
        Err(respire::Error::Connect(error)) => println!("not trusted by the system: {}", error.hint()),
        Err(error) => return Err(error.into()),
    }

    // An authority of one's own, in place of the system's; `client_cert` shows a certificate.
    let Some(file) = args.next() else { return Ok(()) };
    let client = Client::builder(url.parse()?).dialer(Dialer::tls(Tls::new().ca_file(file))).connect()?;
    client.set("example:tls", "hello").ex(60).wait()?;
    let greeting: Option<String> = client.get("example:tls").wait()?;
    println!("greeting: {greeting:?}");
    client.del("example:tls").wait()?;
    Ok(())
}
