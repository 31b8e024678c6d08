//! The built-in roles of Microsoft Entra, by name or template id.

use std::fmt;

use uuid::{Uuid, uuid};

use super::id::RoleTemplateId;
use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// A built-in directory role. Two are equal when their template ids are, however they were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryRole(pub RoleTemplateId);

pub const GLOBAL_ADMINISTRATOR: DirectoryRole =
    DirectoryRole(RoleTemplateId(uuid!("62e90394-69f5-4237-9190-012177145e10")));

impl DirectoryRole {
    /// Its name, if it is a role we know; Microsoft adds roles.
    pub fn name(self) -> Option<&'static str> {
        BUILT_IN.iter().find(|(_, id)| *id == self.0.0).map(|(name, _)| *name)
    }

    pub fn named(name: &str) -> Option<Self> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, id)| Self(RoleTemplateId(*id)))
    }

    /// Whoever holds it in a tenant can give themselves anything there: by assigning roles, or by
    /// resetting the password of a global administrator.
    pub fn is_privileged(self) -> bool {
        const PRIVILEGED: [&str; 4] = [
            "Global Administrator",
            "Privileged Role Administrator",
            "Privileged Authentication Administrator",
            "Partner Tier2 Support",
        ];
        self.name().is_some_and(|name| PRIVILEGED.contains(&name))
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for DirectoryRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

impl Scalar for DirectoryRole {
    const WHAT: &'static str = "a directory role";
    // Names are offered by the schema as examples and judged by the reader: Microsoft adds roles,
    // and an editor should not call a new one wrong before we can say which one was meant.
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^([A-Z0-9][A-Za-z0-9 ().&/-]{1,98}[A-Za-z0-9)]|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        length_max: 100,
    };
    const EXAMPLES: &'static [&'static str] =
        &["Service Support Administrator", "Directory Readers"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        if let Some(role) = Self::named(text) {
            return Ok(role);
        }
        if let Ok(id) = RoleTemplateId::parse(text) {
            return Ok(Self(id));
        }
        within(text, 100)?;
        let near = nearest(text);
        let help = near.map_or_else(
            || "a built-in role of Microsoft Entra, by its name, or by its template id if it is new".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        let name_like = text.len() >= 3
            && text.bytes().next().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && text.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric() || b == b')')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" ().&/-".contains(&b));
        Err(Malformed::because(if name_like { Fault::Unreal } else { Fault::Form }, help))
    }
}

/// The known role whose name is nearest to what was written.
fn nearest(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    DirectoryRole::names()
        .map(|name| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &lower), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

const BUILT_IN: &[(&str, Uuid)] = &[
    ("Global Administrator", uuid!("62e90394-69f5-4237-9190-012177145e10")),
    ("User Administrator", uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1")),
    ("Helpdesk Administrator", uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8")),
    ("Billing Administrator", uuid!("b0f54661-2d74-4c50-afa3-1ec803f12efe")),
    ("Service Support Administrator", uuid!("f023fd81-a637-4b56-95fd-791ac0226033")),
    ("Directory Readers", uuid!("88d8e3e3-8f55-4a1e-953a-9b9898b8876b")),
    ("Directory Writers", uuid!("9360feb5-f418-4baa-8175-e2a00bac4301")),
    ("Global Reader", uuid!("f2ef992c-3afb-46b9-b7cf-a126ee74c451")),
    ("License Administrator", uuid!("4d6ac14f-3453-41d0-bef9-a3e0c569773a")),
    ("Privileged Role Administrator", uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814")),
    ("Privileged Authentication Administrator", uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13")),
    ("Authentication Administrator", uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f")),
    ("Application Administrator", uuid!("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3")),
    ("Cloud Application Administrator", uuid!("158c047a-c907-4556-b7ef-446551a6b5f7")),
    ("Groups Administrator", uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c")),
    ("Password Administrator", uuid!("966707d0-3269-4727-9be2-8c3a10f19b9d")),
    ("Security Administrator", uuid!("194ae4cb-b126-40b2-bd5b-6091b380977d")),
    ("Security Reader", uuid!("5d6b6bb7-de71-4623-b4af-96380a352509")),
    ("Security Operator", uuid!("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f")),
    ("Exchange Administrator", uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de")),
    ("SharePoint Administrator", uuid!("f28a1f50-f6e7-4571-818b-6a12f2af6b6c")),
    ("Teams Administrator", uuid!("69091246-20e8-4a56-aa4d-066075b2a7a8")),
    ("Intune Administrator", uuid!("3a2c62db-5318-420d-8d74-23affee5d9d5")),
    ("Dynamics 365 Administrator", uuid!("44367163-eba1-44c3-98af-f5787879f96a")),
    ("Power Platform Administrator", uuid!("11648597-926c-4cf3-9c36-bcebb0ba8dcc")),
    ("Conditional Access Administrator", uuid!("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9")),
    ("Compliance Administrator", uuid!("17315797-102d-40b4-93e0-432062caca18")),
    ("Domain Name Administrator", uuid!("8329153b-31d0-4727-b945-745eb3bc5f31")),
    ("External Identity Provider Administrator", uuid!("be2f45a1-457d-42af-a067-6ec1fa63bc45")),
    ("Reports Reader", uuid!("4a5d8f65-41da-4de4-8968-e035b65339cf")),
    ("Guest Inviter", uuid!("95e79109-95c0-4d8e-aee3-d01accf2d47b")),
    ("Cloud Device Administrator", uuid!("7698a772-787b-4ac8-901f-60d6b08affd2")),
    ("Partner Tier1 Support", uuid!("4ba39ca4-527c-499a-b93d-d9b492c50246")),
    ("Partner Tier2 Support", uuid!("e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8")),
    ("Directory Synchronization Accounts", uuid!("d29b2b05-8046-44ba-8758-1e26182fcf32")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_guid_are_one_role() {
        let by_name = DirectoryRole::parse("Global Administrator");
        assert_eq!(by_name, DirectoryRole::parse("62E90394-69F5-4237-9190-012177145E10"));
        assert_eq!(by_name, Ok(GLOBAL_ADMINISTRATOR));
    }

    #[test]
    fn a_near_miss_is_named() {
        let malformed = DirectoryRole::parse("Service Suport Administrator").unwrap_err();
        assert_eq!(
            malformed.help.as_deref(),
            Some("did you mean `Service Support Administrator`?")
        );
    }
}
