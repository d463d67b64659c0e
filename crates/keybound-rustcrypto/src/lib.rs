//! keybound rustcrypto
