//! What relationships are called: unique within what the service allows, the same for the same
//! template and customer, and told apart from what others make.

use sha2::{Digest, Sha256};

use crate::model::id::TenantId;

/// So much of a template's name stands in a relationship's: with the mark and any number, fifty
/// characters are enough.
const TEMPLATE_CHARS: usize = 20;

/// The names of all relationships that a template has with a customer, one after the other:
/// `enterprise-ops-6f1d0a9b3c2e-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series(String);

impl Series {
    pub(super) fn new(template: &str, tenant: TenantId) -> Self {
        let cut: String = template.chars().take(TEMPLATE_CHARS).collect();
        let digest = Sha256::digest(format!("{template} {tenant}"));
        let mark = digest.iter().take(6).fold(0u64, |mark, byte| (mark << 8) | u64::from(*byte));
        Self(format!("{cut}-{mark:012x}-"))
    }

    pub(crate) fn name(&self, generation: u32) -> String {
        format!("{}{generation}", self.0)
    }

    /// Which of them a name is, if it is one. Names are compared without regard to case there.
    pub(super) fn generation(&self, name: &str) -> Option<u32> {
        let (start, number) = name.split_at_checked(self.0.len())?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (start.eq_ignore_ascii_case(&self.0) && is_number).then(|| number.parse().ok())?
    }
}

/// The number at the end of a name of ours.
pub(crate) fn generation_of(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const LENGTH_MAX: usize = 50;

    proptest! {
        #[test]
        fn a_name_fits_and_leads_back(
            template in "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
            tenant: u128,
            generation: u32,
        ) {
            let series = Series::new(&template, TenantId(Uuid::from_u128(tenant)));
            let name = series.name(generation);
            prop_assert!(name.chars().count() <= LENGTH_MAX, "{name}");
            prop_assert_eq!(series.generation(&name), Some(generation));
            prop_assert_eq!(series.generation(&name.to_uppercase()), Some(generation));
            prop_assert!(name.starts_with(&template[..template.len().min(TEMPLATE_CHARS)]));
        }

        #[test]
        fn of_two_templates_or_customers_no_name_is_the_same(
            one in "[a-z]{1,40}", other in "[a-z]{1,40}", here: u128, there: u128, number: u32,
        ) {
            prop_assume!((&one, here) != (&other, there));
            let tenant = |number| TenantId(Uuid::from_u128(number));
            let name = Series::new(&one, tenant(here)).name(number);
            prop_assert_eq!(Series::new(&other, tenant(there)).generation(&name), None);
        }
    }

    #[test]
    fn what_others_make_is_none_of_them() {
        let series = Series::new("enterprise-ops", TenantId(Uuid::from_u128(7)));
        let own = series.name(1);
        for name in ["", "enterprise-ops", "MLT_12345678_1", &own[..own.len() - 1]] {
            assert_eq!(series.generation(name), None, "{name}");
        }
        for end in ["x", " ", "99999999999", "-1"] {
            assert_eq!(series.generation(&format!("{own}{end}")), None, "{end}");
        }
    }
}
