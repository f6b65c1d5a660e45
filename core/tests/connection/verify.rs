//! Integrity: numbers of ours among the answers.

use std::num::NonZeroU32;

use respire_core::conn::{Config, Connection};
use respire_core::time::Duration;

use super::everyway;

fn every(n: u32, text: &str) {
    let config = Config { verify_every: NonZeroU32::new(n), ..Config::default() };
    everyway(&format!("start resp2\nready resp2\n{text}"), || {
        Connection::<_, 6>::new([0; 160], [0; 160], config)
    });
}

#[test]
fn behind_so_many_requests_goes_a_number() {
    every(
        2,
        r#"
        submit 1 GET a
        submit 2 GET b
        > GET a
        > GET b
        > ECHO 40
        quiet
        in-flight 3
        < :1
        reply 1 1
        < :2
        reply 2 2
        < $2\r\n40
        in-flight 0
        submit 3 GET c
        > GET c
        quiet
        submit 4 GET d
        > GET d
        > ECHO 102
        < :3
        reply 3 3
        < :4
        reply 4 4
        < +102
        in-flight 0
        "#,
    );
    every(1, "submit 1 GET a\n> GET a\n> ECHO 20\n< :1\nreply 1 1\n< $2\\r\\n20\ndeadline none");
}

#[test]
fn another_answer_in_its_place_ends_the_connection() {
    for stray in ["$2\\r\\n41", "$1\\r\\na", ":40", "+OK", "*0", "_", "=6\\r\\ntxt:40"] {
        every(
            2,
            &format!(
                "submit 1 GET a\nsubmit 2 GET b\nsent\nsubmit 3 GET c\n< :1\nreply 1 1\n< :2\nreply 2 2\n< {stray}\nfailed 3 NotSent\nclosed OutOfStep"
            ),
        );
    }
    // An answer too many: nobody behind it gets it.
    every(
        2,
        "submit 1 GET a\nsubmit 2 GET b\nsubmit 3 GET c\nsent\n< :1\nreply 1 1\n< :7\nreply 2 7\n< :2\nfailed 3 Unknown\nclosed OutOfStep",
    );
    // An answer too few: the number goes to a request once, at most.
    every(
        2,
        "submit 1 GET a\nsubmit 2 GET b\nsubmit 3 GET c\nsent\n< :1\nreply 1 1\n< $2\\r\\n40\nreply 2 \"40\"\n< :3\nfailed 3 Unknown\nclosed OutOfStep",
    );
    // One that is too large to be kept is no number.
    every(
        1,
        &format!("submit 1 GET a\nsent\n< :1\nreply 1 1\n< $300\\r\\n{}\nclosed OutOfStep", "x".repeat(300)),
    );
}

#[test]
fn an_error_may_be_the_answer_to_another_request() {
    for error in ["BUSY", "NOPERM", "ERR"] {
        every(
            1,
            &format!(
                "submit 1 GET a\nsubmit 2 GET b\nsent\n< -{error}\nreply 1 ServerError({error})\n< -{error}\nfailed 2 Unknown\nclosed OutOfStep"
            ),
        );
    }
}

#[test]
fn it_waits_for_room_and_for_plain_answers() {
    // Five slots taken, the sixth is the number's; a full ring has no place for one.
    every(
        6,
        "submit 1 GET a\nsubmit 2 GET b\nsubmit 3 GET c\nsubmit 4 GET d\nsubmit 5 GET e\nsubmit 6 GET f\nsent\nin-flight 6\n< :1\nreply 1 1\n< :2\nreply 2 2\nsubmit 7 GET g\n> GET g\n> ECHO 140",
    );
    every(
        1,
        "submit 1 MULTI\n> MULTI\nsubmit 2 GET a\n> GET a\nquiet\nsubmit 3 EXEC\n> EXEC\n> ECHO 49\n< +OK\nreply 1 \"OK\"\n< +QUEUED\nreply 2 \"QUEUED\"\n< *1\\r\\n:1\nreply 3 array(1) 1\n< +49\nin-flight 0",
    );
    every(
        2,
        "submit 1 SUBSCRIBE c\nsent\n< *3\\r\\n+subscribe\\r\\n+c\\r\\n:1\npush array(3) \"subscribe\" \"c\" 1\nreply 1 array(3) \"subscribe\" \"c\" 1\nsubmit 2 PING\n> PING\nquiet",
    );
}

#[test]
fn a_number_has_no_event_of_its_own() {
    every(1, "submit 1 GET a\nsent\neof\nfailed 1 Unknown\nclosed Eof");
    every(1, "submit 1 GET a\nsent\n< :1\nreply 1 1\nin-flight 1\neof\nclosed Eof");
    every(
        1,
        "submit 1 GET a\nsent\n< :1\nreply 1 1\ndeadline 5s\n@5s\ntimeout\ndeadline 10s\n@10s\ntimeout\nclosed ReplyTimeout",
    );
    // Behind one that may block for ever it waits for ever.
    let config = Config { verify_every: NonZeroU32::new(1), grace: Duration::ZERO, ..Config::default() };
    everyway("start resp2\nready resp2\nsubmit 1 BLPOP k 0\nsent\ndeadline none", || {
        Connection::<_, 4>::new([0; 160], [0; 160], config)
    });
}

/// The same with memory of a size.
fn verified<const N: usize>(config: Config, every: u32, size: usize, text: &str) {
    let config = Config { verify_every: NonZeroU32::new(every), ..config };
    everyway(&format!("start resp2\nready resp2\n{text}"), || {
        Connection::<_, N>::new(super::Fixed(vec![0; size]), super::Fixed(vec![0; 256]), config)
    });
}

#[test]
fn a_full_ring_is_verified_too() {
    let config = Config { verify_every: NonZeroU32::new(2), ..Config::default() };
    let mut connection = Connection::<_, 4>::new([0; 256], [0; 256], config);
    use respire_core::command::get;
    use respire_core::conn::{Protocol, Settings, SubmitError, Token};
    use respire_core::error::Full;
    use respire_core::time::Instant;
    connection.start(Instant::ZERO, &Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE }).unwrap();
    assert!(connection.poll_event().is_some());
    let (mut taken, mut numbers) = (0, 0);
    let mut owed = std::collections::VecDeque::new();
    for _ in 0..100 {
        // As a pipeline: as many as there is room for, and then the oldest answer.
        loop {
            match connection.submit(Instant::ZERO, Token(taken), &get("k")) {
                Ok(()) => taken += 1,
                Err(SubmitError::Full(Full::InFlight)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        let sent = connection.poll_transmit().to_vec();
        connection.handle_transmitted(sent.len());
        let text = String::from_utf8(sent).unwrap();
        for frame in text.split('*').skip(1) {
            let words: Vec<&str> = frame.split("\r\n").collect();
            let number = words[2] == "ECHO";
            numbers += u32::from(number);
            owed.push_back(if number {
                format!("${}\r\n{}\r\n", words[4].len(), words[4])
            } else {
                ":1\r\n".into()
            });
        }
        let answer = owed.pop_front().unwrap();
        connection.recv_space().unwrap()[..answer.len()].copy_from_slice(answer.as_bytes());
        connection.handle_received(answer.len());
        while connection.poll_event().is_some() {}
        assert!(!connection.is_closed());
    }
    assert!(numbers > 10, "{numbers} numbers among {taken} requests");
}

#[test]
fn a_number_that_was_not_sent_harms_nobody() {
    // As without numbers: `without_grace_the_first_that_is_late_ends_all`.
    let config = Config { grace: Duration::ZERO, ..Config::default() };
    verified::<6>(
        config,
        1,
        128,
        "submit 1 GET a\n@5s\ntimeout\nfailed 1 Expired\nquiet\nin-flight 0\nsubmit 2 GET b\n> GET b",
    );
}

#[test]
fn a_number_has_its_own_time() {
    let config = Config { grace: Duration::ZERO, ..Config::default() };
    verified::<6>(
        config,
        1,
        128,
        "until 2ms 1 GET a\nsent\n@1ms\n< :1\nreply 1 1\n@2ms\ntimeout\n< $2\\r\\n20\nin-flight 0",
    );
}

#[test]
fn nothing_goes_behind_quit() {
    verified::<6>(Config::default(), 1, 128, "submit 1 QUIT\n> QUIT\nquiet");
}

#[test]
fn an_open_transaction_is_not_verified() {
    // A user who may not say DISCARD: the server still queues.
    verified::<6>(
        Config::default(),
        3,
        256,
        r#"
        submit 1 MULTI
        > MULTI
        < +OK
        reply 1 "OK"
        submit 2 DISCARD
        > DISCARD
        < -NOPERM User u has no permissions to run the 'discard' command
        reply 2 ServerError(NOPERM User u has no permissions to run the 'discard' command)
        refused Misuse(SubscribeInMulti) 3 SUBSCRIBE c
        submit 3 GET a
        > GET a
        quiet
        "#,
    );
}

#[test]
fn no_two_numbers_are_the_same() {
    verified::<6>(
        Config::default(),
        1,
        256,
        "submit 1 GET aaaaaaaaaaaaaaaaaaaaaa\nabandon 1 NotSent\n> ECHO 42\nsubmit 2 GET a\n> GET a\n> ECHO 43",
    );
}

#[test]
fn of_one_slot_there_is_none_for_a_number() {
    verified::<1>(
        Config::default(),
        1,
        256,
        "submit 1 GET a\nsent\n< :1\nreply 1 1\nsubmit 2 GET b\n> GET b\nquiet",
    );
}

#[test]
fn who_may_have_to_log_in_first_is_not_asked_for_a_number() {
    verified::<6>(
        Config::default(),
        1,
        256,
        r#"
        submit 1 RESET
        > RESET
        < +RESET
        reply 1 "RESET"
        submit 2 GET a
        > GET a
        < -NOAUTH Authentication required.
        reply 2 ServerError(NOAUTH Authentication required.)
        submit 3 AUTH p
        > AUTH p
        < +OK
        reply 3 "OK"
        submit 4 GET a
        > GET a
        > ECHO 76
        "#,
    );
}
