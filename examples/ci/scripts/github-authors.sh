#!/bin/sh
# Who made the commits on standard input, by what GitHub calls them, one on a line: everybody who wrote
# or committed them or anything of the pull requests that they merged, and who opened those.
#
# UNSIGNED  set it where commits need not be signed: then whose they are is what their author said
# gh needs GH_TOKEN, with leave to read contents and pull requests.
set -eu
: "${GITHUB_REPOSITORY:?}" "${UNSIGNED:=}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "who made this change is not known: $*" >&2
  exit 1
}
made='[.sha, .commit.verification.verified, (.author.login // .commit.author.email), (.committer.login // .commit.committer.email)] | @tsv'
opened='.[] | select(.merged_at != null) | "\(.number) \(.user.login)"'
: >"$work/commits"
: >"$work/pulls"
while read -r commit; do
  gh api "repos/$GITHUB_REPOSITORY/commits/$commit" --jq "$made" >>"$work/commits"
  gh api "repos/$GITHUB_REPOSITORY/commits/$commit/pulls" --jq "$opened" >>"$work/pulls"
done
sort -u "$work/pulls" >"$work/opened"
while read -r pull opener; do
  echo "$opener"
  gh api --paginate "repos/$GITHUB_REPOSITORY/pulls/$pull/commits" --jq ".[] | $made" >"$work/of"
  # GitHub lists no more.
  [ "$(wc -l <"$work/of")" -lt 250 ] || fail "pull request $pull has 250 commits or more"
  cat "$work/of" >>"$work/commits"
done <"$work/opened"
tab=$(printf '\t')
while IFS="$tab" read -r commit verified author committer; do
  # An address in a commit is what its author chose; a signature is not.
  [ "$verified" = true ] || [ -n "$UNSIGNED" ] || fail "commit $commit has no signature that GitHub knows"
  for who in "$author" "$committer"; do
    [ "$who" = web-flow ] || echo "$who"
  done
done <"$work/commits"
