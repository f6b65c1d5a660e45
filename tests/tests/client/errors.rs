//! What the server refuses, what does not decode, and what is never sent.

use respire::Error;
use respire::conn::SubmitError;
use respire::errors::{DecodeError, Misuse};
use respire::prelude::*;
use respire::resp::{Done, Value};

use crate::support::{everywhere, in_step};

fn server(error: Error) -> (String, String) {
    match error {
        Error::Server(reply) => {
            (reply.code().to_owned(), String::from_utf8_lossy(reply.as_ref().message()).into_owned())
        }
        other => panic!("not the server's: {other:?}"),
    }
}

fn decode<T: std::fmt::Debug>(result: Result<T, Error>) -> DecodeError {
    match result {
        Err(Error::Decode(error)) => error,
        other => panic!("not decoded wrongly: {other:?}"),
    }
}

#[test]
fn the_server_says_no() {
    everywhere(|_, client| {
        client.send(raw("LPUSH list x")).wait()?;
        let error = client.send(get("list")).wait().unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"));
        assert!(!error.is_connection());
        let (code, message) = server(error);
        assert_eq!(code, "WRONGTYPE");
        assert_eq!(message, "Operation against a key holding the wrong kind of value");

        client.set("text", "x").wait()?;
        let (code, message) = server(client.incr("text").wait().unwrap_err());
        assert_eq!((code.as_str(), message.as_str()), ("ERR", "value is not an integer or out of range"));
        let error = client.select(99).wait().unwrap_err();
        assert_eq!(error.to_string(), "ERR DB index is out of range");
        let unknown = client.send(raw("NOSUCHCOMMAND")).wait().unwrap_err();
        assert_eq!(unknown.code(), Some("ERR"));
        // Inside a value an error is a value.
        let value = client.send(raw("EVAL").arg("return {{err='E x'}}").arg(0)).wait()?;
        let Value::Array(items) = value else { panic!("{value:?}") };
        assert!(matches!(&items[..], [Value::Error(error)] if error.code() == "E"));
        assert_eq!(client.get::<()>("list").wait().unwrap_err().code(), Some("WRONGTYPE"));
        in_step(client);
        Ok(())
    });
}

#[test]
fn another_type_than_was_asked_for() {
    everywhere(|_, client| {
        client.mset(&[("text", "abc"), ("n", "300")]).wait()?;
        assert_eq!(decode(client.get::<i64>("text").wait()), DecodeError::NotANumber);
        in_step(client);
        assert_eq!(decode(client.get::<u8>("n").wait()), DecodeError::OutOfRange);
        assert_eq!(client.get::<u16>("n").wait()?, 300);
        let minus: Result<u32, _> = client.send(decr("m").typed()).wait();
        assert_eq!(decode(minus), DecodeError::OutOfRange);
        let pair = decode(client.get::<(String, String)>("n").wait());
        assert!(matches!(pair, DecodeError::Unexpected { expected: "an array", .. }), "{pair:?}");
        let none = decode(client.get::<String>("no").wait());
        assert!(matches!(none, DecodeError::Unexpected { .. }), "{none:?}");
        let two = decode(client.mget::<(i64, i64)>(&["n", "n", "n"]).wait());
        assert_eq!(two, DecodeError::Length { expected: 2 });
        in_step(client);
        Ok(())
    });
}

#[test]
fn what_a_shared_connection_cannot_do_is_not_sent() {
    everywhere(|_, client| {
        let own = |result: Result<Value, Error>| assert!(matches!(result, Err(Error::NeedsOwnConnection)));
        own(client.subscribe("c").wait());
        own(client.psubscribe("c*").wait());
        own(client.unsubscribe("c").wait());
        own(client.punsubscribe("c*").wait());
        own(client.send(raw("subscribe").arg("c")).wait());
        own(client.send(words(&["SSUBSCRIBE", "c"])).wait());
        own(client.send(raw("Monitor")).wait());
        let all = client.pipeline((incr("n"), raw("SUBSCRIBE c"))).wait();
        assert!(matches!(all, Err(Error::NeedsOwnConnection)), "{all:?}");
        assert_eq!(client.exists("n").wait()?, 0, "nothing of the pipeline was sent");
        in_step(client);
        Ok(())
    });
}

#[test]
fn misuse_is_not_sent() {
    everywhere(|_, client| {
        let misuse = |result: Result<Value, Error>| match result {
            Err(Error::Refused(SubmitError::Misuse(misuse))) => misuse,
            other => panic!("not refused: {other:?}"),
        };
        assert_eq!(misuse(client.send(raw("CLIENT REPLY OFF")).wait()), Misuse::ReplyOff);
        assert_eq!(misuse(client.send(words(&["client", "reply", "skip"])).wait()), Misuse::ReplyOff);
        assert_eq!(misuse(client.send(words::<&str>(&[])).wait()), Misuse::Empty);
        assert_eq!(misuse(client.send(raw("")).wait()), Misuse::Empty);
        assert_eq!(client.send(raw("CLIENT REPLY ON").typed::<Done>()).wait()?, Done);

        let (first, refused, last) =
            client.pipeline((incr("n"), raw("CLIENT REPLY OFF"), incr("n"))).wait()?;
        assert_eq!((first?, last?), (1, 2));
        assert_eq!(misuse(refused), Misuse::ReplyOff);
        in_step(client);
        Ok(())
    });
}
