//! The client for Rust applications in the browser, over the same state machine as the npm package.

mod body;
mod client;
mod error;
mod event;
mod key;
mod keys;
mod request;
mod servers;
mod store;
mod token;
mod waiting;

pub use client::Client;
pub use error::Error;
pub use event::Event;
pub use key::{DpopKey, Proof, Storage};
pub use keys::{KeySource, Keyring};
pub use token::{BoundToken, NoToken, TokenSource};
