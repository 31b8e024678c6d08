//! `metadata`, the same for every kind.

use crate::manifest::read::collections::{Annotations, Set};
use crate::manifest::read::scalars::Flag;
use crate::manifest::read::shape;
use crate::model::label::Labels;
use crate::model::metadata::{FieldPath, Metadata, OnRemoval};
use crate::model::name::Name;
use crate::model::time::Day;

shape!(Metadata, "metadata", {
    /// The stable key of the document, unique per kind: a lower-case DNS label. References use it.
    "name" => name: required Name, Local;
    /// Labels for selectors, in Kubernetes' grammar.
    "labels" => labels: default Labels, Local, Labels::new(), "";
    /// Free notes of yours and other tools'. `config.kubernetes.io/origin` locates findings through kustomize.
    "annotations" => annotations: default Annotations, Local, Vec::new(), "";
    /// Names it had before: it is renamed, not recreated.
    "formerly" => formerly: default Set<Name>, Local, Vec::new(), "";
    /// Survives the deletion of its document: deleting document and protection in one commit is refused.
    "protect" => protect: default Flag, Local, false, "false";
    /// Fields that others may own, such as `spec.displayName`: neither compared nor changed.
    "ignore" => ignore: default Set<FieldPath>, Local, Vec::new(), "";
    /// The last day, UTC, on which it holds. Afterwards its access counts as not held and the plan removes it.
    "expires" => expires: optional Day, Local;
    /// What happens in the tenant when the document is gone: what we granted is taken back (release), or more, explicitly.
    "onRemoval" => on_removal: optional OnRemoval, Local;
});
