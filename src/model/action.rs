//! Every action that the role tables speak of: what permissions allow and access tests ask.

use super::choice::choices;

choices! {
    /// Something that a person may do, `verb-noun`.
    "an action"
    pub enum Action {
        /// Search for customers and see them.
        ViewCustomer = "view-customer",
        /// Change a customer's details.
        EditCustomer = "edit-customer",
        /// Create a customer and its tenant.
        CreateCustomer = "create-customer",
        /// See a customer's agreement.
        ViewCustomerAgreement = "view-customer-agreement",
        /// Work in a customer's tenant on its behalf.
        AdministerOnBehalf = "administer-on-behalf",
        /// Ask a customer for delegated administration.
        RequestDelegatedAdministration = "request-delegated-administration",
        /// See delegated access and its state.
        ViewDelegatedAccess = "view-delegated-access",
        /// Create and end delegated access.
        ManageDelegatedAccess = "manage-delegated-access",
        /// Give groups their roles in delegated access.
        AssignDelegatedAccess = "assign-delegated-access",
        /// See the health of a customer's services.
        ViewServiceHealth = "view-service-health",
        /// See a customer's service requests.
        ViewServiceRequest = "view-service-request",
        /// Open a service request for a customer.
        CreateServiceRequest = "create-service-request",
        /// Manage a customer's subscriptions.
        ManageSubscriptions = "manage-subscriptions",
        /// Manage a customer's Office 365 subscriptions.
        ManageOfficeSubscriptions = "manage-office-subscriptions",
        /// Cancel an Azure subscription.
        CancelAzureSubscription = "cancel-azure-subscription",
        /// Order for a customer.
        OrderOnBehalf = "order-on-behalf",
        /// Add device lists, create and apply device profiles.
        ManageDevices = "manage-devices",
        /// Register a value-added reseller.
        RegisterReseller = "register-reseller",
        /// Ask a customer for a reseller relationship.
        RequestRelationship = "request-relationship",
        /// End a reseller relationship.
        EndRelationship = "end-relationship",
        /// Manage customer leads.
        ManageLeads = "manage-leads",
        /// See referrals of one's own.
        ViewReferrals = "view-referrals",
        /// Manage all referrals and co-sell opportunities.
        ManageReferrals = "manage-referrals",
        /// Register deals that were won.
        RegisterDeal = "register-deal",
        /// Create and manage business profiles.
        ManageBusinessProfile = "manage-business-profile",
        /// Publish and edit co-sell solutions.
        ManageCosellSolution = "manage-cosell-solution",
        /// See incentive programs and earnings.
        ViewIncentives = "view-incentives",
        /// Initiate incentive claims.
        ClaimIncentives = "claim-incentives",
        /// Manage incentives, bank and tax details.
        ManageIncentives = "manage-incentives",
        /// See reports without revenue and personal data.
        ViewReports = "view-reports",
        /// See all reports.
        ViewExecutiveReports = "view-executive-reports",
        /// See users.
        ViewUsers = "view-users",
        /// Create, change and remove users.
        ManageUsers = "manage-users",
        /// Give and take roles.
        AssignRoles = "assign-roles",
        /// Give and take the compliance admin role.
        AssignComplianceAdmin = "assign-compliance-admin",
        /// Reset a user's password.
        ResetPassword = "reset-password",
        /// See one's own profile.
        ViewOwnProfile = "view-own-profile",
        /// See partner profiles.
        ViewPartnerProfile = "view-partner-profile",
        /// Change partner profiles.
        EditPartnerProfile = "edit-partner-profile",
        /// Change the legal business profile.
        EditLegalProfile = "edit-legal-profile",
        /// Follow account verification and upload documents.
        ManageVerification = "manage-verification",
        /// Add locations and enroll them in programs.
        ManageLocations = "manage-locations",
        /// See membership and benefits.
        ViewMembership = "view-membership",
        /// Manage membership and benefits.
        ManageMembership = "manage-membership",
        /// Open a ticket about Partner Center.
        CreatePartnerTicket = "create-partner-ticket",
        /// See one's own tickets about Partner Center.
        ViewPartnerTicket = "view-partner-ticket",
        /// Manage service requests for Partner Center itself.
        ManagePartnerRequests = "manage-partner-requests",
        /// Accept a partnership from an indirect provider.
        AcceptPartnership = "accept-partnership",
        /// Ask a reseller for a partnership.
        RequestPartnership = "request-partnership",
        /// See offers and prices.
        ViewPricing = "view-pricing",
        /// See bills and invoices.
        ViewBilling = "view-billing",
        /// Manage billing and reconciliation.
        ManageBilling = "manage-billing",
        /// Sign agreements for the partner.
        SignAgreement = "sign-agreement",
    }
}

impl Action {
    /// Whether customers can be chosen for it: it is done to them, or to the people of their tenant.
    pub const fn is_done_to_customers(self) -> bool {
        self.is_about_customers() || self.is_about_people()
    }

    /// Whether it is done to people: those of our own account, or of a customer's tenant.
    pub const fn is_about_people(self) -> bool {
        matches!(
            self,
            Self::ViewUsers | Self::ManageUsers | Self::AssignRoles | Self::ResetPassword
        )
    }

    /// Whether it is done inside a customer's tenant, so that delegated access is what gives it.
    pub const fn is_done_in_tenants(self) -> bool {
        self.is_about_people()
            || matches!(
                self,
                Self::AdministerOnBehalf
                    | Self::ViewServiceHealth
                    | Self::ViewServiceRequest
                    | Self::CreateServiceRequest
            )
    }

    /// Whether it is done to a customer, rather than in our own account.
    pub const fn is_about_customers(self) -> bool {
        matches!(
            self,
            Self::ViewCustomer
                | Self::EditCustomer
                | Self::ViewCustomerAgreement
                | Self::AdministerOnBehalf
                | Self::RequestDelegatedAdministration
                | Self::ViewDelegatedAccess
                | Self::ManageDelegatedAccess
                | Self::AssignDelegatedAccess
                | Self::ViewServiceHealth
                | Self::ViewServiceRequest
                | Self::CreateServiceRequest
                | Self::ManageSubscriptions
                | Self::ManageOfficeSubscriptions
                | Self::CancelAzureSubscription
                | Self::OrderOnBehalf
                | Self::ManageDevices
                | Self::RequestRelationship
                | Self::EndRelationship
        )
    }
}
