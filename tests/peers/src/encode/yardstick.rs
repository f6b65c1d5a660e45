//! Floors: a copy of bytes that were encoded before, and an encoder written by hand.

use std::hint::black_box;

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};

/// The yardsticks of a workload.
pub(crate) fn cases(workload: &Workload, times: usize) -> Vec<Case> {
    let frame = workload.frame.clone();
    let mut copy = Vec::with_capacity(frame.len());
    let copied = Case::new("copy", Kind::Yardstick, frame.len() as f64, move || {
        for _ in 0..times {
            copy.clear();
            copy.extend_from_slice(black_box(&frame));
            black_box(&copy);
        }
    });
    let command = workload.command;
    let mut out = Vec::new();
    write(command, &mut out);
    workload.check("by hand", &out);
    let by_hand = Case::new("by hand", Kind::Yardstick, workload.payload as f64, move || {
        for _ in 0..times {
            out.clear();
            write(black_box(command), &mut out);
            black_box(&out);
        }
    });
    vec![copied, by_hand]
}

/// As somebody writes it who needs these six commands and no others.
#[inline(always)]
fn write(command: Command, out: &mut Vec<u8>) {
    match command {
        Command::Ping => out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
        Command::Get(key) => {
            out.extend_from_slice(b"*2\r\n$3\r\nGET\r\n");
            bulk(out, key);
        }
        Command::Set(key, value) => {
            out.extend_from_slice(b"*3\r\n$3\r\nSET\r\n");
            bulk(out, key);
            bulk(out, value);
        }
        Command::MSet(pairs) => {
            number(out, b'*', 1 + 2 * pairs.len());
            out.extend_from_slice(b"$4\r\nMSET\r\n");
            for (key, value) in pairs {
                bulk(out, key);
                bulk(out, value);
            }
        }
        Command::MGet(keys) => {
            number(out, b'*', 1 + keys.len());
            out.extend_from_slice(b"$4\r\nMGET\r\n");
            keys.iter().for_each(|key| bulk(out, key));
        }
        Command::XAdd(key, fields) => {
            number(out, b'*', 3 + 2 * fields.len());
            out.extend_from_slice(b"$4\r\nXADD\r\n");
            bulk(out, key);
            out.extend_from_slice(b"$1\r\n*\r\n");
            for (field, value) in fields {
                bulk(out, field);
                bulk(out, value);
            }
        }
    }
}

#[inline]
fn bulk(out: &mut Vec<u8>, text: &str) {
    number(out, b'$', text.len());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Tag, decimal digits, line end.
#[inline]
fn number(out: &mut Vec<u8>, tag: u8, n: usize) {
    if n < 10 {
        out.extend_from_slice(&[tag, b'0' + n as u8, b'\r', b'\n']);
        return;
    }
    let mut line = [0; 24];
    let mut at = line.len() - 2;
    line[at] = b'\r';
    line[at + 1] = b'\n';
    let mut left = n;
    while left > 0 {
        at -= 1;
        line[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    at -= 1;
    line[at] = tag;
    out.extend_from_slice(&line[at..]);
}
