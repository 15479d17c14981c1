//! Synthetic cervical spines with known truth.
