//! Tests of what only a copy of the process sees.

use std::process;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::prelude::*;
use crate::{Client, Error};

#[test]
fn a_copy_of_the_process_uses_nothing_of_it() {
    let client = Client::builder("redis://127.0.0.1:1".parse().unwrap()).lazy().unwrap();
    // As it looks in a process that was forked off.
    client.shared().process.store(process::id() + 1, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1));
    assert!(matches!(client.get::<Option<String>>("k").wait(), Err(Error::Forked)));
    assert!(matches!(client.pipeline([get("k")]).wait(), Err(Error::Forked)));
    assert!(matches!(client.conn().wait(), Err(Error::Forked)));
    let awaited = crate::block_on(async { client.get::<Option<String>>("k").await });
    assert!(matches!(awaited, Err(Error::Forked)));
}
