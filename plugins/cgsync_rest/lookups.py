"""What is looked up for each record, once per thing, several at once where the API can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self, TypeAlias

from cgsync.api import Clock, Json, SourceMisconfigured
from cgsync.formats import Path
from cgsync_rest.cache import Cache
from cgsync_rest.client import Client
from cgsync_rest.drafts import Draft
from cgsync_rest.fields import field_of
from cgsync_rest.paths import path
from cgsync_rest.rendering import Compile, Rendering, Variables, condition, rendering
from cgsync_rest.request import Addition, RequestForm

Name: TypeAlias = "str | bytes"

SLICE = 10
"""Records for which is looked up at a time, so that what is ready can be handed over in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """A request for several ids: at most ``size``, in the parameter ``ids``; a result's ``key`` is its id."""

    size: int
    ids: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """One of them; the result stands in the record under ``name``."""

    name: str
    form: RequestForm
    path: Path | None
    cache: Cache
    id: Rendering | None = None
    when: Callable[[Variables], bool] | None = None
    required: bool = False
    several: Several | None = None

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any], compile_: Compile, clock: Clock, base: str) -> Self:
        cache, batch = options.get("cache", {}), options.get("batch")
        return cls(
            name=name,
            form=RequestForm(options, compile_, base=base),
            path=path(options.get("records", "$"), f"enrich: {name}: records"),
            cache=Cache(clock, time=cache.get("for", timedelta(hours=1)), size=cache.get("size", 10_000)),
            id=rendering(options["id"], compile_) if "id" in options else None,
            when=condition(options["when"], compile_) if "when" in options else None,
            required=options.get("missing") == "fail",
            several=Several(size=batch.get("size", 100), ids=batch["ids"], key=batch["key"]) if batch else None,
        )

    async def add(self, drafts: Sequence[Draft], client: Client, variables: Variables) -> None:
        """Set the result in each record; what cannot be looked up for one is the reason of its reject."""
        wanted = [(draft, wish) for draft in drafts for wish in self._wish(draft, variables)]
        results = {wish.key: self.cache.get(wish.key) for _, wish in wanted if wish.key in self.cache}
        await self._fetch({wish.key: wish for _, wish in wanted if wish.key not in results}, results, client)
        for draft, wish in wanted:
            draft.data[self.name] = results[wish.key]
            if results[wish.key] is None and self.required:
                draft.reason = f"{self.name} was not found: {wish.words}"

    def _wish(self, draft: Draft, variables: Variables) -> Iterator[Wish]:
        """What is to be looked up for a record: one thing or nothing."""
        if draft.reason or draft.left_out:
            return
        draft.data[self.name] = None
        known = {**variables, "record": draft.data}
        try:
            if self.when is not None and not self.when(known):
                return
            identity = self.id(known) if self.id is not None else None
            if self.id is not None and identity in (None, ""):
                return
            known["id"] = identity
            if self.several is None:
                asked = self.form.fill(known)
                yield Wish(key=asked.fingerprint(), words=asked.url.partition("?")[0], variables=known)
            else:
                yield Wish(key=str(identity), words=str(identity), variables=known)
        except SourceMisconfigured as error:
            draft.reason = f"{self.name}: {error.message}"

    async def _fetch(
        self, missing: Mapping[str | bytes, Wish], results: dict[str | bytes, Any], client: Client
    ) -> None:
        ordered = list(missing.values())
        size = self.several.size if self.several else 1
        for start in range(0, len(ordered), size):
            found = await self._asked(ordered[start : start + size], client)
            results |= found
            for key, value in found.items():
                self.cache.put(key, value)

    async def _asked(self, wishes: Sequence[Wish], client: Client) -> Mapping[Name, Any]:
        """The result of each, in one request."""
        several = self.several
        if several is None:
            (wish,) = wishes
            answer = await client.answer(self.form.fill(wish.variables), may_miss=True)
            return {wish.key: next(iter(self._select(answer.document)), None)}
        ids: list[Json] = [str(wish.key) for wish in wishes]
        asked = self.form.fill(wishes[0].variables, Addition(params={several.ids: ids}))
        found = self._select((await client.answer(asked, may_miss=True)).document)
        nodes = found[0] if len(found) == 1 and isinstance(found[0], list) else found
        results = {str(field_of(node, several.key)): node for node in nodes}
        return {wish.key: results.get(str(wish.key)) for wish in wishes}

    def _select(self, document: Any) -> list[Any]:
        return self.path.select(document) if self.path is not None and document is not None else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that is to be looked up; equal keys are one thing."""

    key: Name
    words: str
    variables: Mapping[str, Any]
