"""An in-memory Kubernetes API server, as much of one as previewbot and the demo's operator talk to."""

from previewbot_demo.kube.server import FakeKube

__all__ = ["FakeKube"]
