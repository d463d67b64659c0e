//! keybound webcrypto
