#!/bin/sh
# What a pull request changes, for whoever reviews it. No credentials, no tenant, no network.
#
# PROJECT  the folder with partnerctl.yaml
# BASE     the commit that it would be merged into: its rules judge
# FAIL_ON  what ends with 2, for a person to look at: widened (unless given), privileged, none
# OUT      a folder for review.md
set -eu
: "${BASE:?}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"

# What a commit put in this place, a link for one, is not written through.
[ ! -L "$OUT" ] || rm "$OUT"
mkdir -p "$OUT"
rm -rf "$OUT/review.md"
partnerctl review --project "$PROJECT" --base "$BASE" \
  ${FAIL_ON:+--fail-on "$FAIL_ON"} --format markdown >"$OUT/review.md"
