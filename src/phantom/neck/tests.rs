//! The skin lies over everything, and a line of places is measured as each place is.

use super::super::recipe::Recipe;
use super::super::scene::Scene;
use super::super::solid::Stuff;
use super::*;

#[test]
fn a_line_of_places_is_what_each_place_is_alone() {
    for seed in [3, 8, 21, 55] {
        let scene = Scene::new(&Recipe::random(seed), &|_| None);
        let (neck, across) = (&scene.neck, Vec3::new(0.42, 0.05, 0.02 * (seed % 3) as f32));
        for z in (-110..100).step_by(17) {
            for y in (-120..120).step_by(13) {
                let start = Vec3::new(-110.0, y as f32, z as f32);
                let mut line = [0.0; 523];
                neck.line(start, across, &mut line);
                for (pixel, hu) in line.into_iter().enumerate() {
                    let p = start + across * pixel as f32;
                    let mut alone = [0.0];
                    neck.line(p, Vec3::ZERO, &mut alone);
                    assert_eq!(hu.to_bits(), alone[0].to_bits(), "seed {seed}, {p}: {hu} and alone {}", alone[0]);
                }
            }
        }
    }
}

#[test]
fn skin_covers_every_spinous_process() {
    for seed in (0..120).step_by(3) {
        let scene = Scene::new(&Recipe::random(seed), &|_| None);
        let neck = &scene.neck;
        for solid in scene.solids.iter().filter(|solid| (1..=7).contains(&solid.label)) {
            let (low, high) = solid.bounds;
            let (mut outermost, mut at) = (f32::MIN, Vec3::ZERO);
            for step in 0..(high.y * (high.z - low.z)) as usize {
                // The back half of the middle plane, a millimetre apart.
                let own =
                    Vec3::new(0.0, high.y - (step % high.y as usize) as f32, low.z + (step / high.y as usize) as f32);
                let p = solid.pose.outward(own);
                let skin = -neck.depth(p);
                if skin > outermost && (solid.distance)(own) < 0.0 {
                    (outermost, at) = (skin, p);
                }
            }
            assert!(outermost < -2.0, "seed {seed}, label {}: {outermost} mm from the skin at {at}", solid.label);
        }
    }
}

#[test]
fn bits_of_bone_in_the_ligament_lie_under_the_skin() {
    let mut seen = 0;
    for seed in 0..120 {
        let scene = Scene::new(&Recipe::random(seed), &|_| None);
        for solid in scene.solids.iter().filter(|solid| solid.label == 0) {
            let (low, high) = solid.bounds;
            let small = (high - low).max_element() < 18.0 && matches!(solid.stuff, Stuff::Bone { .. });
            // Nothing else that small lies behind the canal.
            if small && solid.pose.at.y > scene.neck.level(solid.pose.at.z).canal.y + 15.0 {
                seen += 1;
                let outermost = solid.pose.outward(Vec3::Y * high.y);
                let depth = scene.neck.depth(outermost);
                assert!(depth > 1.5, "seed {seed}: {depth} mm under the skin at {outermost}");
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
