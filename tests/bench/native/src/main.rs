//! Times decisions of keybound and of other crates, and the raw checks of their backends, in one process and in turns.
//!
//! `keybound-bench-native MATERIAL ROUNDS WARM_UP BATCH` reads what `tests/bench/verify-material.mjs` made, and writes to
//! stdout, as JSON, the microseconds that each kind of work took an operation in each round.

mod dpop_verifier;
mod huskarl;
mod keybound;
mod material;
mod now;
mod raw;

use std::{collections::BTreeMap, time::Duration};

use keybound_aws_lc::AwsLc;
use keybound_rustcrypto::RustCrypto;
use nix::time::{ClockId, clock_gettime};

use crate::{huskarl::Backend, keybound::Good, material::Material};

/// One operation: that with this index, of which each is done once.
type Work<'a> = Box<dyn FnMut(usize) + 'a>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().expect("the file with the material");
    let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok()).expect("ROUNDS WARM_UP BATCH");
    let (rounds, warm_up, batch) = (number(), number(), number());
    let material = Material::read(&file);
    material.count((rounds + warm_up) * batch);

    let mut kinds: Vec<(&str, Work<'_>)> = vec![
        ("p256_one", raw::p256::one(&material)),
        ("p256_two", raw::p256::two(&material)),
        ("p256_of_dpop_verifier", raw::p256_of_dpop_verifier::one(&material)),
        ("aws_lc_one", raw::aws_lc::one(&material)),
        ("aws_lc_two", raw::aws_lc::two(&material)),
        ("p256_warm", keybound::decides(&material, &material.warm, RustCrypto)),
        ("p256_key", keybound::decides(&material, &material.key, RustCrypto)),
        ("p256_cold", keybound::decides(&material, &material.cold, RustCrypto)),
        ("p256_of_dpop_verifier_warm", keybound::decides(&material, &material.warm, raw::P256OfDpopVerifier)),
        ("aws_lc_warm", keybound::decides(&material, &material.warm, AwsLc)),
        ("aws_lc_key", keybound::decides(&material, &material.key, AwsLc)),
        ("aws_lc_cold", keybound::decides(&material, &material.cold, AwsLc)),
        ("no_signature_warm", keybound::decides(&material, &material.warm, Good)),
        ("no_signature_key", keybound::decides(&material, &material.key, Good)),
        ("huskarl_p256", huskarl::decides(&material, &material.key, Backend::Default)),
        ("huskarl_p256_cold", huskarl::decides(&material, &material.cold, Backend::Default)),
        ("huskarl_aws_lc", huskarl::decides(&material, &material.key, Backend::AwsLc)),
        ("huskarl_aws_lc_cold", huskarl::decides(&material, &material.cold, Backend::AwsLc)),
        ("dpop_verifier", dpop_verifier::checks(&material, &material.warm)),
        ("dpop_verifier_cold", dpop_verifier::checks(&material, &material.cold)),
    ];

    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..rounds + warm_up {
        // Drift hits all alike, and none always finds what another has left in the processor's caches.
        shuffle(&mut kinds, &mut state);
        for (kind, work) in &mut kinds {
            let started = worked();
            for index in round * batch..(round + 1) * batch {
                work(index);
            }
            let took = (worked() - started).as_secs_f64() * 1e6 / batch as f64;
            if round >= warm_up {
                figures.entry(kind).or_default().push(took);
            }
        }
    }
    println!("{}", serde_json::to_string(&figures).expect("figures are JSON"));
}

fn shuffle<T>(items: &mut [T], state: &mut u64) {
    for last in (1..items.len()).rev() {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        items.swap(last, (*state % (last as u64 + 1)) as usize);
    }
}

/// How long this thread has worked. On a busy machine it waits for its turn most of the time.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock for each thread").into()
}
