"""What of a container's words may be shown to readers: no secrets, no control characters, not much of it.

Masking errs towards too much: a line that lost a harmless word still helps, a leaked token does not. So
`key=node-role` is masked as `key=hunter2` is. But what says why a pod does not start has to stay, though it
speaks of tokens and secrets: `failed to fetch oauth token: unexpected status`, `volume "db-credentials"`.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from previewbot.rules.messages import with_short_images
from previewbot.text.cutting import cut_at_the_end, cut_in_the_middle
from previewbot.text.unseen import seen

MASK = "***"
LINES, LINE_LENGTH, BYTES = 20, 300, 2048
"""Limits of an excerpt; a line's length is in characters."""

_READ = 2000
"""So much of a line is looked at: more than is shown, and not so much that a log could keep us busy."""

_READ_OF_A_MESSAGE = 6000
"""The same of a message, whose end is shown: nobody's log, but a chain of errors, each with the image's
name."""

_ANSI_RE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
_BEGIN_RE = re.compile(r"-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE|MESSAGE)[A-Z ]*-----")
_END_RE = re.compile(r"-----END [A-Z0-9 ]+-----")
# The same on one line, as a message quotes it: until its end if that is there, and from its beginning.
_BLOCK_RE = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|MESSAGE)[A-Z ]{0,20}-----"
    r"(?:[^-]*(?:-(?!----)[^-]*)*-----END [A-Z0-9 ]{1,60}-----|.*)"
    r"|^(?:(?!-----BEGIN ).)*?-----END [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|MESSAGE)[A-Z ]{0,20}-----"
)

_WORDS = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|token|api[_.-]?key|(?:access|private|secret|encryption|signing|"
    r"account|shared)[_.-]?key|credentials?|signature|dsn|connection[_.-]?string|session[_.-]?id|otp|jwt|"
    r"webhook[_.-]?url|salt|auth\b|(?<![a-z])(?:pg)?pass(?![a-z])|(?<![a-z])pw(?![a-z])"
)
_QUOTED = r'\\+"(?:[^"\\]|\\(?!"))*\\*"|"(?:[^"\\]|\\.)*"?|\'(?:[^\'\\]|\\.)*\'?'
_HEADER_RE = re.compile(
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-(?:api-key|auth-token|amz-security-token))"
    r"(\\*[\"']?\s*[:=]\s*)(?!(?:authorization failed|server message|unauthorized)\b)\S.*"
)
_NAMED_RE = re.compile(
    rf"(?i)((?:{_WORDS})[\w.-]{{0,64}}\\*[\"']?\]?\s*(?:=>|:=|[:=])\s*)(?:b(?=[\"']))?({_QUOTED}|[^\s,;&]+)"
)
_WORD_RE = re.compile(rf"(?i){_WORDS}")
# What is said of a secret, and not the secret: `oauth token: unexpected status`, `volume "db-credentials" :
# secret "db-credentials" not found`, `(using password: YES)`. A closed list: whatever else may be a password.
_SAID_RE = re.compile(
    r"(?i)(?:access|already|bad|can(?:no|')t|certificate|configmap|connection|context|could(?:n't)?|denied|dial|"
    r"does(?:n't)?|empty|eof|err(?:or)?|exceeded|expected|expired|fail(?:ed|ure)?|failing|forbidden|found|got|"
    r"has|http|illegal|incorrect|invalid|is|json|jwt|lookup|malformed|mismatch|missing|must|nil|no|none|not|"
    r"null|oauth2|object|permission|please|received|references?|rejected|requested|required|response|revoked|"
    r"rpc|secrets?|server|should|status|timed|timeout|tls|too|unable|unauthori[sz]ed|undefined|unexpected|"
    r"unknown|unset|unsupported|was|wrong|x509|yes|[45][0-9]{2}(?=\s+[A-Z])|(?:get|head|post|put)(?=\s+\\*\"))"
    r"(?=[\s,;)]|[.:](?:\s|$)|$)"
)
# The name of an error is no name of a value; nor is that of a file, of a Secret, or of a kind.
_ABOUT_RE = re.compile(r"(?i)(?:error|exception|failure|[_.-]?(?:file|name|path|ref))\\*[\"']?\s*[:=]\s*$")
_KEY = r"(?<![A-Za-z])[kK]ey|(?<=[a-z])Key|(?<![A-Za-z])KEY"
_KEY_RE = re.compile(
    rf"((?:{_KEY})(?:\\*[\"']?\]?\s*(?:=>|:=|=(?!=))|\\*[\"']\s*:|(?<=[A-Z0-9]_KEY):)\s*)({_QUOTED}|[^\s,;&]+)"
)
_PLAIN_KEY_RE = re.compile(r"(?i)(?:primary|foreign|partition|routing|public)[_.-]?$")
_PLAIN_VALUE_RE = re.compile(r"lambda\b|/(?:[\w.-]+/)+[\w.-]+$")
_SIG_RE = re.compile(r"(?i)((?<![a-z])sig=)(?!sig[a-z]{2,6}\b|[0-9]{1,2}\b)[^\s,;&\"']+")
# Whoever has such an address may post: https://api.slack.com/messaging/webhooks,
# https://discord.com/developers/docs/resources/webhook,
# https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook,
# https://developers.google.com/workspace/chat/quickstart/webhooks, https://core.telegram.org/bots/api
_HOOKS = (
    r"hooks\.(?:slack|slack-gov|zapier)\.com|(?:\w{1,20}\.)?discord(?:app)?\.com/api(?:/v[0-9]+)?/webhooks|"
    r"[\w.-]{1,100}\.webhook\.office\.com|outlook\.office(?:365)?\.com/webhook|chat\.googleapis\.com|"
    r"[\w.-]{1,100}\.(?:logic\.azure|api\.powerplatform)\.com(?::[0-9]+)?|api\.telegram\.org|"
    r"webexapis\.com/v1/webhooks|open\.(?:feishu\.cn|larksuite\.com)|qyapi\.weixin\.qq\.com|"
    r"oapi\.dingtalk\.com|maker\.ifttt\.com|hc-ping\.com|events\.pagerduty\.com/integration"
)
# In JSON a slash may stand as `\/`.
_HOOK_RE = re.compile(r"(?i)(?<![\w.-])((?:HOST)/)[^\s\"'<>]+".replace("HOST", _HOOKS).replace("/", r"\\?/"))
_ANY_HOOK_RE = re.compile(
    r"(?i)(/(?:web)?hooks?\\?/(?:[\w-]{1,40}\\?/)?)(?=[a-z_-]{0,63}[0-9])[\w-]{16,}", re.ASCII
)
# A password that stands at `-p` without a blank, as MySQL's clients have it
# (https://dev.mysql.com/doc/refman/en/connecting.html); elsewhere what stands there may be a port or a word.
_CLIENT_P_RE = re.compile(r"(\b(?:mysql|mariadb|sshpass|7z)[\w-]*\s(?:[^|]*?\s)??-p)(?=\S)[^\s\"',;]+")
_P_RE = re.compile(
    r"((?<![\w-])-p)(?![0-9.:]+(?:/(?:tcp|udp))?(?![^\s,;]))(?=[^\s0-9=]*[0-9])(?=[^\s=]*[A-Za-z])[^\s\"',;=]{4,}"
)
_LOGIN_FLAG_RE = re.compile(
    r"(\b(?:(?:sshpass|mongo\w*|login)\s(?:[^|]*?\s)??-p|redis-cli\s(?:[^|]*?\s)??-a"
    r"|ldap\w+\s(?:[^|]*?\s)??-w|(?:sqlcmd|bcp|unzip|zip)\s(?:[^|]*?\s)??-P)\s+)[^\s-]\S*"
)
_FLAG_RE = re.compile(rf"(?<![\w-])(--?[\w-]+\s+)({_QUOTED}|[^\s-]\S*)")
_ELEMENT_RE = re.compile(rf"(?i)(<[\w:.-]*(?:{_WORDS})[\w:.-]*(?: [^<>]*)?>)[^<]+")
_LOGIN_RE = re.compile(r"((?<![\w-])(?:-u|--user)[ =]?[^\s:]+:|(?i:jdbc:oracle:\w+:)[^\s/@]+/)[^\s@]+")
_SCHEME_RE = re.compile(
    r"(?i)\b(bearer|basic|digest|negotiate)(\s+)(?!realm=)(?=\S*[\d=+/_.-])[^\s\"',;]{6,}"
)
_USERINFO_RE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,32}://)[^\s\"'<>]*@")
_KNOWN_RE = re.compile(
    r"(?<![0-9])[0-9]{6,12}:[\w-]{35}(?![\w-])"
    r"|\beyJ[\w-]{5,}(?:\.[\w-]*)*"
    r"|\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk[-_]|pk_|rk_|npm_|hf_|pypi-|dckr_pat_|hv[sb]\.|dop_v1_"
    r"|SG\.|AIza|ya29\.|AKIA|ASIA|whsec_|shp[a-z]{2}_)[\w.-]{12,}"
)
_LONG_RE = re.compile(r"(?<![\w+/=-])(sha256:[0-9a-f]{64}\b|[\w+/=-]{16,})", re.ASCII)
_DIGEST_RE = re.compile(r"[0-9a-f]{64}")
_HEX_RE = re.compile(r"(?=\D*\d)(?=[0-9]*[a-fA-F])[0-9a-fA-F]{16,}")
_RANDOM_LENGTH = 20
_DIGIT, _LOWER, _UPPER, _OTHER = range(4)


def excerpt(text: str) -> tuple[str, ...]:
    """Return the last lines of a log, masked and within the limits.

    A line is masked before it is cut, lest half a secret be too short to look like one.
    """
    # The blocks go first, while their first and last lines are all there.
    lines = [line.rstrip()[:_READ] for line in _without_blocks(visible(text).splitlines())]
    kept: list[str] = []
    room = BYTES
    # From the end, since the last words of a container that crashed are the ones that tell why.
    for line in reversed([line for line in lines if line][-LINES:]):
        line = cut_at_the_end(mask_secrets(line), LINE_LENGTH)
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))


def one_line(text: str) -> str:
    """Return a message as one line, masked and shortened; it keeps its end, where the cause stands."""
    whole = " ".join("\n".join(_without_blocks(visible(text).splitlines())).split())
    whole = _BLOCK_RE.sub(MASK, whole)
    # All that may be shown is masked as a whole and only then shortened: behind a cut a secret would stand
    # without the name by which it is known for one.
    line = with_short_images(mask_secrets(whole[:_READ_OF_A_MESSAGE]))
    # Where the message went on, what stands last may be half a secret, too short to look like one.
    cut = cut_at_the_end if len(whole) > _READ_OF_A_MESSAGE else cut_in_the_middle
    return cut(line, LINE_LENGTH)


def visible(text: str) -> str:
    """Return text without colours, control characters, and marks that reverse or hide other characters."""
    return seen(_ANSI_RE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def mask_secrets(line: str) -> str:
    """Return a line without what looks like a secret."""
    line = _HOOK_RE.sub(rf"\g<1>{MASK}", line)
    line = _ANY_HOOK_RE.sub(rf"\g<1>{MASK}", line)
    line = _USERINFO_RE.sub(rf"\g<1>{MASK}@", line)
    line = _HEADER_RE.sub(rf"\g<1>\g<2>{MASK}", line)
    line = _ELEMENT_RE.sub(rf"\g<1>{MASK}", line)
    line = _LOGIN_RE.sub(rf"\g<1>{MASK}", line)
    line = _with_masked_values(line)
    line = _KEY_RE.sub(_masked_key, line)
    line = _SIG_RE.sub(rf"\g<1>{MASK}", line)
    for password in (_CLIENT_P_RE, _P_RE, _LOGIN_FLAG_RE):
        line = password.sub(rf"\g<1>{MASK}", line)
    line = _FLAG_RE.sub(_masked_flag, line)
    line = _SCHEME_RE.sub(rf"\g<1>\g<2>{MASK}", line)
    line = _KNOWN_RE.sub(MASK, line)
    return _LONG_RE.sub(_masked_word, line)


def _with_masked_values(line: str) -> str:
    """Mask what stands behind the name of a secret, unless it is said of the secret, or an error's name."""
    kept: list[str] = []
    place = 0
    while found := _NAMED_RE.search(line, place):
        said = found[1].endswith((" ", "\t")) and _SAID_RE.match(line, found.start(2))
        if said or _ABOUT_RE.search(found[1]):
            # What follows the name of an error may be another name, with a secret: it is looked at by itself.
            kept.append(line[place : found.start(2)])
            place = found.start(2)
        else:
            kept += (line[place : found.start()], found[1], MASK)
            place = found.end()
    return "".join(kept) + line[place:]


def _masked_key(found: re.Match[str]) -> str:
    plain = _PLAIN_KEY_RE.search(found.string, max(0, found.start() - 10), found.start())
    return found[0] if plain or _PLAIN_VALUE_RE.match(found[2]) else found[1] + MASK


def _masked_flag(found: re.Match[str]) -> str:
    return found[1] + MASK if _WORD_RE.search(found[1]) else found[0]


def _masked_word(found: re.Match[str]) -> str:
    of_a_digest = found.string.endswith("sha256:", 0, found.start()) and _DIGEST_RE.fullmatch(found[0])
    return MASK if _is_random(found[0]) and not of_a_digest else found[0]


def _is_random(text: str) -> bool:
    """Whether some part of a long word looks drawn by lot; words, paths and pods' names do not."""
    # A digest is long and looks random, and is the very thing that a reader needs of a message about an
    # image.
    if text.startswith("sha256:"):
        return False
    return any(_looks_drawn(part) for part in re.split(r"[/_=-]", text)) or _looks_encoded(text)


def _looks_drawn(part: str) -> bool:
    if _HEX_RE.fullmatch(part):
        return True
    if len(part) < _RANDOM_LENGTH:
        return False
    counts = Counter(map(_kind, part))
    if not counts[_DIGIT]:
        # Names begin their words with a capital; of letters drawn by lot, half are.
        return min(counts[_LOWER], counts[_UPPER]) / len(part) >= 0.3 or _changes(part) >= 0.4
    return counts[_DIGIT] < len(part) and _changes(part) >= (0.3 if counts[_UPPER] else 0.15)


def _looks_encoded(text: str) -> bool:
    """Whether it is Base64 with its other characters in it: split at them, its parts may be short."""
    if len(text) < _RANDOM_LENGTH or text.startswith("/"):
        return False
    return {_DIGIT, _LOWER, _UPPER} <= {_kind(char) for char in text} and _changes(text) >= 0.35


def _changes(text: str) -> float:
    """Return the share of neighbours that are of different kinds; of random text it is high."""
    return sum(_kind(a) != _kind(b) for a, b in pairwise(text)) / max(1, len(text) - 1)


def _kind(char: str) -> int:
    return _DIGIT if char.isdigit() else _LOWER if char.islower() else _UPPER if char.isupper() else _OTHER


def _without_blocks(lines: list[str]) -> list[str]:
    """Leave out the inside of PEM blocks, also of one whose beginning is not in the text."""
    kept: list[str] = []
    inside = False
    for line in lines:
        begins, ends = _BEGIN_RE.search(line), _END_RE.search(line)
        # The log's end was read, and a key may have begun before it: what stands before its last line is the
        # key.
        if ends and not begins and not inside:
            while kept and re.fullmatch(r"[A-Za-z0-9+/=\s]+", kept[-1]) and " " not in kept[-1].strip():
                kept.pop()
        if begins and not ends:
            kept.append(line[: begins.start()] + MASK)
        elif begins or ends:
            kept.append(MASK)
        elif not inside:
            kept.append(line)
        inside = (inside or begins is not None) and ends is None
    return kept
