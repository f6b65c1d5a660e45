//! Values of every content and size, and memory that is given back.

use respire::Error;
use respire::prelude::*;
use respire::resp::{Done, Value};

use crate::support::{everywhere, in_step, open, redis};

/// Reproducible bytes without any pattern.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn keys_and_values_are_bytes() {
    everywhere(|_, client| {
        let all: Vec<u8> = (0..=255).collect();
        let tricky: [&[u8]; 6] =
            [b"", b"\r\n", b"$3\r\nabc\r\n", b"\0\0", &all, "snow\u{2603} \u{1F600}".as_bytes()];
        for bytes in tricky {
            client.set(bytes, bytes).wait()?;
            assert_eq!(client.send(get(bytes)).wait()?.as_deref(), Some(bytes));
            let again: Vec<u8> = client.get(bytes).wait()?;
            assert_eq!(again, bytes);
            assert_eq!(client.strlen(bytes).wait()?, bytes.len() as i64);
            assert_eq!(client.del(bytes).wait()?, 1);
        }
        client.set("text", &all).wait()?;
        let text = client.get::<String>("text").wait();
        assert!(matches!(text, Err(Error::Decode(_))), "{text:?}");
        in_step(client);
        Ok(())
    });
}

/// S1-CONN-07: a server reads the numbers that were written.
#[test]
fn numbers_arrive_as_they_were() {
    everywhere(|_, client| {
        for n in [0, 1, -1, i64::MIN, i64::MAX] {
            client.set("n", n).wait()?;
            assert_eq!(client.get::<i64>("n").wait()?, n);
        }
        client.set("n", u64::MAX).wait()?;
        assert_eq!(client.get::<u64>("n").wait()?, u64::MAX);
        for n in [0.1, -1e300, 5e-324, f64::INFINITY] {
            client.set("n", n).wait()?;
            assert_eq!(client.get::<f64>("n").wait()?, n);
        }
        Ok(())
    });
}

#[test]
fn large_values() {
    everywhere(|_, client| {
        for len in [65_535, 65_536, 1 << 20, 8 << 20] {
            let value = noise(len);
            client.set("large", &value).wait()?;
            assert!(client.send(get("large")).wait()?.as_ref() == Some(&value), "{len} bytes");
        }
        in_step(client);
        Ok(())
    });
}

#[test]
fn replies_of_every_shape() {
    everywhere(|_, client| {
        let script = "return {1, 'two', {3, {}}, false}";
        let value = client.send(raw("EVAL").arg(script).arg(0)).wait()?;
        let two = Value::Bulk(b"two".to_vec());
        let three = Value::Array(vec![Value::Integer(3), Value::Array(vec![])]);
        assert_eq!(value, Value::Array(vec![Value::Integer(1), two, three, Value::Null]));

        client.send(words(&["ZADD", "z", "1.5", "a", "2", "b"])).wait()?;
        let scores: Vec<(String, f64)> = client
            .send(raw("ZRANGE").key("z").with(Keys::from("0")).arg(-1).arg("WITHSCORES").typed())
            .wait()?;
        assert_eq!(scores, [("a".to_owned(), 1.5), ("b".to_owned(), 2.0)]);
        let score: f64 = client.send(raw("ZSCORE z a").typed()).wait()?;
        assert_eq!(score, 1.5);
        client.send(words(&["HSET", "h", "f", "1", "g", "2"])).wait()?;
        let hash: std::collections::BTreeMap<String, i64> = client.send(raw("HGETALL h").typed()).wait()?;
        assert_eq!(hash.into_iter().collect::<Vec<_>>(), [("f".to_owned(), 1), ("g".to_owned(), 2)]);
        Ok(())
    });
}

#[test]
fn a_reply_can_be_read_where_it_lies() {
    everywhere(|_, client| {
        let value = noise(100_000);
        let sum: u64 = value.iter().map(|&byte| u64::from(byte)).sum();
        client.set("v", &value).wait()?;
        let seen = client.send(get("v")).wait_with(|reply| {
            let bytes: &[u8] = reply.get()?;
            Ok(bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>())
        })?;
        assert_eq!(seen, sum);

        // What the closure returns is the result, an error, too.
        let refused = client.send(get("v")).wait_with(|reply| Ok(reply.get::<i64>()?));
        assert!(matches!(refused, Err(Error::Decode(_))), "{refused:?}");
        let own = client.send(ping()).wait_with(|_| Err::<(), _>(Error::SessionLost));
        assert!(matches!(own, Err(Error::SessionLost)), "{own:?}");
        in_step(client);
        Ok(())
    });
}

/// The sizes that `Debug` shows of the two buffers.
pub(crate) fn buffer_sizes(client: &respire::Single) -> Vec<usize> {
    let shown = format!("{client:?}");
    let sizes = shown.split("size: ").skip(1);
    sizes
        .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse().unwrap())
        .collect()
}

/// S1-KI-02: the memory of a large answer is given back.
#[test]
fn the_memory_of_a_peak_is_given_back() {
    let Some(server) = redis() else { return };
    let client = open(&format!("{}?timeout=60s", server.url()));
    let rest = buffer_sizes(&client);
    assert_eq!(rest.len(), 2);
    let value = noise(64 << 20);
    assert_eq!(client.set("v", &value).wait().unwrap(), Some(Done));
    let same = client.send(get("v")).wait_with(|reply| Ok(reply.get::<&[u8]>()? == value)).unwrap();
    assert!(same);
    in_step(&client);
    assert_ne!(buffer_sizes(&client), rest, "kept, in case that more come");
    for _ in 0..600 {
        client.ping::<()>().wait().unwrap();
    }
    assert_eq!(buffer_sizes(&client), rest);
}
