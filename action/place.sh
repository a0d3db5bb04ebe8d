# Sets `place`: where this version of the Action has its Python environment, for this job. Two steps of a job may use
# two versions of it.
place="$RUNNER_TEMP/previewbot-wait-$(printf '%s' "$GITHUB_ACTION_PATH" | cksum | cut -d ' ' -f 1)"

# Prints an error that the run's page shows, and ends.
fail() {
  echo "::error title=previewbot wait::$1"
  exit 2
}
