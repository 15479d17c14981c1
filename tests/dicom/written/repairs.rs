//! Each deviation that is repaired: the slice is read as if it were right, and the repair is named.

use super::{numbers, volume};
use crate::support::made::{
    BIG_ENDIAN, ENCAPSULATED, ENCAPSULATED_END, EXPLICIT, Element, IMPLICIT, RLE, Writing, data_set, good_slices, item,
    part10, rle, sequence, set, slice, text, voxel,
};
use cspine::domain::{Oddity, Repair, Volume};

/// The volume of five good slices and the third as these bytes have it.
fn with_third(bytes: &[u8]) -> Volume {
    let folder = tempfile::tempdir().expect("a folder");
    good_slices(folder.path(), [1, 2, 4, 5, 6]);
    std::fs::write(folder.path().join("third"), bytes).expect("written");
    volume(folder.path())
}

/// What the scan tells of the third file alone, before any pixel is read.
fn told_by_scan(bytes: &[u8]) -> (usize, Vec<Oddity>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("third"), bytes).expect("written");
    let (studies, unreadable, _) = cspine::dicom::scan_all(&[folder.path().to_owned()], &cspine::task::Cancel::new());
    let reasons = unreadable.into_iter().map(|(_, reason)| reason).collect();
    (studies[0].picture_count(), studies[0].series[0].oddities.clone(), reasons)
}

/// All six slices are there with their own voxels, and exactly these repairs are named.
fn assert_repaired(what: &str, bytes: &[u8], repairs: &[Repair]) {
    let volume = with_third(bytes);
    assert_eq!(numbers(&volume), [6, 5, 4, 3, 2, 1], "{what}");
    let third: Vec<_> = (0..64).map(|index| volume.at(3, index / 8, index % 8)).collect();
    assert_eq!(third, (0..64).map(|index| Some(voxel(3, index))).collect::<Vec<_>>(), "{what}");
    let told: Vec<Oddity> = repairs.iter().copied().map(Oddity::Repaired).collect();
    assert_eq!(volume.oddities, told, "{what}");
    assert_eq!(told_by_scan(bytes), (1, told, vec![]), "{what}");
}

fn explicit(elements: &[Element]) -> Vec<u8> {
    data_set(elements, Writing::Explicit)
}

/// A whole file of explicit elements, changed.
fn changed(change: impl FnOnce(&mut Vec<Element>)) -> Vec<u8> {
    let mut elements = slice(3);
    change(&mut elements);
    part10(EXPLICIT, &explicit(&elements))
}

fn position(elements: &[Element], tag: (u16, u16)) -> usize {
    elements.iter().position(|element| element.tag == tag).expect("the element")
}

#[test]
fn headers_that_are_missing_or_wrong() {
    let elements = slice(3);
    let good = part10(EXPLICIT, &explicit(&elements));
    assert_repaired("nothing is wrong", &good, &[]);
    assert_repaired("no group length", &[&good[..132], &good[144..]].concat(), &[]);
    let mut wrong = good.clone();
    wrong[140] ^= 0x7F;
    assert_repaired("a wrong group length", &wrong, &[Repair::WrongMetaGroupLength]);
    assert_repaired("no preamble", &good[132..], &[Repair::NoPreamble]);
    assert_repaired("no preamble but its mark", &good[128..], &[Repair::NoPreamble]);
    for writing in [Writing::Implicit, Writing::Explicit, Writing::BigEndian] {
        assert_repaired("a bare data set", &data_set(&elements, writing), &[Repair::NoMeta]);
    }
}

#[test]
fn transfer_syntaxes_that_lie() {
    let elements = slice(3);
    for (syntax, writing) in [
        (EXPLICIT, Writing::Implicit),
        (IMPLICIT, Writing::Explicit),
        (EXPLICIT, Writing::BigEndian),
        (BIG_ENDIAN, Writing::Explicit),
        (RLE, Writing::Explicit),
        (RLE, Writing::Implicit),
    ] {
        assert_repaired(syntax, &part10(syntax, &data_set(&elements, writing)), &[Repair::TransferSyntax]);
    }
    for (syntax, writing) in [(IMPLICIT, Writing::Implicit), (BIG_ENDIAN, Writing::BigEndian)] {
        assert_repaired(syntax, &part10(syntax, &data_set(&elements, writing)), &[]);
    }
    // Pixels under a syntax that nobody knows are not guessed at, nor those of another size than the picture's.
    let unknown = with_third(&part10("1.2.3.4", &explicit(&elements)));
    assert_eq!(numbers(&unknown), [6, 5, 4, 2, 1]);
    let reasons = told_by_scan(&part10("1.2.3.4", &explicit(&elements))).2;
    assert!(reasons.len() == 1 && reasons[0].contains("1.2.3.4 cannot be decoded"), "{reasons:?}");
}

#[test]
fn elements_that_break_the_rules() {
    let odd = changed(|elements| elements.insert(3, Element { tag: (8, 0x50), vr: "SH", value: b"odd".to_vec() }));
    assert_repaired("an odd length", &odd, &[Repair::OddLength]);
    let mut uncounted = Element { tag: (8, 0x50), vr: "SH", value: b"odd".to_vec() }.write(Writing::Explicit);
    uncounted.push(b' ');
    let elements = slice(3);
    let padded = [explicit(&elements[..3]), uncounted, explicit(&elements[3..])].concat();
    assert_repaired("a padding that is not counted", &part10(EXPLICIT, &padded), &[Repair::OddLength]);

    for (what, header) in [
        ("two bytes of length", &b"??\x04\x00"[..]),
        ("four bytes of length", b"ZZ\x00\x00\x04\x00\x00\x00"),
        ("no VR at all", b"\x04\x00\x00\x00"),
    ] {
        let unknown = [&[0x08, 0, 0x50, 0], header, b"1234"].concat();
        let bytes = [explicit(&elements[..3]), unknown, explicit(&elements[3..])].concat();
        assert_repaired(what, &part10(EXPLICIT, &bytes), &[Repair::UnknownVr]);
    }
    let unknown_rows = changed(|elements| {
        let rows = position(elements, (0x0028, 0x0010));
        elements[rows].vr = "UN";
    });
    assert_repaired("a known element as UN", &unknown_rows, &[]);

    let order = changed(|elements| {
        let rows = position(elements, (0x0028, 0x0010));
        let rows = elements.remove(rows);
        elements.insert(1, rows);
    });
    assert_repaired("an element out of order", &order, &[Repair::Order]);
    let doubled = changed(|elements| {
        let at = position(elements, (0x0020, 0x0032));
        elements.insert(at + 1, text((0x0020, 0x0032), "DS", "0\\0\\999"));
    });
    assert_repaired("a doubled element", &doubled, &[Repair::Doubled]);

    let harmless = changed(|elements| {
        elements.insert(0, Element { tag: (8, 0), vr: "UL", value: vec![9, 9, 0, 0] });
        set(elements, text((0x0029, 0x1001), "LO", "no creator"));
        set(elements, text((0x0019, 0x0010), "LO", "A"));
        let at = position(elements, (0x0019, 0x0010));
        elements.insert(at, text((0x0019, 0x0010), "LO", "B"));
    });
    assert_repaired("group lengths and private elements", &harmless, &[]);
}

#[test]
fn sequences_without_their_ends() {
    let inner = text((0x0008, 0x1150), "UI", "1.2.3").write(Writing::Explicit);
    let header = [&[0x08, 0, 0x40, 0x11][..], b"SQ\0\0\xff\xff\xff\xff"].concat();
    let open_item = [0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    let item_end = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0];
    let sequence_end = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    let with = |middle: &[u8]| {
        let elements = slice(3);
        part10(
            EXPLICIT,
            &[explicit(&elements[..4]), header.clone(), middle.to_vec(), explicit(&elements[4..])].concat(),
        )
    };
    let whole = [&open_item[..], &inner, &item_end, &item(&inner), &sequence_end].concat();
    assert_repaired("both forms of items", &with(&whole), &[]);
    let no_sequence_end = [&open_item[..], &inner, &item_end, &item(&inner)].concat();
    assert_repaired("no end of the sequence", &with(&no_sequence_end), &[Repair::SequenceEnd]);
    let no_item_end = [&open_item[..], &inner, &open_item, &inner, &sequence_end].concat();
    assert_repaired("no end of the items", &with(&no_item_end), &[Repair::SequenceEnd]);
    let two_ends = [&whole[..], &sequence_end].concat();
    assert_repaired("an end too many", &with(&two_ends), &[Repair::SequenceEnd]);
    // Where neither ends, what follows may be the item's or the data set's.
    let neither = with_third(&with(&[&open_item[..], &inner].concat()));
    assert_eq!(numbers(&neither), [6, 5, 4, 2, 1]);
}

#[test]
fn what_follows_the_pixels() {
    let good = changed(|_| ());
    assert_repaired("stray bytes", &[&good[..], b"stray bytes"].concat(), &[Repair::TrailingBytes]);
    assert_repaired("stray zeros", &[&good[..], &[0; 20]].concat(), &[Repair::TrailingBytes]);
    let padded = changed(|elements| elements.push(Element { tag: (0xFFFC, 0xFFFC), vr: "OB", value: vec![0; 10] }));
    assert_repaired("the standard's own padding", &padded, &[]);
}

#[test]
fn lengths_of_native_pixels_that_lie() {
    let good = changed(|_| ());
    let length = good.len() - 128 - 4;
    for lie in [0xFFFF_FFF0_u32, 7, 0, 126] {
        let bytes = [&good[..length], &lie.to_le_bytes(), &good[length + 4..]].concat();
        assert!(with_third(&bytes).oddities.contains(&Oddity::Repaired(Repair::PixelLength)), "{lie}");
        assert_eq!(numbers(&with_third(&bytes)), [6, 5, 4, 3, 2, 1], "{lie}");
    }
    let cut = with_third(&good[..good.len() - 1]);
    assert_eq!(numbers(&cut), [6, 5, 4, 2, 1]);
}

#[test]
fn a_file_that_ends_within_an_element_keeps_what_is_whole() {
    let mut elements = slice(3);
    elements.truncate(12);
    let bytes = part10(EXPLICIT, &explicit(&elements));
    let folder = tempfile::tempdir().expect("a folder");
    good_slices(folder.path(), [1, 2]);
    std::fs::write(folder.path().join("third"), &bytes[..bytes.len() - 1]).expect("written");
    let study = &super::studies(folder.path())[0];
    assert_eq!(study.picture_count(), 2, "the study's other files are read");
}

#[test]
fn encapsulated_pixels() {
    let mut elements = slice(3);
    let pixels = elements.pop().expect("pixels").value;
    let stream = rle(&pixels);
    let with = |items: &[&[u8]]| part10(RLE, &[explicit(&elements), ENCAPSULATED.to_vec(), items.concat()].concat());
    let end = &ENCAPSULATED_END[..];
    assert_repaired("no table", &with(&[&item(&[]), &item(&stream), end]), &[]);
    assert_repaired("a table", &with(&[&item(&[0; 4]), &item(&stream), end]), &[]);
    for table in [&[9, 0, 0, 0][..], &[0; 12], &[0; 2]] {
        assert_repaired("a wrong table", &with(&[&item(table), &item(&stream), end]), &[Repair::OffsetTable]);
    }
    assert_repaired("no end", &with(&[&item(&[]), &item(&stream)]), &[Repair::PixelSequenceEnd]);
    let (first, second) = stream.split_at(70);
    assert_repaired("two fragments", &with(&[&item(&[]), &item(first), &item(second), end]), &[]);
    for (what, items) in [
        ("no fragment", vec![item(&[])]),
        ("nothing", vec![]),
        ("a cut fragment", vec![item(&[]), item(&stream)[..60].to_vec()]),
    ] {
        let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        assert_eq!(numbers(&with_third(&with(&items))), [6, 5, 4, 2, 1], "{what}");
        let (pictures, oddities, reasons) = told_by_scan(&with(&items));
        assert_eq!((pictures, reasons.len()), (0, 1), "{what}: {reasons:?}");
        assert!(oddities.contains(&Oddity::UnreadablePixels(1)), "{what}: {oddities:?}");
    }
}

/// A wrong character set is told; a right one is not.
#[test]
fn names_in_other_character_sets() {
    for (names, bytes, shown, repairs) in [
        ("ISO_IR 100", &b"M\xfcller^J\xfcrgen"[..], "Müller, Jürgen", vec![]),
        ("ISO_IR 100", "Müller^Jürgen".as_bytes(), "Müller, Jürgen", vec![Oddity::Repaired(Repair::CharacterSet)]),
        ("\\ISO 2022 IR 87", b"=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "山田, 太郎", vec![]),
        ("\\ISO 2022 IR 149", b"=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "洪, 吉洞", vec![]),
        ("GB18030", b"=\xcd\xf5^\xd0\xa1\xb6\xab", "王, 小东", vec![]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut elements = slice(1);
        set(&mut elements, text((0x0008, 0x0005), "CS", names));
        set(&mut elements, crate::support::made::bytes((0x0010, 0x0010), "PN", bytes));
        let file = part10(EXPLICIT, &explicit(&elements));
        std::fs::write(folder.path().join("one"), file).expect("written");
        let study = &super::studies(folder.path())[0];
        assert_eq!(study.patient.name.as_str(), shown, "{names}");
        assert_eq!(study.series[0].oddities, repairs, "{names}");
    }
}

#[test]
fn numbers_that_break_the_standard() {
    let named = |tag: (u16, u16), vr, value: &str| {
        let volume = with_third(&changed(|elements| set(elements, text(tag, vr, value))));
        (numbers(&volume).contains(&3), volume.oddities)
    };
    for value in [" 0.50000000000000000000\\+0.5 ", "5E-1\\0.5\0\0"] {
        assert_eq!(named((0x0028, 0x0030), "DS", value), (true, vec![]), "{value}");
    }
    assert_eq!(named((0x0020, 0x0013), "IS", "3.0"), (true, vec![]));
    let named = |name: &str| Oddity::BadNumber(name.to_owned());
    for (tag, vr, value, told) in [
        ((0x0028, 0x1052), "DS", "-1024,5", Oddity::BadRescale(1)),
        ((0x0028, 0x1053), "DS", "1e400", Oddity::BadRescale(1)),
        ((0x0020, 0x0032), "DS", "0\\0\\nan", named("ImagePositionPatient")),
        ((0x0028, 0x0030), "DS", "0,5\\0,5", named("PixelSpacing")),
        ((0x0020, 0x0013), "IS", "12.5", named("InstanceNumber")),
        ((0x0018, 0x0050), "DS", "two", named("SliceThickness")),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = changed(|elements| set(elements, text(tag, vr, value)));
        std::fs::write(folder.path().join("one"), file).expect("written");
        let study = &super::studies(folder.path())[0];
        assert!(study.series[0].oddities.contains(&told), "{told}: {:?}", study.series[0].oddities);
    }
}

#[test]
fn a_sequence_that_is_kept_is_also_read_from_unknown_elements() {
    // A modality LUT hidden in UN, in implicit little endian (PS3.5 section 6.2.2): the values are not rescaled as if
    // there were none.
    let lut = text((0x0028, 0x3004), "LO", "US").write(Writing::Implicit);
    let mut hidden = sequence((0x0028, 0x3000), &[lut]);
    hidden.vr = "UN";
    let volume = with_third(&changed(|elements| {
        elements.retain(|element| !matches!(element.tag, (0x0028, 0x1052 | 0x1053)));
        set(elements, hidden);
    }));
    assert_eq!(numbers(&volume), [6, 5, 4, 2, 1]);
    assert!(volume.oddities.iter().any(|oddity| matches!(oddity, Oddity::PixelForm(..))), "{:?}", volume.oddities);
}
