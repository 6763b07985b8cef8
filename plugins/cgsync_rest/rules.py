"""What an answer means, by the rules of ``errors``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync.http import Response, Verdict
from cgsync_rest.rendering import Compile, Variables, condition

VERDICTS = {"retry": Verdict.AGAIN, "throttle": Verdict.THROTTLE, "refresh_auth": Verdict.REAUTHENTICATE}


class Expired(Exception):
    """The token of the page, or the position, is no longer known to the API: start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All that it states must hold. ``statuses``: 404, or 4 for 4xx."""

    do: str
    statuses: frozenset[int] = frozenset()
    text: str = ""
    when: Callable[[Variables], bool] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any], compile_: Compile) -> Self:
        given = options.get("status", ())
        several = given if isinstance(given, list | tuple) else (given,)
        return cls(
            do=options["do"],
            statuses=frozenset(int(str(each).removesuffix("xx")) for each in several),
            text=options.get("body_contains", ""),
            when=condition(options["when"], compile_) if "when" in options else None,
        )

    def fits(self, response: Response) -> bool:
        if self.statuses and not self.statuses & {response.status, response.status // 100}:
            return False
        if self.text and self.text not in response.body.decode("utf-8", "replace"):
            return False
        return self.when is None or self.when({"response": variables(response)})


@dataclass(frozen=True, slots=True)
class Rules:
    """The first that fits decides."""

    rules: Sequence[Rule] = ()

    @classmethod
    def of(cls, options: Sequence[Mapping[str, Any]], compile_: Compile) -> Self:
        return cls(tuple(Rule.of(each, compile_) for each in options))

    def what(self, response: Response) -> str:
        """What to do, "" where no rule speaks."""
        return next((rule.do for rule in self.rules if rule.fits(response)), "")

    def judge(self, response: Response) -> Verdict | None:
        """For the session: whether to ask again. ``None`` where it is to judge by the status."""
        do = self.what(response)
        return VERDICTS.get(do, Verdict.FINAL) if do else None

    def accept(self, response: Response) -> bool:
        """True when there is something to read; false when a rule says there is not. Raises what the answer means."""
        do = self.what(response)
        words = f"{response.url} answered {response.status}: {response.seen()}"
        if do == "fail":
            raise SourceUnavailable(words)
        if do == "pause":
            raise SourceMisconfigured(words, hint="one of the rules in `errors:` says that a person must act")
        if do == "reset":
            raise Expired(words)
        if do not in ("ok", "ignore"):
            response.check()
        return do != "ignore"


def variables(response: Response) -> Mapping[str, Any]:
    """As templates see it: the body as JSON, else as text."""
    try:
        body = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = response.body.decode("utf-8", "replace")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return {"status": response.status, "headers": headers, "body": body}
