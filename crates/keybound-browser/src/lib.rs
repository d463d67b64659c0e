//! keybound browser
