#!/usr/bin/env bash
# Waits, hands on how it came out, and lets those outcomes pass that the workflow allows.
set -uo pipefail
. "$GITHUB_ACTION_PATH/place.sh"

# Also one a line, as a list in YAML is often written.
allowed=" ${WAIT_ALLOW//[,[:space:]]/ } "
for word in $allowed; do
  case $word in
    never-triggered | ended | failed | timed-out) ;;
    *) fail "allow takes never-triggered, ended, failed and timed-out, and one of its words is another" ;;
  esac
done
if [ -z "$WAIT_PULL_REQUEST" ]; then
  fail "no pull request is known here: name it (with: pull-request), or run this for the event pull_request"
fi
if [ -z "$WAIT_SHA" ]; then
  fail "no commit is known here: name it (with: sha), or run this for the event pull_request"
fi

# Then previewbot is asked, and GitHub nothing: only from there comes what lets a test past the guard.
if [ -n "$WAIT_URL" ]; then
  unset GITHUB_TOKEN GH_TOKEN
  export PREVIEWBOT_URL="$WAIT_URL" PREVIEWBOT_BEARER="$WAIT_BEARER"
fi

"$place/bin/python" -I -m previewbot.asking \
  "--sha=$WAIT_SHA" "--timeout=$WAIT_TIMEOUT" "--grace=$WAIT_GRACE" \
  "--app=$WAIT_APP" "--environment=$WAIT_ENVIRONMENT" "--github-output=$GITHUB_OUTPUT" \
  -- "$WAIT_REPOSITORY#$WAIT_PULL_REQUEST"
code=$?
case $code in
  0) exit 0 ;;
  1) state=failed ;;
  3) state=ended ;;
  4) state=never-triggered ;;
  5) state=timed-out ;;
  *) fail "it could not wait; its last line says why" ;;
esac
if [[ $allowed == *" $state "* ]]; then
  echo "The preview is not ready ($state), which this step allows."
  exit 0
fi
echo "::error title=previewbot wait::There is no preview ($state); the last line of this step says why."
exit "$code"
