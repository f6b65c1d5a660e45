//! Nothing but GET.

use respire::Single;
use respire::prelude::*;

use crate::Failed;

/// Gets a value of 16 bytes `count` times. With 0 it does all the rest, so that the difference is the
/// cost of the requests.
pub(crate) fn run(url: &str, count: usize, depth: usize) -> Result<(), Failed> {
    const VALUE: &str = "sixteen bytes ...";
    let client = Single::open(url)?;
    client.set("gets", VALUE).wait()?;
    let mut left = count;
    if depth == 1 {
        for _ in 0..left {
            let length = client.send(get("gets")).wait_with(|reply| Ok(reply.get::<&[u8]>()?.len()))?;
            if length != VALUE.len() {
                return Err("another value came back".into());
            }
        }
        return Ok(());
    }
    let requests = vec![get("gets"); depth];
    while left > 0 {
        let batch = left.min(depth);
        left -= batch;
        for value in client.pipeline(&requests[..batch]).wait()? {
            if value?.is_none_or(|value| value.len() != VALUE.len()) {
                return Err("another value came back".into());
            }
        }
    }
    Ok(())
}
