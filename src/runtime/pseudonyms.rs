//! Under which key an anonymous screen makes its pseudonyms.

use crate::domain::Disclosure;
use crate::domain::pseudonym::{Pseudonyms, Validity};
use crate::store::{Store, StoreError, session_key};

/// What is said of pseudonyms that no database keeps.
pub(super) const SESSION_ONLY: &str =
    "the database cannot keep a key: pseudonyms (S-…) are valid until the program ends; see cspine doctor";

/// The pseudonyms of a database; if it cannot be used, some that are valid until the program ends and say so by their first letter.
///
/// # Errors
/// A system without random numbers.
pub(super) fn of(opened: &mut Result<Store, StoreError>) -> Result<Pseudonyms, StoreError> {
    match opened.as_mut().map(Store::pseudonym_key) {
        Ok(Ok(key)) => return Ok(Pseudonyms::new(key, Validity::Database)),
        Ok(Err(error)) => tracing::warn!("no key of pseudonyms: {}", error.told().shown(Disclosure::Anonymous)),
        // Why there is no database is said beside it.
        Err(_) => {}
    }
    Ok(Pseudonyms::new(session_key()?, Validity::Session))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CleanText, Patient, Uid};

    #[test]
    fn pseudonyms_without_a_database_say_that_they_do_not_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let patient = Patient { name: CleanText::new("DOE"), ..Patient::default() };
        let label = |pseudonyms: &Pseudonyms| pseudonyms.patient(&patient, &Uid::from_file("1.2")).name.to_string();
        let kept = || of(&mut Store::open(folder.path())).expect("pseudonyms");
        let (first, again) = (kept(), kept());
        assert_eq!(label(&first), label(&again));
        assert!(label(&first).starts_with("P-") && first.validity() == Validity::Database);
        let passing = of(&mut Err(StoreError::Foreign("store.sqlite".into()))).expect("pseudonyms");
        assert!(label(&passing).starts_with("S-") && passing.validity() == Validity::Session);
        assert_ne!(label(&passing)[2..], label(&first)[2..]);
    }
}
