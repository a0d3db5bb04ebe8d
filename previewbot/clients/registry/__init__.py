"""Image registries, by the OCI distribution specification: is a tag there, and what is its digest?"""

from previewbot.clients.registry.client import FoundImage, Registry
from previewbot.clients.registry.transport import Limits

__all__ = ["FoundImage", "Limits", "Registry"]
