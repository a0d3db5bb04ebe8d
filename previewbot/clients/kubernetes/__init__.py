"""The Kubernetes API as previewbot needs it: async for the controller, one sync write for web."""
