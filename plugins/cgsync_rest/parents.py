"""The partitions of a source: the values that the options list, or what a parent request gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from cgsync.api import SourceUnavailable
from cgsync_rest.client import Client
from cgsync_rest.fields import field_of
from cgsync_rest.keys import Key, key_of
from cgsync_rest.loopguard import LoopGuard
from cgsync_rest.page import Page
from cgsync_rest.pagers import Pager, pager_of
from cgsync_rest.partitions import Partition, part_of
from cgsync_rest.rendering import Compile
from cgsync_rest.request import RequestForm
from cgsync_rest.selection import Selection
from cgsync_rest.stops import Stops
from cgsync_rest.turns import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Parents:
    """The request whose records are the partitions; it is read whole in each run."""

    form: RequestForm
    pager: Pager
    stops: Stops
    selection: Selection
    key: Key
    include: Sequence[str] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any], compile_: Compile, base: str) -> Self:
        request = options["request"]
        records = {"path": options["records"]} if "records" in options else {}
        return cls(
            form=RequestForm(request, compile_, base=base),
            pager=pager_of(request.get("paginate", {})),
            stops=Stops.of(request.get("paginate", {}), compile_),
            selection=Selection.of(records, compile_),
            key=key_of(options["key"], compile_),
            include=options.get("include"),
        )

    async def partitions(self, client: Client, now: str) -> AsyncGenerator[Partition, None]:
        guard, turn = LoopGuard(), self.pager.first()
        while True:
            variables: dict[str, Any] = {"page": turn.number, "now": now}
            asked = self.form.fill(variables, turn.addition)
            guard.ask(turn, asked)
            answer = await client.answer(asked)
            page = Page(answer=answer, nodes=[] if answer.passed_over else self.selection.nodes(answer.document))
            guard.read(turn, asked, page)
            for record in self.selection.records(page.nodes):
                yield self._partition(record)
            following = self._after(turn, page, {**variables, "response": answer.variables()})
            if following is None:
                return
            turn = following

    def _after(self, turn: Turn, page: Page, variables: Mapping[str, Any]) -> Turn | None:
        known = {**variables, "last_record": page.last_record}
        return None if self.stops.end(turn.number, page, self.pager, known) else self.pager.after(turn, page)

    def _partition(self, record: Mapping[str, Any]) -> Partition:
        try:
            key = self.key(record, {})
        except ValueError as error:
            raise SourceUnavailable(f"for_each: parent: {error}") from None
        included = None if self.include is None else {name: field_of(record, name) for name in self.include}
        return Partition(part=part_of(key), value=key, parent=record, included=included)


def listed(values: Sequence[Any]) -> list[Partition]:
    """The partitions that stand in the options."""
    return [Partition(part=part_of(value), value=value) for value in values]
