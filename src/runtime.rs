//! The event loop: one select over input, workers and ticks; runs effects; owns every thread.
