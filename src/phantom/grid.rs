//! A closed surface as a field of signed distances on a grid.

use glam::Vec3;
use rayon::prelude::*;

const STEP: f32 = 0.5;
const MARGIN: f32 = 4.0;
/// Largest extent of a vertebra along an axis, mm; a surface beyond it is in other units or another thing.
const LARGEST: f32 = 160.0;
/// Cells of a block of [`Grid::of_distances`] along each axis.
const BLOCK: usize = 8;
/// A block's middle this far from the surface, mm: the block holds none of it, nor what a cortex's texture depends on.
const FAR: f32 = 7.0;

/// Signed distances on a grid of half a millimetre.
#[derive(Debug)]
pub(super) struct Grid {
    low: Vec3,
    sizes: [usize; 3],
    /// x fastest.
    values: Vec<f32>,
}

impl Grid {
    /// The field of a closed surface: inside is where a line along z has crossed it an odd number of times.
    pub(super) fn new(triangles: &[[Vec3; 3]]) -> Result<Self, String> {
        let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
        for point in triangles.iter().flatten() {
            (low, high) = (low.min(*point), high.max(*point));
        }
        let extent = high - low;
        if !(extent.max_element() < LARGEST && extent.min_element() > 4.0) {
            return Err(format!(
                "its extent, {:.0} × {:.0} × {:.0} mm, is not a vertebra's",
                extent.x, extent.y, extent.z
            ));
        }
        // An odd offset, so that no line meets a corner exactly.
        let low = low - Vec3::splat(MARGIN) - Vec3::new(0.012_34, 0.023_45, 0.0);
        let size = |length: f32| ((length + 2.0 * MARGIN) / STEP).ceil() as usize + 1;
        let sizes = [size(extent.x), size(extent.y), size(extent.z)];
        let mut crossings: Vec<Vec<f32>> = vec![Vec::new(); sizes[0] * sizes[1]];
        for triangle in triangles {
            cross(triangle, low, sizes, &mut crossings);
        }
        let mut inside = vec![false; sizes[0] * sizes[1] * sizes[2]];
        let mut odd = 0;
        for (line, hits) in crossings.iter_mut().enumerate() {
            hits.sort_by(f32::total_cmp);
            odd += hits.len() % 2;
            for pair in hits.chunks_exact(2) {
                let first = ((pair[0] - low.z) / STEP).ceil().max(0.0) as usize;
                let last = (((pair[1] - low.z) / STEP).floor() as usize).min(sizes[2] - 1);
                for z in first..=last {
                    inside[z * sizes[0] * sizes[1] + line] = true;
                }
            }
        }
        if odd * 200 > crossings.len() {
            return Err("the surface is not closed".into());
        }
        if !inside.contains(&true) {
            return Err("the surface holds nothing".into());
        }
        Ok(Self::of_cells(&inside, low, sizes))
    }

    /// The field of the places in a box for which `inside` holds; `None` where it holds nowhere.
    pub(super) fn of_places(low: Vec3, high: Vec3, inside: &dyn Fn(Vec3) -> bool) -> Option<Self> {
        let extent = (high - low).clamp(Vec3::ZERO, Vec3::splat(LARGEST));
        let low = low - Vec3::splat(MARGIN);
        let size = |length: f32| ((length + 2.0 * MARGIN) / STEP).ceil() as usize + 1;
        let sizes = [size(extent.x), size(extent.y), size(extent.z)];
        let mut cells = Vec::with_capacity(sizes[0] * sizes[1] * sizes[2]);
        for z in 0..sizes[2] {
            for y in 0..sizes[1] {
                cells.extend((0..sizes[0]).map(|x| inside(low + Vec3::new(x as f32, y as f32, z as f32) * STEP)));
            }
        }
        cells.contains(&true).then(|| Self::of_cells(&cells, low, sizes))
    }

    /// Distances in a box as a function tells them; where its surface is far, only about as far as it is.
    pub(super) fn of_distances(low: Vec3, high: Vec3, distance: &(dyn Fn(Vec3) -> f32 + Sync)) -> Self {
        let extent = (high - low).clamp(Vec3::ZERO, Vec3::splat(LARGEST));
        let low = low - Vec3::splat(MARGIN);
        let size = |length: f32| ((length + 2.0 * MARGIN) / STEP).ceil() as usize + 1;
        let sizes = [size(extent.x), size(extent.y), size(extent.z)];
        let place = |x: usize, y: usize, z: usize| low + Vec3::new(x as f32, y as f32, z as f32) * STEP;
        let mut values = vec![0.0_f32; sizes[0] * sizes[1] * sizes[2]];
        values.par_chunks_mut(sizes[0] * sizes[1] * BLOCK).enumerate().for_each(|(slab, values)| {
            let first = slab * BLOCK;
            let depth = values.len() / (sizes[0] * sizes[1]);
            for y in (0..sizes[1]).step_by(BLOCK) {
                for x in (0..sizes[0]).step_by(BLOCK) {
                    let half = Vec3::splat(STEP * (BLOCK as f32 - 1.0) / 2.0);
                    let middle = distance(place(x, y, first) + half);
                    let even = middle.abs() > FAR;
                    for dz in 0..depth {
                        for y in y..(y + BLOCK).min(sizes[1]) {
                            for x in x..(x + BLOCK).min(sizes[0]) {
                                let here = if even { middle } else { distance(place(x, y, first + dz)) };
                                values[(dz * sizes[1] + y) * sizes[0] + x] = here;
                            }
                        }
                    }
                }
            }
        });
        Self { low, sizes, values }
    }

    /// Every `stride`-th of the grid's points along each axis that lies nearer to the surface than `width` mm, with its distance.
    pub(super) fn band(&self, stride: usize, width: f32) -> Vec<(Vec3, f32)> {
        let [nx, ny, nz] = self.sizes;
        let mut band = Vec::new();
        for z in (0..nz).step_by(stride) {
            for y in (0..ny).step_by(stride) {
                for x in (0..nx).step_by(stride) {
                    let distance = self.values[(z * ny + y) * nx + x];
                    if distance.abs() < width {
                        band.push((self.low + Vec3::new(x as f32, y as f32, z as f32) * STEP, distance));
                    }
                }
            }
        }
        band
    }

    /// Distance at a place, with its gradient.
    pub(super) fn slope(&self, p: Vec3) -> (f32, Vec3) {
        let most = Vec3::new(self.sizes[0] as f32, self.sizes[1] as f32, self.sizes[2] as f32) - Vec3::splat(1.001);
        let q = (p - self.low) / STEP;
        let c = q.clamp(Vec3::ZERO, most);
        let (x, y, z) = (c.x as usize, c.y as usize, c.z as usize);
        let f = c - c.floor();
        let (row, layer) = (self.sizes[0], self.sizes[0] * self.sizes[1]);
        let at = z * layer + y * row + x;
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let pairs = [at, at + row, at + layer, at + layer + row].map(|at| (self.values[at], self.values[at + 1]));
        let [a, b, c0, d] = pairs.map(|(low, high)| mix(low, high, f.x));
        let across = pairs.map(|(low, high)| high - low);
        let (near, far) = (mix(a, b, f.y), mix(c0, d, f.y));
        let gradient = Vec3::new(
            mix(mix(across[0], across[1], f.y), mix(across[2], across[3], f.y), f.z),
            mix(b - a, d - c0, f.z),
            far - near,
        ) / STEP;
        let outside = q - c;
        // Beyond the grid's edge only the way there grows.
        let within = Vec3::from_array(outside.to_array().map(|off| if off == 0.0 { 1.0 } else { 0.0 }));
        let gradient = gradient * within;
        (mix(near, far, f.z) + outside.length() * STEP, gradient + outside.normalize_or_zero())
    }

    fn of_cells(inside: &[bool], low: Vec3, sizes: [usize; 3]) -> Self {
        let [nx, ny, nz] = sizes;
        let axes = [(1, nx, 1.0), (nx, ny, 1.0), (nx * ny, nz, 1.0)];
        let to_inside = squared_distance(inside, true, &axes);
        let to_outside = squared_distance(inside, false, &axes);
        // The surface lies half a step before the nearest cell of the other kind.
        let half = |squared: f32| (squared.sqrt() - 0.5).max(0.0);
        let values = to_inside.iter().zip(&to_outside).map(|(&a, &b)| (half(a) - half(b)) * STEP);
        let mut grid = Self { low, sizes, values: values.collect() };
        grid.smooth();
        grid
    }

    /// Corners of the box that holds the surface.
    pub(super) fn extent(&self) -> (Vec3, Vec3) {
        let sizes = Vec3::new(self.sizes[0] as f32, self.sizes[1] as f32, self.sizes[2] as f32);
        (self.low + Vec3::splat(MARGIN), self.low + (sizes - Vec3::ONE) * STEP - Vec3::splat(MARGIN))
    }

    /// Distance at a place; outside the grid, that at its edge and the way there.
    pub(super) fn distance(&self, p: Vec3) -> f32 {
        let most = Vec3::new(self.sizes[0] as f32, self.sizes[1] as f32, self.sizes[2] as f32) - Vec3::splat(1.001);
        let q = (p - self.low) / STEP;
        let c = q.clamp(Vec3::ZERO, most);
        let away = (q - c).length() * STEP;
        let (x, y, z) = (c.x as usize, c.y as usize, c.z as usize);
        let f = c - Vec3::new(x as f32, y as f32, z as f32);
        let (row, layer) = (self.sizes[0], self.sizes[0] * self.sizes[1]);
        let at = z * layer + y * row + x;
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let line = |at: usize| mix(self.values[at], self.values[at + 1], f.x);
        let near = mix(line(at), line(at + row), f.y);
        let far = mix(line(at + layer), line(at + layer + row), f.y);
        mix(near, far, f.z) + away
    }

    /// Takes the grid's steps out of the field: means over three neighbours along each axis.
    fn smooth(&mut self) {
        let [nx, ny, nz] = self.sizes;
        for (stride, count) in [(1, nx), (nx, ny), (nx * ny, nz)] {
            let source = self.values.clone();
            for (at, value) in self.values.iter_mut().enumerate() {
                let place = at / stride % count;
                if place > 0 && place + 1 < count {
                    *value = 0.25 * source[at - stride] + 0.5 * source[at] + 0.25 * source[at + stride];
                }
            }
        }
    }
}

/// Where the lines along z through the grid's points meet a triangle.
fn cross(triangle: &[Vec3; 3], low: Vec3, sizes: [usize; 3], crossings: &mut [Vec<f32>]) {
    let [a, b, c] = triangle.map(|p| (p - low) / STEP);
    let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if area == 0.0 {
        return;
    }
    let range = |values: [f32; 3], size: usize| {
        let least = values.iter().copied().fold(f32::MAX, f32::min).ceil().max(0.0) as usize;
        let most = values.iter().copied().fold(f32::MIN, f32::max).floor().max(0.0) as usize;
        least..(most + 1).min(size)
    };
    for y in range([a.y, b.y, c.y], sizes[1]) {
        for x in range([a.x, b.x, c.x], sizes[0]) {
            let (px, py) = (x as f32, y as f32);
            // Edges count for the triangle on their one side only.
            let side = |from: Vec3, to: Vec3| {
                let (p, q) = if (from.x, from.y) < (to.x, to.y) { (from, to) } else { (to, from) };
                let value = (q.x - p.x) * (py - p.y) - (q.y - p.y) * (px - p.x);
                (value >= 0.0) == ((from.x, from.y) < (to.x, to.y))
            };
            let sides = [side(a, b), side(b, c), side(c, a)];
            if sides == [true; 3] || sides == [false; 3] {
                let u = ((px - a.x) * (c.y - a.y) - (c.x - a.x) * (py - a.y)) / area;
                let v = ((b.x - a.x) * (py - a.y) - (px - a.x) * (b.y - a.y)) / area;
                let z = a.z + u * (b.z - a.z) + v * (c.z - a.z);
                crossings[y * sizes[0] + x].push(low.z + z * STEP);
            }
        }
    }
}

/// Squared distance to the nearest cell of this kind along these axes, each with its stride, its count of cells and the square
/// of its step: one axis after the other by the lower envelope of parabolas (Felzenszwalb & Huttenlocher 2012).
pub(super) fn squared_distance(inside: &[bool], kind: bool, axes: &[(usize, usize, f32)]) -> Vec<f32> {
    let far = 1e8;
    let mut field: Vec<f32> = inside.iter().map(|&cell| if cell == kind { 0.0 } else { far }).collect();
    for &(stride, count, square) in axes {
        let mut line = vec![0.0; count];
        let mut roots = vec![0_usize; count];
        let mut from = vec![0.0_f32; count + 1];
        for start in (0..field.len()).filter(|at| at / stride % count == 0) {
            for (i, value) in line.iter_mut().enumerate() {
                *value = field[start + i * stride];
            }
            let mut last = 0;
            roots[0] = 0;
            (from[0], from[1]) = (f32::MIN, f32::MAX);
            for i in 1..count {
                loop {
                    let r = roots[last];
                    let (fi, fr) = (i as f32, r as f32);
                    let meet =
                        ((line[i] + fi * fi * square) - (line[r] + fr * fr * square)) / (2.0 * square * (fi - fr));
                    if meet <= from[last] && last > 0 {
                        last -= 1;
                        continue;
                    }
                    last += 1;
                    roots[last] = i;
                    (from[last], from[last + 1]) = (meet.max(from[last - 1]), f32::MAX);
                    break;
                }
            }
            let mut k = 0;
            for i in 0..count {
                while k < last && from[k + 1] < i as f32 {
                    k += 1;
                }
                let d = i as f32 - roots[k] as f32;
                field[start + i * stride] = d * d * square + line[roots[k]];
            }
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(half: f32) -> Vec<[Vec3; 3]> {
        let v = |i: usize| {
            let s = |bit: usize| if i >> bit & 1 == 1 { half } else { -half };
            Vec3::new(s(0), s(1), s(2))
        };
        let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        quads.iter().flat_map(|q| [[v(q[0]), v(q[1]), v(q[2])], [v(q[0]), v(q[2]), v(q[3])]]).collect()
    }

    #[test]
    fn a_cube_is_as_large_as_it_is() {
        let grid = Grid::new(&cube(10.0)).expect("closed");
        assert!((grid.distance(Vec3::ZERO) + 10.0).abs() < 0.6);
        assert!((grid.distance(Vec3::X * 13.0) - 3.0).abs() < 0.4);
        let near = grid.distance(Vec3::Y * 9.5);
        assert!((near + 0.5).abs() < 0.4, "{near}");
        assert!((grid.distance(Vec3::X * 30.0) - 20.0).abs() < 0.6);
        for (p, towards) in
            [(Vec3::X * 10.2, Vec3::X), (Vec3::new(1.0, -9.7, 2.0), Vec3::NEG_Y), (Vec3::Z * 25.0, Vec3::Z)]
        {
            let (distance, slope) = grid.slope(p);
            assert_eq!(distance, grid.distance(p));
            assert!((slope - towards).length() < 0.2, "{slope} at {p}");
        }
    }

    #[test]
    fn an_open_or_absurd_surface_is_refused() {
        let mut open = cube(10.0);
        open.truncate(2);
        assert!(Grid::new(&open).is_err());
        let mut holed = cube(10.0);
        holed.drain(0..2);
        assert_eq!(Grid::new(&holed).expect_err("open"), "the surface is not closed");
        assert!(Grid::new(&cube(1000.0)).is_err());
    }
}
