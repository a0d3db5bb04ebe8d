"""Image registries, by the OCI distribution specification: is a tag there, and what is its digest?"""

from previewbot.clients.registry.client import Checked, FoundImage, Registry
from previewbot.clients.registry.helpers import Helpers
from previewbot.clients.registry.problems import RepositoryUnknown, reason_of
from previewbot.clients.registry.transport import Limits

__all__ = ["Checked", "FoundImage", "Helpers", "Limits", "Registry", "RepositoryUnknown", "reason_of"]
