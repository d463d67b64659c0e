//! Clock, timers and randomness of the global object: windows, workers, Node and workerd have them there.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(octets: &mut [u8]);

    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(run: &JsValue, milliseconds: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timeout(id: &JsValue);
}

/// Fresh octets for a `jti` (RFC 9449 §4.2).
pub(crate) fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    get_random_values(&mut octets);
    octets
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    date_now() / 1000.0
}
