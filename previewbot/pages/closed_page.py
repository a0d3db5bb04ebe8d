"""The page where pages are private: one and the same for whoever asks for any, known or not.

Routes lead people here whose preview does not serve, and numbers can be counted through. How a preview stands
is said in the pull request, which GitHub shows to those who may read it, and on its page to whoever signs in.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from previewbot.engine.no_preview import PATH as NO_PREVIEW
from previewbot.pages.readers import Reader, Readers
from previewbot.pages.showing import Showing

_PLACE = "/p"
_READING = ("GET", "HEAD")


def blueprint(
    showing: Showing, readers: Readers, *, is_public: Callable[[str], bool] = lambda path: False
) -> Blueprint:
    """Return what answers below `/p`; nobody is asked for it, so that time tells nothing either.

    Only whoever has the bearer of the settings gets past it, or sends one while those cannot be read, and
    whoever is signed in: what these may see GitHub is asked. And `is_public` says of a path whether it
    may be a picture that the settings show to anybody who knows its address, which nobody guesses.
    """
    routes = Blueprint("closed", __name__)

    # Before the address is looked at: no number, no slash too many and no letter makes a difference.
    @routes.before_app_request
    def the_same_for_all() -> Response | None:
        if request.path != _PLACE and not request.path.startswith(f"{_PLACE}/"):
            return None
        # No pull request's: those have numbers. It says the same to everybody, too.
        if request.path == NO_PREVIEW or is_public(request.path):
            return None
        # Of one that cannot be judged the JSON says so.
        if readers() in (Reader.TRUSTED, Reader.UNKNOWN) or showing.visitors.person() is not None:
            return None
        if request.method not in _READING:
            # Where people press anything the form itself says that its sender is nobody, whatever is there.
            if showing.visitors.can_press():
                return None
            raise MethodNotAllowed(_READING)
        return showing.closed(request.path)

    return routes
