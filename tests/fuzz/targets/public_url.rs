//! The target URI behind a proxy: nothing in a request's own URL reaches the origin or the prefix that
//! were configured. The input is the configured URL and the request's, a line each.
#![no_main]

use keybound_core::target_uri::TargetUri;
use keybound_edge::PublicUrl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let (configured, requested) = text.split_once('\n').unwrap_or(("https://api.example/v1", text));
    let Some(public) = PublicUrl::new(configured) else { return };
    let base = TargetUri::parse(configured).expect("what is configured is a target");
    assert!(base.is_https() || base.is_loopback());
    let target = public.target_of(requested);
    assert_eq!(public.target_of(&target), target, "the prefix is put before once");
    if let Ok(target) = TargetUri::parse(&target) {
        assert_eq!(target.origin(), base.origin());
        let prefix = base.path().strip_suffix('/').unwrap_or(base.path());
        let rest = target.path().strip_prefix(prefix).expect("the prefix stands first");
        assert!(rest.is_empty() || rest.starts_with('/'));
    }
});
