//! keybound edge
