//! The accounts in force, which a reload replaces while people are signed in.

use crate::people::People;
use std::sync::{Arc, PoisonError, RwLock};

/// A way to the accounts that are in force now.
#[derive(Clone, Debug, Default)]
pub struct PeopleNow(Arc<RwLock<Arc<People>>>);

impl PeopleNow {
    /// With these, until others take their place.
    #[must_use]
    pub fn new(people: People) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(people))))
    }

    /// Those in force.
    #[must_use]
    pub fn now(&self) -> Arc<People> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in their place: who is not among them is signed out by the next request.
    pub fn replace(&self, people: People) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(people);
    }
}
