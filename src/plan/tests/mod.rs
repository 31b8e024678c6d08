mod authorised;
mod delegated;
mod laws;
pub(crate) mod service;
pub(crate) mod stage;
mod table;
mod timid;
mod undo;

/// An account that says everything that a profile can hold.
pub(super) fn account() -> crate::model::account::Account {
    let contact = "{firstName: Aiko, lastName: Tanaka, email: aiko@fabrikam.example, phone: \"+81 3 1234 5678\"}";
    let place = "{line1: 1 Ginza, line2: Tower, line3: East, city: Tokyo, state: Tokyo, postalCode: 104-0061, country: JP}";
    let text = stage::BASE
        .replace(
            "  support: {email: support@fabrikam.example, phone: \"+81 3 1234 5679\"}\n",
            &format!(
                "  support: {{email: support@fabrikam.example, phone: \"+81 3 1234 5679\", website: https://support.fabrikam.example}}\n  billing: {{currency: JPY, taxId: \"1\", purchaseOrderNumber: \"2\", companyName: Fabrikam, address: {place}, primaryContact: {contact}}}\n"
            ),
        )
        .replace("{line1: 1-2-3 Marunouchi, city: Tokyo, postalCode: 100-0005, country: JP}", place);
    let loaded = stage::load(&text, crate::model::time::Day(jiff::civil::date(2026, 11, 20)));
    *loaded.estate.account.unwrap().spec
}
