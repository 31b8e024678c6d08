#!/bin/sh
# Approves of a plan, on the machine of whoever approves, and hands the approval in.
#
#   sh approve.sh partnerctl-out/plan.json ~/.ssh/id_ed25519
#
# Approvals stand on a branch of their own, in a folder named after the plan's SHA-256. Whoever may
# push there can add nothing that counts: what counts is who signed.
set -eu
plan=${1:?the plan} key=${2:?your key}
: "${BRANCH:=partnerctl-approvals}" "${REMOTE:=origin}"

partnerctl approve "$plan" --key "$key"
name=$(sha256sum <"$plan" | cut -d ' ' -f 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
url=$(git remote get-url "$REMOTE")
if ! git clone --quiet --depth 1 --branch "$BRANCH" "$url" "$work" 2>/dev/null; then
  git init --quiet "$work"
  git -C "$work" checkout --quiet --orphan "$BRANCH"
  git -C "$work" remote add origin "$url"
fi
mkdir -p "$work/$name"
cp "$plan".approvals/*.json "$work/$name/"
git -C "$work" add .
git -C "$work" commit --quiet --message "Approve plan $name"
git -C "$work" push --quiet origin "HEAD:refs/heads/$BRANCH"
