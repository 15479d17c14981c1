//! Where on a screen the active picture lies.

use crate::image::Area;

/// The place for pixels inside the frame that says which slice it shows, without the border and the texts around it; `None`
/// where the screen has no such frame.
pub(crate) fn picture_area(text: &str, cell: (usize, usize)) -> Option<Area> {
    frames(text, cell).into_iter().next().map(|(_, area)| area)
}

/// All frames of axial pictures, from the top and from the left, with their titles.
pub(crate) fn frames(text: &str, cell: (usize, usize)) -> Vec<(String, Area)> {
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let mut found = Vec::new();
    for (top, line) in lines.iter().enumerate() {
        for left in (0..line.len()).filter(|left| line[*left] == '╭') {
            let title: String = line[left..].iter().take_while(|c| **c != '╮').collect();
            if title.starts_with("╭ axial · ") {
                found.extend(inside(&lines, (top, left), cell).map(|area| (title, area)));
            }
        }
    }
    found
}

/// The place for pixels inside the frame whose corner is here.
fn inside(lines: &[Vec<char>], (top, left): (usize, usize), cell: (usize, usize)) -> Option<Area> {
    let right = left + lines[top][left..].iter().position(|c| *c == '╮')?;
    let bottom = (top..lines.len()).find(|y| lines[*y].get(left) == Some(&'╰'))?;
    Some(Area {
        x: (left + 3) * cell.0,
        y: (top + 2) * cell.1,
        width: (right - left).checked_sub(5)? * cell.0,
        height: (bottom - top).checked_sub(3)? * cell.1,
    })
}
