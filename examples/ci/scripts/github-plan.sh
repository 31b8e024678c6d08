#!/bin/sh
# Fetches the plan that was shown in the pull request which GITHUB_SHA merged.
#
# WORKFLOW  the file of the workflow that made the plan
# OUT       a folder for plan.json
# gh needs GH_TOKEN, with leave to read actions and pull requests.
set -eu
: "${GITHUB_REPOSITORY:?}" "${GITHUB_SHA:?}" "${WORKFLOW:?}" "${OUT:=partnerctl-out}"

merged='[.[] | select(.merged_at != null)][0].head.sha'
head=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq "$merged")
run=$(gh run list --workflow "$WORKFLOW" --commit "$head" --event pull_request --status success \
  --limit 1 --json databaseId --jq '.[0].databaseId')
gh run download "$run" --name partnerctl-plan --dir "$OUT"
