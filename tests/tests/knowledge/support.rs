//! What the tests share: a client of every server, and the bytes of a request.

use respire::Single;
use respire::prelude::*;
use respire::resp::{Encoder, Value};
use respire_tests::{Kind, Server};

/// Runs `test` on every server.
pub(crate) fn everywhere(test: impl Fn(Kind, &Server, &Single)) {
    for kind in Kind::ALL {
        if kind.available_or_skip() {
            let server = Server::builder(kind).start();
            test(kind, &server, &open(&server));
        }
    }
}

/// In RESP2, so that there are no other aggregates than arrays.
pub(crate) fn open(server: &Server) -> Single {
    let url = format!("{}?protocol=2&timeout=20s", server.url());
    Single::open(&url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The words of a line.
pub(crate) fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The bytes of a request.
pub(crate) fn frame(words_of: &[&str]) -> Vec<u8> {
    let request = words(words_of);
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let mut bytes = vec![0; measure.finish().len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    assert!(encoder.finish().is_written());
    bytes
}

/// What the server answers, be it an error.
pub(crate) fn ask(client: &Single, line: &str) -> Value {
    ask_words(client, &split(line))
}

pub(crate) fn ask_words(client: &Single, line: &[&str]) -> Value {
    match client.send(words(line)).wait() {
        Ok(value) => value,
        Err(respire::Error::Server(error)) => Value::Error(error),
        Err(error) => panic!("{line:?}: {error}"),
    }
}

/// What the server answers, which must be no error.
pub(crate) fn run(client: &Single, line: &str) -> Value {
    match ask(client, line) {
        Value::Error(error) => panic!("{line}: {error}"),
        value => value,
    }
}

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Simple(bytes) | Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("no text: {other:?}"),
    }
}

pub(crate) fn array(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        other => panic!("no array: {other:?}"),
    }
}
