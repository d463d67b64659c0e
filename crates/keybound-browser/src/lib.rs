#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
// The npm module does without: its allocator and panic handler are in `npm::runtime`.
#[cfg(not(all(feature = "npm", target_family = "wasm")))]
extern crate std;

#[cfg(feature = "npm")]
mod npm;
#[cfg(all(feature = "web", not(all(feature = "npm", target_family = "wasm"))))]
mod platform;
#[cfg(all(feature = "web", not(all(feature = "npm", target_family = "wasm"))))]
mod web;

#[cfg(all(feature = "web", not(all(feature = "npm", target_family = "wasm"))))]
pub use web::{BoundToken, Client, DpopKey, Error, Event, KeySource, Keyring, NoToken, Proof, Storage, TokenSource};
