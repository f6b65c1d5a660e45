//! Replies that do not fit: their request fails, and the next reply is right.

use super::{Fixed, everyway, fixed, samples};
use respire_core::conn::{Config, Connection};
use respire_core::resp::Limits;

fn sized(receive: usize) -> impl FnMut() -> Connection<Fixed, 8> {
    move || Connection::new(Fixed(vec![0; receive]), Fixed(vec![0; 256]), Config::default())
}

/// A request answered by `large`, between two that are answered as usual.
fn between(large: &str) -> String {
    format!(
        r#"
        start resp2
        ready resp2
        submit 1 GET a
        submit 2 GET b
        submit 3 GET c
        sent
        < $1\r\na
        reply 1 "a"
        < {large}
        failed 2 TooLarge
        < $1\r\nc
        reply 3 "c"
        in-flight 0
        "#
    )
}

fn bulk(len: usize) -> String {
    format!(r"${len}\r\n{}", "x".repeat(len))
}

#[test]
fn a_large_string_fails_alone_whatever_the_buffer() {
    for size in 64..=200 {
        everyway(&between(&bulk(300)), sized(size));
    }
}

#[test]
fn what_just_fits_is_a_reply() {
    for size in 64..=200 {
        let len = if size < 107 { size - 7 } else { size - 8 };
        // CRLF is written with four characters, and there is one more at the end.
        assert!(bulk(len).len() == size || size == 107, "the reply is as long as the buffer");
        let text = "x".repeat(len);
        let reply =
            format!("start resp2\nready resp2\nsubmit 1 GET a\nsent\n< {}\nreply 1 \"{text}\"", bulk(len));
        everyway(&reply, sized(size));
        everyway(&between(&bulk(len + 1)), sized(size));
    }
}

#[test]
fn every_kind_of_reply_can_be_too_large() {
    let line = "e".repeat(200);
    let array = format!(r"*100{}", r"\r\n:1".repeat(100));
    let deep = format!(r"{}{}", r"*1\r\n".repeat(10), bulk(150));
    let map = format!(r"%30{}", r"\r\n+k\r\n$3\r\nabc".repeat(30));
    let attributes = format!(r"|1\r\n+a\r\n{}\r\n+v", bulk(150));
    let stream = format!(r"$?\r\n{};0", r";5\r\nabcde\r\n".repeat(30));
    let streamed = format!(r"*?\r\n{}.", r"%?\r\n+k\r\n:1\r\n.\r\n".repeat(20));
    let error = format!("-ERR {line}");
    let verbatim = format!(r"=204\r\ntxt:{line}");
    for large in
        [&array, &deep, &map, &attributes, &stream, &streamed, &error, &verbatim, &format!("+{line}")]
    {
        for size in [64, 65, 100, 127, 128] {
            everyway(&between(large), sized(size));
        }
    }
}

#[test]
fn large_replies_are_skipped_in_constant_memory() {
    let wide = format!(r"*20000{}", r"\r\n:1".repeat(20_000));
    let deep = format!(r"{}:1", r"*1\r\n".repeat(20_000));
    for large in [bulk(100_000), wide, format!("-{}", "e".repeat(60_000))] {
        samples(&between(&large), fixed::<64, 256>);
        samples(&between(&large), fixed::<200, 256>);
    }
    let deep = between(&deep).replace("TooLarge", "TooDeep");
    samples(&deep, fixed::<64, 256>);
    samples(&deep, super::growing);
}

#[test]
fn nobody_is_told_of_an_abandoned_one() {
    let large = bulk(300);
    let text = format!(
        "start resp2\nready resp2\nsubmit 1 GET a\nsubmit 2 GET b\nsent\nabandon 1\n< {large}\nin-flight 1\n< :2\nreply 2 2"
    );
    everyway(&text, sized(64));
}

#[test]
fn a_large_push_is_gone_and_said_so() {
    let start = "start resp3\nsent\n< %0\nready resp3\nsubmit 1 GET a\nsent\n";
    let large = bulk(200);
    for push in [
        format!(r">3\r\n+message\r\n+c\r\n{large}"),
        format!(r"|1\r\n+a\r\n{large}\r\n>1\r\n+x"),
        format!(r">2\r\n+invalidate\r\n*1\r\n{large}"),
    ] {
        everyway(&format!("{start}< {push}\npush too large\nin-flight 1\n< :1\nreply 1 1"), sized(64));
        everyway(&format!("{start}< :1\nreply 1 1\n< {push}\npush too large\n< >0\npush push(0)"), sized(64));
    }
    let subscriber = r#"
        start resp2
        ready resp2
        submit 1 SUBSCRIBE c
        submit 2 PING
        sent
        < *3\r\n+subscribe\r\n+c\r\n:1
        push array(3) "subscribe" "c" 1
        reply 1 array(3) "subscribe" "c" 1
    "#;
    let message = format!(r"*3\r\n+message\r\n+c\r\n{large}");
    let rest = r#"< *2\r\n+pong\r\n$0\r\n"#;
    everyway(
        &format!("{subscriber}\n< {message}\npush too large\n{rest}\nreply 2 array(2) \"pong\" \"\""),
        sized(64),
    );
}

#[test]
fn a_large_line_of_monitor_is_no_answer() {
    let start = "start resp2\nready resp2\nsubmit 1 MONITOR\nsent\n< +OK\nreply 1 \"OK\"\n";
    let line = format!("+1339518083.107412 [0 127.0.0.1:60866] {}", "x".repeat(200));
    everyway(&format!("{start}< {line}\npush too large\n< +1.1 a\npush \"1.1 a\""), sized(64));
    everyway(
        &format!("{start}submit 2 PING\nsent\n< {line}\npush too large\n< +PONG\nreply 2 \"PONG\""),
        sized(64),
    );
}

/// A command with its arguments is one line, which may be as long as a string, until `RESET`.
#[test]
fn a_line_of_monitor_may_be_long() {
    let limited = |size| {
        let limits = Limits { line: 100, bulk: 300, ..Limits::SERVER };
        move || {
            let config = Config { limits, ..Config::default() };
            Connection::<_, 8>::new(Fixed(vec![0; size]), Fixed(vec![0; 256]), config)
        }
    };
    let start = "start resp2\nready resp2\nsubmit 1 MONITOR\nsent\n< +OK\nreply 1 \"OK\"\n";
    let line = format!("1.1 {}", "x".repeat(290));
    everyway(&format!("{start}< +{line}\npush \"{line}\"\n< +1.1 a\npush \"1.1 a\""), limited(512));
    everyway(&format!("{start}< +{line}\npush too large\n< +1.1 a\npush \"1.1 a\""), limited(64));
    let reset = "submit 2 RESET\nsent\n< +RESET\nreply 2 \"RESET\"\nsubmit 3 GET a\nsent\n";
    for start in
        [format!("{start}< +1.1 {}\n", "x".repeat(297)), format!("{start}{reset}< +{}\n", "x".repeat(101))]
    {
        let lost = if start.contains("RESET") { "failed 3 Unknown\n" } else { "" };
        everyway(&format!("{start}{lost}closed Protocol(LineTooLong)"), limited(512));
    }
}

#[test]
fn a_large_answer_still_has_its_effect() {
    let hello = format!(r"%1\r\n+modules\r\n{}", bulk(200));
    everyway(
        &format!(
            "start resp2\nready resp2\nsubmit 1 HELLO 3\nsent\n< {hello}\nfailed 1 TooLarge\nprotocol resp3"
        ),
        sized(64),
    );
}

#[test]
fn a_large_answer_to_nothing_ends_the_connection() {
    let large = bulk(200);
    everyway(&format!("start resp2\nready resp2\n< {large}\nclosed Unsolicited"), sized(64));
    everyway(
        &format!("start resp2\nready resp2\nsubmit 1 GET a\n< {large}\nfailed 1 NotSent\nclosed Unsolicited"),
        sized(64),
    );
}

#[test]
fn a_large_answer_that_breaks_off_is_unknown() {
    let text = format!(
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\n< {}\\\neof\nfailed 1 Unknown\nclosed Eof",
        bulk(200)
    );
    everyway(&text, sized(64));
    let broken = format!(
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\n< {}XX\nfailed 1 Unknown\nclosed Protocol(BadTerminator)",
        bulk(200)
    );
    everyway(&broken, sized(64));
}

#[test]
fn a_confirmation_that_does_not_fit_ends_the_connection() {
    // Nobody knows any more what is a message and what is an answer.
    let channel = "c".repeat(100);
    let text = format!("start resp2\nready resp2\nsubmit 1 SUBSCRIBE {channel}\nsubmit 2 GET a\nsent");
    let confirmed = format!(r"*3\r\n$9\r\nsubscribe\r\n$100\r\n{channel}\r\n:1");
    let end = "failed 1 Unknown\nfailed 2 Unknown\nclosed WindowTooSmall";
    everyway(&format!("{text}\n< {confirmed}\n{end}"), sized(64));
}

#[test]
fn a_window_smaller_than_a_header_says_so() {
    everyway(
        "start resp2\nready resp2\nsubmit 1 GET a\nsent\n< $100000000\nfailed 1 Unknown\nclosed WindowTooSmall",
        sized(8),
    );
    everyway("start resp2\nready resp2\nsubmit 1 GET a\nsent\n< $100000000\\r\\n\\\nin-flight 1", sized(64));
}

#[test]
fn a_hello_larger_than_the_window_still_shakes_hands() {
    let hello = r"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0";
    everyway(&format!("start resp3 db 1\nsent\n< {hello}\n< +OK\nready resp3"), sized(64));
    let echo = "x".repeat(100);
    everyway(
        &format!(
            "start name {echo}\nsent\n< -ERR unknown command `HELLO`, with args beginning with: `3`, `{echo}`\n> CLIENT SETNAME {echo}\n< +OK\nready resp2"
        ),
        || Connection::<_, 4>::new(Fixed(vec![0; 200]), Fixed(vec![0; 512]), Config::default()),
    );
}

#[test]
fn a_device_keeps_no_deep_replies() {
    let deep = |depth: usize| format!("submit 1 GET a\nsent\n< {}:1", r"*1\r\n".repeat(depth));
    let device = || Connection::<_, 4>::new([0; 256], [0; 256], Config::DEVICE);
    everyway(&format!("start resp2\nready resp2\n{}\nfailed 1 TooDeep", deep(17)), device);
    let value = format!("{}1", "array(1) ".repeat(16));
    everyway(&format!("start resp2\nready resp2\n{}\nreply 1 {value}", deep(16)), device);
}

#[test]
fn what_decides_the_handshake_must_fit() {
    let text = "x".repeat(200);
    for start in ["start resp3", "start resp2 library l 1"] {
        everyway(&format!("{start}\nsent\n< -ERR {text}\nclosed WindowTooSmall"), sized(100));
    }
    everyway(&format!("start resp3\n< {}\nclosed WindowTooSmall", bulk(200)), sized(64));
}
