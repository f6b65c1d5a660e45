//! The registry, step by step.

use respire_core::command::Subscription::{Channel, Pattern, Shard};
use respire_core::command::{AnyRequest, Effect, Subscription};
use respire_core::error::ServerError;
use respire_core::pubsub::{Config, Delivery, Entry, Happened, Refused, Registry};
use respire_core::resp::Encoder;
use respire_core::time::{Duration, Instant};

type Small = Registry<[u8; 256], [Entry; 16]>;

fn registry() -> Small {
    Registry::new([0; 256], [Entry::EMPTY; 16], Config::DEFAULT)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// The next command as text, and its number.
fn ask(registry: &mut Small, now: Instant) -> Option<(u32, String)> {
    let ask = registry.poll_ask(now)?;
    let subscribes = matches!(ask.row().effect, Effect::Subscribe(kind) if kind == ask.kind());
    let ends = matches!(ask.row().effect, Effect::Unsubscribe(kind) if kind == ask.kind());
    assert_eq!((subscribes, ends), (ask.subscribes(), !ask.subscribes()));
    let mut bytes = [0; 256];
    let mut encoder = Encoder::new(&mut bytes);
    ask.encode(&mut encoder);
    let len = encoder.finish().len();
    let words = respire_core::command::Args::new(&bytes[..len]);
    let words: Vec<_> = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    Some((ask.number(), words.join(" ")))
}

fn asked(registry: &mut Small, now: Instant) -> Vec<String> {
    std::iter::from_fn(|| ask(registry, now)).map(|(_, text)| text).collect()
}

fn events(registry: &mut Small) -> Vec<(Happened, String)> {
    let next = || {
        registry.poll_event().map(|event| (event.happened, String::from_utf8_lossy(event.name).into_owned()))
    };
    std::iter::from_fn(next).collect()
}

fn happened(happened: Happened, name: &str) -> (Happened, String) {
    (happened, name.to_owned())
}

/// Subscribed, confirmed and told.
fn subscribed(kind: Subscription, names: &[&str]) -> Small {
    let mut registry = registry();
    for name in names {
        registry.subscribe(kind, name.as_bytes()).unwrap();
    }
    asked(&mut registry, at(0));
    for name in names {
        assert!(registry.handle_confirmed(kind, name.as_bytes()));
    }
    assert_eq!(events(&mut registry).len(), names.len());
    registry
}

/// S1-CLI-09: three kinds; several names of one kind in one command, sharded channels one by one.
#[test]
fn names_of_a_kind_are_asked_together() {
    let mut registry = registry();
    for (kind, name) in
        [(Channel, "a"), (Channel, "b"), (Pattern, "a*"), (Shard, "s"), (Shard, "t"), (Channel, "c")]
    {
        registry.subscribe(kind, name.as_bytes()).unwrap();
    }
    assert_eq!(
        asked(&mut registry, at(0)),
        ["SUBSCRIBE a b", "PSUBSCRIBE a*", "SSUBSCRIBE s", "SSUBSCRIBE t"]
    );
    assert!(registry.handle_confirmed(Shard, b"s"));
    assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE c"]);
}

#[test]
fn a_name_is_asked_once_however_many_want_it() {
    let mut registry = registry();
    let id = registry.subscribe(Channel, b"a").unwrap();
    assert_eq!(registry.subscribe(Channel, b"a"), Ok(id));
    assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE a"]);
    assert!(registry.handle_confirmed(Channel, b"a"));
    assert_eq!(events(&mut registry), [happened(Happened::Subscribed, "a")]);
    assert_eq!(registry.subscribe(Channel, b"a"), Ok(id));
    assert!(asked(&mut registry, at(0)).is_empty() && registry.is_settled());
    for _ in 0..2 {
        assert!(registry.unsubscribe(Channel, b"a"));
        assert!(asked(&mut registry, at(0)).is_empty());
    }
    assert!(registry.unsubscribe(Channel, b"a"));
    assert!(!registry.unsubscribe(Channel, b"a"));
    assert_eq!(asked(&mut registry, at(0)), ["UNSUBSCRIBE a"]);
    assert!(registry.handle_dropped(Channel, b"a"));
    assert_eq!(events(&mut registry), [happened(Happened::Unsubscribed, "a")]);
    assert!(registry.is_empty() && registry.get(id).is_none());
    assert_ne!(registry.subscribe(Channel, b"a"), Ok(id), "another one");
}

/// S1-CLI-10: after a loss the same is asked again, however often, and each gap is told.
#[test]
fn resubscribing_never_grows() {
    let mut registry = subscribed(Channel, &["a", "b", "c"]);
    for _ in 0..10 {
        registry.handle_lost();
        assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE a b c"]);
        // Lost again before it was confirmed, in part.
        assert!(registry.handle_confirmed(Channel, b"b"));
        registry.handle_lost();
        assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE a b c"]);
        for name in [b"c", b"a", b"b"] {
            assert!(registry.handle_confirmed(Channel, name));
        }
        assert!(asked(&mut registry, at(0)).is_empty());
        assert_eq!(registry.handle_message(Channel, b"a"), Delivery::EventsFirst);
        let gaps = ["b", "c", "a"].map(|name| happened(Happened::Gap, name));
        let mut told = events(&mut registry);
        told.sort_by(|one, two| one.1.cmp(&two.1));
        let mut gaps = gaps.to_vec();
        gaps.sort_by(|one, two| one.1.cmp(&two.1));
        assert_eq!(told, gaps);
    }
    assert_eq!((registry.len(), registry.stats().losses, registry.stats().gaps), (3, 20, 30));
}

/// A slot has moved: the server ends it by itself.
#[test]
fn what_the_server_drops_is_told_and_asked_again() {
    let mut registry = subscribed(Shard, &["s"]);
    assert!(registry.handle_dropped(Shard, b"s"));
    assert_eq!(events(&mut registry), [happened(Happened::Dropped, "s")]);
    assert_eq!(registry.handle_message(Shard, b"s"), Delivery::Nobody);
    assert_eq!(asked(&mut registry, at(0)), ["SSUBSCRIBE s"]);
    assert!(registry.handle_confirmed(Shard, b"s"));
    assert_eq!(events(&mut registry), [happened(Happened::Gap, "s")]);
    // Dropped and regained before anybody asked.
    assert!(registry.handle_dropped(Shard, b"s"));
    assert_eq!(asked(&mut registry, at(0)), ["SSUBSCRIBE s"]);
    assert!(registry.handle_confirmed(Shard, b"s"));
    assert_eq!(events(&mut registry), [happened(Happened::Dropped, "s"), happened(Happened::Gap, "s")]);
    assert_eq!(registry.stats().drops, 2);
}

#[test]
fn confirmations_are_matched_by_kind_and_name() {
    let mut registry = registry();
    registry.subscribe(Channel, b"a").unwrap();
    registry.subscribe(Pattern, b"a").unwrap();
    assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE a", "PSUBSCRIBE a"]);
    assert!(registry.handle_confirmed(Pattern, b"a"));
    assert!(!registry.handle_dropped(Shard, b"a"), "not asked, not subscribed");
    assert_eq!(events(&mut registry), [happened(Happened::Subscribed, "a")]);
    let id = registry.find(Channel, b"a").unwrap();
    assert!(!registry.get(id).unwrap().confirmed && !registry.is_settled());
    assert_eq!(registry.stats().strays, 1);
}

/// Who wants it again while it ends has to wait for another confirmation.
#[test]
fn what_ends_is_said_to() {
    let mut registry = registry();
    let id = registry.subscribe(Channel, b"a").unwrap();
    let known = |registry: &Small| registry.get(id).map(|info| (info.confirmed, info.ends)).unwrap();
    assert_eq!((asked(&mut registry, at(0)), known(&registry)), (vec!["SUBSCRIBE a".into()], (false, false)));
    assert!(registry.handle_confirmed(Channel, b"a"));
    assert_eq!(events(&mut registry), [happened(Happened::Subscribed, "a")]);
    assert!(registry.unsubscribe(Channel, b"a"));
    assert_eq!(known(&registry), (true, false), "the server was not asked yet");
    assert_eq!(asked(&mut registry, at(0)), ["UNSUBSCRIBE a"]);
    registry.subscribe(Channel, b"a").unwrap();
    assert_eq!(known(&registry), (true, true));
    assert!(registry.handle_dropped(Channel, b"a"));
    assert_eq!((asked(&mut registry, at(0)), known(&registry)), (vec!["SUBSCRIBE a".into()], (false, false)));
    assert!(registry.handle_confirmed(Channel, b"a"));
    assert_eq!(known(&registry), (true, false));
    assert_eq!(events(&mut registry), [happened(Happened::Gap, "a")]);
}

/// LOADING in place of a confirmation.
#[test]
fn what_is_refused_is_asked_again_alone_and_later() {
    let mut registry = registry();
    registry.subscribe(Channel, b"a").unwrap();
    registry.subscribe(Channel, b"b").unwrap();
    let (number, _) = ask(&mut registry, at(0)).unwrap();
    registry.handle_refused(at(0), number, ServerError::new(b"LOADING"));
    let told = events(&mut registry);
    assert_eq!(told, [happened(Happened::Refused, "a"), happened(Happened::Refused, "b")]);
    let mut texts = Vec::new();
    let mut now = at(0);
    while texts.len() < 2 {
        now = registry.poll_timeout().max(now);
        assert!(now <= at(100));
        texts.extend(asked(&mut registry, now));
    }
    texts.sort();
    assert_eq!(texts, ["SUBSCRIBE a", "SUBSCRIBE b"]);
    // A refusal of a number that is over changes nothing.
    registry.handle_refused(now, number, ServerError::new(b"LOADING"));
    assert!(registry.handle_confirmed(Channel, b"a") && registry.handle_confirmed(Channel, b"b"));
    assert!(registry.is_settled());
    assert_eq!((registry.poll_timeout(), registry.stats().refusals), (Instant::MAX, 2));
}

#[test]
fn waits_grow_with_each_refusal_up_to_the_cap() {
    let config = Config {
        retry_base: Duration::from_millis(10),
        retry_cap: Duration::from_millis(80),
        ..Config::DEFAULT
    };
    let mut longest = [0; 8];
    for seed in 0..60 {
        let mut registry = Registry::new([0; 64], [Entry::EMPTY; 2], Config { seed, ..config });
        registry.subscribe(Channel, b"a").unwrap();
        let mut now = at(0);
        for longest in &mut longest {
            let number = registry.poll_ask(now).unwrap().number();
            registry.handle_refused(now, number, ServerError::new(b"NOPERM"));
            let wake = registry.poll_timeout();
            *longest = (*longest).max(wake.saturating_since(now).as_millis());
            assert!(registry.poll_ask(Instant::from_micros(wake.as_micros() - 1)).is_none() || wake == now);
            now = wake;
        }
    }
    let most = [10, 20, 40, 80, 80, 80, 80, 80];
    assert!(
        longest.iter().zip(most).all(|(&longest, most)| longest <= most && longest * 2 > most),
        "{longest:?}"
    );
}

#[test]
fn a_server_that_knows_of_no_subscription_has_ended_it() {
    let mut registry = subscribed(Channel, &["a"]);
    assert!(registry.unsubscribe(Channel, b"a"));
    let (number, _) = ask(&mut registry, at(0)).unwrap();
    registry.handle_refused(
        at(0),
        number,
        ServerError::new(b"NOSUB 'unsubscribe' was called without a subscription"),
    );
    assert_eq!(events(&mut registry), [happened(Happened::Unsubscribed, "a")]);
    assert!(registry.is_empty());
}

/// Nobody knows whose a message was that could not be read.
#[test]
fn what_could_not_be_read_is_a_gap_for_all_that_is_subscribed() {
    let mut registry = subscribed(Channel, &["a", "b"]);
    registry.subscribe(Channel, b"c").unwrap();
    assert!(registry.unsubscribe(Channel, b"b"));
    registry.handle_skipped();
    assert_eq!(registry.handle_message(Channel, b"a"), Delivery::EventsFirst);
    assert_eq!(events(&mut registry), [happened(Happened::Gap, "a")]);
    assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE c", "UNSUBSCRIBE b"]);
    assert!(registry.handle_confirmed(Channel, b"c"));
    assert_eq!(events(&mut registry), [happened(Happened::Subscribed, "c")]);
}

/// A confirmation that came late found no room: what is published says that it is still subscribed.
#[test]
fn what_nobody_has_asked_for_is_ended() {
    let mut registry = Registry::new([0; 64], [Entry::EMPTY; 1], Config::DEFAULT);
    registry.subscribe(Channel, b"a").unwrap();
    assert!(!registry.handle_confirmed(Channel, b"ghost"));
    assert_eq!(registry.handle_message(Channel, b"ghost"), Delivery::Nobody);
    assert!(registry.unsubscribe(Channel, b"a") && registry.is_empty());
    assert_eq!(registry.handle_message(Channel, b"ghost"), Delivery::Nobody);
    let ask = registry.poll_ask(at(0)).unwrap();
    assert!(!ask.subscribes() && ask.names().eq([b"ghost"]));
    assert!(registry.handle_dropped(Channel, b"ghost") && registry.is_empty());
    assert_eq!(registry.stats().strays, 3);
}

#[test]
fn what_is_wanted_again_while_it_ends_is_asked_anew() {
    let mut registry = subscribed(Channel, &["a"]);
    assert!(registry.unsubscribe(Channel, b"a"));
    assert_eq!(asked(&mut registry, at(0)), ["UNSUBSCRIBE a"]);
    registry.subscribe(Channel, b"a").unwrap();
    assert!(asked(&mut registry, at(0)).is_empty(), "one after the other");
    assert_eq!(registry.handle_message(Channel, b"a"), Delivery::Nobody);
    assert!(registry.handle_dropped(Channel, b"a"));
    assert_eq!(asked(&mut registry, at(0)), ["SUBSCRIBE a"]);
    assert!(registry.handle_confirmed(Channel, b"a"));
    assert_eq!(events(&mut registry), [happened(Happened::Gap, "a")]);
}

#[test]
fn what_was_lost_is_told_to_be_over_all_the_same() {
    for ends_first in [true, false] {
        let mut registry = subscribed(Channel, &["a"]);
        if ends_first {
            assert!(registry.unsubscribe(Channel, b"a"));
            registry.handle_lost();
        } else {
            registry.handle_lost();
            assert!(registry.unsubscribe(Channel, b"a"));
        }
        assert!(asked(&mut registry, at(0)).is_empty());
        assert_eq!(events(&mut registry), [happened(Happened::Unsubscribed, "a")]);
        assert!(registry.is_empty());
    }
}

#[test]
fn a_confirmation_that_comes_too_late_is_undone() {
    let mut registry = registry();
    registry.subscribe(Channel, b"a").unwrap();
    let (number, _) = ask(&mut registry, at(0)).unwrap();
    assert!(registry.unsubscribe(Channel, b"a"));
    registry.handle_over(at(0), number);
    assert!(registry.is_empty());
    assert!(!registry.handle_confirmed(Channel, b"a"));
    assert_eq!(asked(&mut registry, at(0)), ["UNSUBSCRIBE a"]);
    assert!(registry.handle_dropped(Channel, b"a"));
    assert!(registry.is_empty() && events(&mut registry).is_empty());
}

#[test]
fn what_was_not_sent_is_asked_again_in_its_place() {
    let mut registry = registry();
    for name in [b"a", b"b"] {
        registry.subscribe(Channel, name).unwrap();
    }
    let (number, text) = ask(&mut registry, at(0)).unwrap();
    registry.subscribe(Pattern, b"p").unwrap();
    registry.handle_unsent(number);
    assert_eq!(asked(&mut registry, at(0)), [text, "PSUBSCRIBE p".to_owned()]);
}

#[test]
fn a_refused_subscription_changes_nothing() {
    let mut registry = Registry::new([0; 18], [Entry::EMPTY; 2], Config::DEFAULT);
    assert_eq!(registry.subscribe(Channel, b"thirteen char"), Err(Refused::TooLong));
    registry.subscribe(Channel, b"ab").unwrap();
    assert_eq!(registry.subscribe(Channel, b"abc"), Err(Refused::Names));
    registry.subscribe(Channel, b"").unwrap();
    assert_eq!(registry.subscribe(Channel, b"x"), Err(Refused::Entries));
    assert_eq!(registry.len(), 2);
    assert_eq!(registry.poll_ask(at(0)).unwrap().names().collect::<Vec<_>>(), [&b"ab"[..], b""]);
    let mut none = Registry::new([0; 0], [Entry::EMPTY; 0], Config::DEFAULT);
    assert_eq!(none.subscribe(Channel, b""), Err(Refused::Entries));
    assert!(none.find(Channel, b"").is_none() && none.poll_event().is_none());
    assert!(!none.handle_confirmed(Channel, b"a") && !none.handle_dropped(Channel, b"a"));
}

#[test]
fn names_are_not_shown() {
    let mut registry = registry();
    registry.subscribe(Channel, b"hidden").unwrap();
    let shown = format!("{registry:?}") + &format!("{:?}", registry.poll_ask(at(0)));
    assert!(shown.contains("SUBSCRIBE") && !shown.contains("hidden"), "{shown}");
}
