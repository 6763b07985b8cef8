"""Tokens that we sign ourselves."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from aiohttp import web

from cgsync.errors import SourceMisconfigured
from cgsync.http import SignedJwt, Signer, Tokens, open_http
from cgsync.secrets import Secret
from cgsync.testing import FakeClock
from tests.http.site import Site

KEY = "canary-key-of-thirty-two-letters!"


def signed(clock: FakeClock, **options: object) -> Tokens:
    signer = Signer(algorithm="HS256", key=Secret(KEY), headers={"kid": "7"})
    return Tokens(
        SignedJwt(signer=signer, clock=clock, claims={"iss": "me", "aud": ["api"]}, ttl=timedelta(minutes=5)),
        clock=clock,
    )


async def test_it_is_signed_with_its_claims_and_its_times(site: Site, url: str, quick: FakeClock) -> None:
    async with open_http(origin=url, auth=signed(quick), clock=quick) as http:
        await http.get(url)
    kind, _, token = site.requests[0].headers["Authorization"].partition(" ")
    claims = jwt.decode(token, KEY, ["HS256"], audience="api")
    assert (kind, claims["iss"], jwt.get_unverified_header(token)["kid"]) == ("Bearer", "me", "7")
    assert claims["exp"] == int((quick.now() + timedelta(minutes=5)).timestamp())
    assert claims["iat"] <= quick.now().timestamp()


async def test_one_is_used_until_shortly_before_its_end(quick: FakeClock) -> None:
    tokens = signed(quick)
    first = await tokens.credential()
    await quick.sleep(269)
    assert await tokens.credential() is first
    await quick.sleep(2)
    assert (await tokens.credential()).value != first.value


async def test_a_401_signs_anew_once(site: Site, url: str, quick: FakeClock) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401)

    site.handler = refuse
    async with open_http(origin=url, auth=signed(quick), clock=quick) as http:
        assert (await http.get(url)).status == 401
    assert len(site.requests) == 2


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_key_that_does_not_go_with_the_algorithm_is_named(algorithm: str) -> None:
    with pytest.raises(SourceMisconfigured, match=rf"jwt: key: does not go with {algorithm}") as caught:
        Signer(algorithm=algorithm, key=Secret(KEY), place="jwt: key")
    assert KEY not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_a_short_shared_secret_is_the_choice_of_the_api() -> None:
    assert Signer(algorithm="HS512", key=Secret("short")).sign({})
