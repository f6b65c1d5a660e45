//! Subscribers of a client: every kind and every way to listen, gaps, overflow, and the end.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use respire::command::Subscription;
use respire::prelude::*;
use respire::pubsub::Overflow;
use respire::{Client, Error, News, NewsOptions, Notice, Published, SubscribeCall};
use respire_tests::chaos::plain;

use crate::support::{Admin, Answer, By, LIMIT, both, builder, kill_others, ms, open, redis, until, within};

/// What came, which must be a message, and in time.
fn message(news: &mut News) -> Published {
    match news.recv_timeout(LIMIT) {
        Some(Some(Notice::Message(message))) => message,
        other => panic!("no message: {other:?}"),
    }
}

fn payload(news: &mut News) -> String {
    String::from_utf8(message(news).payload).expect("text")
}

/// How many listen, as the server sees it.
fn listeners(admin: &mut Admin, channel: &str) -> i64 {
    let Answer::List(list) = admin.done(&format!("PUBSUB NUMSUB {channel}")) else { panic!("a list") };
    match list[1] {
        Answer::Number(count) => count,
        ref other => panic!("{other:?}"),
    }
}

fn number(answer: Answer) -> i64 {
    match answer {
        Answer::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

/// S1-CLI-09: channels, patterns and sharded channels, each by a thread and by tasks; what was confirmed is subscribed.
#[test]
fn three_kinds() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        type Ask = fn(&Client) -> SubscribeCall<'_>;
        let asks: [(Subscription, Ask, &str); 3] = [
            (Subscription::Channel, |client| client.subscribe(["c1", "c2"].as_slice()), "PUBLISH"),
            (Subscription::Pattern, |client| client.psubscribe("c?"), "PUBLISH"),
            (Subscription::Shard, |client| client.ssubscribe("c2"), "SPUBLISH"),
        ];
        for (kind, ask, publish) in asks {
            for by in [None, Some(By::BlockOn), Some(By::Keeper), Some(By::Tokio)] {
                let mut news = match by {
                    None => ask(&client).wait(),
                    Some(by) => by.run(&client, async { ask(&client).await }),
                }
                .unwrap();
                assert_eq!(number(admin.done(&format!("{publish} c2 hello"))), 1, "{kind:?}, {by:?}");
                let Published { kind: its, pattern, channel, payload, missed, .. } = match by {
                    None => message(&mut news),
                    Some(by) => match by.run(&client, news.recv()) {
                        Some(Notice::Message(message)) => message,
                        other => panic!("{other:?}"),
                    },
                };
                assert_eq!((its, missed), (kind, 0));
                assert_eq!((channel.as_slice(), payload.as_slice()), (b"c2".as_slice(), b"hello".as_slice()));
                assert_eq!(pattern, if kind == Subscription::Pattern { b"c?".as_slice() } else { b"" });
                assert_eq!(news.try_next(), None);
                drop(news);
                until("the end of it", || number(admin.done(&format!("{publish} c2 nobody"))) == 0);
            }
        }
    });
}

/// S1-CLI-09: all ways to listen have all messages in their order: an iterator, a thread that asks for a while, one that
/// never waits, a handler, a stream.
#[test]
fn every_way_to_listen() {
    both(|server, builder| {
        let client = open(builder);
        let open = || client.subscribe("c").wait().unwrap();
        let (iterator, mut patient, mut eager, handled, mut streamed) =
            (open(), open(), open(), open(), open());
        let mut admin = Admin::connect(server.addr());
        assert_eq!(listeners(&mut admin, "c"), 1, "the server knows of one");
        within(move || {
            thread::scope(|scope| {
                let number = |notice: &Notice| match notice {
                    Notice::Message(message) => {
                        str::from_utf8(&message.payload).unwrap().parse::<u32>().unwrap()
                    }
                    other => panic!("{other:?}"),
                };
                scope.spawn(move || {
                    assert!(iterator.take(1000).map(|notice| number(&notice)).eq(0..1000));
                });
                scope.spawn(move || {
                    let mut next = 0;
                    while next < 1000 {
                        if let Some(notice) = patient.recv_timeout(ms(1)) {
                            assert_eq!(number(&notice.unwrap()), next);
                            next += 1;
                        }
                    }
                    assert_eq!(patient.recv_timeout(ms(1)), None);
                });
                scope.spawn(move || {
                    let mut next = 0;
                    while next < 1000 {
                        match eager.try_next() {
                            Some(notice) => {
                                assert_eq!(number(&notice), next);
                                next += 1;
                            }
                            None => thread::yield_now(),
                        }
                    }
                });
                scope.spawn(move || {
                    for next in 0..1000 {
                        use futures_core::Stream;
                        let notice = plain(poll_fn(|context| Pin::new(&mut streamed).poll_next(context)));
                        assert_eq!(number(&notice.unwrap()), next);
                    }
                });
                let (send, receive) = channel();
                let handler = handled.listen(move |notice| {
                    let n = number(&notice);
                    send.send(n).unwrap();
                    assert!(n % 10 != 5, "every tenth goes wrong");
                    n < 999
                });
                for n in 0..1000 {
                    admin.done(&format!("PUBLISH c {n}"));
                }
                handler.unwrap().join().unwrap();
                assert!(receive.iter().eq(0..1000), "a panic concerns one message");
            });
        });
    });
}

/// S1-CLI-11: subscriptions change from other threads while somebody waits for messages.
#[test]
fn subscriptions_change_while_it_listens() {
    both(|server, builder| {
        let client = open(builder);
        let mut news = client.subscribe("stop").wait().unwrap();
        let mut admin = Admin::connect(server.addr());
        let (control, over) = (news.control(), AtomicBool::new(false));
        let heard = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    match news.recv_timeout(LIMIT) {
                        Some(Some(Notice::Message(message))) if message.channel == b"stop" => break,
                        Some(Some(Notice::Message(_))) => heard.fetch_add(1, Ordering::SeqCst),
                        other => panic!("{other:?}"),
                    };
                }
                over.store(true, Ordering::SeqCst);
            });
            let threads: Vec<_> = (0..4)
                .map(|n| {
                    let control = control.clone();
                    scope.spawn(move || {
                        for m in 0..50 {
                            let name = format!("c{n}-{m}");
                            control.subscribe(Subscription::Channel, &name).unwrap();
                            control.subscribe(Subscription::Channel, &name).unwrap();
                            if m % 2 == 0 {
                                assert!(control.unsubscribe(Subscription::Channel, &name));
                                assert!(!control.unsubscribe(Subscription::Channel, &name), "once is enough");
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let mut count = || match admin.done("PUBSUB CHANNELS c*") {
                Answer::List(channels) => channels.len(),
                other => panic!("{other:?}"),
            };
            until("100 channels", || count() == 100);
            for n in 0..4 {
                for m in 0..50 {
                    assert_eq!(number(admin.done(&format!("PUBLISH c{n}-{m} x"))), m % 2);
                }
            }
            admin.done("PUBLISH stop now");
        });
        assert!(over.into_inner());
        assert_eq!(heard.into_inner(), 100);
    });
}

/// S1-CLI-10: once the connection is lost, all is subscribed again, and who listens is told of the gap before the first
/// message behind it.
#[test]
fn a_gap_is_told_before_what_comes_behind_it() {
    both(|server, builder| {
        let client = open(builder);
        let mut news = client.subscribe(["a", "b"].as_slice()).wait().unwrap();
        let mut other = client.psubscribe("x*").wait().unwrap();
        for round in 0..5 {
            let mut admin = Admin::connect(server.addr());
            admin.done("PUBLISH a before");
            assert_eq!(payload(&mut news), "before", "round {round}");
            assert!(kill_others(&mut admin) > 0);
            until("both again", || {
                listeners(&mut admin, "a") == 1
                    && listeners(&mut admin, "b") == 1
                    && number(admin.done("PUBSUB NUMPAT")) == 1
            });
            admin.done("PUBLISH b behind");
            admin.done("PUBLISH xy behind");
            assert_eq!(news.recv_timeout(LIMIT), Some(Some(Notice::Gap)), "round {round}");
            assert_eq!(payload(&mut news), "behind", "round {round}");
            assert_eq!(other.next(), Some(Notice::Gap), "round {round}");
            assert_eq!(payload(&mut other), "behind", "round {round}");
            assert_eq!((news.try_next(), other.try_next()), (None, None), "one gap");
        }
        assert!(client.echo::<String>("x").wait().is_ok());
    });
}

/// S1-CLI-10: somebody who only waits is told of the gap although nothing is published.
#[test]
fn a_gap_is_told_when_nothing_comes() {
    both(|server, builder| {
        let client = open(builder);
        let mut news = client.subscribe("c").wait().unwrap();
        let waits = thread::spawn(move || plain(news.recv()));
        assert!(kill_others(&mut Admin::connect(server.addr())) > 0);
        until("him", || waits.is_finished());
        assert_eq!(waits.join().unwrap(), Some(Notice::Gap));
    });
}

/// S1-CLI-09: what becomes of messages that there is no room for, and how many they were. Others are not held up.
#[test]
fn what_there_is_no_room_for() {
    both(|server, builder| {
        let client = open(builder);
        let mut admin = Admin::connect(server.addr());
        let mut fast = client.subscribe("c").wait().unwrap();
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Block, Overflow::Close] {
            let options = NewsOptions { bytes: 1000, overflow };
            let mut slow = client.subscribe("c").options(options).wait().unwrap();
            let control = slow.control();
            for n in 0..1000 {
                admin.done(&format!("PUBLISH c {n:0>4}"));
                assert_eq!(payload(&mut fast), format!("{n:0>4}"));
            }
            // 17 bytes, the channel and four digits.
            let room = 1000 / 22;
            let mut got = Vec::new();
            let mut missed = 0;
            while let Some(Notice::Message(message)) = slow.try_next() {
                missed += u64::from(message.missed);
                got.push(String::from_utf8(message.payload).unwrap().parse::<usize>().unwrap());
            }
            println!("{overflow:?}: {} of them, {missed} missed, {} dropped", got.len(), control.dropped());
            assert!((room - 1..=room).contains(&got.len()), "{overflow:?}: {got:?}");
            assert!(got.windows(2).all(|two| two[0] + 1 == two[1]));
            match overflow {
                Overflow::DropOldest => {
                    assert_eq!((got.last(), missed), (Some(&999), 1000 - got.len() as u64));
                }
                _ => assert_eq!((got[0], missed), (0, 0), "{overflow:?}"),
            }
            let dropped = 1000 - got.len() as u64;
            match overflow {
                Overflow::Close => {
                    assert_eq!(slow.recv_timeout(LIMIT), Some(None), "the end");
                    assert_eq!(slow.next(), None);
                }
                _ => {
                    assert_eq!(control.dropped(), dropped);
                    admin.done("PUBLISH c last");
                    assert_eq!(payload(&mut fast), "last");
                    let last = message(&mut slow);
                    let missed = if overflow == Overflow::DropOldest { 0 } else { dropped };
                    assert_eq!(
                        (last.payload.as_slice(), u64::from(last.missed)),
                        (b"last".as_slice(), missed)
                    );
                }
            }
            if overflow == Overflow::Close {
                admin.done("PUBLISH c more");
                assert_eq!(payload(&mut fast), "more");
            }
        }
    });
}

/// S1-CLI-09: a channel that the user may not listen to is an error, and the others that were asked for with it end.
#[test]
fn a_channel_that_is_refused() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    admin.done("ACL SETUSER some on >secret ~* +@all resetchannels &open*");
    for protocol in [2, 3] {
        let url = server.url().replace("redis://", "redis://some:secret@") + &format!("?protocol={protocol}");
        let client = open(builder(&url));
        within({
            let client = client.clone();
            move || {
                let refused = client.subscribe(["open1", "shut"].as_slice()).wait();
                assert!(matches!(refused, Err(Error::NotSubscribed)), "{refused:?}");
                for by in By::ALL {
                    let refused = by.run(&client, async { client.psubscribe("shut*").await });
                    assert!(matches!(refused, Err(Error::NotSubscribed)), "{by:?}: {refused:?}");
                }
            }
        });
        until("the end of the other", || listeners(&mut admin, "open1") == 0);
        let mut news = client.subscribe("open1").wait().unwrap();
        admin.done("PUBLISH open1 x");
        assert_eq!(payload(&mut news), "x", "RESP{protocol}");
    }
}

/// S1-CLI-09, S3-CONN-03: the last that listens takes the subscription with it; what is controlled behind his back does
/// not come back.
#[test]
fn who_goes_takes_his_subscriptions_with_him() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder);
        let (one, mut two) = (client.subscribe("c").wait().unwrap(), client.subscribe("c").wait().unwrap());
        let control = one.control();
        drop(one);
        admin.done("PUBLISH c x");
        assert_eq!(payload(&mut two), "x");
        drop(two);
        until("nobody", || listeners(&mut admin, "c") == 0);
        // He is not there any more.
        let late = control.subscribe(Subscription::Channel, "late");
        client.echo::<String>("behind").wait().unwrap();
        assert!(late.is_err(), "{late:?}");
        assert_eq!(listeners(&mut admin, "late"), 0);
        // Dropped before it was confirmed.
        for _ in 0..20 {
            assert!(
                respire::block_on_for(async { client.subscribe("soon").await }, ms(0))
                    .is_none_or(|news| news.is_ok())
            );
        }
        client.echo::<String>("behind").wait().unwrap();
        until("nobody", || listeners(&mut admin, "soon") == 0);
    });
}

/// S1-CLEAN-01: who listens comes to an end when the client is closed, however he listens.
#[test]
fn to_close_ends_all_who_listen() {
    both(|_, builder| {
        let client = open(builder);
        let open = || client.subscribe("c").wait().unwrap();
        let (iterator, mut task, mut patient, handled) = (open(), open(), open(), open());
        let iterator = thread::spawn(move || iterator.count());
        let task = thread::spawn(move || plain(task.recv()));
        let patient = thread::spawn(move || patient.recv_timeout(LIMIT));
        let handled = handled.listen(|_| true).unwrap();
        let mut idle = open();
        client.close().wait().unwrap();
        until("all", || {
            iterator.is_finished() && task.is_finished() && patient.is_finished() && handled.is_finished()
        });
        assert_eq!((iterator.join().unwrap(), task.join().unwrap()), (0, None));
        assert_eq!(patient.join().unwrap(), Some(None));
        handled.join().unwrap();
        assert_eq!((idle.next(), idle.next()), (None, None));
        let refused = within(move || client.subscribe("late").wait());
        assert!(matches!(refused, Err(Error::NotTaken(_))), "{refused:?}");
        assert!(idle.control().subscribe(Subscription::Channel, "late").is_err());
    });
}

/// S1-CLEAN-01: who waits for a subscription to be confirmed when the client is closed is told.
#[test]
fn to_close_ends_who_wants_to_listen() {
    both(|server, builder| {
        let client = open(builder.config(|config| config.drain = Some(ms(200))));
        server.signal("-STOP");
        let wants = thread::spawn({
            let client = client.clone();
            move || plain(client.subscribe("c"))
        });
        client.close().wait().unwrap();
        until("him", || wants.is_finished());
        server.signal("-CONT");
        // He has it, and it is at its end, or it is refused.
        match wants.join().unwrap() {
            Ok(mut news) => assert_eq!(news.next(), None),
            Err(error) => assert!(matches!(error, Error::NotTaken(_) | Error::NotSubscribed), "{error:?}"),
        }
    });
}

/// S1-CLI-09: a closure that reads an answer where it lies may not wait for a subscription, and is told so: it never stands
/// in its own way.
#[test]
fn not_inside_of_an_answer() {
    both(|_, builder| {
        let client = open(builder);
        within(move || {
            let lone = client.send(echo("x")).wait_with(|_| Ok(client.subscribe("c").wait().map(drop)));
            assert!(matches!(lone, Ok(Err(Error::Busy))), "{lone:?}");
            let news = client.subscribe("c").wait().unwrap();
            let control = news.control();
            for n in 0..100 {
                let inside = || control.subscribe(Subscription::Channel, n.to_string());
                // Somebody else may have read the answer: then it is nobody's way.
                let inside = client.send(echo("x")).wait_with(|_| Ok(inside())).unwrap();
                assert!(matches!(inside, Ok(()) | Err(Error::Busy)), "{inside:?}");
            }
        });
    });
}

/// S1-CLI-11: a subscription that is refused later is told once to its subscriber, who hears all others; and once it is
/// allowed, it too.
#[test]
fn a_later_subscription_that_is_refused() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    for protocol in [2, 3] {
        admin.done("ACL SETUSER some on >secret ~* +@all resetchannels &open*");
        let url = format!("redis://some:secret@{}?protocol={protocol}", server.addr());
        let client = open(builder(&url).config(|config| {
            (config.pubsub.retry_base, config.pubsub.retry_cap) = (ms(10), ms(50));
        }));
        let mut news = client.subscribe("open").wait().unwrap();
        let mut other = client.subscribe("open").wait().unwrap();
        news.control().subscribe(Subscription::Channel, "open2").unwrap();
        news.control().subscribe(Subscription::Channel, "closed").unwrap();
        let refused = Notice::Refused { kind: Subscription::Channel, name: b"closed".to_vec() };
        assert_eq!(news.recv_timeout(LIMIT), Some(Some(refused)));
        until("the other one", || listeners(&mut admin, "open2") == 1);
        admin.done("PUBLISH open still");
        assert_eq!((payload(&mut news), payload(&mut other)), ("still".into(), "still".into()));
        assert_eq!((news.try_next(), other.try_next()), (None, None), "once, and to him");
        admin.done("ACL SETUSER some allchannels");
        until("it is allowed", || listeners(&mut admin, "closed") == 1);
        admin.done("PUBLISH closed now");
        assert_eq!(payload(&mut news), "now");
        assert!(news.control().unsubscribe(Subscription::Channel, "closed"));
    }
}
