#!/bin/sh
# Fetches a branch as FETCH_HEAD. Ends with 2 if there is no such branch, with 1 if that is not known.
#
#   sh fetch.sh refs/heads/partnerctl-approvals
set -eu
branch=${1:?a branch, in full}
: "${REMOTE:=origin}"

git ls-remote --exit-code "$REMOTE" "$branch" >/dev/null || {
  [ $? -eq 2 ] && exit 2
  exit 1
}
git fetch --quiet "$REMOTE" "$branch" || exit 1
