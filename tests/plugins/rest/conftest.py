"""A desk, a clock that stands still, and sources over the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cgsync_rest import cgsync_source_types
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cgsync.api import Window
from cgsync.http import open_http
from cgsync.testing import FakeClock, MemoryLog, as_opened, context
from cgsync.testing.driving import Driver
from tests.plugins.rest.desk import START, Desk, open_desk
from tests.plugins.rest.site import Site, open_site

Over: TypeAlias = Callable[..., Driver]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def desks(clock: FakeClock) -> AsyncIterator[Callable[..., Any]]:
    """Opens a desk; what it is like, the test says."""
    async with AsyncExitStack() as stack:

        async def build(**like: Any) -> Desk:
            return await stack.enter_async_context(open_desk(lambda: Desk(clock=clock, **like)))

        yield build


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A server whose answers the test writes."""
    async with open_site() as site:
        yield site


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One certificate to trust: to load all of the system's takes a tenth of a second for each source."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=36500))
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def over(clock: FakeClock, log: MemoryLog, authority: Path) -> Over:
    """A source with these options. Time passes only when somebody sleeps."""

    def build(url: str, *, window: Window | None = None, **options: Any) -> Driver:
        kind = cgsync_source_types()[0]
        given: Mapping[str, Any] = {"url": url, "records": "$.tickets[*]", "key": "id", **options}
        given = {"tls": {"ca": str(authority)}, **given}
        lent = context(clock=clock, log=log, http=partial(open_http, clock=clock), window=window)
        return Driver(kind=kind, options=as_opened(kind, given), context=lent)

    return build
