//! Use cases: one a file, the steps told in order.
