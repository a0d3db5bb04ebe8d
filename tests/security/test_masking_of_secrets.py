"""What a pod says goes into a comment that everybody reads: its secrets are masked, its causes are not.

Masking errs towards too much. But the words that say why a pod does not start speak of tokens and secrets
too, and a reader without them has nothing.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.masking import LINES, MASK, excerpt, mask_secrets, one_line
from previewbot.rules.messages import with_short_images

SECRET = "hunter2"
# Each {} is a secret.
SECRETS = [
    # `key=`
    "GET /maps?key={}&zoom=5",
    "key={}",
    'key="{}"',
    "KEY={}",
    "STRIPE_KEY={}",
    "STRIPE_KEY: {}",
    "stripe.key = {}",
    "--key={}",
    '{{"key": "{}"}}',
    '{{\\"key\\":\\"{}\\"}}',
    "AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net",
    "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKey={}",
    # Shared access signatures
    "https://shop.blob.core.windows.net/x?sv=2024-11-04&sp=r&sig={}",
    "https://shop.blob.core.windows.net/x?sig={}&sv=2024-11-04",
    "SharedAccessSignature sr=shop&sig={}&se=1700000000",
    "https://s3.amazonaws.com/x?X-Amz-Signature={}&X-Amz-Expires=60",
    # Chat hooks
    "POST https://hooks.slack.com/services/T00AB/B00CD/{} failed",
    "https://hooks.slack.com/triggers/T00AB/{}",
    'url: "https:\\/\\/hooks.slack.com\\/services\\/T00AB\\/B00CD\\/{}"',
    "https://discord.com/api/webhooks/1234/{}",
    "https://canary.discord.com/api/v10/webhooks/1234/{}?wait=true",
    "https://discordapp.com/api/webhooks/1234/{}/slack",
    "https://acme.webhook.office.com/webhookb2/{}/IncomingWebhook/a/b",
    "https://prod-1.westeurope.logic.azure.com:443/workflows/{}/triggers/manual",
    "https://chat.googleapis.com/v1/spaces/{}/messages",
    "https://api.telegram.org/bot1234:{}/sendMessage",
    "https://hooks.zapier.com/hooks/catch/12/{}/",
    "https://open.feishu.cn/open-apis/bot/v2/hook/{}",
    "https://maker.ifttt.com/trigger/x/with/key/{}",
    "hooks.slack.com/services/{}: invalid_payload",
    # -p
    "mysql -p{} shop",
    "mysql -u root -p{} -h db shop",
    "mysqldump --single-transaction -p{}",
    "exec: mariadb -uroot -p{}",
    "sshpass -p{} ssh db",
    "sshpass -p {} ssh db",
    "7z x -p{} dump.7z",
    "exec /init.sh -p{} shop",
    "mongosh --quiet -u root -p {} shop",
    "docker login -u ci -p {} registry.example.com",
    "helm registry login registry.example.com -u ci -p {}",
    "redis-cli -h cache -a {} ping",
    "ldapsearch -x -D cn=admin -w {}",
    # What says something of a secret, and then one
    "token: invalid, password: {}",
    "oauth token: unexpected status, token={}",
    "password: {} is wrong",
    "token={} expected status 200",
    'volume "db-credentials": "{}"',
    "(using password: {})",
    "TokenError: token={}",
    "/etc/tls/server.key, key={}",
]
HARMLESS = [
    "oauth token: expected status 200",
    "failed to authorize: failed to fetch oauth token: unexpected status from GET request to "
    "https://europe-west1-docker.pkg.dev/v2/token: 403 Forbidden",
    'failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=x": dial tcp: i/o timeout',
    'failed to fetch oauth token: Post "https://acme.azurecr.io/oauth2/token": EOF',
    "failed to fetch oauth token: 401 Unauthorized",
    "may require authorization: authorization failed: no basic auth credentials",
    "may require authorization: server message: insufficient_scope: authorization failed",
    'MountVolume.SetUp failed for volume "db-credentials" : secret "db-credentials" not found',
    'MountVolume.SetUp failed for volume "db-credentials" : failed to sync secret cache: timed out',
    'volume "db-credentials" : references non-existent secret key: username',
    'secret "db-credentials" not found',
    "couldn't find key password in Secret staging/db-credentials",
    "Unable to attach or mount volumes: unmounted volumes=[db-credentials], unattached volumes=[x]",
    "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed",
    "Access denied for user 'shop'@'10.0.0.7' (using password: YES)",
    "Access denied for user 'shop'@'10.0.0.7' (using password: NO)",
    "JsonWebTokenError: invalid signature",
    "TokenExpiredError: jwt expired",
    "CredentialsProviderError: Could not load credentials from any providers",
    "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "KeyError: 'API_KEY'",
    "DB_PASSWORD: required",
    "DB_PASSWORD is not set",
    "error: token: missing",
    "DB_PASSWORD_FILE=/run/secrets/db",
    "secretName: db-credentials",
    "pip install -p requirements",
    "docker run -p8080:80 -p 8080:80/tcp -p127.0.0.1:53:53/udp web",
    "mkdir -p /data/shop",
    "mysql -P3306 --port=3306 -h db -p",
    "gcc -pedantic -pthread main.c",
    "for item in sorted(items, key=lambda item: item.id):",
    "primary_key=7 routing_key=orders.created",
    "key=/etc/tls/server.pem",
    "if key == value:",
    "monkey=1 turkey=2 hotkey=3",
    "received sig=15, sig=SIGTERM",
    "design=new",
    "POST https://shop.example.com/webhooks/stripe 500",
    "GET /hooks/payment-intent-succeeded 404",
    "https://discord.com/developers/docs/resources/webhook",
    "1700000000:starting",
    "GET https://r.example.com:5000/v2/acme/web/manifests/sha256:" + "ab12" * 16,
    'www-authenticate: Bearer realm="https://auth.docker.io/token"',
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_masked_where_it_stands(line: str) -> None:
    shown = mask_secrets(line.format(SECRET))

    assert SECRET not in shown
    assert MASK in shown


@pytest.mark.parametrize("line", HARMLESS)
def test_what_says_why_stays_as_it_is(line: str) -> None:
    assert mask_secrets(line) == line


@pytest.mark.parametrize("line", HARMLESS)
def test_it_stays_in_a_log_and_in_a_message_too(line: str) -> None:
    assert excerpt(f"starting\n{line}\n") == ("starting", line)
    assert one_line(f"{line}\n") == with_short_images(line)


# What people and machines choose; no word that is said of a secret has a digit.
CHOSEN = st.from_regex(r"[A-Za-z!#$*]{3,8}[0-9][A-Za-z0-9_.]{1,16}", fullmatch=True)


@given(st.sampled_from(SECRETS), CHOSEN)
def test_whatever_the_secret_is_nothing_of_it_stays(line: str, secret: str) -> None:
    assert secret not in mask_secrets(line.format(secret))


@given(st.sampled_from(HARMLESS), st.sampled_from(["", "E1126 07:58:00 ", "level=error msg=", "[app] "]))
def test_what_says_why_stays_behind_whatever_a_log_puts_before_it(line: str, before: str) -> None:
    assert mask_secrets(before + line) == before + line


@given(
    st.sampled_from(["oauth token", "anonymous token", "password", "DB_SECRET", 'volume "db-credentials" ']),
    st.sampled_from(["unexpected", "expected", "invalid", "not", "failed", "missing", "secret", "dial"]),
    st.lists(st.sampled_from(["status", "from", "GET", "request", "403", "timeout", "value"]), max_size=6),
)
def test_a_sentence_about_a_secret_stays(name: str, said: str, words: list[str]) -> None:
    line = " ".join([f"{name}: {said}", *words])

    assert mask_secrets(line) == line


@given(st.sampled_from(SECRETS), st.sampled_from(HARMLESS), CHOSEN)
def test_beside_what_stays_a_secret_does_not(line: str, harmless: str, secret: str) -> None:
    assert secret not in mask_secrets(f"{harmless} {line.format(secret)}")


@pytest.mark.parametrize(
    "piece",
    [
        *("key=", "KEY", "sig=", "-p", "-p1a", "mysql ", "mysql -", "login -p", "mongo", "sshpass ", "7z "),
        *(
            "hooks/",
            "/hook/a/",
            "https://hooks.slack.com/",
            "token: not",
            "token: not ",
            "secret: ",
            "sha256:",
        ),
        *("a.", "a1", "1:", "otpref=", 'key": "', "TokenError: "),
    ],
)
@pytest.mark.timeout(20)
def test_no_line_keeps_us_busy(piece: str) -> None:
    long = (piece * 65_536)[:65_536]

    excerpt(f"{long}\n" * LINES)
    one_line(long)


def test_the_tables_name_no_line_twice() -> None:
    assert len({*SECRETS, *HARMLESS}) == len(SECRETS) + len(HARMLESS)
    assert all(re.search(r"\{\}", line) for line in SECRETS)
