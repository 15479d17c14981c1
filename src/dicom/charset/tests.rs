//! The examples of PS3.5 annexes H (Japanese), I (Korean), J (Unicode, GB18030 and GBK) and K (Chinese with extensions),
//! and what files do instead.

use super::*;

fn name(names: &str, bytes: &[u8]) -> String {
    let (text, guessed) = Charset::from_names(names).decode(bytes, true);
    assert!(!guessed, "{text}");
    text
}

/// PS3.5 sections H.3.1 and H.3.2.
#[test]
fn japanese() {
    let kanji = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
    assert_eq!(name("\\ISO 2022 IR 87", kanji), "Yamada^Tarou=山田^太郎=やまだ^たろう");
    let katakana =
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J";
    assert_eq!(name("ISO 2022 IR 13\\ISO 2022 IR 87", katakana), "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう");
    assert_eq!(name("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"), "ﾔﾏﾀﾞ^ﾀﾛｳ");
    // JIS X 0212, row 16, cell 1.
    assert_eq!(name("\\ISO 2022 IR 87\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B^A"), "丂^A");
}

/// PS3.5 section I.2: the escape sequence comes again in each component.
#[test]
fn korean() {
    let bytes = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf";
    assert_eq!(name("\\ISO 2022 IR 149", bytes), "Hong^Gildong=洪^吉洞=홍^길동");
}

/// PS3.5 sections J.1 to J.4 and K.2.
#[test]
fn chinese_and_unicode() {
    let utf8 = "Wang^XiaoDong=王^小东=";
    assert_eq!(name("ISO_IR 192", utf8.as_bytes()), utf8);
    let gbk = b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=";
    assert_eq!(name("GB18030", gbk), utf8);
    assert_eq!(name("GBK", gbk), utf8);
    // A character whose second byte is a backslash does not divide a value.
    assert_eq!(name("GBK", b"\x81\x5c^A"), "乗^A".replace('乗', &rs::GBK.decode(b"\x81\x5c").0));
    let extended = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=";
    assert_eq!(name("\\ISO 2022 IR 58", extended), "Zhang^XiaoDong=张^小东=");
}

#[test]
fn sets_of_single_bytes() {
    for (set, bytes, text) in [
        ("ISO_IR 100", &b"Buc^J\xe9r\xf4me"[..], "Buc^Jérôme"),
        ("ISO_IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
        ("ISO_IR 109", b"\xa9er\xbf", "İerż"),
        ("ISO_IR 110", b"\xb9\xe0", "šā"),
        ("ISO_IR 144", b"\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3", "Люксембург"),
        ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
        ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
        ("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
        ("ISO_IR 148", b"\xc7a\xf0lar", "Çağlar"),
        ("ISO_IR 166", b"\xa1\xd2", "กา"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", b"\xe9 \x1b-L\xbb", "é Л"),
        ("iso-ir 100", b"J\xe9r", "Jér"),
        ("ISO IR 192", "é".as_bytes(), "é"),
    ] {
        assert_eq!(name(set, bytes), text, "{set}");
    }
}

/// What is in another set than stated is read where that is certain, and told in any case.
#[test]
fn a_wrong_set_is_told() {
    for names in ["", "ISO_IR 6", "ISO_IR 100", "ISO_IR 101", "ISO_IR 999"] {
        assert_eq!(
            Charset::from_names(names).decode("Müller^Jürgen".as_bytes(), true),
            ("Müller^Jürgen".into(), true),
            "{names}"
        );
    }
    assert_eq!(Charset::DEFAULT.decode(b"M\xfcller", true), ("Müller".into(), true));
    assert!(Charset::from_names("ISO_IR 192").decode(b"M\xfcller", true).1);
    assert_eq!(Charset::from_names("ISO_IR 999").decode(b"plain", true), ("plain".into(), false));
}

/// Bytes that no set has, cut characters and escape sequences that nobody announced never stop the reading.
#[test]
fn damaged_text_is_still_text() {
    for names in ["", "\\ISO 2022 IR 87", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "ISO_IR 13", "GB18030", "ISO_IR 192"]
    {
        let charset = Charset::from_names(names);
        for bytes in
            [&b"\x1b"[..], b"\x1b$B", b"\x1b$B;", b"\x1b$)C\xfb", b"A\x1b]0;x\x07B", b"\xff\xfe\x80", b"\x1b$B^^=="]
        {
            let _ = charset.decode(bytes, true);
        }
    }
    assert_eq!(Charset::DEFAULT.decode(b"\x1b$B;3", false).0, "\u{1b}$B;3", "no extension was announced");
}
