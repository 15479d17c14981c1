//! What the program asks to be shown.

use crate::raster::Picture;
use crate::task::Generation;
use ratatui::layout::Rect;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Tells pictures apart: the same key means the same pixels, so that what the terminal has stored can be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureKey(pub u64);

impl PictureKey {
    /// The key of what a picture is made from: volume, view and size. Good within one run of the program.
    pub fn of(origin: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        origin.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// How much of a picture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Detail {
    /// Half the size, 64 greys.
    Preview,
    /// Every pixel as it is.
    Exact,
}

/// A picture and where it is to be.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The place that it has on the screen, one picture to a slot: 0 the active one, which is sent first.
    pub slot: u8,
    /// Its key.
    pub key: PictureKey,
    /// The cells that it is stretched over. Their text must be blank; where it is not, the text is shown and the picture
    /// gives way until the cells are blank again. Sixel leaves the last row of the screen free.
    pub area: Rect,
    /// The pixels.
    pub picture: Arc<Picture>,
    /// The request that it answers; comes back in [`super::Event::PictureShown`].
    pub generation: Generation,
}
