"""What can go wrong, as every layer says it.

    PreviewbotError
    ├── LeaseLost              this controller may not act (any more); ends whatever it is doing
    ├── SettingsError          the server's settings are unusable; carries every problem
    ├── ConfigurationError     a repository's .github/preview.yaml is unusable; carries every problem
    └── RemoteError            GitHub, Kubernetes or a registry answered with an error
        ├── Unauthorized       401: our credentials are not accepted
        ├── Forbidden          403: we may not do this
        ├── NotFound           404 / 410: there is no such thing
        │   └── NotServed        there is no such kind of thing: the cluster lacks a CRD
        ├── Conflict           409: somebody changed it first
        ├── Invalid            400 / 422: the request itself is refused
        │   └── TooLarge         the answer is larger than we read
        └── TryLater           429, 5xx, rate limits, refused connections; may say after how long
            ├── NoAnswer         no answer in time
            └── NotSent          a limit is known to hold, so nothing was sent
                └── QuotaKept      what is left of a quota is kept for others

A pass of the controller has three outcomes: done, look again after a time (`TryLater`), or terminal for
the user until a commit or a command changes the question (shown in the comment).
"""

from __future__ import annotations

from dataclasses import dataclass

UNREADABLE = "GitHub's answer cannot be read"
"""The words of an answer that is none of GitHub's API: cut off, or somebody else's."""

UNTRUSTED = "its certificate is not trusted"
"""How the words begin that say why somebody was not believed to be who was asked."""


class PreviewbotError(Exception):
    """The base of every error that previewbot raises on purpose."""


class LeaseLost(PreviewbotError):
    """This controller may not act: it does not hold the Lease, or not for certain."""


class SettingsError(PreviewbotError):
    """The server's settings cannot be used; `problems` lists all that is wrong, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Problem:
    """One mistake in a repository's configuration: the line (from 1; 0 if none) and what to write instead.

    `file` is the path, from the repository's root, of another file than the configuration itself that it is
    in.
    """

    line: int
    message: str
    file: str = ""


class ConfigurationError(PreviewbotError):
    """A repository's configuration cannot be used; `problems` lists all that is wrong with it."""

    def __init__(self, path: str, problems: tuple[Problem, ...]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(f"{path}, line {p.line}: {p.message}" for p in problems))


class RemoteError(PreviewbotError):
    """A remote service answered with an error, or not at all (`status` 0).

    `after` is the number of seconds the service asked us to wait, if it did; only `TryLater` has one.
    """

    after: float | None = None

    def __init__(self, what: str, *, status: int = 0, message: str = "") -> None:
        self.what = what
        self.status = status
        self.message = message
        super().__init__(f"{what}: {status or 'no answer'} {message}".rstrip())


class Unauthorized(RemoteError):
    """401: the credentials are not accepted."""


class Forbidden(RemoteError):
    """403: the identity may not do this."""


class NotFound(RemoteError):
    """404 or 410: there is no such thing (or we may not know of it)."""


class NotServed(NotFound):
    """The API server has no such kind of object at all; `message` names it."""


class Conflict(RemoteError):
    """409: it exists already, or somebody changed it first."""


class Invalid(RemoteError):
    """400 or 422: the request is refused as it stands; sending it again changes nothing."""


class TooLarge(Invalid):
    """The answer is larger than previewbot reads: asked again, it would be too large again."""


class TryLater(RemoteError):
    """A passing fault; it may say after how long."""

    def __init__(self, what: str, *, status: int = 0, message: str = "", after: float | None = None) -> None:
        super().__init__(what, status=status, message=message)
        self.after = after


class NoAnswer(TryLater):
    """Nobody answered in time; a refusal, even of the connection, would have been an answer."""


class NotSent(TryLater):
    """Nothing was asked: by what the service said last, or by its known limits, it would be refused now."""


class QuotaKept(NotSent):
    """Nothing was asked: what is left of the service's quota is kept for what matters more."""


def from_status(what: str, status: int, message: str = "", after: float | None = None) -> RemoteError:
    """Return the error for an HTTP status; rate limits disguised as 403 are the caller's to recognise."""
    kinds: dict[int, type[RemoteError]] = {
        400: Invalid,
        401: Unauthorized,
        403: Forbidden,
        404: NotFound,
        409: Conflict,
        410: NotFound,
        422: Invalid,
    }
    kind = kinds.get(status)
    if kind is not None:
        return kind(what, status=status, message=message)
    if status == 429 or status >= 500 or status == 0:
        return TryLater(what, status=status, message=message, after=after)
    return Invalid(what, status=status, message=message)
