//! From lines to steps.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Start, Step, Until};
use crate::conn::{Protocol, Tracking, TrackingMode};
use crate::time::Instant;

type Fault = &'static str;

/// Reads one line that is not empty.
pub(super) fn step(line: &str) -> Result<Step, Fault> {
    if let Some(time) = line.strip_prefix('@') {
        return instant(time).map(Step::Time);
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start();
    let alone = |step| if rest.is_empty() { Ok(step) } else { Err("a verb that takes no words") };
    match verb {
        "start" => start(rest).map(Step::Start),
        "submit" | "chunked" => {
            let (token, words) = request(rest)?;
            Ok(Step::Submit { token, words, until: Until::Configured, chunked: verb == "chunked" })
        }
        "until" => {
            let (until, rest) = rest.split_once(' ').ok_or("a time without a request")?;
            let (token, words) = request(rest)?;
            Ok(Step::Submit { token, words, until: Until::Own(perhaps(until, "never")?), chunked: false })
        }
        "refused" => {
            let (error, rest) = rest.split_once(' ').ok_or("an error without a request")?;
            let (token, words) = request(rest)?;
            Ok(Step::Refused { token, words, error: error.into() })
        }
        "abandon" => {
            let (token, known) =
                rest.split_once(' ').map_or((rest, None), |(token, known)| (token, Some(known)));
            Ok(Step::Abandon(number(token)?, known.map(Into::into)))
        }
        "close" => alone(Step::Close),
        ">" if rest.starts_with('*') => bytes(rest).map(Step::Transmit),
        ">" => words(rest).map(|words| Step::Transmit(frame(&words))),
        "sent" if rest.is_empty() => Ok(Step::Sent(None)),
        "sent" => number(rest).map(|n| Step::Sent(Some(n))),
        "<" => bytes(rest).map(Step::Receive),
        "eof" => alone(Step::Eof),
        "error" => alone(Step::Error),
        "timeout" => alone(Step::Timeout),
        "ready" | "reply" | "parts" | "push" | "failed" | "closed" => Ok(Step::Event(line.into())),
        "deadline" => perhaps(rest, "none").map(Step::Deadline),
        "in-flight" => number(rest).map(Step::InFlight),
        _ => ["protocol resp2", "protocol resp3", "subscribed", "unsubscribed", "quiet"]
            .into_iter()
            .find(|&state| state == line)
            .map(Step::State)
            .ok_or("no verb of the dialect"),
    }
}

/// Token and words.
fn request(rest: &str) -> Result<(u64, Vec<Vec<u8>>), Fault> {
    let (token, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Ok((number(token)?, words(rest)?))
}

fn start(rest: &str) -> Result<Start, Fault> {
    let mut start = Start::default();
    let mut words = words(rest)?.into_iter().map(|word| String::from_utf8(word).map_err(|_| "not UTF-8"));
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or(Err("a setting without a value"));
        match word?.as_str() {
            "resp2" => start.protocol = Some(Protocol::Resp2),
            "resp3" => start.protocol = Some(Protocol::Resp3),
            "user" => start.user = Some(value()?),
            "password" => start.password = Some(value()?),
            "name" => start.name = Some(value()?),
            "db" => start.db = number(&value()?)?,
            "library" => start.library = Some((value()?, value()?)),
            "no-evict" => start.no_evict = true,
            "no-touch" => start.no_touch = true,
            "nonce" => start.nonce = Some(number(&value()?)?),
            "tracking" => {
                let mode = match value()?.as_str() {
                    "read" => TrackingMode::Read,
                    "optin" => TrackingMode::OptIn,
                    "optout" => TrackingMode::OptOut,
                    "bcast" => TrackingMode::Broadcast,
                    _ => return Err("no way of tracking"),
                };
                start.tracking = Some(Tracking { mode, no_loop: false });
            }
            "noloop" => {
                let tracking = start.tracking.as_mut().ok_or("noloop without tracking")?;
                tracking.no_loop = true;
            }
            _ => return Err("no such setting"),
        }
    }
    Ok(start)
}

fn number<T: core::str::FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| "not a number")
}

fn perhaps(text: &str, never: &str) -> Result<Option<Instant>, Fault> {
    if text == never { Ok(None) } else { instant(text).map(Some) }
}

fn instant(text: &str) -> Result<Instant, Fault> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.get(digits.len()..) {
        Some("us") => 1,
        Some("ms") => 1000,
        Some("s") => 1_000_000,
        _ => return Err("a time without us, ms or s"),
    };
    Ok(Instant::from_micros(number::<u64>(digits)?.saturating_mul(factor)))
}

/// The bytes behind `<`, with CRLF at the end unless a single backslash is there.
fn bytes(rest: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.as_str().is_empty() {
            return Ok(bytes);
        }
        push(&mut bytes, c, &mut chars)?;
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(bytes)
}

/// Words between blanks, or in quotes.
fn words(rest: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let mut words = Vec::new();
    let mut chars = rest.chars();
    while let Some(first) = chars.find(|c| *c != ' ') {
        let mut word = Vec::new();
        let end = if first == '"' { '"' } else { ' ' };
        if first != '"' {
            push(&mut word, first, &mut chars)?;
        }
        loop {
            match chars.next() {
                Some(c) if c == end => break,
                Some(c) => push(&mut word, c, &mut chars)?,
                None if end == '"' => return Err("a quote without its end"),
                None => break,
            }
        }
        words.push(word);
    }
    Ok(words)
}

/// Appends one character, or the byte that an escape stands for.
fn push(bytes: &mut Vec<u8>, c: char, rest: &mut core::str::Chars<'_>) -> Result<(), Fault> {
    if c != '\\' {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(());
    }
    bytes.push(match rest.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('"') => b'"',
        Some('x') => {
            let digits = rest.as_str().get(..2).ok_or("an escape without its digits")?;
            *rest = rest.as_str().get(2..).unwrap_or_default().chars();
            u8::from_str_radix(digits, 16).map_err(|_| "an escape without its digits")?
        }
        _ => return Err("no such escape"),
    });
    Ok(())
}

/// Words as a server receives them.
fn frame(words: &[Vec<u8>]) -> Vec<u8> {
    let mut frame = Vec::new();
    let header = |frame: &mut Vec<u8>, tag: u8, n: usize| {
        frame.push(tag);
        frame.extend_from_slice(n.to_string().as_bytes());
        frame.extend_from_slice(b"\r\n");
    };
    header(&mut frame, b'*', words.len());
    for word in words {
        header(&mut frame, b'$', word.len());
        frame.extend_from_slice(word);
        frame.extend_from_slice(b"\r\n");
    }
    frame
}
