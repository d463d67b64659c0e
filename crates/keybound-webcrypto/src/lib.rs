#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

mod algorithm;
mod key_pair;
mod subtle;
mod verify;

pub use key_pair::{KeyPair, KeyPairError};
pub use verify::{ImportedKey, VerifyError, WebCrypto};
