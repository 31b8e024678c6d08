//! What can happen to a run: answers that are lost, reads that lag, others who want the lock, a
//! process that sleeps too long, a database that goes away, a ledger that cannot be written.

use std::fs;
use std::process::Child;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::estates::{LEDGER, Prepared, Seen, World, estate};
use crate::killed::{Die, How, die, stride};
use crate::postgres::Server;
use crate::served::Served;
use crate::world::Folder;

const APPLY: [&str; 3] = ["apply", "--yes", "."];

/// The end that every test here must come to.
fn undisturbed(prepared: &Prepared) -> (Seen, u64) {
    let world = World::copy(prepared, 0);
    let boundaries = world.apply();
    (world.end(), boundaries)
}

fn ends_like(world: &World, end: &Seen, what: &str) {
    let seen = world.end();
    assert!(
        seen == *end,
        "{what}: {}",
        similar::TextDiff::from_lines(format!("{end:#?}"), format!("{seen:#?}")).unified_diff()
    );
    let plan = world.run(&["plan", "--exit-code", "."]);
    assert_eq!(plan.code, 0, "{what}: {}", plan.all());
}

/// Waits for something that comes soon.
fn until(otherwise: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1500 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("{otherwise}");
}

/// Each of many, two at a time.
fn each(from: u64, to: u64, step: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(from);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(step, Ordering::SeqCst);
                    if at > to {
                        return;
                    }
                    work(at);
                }
            });
        }
    });
}

fn in_a_file() -> &'static (Prepared, Seen, u64) {
    static PREPARED: OnceLock<(Prepared, Seen, u64)> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let prepared = Prepared::new(None);
        let (end, boundaries) = undisturbed(&prepared);
        (prepared, end, boundaries)
    })
}

#[test]
fn an_answer_that_is_lost_is_looked_up_whichever_it_is() {
    let (prepared, end, _) = in_a_file();
    let world = World::copy(prepared, 0);
    let before = world.writes();
    world.apply();
    let writes = (world.writes() - before) as u64;
    assert!(writes >= 60, "{writes}");
    each(1, writes, stride(4), |nth| {
        let world = World::copy(prepared, nth);
        world.faults(&format!(
            "  - {{method: writes, path: /v1, rate: 1, nth: {nth}, fault: drop-after}}\n"
        ));
        let ended = world.run(&APPLY);
        assert_eq!(ended.code, 0, "{nth}: {}", ended.all());
        world.calm();
        ends_like(&world, end, &format!("the answer to write {nth} was lost"));
    });
}

/// The service never answers a creation, and makes what it was asked for each time.
#[test]
fn creations_that_nobody_ever_answers_come_about_once() {
    let (prepared, end, _) = in_a_file();
    let world = World::copy(prepared, 0);
    world.faults(
        "  - {method: POST, path: /v1.0/users*, rate: 1, fault: drop-after}\n  - {method: POST, path: /v1/customers*, rate: 1, fault: drop-after}\n  - {method: POST, path: '/v1.0/groups', nth: 1, rate: 1, fault: drop-after}\n",
    );
    let ended = world.run(&APPLY);
    assert_eq!(ended.code, 0, "{}", ended.all());
    world.calm();
    ends_like(&world, end, "creations without answers");
}

const LAG: &str = "  - {method: GET, path: /v1, rate: 1, fault: stale-read, ms: 600}\n";

/// What was written shows after a while, and the context says how long that may be.
#[test]
fn reads_that_lag_are_waited_out() {
    let prepared = Prepared::with(None, "{tenant: embedded, settle: 2s}", Vec::new());
    let (end, boundaries) = undisturbed(&prepared);
    let world = World::copy(&prepared, 1);
    world.faults(LAG);
    let ended = world.run(&APPLY);
    assert_eq!(ended.code, 0, "{}", ended.all());
    world.calm();
    ends_like(&world, &end, "reads that lag");
    // And whoever dies meanwhile.
    each(7, boundaries, stride(10) * 4, |at| {
        let world = World::copy(&prepared, at);
        world.faults(LAG);
        die(&world, at);
        world.time_passes();
        let ended = world.run(&APPLY);
        assert_eq!(ended.code, 0, "{at}: {}", ended.all());
        world.calm();
        ends_like(&world, &end, &format!("killed at {at}, with reads that lag"));
    });
}

/// A fifth of all requests is struck, in any of many ways. As many seeds as `PARTNERCTL_SEEDS` says.
#[test]
fn in_any_weather_it_converges_and_makes_nothing_twice() {
    let (prepared, end, _) = in_a_file();
    let seeds = std::env::var("PARTNERCTL_SEEDS").ok().and_then(|text| text.parse().ok());
    let seeds: u64 = seeds.unwrap_or(6);
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        // They mostly wait.
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed > seeds {
                        return;
                    }
                    let world = World::copy(prepared, seed);
                    weather(&world, seed);
                    let rounds = (1..=4).find(|_| world.run(&APPLY).code == 0);
                    assert!(rounds.is_some(), "seed {seed}: {}", world.run(&APPLY).all());
                    world.calm();
                    ends_like(&world, end, &format!("seed {seed}"));
                }
            });
        }
    });
}

fn weather(world: &World, seed: u64) {
    let rate = |index: usize| {
        // The first rule that strikes is the one that does: what is left for the next is less.
        #[expect(clippy::cast_precision_loss, reason = "there are eight")]
        let rate = 0.025 / (1.0 - 0.025 * index as f64);
        rate
    };
    let faults = [
        "fault: latency, ms: 30",
        "fault: throttle, retryAfter: 0.05",
        "fault: error, status: 503",
        "fault: error, status: 500",
        "fault: drop-before",
        "fault: drop-after",
        "fault: expired-token",
        "fault: malformed",
    ];
    let rules: String = faults
        .iter()
        .enumerate()
        .map(|(index, fault)| format!("  - {{path: /v1, rate: {}, {fault}}}\n", rate(index)))
        .collect();
    let file = world.folder.path().join("weather.yaml");
    fs::write(&file, format!("seed: {seed}\nrules:\n{rules}")).unwrap();
    world.emulator(&["faults", file.to_str().unwrap()]);
}

#[test]
fn of_two_that_apply_at_once_one_is_told_to_wait() {
    let (prepared, end, _) = in_a_file();
    let world = World::copy(prepared, 0);
    world.faults("  - {method: writes, path: /v1, rate: 1, fault: latency, ms: 150}\n");
    let first = world.child(None);
    let lease = "SELECT state FROM lease";
    until("nobody took the lease", || world.ask(lease) == ["held"]);
    let second = world.run(&APPLY);
    assert_eq!(second.code, 10, "{}", second.all());
    assert!(second.err.contains("another run holds the ledger"), "{}", second.all());
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    world.calm();
    ends_like(&world, end, "two at once");
}

/// Whoever waits for the lock plans anew once it is theirs: what they saw before is no longer so.
#[test]
fn whoever_waited_for_another_run_does_not_do_its_work_again() {
    let (prepared, end, _) = in_a_file();
    let world = World::copy(prepared, 0);
    let first = half_way(&world);
    let second = world.run(&["apply", "--yes", "--resume", "."]);
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(second.code, 0, "{}", second.all());
    assert!(second.err.contains("waiting for the lock of"), "{}", second.all());
    assert!(second.out.contains("0 done"), "{}", second.all());
    world.calm();
    ends_like(&world, end, "one after the other");
}

/// Right before it sends, a process is stopped for longer than its lease, and another one takes over.
#[test]
fn whoever_sleeps_past_its_lease_sends_nothing_more_and_says_why() {
    let (_served, world) = remote();
    // Intents are written, and the first request is about to leave.
    let sleeper = world.child(Some(Die { at: 1, how: How::Stopped }));
    let stat = format!("/proc/{}/stat", sleeper.id());
    let is_stopped = || {
        let stat = fs::read_to_string(&stat).unwrap();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    };
    until("it was not stopped", is_stopped);
    // A request may take so long; the lease is longer, but the database's time passes faster here.
    sleep(Duration::from_secs(91));
    world.time_passes();
    let other = world.run(&APPLY);
    assert_eq!(other.code, 0, "{}", other.all());
    let writes = world.writes();
    kill(Pid::from_raw(sleeper.id().try_into().unwrap()), Signal::SIGCONT).unwrap();
    let output = sleeper.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Depending on what was done before it fell asleep.
    assert!(matches!(output.status.code(), Some(1 | 7)), "{said}");
    assert!(said.contains("this run no longer holds the ledger"), "{said}");
    assert_eq!(world.writes(), writes, "{said}");
    let plan = world.run(&["plan", "--exit-code", "."]);
    assert_eq!(plan.code, 0, "{}", plan.all());
}

/// A run of which some was sent and most was not.
fn half_way(world: &World) -> Child {
    world.faults("  - {method: writes, path: /v1, rate: 1, fault: latency, ms: 60}\n");
    let before = world.writes();
    let running = world.child(None);
    until("nothing was sent", || world.writes() >= before + 8);
    running
}

/// A run lasts as long as it lasts: what is sent late in it is sent under a lease that was renewed.
#[test]
fn a_lease_that_becomes_too_short_is_renewed() {
    let (prepared, end, _) = in_a_file();
    let world = World::copy(prepared, 0);
    let running = half_way(&world);
    // It goes on, and no longer outlives a request.
    world.lease_ages(60_000);
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    world.calm();
    ends_like(&world, end, "a lease that became short");
}

#[test]
fn a_database_that_is_restarted_is_waited_for() {
    let mut prepared = Prepared::new(Some(Server::start(&[], &[])));
    let (end, _) = undisturbed(&prepared);
    let world = World::copy(&prepared, 1);
    let running = half_way(&world);
    let server = prepared.server.as_mut().unwrap();
    server.end("INT");
    // What was under way is answered; then nothing is sent, because nothing can be written down.
    sleep(Duration::from_secs(1));
    let meanwhile = world.writes();
    sleep(Duration::from_secs(2));
    assert_eq!(world.writes(), meanwhile, "sent without a journal");
    prepared.server.as_mut().unwrap().start_again();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    world.calm();
    ends_like(&world, &end, "a restart");
}

#[test]
fn a_database_that_stays_away_ends_the_run_which_can_be_resumed() {
    let mut prepared = Prepared::new(Some(Server::start(&[], &[])));
    let (end, _) = undisturbed(&prepared);
    let world = World::copy(&prepared, 1);
    let running = half_way(&world);
    prepared.server.as_mut().unwrap().end("QUIT");
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Some of it was done, which says more than that the rest could not be.
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("cannot be reached"), "{said}");
    assert!(said.contains("run it again"), "{said}");
    prepared.server.as_mut().unwrap().start_again();
    world.time_passes();
    world.calm();
    let ended = world.run(&APPLY);
    assert_eq!(ended.code, 0, "{}", ended.all());
    ends_like(&world, &end, "an outage");
}

/// A tenant of another process, whose ledger is a file here.
fn remote() -> (Served, World) {
    let estate = estate(false);
    // The account and its two global admins are there before us.
    let there: Vec<&str> = estate.split("---\n").take(3).collect();
    let home = Folder::new().with("seed/all.yaml", there.join("---\n"));
    let served = Served::start(&home, &["--seed", "seed"]);
    let mut context = served.line()["context"].clone();
    context["ledger"] = serde_json::json!({"sqlite": "kept/ledger.db"});
    let env = [
        ("PARTNERCTL_CLIENT_SECRET", served.text("clientSecret")),
        ("PARTNERCTL_REFRESH_TOKEN", served.text("refreshToken")),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let prepared = Prepared::with(None, &context.to_string(), env.to_vec());
    let Prepared { folder, server: _, env, url: _ } = prepared;
    let url = Some(served.text("url").to_owned());
    (served, World { folder, ledger: None, env, url })
}

impl World {
    /// How many rows there are of what the ledger holds.
    fn count(&self, of: &str) -> usize {
        self.ask(&format!("SELECT CAST(count(*) AS TEXT) FROM {of}"))[0].parse().unwrap()
    }

    /// Nothing came of it but this complaint.
    fn refuses(&self, args: &[&str], code: i32, complaint: &str) {
        let before = self.writes();
        let ended = self.run(args);
        assert_eq!(ended.code, code, "{}", ended.all());
        assert!(ended.err.contains(complaint), "{complaint}: {}", ended.all());
        assert_eq!(self.writes(), before, "{}", ended.all());
    }
}

#[test]
fn a_ledger_that_is_gone_is_missed_and_a_new_one_takes_over_what_is_there() {
    let (_served, world) = remote();
    fs::write(world.folder.path().join("estate/all.yaml"), estate(false)).unwrap();
    let before = world.writes();
    fs::remove_dir_all(world.folder.path().join("kept")).unwrap();
    world.refuses(&APPLY, 64, "there is no ledger at");
    let ended = world.run(&["apply", "--yes", "--new-ledger", "."]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert_eq!(world.writes(), before, "{}", ended.all());
    let managed = world.count("object WHERE origin = 'adopted'");
    assert_eq!(managed, estate(false).split("---\n").count());
    let plan = world.run(&["plan", "--exit-code", "."]);
    assert_eq!(plan.code, 0, "{}", plan.all());
}

/// Whom a context expects is an expectation; whose token it is decides.
#[test]
fn nobody_is_taken_for_somebody_else() {
    let (_served, world) = remote();
    let file = world.folder.path().join("partnerctl.yaml");
    let project = fs::read_to_string(&file).unwrap();
    // The two identities differ, so that whoever only reads cannot know who will write.
    let refresh = "\"refreshToken\":{\"env\":\"PARTNERCTL_REFRESH_TOKEN\"}";
    assert_eq!(project.matches(refresh).count(), 2, "{project}");
    let (read, write) = project.rsplit_once(refresh).unwrap();
    let secret = &world.env.iter().find(|(name, _)| name == "PARTNERCTL_REFRESH_TOKEN").unwrap().1;
    fs::write(world.folder.path().join("refresh"), secret).unwrap();
    let changed = format!("{read}\"refreshToken\":{{\"file\":\"refresh\"}}{write}");
    let expecting = |who: &str| {
        let changed = changed.replacen("local: {", &format!("local: {{\"actor\": \"{who}\","), 1);
        fs::write(&file, changed).unwrap();
    };
    expecting("user/chie");
    assert_eq!(world.run(&["plan", "."]).code, 0);
    world.refuses(&APPLY, 4, "the context expects user/chie");
    fs::write(&file, &changed).unwrap();
    assert_eq!(world.run(&APPLY).code, 0);
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() {
    let (_served, world) = remote();
    let ledger = rusqlite::Connection::open(world.file()).unwrap();
    ledger.execute("UPDATE ledger_version SET version = version + 1", []).unwrap();
    drop(ledger);
    let bytes = fs::read(world.file()).unwrap();
    world.refuses(&APPLY, 1, "use a newer partnerctl");
    assert!(fs::read(world.file()).unwrap() == bytes, "it was changed");
}

#[test]
fn a_ledger_that_may_only_be_read_can_be_planned_from_and_not_applied_with() {
    let prepared = Prepared::new(Some(Server::start(&[], &[])));
    let mut world = World::copy(&prepared, 1);
    let sql = "CREATE ROLE reading SUPERUSER LOGIN; ALTER ROLE reading SET default_transaction_read_only = on";
    prepared.server.as_ref().unwrap().sql("postgres", sql);
    let address = world.ledger.take().unwrap().replace("user=postgres", "user=reading");
    world.env.push((LEDGER.to_owned(), address));
    let plan = world.run(&["plan", "--exit-code", "."]);
    assert_eq!(plan.code, 2, "{}", plan.all());
    world.refuses(&APPLY, 1, "cannot be written to");
}

/// With ever more room for its file: it stops before anything is sent, or between two steps, and
/// nothing is sent that was not written down before.
#[test]
fn a_disk_that_is_full_stops_it_where_it_can_go_on() {
    let (_served, world) = remote();
    let mut stopped = Vec::new();
    for blocks in (16..).step_by(120) {
        let (limited, _home) = world.command(&APPLY);
        let program = limited.get_program().to_owned();
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")).arg("sh");
        shell
            .arg(program)
            .args(limited.get_args())
            .env_clear()
            .envs(limited.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let before = world.writes();
        let output = shell.current_dir(world.folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let written = world.count("journal WHERE token = (SELECT max(token) FROM journal)");
        if output.status.code() == Some(0) {
            break;
        }
        assert!(said.contains("nothing more can be written at"), "{said}");
        let sent = world.writes() - before;
        assert_eq!(output.status.code(), Some(if sent == 0 { 1 } else { 7 }), "{said}");
        assert!(sent <= written * 2, "{sent} sent, {written} written down: {said}");
        stopped.push(sent);
        world.time_passes();
        assert!(stopped.len() < 100, "{stopped:?}");
    }
    // Some stopped before anything was sent, some later.
    assert_eq!(stopped.first(), Some(&0));
    assert!(stopped.iter().any(|sent| *sent > 0), "{stopped:?}");
    let plan = world.run(&["plan", "--exit-code", "."]);
    assert_eq!(plan.code, 0, "{}", plan.all());
}

/// All was done, and only that it is over could not be written down.
#[test]
fn whoever_cannot_write_down_the_end_has_begun_all_the_same() {
    let folder = Folder::project();
    for args in [&["emulator", "seed", "."][..], &["apply", "--yes"]] {
        assert_eq!(folder.run(args).code, 0);
    }
    let folder = folder.edit("estate/users.yaml", "森 千恵", "森");
    let ledger = rusqlite::Connection::open(folder.path().join(".partnerctl/ledger.db")).unwrap();
    let refuse = "CREATE TRIGGER no BEFORE INSERT ON history WHEN NEW.event = 'ended' \
         BEGIN SELECT RAISE(FAIL, 'no room'); END";
    ledger.execute_batch(refuse).unwrap();
    let ended = folder.run(&["apply", "--yes"]);
    assert_eq!(ended.code, 7, "{}", ended.all());
    assert!(ended.err.contains("keeping the journal"), "{}", ended.all());
    assert!(ended.out.contains("1 done"), "{}", ended.all());
    ledger.execute_batch("DROP TRIGGER no").unwrap();
    let again = folder.run(&["apply", "--yes"]);
    assert_eq!(again.code, 0, "{}", again.all());
    assert_eq!(folder.run(&["plan", "--exit-code"]).code, 0);
}
