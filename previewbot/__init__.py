"""previewbot: runs what a coding agent's pull request changes, and hands the reviewer a link."""
