"""Image registries, by the OCI distribution specification: is a tag there, and what is its digest?"""

from previewbot.registry.client import FoundImage, Registry
from previewbot.registry.transport import Limits

__all__ = ["FoundImage", "Limits", "Registry"]
