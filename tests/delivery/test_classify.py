"""The table of answers, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.delivery import Answer, Broken, Kind, classify
from cgsync.model import Again, Delivered, Outcome, Paused, Refused

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
GOOD = b'{"data": {"id": 123, "reference": "456", "contact_id": null}}'
ERRORS = b'{"message": "The given data was invalid.", "errors": {"type": ["The type field is required."]}}'


def outcome(status: int, body: bytes = b"", **headers: str) -> Outcome:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(Answer(status=status, body=body, headers=named), now=NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_a_2xx_with_the_documented_json_is_delivered(status: int) -> None:
    assert outcome(status, GOOD) == Delivered(status=status, data={"id": 123, "reference": "456", "contact_id": None})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>log in</html>",
        b"{}",
        b"[]",
        b'{"data": []}',
        b'{"data": {}}',
        b'{"data": {"id"',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_2xx_with_anything_else_is_sent_again_and_in_doubt(body: bytes) -> None:
    found = outcome(200, body)
    assert isinstance(found, Again)
    assert found.doubt
    assert found.counted


def test_a_2xx_that_is_too_large_is_sent_again() -> None:
    found = classify(Answer(status=200, too_large=True), now=NOW)
    assert isinstance(found, Again)
    assert found.doubt


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_pauses(status: int) -> None:
    found = outcome(status, location="https://elsewhere.example/activities")
    assert isinstance(found, Paused)
    assert found.cause == "redirect"
    assert "elsewhere.example" in found.reason


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_the_records_fault_is_refused_with_the_words_per_field(status: int) -> None:
    assert outcome(status, ERRORS) == Refused(status=status, reasons={"type": "The type field is required."})


def test_a_refusal_without_fields_keeps_what_was_said() -> None:
    assert outcome(413, b"<h1>Too Large</h1>") == Refused(status=413, reasons={"": "413: <h1>Too Large</h1>"})
    assert outcome(400, b'{"message": "no"}') == Refused(status=400, reasons={"": "400: no"})
    assert outcome(422) == Refused(status=422, reasons={"": "422: no reason given"})


def test_a_404_is_the_records_fault_only_with_the_documented_errors() -> None:
    assert isinstance(outcome(404, ERRORS), Refused)
    found = outcome(404, b"<html>nginx</html>")
    assert isinstance(found, Paused)
    assert found.cause == "not_found"


@pytest.mark.parametrize(
    ("status", "cause"),
    [(401, "auth"), (403, "forbidden"), (402, "unexpected"), (407, "unexpected"), (451, "unexpected")],
)
def test_any_other_4xx_pauses(status: int, cause: str) -> None:
    found = outcome(status, ERRORS)
    assert isinstance(found, Paused)
    assert found.cause == cause
    assert found.probe_after == timedelta(minutes=15)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_what_may_still_be_executing_is_counted_and_in_doubt(status: int) -> None:
    found = outcome(status, b"<html>", retry_after="7")
    assert found == Again(reason=f"{status}: <html>", status=status, after=timedelta(seconds=7), doubt=True)


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ({}, None),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "12"}, 12),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "99999999999"}, 3600),
        ({"retry_after": "Wed, 04 Mar 2026 10:00:30 GMT"}, 30),
        ({"retry_after": "Wed, 04 Mar 2020 10:00:30 GMT", "date": "Wed, 04 Mar 2020 10:00:00 GMT"}, 30),
        ({"retry_after": "Wed, 04 Mar 2026 09:00:00 GMT"}, 0),
        ({"retry_after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 3600),
    ],
)
def test_a_429_closes_the_gate_for_as_long_as_it_asks_but_an_hour(header: dict[str, str], after: int | None) -> None:
    found = outcome(429, **header)
    assert isinstance(found, Again)
    assert found.gate
    assert not found.counted
    assert not found.doubt
    assert found.after == (None if after is None else timedelta(seconds=after))


@pytest.mark.parametrize("kind", [Kind.DNS, Kind.REFUSED, Kind.TLS, Kind.LOGIN_DOWN])
def test_what_was_never_sent_is_not_counted(kind: Kind) -> None:
    assert classify(Broken(kind, "words"), now=NOW) == Again(reason="words", counted=False)


@pytest.mark.parametrize("kind", [Kind.TIMEOUT, Kind.RESET, Kind.PROTOCOL])
def test_what_broke_after_the_first_byte_is_counted_and_in_doubt(kind: Kind) -> None:
    assert classify(Broken(kind, "words", sent=True), now=NOW) == Again(reason="words", counted=True, doubt=True)
    assert classify(Broken(kind, "words", sent=False), now=NOW) == Again(reason="words", counted=False)


@pytest.mark.parametrize(
    ("kind", "cause"), [(Kind.CERTIFICATE, "tls"), (Kind.LOGIN, "auth"), (Kind.REDIRECT, "redirect")]
)
def test_a_wrong_set_up_pauses(kind: Kind, cause: str) -> None:
    assert classify(Broken(kind, "words"), now=NOW) == Paused(cause=cause, reason="words")


def test_a_busy_token_endpoint_closes_the_gate() -> None:
    found = classify(Broken(Kind.LOGIN_BUSY, "words", after=timedelta(seconds=9)), now=NOW)
    assert found == Again(reason="words", after=timedelta(seconds=9), counted=False, gate=True)


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=300) | st.sampled_from([GOOD, ERRORS]),
    retry=st.text(max_size=40),
    date=st.text(max_size=40),
)
def test_every_answer_has_an_outcome(status: int, body: bytes, retry: str, date: str) -> None:
    found = classify(Answer(status=status, body=body, headers={"retry-after": retry, "date": date}), now=NOW)
    if isinstance(found, Again) and found.after is not None:
        assert timedelta(0) <= found.after <= timedelta(hours=1)
    assert isinstance(found, Delivered) <= (200 <= status < 300)
