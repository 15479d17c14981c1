//! The only writer of escape sequences: guard, probe, input, picture delivery.
