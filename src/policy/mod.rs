//! Who may do what: role permissions as Cedar policies.
