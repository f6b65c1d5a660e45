//! The seeds of the fuzz targets: every golden vector, and what no mutation of them soon becomes.

use crate::table::VECTORS;

/// The fuzz targets.
pub(crate) const TARGETS: [&str; 8] =
    ["frames", "chunks", "differential", "typed", "roundtrip", "encode", "stream_out", "session"];

/// The seeds of a target: names of files, and what is in them. Those of `session` are written by hand.
pub(crate) fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "roundtrip" => programs(),
        "encode" => requests(),
        "stream_out" => streams(),
        "session" => Vec::new(),
        _ => wire(),
    }
}

/// Bytes of a server.
fn wire() -> Vec<(String, Vec<u8>)> {
    let vectors = VECTORS.iter().map(|vector| (file_name(vector.name), vector.bytes.to_vec()));
    let more = PIECES.iter().map(|(name, bytes)| ((*name).into(), bytes.to_vec()));
    vectors.chain(more).chain(structures().map(|(name, bytes)| (name.into(), bytes))).collect()
}

/// A vector's name as that of a file.
pub(crate) fn file_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

#[rustfmt::skip]
const PIECES: &[(&str, &[u8])] = &[
    ("several", b"+OK\r\n:1\r\n$1\r\na\r\n>0\r\n*-1\r\n_\r\n"),
    ("chunks-between", b"$3\r\nabc\r\n>1\r\n+p\r\n=7\r\ntxt:def\r\n|1\r\n+a\r\n:1\r\n$?\r\n;2\r\ngh\r\n;1\r\ni\r\n;0\r\n:1\r\n$0\r\n\r\n"),
    ("pairs", b"*2\r\n*2\r\n+a\r\n:1\r\n*2\r\n+b\r\n:2\r\n"),
    ("scores", b"*4\r\n$1\r\na\r\n$3\r\n0.5\r\n$1\r\nb\r\n$3\r\n1.5\r\n"),
    ("scores-resp3", b"*2\r\n*2\r\n$1\r\na\r\n,0.5\r\n*2\r\n$1\r\nb\r\n,1.5\r\n"),
    ("map-of-numbers", b"%2\r\n:1\r\n,1.5\r\n$1\r\n2\r\n$3\r\n2.5\r\n"),
    ("map-of-sets", b"%2\r\n+a\r\n~2\r\n+x\r\n+y\r\n+b\r\n%1\r\n+z\r\n#t\r\n"),
    ("one-of-each", b"*12\r\n+s\r\n-E x\r\n:1\r\n$1\r\nb\r\n_\r\n#t\r\n,1.5\r\n(12\r\n!1\r\ne\r\n=5\r\ntxt:v\r\n%1\r\n:1\r\n:2\r\n~1\r\n*0\r\n"),
    ("four-streams", b"*?\r\n%?\r\n+k\r\n~?\r\n*?\r\n:1\r\n.\r\n.\r\n.\r\n.\r\n"),
    ("map-of-arrays-by-arrays", b"%2\r\n*2\r\n:1\r\n:2\r\n+v\r\n*0\r\n*1\r\n*1\r\n:1\r\n"),
    ("big-number-empty", b"(\r\n"),
    ("number-largest", b"(18446744073709551615\r\n"),
    ("number-too-large", b"$20\r\n18446744073709551616\r\n"),
    ("integer-zeros", b":+0000000000000000000000000000000000000007\r\n"),
    ("cut-short", b"*2\r\n$5\r\nhel"),
    ("bad-bare-cr", b"+a\rb\r\n"),
    ("bad-bare-lf", b"+a\nb\r\n"),
    ("bad-bulk-terminator", b"$3\r\nabcXX"),
    ("bad-chunk-terminator", b"$?\r\n;3\r\nabcX"),
    ("bad-count-wraps", b"%9223372036854775808\r\n"),
    ("bad-double", b",0x10\r\n"),
    ("bad-http", b"HTTP/1.1 400 Bad Request\r\n"),
    ("bad-length-2-32", b"$4294967299\r\nabc\r\n"),
    ("bad-length-2-64", b"$18446744073709551619\r\nabc\r\n"),
    ("bad-length-minus", b"*-2\r\n"),
    ("bad-length-plus", b"$+3\r\nabc\r\n"),
    ("bad-length-zeros", b"$03\r\nabc\r\n"),
    ("bad-integer", b":1x\r\n"),
    ("bad-integer-zeros", b":00000000000000000000000000000000000000000\r\n"),
    ("bad-boolean", b"#x\r\n"),
    ("bad-double-long", b",1.00000000000000000000000000000000000000000000000\r\n"),
    ("bad-null", b"_x\r\n"),
    ("bad-push-in-array", b"*2\r\n>1\r\n+a\r\n:1\r\n"),
    ("bad-stream-end", b"*1\r\n.\r\n"),
    ("bad-streamed-map", b"%?\r\n+a\r\n.\r\n"),
    ("bad-streams-too-deep", b"*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n"),
    ("bad-chunk-alone", b";1\r\na\r\n"),
    ("bad-verbatim", b"=5\r\ntxt-a\r\n"),
    ("bad-verbatim-short", b"=3\r\ntxt\r\n"),
    ("bad-behind-good", b"$5\r\nhello\r\n*2\r\n:1\r\n:x\r\n"),
];

/// Deeper, longer and wider than mutation makes them.
fn structures() -> [(&'static str, Vec<u8>); 15] {
    let nested =
        |header: &str, depth: usize, inner: &str| [header.repeat(depth), inner.into()].concat().into_bytes();
    let sized = |tag: char, len: usize| format!("{tag}{len}\r\n{}\r\n", "x".repeat(len)).into_bytes();
    [
        ("deep-59", nested("*1\r\n", 59, ":1\r\n")),
        ("deep-100", nested("*1\r\n", 100, ":1\r\n")),
        ("deep-130", nested("~1\r\n", 130, "_\r\n")),
        ("deep-arrays", nested("*1\r\n", 8200, ":1\r\n")),
        ("deep-pairs", nested("*2\r\n:1\r\n", 5000, "_\r\n")),
        ("deep-keys", [b"%1\r\n".repeat(5000), b":1\r\n".repeat(5001)].concat()),
        ("deep-attributes", [b"|1\r\n".repeat(4000), b":1\r\n".repeat(8001)].concat()),
        ("deep-in-streams", nested("*?\r\n%?\r\n+k\r\n~?\r\n*?\r\n*1\r\n", 1, &nested_end())),
        ("deep-cut-short", nested("*1\r\n", 8200, "")),
        ("bulk-40000", sized('$', 40_000)),
        (
            "verbatim-40000",
            sized('=', 40_000).iter().map(|&byte| if byte == b'x' { b':' } else { byte }).collect(),
        ),
        ("line-longest", ["+", &"x".repeat(1 << 16), "\r\n"].concat().into_bytes()),
        ("line-too-long", ["+", &"x".repeat((1 << 16) + 1), "\r\n"].concat().into_bytes()),
        ("wide-array", [b"*9000\r\n".to_vec(), b":1\r\n".repeat(9000)].concat()),
        ("pipeline", b"+OK\r\n$3\r\nabc\r\n_\r\n".repeat(1000)),
    ]
}

fn nested_end() -> String {
    [&"*1\r\n".repeat(7000), ":1\r\n", &".\r\n".repeat(4)].concat()
}

/// Programs that write values; see the instructions of the grammar.
fn programs() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let mut add = |name: &str, at: usize, program: Vec<u8>| seeds.push((format!("{name}-{at:02}"), program));
    add("nothing", 0, vec![]);
    for kind in 0..10 {
        let spellings = (0..32).flat_map(|dice| [kind, 4, dice, b'a', b'b', b'c']);
        add("leaf", kind.into(), [0].into_iter().chain(spellings).collect());
        for more in 0..5 {
            let (at, edge) = (usize::from(10 * more + kind), [11, kind, more]);
            add("edge", at, [&[0][..], &edge, &[21]].concat());
            add("small", at, [&[2, 10][..], &edge, &[12, 0, 2], &edge].concat());
        }
    }
    for kind in 0..4 {
        add(
            "aggregate",
            kind.into(),
            vec![0, 12, kind, 3, 21, 12, kind, 2, 4, 1, 7, 18, 12, kind, 0, 13, kind, 21],
        );
        add(
            "stream",
            kind.into(),
            vec![0, 13, kind, 21, 16, 1, 13, kind, 21, 17, 0, 0, 18, 13, kind, 17, 21],
        );
        for count in 5..8 {
            add("elements", usize::from(10 * count + kind), vec![3, 6, 15, kind, 0, count, 3, 16, count / 2]);
        }
        add("wide", kind.into(), [[0].as_slice(), &[15, kind, 0x27, 0x10, 3]].concat());
    }
    for how in 0..8 {
        for (at, depth) in [3, 127, 129, 8200].into_iter().enumerate() {
            let [high, low] = u16::to_be_bytes(depth);
            let more = [4, 3, b'k', b'e', b'y', 18, 13, 1, 14, how, 0, 5];
            add("nest", usize::from(how) * 10 + at, [&[0, 14, how, high, low][..], &more].concat());
        }
    }
    for kind in [1, 4, 7, 9] {
        add("long", kind.into(), vec![0, 12, 0, 2, 10, kind, 0x90, 0, b'x', 10, kind, 0, 255, 7]);
    }
    for how in 0..8 {
        add("limit", how.into(), vec![1, how, 14, how, 0, how, 16, 1, 14, how, 0, 1, 4, 1, b'x', 18, 21]);
        add("limit", 10 + usize::from(how), vec![1, 11, 13, how, 15, how, 0, 40, 3, 13, 192 + how, 21]);
        add("limit", 20 + usize::from(how), vec![1, 2, 14, how, 0, 2, 13, 192 + how, 21]);
    }
    for depth in 0..12 {
        let nest = |how, levels| [14, how, 0, levels, 18];
        add("depth", depth.into(), [&[1, depth][..], &nest(0, depth), &nest(1, depth + 1)].concat());
    }
    for (at, count) in (98..103).chain(198..203).enumerate() {
        add("total", at, vec![1, 11, 15, 0, 0, count, 3, 13, 2, 15, 1, 0, count, 3]);
        add("total", 10 + at, vec![1, 11, 15, 1, 0, count, 3, 16, 3, 18, 13, 0, 15, 0, 0, count - 1, 3]);
    }
    for (at, fill) in [63, 71].into_iter().enumerate() {
        add("chunk", at, vec![2, 50, 12, 0, 2, 10, 4, 0, 200, fill, 21]);
    }
    add("streams", 0, vec![0, 13, 0, 13, 2, 13, 1, 4, 1, b'k', 13, 0, 13, 0, 21]);
    add("attributes", 0, vec![0, 16, 2, 21, 16, 0, 21, 12, 1, 1, 16, 3, 21, 17, 12, 3, 2, 16, 1, 17, 16, 1]);
    seeds
}

/// Requests: whether memory grows, how much there is, how many arguments, the arguments.
fn requests() -> Vec<(String, Vec<u8>)> {
    let mut seeds = vec![
        ("nothing".into(), vec![]),
        ("set".into(), b"\x00\x10\x03\x00\x03SET\x00\x01k\x0a\x05value".to_vec()),
        ("secret".into(), b"\x01\x10\x02\x0a\x04AUTH\x02\x08password".to_vec()),
        ("numbers".into(), b"\x00\x30\x06\x03\x08\x80\0\0\0\0\0\0\0\x04\x08\xff\xff\xff\xff\xff\xff\xff\xff\x05\x08\x3f\xb9\x99\x99\x99\x99\x99\x9a\x06\x0c\x05\x08\x7f\xf0\0\0\0\0\0\0\x05\x08\x7f\xf8\0\0\0\0\0\x01".to_vec()),
        ("later".into(), b"\x00\x10\x04\x0a\x03SET\x0a\x01k\x08\x02\x01\x00\x00\x0a\x02EX\x11\x22\x33\x44\x55".to_vec()),
        ("later-first".into(), b"\x00\x10\x02\x08\x01\x05\x00\x0a\x01k".to_vec()),
        ("later-twice".into(), b"\x00\x10\x04\x0a\x03SET\x0a\x01k\x08\x01\x05\x00\x08\x01\x05\x00".to_vec()),
        ("later-huge".into(), b"\x00\x10\x03\x0a\x03SET\x0a\x01k\x08\x08\xff\xff\xff\xff\xff\xff\xff\xff\x00".to_vec()),
        ("large".into(), b"\x01\xff\x03\x0a\x03SET\x0a\x01k\x07\x02\x00\x10\x20\x30".to_vec()),
    ];
    let doubles = [0.0, -0.0, 1e-5, 9e-6, 5e-324, 9e15, 1e16, -1e16, f64::MAX, 1.0 / 3.0];
    let words =
        doubles.iter().flat_map(|double: &f64| [&[5, 8][..], &double.to_bits().to_be_bytes()].concat());
    seeds.push(("doubles".into(), [0, 99, 10].into_iter().chain(words).collect()));
    seeds.extend((8..12).map(|n| (format!("count-{n}"), [0, 255, 1, 9, n].to_vec())));
    seeds.extend((98..102).map(|n| (format!("count-{n}"), [1, 255, 1, 9, n, 255, 1, 2].to_vec())));
    seeds.extend((1..16).map(|n| (format!("chance-{n:02}"), chance(n, 40 * n as usize))));
    seeds
}

/// Requests whose values are supplied later: whether memory grows, how much there is, how many requests,
/// name, tail and value of each, and the steps.
fn streams() -> Vec<(String, Vec<u8>)> {
    let mut seeds = vec![("nothing".into(), vec![])];
    for (at, len) in [0, 1, 30, 1000, 65_535_u16].into_iter().enumerate() {
        let [high, low] = len.to_be_bytes();
        for tail in [0, 20] {
            let wish = [3, tail, 4, high, low];
            let steps: Vec<u8> = [0, 1, 3, 5, 0, 15, 66, 255].into_iter().cycle().take(120).collect();
            for grows in 0..2 {
                let name = format!("value-{at}-{tail}-{grows}");
                seeds.push((name, [&[grows, 40, 1][..], &wish, &wish, &steps].concat()));
            }
        }
    }
    seeds.push(("tail-fills-the-buffer".into(), vec![0, 62, 0, 9, 89, 0, 1, 0, 0, 255, 3, 255, 3, 6]));
    seeds.push(("too-large".into(), vec![0, 0, 1, 39, 89, 0, 0, 9, 1, 1, 0, 0, 9, 0, 0, 6, 255]));
    seeds.extend((1..16).map(|n| (format!("chance-{n:02}"), chance(n, 60 * n as usize))));
    seeds
}

/// Bytes by chance, the same each time.
fn chance(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
