"""Dynamics 365: OData with an address of the next page, labels beside codes, and a token of Microsoft Entra."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import PAGE, SECRET, Api, Seen, moment, reply

LABEL = "@OData.Community.Display.V1.FormattedValue"


def case(number: int, created: str, changed: str, **more: Any) -> dict[str, Any]:
    return {
        "@odata.etag": 'W/"1"', "incidentid": f"id-{number}", "ticketnumber": f"CAS-{number}",
        "title": f"Question {number}", "statuscode": 1, f"statuscode{LABEL}": "In Progress", "prioritycode": 2,
        f"prioritycode{LABEL}": "Normal", "caseorigincode": 2, f"caseorigincode{LABEL}": "Email",
        "createdon": created, "modifiedon": changed, "customerid_account": None, "customerid_contact": None,
        "primarycontactid": None, **more,
    }  # fmt: skip


def activity(number: int, account: str, happened_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "reference": f"dynamics-id-{number}", "account": account, "type": "Case", "source": "Dynamics 365",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "number": f"CAS-{number}", "status": status, "priority": "Normal",
            "channel": "Email", "url": f"URL/main.aspx?pagetype=entityrecord&etn=incident&id=id-{number}",
        },
        **more,
    }  # fmt: skip


ACME, BETA = {"customerid_account": {"name": "Acme Ltd"}}, {"customerid_account": {"name": "Beta GmbH"}}
ANN = {"primarycontactid": {"emailaddress1": "ann@acme.example"}}
PRIVATE = {"customerid_contact": {"emailaddress1": "eve@nowhere.example"}}


class Dynamics(Api):
    preset = "dynamics365-cases"
    listing = "/api/data/v9.2/incidents"
    wrong: ClassVar = {"client_secret": "wrong"}
    first: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "In Progress", contact="ann@acme.example"),
        activity(2, "Beta GmbH", "2026-02-21 08:00:00", "In Progress"),
        activity(4, "Acme Ltd", "2026-02-23 08:00:00", "In Progress", contact="ann@acme.example"),
    ]
    rejected: ClassVar = {"id-3": "account"}
    then: ClassVar = [
        activity(1, "Acme Ltd", "2026-02-20 08:00:00", "Problem Solved", contact="ann@acme.example"),
        activity(5, "Beta GmbH", "2026-03-04 08:30:00", "In Progress"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.cases = [
            case(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z", **ACME, **ANN),
            case(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", **BETA),
            case(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", **PRIVATE),
            case(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", **ACME, **ANN),
        ]

    def edit(self) -> None:
        nine = "2026-03-04T09:00:00Z"
        self.cases[0] |= {"statuscode": 5, f"statuscode{LABEL}": "Problem Solved", "modifiedon": nine}
        self.cases.append(case(5, "2026-03-04T08:30:00Z", nine, **BETA))

    def given(self) -> dict[str, Any]:
        return {
            "url": self.url, "login": self.url, "tenant": "tenant-1", "client_id": "app", "client_secret": SECRET,
        }  # fmt: skip

    def allowed(self, seen: Seen) -> bool:
        return seen.path == "/tenant-1/oauth2/v2.0/token" or seen.headers["Authorization"] == "Bearer token-1"

    def limit(self) -> web.Response:
        words = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000"}}
        headers = {"Retry-After": "7", "x-ms-ratelimit-burst-remaining-xrm-requests": "0"}
        return reply(words, status=429, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        if seen.path != self.listing:
            return self._token(seen.body)
        query, prefer = seen.query, seen.headers["Prefer"]
        assert "odata.maxpagesize=500" in prefer
        assert 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"' in prefer
        assert query["$orderby"] == "modifiedon asc"
        assert {"incidentid", "modifiedon"} <= set(query["$select"].split(","))
        asked = re.fullmatch(r"modifiedon ge (\S+Z)", query["$filter"])
        assert asked, query["$filter"]
        found = [each for each in self.cases if moment(each["modifiedon"]) >= moment(asked[1])]
        found.sort(key=lambda each: (each["modifiedon"], each["incidentid"]))
        return self._part(found, seen)

    def _part(self, found: list[dict[str, Any]], seen: Seen) -> web.Response:
        start = int(seen.query.get("$skiptoken", 0))
        more = {}
        if start + PAGE < len(found):
            rest = "&".join(f"{key}={value}" for key, value in seen.query.items() if key != "$skiptoken")
            more = {"@odata.nextLink": f"{self.url}{seen.path}?{rest}&$skiptoken={start + PAGE}".replace(" ", "%20")}
        return reply({"@odata.context": "…", "value": self.page(found, start, PAGE), **more})

    def _token(self, form: Any) -> web.Response:
        if (form["client_id"], form["client_secret"]) != ("app", SECRET):
            return reply({"error": "invalid_client", "error_description": "AADSTS7000215"}, status=401)
        assert (form["grant_type"], form["scope"]) == ("client_credentials", f"{self.url}/.default")
        return reply({"token_type": "Bearer", "expires_in": 3599, "access_token": "token-1"})
