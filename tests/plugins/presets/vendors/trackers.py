"""GitHub and GitLab: issues of several repositories, each a list of its own; a Link header leads on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from aiohttp import web

from tests.plugins.presets.api import Api
from tests.plugins.presets.story import ACME, NEWS, STORY, Case
from tests.plugins.presets.wire import SECRET, Json, Seen, moment, reply


class Tracker(Api):
    """The first issue is of one repository, the others of another, and have two pages. All are of one account."""

    news = replace(NEWS, account=ACME)
    clock = "updated_at"
    edited: ClassVar = {"state": "closed"}
    edited_details: ClassVar = {"status": "closed"}
    rejected: ClassVar = {}
    small: ClassVar = {"params": {"per_page": 2}}
    lists: ClassVar[Sequence[str]]
    """the paths of both repositories' issues"""
    start: ClassVar[str]
    """the parameter that takes the position"""

    @property
    def pages(self) -> list[Seen]:
        return [each for each in self.seen if each.path.endswith("/issues")]

    def answer(self, seen: Seen) -> web.Response:
        first, changed = self.lists.index(seen.path) == 0, self.since(moment(seen.query[self.start]))
        found = [each for each in changed if (each is self.records[0]) == first]
        return self.numbered_page(seen, found)


class GitHub(Tracker):
    preset = "github"
    listing = "/repos/acme/app/issues"
    lists = ("/repos/acme/tools/issues", listing)
    options: ClassVar = {"token": SECRET, "repositories": ["acme/tools", "acme/app"], "account": "Acme Ltd"}
    story = (replace(STORY[0], contact=""), replace(STORY[1], account=""), STORY[2], replace(STORY[3], contact=""))
    start = "since"
    prefix = "github-900"
    kind = ("Issue", "GitHub")

    def record(self, case: Case) -> Json:
        """What has no account in the story is a pull request."""
        pull = {"pull_request": {"url": f"https://api.github.example/repos/acme/app/pulls/{case.number}"}}
        return {
            "id": 9000 + case.number, "number": case.number, "title": case.title, "state": _state(case, "open"),
            "user": {"login": "ann"}, "labels": [{"name": "bug"}, {"name": "urgent"}],
            "created_at": f"{case.begun}Z", "updated_at": f"{case.changed}Z",
            "html_url": f"https://github.example/acme/app/issues/{case.number}", **({} if case.account else pull),
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "number": case.number, "status": _state(case, "open"), "labels": "bug, urgent",
            "opened_by": "ann", "url": f"https://github.example/acme/app/issues/{case.number}",
        }  # fmt: skip

    def limit(self) -> web.Response:
        """The primary limit is a 403; when it ends is said by the server's own clock."""
        headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": self.reset}
        return reply({"message": "API rate limit exceeded for user ID 1."}, status=403, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        assert (seen.query["state"], seen.query["sort"], seen.query["direction"]) == ("all", "updated", "asc")
        return super().answer(seen)


class GitLab(Tracker):
    preset = "gitlab"
    listing = "/api/v4/projects/41/issues"
    lists = ("/api/v4/projects/40/issues", listing)
    options: ClassVar = {"token": SECRET, "projects": [40, 41], "account": "Acme Ltd"}
    credential = ("PRIVATE-TOKEN", SECRET)
    story = (STORY[0], *(replace(case, account=ACME, contact="") for case in STORY[1:]))
    start = "updated_after"
    prefix = "gitlab-700"
    kind = ("Issue", "GitLab")

    def record(self, case: Case) -> Json:
        return {
            "id": 7000 + case.number, "iid": case.number, "project_id": 41, "title": case.title,
            "state": _state(case, "opened"), "labels": ["bug", "urgent"], "author": {"username": "support-bot"},
            "service_desk_reply_to": case.contact or None, "references": {"full": f"acme/app#{case.number}"},
            "created_at": f"{case.begun}.000Z", "updated_at": f"{case.changed}.000Z",
            "web_url": f"https://gitlab.example/acme/app/-/issues/{case.number}",
        }  # fmt: skip

    def details(self, case: Case) -> Json:
        return {
            "subject": case.title, "number": f"acme/app#{case.number}", "status": _state(case, "opened"),
            "labels": "bug, urgent", "opened_by": "support-bot",
            "url": f"https://gitlab.example/acme/app/-/issues/{case.number}",
        }  # fmt: skip

    def limit(self) -> web.Response:
        headers = {
            "Retry-After": "7", "RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": self.reset,
        }  # fmt: skip
        return web.Response(status=429, text="Retry later\n", headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        assert (seen.query["scope"], seen.query["order_by"], seen.query["sort"]) == ("all", "updated_at", "asc")
        return super().answer(seen)


def _state(case: Case, usual: str) -> str:
    return "closed" if case.number == 4 else usual
