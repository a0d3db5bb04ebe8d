"""Clients of what previewbot talks to: GitHub, Kubernetes, registries. They know nothing of each other."""
