//! A bounded amount that is shared.

use std::sync::{Condvar, Mutex, PoisonError};

/// An amount, such as bytes of memory, that several take from. Who asks for more than is left waits, unless nothing is taken: what is larger
/// than all of it is had alone.
#[derive(Debug)]
pub struct Budget {
    all: usize,
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// A share of a [`Budget`]; dropped, it is given back.
#[derive(Debug)]
pub struct Share<'b> {
    budget: &'b Budget,
    amount: usize,
}

impl Budget {
    /// So much, nothing of it taken.
    #[must_use]
    pub fn new(all: usize) -> Self {
        Self { all, taken: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Takes an amount, as soon as it is there.
    #[must_use]
    pub fn take(&self, amount: usize) -> Share<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(amount) > self.all {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = taken.saturating_add(amount);
        Share { budget: self, amount }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(self.amount);
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn never_more_is_taken_than_there_is_but_the_largest_is_had_alone() {
        let budget = Budget::new(10);
        let (held, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let hold = |amount: usize| {
            let share = budget.take(amount);
            let now = held.fetch_add(amount, Ordering::SeqCst) + amount;
            assert!(now <= 10 || now == amount, "{now} are held, {amount} of them by one");
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::yield_now();
            held.fetch_sub(amount, Ordering::SeqCst);
            drop(share);
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || (0..500).for_each(|n| hold(if n == 250 { 40 } else { 1 + (n + thread) % 7 })));
            }
        });
        assert_eq!(most.into_inner(), 40);
        drop(budget.take(10));
    }
}
