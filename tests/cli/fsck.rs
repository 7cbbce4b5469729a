//! `fsck`.
