"""Many mailboxes in one entry: what stands above holds for each, and what an account says for itself wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cgsync.api import MEMBER_NAME, Member, SourceMisconfigured

CREDENTIALS = ("password", "oauth2")
_NAME = re.compile(MEMBER_NAME)


def members(options: Mapping[str, Any]) -> Sequence[Member]:
    """A source for each account, or one for the one ``username``. Raises :class:`SourceMisconfigured`."""
    if "accounts" not in options:
        return [Member(options=options)]
    above = {key: each for key, each in options.items() if key != "accounts"}
    _check_credentials(above, ())
    made: dict[str, Member] = {}
    for place, account in enumerate(options["accounts"]):
        member = _member(above, account, ("accounts", place))
        if member.name in made:
            words = f"is called {member.name!r}, as accounts[{made[member.name].at[-1]}] is"
            raise _refused(member.at, words, "give one of them a `name:` of its own")
        made[member.name] = member
    return list(made.values())


def _member(above: Mapping[str, Any], account: str | Mapping[str, Any], at: tuple[str | int, ...]) -> Member:
    own = {"username": account} if isinstance(account, str) else dict(account)
    _check_credentials(own, at)
    name = own.pop("name", None) or _name(own["username"], at)
    inherited = {key: each for key, each in above.items() if key not in CREDENTIALS} if _given(own) else above
    merged = {**inherited, **own}
    if not _given(merged):
        raise _refused(at, f"{name} has no password", "`password:` here, or `password:` or `oauth2:` above for all")
    return Member(name=name, options=merged, at=at)


def _name(username: str, at: tuple[str | int, ...]) -> str:
    """What stands before the domain, or before the name of a master user."""
    name = re.split(r"[@*]", username)[0]
    if not _NAME.fullmatch(name):
        raise _refused(at, f"no name can be made of {username!r}", "give it one of letters and digits: `name: alice`")
    return name


def _given(options: Mapping[str, Any]) -> Sequence[str]:
    return [each for each in CREDENTIALS if each in options]


def _check_credentials(options: Mapping[str, Any], at: tuple[str | int, ...]) -> None:
    if len(_given(options)) > 1:
        raise _refused((*at, "oauth2"), "stands beside a password", "keep one of them")


def _refused(at: tuple[str | int, ...], words: str, hint: str) -> SourceMisconfigured:
    return SourceMisconfigured("".join(f"{step}: " for step in at) + words, hint=hint)
