//! The client for Rust applications in the browser, over the same state machine as the npm package.

mod client;
mod error;
mod key;
mod request;
mod store;

pub use client::{BoundToken, Client, NoToken, TokenSource};
pub use error::Error;
pub use key::{DpopKey, Proof, Storage};
