"""Salesforce: SOQL, a token of the client credentials flow without an end, and a relative address of the next page."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Seen, moment, reply

VERSION = "/services/data/v62.0"


def case(number: int, created: str, changed: str, **more: Any) -> dict[str, Any]:
    return {
        "attributes": {"type": "Case", "url": f"{VERSION}/sobjects/Case/{number}"},
        "Id": f"500-{number}", "CaseNumber": f"0000{number}", "Subject": f"Question {number}", "Status": "New",
        "Priority": "Medium", "Origin": "Email", "Type": None, "CreatedDate": created, "SystemModstamp": changed,
        "ContactEmail": None, "SuppliedEmail": None, "SuppliedCompany": None, "Account": None, **more,
    }  # fmt: skip


def of_account(name: str) -> dict[str, Any]:
    return {"Account": {"attributes": {"type": "Account"}, "Name": name}}


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"salesforce-500-{number}", "account": account, "type": "Case", "source": "Salesforce",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "number": f"0000{number}", "status": status, "priority": "Medium",
            "channel": "Email", "url": f"URL/lightning/r/Case/500-{number}/view",
        },
        **more,
    }  # fmt: skip


class Salesforce(Api):
    preset = "salesforce-cases"
    listing = f"{VERSION}/query"
    wrong: ClassVar = {"client_secret": "wrong"}
    pause = 0
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "New", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "New"),
        activity(4, "Gamma AG", "2026-02-23 08:00:00", "New", contact="web@gamma.example"),
    ]
    rejected: ClassVar = {"500-3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Closed", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "New"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        acme, beta, ann = of_account("Acme Ltd"), of_account("Beta GmbH"), {"ContactEmail": "ann@acme.example"}
        by_mail = {"SuppliedEmail": "web@gamma.example", "SuppliedCompany": "Gamma AG"}
        self.cases = [
            case(1, "2026-02-20T08:00:00.000+0000", "2026-02-20T09:00:00.000+0000", **acme, **ann),
            case(2, "2026-02-21T08:00:00.000+0000", "2026-02-22T09:00:00.000+0000", **beta),
            case(3, "2026-02-22T08:00:00.000+0000", "2026-02-23T09:00:00.000+0000", **ann),
            case(4, "2026-02-23T08:00:00.000+0000", "2026-02-24T09:00:00.000+0000", **by_mail),
        ]

    def edit(self) -> None:
        nine = "2026-03-04T09:00:00.000+0000"
        self.cases[0] |= {"Status": "Closed", "SystemModstamp": nine}
        self.cases.append(case(5, "2026-03-04T08:30:00.000+0000", nine, **of_account("Beta GmbH")))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "client_id": "consumer", "client_secret": SECRET}

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

    def _token(self, form: Any) -> web.Response:
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

    def _since(self, since: float) -> list[dict[str, Any]]:
        found = [each for each in self.cases if moment(each["SystemModstamp"]).timestamp() >= since]
        return sorted(found, key=lambda each: (each["SystemModstamp"], each["Id"]))

    def _part(self, since: float, start: int) -> web.Response:
        found = self._since(since)
        page = self.page(found, start, PAGE)
        more = {"nextRecordsUrl": f"{self.listing}/01g-{since}-{start + PAGE}"} if start + PAGE < len(found) else {}
        return reply({"totalSize": len(found), "done": not more, **more, "records": page})
