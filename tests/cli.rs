//! Tests of the program as a user or a script meets it: one binary, one file per subject.
//!
//! They need pass, tree, gpg, git, setsid(1), qrencode, Xvfb, xclip and apt-get on the machine. What is
//! missing fails a test; nothing is skipped.

mod common;

mod cli {
    mod adopt;
    mod audit;
    mod bad_input;
    mod cache;
    mod client;
    mod clone;
    mod completion;
    mod concurrency;
    mod conflicts;
    mod copies;
    mod doctor;
    mod extension;
    mod fsck;
    mod git;
    mod grep;
    mod group;
    mod guard;
    mod history;
    mod hostile;
    mod keys;
    mod killed;
    mod manual;
    mod merge_driver;
    mod recipients;
    mod recovery;
    mod rotate;
    mod side_by_side;
    mod sync;
    mod trust;
    mod turn_by_turn;
    mod upstream;
    mod wording;
}
