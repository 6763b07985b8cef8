"""Dynamics 365: OData with an address of the next page, labels beside codes, and a token of Microsoft Entra."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import Case
from tests.plugins.presets.wire import PAGE, SECRET, Json, Seen, moment, reply

LABEL = "@OData.Community.Display.V1.FormattedValue"
PRIVATE = {"customerid_contact": {"emailaddress1": "eve@nowhere.example"}}


class Dynamics(Api):
    preset = "dynamics365-cases"
    listing = "/api/data/v9.2/incidents"
    options: ClassVar = {"tenant": "tenant-1", "client_id": "app", "client_secret": SECRET}
    credential = ("Authorization", "Bearer token-1")
    clock = "modifiedon"
    edited: ClassVar = {"statuscode": 5, f"statuscode{LABEL}": "Problem Solved"}
    prefix = "dynamics-id-"
    kind = ("Case", "Dynamics 365")
    edited_details: ClassVar = {"status": "Problem Solved"}
    rejected: ClassVar = {"id-3": "account"}

    def record(self, case: Case) -> Json:
        return {
            "@odata.etag": 'W/"1"', "incidentid": f"id-{case.number}", "ticketnumber": f"CAS-{case.number}",
            "title": case.title, "statuscode": 1, f"statuscode{LABEL}": "In Progress", "prioritycode": 2,
            f"prioritycode{LABEL}": "Normal", "caseorigincode": 2, f"caseorigincode{LABEL}": "Email",
            "createdon": f"{case.begun}Z", "modifiedon": f"{case.changed}Z", "customerid_contact": None,
            "customerid_account": {"name": case.account} if case.account else None,
            "primarycontactid": {"emailaddress1": case.contact} if case.contact else None,
            **({} if case.account else PRIVATE),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "number": f"CAS-{case.number}", "status": "In Progress", "priority": "Normal",
            "channel": "Email", "url": f"URL/main.aspx?pagetype=entityrecord&etn=incident&id=id-{case.number}",
        }  # fmt: skip

    @property
    def given(self) -> Mapping[str, Json]:
        return {**super().given, "login": self.url}

    def allowed(self, seen: Seen) -> bool:
        return seen.path == "/tenant-1/oauth2/v2.0/token" or super().allowed(seen)

    def limit(self) -> web.Response:
        words = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000"}}
        return self.too_many(words, **{"x-ms-ratelimit-burst-remaining-xrm-requests": "0"})

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
        page, following = self.page(self.since(moment(asked[1])), int(query.get("$skiptoken", 0)), PAGE)
        more = {"@odata.nextLink": self.address(seen, **{"$skiptoken": following})} if following else {}
        return reply({"@odata.context": "…", "value": page, **more})

    def _token(self, form: Json) -> web.Response:
        if (form["client_id"], form["client_secret"]) != ("app", SECRET):
            return reply({"error": "invalid_client", "error_description": "AADSTS7000215"}, status=401)
        assert (form["grant_type"], form["scope"]) == ("client_credentials", f"{self.url}/.default")
        return reply({"token_type": "Bearer", "expires_in": 3599, "access_token": "token-1"})
