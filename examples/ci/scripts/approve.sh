#!/bin/sh
# Approves of a plan, on the machine of whoever approves, and hands the approval in.
#
#   sh approve.sh partnerctl-out/plan.json ~/.ssh/id_ed25519
#
# Approvals stand on a branch of their own, in a folder named after the plan's SHA-256. Whoever may
# push there can add nothing that counts: what counts is who signed. Nor can they have anything
# written here: nothing of that branch is checked out.
set -eu
plan=${1:?the plan} key=${2:?your key}
: "${BRANCH:=partnerctl-approvals}" "${REMOTE:=origin}"

partnerctl approve "$plan" --key "$key"
name=$(sha256sum <"$plan" | cut -d ' ' -f 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
url=$(git remote get-url "$REMOTE")
git ls-remote --exit-code "$url" "refs/heads/$BRANCH" >/dev/null && known=0 || known=$?
case $known in
  0)
    git clone --quiet --depth 1 --no-checkout --branch "$BRANCH" "$url" "$work"
    git -C "$work" reset --quiet
    ;;
  2)
    git init --quiet "$work"
    git -C "$work" checkout --quiet --orphan "$BRANCH"
    git -C "$work" remote add origin "$url"
    ;;
  *)
    echo "the approval is not handed in: $REMOTE cannot be asked for $BRANCH" >&2
    exit 1
    ;;
esac
mkdir "$work/$name"
cp "$plan".approvals/*.json "$work/$name/"
git -C "$work" add --ignore-removal "$name"
git -C "$work" commit --quiet --message "Approve plan $name"
git -C "$work" push --quiet origin "HEAD:refs/heads/$BRANCH"
