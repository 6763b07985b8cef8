"""Certificates: whom we trust, and who we are."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Retry, Tls, open_http
from tests.http.certificates import Authority
from tests.http.site import Site

ONCE = Retry(attempts=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def serving(site: Site, context: ssl.SSLContext) -> AsyncIterator[str]:
    server = TestServer(site.app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


async def test_an_authority_of_ones_own_is_trusted_when_named(site: Site, authority: Authority) -> None:
    async with serving(site, authority.server()) as url, open_http(tls=Tls(ca=authority.ca)) as http:
        assert (await http.get(url)).status == 200


async def test_it_is_not_trusted_otherwise_and_nothing_is_sent(site: Site, authority: Authority) -> None:
    async with serving(site, authority.server()) as url, open_http() as http:
        with pytest.raises(SourceMisconfigured, match="the certificate is not trusted"):
            await http.get(url)
    assert not site.requests


async def test_a_certificate_for_another_name_is_refused(site: Site, authority: Authority) -> None:
    async with serving(site, authority.server()) as url, open_http(tls=Tls(ca=authority.ca)) as http:
        with pytest.raises(SourceMisconfigured, match="the certificate is not trusted"):
            await http.get(url.replace("127.0.0.1", "localhost"))


async def test_without_verification_whoever_answers_is_trusted(site: Site, authority: Authority) -> None:
    async with serving(site, authority.server()) as url, open_http(tls=Tls(verify=False)) as http:
        assert (await http.get(url)).status == 200


async def test_our_own_certificate_is_shown(site: Site, authority: Authority) -> None:
    async def name(request: web.Request) -> web.Response:
        (((_, common_name),),) = request.get_extra_info("peercert")["subject"]
        return web.Response(text=common_name)

    site.handler = name
    ours = authority.sign("ours")
    tls = Tls(ca=authority.ca, cert=ours.cert, key=ours.key)
    async with serving(site, authority.server(asks=True)) as url:
        async with open_http(tls=tls) as http:
            assert (await http.get(url)).body == b"ours"
        async with open_http(tls=Tls(ca=authority.ca), retry=ONCE) as http:
            with pytest.raises(SourceUnavailable):
                await http.get(url)
    assert len(site.requests) == 1


def encrypted(authority: Authority, folder: Path) -> Tls:
    """A key with a password: nobody is there to type it."""
    from cryptography.hazmat.primitives import serialization

    ours = authority.sign("locked")
    key = serialization.load_pem_private_key(ours.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"canary")
    ours.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return Tls(cert=ours.cert, key=ours.key)


BAD: dict[str, Callable[[Authority, Path], Tls]] = {
    "no such file": lambda authority, folder: Tls(ca=folder / "none.pem"),
    "no certificate": lambda authority, folder: Tls(ca=authority.sign("key").key),
    "a certificate without its key": lambda authority, folder: Tls(cert=authority.ca),
    "the key of another": lambda authority, folder: Tls(
        cert=authority.sign("one").cert, key=authority.sign("another").key
    ),
    "a key with a password": encrypted,
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_file_that_cannot_be_used_is_named(authority: Authority, tmp_path: Path, bad: str) -> None:
    tls = BAD[bad](authority, tmp_path)
    with pytest.raises(SourceMisconfigured, match=str(tls.ca or tls.cert)):
        async with open_http(tls=tls):
            pass
