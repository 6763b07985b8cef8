"""What an error says of an answer that is not what it should be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Request, Response, Verdict, usual

CANARY = "canary-token"


def response(body: bytes, *, status: int = 200, kind: str = "text/html; charset=utf-8") -> Response:
    headers = {"content-type": kind} if kind else {}
    return Response(
        url="https://acme.example/api",
        status=status,
        headers=headers,
        body=body,
        redact=lambda text: text.replace(CANARY, "********"),
    )


def test_a_login_page_is_named_by_its_title() -> None:
    page = b"<!doctype html><html><head><TITLE lang=en>\n Sign in &amp; go </TITLE></head>"
    with pytest.raises(SourceUnavailable) as caught:
        response(page).json()
    words = "https://acme.example/api answered 200 with a body that is no JSON: "
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith("it is text/html, titled “Sign in & go”")


def test_a_cut_answer_shows_its_beginning() -> None:
    with pytest.raises(SourceUnavailable, match=r"application/json, “\{.tickets.: \[1, 2”"):
        response(b'{"tickets": [1, 2', kind="application/json").json()


@pytest.mark.parametrize(
    ("body", "kind", "seen"),
    [
        (b"", "", "of no content type, empty"),
        (b"\x00\x01\x1b[31mred", "text/plain", "text/plain, “[31mred”"),
        (b"x" * 500, "text/plain", f"text/plain, “{'x' * 100}”"),
        (b"a  \n b", "text/plain", "text/plain, “a b”"),
        (f"you sent {CANARY}".encode(), "text/plain", "text/plain, “you sent ********”"),
    ],
)
def test_what_is_seen_is_short_printable_and_without_secrets(body: bytes, kind: str, seen: str) -> None:
    assert response(body, kind=kind).seen() == seen


@given(st.binary(max_size=300))
def test_any_body_can_be_named(body: bytes) -> None:
    seen = response(body).seen()
    assert seen.isprintable()
    assert len(seen) < 150


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SourceMisconfigured), (403, SourceMisconfigured), (429, SourceUnavailable), (501, SourceUnavailable)],
)
def test_check_says_what_a_status_means_and_what_came_with_it(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"answered {status}: text/html, “no \*{{8}}”"):
        response(f"no {CANARY}".encode(), status=status).check()


def test_a_good_answer_is_itself() -> None:
    good = response(b"[1]", status=201)
    assert good.check() is good
    assert good.json() == [1]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.FINAL),
        (404, Verdict.FINAL),
        (401, Verdict.REAUTHENTICATE),
        (429, Verdict.THROTTLE),
        (408, Verdict.AGAIN),
        (503, Verdict.AGAIN),
    ],
)
def test_the_usual_verdict_is_by_status(status: int, verdict: Verdict) -> None:
    assert usual(response(b"", status=status)) is verdict


def test_neither_a_request_nor_an_answer_prints_what_it_holds() -> None:
    request = Request(
        method="GET", url=f"https://acme.example/?key={CANARY}", headers={"A": CANARY}, body=b"canary-token"
    )
    assert CANARY not in f"{request!r} {request} {response(CANARY.encode(), kind=CANARY)!r}"
