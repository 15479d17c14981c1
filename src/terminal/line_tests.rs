//! The estimator against lines whose rate and round trip are known.

use super::*;

/// A line that carries so many bytes a second and answers after a while.
struct Simulated {
    line: Line,
    now: Instant,
    free: Instant,
    answers: VecDeque<Instant>,
    rate: f64,
    round_trip: Duration,
    longest_wait: Duration,
}

impl Simulated {
    fn new(rate: f64, round_trip_ms: u64) -> Self {
        let now = Instant::now();
        let round_trip = Duration::from_millis(round_trip_ms);
        let answers = VecDeque::new();
        Self { line: Line::default(), now, free: now, answers, rate, round_trip, longest_wait: Duration::ZERO }
    }

    fn answered(&mut self) {
        if let Some(at) = self.answers.pop_front() {
            self.now = self.now.max(at);
            self.line.answer(self.now);
        }
    }

    /// Sends so many bytes in pieces of 4 KiB and waits for all answers; the time it took.
    fn send(&mut self, mut bytes: usize) -> Duration {
        let begun = self.now;
        while bytes > 0 {
            let piece = bytes.min(4110);
            if !self.line.has_room(piece, self.now) {
                match self.line.allowed_at(self.now) {
                    Some(at) => self.now = at,
                    None => self.answered(),
                }
                continue;
            }
            let raised = self.line.raised;
            self.line.raise(&mut vec![0; piece], self.now);
            self.line.wrote(piece, self.now);
            if self.line.raised > raised + 1 {
                self.answers.push_back(self.free.max(self.now) + self.round_trip);
            }
            self.free = self.free.max(self.now) + seconds(piece as f64 / self.rate);
            self.longest_wait = self.longest_wait.max(self.free - self.now);
            self.answers.push_back(self.free + self.round_trip);
            bytes -= piece;
        }
        while !self.answers.is_empty() {
            self.answered();
        }
        self.now - begun
    }
}

#[test]
fn rate_and_round_trip_are_found_within_a_tenth() {
    for (rate, round_trip) in [(125e3, 100), (200e3, 20), (1e6, 150), (20e6, 2)] {
        let mut line = Simulated::new(rate, round_trip);
        for _ in 0..8 {
            line.send(100_000);
            line.send(70);
        }
        let found = line.line.bytes_per_second().expect("a rate") as f64;
        // A picture that is over before the line is full tells less than the line could do.
        let full = 100_000.0 / (100_000.0 / rate + round_trip as f64 / 1e3);
        assert!(found > 0.9 * full.min(rate) && found < 1.1 * rate, "{found} for {rate} over {round_trip} ms");
        let trip = line.line.round_trip().expect("a round trip").as_secs_f64() * 1e3;
        assert!((trip - round_trip as f64).abs() < 0.1 * round_trip as f64 + 1.0, "{trip} for {round_trip} ms");
    }
}

#[test]
fn a_line_that_slows_down_is_found_out_and_the_queue_stays_short() {
    let mut line = Simulated::new(2e6, 60);
    for _ in 0..6 {
        line.send(400_000);
    }
    line.rate = 125e3;
    line.send(400_000);
    line.longest_wait = Duration::ZERO;
    line.send(100_000);
    assert!(line.longest_wait < Duration::from_millis(200), "{:?}", line.longest_wait);
    let found = line.line.bytes_per_second().expect("a rate") as f64;
    assert!((found - 125e3).abs() < 25e3, "{found}");
}

#[test]
fn a_long_fast_line_is_filled() {
    let mut line = Simulated::new(12e6, 150);
    line.send(2_000_000);
    let again = line.send(2_000_000);
    assert!(again < Duration::from_millis(420), "{again:?} for 167 ms of bytes and 150 ms of way");
}

#[test]
fn the_user_s_limit_is_kept() {
    let mut line = Simulated::new(10e6, 5);
    line.line.limit(Some(100_000), line.now);
    let took = line.send(300_000);
    assert!((2.7..3.3).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(line.line.bytes_per_second(), Some(100_000));
}

#[test]
fn a_terminal_that_never_answers_holds_nothing_back() {
    let mut line = Line::default();
    let now = Instant::now();
    let fence = line.raise(&mut vec![0; 20_000], now);
    assert!(!line.has_room(4096, now));
    line.give_up(fence);
    assert!(line.passed(fence));
    assert_eq!(line.patience(), MUTE, "the second question is not waited for as the first was");
    line.raise(&mut vec![0; 60_000], now);
    assert!(line.has_room(4096, now));
    line.answer(now);
    assert!(line.patience() >= PATIENCE, "it answers after all");
}

#[test]
fn a_mute_terminal_stays_one_after_a_question_was_given_up() {
    let mut line = Line::default();
    let now = Instant::now();
    let fence = line.raise(&mut vec![0; 20_000], now);
    line.give_up(fence);
    line.set_mute(true);
    assert_eq!(line.patience(), MUTE, "it is not waited for again");
    line.raise(&mut vec![0; 20_000], now);
    line.answer(now);
    line.answer(now);
    line.set_mute(true);
    assert!(line.patience() >= PATIENCE, "what it answers counts for more");
}

#[test]
fn answers_that_nobody_asked_for_do_no_harm() {
    let mut line = Line::default();
    let now = Instant::now();
    for _ in 0..100 {
        line.answer(now);
    }
    let fence = line.raise(&mut Vec::new(), now);
    assert!(!line.passed(fence));
    line.answer(now);
    assert!(line.passed(fence));
    assert_eq!(line.bytes_under_way, 0);
}
