//! Images through tmux: they follow their pane, and nothing is answered to another.

use super::*;
use crate::terminal::delivery::Pane;

const PANE: Pane = Pane { left: 10, top: 1, is_visible: true, has_focus: true };

impl Bench {
    fn in_tmux(pane: Pane) -> Self {
        let mut bench = Self::new(Protocol::Kitty);
        let manner = Manner { through_tmux: true, ..bench.delivery.manner };
        bench.delivery = Delivery::new(manner);
        assert_eq!(bench.looked(Some(pane)), "");
        bench.rested(pane);
        bench.swept(pane);
        bench
    }

    /// tmux has redrawn its panes, or there was time enough since the last image without answers.
    fn rested(&mut self, pane: Pane) {
        self.now = self.delivery.rests_until(self.now).expect("it rests");
        self.looked(Some(pane));
    }

    /// The pane was looked at: what goes to the terminal outside.
    fn looked(&mut self, pane: Option<Pane>) -> String {
        let outside = self.delivery.set_pane(pane, self.now, &mut self.told);
        String::from_utf8(outside).expect("ASCII")
    }

    /// A sweep of the pane's place.
    fn swept(&mut self, pane: Pane) {
        let swept = self.sent().expect("it sweeps its place first").replace("\x1b\x1b", "\x1b");
        assert!(swept.contains(&format!("a=d,d=P,x={},y={}", pane.left + 1, pane.top + 1)), "{swept:?}");
    }

    fn placed_in_tmux(&mut self, key: u64) -> String {
        self.want(vec![placed(0, key, AREA)]);
        self.sent().expect("an image").replace("\x1b\x1b", "\x1b")
    }

    fn acknowledged(&mut self, id: u32, placement: u32) {
        if std::mem::take(&mut self.loaded).contains(&id) {
            assert_eq!(self.delivery.graphics((id, None), "OK", self.now, &mut self.line), None);
        }
        let told = self.delivery.graphics((id, Some(placement)), "OK", self.now, &mut self.line);
        assert!(matches!(told, Some(Event::PictureShown { .. })), "{told:?}");
    }
}

#[test]
fn in_tmux_nothing_is_sent_on_old_knowledge_of_the_pane() {
    let mut bench = Bench::in_tmux(PANE);
    bench.placed_in_tmux(1);
    bench.acknowledged(1000, 1);
    bench.now += Duration::from_millis(150);
    bench.want(vec![placed(0, 2, AREA)]);
    let mut steps = Vec::new();
    loop {
        match bench.delivery.next(&bench.frame, bench.now, &mut bench.line, &mut bench.told) {
            Step::Encode(job) => {
                let result = job.run();
                bench.delivery.encoded(job, result);
            }
            step => {
                let waits = matches!(step, Step::Wait);
                steps.push(step);
                if waits {
                    break;
                }
            }
        }
    }
    assert!(matches!(steps[..], [Step::Look, Step::Wait]), "{steps:?}");
    // Meanwhile the panes were swapped.
    bench.looked(Some(Pane { left: 70, ..PANE }));
    bench.rested(Pane { left: 70, ..PANE });
    bench.swept(Pane { left: 70, ..PANE });
    assert!(bench.sent().expect("an image").contains("[4;73H"), "where the pane is now");
}

#[test]
fn a_pane_of_another_size_is_looked_at_before_anything_is_sent() {
    let mut bench = Bench::in_tmux(PANE);
    bench.placed_in_tmux(1);
    bench.acknowledged(1000, 1);
    bench.want(vec![placed(0, 1, Rect { width: 20, ..AREA })]);
    bench.delivery.doubt_pane();
    assert_eq!(bench.sent(), None, "its answer may be another pane's");
    bench.looked(Some(Pane { has_focus: false, ..PANE }));
    assert!(bench.sent().expect("placed").contains("q=2"));
}

#[test]
fn an_image_follows_its_pane_and_goes_with_it() {
    let mut bench = Bench::in_tmux(PANE);
    assert!(bench.placed_in_tmux(1).contains("\x1b[4;13H\x1b_Ga=p,i=1000,p=1"));
    bench.acknowledged(1000, 1);
    // tmux drops what it should pass through while it redraws its panes, and from hidden ones: deletions go past it.
    assert_eq!(bench.looked(Some(Pane { top: 20, ..PANE })), "\x1b_Ga=d,d=i,i=1000,p=1\x1b\\");
    assert_eq!(bench.sent(), None, "not while tmux redraws its panes");
    bench.rested(Pane { top: 20, ..PANE });
    bench.swept(Pane { top: 20, ..PANE });
    let moved = bench.sent().expect("placed").replace("\x1b\x1b", "\x1b");
    assert!(moved.contains("\x1b[23;13H\x1b_Ga=p,i=1000") && !moved.contains("a=t"), "{moved:?}");
    bench.acknowledged(1000, 1);
    let hidden = Pane { is_visible: false, has_focus: false, ..PANE };
    assert_eq!(bench.looked(Some(hidden)), "\x1b_Ga=d,d=i,i=1000,p=1\x1b\\");
    bench.want(vec![placed(0, 2, AREA)]);
    assert_eq!(bench.sent(), None);
    assert_eq!(bench.looked(None), "", "nor while tmux does not say");
    assert_eq!(bench.sent(), None);
    bench.looked(Some(PANE));
    bench.rested(PANE);
    bench.swept(PANE);
    assert!(bench.sent().expect("back").contains("a=t"));
}

#[test]
fn without_the_keys_nothing_is_sent_that_has_an_answer_and_with_them_it_is_made_sure_of() {
    let mut bench = Bench::in_tmux(Pane { has_focus: false, ..PANE });
    let sent = bench.placed_in_tmux(1);
    assert!(sent.contains("a=t,f=100,i=1000,q=2") && sent.contains("C=1,q=2"), "{sent:?}");
    assert!(!sent.contains("\x1b[6n"));
    assert!(matches!(bench.told[..], [Event::PictureShown { .. }]), "it is not waited for");
    // No flood of what nobody answers; but once more, as tmux may have let nothing through.
    let elsewhere = Pane { has_focus: false, ..PANE };
    assert_eq!(bench.sent(), None);
    bench.rested(elsewhere);
    let again = bench.sent().expect("once more");
    assert!(again.contains("a=t,f=100,i=1001,q=2") && !again.contains("a=d"), "{again:?}");
    bench.rested(elsewhere);
    assert_eq!(bench.sent(), None, "twice is enough");
    bench.want(vec![placed(0, 2, AREA)]);
    let next = bench.sent().expect("an image");
    assert!(
        next.contains("i=1002,q=2")
            && ["1000,p=1", "1001,p=2"].iter().all(|old| next.contains(&format!("a=d,d=i,i={old}")))
    );
    bench.rested(PANE);
    let sure = bench.sent().expect("for certain");
    assert!(sure.contains("a=t") && !sure.contains("q=2"), "{sure:?}");
    bench.acknowledged(1003, 1);
    assert_eq!(bench.sent(), None);
}

#[test]
fn an_answer_that_goes_to_another_pane_is_not_waited_for() {
    let mut bench = Bench::in_tmux(PANE);
    bench.placed_in_tmux(1);
    bench.looked(Some(Pane { has_focus: false, ..PANE }));
    assert!(!bench.delivery.in_flight());
    bench.looked(Some(PANE));
    assert!(bench.sent().expect("once more").contains("a=t"), "it was never acknowledged");
}
