"""Salesforce: SOQL, a token of the client credentials flow without an end, and a relative address of the next page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import STORY, Case
from tests.plugins.presets.wire import PAGE, SECRET, Json, Seen, moment, reply

VERSION = "/services/data/v62.0"
BY_MAIL = replace(STORY[3], account="Gamma AG", contact="web@gamma.example")


class Salesforce(Api):
    preset = "salesforce-cases"
    listing = f"{VERSION}/query"
    options: ClassVar = {"client_id": "consumer", "client_secret": SECRET}
    story = (*STORY[:3], BY_MAIL)
    clock = "SystemModstamp"
    edited: ClassVar = {"Status": "Closed"}
    prefix = "salesforce-500-"
    kind = ("Case", "Salesforce")
    rejected: ClassVar = {"500-3": "account"}
    pause = 0

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0

    def record(self, case: Case) -> Json:
        by_mail = case == BY_MAIL
        account = {"attributes": {"type": "Account"}, "Name": case.account}
        return {
            "attributes": {"type": "Case", "url": f"{VERSION}/sobjects/Case/{case.number}"},
            "Id": f"500-{case.number}", "CaseNumber": f"0000{case.number}", "Subject": case.title, "Status": "New",
            "Priority": "Medium", "Origin": "Email", "Type": None, "CreatedDate": f"{case.begun}.000+0000",
            "SystemModstamp": f"{case.changed}.000+0000", "ContactEmail": None if by_mail else case.contact or None,
            "SuppliedEmail": case.contact if by_mail else None, "SuppliedCompany": case.account if by_mail else None,
            "Account": account if case.account and not by_mail else None,
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "number": f"0000{case.number}", "status": "New", "priority": "Medium",
            "channel": "Email", "url": f"URL/lightning/r/Case/500-{case.number}/view",
        }  # fmt: skip

    def allowed(self, seen: Seen) -> bool:
        if seen.path == "/services/oauth2/token":
            return True  # it judges by itself
        return seen.headers["Authorization"] == f"Bearer token-{self.tokens}"

    def limit(self) -> web.Response:
        words = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        return reply(words, status=403, headers={"Sforce-Limit-Info": "api-usage=5000/5000"})

    def answer(self, seen: Seen) -> web.Response:
        if seen.path == "/services/oauth2/token":
            return self._token(seen.body)
        if seen.path == self.listing:
            return self._part(self._asked(seen.query["q"]), 0)
        assert not seen.query, "the address of the next page is whole"
        since, _, start = seen.path.removeprefix(f"{self.listing}/01g-").partition("-")
        return self._part(float(since), int(start))

    def _token(self, form: Json) -> web.Response:
        if (form["client_id"], form["client_secret"]) != ("consumer", SECRET):
            return reply({"error": "invalid_client", "error_description": "invalid client credentials"}, status=401)
        assert form["grant_type"] == "client_credentials"
        self.tokens += 1
        return reply({"access_token": f"token-{self.tokens}", "instance_url": self.url, "token_type": "Bearer"})

    def _asked(self, query: str) -> float:
        matched = re.fullmatch(
            r"SELECT [\w, .]+ FROM Case WHERE SystemModstamp >= (\S+Z) ORDER BY SystemModstamp ASC, Id ASC", query
        )
        assert matched, query
        return moment(matched[1]).timestamp()

    def _part(self, since: float, start: int) -> web.Response:
        found = self.since(datetime.fromtimestamp(since, UTC))
        page, following = self.page(found, start, PAGE)
        more = {"nextRecordsUrl": f"{self.listing}/01g-{since}-{following}"} if following else {}
        return reply({"totalSize": len(found), "done": not more, **more, "records": page})
