//! The tenant over HTTP: Partner Center and Microsoft Graph.
