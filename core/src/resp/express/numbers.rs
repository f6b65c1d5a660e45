//! Numbers read a word at a time are the numbers that the scanner reads.

use super::super::number::{self, Line};
use super::*;

extern crate std;
use std::{format, string::String, vec::Vec};

/// A line with this text, so many bytes of something else behind it.
fn line(tag: char, text: &str, behind: usize) -> Vec<u8> {
    format!("{tag}{text}\r\n{}", "x".repeat(behind)).into()
}

#[test]
fn integers_of_any_length_are_the_same_on_both_ways() {
    let digits = "9223372036854775808";
    let mut texts: Vec<String> = (0..=19).map(|len| digits[..len].into()).collect();
    texts.extend((1..=19).map(|len| format!("{:0len$}", 7)));
    texts.extend(["9223372036854775807", "99999999999999999999", "9999999999999999999"].map(String::from));
    for text in texts.clone() {
        // Something else at each place of it.
        for (at, bad) in (0..text.len()).flat_map(|at| "/:-\r\n\0~".chars().map(move |bad| (at, bad))) {
            let mut wrong = text.clone();
            wrong.replace_range(at..=at, bad.encode_utf8(&mut [0; 1]));
            texts.push(wrong);
        }
    }
    let mut right = 0;
    // Interpreted, a few of each.
    let (few, some) = if cfg!(miri) { (11, 4) } else { (1, 1) };
    let pairs =
        texts.iter().step_by(few).flat_map(|text| (0..9).step_by(some).map(move |behind| (text, behind)));
    for (text, behind) in pairs {
        let bytes = line(':', text, behind);
        let mut n = 0;
        let slow = match number::integer(&bytes[1..], &mut n) {
            Line::Whole(len) => Some((n, &bytes[1 + len..])),
            Line::Partial | Line::Bad => None,
        };
        let fast = integer(word(&bytes), &bytes);
        // A sign is left to others.
        if !text.starts_with('-') {
            assert_eq!(fast, slow, "{text:?} {behind}");
        }
        right += usize::from(fast.is_some());
    }
    assert!(right > if cfg!(miri) { 0 } else { 300 }, "{right}");
}

#[test]
fn lengths_of_any_length_are_the_same_on_both_ways() {
    for n in (0..=10_000).step_by(if cfg!(miri) { 997 } else { 1 }).chain([
        99_999,
        100_000,
        123_456_789,
        10_u64.pow(16) - 1,
    ]) {
        for behind in 0..4 {
            let bytes = line('$', &format!("{n}"), behind);
            let rest = &bytes[bytes.len() - behind..];
            assert_eq!(number(word(&bytes), &bytes), Some((n, rest)));
            assert_eq!(checked_number(word(&bytes), &bytes), Some((n, rest)));
            for bad in [line('$', &format!("0{n}"), behind), line('$', &format!("{n}x"), behind)] {
                assert_eq!(number(word(&bad), &bad), None);
            }
        }
    }
}
