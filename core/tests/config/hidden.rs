//! What goes over defmt of a configuration: no password.

use defmt::Format;
use defmt::export::fetch_bytes;
use respire_core::config::Config;

fn encoded(value: impl Format) -> Vec<u8> {
    let _ = fetch_bytes();
    defmt::export::fmt(&value);
    fetch_bytes()
}

/// C0-07, S0-OPT-03: the name is there, the password is not.
#[test]
fn a_password_is_not_sent() {
    let mut config = Config::MANAGED;
    config.set("redis.username", "ann").unwrap();
    config.set("redis.password", "hunter2").unwrap();
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let all = encoded(config);
    assert!(holds(&all, b"ann") && holds(&all, b"***") && !holds(&all, b"hunter2"));
    let one = encoded(config.get("redis.password").unwrap());
    assert!(holds(&one, b"***") && !holds(&one, b"hunter2"));
}
