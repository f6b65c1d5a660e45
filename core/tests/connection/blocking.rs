//! Commands that block: how long they may take, and those behind them.

use respire_core::command::{get, words};
use respire_core::conn::{Config, Protocol, Settings, Token};
use respire_core::time::{Duration, Instant};

use super::time::with;
use super::{check, growing};

#[test]
fn a_command_that_blocks_may_take_as_long_as_it_says() {
    for (words, deadline) in [
        ("BLPOP a b 2.5", "7500ms"),
        ("blpop a 60", "65s"),
        ("BLPOP a 0", "none"),
        ("BLMPOP 1 1 a LEFT", "6s"),
        ("XREAD COUNT 1 BLOCK 1000 STREAMS s $", "6s"),
        ("XREAD COUNT 1 BLOCK 0 STREAMS s $", "none"),
        ("XREAD STREAMS BLOCK 1000", "5s"),
        ("WAIT 1 250", "5250ms"),
        ("GET BLPOP", "5s"),
        ("MULTI", "5s"),
    ] {
        check(&format!("start resp2\nready resp2\nsubmit 1 {words}\nsent\ndeadline {deadline}"));
        check(&format!("start resp2\nready resp2\nchunked 1 {words}\nsent\ndeadline {deadline}"));
        check(&format!("start resp2\nready resp2\nuntil 3s 1 {words}\nsent\ndeadline 3s"));
        // Nothing blocks there.
        let queued = format!("submit 1 MULTI\nsubmit 2 {words}\nsubmit 3 EXEC\nsent");
        if words != "MULTI" {
            check(&format!("start resp2\nready resp2\n{queued}\ndeadline 5s"));
            let open = "submit 1 MULTI\nsent\n< +OK\nreply 1 \"OK\"";
            check(&format!("start resp2\nready resp2\n{open}\nsubmit 2 {words}\nsent\ndeadline 5s"));
        }
    }
    let config = Config { reply_timeout: None, ..Config::default() };
    with(config, "start resp2\nready resp2\nsubmit 1 BLPOP k 1\nsent\ndeadline none");
}

#[test]
fn a_late_request_behind_a_blocking_one_does_not_keep_a_dead_connection() {
    check(
        r#"
        start resp2
        ready resp2
        until never 1 BLPOP k 0
        submit 2 GET a
        sent
        @5s
        timeout
        failed 2 TimedOut
        @10s
        timeout
        @11s
        < *-1
        reply 1 nil
        submit 3 GET b
        sent
        @16s
        timeout
        failed 3 TimedOut
        @21s
        timeout
        closed ReplyTimeout
        "#,
    );
}

#[test]
fn a_request_behind_one_that_blocks_does_not_cut_it_off() {
    let config = Config { grace: Duration::ZERO, ..Config::default() };
    with(
        config,
        "start resp2\nready resp2\nsubmit 1 BLPOP k 60\nsubmit 2 GET a\nsent\n@5s\ntimeout\n@6s\n< *-1\nreply 1 nil\n< :1\nreply 2 1",
    );
}

#[test]
fn answers_behind_one_that_blocks_have_its_time() {
    check(
        r#"
        start resp2
        ready resp2
        submit 1 BLPOP k 60
        submit 2 GET a
        submit 3 GET b
        sent
        deadline 65s
        @65s
        timeout
        failed 1 TimedOut
        failed 2 TimedOut
        failed 3 TimedOut
        "#,
    );
    // Once it is answered the others have the usual time again.
    check(
        r#"
        start resp2
        ready resp2
        submit 1 BLPOP k 0
        submit 2 GET a
        sent
        deadline none
        < *-1
        reply 1 nil
        < :1
        reply 2 1
        @1s
        submit 3 GET b
        deadline 6s
        until never 4 GET c
        submit 5 GET d
        sent
        < :3
        reply 3 3
        @6s
        timeout
        failed 5 TimedOut
        "#,
    );
}

#[test]
fn a_request_of_a_known_command_has_that_time_too() {
    let mut connection = growing();
    let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
    connection.start(Instant::ZERO, &settings).unwrap();
    assert!(connection.poll_event().is_some());
    connection.submit(Instant::ZERO, Token(1), &words(&["BLPOP", "k", "60"])).unwrap();
    connection.submit(Instant::ZERO, Token(2), &get("a")).unwrap();
    connection.handle_transmitted(usize::MAX);
    assert_eq!(connection.poll_timeout(), Some(Instant::from_millis(65_000)));
}
