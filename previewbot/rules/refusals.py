"""The API server's words against an object, short enough to be told in a line."""

from __future__ import annotations

import re

_DENIED = re.compile(
    r"ValidatingAdmissionPolicy '([^']{1,253})' with binding '[^']*' denied request: (.*)", re.DOTALL
)


def in_short(message: str) -> str:
    """Return a refusal without what comes before the reason, which alone would fill the line that is shown.

    An admission policy's begins with the object's kind, group and name, the policy and its binding
    (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/); of these only the
    policy tells its platform team anything.
    """
    found = _DENIED.search(message)
    return f"the policy {found[1]} says: {found[2]}" if found else message
