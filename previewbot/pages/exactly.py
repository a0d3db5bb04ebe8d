"""An answer that leads on to an address exactly as it is written."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import Headers

_Environ = dict[str, object]


class Exactly(Response):
    """Leads to an address within a preview; werkzeug would write some of its signs in another way (`%5B`).

    A front end may tell the two apart, and the address is somebody else's. It begins with a host of ours.
    """

    def __init__(self, url: str, status: int) -> None:
        super().__init__(status=status)
        self.headers["Location"] = self._url = url

    def get_wsgi_headers(self, environ: _Environ) -> Headers:
        """Return the headers as they are sent."""
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self._url
        return headers
