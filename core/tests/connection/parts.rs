//! Aggregates larger than the receive buffer: told in parts, at every cut and through every window.

use super::chunks::{between, bulk, sized, value, windows};
use super::{everyway, samples};

#[test]
fn an_aggregate_is_its_start_its_values_and_its_end() {
    for (answer, told) in [
        ("*0", "array(0) end"),
        ("%0", "map(0) end"),
        (r"*2\r\n:1\r\n+two", r#"array(2) 1 "two" end"#),
        (r"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n_", r#"map(4) "a" 1 "b" nil end"#),
        (r"~3\r\n$-1\r\n*-1\r\n#f", "set(3) nil nil false end"),
        (r"*1\r\n*1\r\n*1\r\n*0", "array(1) array(1) array(1) array(0) end end end end"),
        (
            r"*3\r\n*1\r\n:1\r\n%1\r\n+k\r\n~0\r\n:2",
            r#"array(3) array(1) 1 end map(2) "k" set(0) end end 2 end"#,
        ),
        (r"*2\r\n-ERR no\r\n!6\r\nERR no", "array(2) ServerError(ERR no) ServerError(ERR no) end"),
        (r"*3\r\n,1.5\r\n(123\r\n=5\r\ntxt:x", r#"array(3) 1.5 123 "x" end"#),
        (r"*1\r\n$?\r\n;1\r\na\r\n;2\r\nbc\r\n;0", r#"array(1) "abc" end"#),
        (r"*?\r\n:1\r\n*?\r\n.\r\n.", "array(streamed) 1 array(streamed) end end"),
        (r"%?\r\n+k\r\n*1\r\n:1\r\n.", r#"map(streamed) "k" array(1) 1 end end"#),
        (r"*2\r\n|1\r\n+a\r\n*1\r\n:9\r\n:1\r\n|0\r\n$1\r\nx", r#"array(2) 1 "x" end"#),
        (r"|1\r\n+a\r\n$2\r\nxy\r\n*1\r\n|1\r\n%1\r\n:1\r\n:2\r\n$0\r\n\r\n*0", "array(1) array(0) end end"),
    ] {
        windows(&between(answer, &format!("parts 2 {told}")));
    }
}

#[test]
fn large_attributes_take_nothing_of_the_line_behind_them() {
    let large = format!(r"|1\r\n+k\r\n{}", bulk(150));
    for (line, told) in [
        ("+hello", "\"hello\""),
        ("-ERR no", "ServerError(ERR no)"),
        ("(12345", "12345"),
        (":12345", "12345"),
        (r"$5\r\nhello", "\"hello\""),
    ] {
        let answer = format!(r"*2\r\n{large}\r\n{line}\r\n:1");
        windows(&between(&answer, &format!("parts 2 array(2) {told} 1 end")));
    }
    let (text, long) = (value(70), format!(r"-{}", value(70)));
    let told = format!("parts 2 array(1) ServerError({text}) end");
    windows(&between(&format!(r"*1\r\n{large}\r\n{long}"), &told));
}

#[test]
fn values_of_any_length_go_through_any_window() {
    for len in [0, 1, 30, 33, 100, 200] {
        let text = value(len);
        let answer = format!(r"*5\r\n{}\r\n+{text}\r\n-{text}\r\n({text}\r\n!{len}\r\n{text}\r\n", bulk(len));
        let answer = answer.trim_end_matches(r"\r\n");
        let answer = if len == 0 { format!(r"{answer}\r\n") } else { answer.into() };
        let error = format!("ServerError({text})");
        let told = format!("parts 2 array(5) \"{text}\" \"{text}\" {error} {text} {error} end");
        windows(&between(&answer, &told));
    }
}

#[test]
fn many_values_go_through_a_small_window() {
    let wide = format!(r"*3000{}", r"\r\n:1".repeat(3000));
    let deep = format!(r"{}:1", r"*1\r\n".repeat(16));
    let wide_told = format!("parts 2 array(3000){} end", " 1".repeat(3000));
    let deep_told = format!("parts 2{} 1{}", " array(1)".repeat(16), " end".repeat(16));
    for size in [32, 96] {
        samples(&between(&wide, &wide_told), sized(size));
        everyway(&between(&deep, &deep_told), sized(size));
    }
}

#[test]
fn limits_end_the_telling_and_nothing_else() {
    let deep = format!(r"*2\r\n:1\r\n{}:1", r"*1\r\n".repeat(200));
    for size in [32, 64] {
        everyway(&between(&deep, "failed 2 TooDeep"), sized(size));
    }
}

#[test]
fn the_answer_to_hello_is_judged_whole() {
    let start = "start resp2\nready resp2\n";
    windows(&format!("{start}chunked 1 HELLO 3\nsent\n< %0\nreply 1 map(0)\nprotocol resp3"));
    windows(&format!(
        "{start}chunked 1 HELLO 4\nsent\n< -NOPROTO no\nreply 1 ServerError(NOPROTO no)\nprotocol resp2"
    ));
}

#[test]
fn a_push_inside_is_fatal() {
    let text = "start resp3\nsent\n< %0\nready resp3\nchunked 1 GET a\nsent\n< *2\\r\\n:1\\r\\n>1\\r\\n+p";
    everyway(&format!("{text}\nfailed 1 Unknown\nclosed Protocol(NestedPush)"), sized(64));
}
