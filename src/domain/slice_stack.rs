//! Where the slices of a stack lie along its axis, what each covers, and where none does.

/// The order and regularity of a stack of parallel slices, in the volume's own order (head to foot for axial ones).
#[derive(Debug, Clone, PartialEq)]
pub struct SliceStack {
    /// Position of each slice along the stack axis in mm, rising, the first 0.
    pub offsets: Vec<f64>,
    /// Median distance of neighboring slices in mm; `None` for a single slice. This is not SliceThickness.
    pub spacing: Option<f64>,
    /// SliceThickness of each slice in mm, where every slice has a usable one; empty otherwise.
    thickness: Vec<f64>,
    /// Whether the thickness changes within the stack.
    is_mixed: bool,
}

/// Thickness that no CT slice has is not believed, mm.
const USABLE_THICKNESS: std::ops::RangeInclusive<f64> = 0.05..=50.0;
/// A step this much longer than the median is wider than rounding and uneven tables make it.
const WIDE: f64 = 1.5;
/// Positions and thicknesses are written rounded: slices this near to each other touch, mm and share of the step.
const ROUNDING: (f64, f64) = (0.02, 0.02);

impl SliceStack {
    /// The stack of slices of unknown thickness at these offsets, which must rise.
    #[must_use]
    pub fn new(offsets: Vec<f64>) -> Self {
        let mut steps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        let spacing = match steps.len() {
            0 => None,
            n if n % 2 == 1 => Some(steps[n / 2]),
            n => Some(f64::midpoint(steps[n / 2 - 1], steps[n / 2])),
        };
        Self { offsets, spacing, thickness: Vec::new(), is_mixed: false }
    }

    /// The stack of slices at these offsets, which must rise, with SliceThickness of each in mm.
    #[must_use]
    pub fn with_thickness(offsets: Vec<f64>, thickness: &[Option<f64>]) -> Self {
        let stack = Self::new(offsets);
        let usable = |mm: &Option<f64>| mm.filter(|mm| USABLE_THICKNESS.contains(mm));
        let thickness: Option<Vec<f64>> = thickness.iter().map(usable).collect();
        let thickness = thickness.filter(|all| all.len() == stack.offsets.len()).unwrap_or_default();
        let stack = Self { thickness, ..stack };
        Self { is_mixed: stack.thickness_range().is_some(), ..stack }
    }

    /// Pairs of neighbors (index of the first) between which lies space that no slice covers: their distance is more than
    /// half of both thicknesses, and more than 1.5 times the median spacing. Thin slices at a wide, even distance are
    /// sampled sparsely and have no gaps. Without thicknesses the median alone decides.
    #[must_use]
    pub fn gaps(&self) -> Vec<usize> {
        (0..self.offsets.len().saturating_sub(1)).filter(|&first| self.is_gap(first)).collect()
    }

    fn is_gap(&self, first: usize) -> bool {
        let (Some(step), Some(spacing)) = (self.step(first), self.spacing) else { return false };
        step > WIDE * spacing && self.covered(first).is_none_or(|mm| step > mm * (1.0 + ROUNDING.1) + ROUNDING.0)
    }

    /// What two neighbors cover of the way between them, mm; `None` where their thickness is unknown.
    fn covered(&self, first: usize) -> Option<f64> {
        Some(f64::midpoint(*self.thickness.get(first)?, *self.thickness.get(first + 1)?))
    }

    fn step(&self, first: usize) -> Option<f64> {
        Some(self.offsets.get(first + 1)? - self.offsets.get(first)?)
    }

    /// Whether neighbors lie at uneven distances although no space between them is uncovered: a slice is missing among
    /// overlapping ones, or positions are uneven. Where the thickness changes, the distance may change with it.
    #[must_use]
    pub fn is_uneven(&self) -> bool {
        let Some(spacing) = self.spacing else { return false };
        (0..self.offsets.len().saturating_sub(1)).filter(|&first| !self.is_gap(first)).any(|first| {
            let Some(step) = self.step(first) else { return false };
            let touching = self.is_mixed
                && self.covered(first).is_some_and(|mm| (step - mm).abs() <= ROUNDING.1 * step + ROUNDING.0);
            (step - spacing).abs() > 0.1 * spacing && !touching
        })
    }

    /// The smallest and the largest thickness in mm, if they differ by more than rounding.
    #[must_use]
    pub fn thickness_range(&self) -> Option<(f64, f64)> {
        let least = self.thickness.iter().copied().reduce(f64::min)?;
        let most = self.thickness.iter().copied().reduce(f64::max)?;
        (most - least > 0.05 * least + ROUNDING.0).then_some((least, most))
    }

    /// Distance from the first to the last slice in mm.
    #[must_use]
    pub fn extent(&self) -> f64 {
        self.offsets.last().copied().unwrap_or(0.0)
    }

    /// How far from its center a slice still speaks for the space beside it, mm: half the way to a neighbor that it touches,
    /// else half its thickness, else half the spacing.
    fn reach(&self, index: usize, toward_next: bool) -> f64 {
        let ordinary = self.spacing.unwrap_or(1.0);
        let beside =
            |first: Option<usize>| first.filter(|&first| !self.is_gap(first)).and_then(|first| self.step(first));
        let (facing, other) = (Some(index), index.checked_sub(1));
        let (facing, other) = if toward_next { (facing, other) } else { (other, facing) };
        let step = beside(facing).or_else(|| beside(other));
        // Only a stack of several thicknesses has a neighbor's step other than the median that means anything.
        let own = if self.is_mixed { step.or_else(|| self.thickness.get(index).copied()) } else { None };
        own.unwrap_or(ordinary) / 2.0
    }

    /// The slice index, with fraction, at this offset in mm; `None` outside the stack and inside a gap, where no slice
    /// is near enough to speak for the place.
    #[must_use]
    pub fn index_at(&self, offset: f64) -> Option<f64> {
        let n = self.offsets.len();
        let (&first, &last) = (self.offsets.first()?, self.offsets.last()?);
        if !offset.is_finite() || offset < first - self.reach(0, false) || offset > last + self.reach(n - 1, true) {
            return None;
        }
        let after = self.offsets.partition_point(|&o| o <= offset);
        if after == 0 || after == n {
            return Some(if after == 0 { 0.0 } else { (n - 1) as f64 });
        }
        let (a, b) = (self.offsets[after - 1], self.offsets[after]);
        if !self.is_gap(after - 1) {
            return Some((after - 1) as f64 + (offset - a) / (b - a));
        }
        if offset - a <= self.reach(after - 1, true) {
            Some((after - 1) as f64)
        } else if b - offset <= self.reach(after, false) {
            Some(after as f64)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_is_seen_and_not_bridged() {
        let stack = SliceStack::new(vec![0.0, 8.0, 16.0, 32.0, 40.0]);
        assert_eq!(stack.spacing, Some(8.0));
        assert_eq!(stack.gaps(), vec![2]);
        assert_eq!(stack.index_at(4.0), Some(0.5));
        assert_eq!(stack.index_at(24.0), None);
        assert_eq!(stack.index_at(19.0), Some(2.0));
        assert_eq!(stack.index_at(43.0), Some(4.0));
        assert_eq!(stack.index_at(45.0), None);
    }

    /// 14 slices of 1 mm, then 10 of 3 mm that touch them and each other.
    fn thin_then_thick() -> SliceStack {
        let offsets = (0..14).map(f64::from).chain((0..10).map(|i| 15.0 + 3.0 * f64::from(i))).collect();
        let thickness: Vec<Option<f64>> = (0..24).map(|i| Some(if i < 14 { 1.0 } else { 3.0 })).collect();
        SliceStack::with_thickness(offsets, &thickness)
    }

    #[test]
    fn thick_slices_that_touch_thin_ones_leave_no_gap_and_no_black_band() {
        let stack = thin_then_thick();
        assert!(stack.gaps().is_empty() && !stack.is_uneven());
        assert_eq!(stack.thickness_range(), Some((1.0, 3.0)));
        // From half a thin slice before the first to half a thick one after the last, every place has a slice.
        for tenth in -5..=435 {
            assert!(stack.index_at(f64::from(tenth) / 10.0).is_some(), "{tenth} tenths of a mm");
        }
        assert_eq!(stack.index_at(43.6), None);
    }

    #[test]
    fn a_slice_missing_among_thick_ones_is_a_gap_and_among_overlapping_ones_is_uneven() {
        let mut stack = thin_then_thick();
        stack.offsets.remove(20);
        stack.thickness.remove(20);
        assert_eq!(stack.gaps(), vec![19]);
        let overlapping: Vec<f64> = (0..20).filter(|i| *i != 7).map(f64::from).collect();
        let stack = SliceStack::with_thickness(overlapping, &[Some(2.0); 19]);
        assert!(stack.gaps().is_empty() && stack.is_uneven(), "2 mm thick at 1 mm: the space is covered");
        let sparse = SliceStack::with_thickness((0..20).map(|i| 5.0 * f64::from(i)).collect(), &[Some(1.0); 20]);
        assert!(sparse.gaps().is_empty() && !sparse.is_uneven(), "1 mm slices 5 mm apart are sparse, not torn");
    }

    proptest! {
        /// Whatever the thicknesses, a slice that is taken out of the inside of an even stack shows.
        #[test]
        fn a_missing_slice_always_shows(
            count in 6_usize..60,
            at in 0.0..1.0_f64,
            spacing in 0.2..6.0_f64,
            thickness in prop::option::of(0.1..12.0_f64),
        ) {
            let missing = 1 + (at * (count - 2) as f64) as usize;
            let offsets = (0..count).filter(|index| *index != missing).map(|index| index as f64 * spacing).collect();
            let stack = SliceStack::with_thickness(offsets, &vec![thickness; count - 1]);
            prop_assert!(!stack.gaps().is_empty() || stack.is_uneven());
        }

        #[test]
        fn every_place_that_a_slice_covers_has_an_index(
            thickness in prop::collection::vec(0.3..5.0_f64, 2..40),
            at in 0.0..1.0_f64,
        ) {
            let mut offsets = vec![0.0];
            for pair in thickness.windows(2) {
                offsets.push(offsets[offsets.len() - 1] + f64::midpoint(pair[0], pair[1]));
            }
            let given: Vec<Option<f64>> = thickness.iter().copied().map(Some).collect();
            let stack = SliceStack::with_thickness(offsets, &given);
            prop_assert!(stack.gaps().is_empty(), "all touch");
            prop_assert!(stack.index_at(at * stack.extent()).is_some());
        }
    }
}
