//! The statistics of a made log, whose numbers are computed by hand.

use cspine::agreement::{Shifts, StudyLog, page, statistics};
use cspine::domain::{
    Act, Agreement, CervicalLevel, CleanText, Draft, EntryId, LevelVerdict, LogEntry, NoteText, OnReport, PerLevel,
    Probability, RejectionReason, Stamp, StudyVerdict, Uid,
};
use std::collections::BTreeMap;

fn p(value: f32) -> Probability {
    Probability::new(value).expect("a probability")
}

fn stamp(day: i64, hour: i64, minute: i64) -> Stamp {
    // 2026-11-23T00:00:00Z, a day's number and a clock one hour ahead of UTC.
    Stamp { utc_ms: 1_795_392_000_000 + ((day * 24 + hour - 1) * 60 + minute) * 60_000, offset_minutes: 60 }
}

fn report(overall: f32, levels: [Option<f32>; 7]) -> OnReport {
    OnReport {
        model: "phantom-b0".into(),
        version: "0.3.0".into(),
        sha256: "0123456789abcdef".into(),
        series: Uid::from_file("1.2.3"),
        overall: p(overall),
        overall_threshold: p(0.5),
        levels: PerLevel(levels.map(|level| level.map(p))),
        level_threshold: p(0.3),
        preliminary: false,
        alert_withheld: false,
    }
}

/// C6 suspicious, C7 not in the scan, the others quiet.
fn c6(value: f32) -> [Option<f32>; 7] {
    [Some(0.1), Some(0.1), Some(0.1), Some(0.1), Some(0.1), Some(value), None]
}

struct Made {
    logs: Vec<StudyLog>,
    entries: i64,
}

impl Made {
    fn study(&mut self, arrived: Stamp) -> &mut Self {
        let number = self.logs.len() + 1;
        self.logs.push(StudyLog {
            study: Uid::from_file(&format!("1.2.{number}")),
            label: CleanText::new(&format!("PHANTOM, {number}")),
            arrived: Some(arrived),
            entries: Vec::new(),
        });
        self
    }

    fn entry(&mut self, at: Stamp, who: &str, act: Act, report: Option<OnReport>, blinded: bool) -> &mut Self {
        self.entries += 1;
        let log = self.logs.last_mut().expect("a study");
        log.entries.push(LogEntry {
            id: EntryId(self.entries),
            who: CleanText::new(who),
            at,
            draft: Draft { study: log.study.clone(), act, report, blinded },
        });
        self
    }
}

fn level(level: CervicalLevel, verdict: LevelVerdict, agreement: Option<Agreement>) -> Act {
    Act::Level { level, verdict, agreement }
}

/// Seven studies: both positive; network alone (an osteophyte at C6); reader alone (C2); two negative by both; one without a report;
/// one deferred.
fn made() -> Vec<StudyLog> {
    let mut made = Made { logs: Vec::new(), entries: 0 };
    let day = |hour, minute| stamp(0, hour, minute);
    made.study(day(8, 0))
        .entry(
            day(8, 20),
            "lm",
            level(CervicalLevel::C6, LevelVerdict::Fractured, Some(Agreement::Agrees)),
            Some(report(0.8, c6(0.8))),
            false,
        )
        .entry(day(8, 30), "lm", Act::Study(StudyVerdict::Positive), Some(report(0.8, c6(0.8))), false);
    made.study(day(8, 0))
        .entry(
            day(8, 50),
            "lm",
            level(
                CervicalLevel::C6,
                LevelVerdict::NotFractured,
                Some(Agreement::Rejects { reason: RejectionReason::Osteophyte }),
            ),
            Some(report(0.7, c6(0.6))),
            false,
        )
        .entry(day(9, 0), "lm", Act::Study(StudyVerdict::Negative), Some(report(0.7, c6(0.6))), false);
    made.study(day(8, 0))
        .entry(
            day(9, 20),
            "lm",
            level(CervicalLevel::C2, LevelVerdict::Fractured, Some(Agreement::Adds)),
            Some(report(0.2, c6(0.1))),
            false,
        )
        .entry(day(9, 30), "lm", Act::Study(StudyVerdict::Positive), Some(report(0.2, c6(0.1))), false);
    // Blind, and positive at first.
    made.study(day(8, 0))
        .entry(day(15, 0), "kr", Act::Study(StudyVerdict::Positive), Some(report(0.1, c6(0.1))), true)
        .entry(day(15, 10), "kr", Act::Study(StudyVerdict::Negative), Some(report(0.1, c6(0.1))), false);
    // After midnight: the night shift of the day before.
    made.study(stamp(1, 1, 0)).entry(
        stamp(1, 2, 0),
        "kr",
        Act::Study(StudyVerdict::Negative),
        Some(report(0.3, c6(0.1))),
        false,
    );
    made.study(day(8, 0)).entry(day(10, 0), "lm", Act::Study(StudyVerdict::Negative), None, false);
    made.study(day(8, 0)).entry(
        day(10, 5),
        "lm",
        Act::Study(StudyVerdict::Deferred { reason: NoteText::new("prior study") }),
        Some(report(0.9, c6(0.9))),
        false,
    );
    made.logs
}

#[test]
fn studies_are_counted_as_by_hand() {
    let statistics = statistics(&made(), &Shifts::default());
    assert_eq!(statistics.studies, 7);
    assert_eq!(
        (statistics.states["negative"], statistics.states["positive"], statistics.states["deferred"]),
        (4, 2, 1)
    );
    assert_eq!((statistics.readers, statistics.without_report, statistics.models.len()), (2, 1, 1));
    let studies = &statistics.models[0].studies;
    assert_eq!((studies.both, studies.network_only, studies.reader_only, studies.neither), (1, 1, 1, 2));
    assert_eq!(studies.sensitivity.value, Some(0.5));
    assert_eq!(studies.ppv.value, Some(0.5));
    assert_eq!(studies.specificity.value, Some(2.0 / 3.0));
    assert_eq!(studies.agreement.value, Some(0.6));
    // Chance: (2·2 + 3·3)/25 = 0.52; kappa = (0.6 − 0.52)/0.48.
    assert!((studies.kappa.expect("a kappa") - 1.0 / 6.0).abs() < 1e-12);
    // Wilson, 1 of 2: centre 1/2, half-width z/(1 + z²/2) · √(1/8 + z²/16) with z = 1.959964.
    assert!((studies.ppv.low.expect("a bound") - 0.0945).abs() < 5e-5, "{:?}", studies.ppv);
    assert!((studies.ppv.high.expect("a bound") - 0.9055).abs() < 5e-5);
    assert!(studies.too_few.as_ref().is_some_and(|words| words.contains("2 called broken")));
}

#[test]
fn levels_count_where_both_spoke() {
    let statistics = statistics(&made(), &Shifts::default());
    let levels = &statistics.models[0].levels;
    // Positive studies count C6 and C2 alone; each of three negative ones its six levels in the scan, C6 of one of them marked.
    assert_eq!((levels.both, levels.network_only, levels.reader_only, levels.neither), (1, 1, 1, 17));
    assert_eq!(statistics.models[0].rejected, BTreeMap::from([("osteophyte", 1)]));
}

#[test]
fn a_study_in_conflict_is_listed_and_counts_nowhere() {
    let mut logs = made();
    let before = statistics(&logs, &Shifts::default());
    let mut entry = logs[0].entries[1].clone();
    (entry.id, entry.who) = (EntryId(99), CleanText::new("kr"));
    entry.draft.act = Act::Study(StudyVerdict::Negative);
    logs[0].entries.push(entry.clone());
    let disputed = statistics(&logs, &Shifts::default());
    assert_eq!((disputed.states["conflict"], disputed.states["positive"]), (1, before.states["positive"] - 1));
    assert_eq!(disputed.conflicts[0].text, "conflict: lm positive, kr negative");
    assert!(page(&disputed).contains("PHANTOM, 1  conflict: lm positive, kr negative"), "{}", page(&disputed));
    assert_eq!(disputed.turnaround.studies, before.turnaround.studies - 1);
    // A third entry settles it.
    (entry.id, entry.draft.act) = (EntryId(100), Act::ResolveStudy { verdict: StudyVerdict::Positive });
    logs[0].entries.push(entry);
    assert!(statistics(&logs, &Shifts::default()).conflicts.is_empty());
}

#[test]
fn blind_verdicts_are_the_first_ones() {
    let statistics = statistics(&made(), &Shifts::default());
    let blinded = &statistics.models[0].blinded;
    assert_eq!((blinded.both, blinded.network_only, blinded.reader_only, blinded.neither), (0, 0, 1, 0));
    assert_eq!(blinded.kappa.map(|kappa| kappa.abs() < 1e-12), Some(true));
}

#[test]
fn alarms_belong_to_the_shift_that_began_before_midnight() {
    let statistics = statistics(&made(), &Shifts::default());
    let shifts: Vec<_> = statistics
        .shifts
        .iter()
        .map(|shift| (shift.shift.as_str(), shift.shifts, shift.studies, shift.alarms))
        .collect();
    assert_eq!(shifts, [("06–14", 1, 4, 2), ("14–22", 1, 1, 0), ("22–06", 1, 1, 0)]);
    let days: Vec<_> = statistics.days.iter().map(|day| (day.day.as_str(), day.studies, day.alarms)).collect();
    assert_eq!(days, [("2026-11-23", 5, 2), ("2026-11-24", 1, 0)]);
    // Two shifts: the night's one began on the day before.
    let two = cspine::agreement::statistics(&made(), &Shifts::new(&[20, 8]).expect("shifts")).shifts;
    let two: Vec<_> = two.iter().map(|shift| (shift.shift.as_str(), shift.shifts, shift.studies)).collect();
    assert_eq!(two, [("08–20", 1, 5), ("20–08", 1, 1)]);
    assert!(Shifts::new(&[]).is_none() && Shifts::new(&[24]).is_none());
}

#[test]
fn waiting_ends_with_the_verdict_that_holds() {
    let waited = statistics(&made(), &Shifts::default()).turnaround;
    // 30, 60, 90, 430 (the blind one's last word), 60 and 120 minutes.
    assert_eq!((waited.studies, waited.median_min, waited.longest_min), (6, Some(75.0), Some(430.0)));
    assert_eq!(waited.ninetieth_percentile_min, Some(275.0));
}

#[test]
fn what_differs_is_listed_with_its_reasons() {
    let discordant = statistics(&made(), &Shifts::default()).discordant;
    let told: Vec<_> = discordant.iter().map(|d| (d.study_instance_uid.as_str(), d.reader, d.alert)).collect();
    assert_eq!(told, [("1.2.2", "negative", true), ("1.2.3", "positive", false)]);
    assert_eq!(discordant[0].levels, ["C6 flagged, rejected: osteophyte"]);
    assert_eq!(discordant[1].levels, ["C2 missed"]);
}

#[test]
fn the_page_says_when_there_is_too_little() {
    let text = page(&statistics(&made(), &Shifts::default()));
    for words in [
        "7 studies in the log: 1 deferred, 4 negative, 2 positive",
        "PPV          50 % (1 of 2, 95 % interval 9 to 91 %)",
        "too few for a firm conclusion (2 called broken, 3 called sound, 2 flagged by the network; 30 are the least)",
        "To read again, reader and network differ: 2",
        "shift 06–14: 2.0 a shift (2 of 4 studies in 1 shifts)",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let empty = page(&statistics(&[], &Shifts::default()));
    assert!(empty.contains("No assessment can be compared with a report yet."), "{empty}");
}
