//! Messages on a connection of their own.

use std::thread;
use std::time::Duration;

use respire::conn::Failure;
use respire::prelude::*;
use respire::{Error, Message, Subscriber};

use crate::support::{Peer, everywhere, lost, ms, open, redis, timed, within};

const SOON: Option<Duration> = Some(Duration::from_secs(5));

fn subscriber(url: &str) -> Subscriber {
    Subscriber::open(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn message(channel: &str, payload: &[u8]) -> Message {
    Message { pattern: None, channel: channel.to_owned(), payload: payload.to_vec() }
}

/// A subscriber in either protocol, and a client to publish with.
fn with_subscriber(test: impl Fn(&mut Subscriber, &respire::Single) -> Result<(), Error>) {
    everywhere(|server, client| {
        for protocol in [2, 3] {
            test(&mut subscriber(&format!("{}?protocol={protocol}", server.url())), client)?;
        }
        Ok(())
    });
}

/// S3-PUB-02, S3-PUB-03, S4-PUB-03: channels and patterns are confirmed, and a message says by which it came.
#[test]
fn channels_and_patterns() {
    with_subscriber(|news, client| {
        news.subscribe("news")?;
        news.subscribe(&["sport", "weather"])?;
        news.psubscribe("n*s")?;
        assert_eq!(client.publish("sport", "1:0").wait()?, 1);
        assert_eq!(client.publish("none", "unheard").wait()?, 0);
        assert_eq!(client.publish("news", "both").wait()?, 2);
        assert_eq!(news.next(SOON)?, Some(message("sport", b"1:0")));
        assert_eq!(news.next(SOON)?, Some(message("news", b"both")));
        let matched = Message { pattern: Some("n*s".to_owned()), ..message("news", b"both") };
        assert_eq!(news.next(SOON)?, Some(matched));

        news.unsubscribe("news")?;
        news.punsubscribe("n*s")?;
        assert_eq!(client.publish("news", "unheard").wait()?, 0);
        assert_eq!(client.publish("weather", "rain").wait()?, 1);
        assert_eq!(news.next(None)?, Some(message("weather", b"rain")));
        news.unsubscribe(&["sport", "weather"])?;
        assert_eq!(client.publish("weather", "sun").wait()?, 0);
        assert_eq!(news.next(Some(ms(20)))?, None);
        Ok(())
    });
}

#[test]
fn payloads_are_bytes() {
    with_subscriber(|news, client| {
        news.subscribe("c")?;
        let all: Vec<u8> = (0..=255).collect();
        let large = vec![7; 3 << 20];
        for payload in [&all[..], b"", b"\r\n$3\r\n", &large] {
            client.publish("c", payload).wait()?;
            assert_eq!(news.next(SOON)?.map(|message| message.payload).as_deref(), Some(payload));
        }
        Ok(())
    });
}

#[test]
fn messages_keep_their_order() {
    with_subscriber(|news, client| {
        news.subscribe("c")?;
        let payloads: Vec<String> = (0..5000).map(|i| i.to_string()).collect();
        client.pipeline(payloads.iter().map(|text| publish("c", text)).collect::<Vec<_>>()).wait()?;
        for payload in &payloads {
            assert_eq!(news.next(SOON)?, Some(message("c", payload.as_bytes())));
        }
        Ok(())
    });
}

#[test]
fn messages_that_come_while_something_is_asked_are_kept() {
    with_subscriber(|news, client| {
        news.subscribe("c")?;
        client.publish("c", "early").wait()?;
        news.subscribe("d")?;
        assert_eq!(news.next(SOON)?, Some(message("c", b"early")));
        Ok(())
    });
}

#[test]
fn waiting_ends_in_time() {
    let Some(server) = redis() else { return };
    let mut news = subscriber(&server.url());
    // With or without a subscription.
    for _ in 0..2 {
        let (took, none) = timed(|| news.next(Some(ms(150))));
        assert_eq!(none.unwrap(), None);
        assert!((ms(150)..ms(600)).contains(&took), "{took:?}");
        assert_eq!(news.next(Some(Duration::ZERO)).unwrap(), None);
        news.subscribe("c").unwrap();
    }
    open(&server.url()).publish("c", "x").wait().unwrap();
    thread::sleep(ms(50));
    assert_eq!(news.next(Some(Duration::ZERO)).unwrap(), Some(message("c", b"x")));
}

#[test]
fn a_lost_connection_is_told() {
    everywhere(|server, client| {
        for protocol in [2, 3] {
            let mut news = subscriber(&format!("{}?protocol={protocol}", server.url()));
            news.subscribe("c")?;
            client.publish("c", "last words").wait()?;
            client.send(raw("CLIENT KILL TYPE pubsub")).wait()?;
            let (kept, after) = within(Duration::from_secs(10), move || {
                let kept = news.next(None);
                let after = news.next(None);
                for _ in 0..2 {
                    let again = news.next(SOON);
                    assert!(matches!(again, Err(Error::Lost { .. })), "{again:?}");
                    match news.subscribe("d") {
                        Err(Error::Lost { failure: Failure::NotSent, .. }) => {}
                        other => panic!("{other:?}"),
                    }
                }
                (kept, after)
            });
            assert_eq!(kept?, Some(message("c", b"last words")));
            assert_eq!(lost(after), "the server closed the connection");
        }
        Ok(())
    });
}

#[test]
fn a_server_that_does_not_confirm() {
    let peer = Peer::after_handshake(|_, mut requests| requests.wait_for_end());
    let mut news = subscriber(&peer.resp2());
    let (took, refused) = timed(|| news.subscribe("c"));
    assert_eq!(lost(refused), "the server did not answer in time");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_the_server_refuses() {
    let Some(server) = redis() else { return };
    let admin = open(&server.url());
    admin
        .send(words(&["ACL", "SETUSER", "deaf", "on", ">pw", "+@all", "~*", "resetchannels", "&ok"]))
        .wait()
        .unwrap();
    let mut news = subscriber(&format!("redis://deaf:pw@{}", server.addr()));
    assert_eq!(news.subscribe("c").unwrap_err().code(), Some("NOPERM"));
    news.subscribe("ok").unwrap();
    admin.publish("ok", "heard").wait().unwrap();
    assert_eq!(news.next(SOON).unwrap(), Some(message("ok", b"heard")));
}

/// So many messages before a confirmation that not all can be kept: how many are gone is told once.
#[test]
fn messages_without_room_are_counted() {
    const KEPT: usize = 65_536;
    let peer = Peer::after_handshake(|_, mut requests| {
        requests.next();
        requests.answer(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
        requests.next();
        let text = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n".repeat(KEPT + 100);
        requests.answer(&text);
        requests.answer(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:2\r\n");
        requests.answer(b"*3\r\n$7\r\nmessage\r\n$1\r\nd\r\n$4\r\nlast\r\n");
        requests.wait_for_end();
    });
    let url = format!("redis://{}?protocol=2&timeout=20s", peer.address());
    within(Duration::from_secs(30), move || {
        let mut news = subscriber(&url);
        news.subscribe("c").unwrap();
        news.subscribe("d").unwrap();
        for _ in 0..KEPT {
            assert_eq!(news.next(SOON).unwrap(), Some(message("c", b"x")));
        }
        match news.next(SOON) {
            // The last message may have come along with the confirmation, and found no room either.
            Err(Error::Overflow { dropped: 101 }) => {}
            Err(Error::Overflow { dropped: 100 }) => {
                assert_eq!(news.next(SOON).unwrap(), Some(message("d", b"last")));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(news.next(Some(ms(20))).unwrap(), None);
    });
}
