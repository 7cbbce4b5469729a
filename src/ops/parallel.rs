//! Decrypting many messages at once, while what was decrypted is encrypted anew.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::crypto::{CryptoError, Decryptor};
use crate::model::Plaintext;

/// How many messages are decrypted at once, where each is a gpg of its own; the one agent serves them in turn.
const AT_ONCE: usize = 3;

/// How many decrypted messages may wait: no more plaintext lies in memory than that.
const WAITING: usize = 4;

/// Hands each message's index and plaintext to `take`, in no order; stops at the first error of `take`.
pub fn decrypt<E>(
    decryptor: &dyn Decryptor,
    messages: &[&[u8]],
    mut take: impl FnMut(usize, Result<Plaintext, CryptoError>) -> Result<(), E>,
) -> Result<(), E> {
    if let [message] = messages {
        return take(0, decryptor.decrypt_message(message));
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(WAITING);
        for _ in 0..AT_ONCE.min(messages.len()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some(index) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < messages.len())
                {
                    // Nobody listens any more: an error ended it.
                    if send.send((index, decryptor.decrypt_message(messages[index]))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        // Taken by value, so that an early end closes the channel and with it the workers.
        receive.into_iter().try_for_each(|(index, text)| take(index, text))
    })
}
