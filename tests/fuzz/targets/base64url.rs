//! base64url: what is read is what would be written, and nothing else is read.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keybound_core::base64url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let written = base64url::encode(data);
    assert_eq!(written, URL_SAFE_NO_PAD.encode(data));
    assert_eq!(base64url::decode(&written).as_deref(), Ok(data));

    let Ok(text) = core::str::from_utf8(data) else { return };
    let read = base64url::decode(text).ok();
    assert_eq!(read, URL_SAFE_NO_PAD.decode(text).ok());
    if let Some(octets) = read {
        assert_eq!(base64url::encode(&octets), text);
    }
});
