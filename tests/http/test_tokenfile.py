"""A token in a file that somebody else renews."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aiohttp import web

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import TokenFile, open_http
from tests.http.site import Site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first-canary\n")
    return tmp_path / "token"


def renew(file: Path, text: str) -> None:
    (file.parent / "fresh").write_text(text)
    (file.parent / "fresh").replace(file)


async def test_it_is_read_again_when_it_changes(site: Site, url: str, file: Path) -> None:
    async with open_http(origin=url, auth=TokenFile(file)) as http:
        await http.get(url)
        renew(file, "second-canary")
        await http.get(url)
    assert [each.headers["Authorization"] for each in site.requests] == ["Bearer first-canary", "Bearer second-canary"]


async def test_a_401_reads_it_again_even_if_it_looks_the_same(site: Site, url: str, file: Path) -> None:
    async def picky(request: web.Request) -> web.Response:
        if request.headers["Authorization"] == "Bearer other-canary":
            return web.Response()
        with file.open("r+") as stream:  # the same inode, the same size, the same time
            stat = file.stat()
            stream.write("other-canary")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        return web.Response(status=401)

    site.handler = picky
    async with open_http(origin=url, auth=TokenFile(file)) as http:
        assert (await http.get(url)).status == 200
    assert len(site.requests) == 2


async def test_a_401_with_the_same_token_is_given_back(site: Site, url: str, file: Path) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401)

    site.handler = refuse
    async with open_http(origin=url, auth=TokenFile(file)) as http:
        assert (await http.get(url)).status == 401
    assert len(site.requests) == 1


async def test_no_file_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(SourceMisconfigured, match="cannot be read: No such file"):
        await TokenFile(tmp_path / "token").credential()


async def test_an_empty_one_is_about_to_be_written(file: Path) -> None:
    file.write_text("\n")
    with pytest.raises(SourceUnavailable, match="holds no token yet"):
        await TokenFile(file).credential()


@pytest.mark.parametrize("content", [b"one\ntwo", b"canary \xff", "tokén".encode()])
async def test_what_no_header_can_hold_is_refused_unseen(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SourceMisconfigured) as caught:
        await TokenFile(file).credential()
    assert "canary" not in str(caught.value)
