//! Whom to tell of a weakness: text among the program's bytes, where `query-security-txt` and explorers find it.
//!
//! Whoever deploys this program puts their own URL, contacts and policy here first; these name nobody.

use solana_security_txt::security_txt;

security_txt! {
    name: "position-manager",
    project_url: "https://example.org/not-set",
    contacts: "other:not set by whoever deployed this program",
    policy: "Not set by whoever deployed this program",
    source_release: env!("CARGO_PKG_VERSION"),
    auditors: "None"
}

/// The text once more, since a linker that drops what nothing refers to drops the macro's.
#[used]
static KEPT: [u8; SECURITY_TXT.len()] = *SECURITY_TXT.as_bytes().first_chunk().unwrap();
