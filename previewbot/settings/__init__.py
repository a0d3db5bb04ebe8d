"""The server's settings: what a file and the environment say, checked as a whole, as immutable values.

Nothing here reads a file or the environment; the command line does, and hands over what it read.
"""

from previewbot.settings.model import ClusterSettings as ClusterSettings
from previewbot.settings.model import Deadlines as Deadlines
from previewbot.settings.model import GatewaySettings as GatewaySettings
from previewbot.settings.model import GitHubSettings as GitHubSettings
from previewbot.settings.model import ImageSettings as ImageSettings
from previewbot.settings.model import Limits as Limits
from previewbot.settings.model import LinkSettings as LinkSettings
from previewbot.settings.model import Listing as Listing
from previewbot.settings.model import RegistrySettings as RegistrySettings
from previewbot.settings.model import Settings as Settings
from previewbot.settings.model import Ttl as Ttl
from previewbot.settings.parsing import document as document
from previewbot.settings.parsing import parse as parse
from previewbot.settings.secrets import Secrets as Secrets
from previewbot.settings.secrets import SecretSource as SecretSource
from previewbot.settings.secrets import private_key as private_key
from previewbot.settings.secrets import private_key_source as private_key_source
from previewbot.settings.secrets import webhook_secret as webhook_secret
from previewbot.settings.secrets import webhook_secret_source as webhook_secret_source
