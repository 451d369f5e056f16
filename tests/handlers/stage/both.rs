//! Two invocations at once, call by call.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// An invocation whose result was looked at inside.
pub type Invocation<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lets a future go on to its next call.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// How many calls an invocation makes alone.
pub fn length(mut one: Invocation<'_>) -> usize {
    let mut calls = 0;
    while poll(one.as_mut()).is_none() {
        calls += 1;
    }
    calls
}

/// Lets two go on in turn, the first one first, for so many calls each; then the one whose turn it
/// is to its end, and the other. `between` is what happens at each change of turns.
pub fn interleave(one: Invocation<'_>, other: Invocation<'_>, turns: &[usize], between: impl Fn()) {
    let mut both = [Some(one), Some(other)];
    for (n, calls) in turns.iter().enumerate() {
        let now = &mut both[n % 2];
        for _ in 0..*calls {
            if let Some(invocation) = now
                && poll(invocation.as_mut()).is_some()
            {
                *now = None;
            }
        }
        between();
    }
    for n in [turns.len(), turns.len() + 1] {
        if let Some(mut invocation) = both[n % 2].take() {
            while poll(invocation.as_mut()).is_none() {}
        }
        between();
    }
}
