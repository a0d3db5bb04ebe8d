"""`previewbot conformance`: one session of a workload with its own image, and what was seen of it."""
