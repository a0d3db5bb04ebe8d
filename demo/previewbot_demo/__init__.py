"""The embedded world: everything previewbot talks to, on one machine, for trying it out and for the tests."""
