//! Where on a screen the active picture lies.

use crate::image::Area;

/// The place for pixels inside the frame that says which slice it shows, without the border and the texts around it; `None`
/// where the screen has no such frame.
pub(crate) fn picture_area(text: &str, cell: (usize, usize)) -> Option<Area> {
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let (top, left) = lines.iter().enumerate().find_map(|(y, line)| {
        let corner = line.iter().position(|c| *c == '╭')?;
        let title: String = line[corner..].iter().collect();
        (title.starts_with("╭ axial · ")).then_some((y, corner))
    })?;
    let right = left + lines[top][left..].iter().position(|c| *c == '╮')?;
    let bottom = (top..lines.len()).find(|y| lines[*y].get(left) == Some(&'╰'))?;
    Some(Area {
        x: (left + 3) * cell.0,
        y: (top + 2) * cell.1,
        width: (right - left).checked_sub(5)? * cell.0,
        height: (bottom - top).checked_sub(3)? * cell.1,
    })
}
