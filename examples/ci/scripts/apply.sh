#!/bin/sh
# Applies exactly the plan in OUT, with the writing identity, if enough people approve of it.
#
# PROJECT      the folder with partnerctl.yaml, as it is after the merge
# CONTEXT      which tenant, by its name in partnerctl.yaml
# OUT          the folder with plan.json
# BASE         the commit before the merge: whose approvers decide, so that nobody comes in by the
#              change that they would approve of
# APPROVERS    the approvers' file, from the root of the repository; revoked keys in APPROVERS.revoked,
#              and in APPROVERS.others names of people who make changes and are none of them
# APPROVALS    how many must approve
# AUTHORS      who made the change besides, by names that the approvers' file has
# AUTHORS_FROM the script beside this one that says who made commits: git-authors.sh, github-authors.sh
# BRANCH       where approve.sh puts approvals
set -eu
: "${CONTEXT:?}" "${BASE:?}" "${AUTHORS:=}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"
: "${APPROVERS:=approvers}" "${APPROVALS:=1}" "${BRANCH:=partnerctl-approvals}" "${REMOTE:=origin}"
: "${AUTHORS_FROM:=git-authors.sh}"

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git show "$BASE:$APPROVERS" >"$work/approvers"
set -- --approvers "$work/approvers"
if git show "$BASE:$APPROVERS.revoked" >"$work/revoked" 2>/dev/null; then
  set -- "$@" --revoked "$work/revoked"
fi
if git show "$BASE:$APPROVERS.others" >"$work/others" 2>/dev/null; then
  while read -r name; do
    case "$name" in '' | '#'*) ;; *) set -- "$@" --no-approver="$name" ;; esac
  done <"$work/others"
fi

# A plan holds what was merged since the last one that was carried out, and not this merge alone:
# who made any of that does not approve.
sh "$here/unapplied.sh" "$OUT/plan.json" >"$work/commits"
sh "$here/$AUTHORS_FROM" <"$work/commits" >"$work/authors"
# Words, and no patterns for names of files.
set -f
printf '%s\n' $AUTHORS >>"$work/authors"
set +f
sort -u "$work/authors" >"$work/names"
while read -r name; do
  [ -z "$name" ] || set -- "$@" --author="$name"
done <"$work/names"

# Files of a branch that is not believed: their bytes alone, under names of our own.
name=$(sha256sum <"$OUT/plan.json" | cut -d ' ' -f 1)
if sh "$here/fetch.sh" "refs/heads/$BRANCH"; then
  git ls-tree FETCH_HEAD "$name/" >"$work/listed"
  while read -r mode kind id _; do
    if [ "$mode $kind" = "100644 blob" ]; then
      git cat-file blob "$id" >"$work/$id.json"
      set -- "$@" --approval "$work/$id.json"
    fi
  done <"$work/listed"
elif [ $? -ne 2 ]; then
  echo "who approves is not known: $BRANCH cannot be fetched from $REMOTE" >&2
  exit 1
fi

partnerctl apply "$OUT/plan.json" --yes --project "$PROJECT" --context "$CONTEXT" \
  --require-approvals "$APPROVALS" "$@"
