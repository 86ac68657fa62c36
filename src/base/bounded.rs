//! Collections that refuse instead of growing.

use std::collections::VecDeque;

/// A push that would have passed the bound; hands the value back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// First in, first out, never longer than its bound.
#[derive(Clone, Debug)]
pub struct BoundedQueue<T> {
    items: VecDeque<T>,
    bound: usize,
}

impl<T> BoundedQueue<T> {
    /// An empty queue for at most `bound` items.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self { items: VecDeque::new(), bound }
    }

    /// Appends `item`.
    ///
    /// # Errors
    ///
    /// [`Full`] with the item when the queue already holds its bound.
    pub fn push(&mut self, item: T) -> Result<(), Full<T>> {
        if self.items.len() >= self.bound {
            return Err(Full(item));
        }
        self.items.push_back(item);
        Ok(())
    }

    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop_front()
    }

    /// Items now held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
