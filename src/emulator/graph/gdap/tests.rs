use jiff::SignedDuration;

use super::*;
use crate::emulator::directory::{ADMIN_AGENTS, GLOBAL_ADMINISTRATOR, group_by_name};
use crate::emulator::graph::gdap::customer::DelegatedCustomer;
use crate::emulator::store::Store;
use crate::emulator::tenant;

const READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";

fn store() -> Store {
    let store = Store::in_memory().unwrap();
    store.write(|tx| tenant::prepare(tx, 1)).unwrap();
    store
}

fn draft(name: &str) -> Draft {
    Draft {
        display_name: name.to_owned(),
        duration_days: 730,
        customer: None,
        roles: vec![READERS.to_owned(), HELPDESK.to_owned()],
        auto_extends: false,
    }
}

fn contoso() -> Customer {
    Customer {
        tenant_id: "0c5c2a60-8e1f-4a5e-9b52-0d5f5c1a77e1".to_owned(),
        display_name: Some("Contoso".to_owned()),
    }
}

fn admin_agents(tx: &Write<'_>) -> String {
    group_by_name(tx, ADMIN_AGENTS).unwrap().unwrap().document.id
}

fn customers(store: &Store) -> usize {
    settle(store).unwrap();
    let all = store.read(|tx| tx.scan::<DelegatedCustomer>(&Scan::all("id"))).unwrap();
    all.items.len()
}

fn established(store: &Store, name: &str) -> Relationship {
    store
        .write(|tx| {
            let group = admin_agents(tx);
            establish(tx, draft(name), &contoso(), &[(group, vec![READERS.to_owned()])])
        })
        .unwrap()
}

#[test]
fn a_customer_is_listed_while_a_relationship_is_active() {
    let store = store();
    assert_eq!(customers(&store), 0);
    let first = established(&store, "first");
    assert_eq!(first.status, Status::Active);
    let second = established(&store, "second");
    assert_eq!(customers(&store), 1);
    store.write(|tx| terminate_by_customer(tx, &first.id)).unwrap();
    assert_eq!(customers(&store), 1);
    store.write(|tx| terminate_by_customer(tx, &second.id)).unwrap();
    assert_eq!(customers(&store), 0);
}

#[test]
fn the_end_of_a_relationship_ends_its_assignments() {
    let store = store();
    let relationship = established(&store, "operations");
    let status = |store: &Store| {
        settle(store).unwrap();
        let mut all =
            store.read(|tx| tx.with::<Assignment>("relationship", &relationship.id)).unwrap();
        all.pop().map(|found| found.document.status)
    };
    assert_eq!(status(&store), Some(AssignmentStatus::Active));
    store.write(|tx| tx.set_clock(SignedDuration::from_hours(24 * 731))).unwrap();
    assert_eq!(status(&store), Some(AssignmentStatus::Deleted));
    store.write(|tx| tx.set_clock(SignedDuration::from_hours(24 * (731 + 366)))).unwrap();
    assert_eq!(status(&store), None);
}

#[test]
fn a_name_is_free_again_a_year_after_the_end() {
    let store = store();
    let relationship = established(&store, "Operations");
    store.write(|tx| terminate_by_customer(tx, &relationship.id)).unwrap();
    let again = |store: &Store| store.write(|tx| create(tx, draft("OPERATIONS")));
    assert!(matches!(again(&store), Err(Refusal::Invalid(_))));
    store.write(|tx| tx.set_clock(SignedDuration::from_hours(24 * 364))).unwrap();
    assert!(matches!(again(&store), Err(Refusal::Invalid(_))));
    store.write(|tx| tx.set_clock(SignedDuration::from_hours(24 * 366))).unwrap();
    again(&store).unwrap();
}

#[test]
fn what_cannot_be_a_relationship() {
    let store = store();
    let global = GLOBAL_ADMINISTRATOR.to_owned();
    for (wrong, case) in [
        (Draft { display_name: " ".to_owned(), ..draft("") }, "no name"),
        (Draft { display_name: "é".repeat(51), ..draft("") }, "a long name"),
        (Draft { duration_days: 0, ..draft("a") }, "no duration"),
        (Draft { duration_days: 731, ..draft("a") }, "a long duration"),
        (Draft { roles: vec![], ..draft("a") }, "no roles"),
        (Draft { roles: vec!["custom".to_owned()], ..draft("a") }, "a custom role"),
        (Draft { roles: vec![global.clone()], auto_extends: true, ..draft("a") }, "extends itself"),
    ] {
        let refused = store.write(|tx| create(tx, wrong));
        assert!(matches!(refused, Err(Refusal::Invalid(_))), "{case}");
    }
    let right = Draft { roles: vec![global], display_name: "é".repeat(50), ..draft("") };
    store.write(|tx| create(tx, right)).unwrap();
}

#[test]
fn an_assignment_stays_within_its_relationship() {
    let store = store();
    let relationship = established(&store, "operations");
    let assign_to = |group: &str, role: &str| {
        store.write(|tx| assign(tx, &relationship.id, group, vec![role.to_owned()]))
    };
    let group = store.write(|tx| Ok::<_, Refusal>(admin_agents(tx))).unwrap();
    assert!(matches!(assign_to(&group, READERS), Err(Refusal::Conflict(_))));
    assert!(matches!(assign_to("nobody", READERS), Err(Refusal::Unknown)));
    let helpdesk = store
        .read(|tx| group_by_name(tx, crate::emulator::directory::HELPDESK_AGENTS))
        .unwrap()
        .unwrap();
    let outside = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
    assert!(matches!(assign_to(&helpdesk.id, outside), Err(Refusal::Invalid(_))));
    assert!(assign_to(&helpdesk.id, HELPDESK).is_ok());
}

#[test]
fn more_than_one_batch_lapses_at_once() {
    let store = store();
    store
        .write(|tx| {
            for number in 0..1200 {
                let mut relationship = create(tx, draft(&format!("r{number}")))?;
                relationship.lock(tx.now())?;
                tx.put(&relationship)?;
            }
            tx.set_clock(SignedDuration::from_hours(24 * 91))?;
            Ok::<_, Refusal>(())
        })
        .unwrap();
    settle(&store).unwrap();
    let expired = store
        .read(|tx| {
            tx.count::<Relationship>("status", &crate::emulator::store::Range::Equals("expired"))
        })
        .unwrap();
    assert_eq!(expired, 1200);
}
