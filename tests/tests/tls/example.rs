//! The example of TLS: beside the others, in `tests/tests/examples.rs`, there is no server for it.

use respire_tests::example::prints;

use crate::support::secure;

#[test]
fn what_it_prints_is_true() {
    let Some(server) = secure(&[]) else { return };
    let file = server.folder.path().join("ca.pem");
    let file = file.to_str().expect("a path in UTF-8");
    let hint = "its authority is not trusted here: name the file of the right one (Tls::ca_file, --cacert)";
    let lines = [&format!("not trusted by the system: {hint}"), "greeting: Some(\"hello\")"];
    prints("tls", &[&server.url(), file], &lines);
}
