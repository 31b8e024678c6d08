#!/bin/sh
# Writes the comment NAME of a pull request, or writes it anew if it is there.
#
# NAME  review or plan: OUT/NAME.md is the comment, and a line that nobody sees tells it from others
# PULL  the number of the pull request
# gh needs GH_TOKEN, with leave to write pull requests.
set -eu
: "${NAME:?}" "${PULL:?}" "${GITHUB_REPOSITORY:?}" "${OUT:=partnerctl-out}"

mark="<!-- partnerctl: $NAME -->"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  echo "$mark"
  cat "$OUT/$NAME.md"
} >"$work/body"
# Its own comments alone: whoever copies the line into theirs is not overwritten, nor believed.
ours=".[] | select(.user.login == \"github-actions[bot]\") | select(.body | startswith(\"$mark\")) | .id"
id=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL/comments" --jq "$ours" | head -n 1)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$work/body"
else
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL/comments" --field "body=@$work/body"
fi
