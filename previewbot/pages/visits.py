"""The beginning of each answer about a pull request: who asks, what is there, and what is said otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request
from pydantic import ValidationError

from previewbot.api import Preview
from previewbot.errors import RemoteError
from previewbot.pages.forms import check_form
from previewbot.pages.showing import Showing
from previewbot.pages.visitors import SessionOver, Visitor
from previewbot.people.access import RepositoryAccess
from previewbot.people.person import Person

_SEE_OTHER = 303


@dataclass(frozen=True)
class Visit:
    """Somebody at the page of a preview that is there."""

    visitor: Visitor
    preview: Preview


@dataclass(frozen=True)
class Sent:
    """A form that a person sent from such a page, who may read its `repository`.

    That is None of whoever came by a proxy, for whom the settings name it.
    """

    visit: Visit
    person: Person
    repository: RepositoryAccess | None


def visit(showing: Showing, repository_id: int, number: int) -> Visit | Response:
    """Return who asks about which preview, or what is answered in place of its page; raises SessionOver."""
    visitor = _visitor(showing, repository_id, number)
    if isinstance(visitor, Response):
        return visitor
    # GitHub is asked first, whether or not there is a preview: neither words nor time tell what is there to
    # those who may not see it.
    if not visitor.rights.state:
        return showing.closed(request.path)
    return _found(showing, visitor, repository_id, number)


def sent(showing: Showing, repository_id: int, number: int) -> Sent | Response:
    """Return the form that is under way, or what is answered in its place.

    Raises FormRefused if it is not from a page of ours, and SessionOver.
    """
    person = check_form(showing.visitors.person())
    visitor = _visitor(showing, repository_id, number)
    if isinstance(visitor, Response):
        return visitor
    rights = visitor.rights
    if visitor.repository is None and not (rights.verdict or rights.extend):
        return showing.closed(request.path)
    found = _found(showing, visitor, repository_id, number)
    return found if isinstance(found, Response) else Sent(found, person, visitor.repository)


def _visitor(showing: Showing, repository_id: int, number: int) -> Visitor | Response:
    try:
        return showing.visitors.at(repository_id, number)
    except SessionOver:
        # They are led to a new sign-in, whatever they asked for (`sign_in`).
        raise
    # One of no version, too, as for the page itself.
    except (RemoteError, ValidationError):
        return showing.unavailable(showing.visitors.asks)


def see(address: str) -> Response:
    """Return the answer that leads to an address, as after a form that was taken.

    By 303 a browser asks for the page, and a reload sends nothing a second time
    (https://www.rfc-editor.org/rfc/rfc9110#section-15.4.4).
    """
    return Response(status=_SEE_OTHER, headers={"Location": address})


def _found(showing: Showing, visitor: Visitor, repository_id: int, number: int) -> Visit | Response:
    try:
        preview = showing.read(repository_id, number, visitor)
    # "Come back in a moment" and not "there is none": people keep this address, and would believe it.
    except (RemoteError, ValidationError):
        return showing.unavailable()
    # Without a Preview the page is the same whether there never was one, its pull request was closed, or
    # the repository is none of ours.
    return showing.nothing(visitor, number) if preview is None else Visit(visitor, preview)
