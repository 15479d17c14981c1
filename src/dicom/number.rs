//! Numbers written as text (PS3.5 section 6.2, DS and IS). Scanners write more digits and spaces than the standard allows;
//! what has one meaning only is read, and nothing else.

/// A decimal string: finite, with a point, no matter how long. A comma, a unit or a word makes it none.
pub(super) fn decimal(text: &str) -> Option<f64> {
    trimmed(text).parse::<f64>().ok().filter(|value| value.is_finite() && value.abs() < 1e300)
}

/// An integer string. A fraction of zeros is still an integer; any other is none.
pub(super) fn integer(text: &str) -> Option<i32> {
    let text = trimmed(text);
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_meaning_is_read() {
        for (text, value) in [
            ("0.488281", 0.488_281),
            (" +1.5 ", 1.5),
            ("-1024\0", -1024.0),
            ("1.0E-2", 0.01),
            ("0.48828125000000000000", 0.488_281_25),
        ] {
            assert_eq!(decimal(text), Some(value), "{text:?}");
        }
        for (text, value) in [("12", 12), ("+7 ", 7), ("12.0", 12), ("-3.", -3)] {
            assert_eq!(integer(text), Some(value), "{text:?}");
        }
    }

    #[test]
    fn what_may_mean_anything_is_not() {
        for text in ["", "-1024,5", "1 024", "1e400", "-1e400", "NaN", "inf", "1.5mm", "0x10", "1.2.3", "--1"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
        for text in ["", "12.5", "99999999999999999999", "1e3", "12,0", "."] {
            assert_eq!(integer(text), None, "{text:?}");
        }
    }
}
