"""What may be shown of requests and answers."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.http import Redaction, Request, Response
from cgsync.secrets import MASK, Redactor

secrets = st.text(min_size=6, max_size=30).filter(lambda text: not set(text) <= {"*"})


@given(secrets, st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_masked_in_whatever_way_it_is_written(secret: str, before: str, after: str) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    redaction = Redaction()
    redaction.conceal(secret)
    for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
        assert redaction(f"|{form}|") == f"|{MASK}|"


def test_it_shares_what_the_program_knows_and_tells_what_was_issued() -> None:
    redactor = Redactor()
    redactor.add("known-canary")
    redaction = Redaction(redactor)
    redaction.publish("issued-canary")
    redaction.conceal("own-canary")
    assert redaction("known-canary issued-canary own-canary") == f"{MASK} {MASK} {MASK}"
    assert redactor("issued-canary own-canary") == f"{MASK} own-canary"


def test_renewed_secrets_do_not_pile_up() -> None:
    redaction = Redaction()
    for number in range(5_000):
        redaction.conceal(f"token-{number:06}")
    assert redaction("token-004999") == MASK
    assert len(redaction._own) <= 400


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x?page=2&api_key=k1", f"https://a.example/x?page=2&api_key={MASK}"),
        ("https://me:pw@a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/x?q=a%20b&empty=", "https://a.example/x?q=a%20b&empty="),
        (
            "https://a.example/x?page_token=t1&token=t2&sort_key=a",
            "https://a.example/x?page_token=t1&token=t2&sort_key=a",
        ),
        ("https://a.example/x?key=k1&sig=s1", f"https://a.example/x?key={MASK}&sig={MASK}"),
    ],
)
def test_a_url_keeps_all_but_its_secrets(url: str, shown: str) -> None:
    assert Redaction().url(url) == shown


@pytest.mark.parametrize(
    "name",
    ["Authorization", "cookie", "Set-Cookie", "X-API-Key", "x-auth-token", "Ocp-Apim-Subscription-Key", "ApiKey"],
)
def test_headers_that_hold_secrets_are_masked(name: str) -> None:
    assert Redaction().headers({name: "v1"}) == {name: MASK}


@pytest.mark.parametrize("name", ["Accept", "ETag", "X-RateLimit-Remaining", "X-Monkey", "Content-Type", "X-Author"])
def test_other_headers_are_shown(name: str) -> None:
    assert Redaction().headers({name: "v1"}) == {name: "v1"}


def test_of_a_login_only_the_shape_is_shown() -> None:
    redaction = Redaction()
    request = Request(
        method="POST", url="https://a.example/t", headers={"X-App": "a"}, body=b"client_secret=abc", login=True
    )
    shown = redaction.request(request)
    assert (shown.body, dict(shown.headers)) == (MASK.encode(), {"X-App": MASK})
    body = {"access_token": "abc", "refresh_token": "d", "expires_in": 60, "token_type": "Bearer", "a": [{"b": "c"}]}
    answer = Response(url="", status=200, headers={"X-Session": "s", "Date": "now"}, body=json.dumps(body).encode())
    seen = redaction.response(answer, login=True)
    assert dict(seen.headers) == {"X-Session": MASK, "Date": "now"}
    assert seen.json() == {"access_token": MASK, "expires_in": 60, "token_type": "Bearer", "a": [{"b": MASK}]}


@pytest.mark.parametrize("body", [b"not json", b"\xff\xfe", b"[" * 100_000])
def test_a_login_that_answers_something_else_is_not_shown(body: bytes) -> None:
    answer = Response(url="", status=200, headers={}, body=body)
    assert Redaction().response(answer, login=True).body == MASK.encode()


def test_a_body_in_another_encoding_is_masked_too() -> None:
    redaction = Redaction()
    redaction.conceal("canary")
    answer = Response(url="", status=200, headers={}, body="Grüße, canary".encode("latin-1"))
    assert redaction.response(answer, login=False).body == f"Grüße, {MASK}".encode("latin-1")
