#!/bin/sh
# What a pull request changes, for whoever reviews it. No credentials, no tenant, no network.
#
# PROJECT  the folder with partnerctl.yaml
# BASE     the commit that it would be merged into: its rules judge
# OUT      a folder for review.md
set -eu
: "${BASE:?}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"

mkdir -p "$OUT"
partnerctl review --project "$PROJECT" --base "$BASE" --format markdown >"$OUT/review.md"
