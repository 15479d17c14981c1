//! From the model to the pictures on screen: what is wanted is compared with what was asked for, drawn on its own thread, and
//! handed to the terminal. The loop never waits for a picture.

use crate::app::{CellPixels, Model, Reading, Source};
use crate::domain::{FractureReport, Thumbnail, ThumbnailKey, Volume};
use crate::raster::{self, Bend, Mark, OrientationMarkers, Picture, PictureSize, Pixels, View, Zoom};
use crate::task::{Generation, Mailbox, Pool};
use crate::terminal::{Capabilities, CellSize, Glyphs, PictureKey, Placed, Protocol, Terminal, halfblock_cells};
use crate::ui::{Layout, Pane, ThumbnailPane};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// One picture to be drawn.
#[derive(Clone)]
struct Wanted {
    slot: u8,
    key: PictureKey,
    area: Rect,
    drawing: Drawing,
}

/// What a picture is made from.
#[derive(Clone)]
enum Drawing {
    /// A view of a volume.
    View { volume: Arc<Volume>, view: View, size: PictureSize },
    /// The thumbnail that the store has of a series, for a place so many times wider than it is high.
    Thumbnail { key: ThumbnailKey, aspect: f64 },
}

impl Drawing {
    fn is_thumbnail(&self) -> bool {
        matches!(self, Self::Thumbnail { .. })
    }
}

struct Request {
    generation: Generation,
    wanted: Vec<Wanted>,
    /// What will probably be wanted next, drawn once nothing else is.
    ahead: Vec<Wanted>,
}

/// What comes of a request.
pub(super) enum Rendered {
    /// A picture that is drawn.
    Picture {
        /// The request.
        generation: Generation,
        /// The picture.
        placed: Placed,
        /// It is not wanted yet.
        ahead: bool,
    },
    /// The store has no thumbnail of a series.
    NoThumbnail(ThumbnailKey),
}

/// Loads a thumbnail from the store.
type Thumbnails = dyn Fn(&ThumbnailKey) -> Option<Thumbnail> + Send;

/// The slot of the thumbnail: none of the reading screen's, so that no image of one screen is taken for one of the other.
const THUMBNAIL_SLOT: u8 = 15;

/// What is wanted, what was asked for, and what is there.
pub(super) struct Pictures {
    protocol: Protocol,
    glyphs: Glyphs,
    colourless: bool,
    requests: Mailbox<Request>,
    ready: Receiver<Rendered>,
    generation: Generation,
    asked: Vec<(u8, PictureKey, Rect)>,
    shown: Vec<Placed>,
}

impl Pictures {
    /// Starts the drawing thread.
    pub(super) fn start(
        protocol: Protocol,
        colourless: bool,
        thumbnails: impl Fn(&ThumbnailKey) -> Option<Thumbnail> + Send + 'static,
    ) -> Self {
        let requests: Mailbox<Request> = Mailbox::new();
        let (sender, ready) = unbounded();
        let thread = std::thread::Builder::new().name("raster".into()).spawn({
            let requests = requests.clone();
            move || draw_all(&requests, &sender, &thumbnails)
        });
        if let Err(error) = thread {
            tracing::error!("no thread for images: {error}");
        }
        Self {
            protocol,
            glyphs: Glyphs::default(),
            colourless,
            requests,
            ready,
            generation: Generation::default(),
            asked: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Pictures are shown this way from now on.
    pub(super) fn speak(&mut self, protocol: Protocol, glyphs: Glyphs) {
        self.glyphs = glyphs;
        if protocol != self.protocol {
            self.protocol = protocol;
            self.asked.clear();
            self.shown.clear();
        }
    }

    /// Where drawn pictures come out.
    pub(super) fn ready(&self) -> Receiver<Rendered> {
        self.ready.clone()
    }

    /// Asks for what the screen as drawn wants, if that has changed; the places where another image is wanted come back.
    pub(super) fn want(&mut self, model: &Model, layout: &Layout, terminal: &Terminal) -> Vec<u8> {
        if self.protocol == Protocol::None {
            return Vec::new();
        }
        let wanted = wanted(model, layout, self.protocol);
        let asked: Vec<_> = wanted.iter().map(|one| (one.slot, one.key, one.area)).collect();
        if asked == self.asked {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.asked, asked);
        let changed: Vec<u8> = self.asked.iter().filter(|one| !before.contains(one)).map(|(slot, ..)| *slot).collect();
        self.generation = self.generation.next();
        if wanted.is_empty() {
            self.shown.clear();
            if self.protocol.delivers_pixels() {
                terminal.show(Vec::new());
            }
            return changed;
        }
        // What is shown at a place that no picture has any more goes at once, and so does the thumbnail of another study: it must
        // not stay beside this one's name.
        let shown = self.shown.len();
        self.shown.retain(|shown| {
            let stays = |one: &Wanted| !one.drawing.is_thumbnail() || one.key == shown.key;
            wanted.iter().any(|one| one.area == shown.area && one.slot == shown.slot && stays(one))
        });
        let is_thumbnail = wanted.iter().any(|one| one.drawing.is_thumbnail());
        if is_thumbnail && self.shown.len() < shown && self.protocol.delivers_pixels() {
            terminal.show(self.shown.clone());
        }
        // Only kitty's protocol stores pictures without showing them.
        let ahead = if self.protocol == Protocol::Kitty { ahead(model, layout, self.protocol) } else { Vec::new() };
        self.requests.put(Request { generation: self.generation, wanted, ahead });
        changed
    }

    /// Takes in a drawn picture: it takes the place of the one in its slot, the others stay until they are drawn anew.
    /// Returns the series of which the store has no thumbnail.
    pub(super) fn take(&mut self, rendered: Rendered, terminal: &Terminal) -> Option<ThumbnailKey> {
        let (generation, placed, ahead) = match rendered {
            Rendered::Picture { generation, placed, ahead } => (generation, placed, ahead),
            Rendered::NoThumbnail(key) => return Some(key),
        };
        if ahead {
            if generation == self.generation {
                terminal.prefetch(placed);
            }
            return None;
        }
        // One picture behind is shown all the same: under a held key the newest is always on its way. A thumbnail is not: it is of
        // another study.
        let is_asked = |(slot, key, _): &(u8, PictureKey, Rect)| {
            *slot == placed.slot && (placed.slot != THUMBNAIL_SLOT || *key == placed.key)
        };
        let older = self.shown.iter().any(|shown| shown.slot == placed.slot && shown.generation > generation);
        if !self.asked.iter().any(is_asked) || older {
            return None;
        }
        self.shown.retain(|shown| shown.slot != placed.slot);
        self.shown.push(placed);
        if self.protocol.delivers_pixels() {
            terminal.show(self.shown.clone());
        }
        None
    }

    /// Paints half-blocks, where pictures are made of them.
    pub(super) fn paint(&self, layout: &Layout, buffer: &mut Buffer) {
        if self.protocol != Protocol::Halfblocks {
            return;
        }
        for placed in &self.shown {
            let is_thumbnail = |pane: &ThumbnailPane| pane.area == placed.area && thumbnail_key(pane) == placed.key;
            let has_place = match placed.slot {
                THUMBNAIL_SLOT => layout.thumbnail.as_ref().is_some_and(is_thumbnail),
                _ => layout.panes.iter().any(|pane| pane.area == placed.area),
            };
            if has_place {
                halfblock_cells(&placed.picture, placed.area, buffer, self.glyphs, self.colourless);
            }
        }
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.requests.close();
    }
}

/// The key of the image in a thumbnail's place.
fn thumbnail_key(pane: &ThumbnailPane) -> PictureKey {
    PictureKey::of(&("thumbnail", pane.key.series.as_str(), pane.key.stack, pane.run, pane.area.as_size()))
}

fn thumbnail(pane: &ThumbnailPane, cell: CellPixels) -> Wanted {
    let PictureSize { width, height, pixel_aspect } = cell.picture(pane.area.width, pane.area.height);
    let aspect = f64::from(width) / (f64::from(height) * pixel_aspect);
    let drawing = Drawing::Thumbnail { key: pane.key.clone(), aspect };
    Wanted { slot: THUMBNAIL_SLOT, key: thumbnail_key(pane), area: pane.area, drawing }
}

fn wanted(model: &Model, layout: &Layout, protocol: Protocol) -> Vec<Wanted> {
    let Some(reading) = &model.reading else {
        return layout.thumbnail.iter().map(|pane| thumbnail(pane, model.cell)).collect();
    };
    let seen = Seen::of(model, reading, layout, protocol);
    (0..).zip(&layout.panes).filter_map(|(slot, pane)| seen.picture(reading, slot, pane)).collect()
}

/// What will probably be wanted next at the active picture's place.
fn ahead(model: &Model, layout: &Layout, protocol: Protocol) -> Vec<Wanted> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let Some(pane) = layout.panes.first().filter(|pane| pane.source == Source::Open) else { return Vec::new() };
    let seen = Seen::of(model, reading, layout, protocol);
    let places = reading.ahead(seen.report.as_deref());
    places.iter().filter_map(|there| seen.picture(there, 0, pane)).collect()
}

/// What all pictures on a screen have in common.
struct Seen<'m> {
    model: &'m Model,
    report: Option<Arc<FractureReport>>,
    linked: bool,
    figures: Vec<Mark>,
    protocol: Protocol,
}

impl<'m> Seen<'m> {
    fn of(model: &'m Model, reading: &Reading, layout: &Layout, protocol: Protocol) -> Self {
        let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report().cloned());
        Self { model, report, linked: layout.panes.len() > 1, figures: model.figures(), protocol }
    }

    /// The picture of a pane.
    fn picture(&self, reading: &Reading, slot: u8, pane: &Pane) -> Option<Wanted> {
        let cell = self.model.cell;
        let (study, series, volume, view) = match (pane.source, &reading.beside) {
            (Source::Beside, Some(beside)) => {
                let view = reading.beside_view(cell.picture(pane.area.width, pane.area.height))?;
                (&beside.study, beside.series, beside.volume()?, view)
            }
            (Source::First, _) => (&reading.study, reading.series, reading.first()?, reading.first_view()?),
            _ => {
                let volume = reading.volume()?;
                let mut view = reading.view(pane.plane, self.report.as_deref(), self.linked)?;
                view.marks.extend(self.figures.iter().cloned());
                (&reading.study, reading.series, volume, view)
            }
        };
        let size = size_of(pane.area, &view, volume, cell, self.protocol);
        // The slice that is read first is another picture than the whole volume's first.
        let series_origin = (series, volume.series_uid.as_str(), volume.shape.slices);
        let origin = (study.uid.as_str(), series_origin, Bits::of(&view, size));
        let key = PictureKey::of(&origin);
        let drawing = Drawing::View { volume: Arc::clone(volume), view, size };
        Some(Wanted { slot, key, area: pane.area, drawing })
    }
}

/// Picture pixels of a cell, by the way pictures are shown: half-blocks have two to a cell.
pub(super) fn cell_pixels(capabilities: &Capabilities) -> CellPixels {
    let CellSize { width, height, .. } = capabilities.cell;
    match capabilities.protocol {
        Protocol::Halfblocks => {
            let (across, down) = capabilities.glyphs.pixels();
            let aspect = f64::from(height) / f64::from(down) * f64::from(across) / f64::from(width.max(1));
            CellPixels { width: across.into(), height: down.into(), aspect }
        }
        _ => CellPixels { width: width.into(), height: height.into(), aspect: 1.0 },
    }
}

/// Pixels of a picture over `area` cells. A terminal that scales gets at most twice the pixels that the volume has each way: the rest
/// would be interpolation sent over the line.
fn size_of(area: Rect, view: &View, volume: &Volume, cell: CellPixels, protocol: Protocol) -> PictureSize {
    let whole = cell.picture(area.width, area.height);
    let PictureSize { width, height, pixel_aspect } = whole;
    let native = raster::native_plane(volume) == view.plane;
    let scales = matches!(protocol, Protocol::Kitty | Protocol::Iterm2);
    let extent = raster::plane_extent(volume, view.plane).unwrap_or((1.0, 1.0));
    let times = view.zoom.times_whole(extent, (f64::from(width), f64::from(height) * pixel_aspect));
    let factor = match times {
        Some(zoom) if native && scales => {
            let columns = volume.shape.columns as f64 / zoom / f64::from(width);
            let rows = volume.shape.rows as f64 / zoom / f64::from(height);
            // Some terminals enlarge by repeating pixels: twice the volume's own number looks smooth in all of them.
            (2.0 * columns.max(rows)).clamp(0.34, 1.0)
        }
        // At 1:1 a pixel is the terminal's own.
        Some(_) | None => 1.0,
    };
    let scaled = |pixels: u32| ((f64::from(pixels) * factor).round() as u32).max(1);
    PictureSize { width: scaled(width), height: scaled(height), pixel_aspect }
}

/// Everything that decides over the pixels, bit by bit.
#[derive(Hash)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(view: &View, size: PictureSize) -> Self {
        let (relative, zoom, down) = match view.zoom {
            Zoom::Fit(factor) => (0, factor, 0.0),
            Zoom::Pixels(factor) => (1, factor, 0.0),
            Zoom::Region { across, down } => (2, across, down),
        };
        let (kind, thickness) = view.slab.map_or((0, 0.0), |slab| (1 + slab.kind as u64, slab.thickness_mm));
        let mut bits = vec![
            view.plane as u64,
            // Along the spine the surface is told by its distance from it.
            view.bend.as_ref().map_or(view.slice as u64, |_| u64::MAX),
            kind,
            thickness.to_bits(),
            view.window.center().to_bits(),
            view.window.width().to_bits(),
            view.window.function() as u64,
            // A table lives as long as its volume: its place tells it from the volume's others.
            view.table.as_ref().map_or(0, |table| Arc::as_ptr(table).addr() as u64),
            u64::from(view.inverted),
            relative,
            zoom.to_bits(),
            down.to_bits(),
            view.center.0.to_bits(),
            view.center.1.to_bits(),
            view.sampling as u64,
            u64::from(size.width),
            u64::from(size.height),
            size.pixel_aspect.to_bits(),
        ];
        if let Some(Bend { course, offset }) = &view.bend {
            bits.extend([offset.to_bits(), Arc::as_ptr(course).addr() as u64]);
        }
        for mark in &view.marks {
            match mark {
                Mark::HotSpot(point) => bits.extend(point.to_array().map(f64::to_bits)),
                Mark::HotSpotAside(point) => {
                    bits.push(1);
                    bits.extend(point.to_array().map(f64::to_bits));
                }
                Mark::Active(activation) => bits.extend([2, activation.fingerprint()]),
                Mark::Level(mark) => {
                    bits.extend([3, mark.level as u64, u64::from(mark.suspected)]);
                    bits.extend(
                        [mark.top, mark.bottom].into_iter().flat_map(|point| point.to_array().map(f64::to_bits)),
                    );
                }
                Mark::Figure(figure) => {
                    bits.extend([4, figure.outline as u64, figure.number, u64::from(figure.active)]);
                    let places = figure.places.iter().flat_map(|place| [place.slice, place.row, place.column]);
                    bits.extend(places.map(f64::to_bits));
                }
                Mark::CrossLines(place) => bits.extend([place.slice, place.row, place.column].map(f64::to_bits)),
            }
        }
        Self(bits)
    }
}

fn draw_all(requests: &Mailbox<Request>, sender: &Sender<Rendered>, thumbnails: &Thumbnails) {
    let pool = Pool::new("raster");
    let mut last: Vec<Placed> = Vec::new();
    while let Some(request) = requests.take() {
        let newer = Newer { is_waiting: &|| requests.is_waiting(), is_idle: &|| idle(requests) };
        if draw_request(request, &newer, &mut last, (&pool, thumbnails), &mut |rendered| sender.send(rendered).is_ok())
            .is_none()
        {
            return;
        }
    }
}

/// Whether something newer is asked for.
struct Newer<'n> {
    /// At this moment.
    is_waiting: &'n dyn Fn() -> bool,
    /// Nothing, for a moment.
    is_idle: &'n dyn Fn() -> bool,
}

/// Draws what a request asks for, until something newer is asked for; `None` as soon as nobody takes the pictures.
fn draw_request(
    Request { generation, wanted, ahead }: Request,
    newer: &Newer<'_>,
    last: &mut Vec<Placed>,
    (pool, thumbnails): (&Pool, &Thumbnails),
    send: &mut dyn FnMut(Rendered) -> bool,
) -> Option<()> {
    let mut go_on = |rendered| send(rendered).then_some(());
    let mut drawn: Vec<Placed> = Vec::new();
    for one in wanted {
        let known = last.iter().chain(&drawn).find(|placed| placed.key == one.key);
        let picture = match (known, &one.drawing) {
            (Some(placed), _) => Some(Arc::clone(&placed.picture)),
            (None, Drawing::View { .. }) => draw(pool, &one).map(Arc::new),
            // A held key passes over rows: only the one where it stops is loaded and sent.
            (None, Drawing::Thumbnail { .. }) if !(newer.is_idle)() => break,
            (None, Drawing::Thumbnail { key, aspect }) => match thumbnails(key) {
                Some(image) => Some(Arc::new(thumbnail_picture(&image, *aspect))),
                None => {
                    go_on(Rendered::NoThumbnail(key.clone()))?;
                    None
                }
            },
        };
        let Some(picture) = picture else { continue };
        let placed = Placed { slot: one.slot, key: one.key, area: one.area, picture, generation };
        drawn.push(placed.clone());
        go_on(Rendered::Picture { generation, placed, ahead: false })?;
        // The active plane is shown whatever comes; the others give way to something newer.
        if (newer.is_waiting)() {
            break;
        }
    }
    *last = drawn;
    for one in ahead {
        if !(newer.is_idle)() {
            break;
        }
        let Some(picture) = draw(pool, &one).map(Arc::new) else { continue };
        let placed = Placed { slot: one.slot, key: one.key, area: one.area, picture, generation };
        go_on(Rendered::Picture { generation, placed, ahead: true })?;
    }
    Some(())
}

/// The thumbnail with black margins; the terminal stretches it.
fn thumbnail_picture(image: &Thumbnail, aspect: f64) -> Picture {
    let (width, height, pixels) = image.padded(aspect);
    Picture {
        width,
        height,
        pixel_aspect: 1.0,
        pixels: Pixels::Grey(pixels),
        markers: OrientationMarkers::default(),
        mm_per_pixel: None,
    }
}

/// Waits a moment; `false` as soon as something is asked for.
fn idle(requests: &Mailbox<Request>) -> bool {
    (0..4).all(|_| {
        std::thread::sleep(Duration::from_millis(25));
        !requests.is_waiting()
    })
}

/// A panic costs one picture, not the thread.
fn draw(pool: &Pool, one: &Wanted) -> Option<Picture> {
    let Drawing::View { volume, view, size } = &one.drawing else { return None };
    match catch_unwind(AssertUnwindSafe(|| pool.install(|| raster::render(volume, view, *size)))) {
        Ok(Ok(picture)) => Some(picture),
        Ok(Err(error)) => {
            tracing::warn!("{error}");
            None
        }
        Err(_) => {
            tracing::error!("drawing an image panicked");
            None
        }
    }
}

#[cfg(test)]
#[path = "pictures_tests.rs"]
mod tests;
