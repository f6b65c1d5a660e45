//! Errors of servers: any text has a kind, and a redirection says what was written.

use proptest::prelude::*;
use respire_core::error::{ErrorKind, ServerError};

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        any::<[u8; 4]>().prop_map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
        any::<[u8; 16]>().prop_map(|ip| std::net::Ipv6Addr::from(ip).to_string()),
        "[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?",
    ]
}

/// Texts that are redirections more often than chance has it.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "MOVED",
            "ASK",
            "REDIRECT",
            "ERR",
            " ",
            " ",
            ":",
            "[",
            "]",
            "0",
            "16383",
            "16384",
            "65535",
            "65536",
            "h",
            "::1",
            "127.0.0.1",
            "?",
            "-",
        ])
        .prop_map(|part| part.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn redirections_are_read_as_they_were_written(slot in 0..16384u16, host in host(), port: u16, brackets: bool) {
        let host = host.as_str();
        let place = if brackets && host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let text = format!("MOVED {slot} {place}");
        prop_assert_eq!(ServerError::new(text.as_bytes()).kind(), ErrorKind::Moved { slot, host, port });
        let text = format!("ASK {slot} {place}");
        prop_assert_eq!(ServerError::new(text.as_bytes()).kind(), ErrorKind::Ask { slot, host, port });
        let text = format!("REDIRECT {place}");
        prop_assert_eq!(ServerError::new(text.as_bytes()).kind(), ErrorKind::Redirect { host, port });
    }

    #[test]
    fn any_text_has_a_kind_with_its_code(text in prop_oneof![almost(), prop::collection::vec(any::<u8>(), 0..40)]) {
        let error = ServerError::new(&text);
        let kind = error.kind();
        prop_assert_eq!(kind.code(), error.code());
        // What was taken for a redirection is one, to the last byte.
        let written = |slot: Option<u16>, host: &str, port: u16| {
            let slot = slot.map(|slot| format!(" {slot}")).unwrap_or_default();
            let code = String::from_utf8_lossy(error.code()).into_owned();
            [format!("{code}{slot} {host}:{port}"), format!("{code}{slot} [{host}]:{port}")]
        };
        let spellings = match kind {
            ErrorKind::Moved { slot, host, port } | ErrorKind::Ask { slot, host, port } => {
                prop_assert!(slot < 16384);
                written(Some(slot), host, port)
            }
            ErrorKind::Redirect { host, port } => written(None, host, port),
            _ => return Ok(()),
        };
        prop_assert!(spellings.iter().any(|spelling| spelling.as_bytes() == text), "{:?} {:?}", kind, spellings);
    }
}
