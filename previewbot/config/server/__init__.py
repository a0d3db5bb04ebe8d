"""The server's settings: what a file and the environment say, checked as a whole, as immutable values.

Nothing here reads a file or the environment; the command line does, and hands over what it read.
"""

from previewbot.config.server.agents import AgentsSettings as AgentsSettings
from previewbot.config.server.bearers import LEAST_BEARER as LEAST_BEARER
from previewbot.config.server.bearers import Bearer as Bearer
from previewbot.config.server.bearers import bearers as bearers
from previewbot.config.server.bearers import shared_secrets as shared_secrets
from previewbot.config.server.github import GitHubSettings as GitHubSettings
from previewbot.config.server.guard import GuardSettings as GuardSettings
from previewbot.config.server.images import ImageSettings as ImageSettings
from previewbot.config.server.images import RegistrySettings as RegistrySettings
from previewbot.config.server.links import GatewaySettings as GatewaySettings
from previewbot.config.server.links import LinkSettings as LinkSettings
from previewbot.config.server.model import ClusterSettings as ClusterSettings
from previewbot.config.server.model import DeadlinesSettings as DeadlinesSettings
from previewbot.config.server.model import LeaseSettings as LeaseSettings
from previewbot.config.server.model import LimitsSettings as LimitsSettings
from previewbot.config.server.model import ListingSettings as ListingSettings
from previewbot.config.server.model import Settings as Settings
from previewbot.config.server.model import TtlSettings as TtlSettings
from previewbot.config.server.parsing import document as document
from previewbot.config.server.parsing import parse as parse
from previewbot.config.server.people import SignInSettings as SignInSettings
from previewbot.config.server.proxy import AssertionSettings as AssertionSettings
from previewbot.config.server.proxy import ProxySettings as ProxySettings
from previewbot.config.server.repositories import RepositoryLimits as RepositoryLimits
from previewbot.config.server.repositories import RepositoryRule as RepositoryRule
from previewbot.config.server.secrets import LEAST_WEBHOOK_SECRET as LEAST_WEBHOOK_SECRET
from previewbot.config.server.secrets import SecretSource as SecretSource
from previewbot.config.server.secrets import private_key as private_key
from previewbot.config.server.secrets import private_key_source as private_key_source
from previewbot.config.server.secrets import webhook_secret_source as webhook_secret_source
from previewbot.config.server.secrets import webhook_secrets as webhook_secrets
from previewbot.config.server.sign_in_secrets import client_secret as client_secret
from previewbot.config.server.sign_in_secrets import cookie_keys as cookie_keys
