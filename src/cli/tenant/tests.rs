use std::path::PathBuf;

use super::*;
use crate::cli::clock;
use crate::cli::files::ManifestArgs;
use crate::cli::output::Output;
use crate::model::project::Project;
use crate::model::scalar::Scalar;
use crate::model::tenant::Scope;
use crate::model::time::Day;

fn out() -> Output {
    Output::new(true, false)
}

/// A project in a folder of its own, and what is declared in it.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(contexts: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/fabrikam/estate");
        std::fs::create_dir(folder.path().join("estate")).unwrap();
        for entry in std::fs::read_dir(example).unwrap() {
            let entry = entry.unwrap();
            let to = folder.path().join("estate").join(entry.file_name());
            std::fs::copy(entry.path(), to).unwrap();
        }
        let project = format!(
            "apiVersion: partnerctl/v1\nkind: Project\nmetadata: {{name: fabrikam}}\nspec:\n  manifests: [estate]\n{contexts}"
        );
        std::fs::write(folder.path().join("partnerctl.yaml"), project).unwrap();
        Self { folder }
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn load(&self) -> Loaded {
        let files = ManifestArgs::of_folder(self.home()).read(&out()).unwrap();
        assert_eq!(files.home().unwrap(), self.home().canonicalize().unwrap());
        let loaded = files.load(clock::today(Some(Day::parse("2026-11-20").unwrap())));
        assert!(!loaded.has_errors(), "{:?}", loaded.findings);
        loaded
    }

    fn choose(&self, name: Option<&str>) -> Result<Context, CommandError> {
        let project: Option<Project> = self.load().project;
        ContextArgs::of(name).choose(project.as_ref(), &out())
    }
}

const REMOTE: &str = "  contexts:\n    production:\n      tenant: fabrikam.onmicrosoft.com\n      auth: {read: {clientId: 23ec45a3-5127-4185-9eff-c8887839e6ab, clientSecret: {env: PARTNERCTL_NOBODY_SETS_THIS}}}\n";

fn complaint<T: std::fmt::Debug>(result: Result<T, CommandError>) -> String {
    match result.unwrap_err() {
        CommandError::Usage(message) => message,
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_context_is_chosen_by_name_or_by_being_the_only_one() {
    let none = World::new("");
    assert_eq!(none.choose(None).unwrap().tenant, TenantSource::Embedded);
    assert_eq!(
        complaint(none.choose(Some("production"))),
        "there is no context production\nthe project has no contexts"
    );
    let sole = World::new(REMOTE);
    let production = sole.choose(None).unwrap();
    assert!(matches!(production.tenant, TenantSource::Domain(_)));
    assert_eq!(production.ledger, None);
    let several = World::new(&format!("{REMOTE}    local: {{tenant: embedded}}\n"));
    assert_eq!(
        complaint(several.choose(None)),
        "there are several contexts: say which with `--context`\nthere are: local, production"
    );
    assert_eq!(
        complaint(several.choose(Some("staging"))),
        "there is no context staging\nthere are: local, production"
    );
    // What is managed in one tenant is not in another.
    let (local, production) =
        (several.choose(Some("local")).unwrap(), several.choose(Some("production")).unwrap());
    assert!(local.ledger.is_some() && local.ledger != production.ledger);
}

#[test]
fn the_embedded_tenant_begins_with_the_account_and_is_there_the_next_time() {
    let world = World::new("");
    let (loaded, context) = (world.load(), world.choose(None).unwrap());
    for _ in 0..2 {
        let tenant = Tenant::connect(&context, &loaded, world.home()).unwrap();
        assert!(tenant.is_embedded() && tenant.settle.is_zero());
        let (snapshot, actor) = block_on(async {
            let asked = tenant.reader.snapshot(&Scope::everything(), None).await;
            let snapshot = asked.map_err(|error| unanswered("reading the tenant", &error))?;
            Ok((snapshot, tenant.actor(&loaded.estate).await?))
        })
        .unwrap();
        assert!(snapshot.domains.contains("fabrikam.example"), "{:?}", snapshot.domains);
        assert_eq!(actor.known, Known::Token);
        let (id, admin) = snapshot.users.iter().next().unwrap();
        assert_eq!((snapshot.users.len(), actor.object), (1, Some(*id)));
        assert_eq!(actor.user.as_deref(), Some(admin.sign_in_name.as_str()));
    }
    assert!(world.home().join(".partnerctl/tenant.db").is_file());
}

#[test]
fn a_remote_tenant_wants_an_identity_with_a_secret_and_is_not_asked_without() {
    let world = World::new(REMOTE);
    let loaded = world.load();
    let mut context = world.choose(None).unwrap();
    let tenant = Tenant::connect(&context, &loaded, world.home()).unwrap();
    assert_eq!(tenant.settle, SETTLE);
    let asked = block_on(async {
        let asked = tenant.reader.snapshot(&Scope::everything(), None).await;
        asked.map_err(|error| unanswered("reading the tenant", &error))
    });
    assert_eq!(
        complaint(asked),
        "no client secret in the environment variable PARTNERCTL_NOBODY_SETS_THIS: the variable is not set"
    );
    context.read = None;
    let connected = Tenant::connect(&context, &loaded, world.home());
    assert_eq!(complaint(connected), "the context has no identity `auth.read`");
}

#[test]
fn a_remote_ledger_that_is_not_there_is_missed_and_the_embedded_one_is_made() {
    let world = World::new(REMOTE);
    let file = world.home().join(".partnerctl/ledger.db");
    let mut context = world.choose(None).unwrap();
    let recall = |context: &Context, new_ledger| {
        block_on(LedgerArgs::of(new_ledger).recall(context, world.home(), &out()))
    };
    let missed = complaint(recall(&context, false));
    assert!(missed.contains(".partnerctl/ledger.db\nfor the first run"), "{missed}");
    assert!(missed.contains("--new-ledger"), "{missed}");
    assert!(matches!(recall(&context, true).unwrap(), Memory::Nothing));
    assert!(!file.exists(), "reading makes no ledger");
    assert!(matches!(block_on(Memory::if_any(&context, world.home())).unwrap(), Memory::Nothing));

    context.tenant = TenantSource::Embedded;
    assert!(matches!(recall(&context, false).unwrap(), Memory::Kept(_)));
    assert!(file.is_file());
}
