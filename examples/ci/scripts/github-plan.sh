#!/bin/sh
# Fetches the plan that was shown in the pull request which GITHUB_SHA merged, and says who made that
# change: everybody who wrote or committed any of it.
#
# WORKFLOW  the file of the workflow that made the plan
# OUT       a folder for plan.json
# gh needs GH_TOKEN, with leave to read actions and pull requests.
set -eu
: "${GITHUB_REPOSITORY:?}" "${GITHUB_SHA:?}" "${GITHUB_OUTPUT:?}" "${WORKFLOW:?}" "${OUT:=partnerctl-out}"

merged='[.[] | select(.merged_at != null)][0] | "\(.number) \(.head.sha) \(.user.login)"'
found=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq "$merged")
read -r pull head opened <<END
$found
END
wrote=$(gh api --paginate "repos/$GITHUB_REPOSITORY/pulls/$pull/commits" \
  --jq '.[] | (.author.login // .commit.author.email), (.committer.login // .commit.committer.email)')
run=$(gh run list --workflow "$WORKFLOW" --commit "$head" --event pull_request --status success \
  --limit 1 --json databaseId --jq '.[0].databaseId')
gh run download "$run" --name partnerctl-plan --dir "$OUT"
authors=$(printf '%s\n' "$opened" "$wrote" | grep -v '^web-flow$' | sort -u | tr -s '[:space:]' ' ')
echo "authors=$authors" >>"$GITHUB_OUTPUT"
