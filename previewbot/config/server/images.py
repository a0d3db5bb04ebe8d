"""The settings about images: where they may come from, and how registries are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from previewbot.config import types as t
from previewbot.config.types import about, mistake


class RegistrySettings(t.Model):
    """A registry that needs more than anonymous HTTPS."""

    docker_config_file: t.File | None = about(
        "logins, as Docker keeps them; they count as they do for nodes, and programs that give them "
        "(`credHelpers`, `credsStore`) are asked",
        "/etc/previewbot/registry.json",
        default=None,
    )
    credential_helper: t.CredentialHelper | None = about(
        "the program that gives the login, without its `docker-credential-`; asked before the file",
        "ecr-login",
        default=None,
    )
    address: t.RegistryHost | None = about(
        "the host to ask instead of the one that images are named by, where nodes know it by a mirror",
        "kind-registry:5000",
        default=None,
    )
    plain_http: t.Truth = about("without TLS", False, default=False)
    ca_file: t.File | None = about(
        "trusted besides the system's CAs; also for its token server", "/etc/previewbot/ca.pem", default=None
    )
    token_server: t.Url | None = about(
        "who gives tokens for it, where that is another host than its own: the `realm` in its answers",
        "https://gitlab.example.com/jwt/auth",
        default=None,
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        # Both together would look like TLS that is checked, and be none.
        if self.plain_http and self.ca_file:
            raise mistake("ca_file", at="ca_file")
        # It gets the registry's password.
        if self.token_server and not self.plain_http and urlsplit(self.token_server).scheme != "https":
            raise mistake("token_server", at="token_server")
        return self


class ImageSettings(t.Model):
    """Where images may come from, and how registries are reached."""

    allowed: Annotated[
        tuple[t.ImagePrefix, ...],
        Field(min_length=1),
        about("repositories an image may come from, by their beginnings", ["ghcr.io/acme/"]),
    ]
    registries: Annotated[
        Mapping[Annotated[t.RegistryHost, about("hosts of registries", "ghcr.io")], RegistrySettings],
        about("by host; only where more than anonymous HTTPS is needed"),
    ] = Field(default_factory=dict)
