"""The settings as values, which is also how the file is read; names are those of the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from previewbot.config import types as t
from previewbot.config.server.agents import AgentsSettings
from previewbot.config.server.github import GitHubSettings
from previewbot.config.server.guard import guard_mistakes
from previewbot.config.server.images import ImageSettings
from previewbot.config.server.links import GatewaySettings, LinkSettings
from previewbot.config.server.people import Access, SignInSettings, Verdicts, sign_in_mistakes
from previewbot.config.server.pictures import PicturesSettings
from previewbot.config.server.places import Deployments, DeploymentsSettings
from previewbot.config.server.proxy import ProxySettings, proxy_mistakes
from previewbot.config.server.repositories import Owner, RepositoryRule, mistakes_of
from previewbot.config.server.routes import host_mistakes
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw
from previewbot.text.durations import format_duration

NARROWING = ("owners", "repositories")
"""Keys without which everything is allowed: no value, there and below, must not be taken for none."""

_LEAST_PROGRESS = timedelta(seconds=90)


class LeaseSettings(t.Model):
    """The Lease that decides which of several controllers works."""

    name: Annotated[t.Domain, about("the Lease", "previewbot-controller")]
    namespace: Annotated[t.Label, about("where it is", "previewbot")]


class ClusterSettings(t.Model):
    """Which cluster, and the namespaces previews may live in."""

    kubeconfig: t.File | None = about(
        "left out: the cluster it runs in", "/etc/previewbot/kubeconfig", default=None
    )
    namespaces: Annotated[
        tuple[t.Label, ...], Field(min_length=1), about("where previews may be made", ["staging"])
    ]
    lease: LeaseSettings | None = about(
        "which controller works; left out: `previewbot-controller` in the first namespace", default=None
    )

    @property
    def lease_or_default(self) -> LeaseSettings:
        """The Lease that is named, or the default one."""
        return self.lease or LeaseSettings(name="previewbot-controller", namespace=self.namespaces[0])

    @property
    def inbox_namespace(self) -> str:
        """Where web stores what is asked for elsewhere than in a comment: beside the Lease."""
        return self.lease_or_default.namespace

    @property
    def listing_lease(self) -> LeaseSettings:
        """The Lease that carries web's wish for a listing: beside the other one, as `NAME-listing`."""
        lease = self.lease_or_default
        return LeaseSettings(name=f"{lease.name}-listing", namespace=lease.namespace)


class LimitsSettings(t.Model):
    """How much there may be at once; a limit that is lowered ends nothing that runs."""

    previews: t.WholeNumber = about(
        "over it they wait in line; of those that wait, one whose repository, then whose author holds fewest "
        "comes first, then the oldest",
        50,
        default=50,
    )
    per_repository: t.WholeNumber | None = about(
        "how many of them one repository may hold; left out: all", 20, default=None
    )
    per_author: t.WholeNumber | None = about(
        "how many of them pull requests of one GitHub account may hold, in all repositories together; an "
        "agent's own account is no author, but `per_agent`'s, and an App's bot (`dependabot[bot]`) is none "
        "either: `per_repository` bounds it; left out: all",
        5,
        default=None,
    )
    per_agent: t.WholeNumber | None = about(
        "how many of them pull requests of one agent may hold, in all repositories together; left out: all",
        30,
        default=None,
    )
    evict: Literal["idle", "never"] = about(
        "`idle`: where one waits, a preview that has been asleep for ten minutes or more makes room and "
        "ends: of the repository, then the author, who holds most, the one that has slept for longest; its "
        "comment says how to start it again",
        "idle",
        default="never",
    )
    services: t.WholeNumber = about(
        "how many services of one pull request are previewed: the entry's own first, then in the order of "
        "`preview.yaml`",
        10,
        default=10,
    )
    replicas: t.WholeNumber = about(
        "how many pods of one service a preview may have, where its mirrord file asks for more than one",
        3,
        default=3,
    )


class TtlSettings(t.Model):
    """How long a preview lives from when it is first ready, and how far that can be extended."""

    default: t.Duration = about("how long it lives", "8h", default=timedelta(hours=8))
    max: t.Duration = about(
        "how long at most, however often it is extended", "72h", default=timedelta(hours=72)
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.default > self.max and "default" not in self.model_fields_set:
            raise mistake("ttl_max", at="max", least=Raw(format_duration(self.default)))
        if self.default > self.max:
            raise mistake("ttl", at="default", most=Raw(format_duration(self.max)))
        return self


def _progress(value: timedelta) -> timedelta:
    # What gives a sign of life about once a minute, as idle watches do, must fit in.
    if value < _LEAST_PROGRESS:
        raise mistake("progress", least=Raw(format_duration(_LEAST_PROGRESS)))
    return value


class DeadlinesSettings(t.Model):
    """How long things may take."""

    image: t.Duration = about("when waiting is called missing", "60m", default=timedelta(minutes=60))
    session: t.Duration = about("when starting is called failed", "5m", default=timedelta(minutes=5))
    branch: t.Duration = about(
        "when copying a database for a preview, or migrating the copy, is called failed",
        "15m",
        default=timedelta(minutes=15),
    )
    split: t.Duration = about(
        "how much longer starting may take where queues are split: mirrord's operator restarts the workload "
        "in staging, the first time",
        "2m",
        default=timedelta(minutes=2),
    )
    progress: Annotated[
        t.Duration,
        AfterValidator(_progress),
        about("when a controller that does not move, or gets no answer, is unhealthy", "5m"),
    ] = timedelta(minutes=5)


class ListingSettings(t.Model):
    """Looking at GitHub, to make good what webhooks missed."""

    interval: t.Duration = about(
        "how often open pull requests are listed, webhooks or not; more seldom where that would take more "
        "than a quarter of the requests that GitHub grants an installation",
        "3m",
        default=timedelta(minutes=3),
    )


class CommentSettings(t.Model):
    """What stands in comments and answers: whoever may read the pull request reads them."""

    logs: t.Truth = about(
        "the last lines of a crash's log, what `/preview logs` shows, and mirrord's words of why a session "
        "failed; `false`: they are left to `kubectl`, and pods' logs are not read",
        True,
        default=True,
    )


class ApiSettings(t.Model):
    """How programs are told how previews stand; without a bearer they are told what the page tells."""

    bearer_file: t.File | None = about(
        "pages only; whoever sends what stands in it reads how every preview stands, as JSON, and can change "
        "nothing; of a line `acme/shop <bearer>` only how those of that repository do. At least 32 "
        "characters; while one is changed, the one before may stand in a second line. It is read again for "
        "each request",
        "/etc/previewbot/api/bearer",
        default=None,
    )
    opens_previews: t.Truth = about(
        "with a guard before previews: a bearer for all of them lets into all of them, too; left out: only "
        "one for a repository does, into that one's",
        True,
        default=False,
    )


class CommandsSettings(t.Model):
    """What people may ask for by a command."""

    logs_in_public_repositories: t.Truth = about(
        "`/preview logs` also answers in public repositories, where everybody reads what a service prints; "
        "left out: only in private ones",
        True,
        default=False,
    )


class Settings(t.Model):
    """All settings of a server."""

    github: GitHubSettings
    public_url: Annotated[
        t.Url,
        about(
            "where people reach `previewbot pages`, and GitHub `previewbot web`",
            "https://previews.example.com",
        ),
    ]
    cluster: ClusterSettings
    links: LinkSettings | None = about(
        "how a link is made; left out: by share hosts, or by the header", default=None
    )
    images: ImageSettings
    owners: Annotated[tuple[Owner, ...], Field(min_length=1)] | None = about(
        "accounts whose installations of the App count; left out: whoever installs it", ["acme"], default=None
    )
    repositories: tuple[RepositoryRule, ...] | None = about(
        "what each repository may have: the first rule that is for it counts, and what none is for gets "
        "nothing; left out: every repository may have all that is allowed here, which the start warns of",
        [{"match": ["acme/*"]}],
        default=None,
    )
    config_branches: tuple[t.Text, ...] = about(
        "base branches that may have a `preview.yaml` of their own. One named in full counts if GitHub calls "
        "it protected; one that a pattern matches if active rules restrict its creation and require a pull "
        "request to change it; else the default branch's file counts, and the comment says so. Never one "
        "that has the name of an agent's branch (`copilot/…`)",
        ["release/*"],
        default=(),
    )
    limits: LimitsSettings = LimitsSettings()
    ttl: TtlSettings = TtlSettings()
    deadlines: DeadlinesSettings = DeadlinesSettings()
    listing: ListingSettings = ListingSettings()
    pages: Literal["private", "public"] = about(
        "what a preview's page tells: `private`, nothing, the same for every address; `public`, how the "
        "preview stands, to whoever asks",
        "private",
        default="private",
    )
    access: Access | None = about(
        "how people sign in: `github`, with their account there; `proxy`, at a sign-on proxy before the "
        "pages, which says who they are; `none`, not at all, and `pages` alone says what is seen. Left out: "
        "`github` where `sign_in.client_secret_file` is set, else `none`",
        "github",
        default=None,
    )
    sign_in: SignInSettings = SignInSettings()
    proxy: ProxySettings | None = about("the proxy of `access: proxy`", default=None)
    api: ApiSettings = ApiSettings()
    comment: CommentSettings = CommentSettings()
    deployments: Deployments = about(
        "deployments at GitHub, one for each commit that is previewed, with the link; `off`: none, and the "
        "App needs no `deployments: write`",
        {"environment": "preview"},
        default=DeploymentsSettings(),
    )
    commands: CommandsSettings = CommandsSettings()
    check: Annotated[
        Literal["on", "off", "required"],
        BeforeValidator(t.switched),
        WithJsonSchema({"enum": ["on", "off", "required", True, False]}),
        about(
            "the check `preview` of commits: `on`, where there is something to say of a preview; `required`, "
            "one for every commit of every pull request, `skipped` where nothing is previewed, so that "
            "a rule for a branch may require it; `off`, none",
            "required",
        ),
    ] = "on"
    verdicts: Verdicts = about(
        "`check`: the check `preview verdict` of commits with a preview waits until somebody with write "
        "access has said on its page whether it is what was asked for; `off`, none",
        "check",
        default="off",
    )
    pictures: PicturesSettings | None = about(
        "pictures of previews, before and after; left out: none are taken", default=None
    )
    agents: AgentsSettings = AgentsSettings()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = [] if self.links is None or self.links.gateway is None else [*host_mistakes(self.public_url)]
        found += mistakes_of(
            self.repositories or (),
            owners=self.owners,
            namespaces=self.cluster.namespaces,
            images=self.images.allowed,
            limits=self.limits.model_dump(),
        )
        found += sign_in_mistakes(self.access_or_default, self.sign_in, self.public_url)
        if self.access_or_default == "proxy":
            found += proxy_mistakes(self.proxy, self.sign_in, self.public_url)
        if self.links is not None and self.links.gateway is not None:
            gateway, signs_in = self.links.gateway, self.access_or_default != "none"
            found += guard_mistakes(
                gateway.guard,
                signs_in=signs_in,
                scheme=gateway.scheme,
                domain=gateway.domain,
                filters=gateway.filters,
            )
        if found:
            raise ValidationError.from_exception_data("Settings", found)
        return self

    @property
    def by_proxy(self) -> ProxySettings | None:
        """The proxy by which people come; None where they do not."""
        return self.proxy if self.access_or_default == "proxy" else None

    @property
    def people_press(self) -> bool:
        """Whether there is anybody who may press buttons of pages, or say something there."""
        proxy = self.by_proxy
        return self.access_or_default == "github" or (proxy is not None and proxy.they_press)

    @property
    def access_or_default(self) -> Access:
        """How people sign in: as it is set, else as what is there for it says."""
        if self.access is not None:
            return self.access
        return "none" if self.sign_in.client_secret_file is None else "github"

    @property
    def guarded(self) -> GatewaySettings | None:
        """The Gateway before whose previews there is a guard; None without one."""
        gateway = self.links.gateway if self.links is not None else None
        return gateway if gateway is not None and gateway.guard is not None else None

    @property
    def github_host(self) -> str:
        """The host (with a port, if the URL names one) that people know this GitHub by."""
        return urlsplit(self.github.web_url).netloc.lower()
