"""The address of the metrics under a reload: it moves, it goes away, and a new one that is taken leaves the old one."""

from __future__ import annotations

import socket
import urllib.error
from collections.abc import Iterator

import pytest

from tests.e2e.installation import Site
from tests.e2e.test_safety import ask
from tests.ports import free_port


def listening(port: int) -> bool:
    try:
        return ask(port, "/healthz") == (200, "ok\n")
    except urllib.error.URLError:
        return False


@pytest.fixture
def port(site: Site) -> int:
    """Where the daemon of the site listens."""
    port = free_port()
    site.write(top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
    site.running()
    assert listening(port)
    return port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_it_moves_to_another_address(site: Site, port: int) -> None:
    other = free_port()
    site.write(top=f"web: {{ listen: '127.0.0.1:{other}' }}\n")
    assert site.run("reload").stdout == "took web\n"
    assert (listening(port), listening(other)) == (False, True)


def test_it_is_switched_off_and_on_again(site: Site, port: int) -> None:
    top = site.top
    site.write(top="web: { listen: off }\n")
    assert site.run("reload").stdout == "took web\n"
    assert not listening(port)
    site.write(top=top)
    assert site.run("reload").stdout == "took web\n"
    assert listening(port)


def test_an_address_that_is_taken_is_refused_and_the_old_one_stays(site: Site, port: int, taken: int) -> None:
    sources = site.source("orders", site.drop) + site.source("more", site.folder)
    site.write(top=f"web: {{ listen: '127.0.0.1:{taken}' }}\n", sources=sources)
    words = site.run("reload", check=1).stderr
    assert f"127.0.0.1:{taken} cannot be listened on: " in words
    assert "Address already in use" in words or "address already in use" in words
    assert listening(port)
    assert [each["source"] for each in site.json("status")["sources"]] == ["orders"]


def test_a_reload_that_is_refused_for_another_reason_leaves_the_address_as_it_is(site: Site, port: int) -> None:
    other = free_port()
    site.write(top=f"web: {{ listen: '127.0.0.1:{other}' }}\n", client_id="another")
    assert "the receiver cannot change" in site.run("reload", check=1).stderr
    assert (listening(port), listening(other)) == (True, False)


def test_other_names_are_taken_at_the_same_address(site: Site, port: int) -> None:
    assert ask(port, "/healthz", host="proxy.example")[0] == 403
    site.write(top=f"web: {{ listen: '127.0.0.1:{port}', hosts: [proxy.example] }}\n")
    assert site.run("reload").stdout == "took web\n"
    assert ask(port, "/healthz", host="proxy.example")[0] == 200
    site.write(top=f"web: {{ listen: '127.0.0.1:{port}' }}\n")
    site.run("reload")
    assert ask(port, "/healthz", host="proxy.example")[0] == 403
