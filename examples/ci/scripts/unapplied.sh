#!/bin/sh
# The commits that a plan holds and that are not in the tenant yet, one on a line: those since the last
# plan that was approved and carried out whole, and in any case those of the last merge.
#
#   sh unapplied.sh partnerctl-out/plan.json
#
# PROJECT  the folder with partnerctl.yaml, as it is after the merge
# CONTEXT  which tenant, by its name in partnerctl.yaml
# BASE     the commit before the merge
set -eu
plan=${1:?the plan}
: "${CONTEXT:?}" "${BASE:?}" "${PROJECT:=.}" "${REMOTE:=origin}"

fail() {
  echo "who made this plan is not known: $*" >&2
  exit 1
}
project_at() {
  git rev-parse --quiet --verify "$1:./$PROJECT"
}
# What the head of a pull request was merged to for a trial is on no branch; its host still has it.
is_here() {
  git cat-file -e "$1^{commit}" 2>/dev/null || git fetch --quiet "$REMOTE" "$1" 2>/dev/null
}

[ "$(git rev-parse --is-shallow-repository)" = false ] || fail "the history is cut off: fetch it whole"
settled=$(partnerctl history --before "$plan" --project "$PROJECT" --context "$CONTEXT")
if [ -z "$settled" ]; then
  echo "nothing was approved and carried out yet: who made the last merge is taken for who made the plan" >&2
  git rev-list "$BASE..HEAD"
  exit
fi
for commit in $settled; do
  if ! is_here "$commit" || ! tree=$(project_at "$commit"); then
    continue
  fi
  # The last one that was merged and has the same files: what came before it is in the tenant.
  for merged in $(git rev-list --first-parent HEAD -- "./$PROJECT"); do
    if [ "$(project_at "$merged" || true)" = "$tree" ]; then
      git rev-list HEAD "^$merged" -- "./$PROJECT"
      git rev-list HEAD "^$BASE"
      exit
    fi
  done
  git rev-list HEAD "^$commit" -- "./$PROJECT"
  git rev-list HEAD "^$BASE"
  exit
done
fail "none of the commits is here that were carried out: $settled"
