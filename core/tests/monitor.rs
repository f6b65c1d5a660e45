//! Lines of `MONITOR`: those that servers write, those that nobody does, and every byte there and back.

use respire_core::command::{MonitorLine, Origin};

/// The arguments of a line.
fn args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    Some(MonitorLine::parse(line)?.args().map(|arg| arg.bytes().collect()).collect())
}

/// As a server quotes it: `sdscatrepr`.
fn quote(bytes: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            b'\r' => quoted.extend(b"\\r"),
            b'\t' => quoted.extend(b"\\t"),
            7 => quoted.extend(b"\\a"),
            8 => quoted.extend(b"\\b"),
            b' '..=b'~' => quoted.push(byte),
            _ => quoted.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

#[test]
fn who_and_when() {
    let origin = |line: &'static [u8]| {
        let line = MonitorLine::parse(line).expect("a line");
        (line.seconds, line.micros, line.db, line.origin)
    };
    let of = |origin| (1_339_518_083, 7, 15, origin);
    let cases: [(&[u8], _); 6] = [
        (br#"1339518083.000007 [15 127.0.0.1:60866] "ping""#, Origin::Address(b"127.0.0.1:60866")),
        (br#"1339518083.000007 [15 [::1]:60866] "ping""#, Origin::Address(b"[::1]:60866")),
        (br#"1339518083.000007 [15 unix:/run/redis.sock] "ping""#, Origin::Unix(b"/run/redis.sock")),
        (br#"1339518083.000007 [15 unix:/a b]c/[d] "ping""#, Origin::Unix(b"/a b]c/[d")),
        (br#"1339518083.000007 [15 lua] "ping""#, Origin::Script),
        (br#"1339518083.000007 [15 ] "ping""#, Origin::Address(b"")),
    ];
    for (line, expected) in cases {
        assert_eq!(origin(line), of(expected));
    }
    let line = MonitorLine::parse(cases[0].0).expect("a line");
    assert_eq!(format!("{line:?}"), r#"1339518083.000007 [15 127.0.0.1:60866] ["ping"]"#);
}

#[test]
fn every_byte_comes_back() {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let words: [&[u8]; 5] = [b"set", b"", &all, b"a\" \"b\\", b"] \""];
    let mut line = b"1.000000 [0 x:1] ".to_vec();
    line.extend(words.map(quote).join(&b' '));
    assert_eq!(args(&line), Some(words.map(<[u8]>::to_vec).to_vec()));
    let parsed = MonitorLine::parse(&line).expect("a line");
    for (arg, word) in parsed.args().zip(words) {
        let quoted = quote(word);
        assert_eq!(arg.quoted(), &quoted[1..quoted.len() - 1]);
        let (least, most) = arg.bytes().size_hint();
        assert!((least..=most.unwrap_or(0)).contains(&word.len()));
    }
}

#[test]
fn what_is_no_line() {
    let cases: [&[u8]; 20] = [
        b"",
        b"OK",
        b"1339518083",
        b".000000 [0 x] \"a\"",
        b"1.00000 [0 x] \"a\"",
        b"1.0000000 [0 x] \"a\"",
        b"1.000000 [x] \"a\"",
        b"1.000000 [0x] \"a\"",
        b"1.000000 [0 x]",
        b"1.000000 [0 x] ",
        b"1.000000 [0 x] a",
        b"1.000000 [0 x] \"a",
        b"1.000000 [0 x] \"a\" ",
        b"1.000000 [0 x] \"a\"  \"b\"",
        b"1.000000 [0 x] \"a\"b",
        b"1.000000 [0 x] \"\\z\"",
        b"1.000000 [0 x] \"\\x0\"",
        b"1.000000 [0 x] \"\\xg0\"",
        b"1.000000 [4294967296 x] \"a\"",
        b"18446744073709551616.000000 [0 x] \"a\"",
    ];
    for line in cases {
        assert_eq!(args(line), None, "{}", line.escape_ascii());
    }
}

/// What is cut off anywhere is no line, or is a shorter one; nothing panics at any change of any byte.
#[test]
fn cut_and_changed() {
    let line = br#"1339518083.107412 [0 127.0.0.1:60866] "set" "k\x00\"\\" "v\n""#;
    let whole = args(line).expect("a line");
    assert_eq!(whole, [b"set".as_slice(), b"k\0\"\\", b"v\n"]);
    for end in 0..line.len() {
        if let Some(args) = args(&line[..end]) {
            assert!(whole.starts_with(&args), "{end}");
        }
    }
    let bytes: &[u8] = if cfg!(miri) { b"\"\\] \0" } else { b"\"\\] \0x9[.:\n\xff" };
    for at in 0..line.len() {
        for &byte in bytes {
            let mut changed = line.to_vec();
            changed[at] = byte;
            _ = args(&changed);
        }
    }
}
