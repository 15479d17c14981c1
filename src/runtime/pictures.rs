//! From the model to the pictures on screen: what is wanted is compared with what was asked for, drawn on its own thread, and
//! handed to the terminal. The loop never waits for a picture.

use crate::app::Model;
use crate::domain::Volume;
use crate::raster::{self, Mark, Picture, PictureSize, View};
use crate::task::{Generation, Mailbox};
use crate::terminal::{Capabilities, PictureKey, Placed, Protocol, Terminal, halfblock_cells};
use crate::ui::Layout;
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One picture to be drawn.
#[derive(Clone)]
struct Wanted {
    slot: u8,
    key: PictureKey,
    area: Rect,
    volume: Arc<Volume>,
    view: View,
    size: PictureSize,
}

struct Request {
    generation: Generation,
    wanted: Vec<Wanted>,
}

/// Pictures that are drawn.
pub(super) struct Rendered {
    generation: Generation,
    placed: Vec<Placed>,
}

/// What is wanted, what was asked for, and what is there.
pub(super) struct Pictures {
    protocol: Protocol,
    colourless: bool,
    requests: Mailbox<Request>,
    ready: Receiver<Rendered>,
    generation: Generation,
    asked: Vec<(u8, PictureKey, Rect)>,
    shown: Vec<Placed>,
}

impl Pictures {
    /// Starts the drawing thread.
    pub(super) fn start(protocol: Protocol, colourless: bool) -> Self {
        let requests: Mailbox<Request> = Mailbox::new();
        let (sender, ready) = unbounded();
        let thread = std::thread::Builder::new().name("raster".into()).spawn({
            let requests = requests.clone();
            move || draw_all(&requests, &sender)
        });
        if let Err(error) = thread {
            tracing::error!("no thread for pictures: {error}");
        }
        Self {
            protocol,
            colourless,
            requests,
            ready,
            generation: Generation::default(),
            asked: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Where drawn pictures come out.
    pub(super) fn ready(&self) -> Receiver<Rendered> {
        self.ready.clone()
    }

    /// Asks for what the screen as drawn wants, if that has changed.
    pub(super) fn want(&mut self, model: &Model, layout: &Layout, capabilities: &Capabilities, terminal: &Terminal) {
        if self.protocol == Protocol::None {
            return;
        }
        let wanted = wanted(model, layout, self.protocol, capabilities);
        let asked: Vec<_> = wanted.iter().map(|one| (one.slot, one.key, one.area)).collect();
        if asked == self.asked {
            return;
        }
        self.asked = asked;
        self.generation = self.generation.next();
        if wanted.is_empty() {
            self.shown.clear();
            if self.protocol.delivers_pixels() {
                terminal.show(Vec::new());
            }
            return;
        }
        self.requests.put(Request { generation: self.generation, wanted });
    }

    /// Takes in drawn pictures; older ones than the last taken are dropped.
    pub(super) fn take(&mut self, rendered: Rendered, terminal: &Terminal) {
        // One picture behind is shown all the same: under a held key the newest is always on its way.
        if self.asked.is_empty() || rendered.generation > self.generation {
            return;
        }
        self.shown = rendered.placed;
        if self.protocol.delivers_pixels() {
            terminal.show(self.shown.clone());
        }
    }

    /// Paints half-blocks, where pictures are made of them.
    pub(super) fn paint(&self, layout: &Layout, buffer: &mut Buffer) {
        if self.protocol != Protocol::Halfblocks {
            return;
        }
        for placed in &self.shown {
            if layout.picture == Some(placed.area) || layout.side == Some(placed.area) {
                halfblock_cells(&placed.picture, placed.area, buffer, self.colourless);
            }
        }
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.requests.close();
    }
}

fn wanted(model: &Model, layout: &Layout, protocol: Protocol, capabilities: &Capabilities) -> Vec<Wanted> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let Some(volume) = reading.volume() else { return Vec::new() };
    let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report().cloned());
    let views =
        [(0, layout.picture, reading.view(report.as_deref())), (1, layout.side, reading.side_view(report.as_deref()))];
    views
        .into_iter()
        .filter_map(|(slot, area, view)| {
            let (area, view) = (area?, view?);
            let size = size_of(area, &view, volume, protocol, capabilities);
            let origin =
                (reading.study.uid.as_str(), reading.series, volume.series_uid.as_str(), Bits::of(&view, size));
            Some(Wanted { slot, key: PictureKey::of(&origin), area, volume: Arc::clone(volume), view, size })
        })
        .collect()
}

/// Pixels of a picture over `area` cells. A terminal that scales gets at most twice the pixels that the volume has each way: the rest
/// would be interpolation sent over the line.
fn size_of(area: Rect, view: &View, volume: &Volume, protocol: Protocol, capabilities: &Capabilities) -> PictureSize {
    if protocol == Protocol::Halfblocks {
        let cell = capabilities.cell;
        let aspect = f64::from(cell.height) / 2.0 / f64::from(cell.width);
        return PictureSize {
            width: u32::from(area.width.max(1)),
            height: u32::from(area.height.max(1)) * 2,
            pixel_aspect: aspect.clamp(0.2, 5.0),
        };
    }
    let cell = capabilities.cell;
    let (width, height) =
        (u32::from(area.width) * u32::from(cell.width), u32::from(area.height) * u32::from(cell.height));
    let (width, height) = (width.clamp(1, 8192), height.clamp(1, 8192));
    let native = raster::native_plane(volume) == view.plane;
    let scales = matches!(protocol, Protocol::Kitty | Protocol::Iterm2);
    let mut factor = 1.0_f64;
    if native && scales {
        let columns = volume.shape.columns as f64 / view.zoom / f64::from(width);
        let rows = volume.shape.rows as f64 / view.zoom / f64::from(height);
        // Some terminals enlarge by repeating pixels: twice the volume's own number looks smooth in all of them.
        factor = (2.0 * columns.max(rows)).clamp(0.34, 1.0);
    }
    let scaled = |pixels: u32| ((f64::from(pixels) * factor).round() as u32).max(1);
    PictureSize { width: scaled(width), height: scaled(height), pixel_aspect: 1.0 }
}

/// Everything that decides over the pixels, bit by bit.
#[derive(Hash)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(view: &View, size: PictureSize) -> Self {
        let mut bits = vec![
            view.plane as u64,
            view.slice as u64,
            view.window.center().to_bits(),
            view.window.width().to_bits(),
            u64::from(view.inverted),
            view.zoom.to_bits(),
            view.center.0.to_bits(),
            view.center.1.to_bits(),
            u64::from(size.width),
            u64::from(size.height),
            size.pixel_aspect.to_bits(),
        ];
        for mark in &view.marks {
            match mark {
                Mark::HotSpot(point) => bits.extend(point.to_array().map(f64::to_bits)),
                Mark::CrossReference(plane, slice) => bits.extend([*plane as u64, *slice as u64]),
            }
        }
        Self(bits)
    }
}

fn draw_all(requests: &Mailbox<Request>, sender: &Sender<Rendered>) {
    while let Some(Request { generation, wanted }) = requests.take() {
        let placed: Vec<Placed> = wanted
            .into_iter()
            .filter_map(|one| {
                let picture = draw(&one)?;
                Some(Placed { slot: one.slot, key: one.key, area: one.area, picture: Arc::new(picture), generation })
            })
            .collect();
        if sender.send(Rendered { generation, placed }).is_err() {
            return;
        }
    }
}

/// A panic costs one picture, not the thread.
fn draw(one: &Wanted) -> Option<Picture> {
    match catch_unwind(AssertUnwindSafe(|| raster::render(&one.volume, &one.view, one.size))) {
        Ok(Ok(picture)) => Some(picture),
        Ok(Err(error)) => {
            tracing::warn!("{error}");
            None
        }
        Err(_) => {
            tracing::error!("drawing a picture panicked");
            None
        }
    }
}
