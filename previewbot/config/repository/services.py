"""What the file says of each service, and what `defaults` say of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from previewbot.api import Uses
from previewbot.config import types as t
from previewbot.config.repository.builds import NamedBuild
from previewbot.config.repository.globs import GLOB_SCHEMA, glob, globs
from previewbot.config.repository.image_fields import FIELDS
from previewbot.config.repository.mirrord_field import Mirrord, MirrordTemplate
from previewbot.config.repository.pictured import PICTURED, PicturedPaths
from previewbot.config.repository.state import Idle, Queues, UsedDatabases, UsedDatabasesTemplate
from previewbot.config.repository.targets import LabelTemplate, ServiceLabel, ServiceTarget, TargetTemplate
from previewbot.config.repository.values import IMAGE_SCHEMA, OPEN_SCHEMA, check_image, open_path
from previewbot.config.types import about

Globs = Annotated[
    tuple[Annotated[t.Text, AfterValidator(glob), GLOB_SCHEMA], ...],
    Field(min_length=1),
    AfterValidator(globs),
]
"""Patterns as in `.gitignore`, one after the other."""

Image = Annotated[t.Text, AfterValidator(check_image), IMAGE_SCHEMA]
OpenPath = Annotated[t.Text, AfterValidator(open_path), OPEN_SCHEMA]


class ServiceFields(t.Model):
    """What the file says under a service's name, with what `defaults` have for what it leaves out."""

    paths: Annotated[
        Globs,
        about("what changes it, as in `.gitignore`; several services may match", ["services/checkout/**"]),
    ]
    target: Annotated[
        ServiceTarget, about("what it stands in for; `/container/<name>` may follow", "deployment/checkout")
    ]
    namespace: Annotated[
        ServiceLabel, about("where that is; the server says which are open to previews", "staging")
    ]
    image: Annotated[
        Image,
        about(f"what CI builds for a commit; fields: {FIELDS}", "ghcr.io/acme/checkout:{head_sha}"),
    ]
    ports: Annotated[
        tuple[t.PortAsWritten, ...] | None,
        about(
            "where it takes requests; left out: the ports that its containers declare; an empty list: it "
            "takes none, as a worker that reads a queue",
            [8080],
        ),
    ] = None
    open: Annotated[OpenPath, about("where its link lands", "/cart")] = "/"
    entry: ServiceLabel | None = about(
        "which of `entries` its link opens; left out: `entry`, or the one named `default`, or the first",
        "admin",
        default=None,
    )
    build: NamedBuild | None = about(
        "which run builds its image; left out: the likeliest, by what workflows and checks are called",
        {"workflow": "docker.yml"},
        default=None,
    )
    mirrord: Mirrord | None = about(
        "the team's own mirrord configuration: a file of the repository (JSON, TOML or YAML), or what would "
        "stand in it. Target and namespace may be left out here if they are there",
        ".mirrord/mirrord.json",
        default=None,
    )
    databases: UsedDatabases | None = about(
        "which of the `databases` it uses, or `none`; left out: those of its mirrord file, else nobody "
        "knows, so it is told as staging's",
        ["orders"],
        default=None,
    )
    queues: Queues | None = about(
        "of which queues it gets the preview's messages, by their ids in mirrord's split configuration; "
        "`staging` in a queue's place: it reads staging's; or `none`; left out: as for `databases`",
        {"orders": {"type": "sqs"}},
        default=None,
    )
    idle: Idle | None = about(
        "when its preview sleeps until somebody asks for it, or `off`; left out: after half an hour, where "
        "mirrord can and something wakes it",
        {"after": "30m"},
        default=None,
    )
    check: OpenPath | None = about(
        "a path of the link whose answer repeats the `baggage` that this service received",
        "/api/checkout/baggage",
        default=None,
    )
    pictures: PicturedPaths | None = PICTURED


class ServiceConfig(ServiceFields):
    """A service: the paths that change it, the workload it replaces, its image, and where its link lands."""

    name: t.Label

    @property
    def uses(self) -> Uses:
        """What it or its mirrord file says that it uses; what nobody speaks of is taken to be staging's."""
        copies, splits = (self.mirrord.copies, self.mirrord.queues) if self.mirrord else ((), ())
        return Uses(
            databases=_named(self.databases, [copy.name for copy in copies]),
            queues=_named(
                None if self.queues is None else sorted(self.queues), [split.id for split in splits]
            ),
        )


def _named(declared: Iterable[str] | None, of_mirrord: Iterable[str]) -> tuple[str, ...] | None:
    """Return all that is named in either file; None where neither says anything."""
    named = tuple(dict.fromkeys((*(declared or ()), *of_mirrord)))
    return None if declared is None and not named else named


class Defaults(t.Model):
    """What holds for every service that says nothing else; `{service}` stands for its name."""

    paths: Globs | None = about("its `paths`", ["services/{service}/**"], default=None)
    target: TargetTemplate | None = about("its `target`", "deployment/{service}", default=None)
    namespace: LabelTemplate | None = about("its `namespace`", "staging", default=None)
    image: Image | None = about("its `image`", "ghcr.io/acme/{service}:{head_sha}", default=None)
    ports: tuple[t.PortAsWritten, ...] | None = about("its `ports`", [8080], default=None)
    open: OpenPath | None = about("its `open`", "/", default=None)
    entry: LabelTemplate | None = about("its `entry`", "admin", default=None)
    build: NamedBuild | None = about("its `build`", {"workflow": "{service}.yml"}, default=None)
    mirrord: MirrordTemplate | None = about("its `mirrord`", ".mirrord/{service}.json", default=None)
    databases: UsedDatabasesTemplate | None = about("its `databases`", ["{service}"], default=None)
    queues: Mapping[str, Any] | None = about("its `queues`", {"{service}": {"type": "sqs"}}, default=None)
    idle: Idle | None = about("its `idle`", {"after": "30m"}, default=None)
    check: OpenPath | None = about("its `check`", "/api/{service}/baggage", default=None)
