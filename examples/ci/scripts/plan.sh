#!/bin/sh
# What would be done to the tenant, with the reading identity: a plan to be approved, and to be read.
#
# PROJECT   the folder with partnerctl.yaml
# CONTEXT   which tenant, by its name in partnerctl.yaml
# BASE      of a pull request, the commit that it would be merged into; what is merged needs none
# OUT       a folder for plan.json and plan.md
# SIGN_KEY  a key to sign the plan with as who made it, if there is one
#
# The Markdown goes into a file and never to the log: a log is read by the machine that runs this.
set -eu
: "${CONTEXT:?}" "${PROJECT:=.}" "${OUT:=partnerctl-out}"

# Where tokens are sent, and which variables hold secrets, stands in the project file: what a pull
# request says of that is not believed before it is merged.
if [ -n "${BASE:-}" ]; then
  git checkout --quiet "$BASE" -- "$PROJECT/partnerctl.yaml"
fi
# What a commit put in this place, a link for one, is not written through.
[ ! -L "$OUT" ] || rm "$OUT"
mkdir -p "$OUT"
rm -rf "$OUT/plan.json" "$OUT/plan.md"
partnerctl plan --project "$PROJECT" --context "$CONTEXT" \
  --out "$OUT/plan.json" ${SIGN_KEY:+--sign "$SIGN_KEY"} --format markdown >"$OUT/plan.md"
