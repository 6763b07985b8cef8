"""Where activities go: a region, or addresses; never a secret over plain HTTP by accident."""

from __future__ import annotations

import pytest

from cgsync.secrets import MASK, Secret

from .conftest import Folder

IDENTITY = "  client_id: id\n  client_secret: ${SECRET}\n"


def receiver(lines: str) -> str:
    return "customergauge:\n" + IDENTITY + "".join(f"  {line}\n" for line in lines.split("\n"))


@pytest.mark.parametrize("region", ["eu", "us", "au"])
def test_a_region_names_both_addresses(folder: Folder, region: str) -> None:
    made = folder.config(receiver(f"region: {region}")).receiver
    assert made.url == f"https://imports.api.{region}.customergauge.com/activities"
    assert made.token_url == f"https://auth.{region}.customergauge.com/oauth2/token"
    assert made.identity == f"{made.url} as id"


def test_everything_has_its_value_and_the_secret_does_not_print(folder: Folder) -> None:
    folder.write("ca.pem", "x")
    made = folder.config(
        receiver(
            "url: https://proxy/a\ntoken_url: https://proxy/t\nrate_limit: 600/m\nconcurrency: 2\ntimestamps: offset\n"
            "unknown_contact: drop\ntimeout: 1m\nca_file: ca.pem"
        )
    ).receiver
    assert (made.url, made.rate_limit, made.concurrency, made.timestamps) == ("https://proxy/a", 10.0, 2, "offset")
    assert (made.unknown_contact, made.timeout.total_seconds(), made.ca_file) == ("drop", 60, folder.path / "ca.pem")
    assert made.client_secret == Secret("from-the-environment")
    assert "environment" not in repr(made)
    assert folder.redactor("from-the-environment") == MASK


@pytest.mark.parametrize(("text", "each"), [("10/s", 10), ("600/m", 10), ("3600/h", 1), ("0.5/s", 0.5)])
def test_rates_are_per_second(folder: Folder, text: str, each: float) -> None:
    assert folder.config(receiver(f"region: eu\nrate_limit: {text}")).receiver.rate_limit == each


@pytest.mark.parametrize(
    ("lines", "path", "words"),
    [
        ("concurrency: 1", "customergauge", '"region" is missing'),
        ("url: https://x/a", "customergauge", '"token_url" is missing'),
        ("token_url: https://x/a", "customergauge", '"url" is missing'),
        ("region: eu\nurl: https://x/a\ntoken_url: https://x/t", "customergauge.region", "replaces it"),
        ("url: ftp://x/a\ntoken_url: https://x/t", "customergauge.url", "https://"),
        ("url: https://\ntoken_url: https://x/t", "customergauge.url", "https://"),
        ("url: 'https://[x/a'\ntoken_url: https://x/t", "customergauge.url", "is no address"),
        ("url: https://x:99999/a\ntoken_url: https://x/t", "customergauge.url", "is no address"),
        ("url: https://u:hunter2@x/a\ntoken_url: https://x/t", "customergauge.url", "user name"),
        ("url: http://example.com/a\ntoken_url: https://x/t", "customergauge.url", "show the secret"),
        ("url: http://127.0.0.1.example.com/a\ntoken_url: https://x/t", "customergauge.url", "show the secret"),
        ("region: eu\nrate_limit: 0/s", "customergauge.rate_limit", "more than 0"),
        ("region: eu\nrate_limit: 10", "customergauge.rate_limit", "form that is wanted"),
        ("region: eu\nca_file: gone.pem", "customergauge.ca_file", "no file"),
    ],
)
def test_what_does_not_go_together_is_found(folder: Folder, lines: str, path: str, words: str) -> None:
    found = folder.finding(receiver(lines))
    assert found.path == path
    assert words in found.message
    assert "hunter2" not in found.snippet


@pytest.mark.parametrize("host", ["127.0.0.1:8788", "localhost", "[::1]:80", "127.8.8.8"])
def test_plain_http_to_this_machine_is_fine(folder: Folder, host: str) -> None:
    config = folder.config(receiver(f"url: 'http://{host}/a'\ntoken_url: http://localhost/t"))
    assert not config.warnings


def test_plain_http_elsewhere_has_to_be_asked_for_and_is_warned_of(folder: Folder) -> None:
    lines = "url: http://example.com/a\ntoken_url: http://example.com/t\nallow_insecure: true"
    warnings = folder.config(receiver(lines)).warnings
    assert [each.path for each in warnings] == ["customergauge.url", "customergauge.token_url"]
