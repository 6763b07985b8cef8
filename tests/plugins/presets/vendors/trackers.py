"""GitHub and GitLab: issues of several repositories, each a list of its own; a Link header leads on."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from aiohttp import web

from tests.plugins.presets.api import SECRET, Api, Json, Seen, moment, reply


class Tracker(Api):
    """Issues by repository, the last of which has two pages."""

    wrong: ClassVar = {"token": "wrong"}
    rejected: ClassVar = {}
    small: ClassVar = {"params": {"per_page": 2}}
    since: ClassVar[str]
    """the parameter that takes the position"""
    issues: dict[str, list[Json]]

    @property
    def pages(self) -> list[Seen]:
        return [each for each in self.seen if each.path.endswith("/issues")]

    def answer(self, seen: Seen) -> web.Response:
        query = seen.query
        found = [each for each in self.issues[seen.path] if moment(each["updated_at"]) >= moment(query[self.since])]
        found.sort(key=lambda each: (each["updated_at"], each["id"]))
        size, number = int(query["per_page"]), int(query.get("page", 1))
        links = {}
        if number * size < len(found):
            rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
            links = {"Link": f'<{self.url}{seen.path}?{rest}&page={number + 1}>; rel="next", <{self.url}>; rel="first"'}
        return reply(self.page(found, (number - 1) * size, size), headers=links)


def github_issue(number: int, created: str, updated: str, **more: Any) -> Json:
    return {
        "id": 9000 + number, "number": number, "title": f"Question {number}", "state": "open",
        "user": {"login": "ann"}, "labels": [{"name": "bug"}, {"name": "urgent"}],
        "created_at": created, "updated_at": updated, "html_url": f"https://github.example/acme/app/issues/{number}",
        **more,
    }  # fmt: skip


def github_activity(number: int, happened_at: str, status: str) -> Json:
    return {
        "reference": f"github-{9000 + number}", "account": "Acme Ltd", "type": "Issue", "source": "GitHub",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "number": number, "status": status, "labels": "bug, urgent",
            "opened_by": "ann", "url": f"https://github.example/acme/app/issues/{number}",
        },
    }  # fmt: skip


class GitHub(Tracker):
    preset = "github"
    listing = "/repos/acme/app/issues"
    since = "since"
    first: ClassVar = [
        github_activity(1, "2026-02-20 08:00:00", "open"),
        github_activity(4, "2026-02-23 08:00:00", "closed"),
    ]
    then: ClassVar = [
        github_activity(1, "2026-02-20 08:00:00", "closed"),
        github_activity(5, "2026-03-04 08:30:00", "open"),
    ]

    def __init__(self) -> None:
        super().__init__()
        pull = {"pull_request": {"url": "https://api.github.example/repos/acme/app/pulls/2"}}
        self.issues = {
            "/repos/acme/tools/issues": [github_issue(1, "2026-02-20T08:00:00Z", "2026-02-20T09:00:00Z")],
            "/repos/acme/app/issues": [
                github_issue(2, "2026-02-21T08:00:00Z", "2026-02-22T09:00:00Z", **pull),
                github_issue(3, "2026-02-22T08:00:00Z", "2026-02-23T09:00:00Z", **pull),
                github_issue(4, "2026-02-23T08:00:00Z", "2026-02-24T09:00:00Z", state="closed"),
            ],
        }

    def edit(self) -> None:
        self.issues["/repos/acme/tools/issues"][0] |= {"state": "closed", "updated_at": "2026-03-04T09:00:00Z"}
        self.issues[self.listing].append(github_issue(5, "2026-03-04T08:30:00Z", "2026-03-04T09:00:00Z"))

    def given(self) -> dict[str, Any]:
        repositories = ["acme/tools", "acme/app"]
        return {"url": self.url, "token": SECRET, "repositories": repositories, "account": "Acme Ltd"}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers["Authorization"] == f"Bearer {SECRET}"

    def limit(self) -> web.Response:
        """The primary limit is a 403; when it ends is said by the server's own clock."""
        reset = str(int(time.time()) + self.pause + 1)
        headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return reply({"message": "API rate limit exceeded for user ID 1."}, status=403, headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        assert (seen.query["state"], seen.query["sort"], seen.query["direction"]) == ("all", "updated", "asc")
        return super().answer(seen)


def gitlab_issue(number: int, created: str, updated: str, reply_to: str | None, **more: Any) -> Json:
    return {
        "id": 7000 + number, "iid": number, "project_id": 41, "title": f"Question {number}", "state": "opened",
        "labels": ["bug", "urgent"], "author": {"username": "support-bot"}, "service_desk_reply_to": reply_to,
        "created_at": created, "updated_at": updated, "references": {"full": f"acme/app#{number}"},
        "web_url": f"https://gitlab.example/acme/app/-/issues/{number}", **more,
    }  # fmt: skip


def gitlab_activity(number: int, happened_at: str, status: str, **more: Any) -> Json:
    return {
        "reference": f"gitlab-{7000 + number}", "account": "Acme Ltd", "type": "Issue", "source": "GitLab",
        "happened_at": happened_at,
        "additional_information_object": {
            "subject": f"Question {number}", "number": f"acme/app#{number}", "status": status, "labels": "bug, urgent",
            "opened_by": "support-bot", "url": f"https://gitlab.example/acme/app/-/issues/{number}",
        },
        **more,
    }  # fmt: skip


class GitLab(Tracker):
    preset = "gitlab"
    listing = "/api/v4/projects/41/issues"
    since = "updated_after"
    first: ClassVar = [
        gitlab_activity(1, "2026-02-20 08:00:00", "opened", contact="ann@acme.example"),
        gitlab_activity(2, "2026-02-21 08:00:00", "opened"),
        gitlab_activity(3, "2026-02-22 08:00:00", "opened"),
        gitlab_activity(4, "2026-02-23 08:00:00", "closed"),
    ]
    then: ClassVar = [
        gitlab_activity(1, "2026-02-20 08:00:00", "closed", contact="ann@acme.example"),
        gitlab_activity(5, "2026-03-04 08:30:00", "opened"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.issues = {
            "/api/v4/projects/40/issues": [
                gitlab_issue(1, "2026-02-20T08:00:00.000Z", "2026-02-20T09:00:00.000Z", "ann@acme.example")
            ],
            "/api/v4/projects/41/issues": [
                gitlab_issue(2, "2026-02-21T08:00:00.000Z", "2026-02-22T09:00:00.000Z", None),
                gitlab_issue(3, "2026-02-22T08:00:00.000Z", "2026-02-23T09:00:00.000Z", None),
                gitlab_issue(4, "2026-02-23T08:00:00.000Z", "2026-02-24T09:00:00.000Z", None, state="closed"),
            ],
        }

    def edit(self) -> None:
        self.issues["/api/v4/projects/40/issues"][0] |= {"state": "closed", "updated_at": "2026-03-04T09:00:00.000Z"}
        self.issues[self.listing].append(gitlab_issue(5, "2026-03-04T08:30:00.000Z", "2026-03-04T09:00:00.000Z", None))

    def given(self) -> dict[str, Any]:
        return {"url": self.url, "token": SECRET, "projects": [40, 41], "account": "Acme Ltd"}

    def allowed(self, seen: Seen) -> bool:
        return seen.headers.get("PRIVATE-TOKEN") == SECRET

    def limit(self) -> web.Response:
        reset = str(int(time.time()) + self.pause)
        headers = {"Retry-After": "7", "RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
        return web.Response(status=429, text="Retry later\n", headers=headers)

    def answer(self, seen: Seen) -> web.Response:
        assert (seen.query["scope"], seen.query["order_by"], seen.query["sort"]) == ("all", "updated_at", "asc")
        return super().answer(seen)
