#!/bin/sh
# Applies exactly the plan in OUT, with the writing identity, if enough people approve of it.
#
# PROJECT    the folder with partnerctl.yaml, as it is after the merge
# CONTEXT    which tenant, by its name in partnerctl.yaml
# OUT        the folder with plan.json
# BASE       the commit before the merge: whose approvers decide, so that nobody comes in by the
#            change that they would approve of
# APPROVERS  the approvers' file, from the root of the repository; revoked keys in APPROVERS.revoked
# APPROVALS  how many must approve
# AUTHORS    who made the change, by names that the approvers' file has, separated by white space
# BRANCH     where approve.sh puts approvals
set -eu
: "${CONTEXT:?}" "${BASE:?}" "${AUTHORS:?}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"
: "${APPROVERS:=approvers}" "${APPROVALS:=1}" "${BRANCH:=partnerctl-approvals}" "${REMOTE:=origin}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git show "$BASE:$APPROVERS" >"$work/approvers"
set -- --approvers "$work/approvers"
if git show "$BASE:$APPROVERS.revoked" >"$work/revoked" 2>/dev/null; then
  set -- "$@" --revoked "$work/revoked"
fi
# Words, and no patterns for names of files.
set -f
for author in $AUTHORS; do
  set -- "$@" --author="$author"
done
set +f

name=$(sha256sum <"$OUT/plan.json" | cut -d ' ' -f 1)
if git fetch --quiet --depth 1 "$REMOTE" "$BRANCH" 2>/dev/null &&
  git archive FETCH_HEAD "$name" >"$work/approvals.tar" 2>/dev/null; then
  tar -x -C "$work" -f "$work/approvals.tar"
  for file in "$work/$name"/*.json; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then
      set -- "$@" --approval "$file"
    fi
  done
fi

partnerctl apply "$OUT/plan.json" --yes --project "$PROJECT" --context "$CONTEXT" \
  --require-approvals "$APPROVALS" "$@"
