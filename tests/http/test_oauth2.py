"""OAuth2 in a session: what is sent, what is renewed, and what is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import Assertion, OAuth2, Signer, Tokens, open_http
from cgsync.secrets import Secret
from cgsync.testing import FakeClock, MemorySecrets
from tests.http.authority import CLIENT, SECRET, Authority, basic_of


def pem(key: Any) -> Secret:
    return Secret(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


class Rig:
    """One set of tokens and the session that uses them."""

    def __init__(self, base: str, clock: FakeClock, **options: Any) -> None:
        self.base = base
        self.clock = clock
        self.tokens = Tokens(
            OAuth2(url=base + "token", client_id=CLIENT, clock=clock, **{"client_secret": Secret(SECRET), **options}),
            clock=clock,
        )

    async def get(self, times: int = 1) -> list[int]:
        async with open_http(origin=self.base, auth=self.tokens, clock=self.clock) as http:
            return [each.status for each in await asyncio.gather(*(http.get(self.base + "api") for _ in range(times)))]


async def test_the_form_holds_what_is_configured(authority: Authority, base: str, quick: FakeClock) -> None:
    await Rig(base, quick, scope="read write", audience="https://api", extra={"account_id": "7"}).get()
    assert authority.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "read write",
            "audience": "https://api",
            "account_id": "7",
        }
    ]
    assert authority.calls == ["access-1-canary"]


async def test_basic_puts_the_client_into_the_header(authority: Authority, base: str, quick: FakeClock) -> None:
    await Rig(base, quick, client_auth="basic").get()
    assert basic_of(authority.headers[0]) == (CLIENT, SECRET)
    assert authority.asked == [{"grant_type": "client_credentials"}]


@pytest.mark.parametrize("kind", ["RS256", "PS256", "ES256"])
async def test_private_key_jwt_signs_an_assertion_each_time(
    authority: Authority, base: str, quick: FakeClock, kind: str
) -> None:
    key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    signer = Signer(algorithm=kind, key=pem(key), headers={"kid": "key-1"})
    rig = Rig(base, quick, client_auth=Assertion(signer=signer), client_secret=Secret(""))
    await rig.get()
    rig.tokens.invalidate(1)
    await rig.get()
    seen = [
        jwt.decode(each["client_assertion"], key.public_key(), [kind], audience=base + "token")
        for each in authority.asked
    ]
    assert [(each["iss"], each["sub"]) for each in seen] == [(CLIENT, CLIENT)] * 2
    assert seen[0]["jti"] != seen[1]["jti"]
    assert seen[0]["exp"] - quick.now().timestamp() <= 300
    assert jwt.get_unverified_header(authority.asked[0]["client_assertion"])["kid"] == "key-1"
    assert authority.asked[0]["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in authority.asked[0]


async def test_token_and_lifetime_are_found_where_they_stand(authority: Authority, base: str, quick: FakeClock) -> None:
    authority.wrap = lambda reply: {"data": [{"token": reply["access_token"], "ttl": "100"}]}
    rig = Rig(base, quick, access_token_path="data.0.token", expires_in_path="data.0.ttl")
    await rig.get()
    await quick.sleep(89)
    await rig.get()
    assert len(authority.asked) == 1
    await quick.sleep(2)
    await rig.get()
    assert authority.calls == ["access-1-canary", "access-1-canary", "access-2-canary"]


async def test_fifty_requests_with_an_ended_token_cause_one_refresh(
    authority: Authority, base: str, quick: FakeClock
) -> None:
    rig = Rig(base, quick)
    await rig.get()
    authority.revoked.add("access-1-canary")
    assert await rig.get(50) == [200] * 50
    assert len(authority.asked) == 2


async def test_a_401_refreshes_once_and_is_then_given_back(authority: Authority, base: str, quick: FakeClock) -> None:
    authority.revoked |= {f"access-{number}-canary" for number in range(20)}
    assert await Rig(base, quick).get() == [401]
    assert len(authority.asked) == len(authority.calls) == 2


async def test_a_rotated_refresh_token_is_kept_and_used(authority: Authority, base: str, quick: FakeClock) -> None:
    store = MemorySecrets()
    rig = Rig(base, quick, refresh_token=Secret("refresh-0"), store=store)
    await rig.get()
    assert store.get("refresh_token") == Secret("refresh-1-canary")
    await Rig(base, quick, refresh_token=Secret("refresh-0"), store=store).get()
    assert [each["refresh_token"] for each in authority.asked] == ["refresh-0", "refresh-1-canary"]


async def test_it_is_kept_before_the_access_token_is_used(authority: Authority, base: str, quick: FakeClock) -> None:
    class Watching(MemorySecrets):
        async def put(self, name: str, value: str) -> None:
            assert not authority.calls
            await asyncio.sleep(0.05)
            await super().put(name, value)
            authority.calls.append("stored")

    await Rig(base, quick, refresh_token=Secret("refresh-0"), store=Watching()).get()
    assert authority.calls == ["stored", "access-1-canary"]


async def test_one_that_cannot_be_kept_is_not_used(authority: Authority, base: str, quick: FakeClock) -> None:
    class Full(MemorySecrets):
        async def put(self, name: str, value: str) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(SourceUnavailable, match="refresh token cannot be kept: No space"):
        await Rig(base, quick, refresh_token=Secret("refresh-0"), store=Full()).get()
    assert not authority.calls


async def test_one_that_does_not_rotate_is_not_written(authority: Authority, base: str, quick: FakeClock) -> None:
    authority.rotating = False
    store = MemorySecrets()
    await Rig(base, quick, refresh_token=Secret("refresh-0"), store=store).get()
    assert store.values == {}


async def test_a_kept_one_that_is_refused_gives_way_to_the_configured_one(
    authority: Authority, base: str, quick: FakeClock
) -> None:
    """Somebody has logged in anew and put the new token into the configuration."""
    authority.rotating = False
    store = MemorySecrets({"refresh_token": "an old one"})
    assert await Rig(base, quick, refresh_token=Secret("refresh-0"), store=store).get() == [200]
    await Rig(base, quick, refresh_token=Secret("refresh-0"), store=store).get()
    assert [each["refresh_token"] for each in authority.asked] == ["an old one", "refresh-0", "refresh-0"]


async def test_when_both_are_refused_a_person_must_act(authority: Authority, base: str, quick: FakeClock) -> None:
    store = MemorySecrets({"refresh_token": "old-canary"})
    with pytest.raises(SourceMisconfigured, match="answered 400: invalid_grant") as caught:
        await Rig(base, quick, refresh_token=Secret("older-canary"), store=store).get()
    assert len(authority.asked) == 2
    assert "canary" not in f"{caught.value!r}{caught.value}"


async def test_the_token_requests_of_a_session_pass_its_wire(authority: Authority, base: str, quick: FakeClock) -> None:
    from cgsync.http import Exchange, Watched

    seen: list[Exchange] = []
    rig = Rig(base, quick)
    async with open_http(origin=base, auth=rig.tokens, clock=quick, wire=Watched(seen.append)) as http:
        await http.get(base + "api")
    assert [each.request.url.removeprefix(base) for each in seen] == ["token", "api"]


async def test_tokens_outside_of_a_session_say_so(base: str, quick: FakeClock) -> None:
    from cgsync.http import Broken

    with pytest.raises(Broken, match="outside of a session"):
        await Rig(base, quick).tokens.credential()
