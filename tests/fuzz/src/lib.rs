//! What the targets share: requests as scripts, keys that really sign, and what must hold of a decision.
//!
//! A fuzzer that changes octets of a signed proof never gets past its signature. So the targets of
//! the decision read a [`script`]: lines that change parts of a good request, which is then signed.

pub mod asynchronous;
pub mod endpoint;
pub mod interleaved;
pub mod invariants;
pub mod policy;
pub mod resource;
pub mod script;
pub mod world;
