//! A volume and a view become pixels. Pure.
