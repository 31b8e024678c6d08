use proptest::prelude::*;

use super::*;

fn day(day: i32) -> Timestamp {
    after_days("2026-01-01T00:00:00Z".parse().unwrap(), day)
}

fn contoso() -> Customer {
    Customer { tenant_id: "c-1".to_owned(), display_name: Some("Contoso".to_owned()) }
}

fn created(duration_days: i32, auto_extends: bool) -> Relationship {
    Relationship {
        id: "r-1".to_owned(),
        display_name: "operations".to_owned(),
        duration_days,
        customer: None,
        roles: vec![],
        auto_extends,
        status: Status::Created,
        created_at: day(0),
        modified_at: day(0),
        activated_at: None,
        ends_at: None,
        due_at: None,
        provider: None,
    }
}

fn pending(duration_days: i32, auto_extends: bool) -> Relationship {
    let mut relationship = created(duration_days, auto_extends);
    relationship.lock(day(0)).unwrap();
    relationship
}

fn active(duration_days: i32, auto_extends: bool) -> Relationship {
    let mut relationship = pending(duration_days, auto_extends);
    relationship.approve(&contoso(), day(1), SignedDuration::ZERO).unwrap();
    moved(relationship.settle(day(1), SignedDuration::ZERO))
}

#[track_caller]
fn moved(moved: Moved) -> Relationship {
    match moved {
        Moved::To(relationship) => *relationship,
        Moved::Gone => panic!("it is gone"),
    }
}

#[track_caller]
fn status_on(relationship: &Relationship, now: i32) -> &'static str {
    match relationship.clone().settle(day(now), SignedDuration::ZERO) {
        Moved::To(relationship) => relationship.status.name(),
        Moved::Gone => "gone",
    }
}

#[test]
fn nothing_moves_that_nobody_locked() {
    assert_eq!(status_on(&created(30, false), 10_000), "created");
}

#[test]
fn what_nobody_approves_lapses_after_ninety_days() {
    let pending = pending(30, false);
    assert_eq!(status_on(&pending, 89), "approvalPending");
    assert_eq!(status_on(&pending, 90), "expired");
    assert_eq!(status_on(&pending, 90 + 364), "expired");
    assert_eq!(status_on(&pending, 90 + 365), "gone");
}

#[test]
fn approval_leads_step_by_step_to_an_active_one() {
    let minute = SignedDuration::from_mins(1);
    let mut relationship = pending(30, false);
    relationship.approve(&contoso(), day(1), minute).unwrap();
    assert_eq!(relationship.status, Status::Approved);
    let relationship = moved(relationship.settle(after(day(1), minute), minute));
    assert_eq!(relationship.status, Status::Activating);
    let relationship = moved(relationship.settle(after(day(1), minute * 2), minute));
    assert_eq!(relationship.status, Status::Active);
    assert_eq!(relationship.customer, Some(contoso()));
    assert_eq!(relationship.activated_at, Some(after(day(1), minute * 2)));
    assert_eq!(relationship.ends_at, Some(after(day(31), minute * 2)));
}

#[test]
fn an_active_one_ends_or_goes_on() {
    assert_eq!(status_on(&active(30, false), 30), "active");
    assert_eq!(status_on(&active(30, false), 31), "expired");
    let extended = moved(active(30, true).settle(day(31 + 180), SignedDuration::ZERO));
    assert_eq!((extended.status, extended.ends_at), (Status::Active, Some(day(31 + 360))));
}

#[test]
fn a_termination_takes_its_steps() {
    let minute = SignedDuration::from_mins(1);
    let mut relationship = active(730, true);
    relationship.terminate(day(5), minute).unwrap();
    assert_eq!(relationship.status, Status::TerminationRequested);
    let relationship = moved(relationship.settle(after(day(5), minute), minute));
    assert_eq!(relationship.status, Status::Terminating);
    assert_eq!(status_on(&relationship, 6), "terminated");
}

#[test]
fn each_act_has_its_time() {
    let by = contoso();
    let step = SignedDuration::ZERO;
    assert_eq!(
        created(30, false).approve(&by, day(0), step),
        Err(Misstep::Status(Status::Created))
    );
    assert_eq!(pending(30, false).lock(day(0)), Err(Misstep::Status(Status::ApprovalPending)));
    assert_eq!(
        pending(30, false).terminate(day(0), step),
        Err(Misstep::Status(Status::ApprovalPending))
    );
    assert_eq!(active(30, false).decline(&by, day(0)), Err(Misstep::Status(Status::Active)));
    let mut bound = pending(30, false);
    bound.customer = Some(Customer { tenant_id: "c-2".to_owned(), display_name: None });
    assert_eq!(bound.approve(&by, day(0), step), Err(Misstep::OtherCustomer));
    assert_eq!(pending(30, false).answer_provider(true, day(0)), Err(Misstep::NoConsentAsked));
}

#[test]
fn a_provider_asks_the_reseller_first() {
    let mut relationship = pending(30, false);
    relationship.provider =
        Some(Provider { tenant_id: "p-1".to_owned(), is_consent_pending: true });
    let by = contoso();
    let step = SignedDuration::ZERO;
    assert_eq!(relationship.approve(&by, day(1), step), Err(Misstep::ConsentPending));
    let mut refused = relationship.clone();
    refused.answer_provider(false, day(1)).unwrap();
    assert_eq!(refused.status, Status::Terminated);
    relationship.answer_provider(true, day(1)).unwrap();
    relationship.approve(&by, day(1), step).unwrap();
}

proptest! {
    /// Looking often or seldom makes no difference.
    #[test]
    fn time_does_the_same_in_one_leap_or_many(
        duration in 1i32..730,
        extends: bool,
        mut looks in proptest::collection::vec(0i32..3000, 0..12),
        step in 0i64..100_000,
    ) {
        let step = SignedDuration::from_secs(step);
        let mut relationship = pending(duration, extends);
        relationship.approve(&contoso(), day(3), step).unwrap();
        let last = looks.iter().copied().max().unwrap_or(0);
        looks.sort_unstable();
        let leap = relationship.clone().settle(day(last), step);
        let mut steps = Moved::To(Box::new(relationship));
        for look in looks {
            if let Moved::To(relationship) = steps {
                steps = relationship.settle(day(look), step);
            }
        }
        prop_assert_eq!(steps, leap);
    }

    /// What is settled has nothing due, and an active one ends after it began.
    #[test]
    fn what_is_settled_is_up_to_date(duration in 1i32..730, extends: bool, now in 3i32..5000) {
        let mut relationship = pending(duration, extends);
        relationship.approve(&contoso(), day(3), SignedDuration::ZERO).unwrap();
        if let Moved::To(settled) = relationship.settle(day(now), SignedDuration::ZERO) {
            prop_assert!(settled.due_at.is_none_or(|due| due > day(now)));
            if settled.status == Status::Active {
                prop_assert!(settled.ends_at.unwrap() > day(now));
                prop_assert!(settled.ends_at > settled.activated_at);
            }
        }
    }
}
