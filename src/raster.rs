//! A volume and a view become pixels. Pure.

mod view;

pub use view::{Mark, OrientationMarkers, Picture, PictureSize, Pixels, Plane, RasterError, View};
