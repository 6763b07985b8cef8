"""What no schema can say of the options: found by a check of the configuration, and again when a source is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cgsync_imap import cgsync_source_types, judge
from cgsync_imap.criteria import check_raw

from cgsync.api import SourceMisconfigured
from cgsync.clock import SystemClock
from cgsync.config import ConfigInvalid, load
from cgsync.testing import MemoryLog, as_opened, context
from cgsync.testing.driving import Driver

KIND = cgsync_source_types()[0]
OAUTH2 = {"token_url": "https://login.example/token", "client_id": "us", "client_secret": "canary-of-us"}
TOKENS = {"host": "imap.example.com", "username": "us@example.com"}
BASIC = {**TOKENS, "password": "canary-of-us"}


def wrong(options: dict[str, Any]) -> SourceMisconfigured:
    with pytest.raises(SourceMisconfigured) as caught:
        judge(as_opened(KIND, options), lambda text: text)
    assert "canary" not in f"{caught.value}{caught.value!r}"
    return caught.value


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "canary\n"}, "password: it contains a line break"),
        ({"start": "2026-02-30"}, "start: there is no day 2026-02-30"),
        ({"encryption": "none"}, "encryption: imap.example.com:143 is not encrypted"),
        ({"tls": {"verify": False}}, "tls: verify: false trusts whoever answers"),
        ({"folders": ["inbox", "Done"], "after": {"move": "Done"}}, "after: move: Done is one of `folders:`"),
        ({"folders": ["*"], "after": {"move": "Done"}, "exclude": ["*"]}, ""),
        ({"after": {"move": "Inbox"}}, "after: move: Inbox is one of"),
        ({"exclude": ["inbox"]}, "exclude: inbox is one of `folders:`, too"),
        ({"search": {"larger": "2kB", "smaller": "2kB"}}, "search: smaller: nothing is smaller"),
        ({"search": {"larger": "1kB", "smaller": "2kB"}}, ""),
        ({"search": {"raw": ["ALL", "FROM"]}}, "search: raw: 1: FROM lacks"),
        ({"encryption": "none", "host": "127.0.0.1"}, ""),
        ({"encryption": "none", "tls": {"verify": False}, "allow_insecure": True}, ""),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_option(options: dict[str, Any], words: str) -> None:
    given = {**BASIC, **options}
    if words:
        assert str(wrong(given)).startswith(words)
    else:
        judge(as_opened(KIND, given), lambda text: text)


@pytest.mark.parametrize(
    ("oauth2", "words"),
    [
        ({"token_url": "http://login.example/token?a=canary"}, "oauth2: token_url: http://login.example/token is not"),
        ({"token_url": "https://["}, "'https://[' is not an address"),
        ({"grant": "refresh_token"}, "oauth2: grant: refresh_token and refresh_token: go together"),
        ({"grant": "service_account"}, "oauth2: grant: service_account needs service_account_key"),
        ({"grant": "service_account", "service_account_key": "canary"}, "oauth2: service_account_key: it is no JSON"),
        ({"client_auth": "private_key_jwt", "private_key": "canary"}, "oauth2: private_key: does not go with RS256"),
    ],
)
def test_a_way_to_tokens_that_leads_nowhere_is_told_at_its_option(oauth2: dict[str, Any], words: str) -> None:
    assert str(wrong({**TOKENS, "oauth2": {**OAUTH2, **oauth2}})).startswith(words)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (["NOT FROM robot@example.com"], "0: NOT FROM robot@example.com would be sent as one text"),
        (["SINCE", "2026-01-31"], "0: 2026-01-31 behind SINCE is no day"),
        (["UNSEEN", "before", "30-Feb-2026"], "1: 30-Feb-2026 behind before is no day"),
        (["UNSEN"], "0: there is no UNSEN"),
        (["SUBJECT", "x", "NOT"], "2: NOT lacks"),
        (["HEADER", "X-Kind"], "0: HEADER lacks"),
        (["OR", "SEEN"], "0: OR lacks"),
        (["LARGER", "2MiB"], "0: 2MiB behind LARGER is no number"),
        (["UID", "one"], "0: one behind UID is no number"),
        (["(FROM", "ann"], "0: a ( without its )"),
        (["SEEN", ")"], "1: a ) without its ("),
        (["(", "NOT", ")"], "1: NOT lacks"),
    ],
)
def test_criteria_that_no_server_understands_are_told_with_their_place(raw: list[str], words: str) -> None:
    with pytest.raises(SourceMisconfigured) as caught:
        check_raw(raw)
    assert str(caught.value).startswith(f"search: raw: {words}")


@pytest.mark.parametrize(
    "raw",
    [
        ["NOT", "FROM", "robot@example.com"],
        ["OR", "(SUBJECT", "order 7", "unseen)", "NOT", "HEADER", "X-Kind", ""],
        ["SINCE", "1-Feb-2026", "sentbefore", "01-MAR-2026", "LARGER", "5", "1:*", "UID", "4,7:9"],
        ["X-GM-RAW", "has:attachment in:inbox", "KEYWORD", "$done"],
        ["SUBJECT", ") x", "FUZZY", "BODY", "\\"],
        ["INTHREAD", "REFS", "NOT FROM x", "UNSEN"],  # what comes behind a stranger is not ours to judge
    ],
)
def test_criteria_that_a_server_may_understand_are_left_to_it(raw: list[str]) -> None:
    check_raw(raw)


CONFIG = """
customergauge: { region: eu, client_id: us, client_secret: a-secret-of-ours }
sources:
  mail:
    imap:
      host: imap.example.com
      username: us@example.com
      password: a-password
      search:
        raw: [UNSEEN, SINCE, 2026-01-31]
    activity: { account: a, type: Email, source: Mail, happened_at: "2026-01-31" }
"""


def test_a_check_of_the_configuration_names_line_and_option(tmp_path: Path) -> None:
    path = tmp_path / "cgsync.yaml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    with pytest.raises(ConfigInvalid) as caught:
        load(path, environ={})
    (found,) = caught.value.diagnostics
    assert (found.line, found.path) == (10, "sources.mail.imap.search.raw[1]")
    assert "2026-01-31 behind SINCE is no day" in found.message


async def test_what_is_meant_although_it_is_insecure_is_told_when_the_source_is_opened() -> None:
    log = MemoryLog()
    options = as_opened(KIND, {**BASIC, "tls": {"verify": False}, "allow_insecure": True})
    driver = Driver(kind=KIND, options=options, context=context(clock=SystemClock(), log=log))
    async with driver.open():
        assert "tls: verify: false trusts whoever answers" in log.text


async def test_a_source_is_not_opened_with_them_either() -> None:
    options = as_opened(KIND, {**BASIC, "after": {"move": "INBOX"}})
    with pytest.raises(SourceMisconfigured, match="would not be read"):
        async with Driver(kind=KIND, options=options, context=context(clock=SystemClock())).open():
            pass
