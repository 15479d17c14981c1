//! What a damaged database still gives.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;

type Row = [Value; 8];

const COLUMNS: &str = "id, study, who, utc_ms, offset_minutes, act, report, blinded";

/// Farther than this past the last entry read no more is looked for.
const FAR: i64 = 1 << 20;

/// Copies the decisions that can be read, under their own numbers.
pub(super) fn decisions(damaged: &Connection, new: &mut Connection) -> rusqlite::Result<usize> {
    let rows = readable(damaged);
    let transaction = new.transaction()?;
    let mut kept = 0;
    for row in rows.values() {
        let sql = format!("INSERT OR IGNORE INTO decision ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        // A row that is not what it should be is left behind; the others matter more.
        kept += transaction.execute(&sql, params_from_iter(row.iter())).unwrap_or(0);
    }
    // What lies beside the log, from its beginning up to where it cannot be read.
    for (table, columns) in [
        ("annotation", "id, study, who, utc_ms, offset_minutes, step"),
        ("position", "who, study, utc_ms, place"),
        ("secret", "name, value"),
    ] {
        copy(damaged, &transaction, table, columns);
    }
    transaction.commit()?;
    Ok(kept)
}

fn copy(damaged: &Connection, new: &Connection, table: &str, columns: &str) {
    let Ok(mut statement) = damaged.prepare(&format!("SELECT {columns} FROM {table}")) else { return };
    let width = columns.split(',').count();
    let places: Vec<String> = (1..=width).map(|n| format!("?{n}")).collect();
    let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({})", places.join(", "));
    let Ok(mut rows) = statement.query([]) else { return };
    while let Ok(Some(row)) = rows.next() {
        let values: Result<Vec<Value>, _> = (0..width).map(|at| row.get(at)).collect();
        if let Ok(values) = values {
            // One row less matters less than the others.
            let _ = new.execute(&insert, params_from_iter(values));
        }
    }
}

/// Rows from both ends and past every place that cannot be read.
fn readable(damaged: &Connection) -> BTreeMap<i64, Row> {
    let mut rows = BTreeMap::new();
    let mut from = 0;
    let mut step = 1;
    while from < FAR.max(rows.last_key_value().map_or(0, |(id, _)| id + FAR)) {
        let before = rows.len();
        let whole = take(damaged, &format!("SELECT {COLUMNS} FROM decision WHERE id > {from} ORDER BY id"), &mut rows);
        if whole {
            break;
        }
        // Behind what cannot be read something may be readable again: steps grow until it is.
        step = if rows.len() > before { 1 } else { step * 2 };
        let last = rows.range(from..).next_back().map_or(from, |(id, _)| *id);
        from = last.max(from) + step;
    }
    take(damaged, &format!("SELECT {COLUMNS} FROM decision ORDER BY id DESC"), &mut rows);
    rows
}

/// Reads rows until one cannot be; whether all could.
fn take(damaged: &Connection, sql: &str, rows: &mut BTreeMap<i64, Row>) -> bool {
    let Ok(mut statement) = damaged.prepare(sql) else { return false };
    let Ok(mut found) = statement.query([]) else { return false };
    loop {
        let row = match found.next() {
            Ok(Some(row)) => row,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let mut values: Row = std::array::from_fn(|_| Value::Null);
        for (at, value) in values.iter_mut().enumerate() {
            let Ok(read) = row.get(at) else { return false };
            *value = read;
        }
        if let Value::Integer(id) = values[0] {
            rows.insert(id, values);
        }
    }
}

/// Of what can be made again nothing is looked for.
pub(super) fn nothing(_: &Connection, _: &mut Connection) -> rusqlite::Result<usize> {
    Ok(0)
}
