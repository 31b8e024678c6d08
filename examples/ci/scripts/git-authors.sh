#!/bin/sh
# Who wrote and who committed the commits on standard input, by their addresses, one on a line. These
# are what their author chose: have the host refuse commits of unverified committers.
set -eu
git log --no-walk --stdin --format='%ae%n%ce'
