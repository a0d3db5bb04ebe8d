"""The server's settings: what a file and the environment say, checked as a whole, as immutable values.

Nothing here reads a file or the environment; the command line does, and hands over what it read.
"""

from previewbot.settings.model import (
    ClusterSettings,
    Deadlines,
    GatewaySettings,
    GitHubSettings,
    ImageSettings,
    Limits,
    LinkSettings,
    Listing,
    RegistrySettings,
    Settings,
    Ttl,
)
from previewbot.settings.parsing import document, parse
from previewbot.settings.secrets import (
    Secrets,
    SecretSource,
    private_key,
    private_key_source,
    webhook_secret,
    webhook_secret_source,
)

__all__ = [
    "ClusterSettings",
    "Deadlines",
    "GatewaySettings",
    "GitHubSettings",
    "ImageSettings",
    "Limits",
    "LinkSettings",
    "Listing",
    "RegistrySettings",
    "SecretSource",
    "Secrets",
    "Settings",
    "Ttl",
    "document",
    "parse",
    "private_key",
    "private_key_source",
    "webhook_secret",
    "webhook_secret_source",
]
