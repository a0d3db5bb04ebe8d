"""The Flask application of pages: all that people and programs read of previews."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Flask
from prometheus_client import CollectorRegistry

from previewbot.config.server import Bearer, Settings
from previewbot.pages import (
    about,
    api,
    asking,
    closed_page,
    entering,
    forms,
    guard,
    list_page,
    pictures,
    preview_page,
    saying,
    sign_in,
)
from previewbot.pages.all_previews import all_previews
from previewbot.pages.lately import previews_in
from previewbot.pages.past_guard import PastGuard
from previewbot.pages.quoting import Quoted
from previewbot.pages.readers import BearerReaders
from previewbot.pages.showing import Previews, Showing, read_preview
from previewbot.pages.visitors import LetIn, SignedIn, Strangers, Visitors
from previewbot.people.access import Access, Repositories
from previewbot.people.passes import Passes
from previewbot.people.proxy import AssertionKeys, ByProxy
from previewbot.people.sealing import Keys
from previewbot.people.sessions import Sessions
from previewbot.rules.pressing import PressesOfPages
from previewbot.runtime.bare_app import Answers, alive, bare_app
from previewbot.text.render import Renderer

_FORM_ID_BYTES = 16


class Cluster(Previews, asking.Requests, Answers, Protocol):
    """What pages needs of the cluster: one read per page, and one write for what somebody asks for on it.

    `PagesClient` is the real one.
    """


class GitHub(sign_in.People, Repositories, saying.Comments, Protocol):
    """Whom people sign in with, and as whom they write: `PeopleClient`."""


def create_pages(
    settings: Settings,
    cluster: Cluster,
    *,
    now: Callable[[], datetime],
    renderer: Renderer | None = None,
    bearers: Callable[[], tuple[Bearer, ...]] = tuple,
    listing: api.Listing = lambda: iter(()),
    github: GitHub | None = None,
    cookie_keys: Keys = tuple,
    assertion_keys: AssertionKeys = tuple,
    guard_keys: Keys = tuple,
    metrics: CollectorRegistry | None = None,
    source: pictures.Source | None = None,
) -> Flask:
    """Return what the people may reach who look at previews, and the programs.

    `bearers` returns those that let programs read previews, all or one repository's, and raises
    SettingsError; it is asked anew for each request that has one. `listing` returns all Previews, for those
    who have one that counts, and for the list of them.
    `github` is whom people sign in with, where the settings say that they do; `cookie_keys` returns the keys
    of their cookies, and those by which the forms of people are known who come by a proxy; it raises
    SettingsError. `assertion_keys` returns those of the proxy, where it signs who they are, and raises
    SettingsError. `guard_keys` returns those of the guard before previews, where the settings have one, and
    raises SettingsError; `metrics` counts what it answers.
    `source` is where pictures come from, None where none are taken.

    It has a `/healthz` too, for load balancers that look at the port they send requests to.
    """
    renderer = renderer or Renderer()
    app = bare_app(renderer.style_source(), about.NotFound(renderer))
    signs_in, public = settings.access_or_default == "github", settings.pages == "public"
    gateway = settings.guarded
    if gateway is not None:
        # First of all: what a gateway asks about is no address of ours.
        counted = metrics or CollectorRegistry()
        answers = guard.Guard(settings, gateway, guard_keys, renderer, now, counted)
        app.register_blueprint(guard.blueprint(answers))
    app.register_blueprint(about.blueprint(renderer, signs_in=signs_in, lists=public))
    readers = BearerReaders(bearers, now)
    if signs_in:
        if github is None:
            raise ValueError("people are to sign in, and nobody was given to ask who they are")
        sessions = Sessions(cookie_keys, now)
        app.register_blueprint(sign_in.blueprint(settings, sessions, github, cookie_keys, renderer, now))
        people: Visitors = SignedIn(settings, sessions, Access(github))
    else:
        people = _others(settings, cluster, assertion_keys, cookie_keys, now)
    showing = _showing(settings, cluster, renderer, people, now)
    if people.can_press():
        presses = PressesOfPages()
        as_themselves = saying.AsThemselves(github) if signs_in and github is not None else None
        delivery = as_themselves or Quoted(presses, cluster, now)
        app.register_blueprint(forms.blueprint(renderer, by_proxy=not signs_in))
        app.register_blueprint(saying.blueprint(showing, delivery))
        app.register_blueprint(asking.blueprint(showing, presses, cluster, now))
    app.register_blueprint(preview_page.blueprint(showing))
    if source is not None:
        app.register_blueprint(pictures.blueprint(settings, showing, cluster, source))
    if gateway is not None:
        by_key, passes = entering.ByKey(lambda: previews_in(listing())), Passes(guard_keys, now)
        app.register_blueprint(entering.blueprint(gateway, showing, passes, by_key, now))
    all_that_runs = list_page.Listing(settings, showing, all_previews(listing), renderer, now)
    # Where pages tell nobody anything they may not list Previews either.
    if settings.access_or_default != "none" or public:
        app.register_blueprint(list_page.blueprint(all_that_runs, showing))
    if not public:
        shown = pictures.public_addresses(settings)
        app.register_blueprint(closed_page.blueprint(showing, readers, is_public=shown))
    app.register_blueprint(
        api.blueprint(
            settings,
            cluster,
            listing,
            renderer,
            readers,
            showing,
            all_that_runs,
            PastGuard(gateway, guard_keys, now, opens_all=settings.api.opens_previews),
        )
    )
    app.add_url_rule("/healthz", view_func=alive)
    return app


def _others(
    settings: Settings,
    cluster: Cluster,
    keys: AssertionKeys,
    form_keys: Keys,
    now: Callable[[], datetime],
) -> Visitors:
    """Return who looks at pages where nobody signs in with GitHub."""
    public = settings.pages == "public"
    if settings.access_or_default != "proxy" or settings.proxy is None:
        return Strangers(pages_public=public)
    return LetIn(
        settings.proxy,
        ByProxy(settings.proxy, keys, now, form_keys),
        lambda repository_id, number: read_preview(cluster, repository_id, number),
        pages_public=public,
    )


def _showing(
    settings: Settings, cluster: Cluster, renderer: Renderer, visitors: Visitors, now: Callable[[], datetime]
) -> Showing:
    return Showing(
        settings, cluster, renderer, visitors, now=now, form_id=lambda: secrets.token_hex(_FORM_ID_BYTES)
    )
