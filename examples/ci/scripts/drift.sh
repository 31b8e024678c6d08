#!/bin/sh
# What others changed in the tenant since the last apply, with the reading identity. Ends with 9 if
# there is anything.
#
# PROJECT  the folder with partnerctl.yaml
# CONTEXT  which tenant, by its name in partnerctl.yaml
# OUT      a folder for drift.txt
set -eu
: "${CONTEXT:?}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"

# What a commit put in this place, a link for one, is not written through.
[ ! -L "$OUT" ] || rm "$OUT"
mkdir -p "$OUT"
rm -rf "$OUT/drift.txt"
partnerctl drift --project "$PROJECT" --context "$CONTEXT" --exit-code >"$OUT/drift.txt"
