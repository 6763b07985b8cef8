"""The page in a real browser: it shows what arrived, filters it, and trusts nothing of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from cgsync.sandbox import Sandbox
from cgsync.sandbox.page import compose
from tests import needs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_browser = needs.given(CHROMIUM, "chromium: apt-get install chromium")


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(locale="en-GB")
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(sandbox.page)
        yield page
        await browser.close()
        assert complaints == []


@pytest.fixture
async def filled(client: Any, activity: dict[str, Any]) -> Any:
    for number, (account, kind) in enumerate([("Acme", "Order"), ("Acme", "Call"), ("Müller & Söhne", "Call")]):
        words = {"reference": f"r-{number}", "account": account, "type": kind}
        information = {"subject": f"Subject {number}", "status": "open"}
        day = f"2025-0{number + 1}-15 10:00:00"
        await client.put({**activity, **words, "happened_at": day, "additional_information_object": information})
    return client


def rows(page: Page) -> Any:
    return page.locator(".row")


@in_browser
async def test_an_empty_sandbox_says_how_to_connect_and_fills_by_itself(
    page: Page, client: Any, activity: dict[str, Any]
) -> None:
    await expect(page.get_by_text("Waiting for the first activity")).to_be_visible()
    await expect(page.locator(".empty pre")).to_contain_text(client.sandbox.url)
    await client.put(activity)
    await expect(page.get_by_role("button", name="Two cups")).to_be_visible()


@in_browser
async def test_filters_narrow_the_timeline_and_stand_in_the_address(page: Page, filled: Any) -> None:
    await expect(rows(page)).to_have_count(3)
    await page.locator('[data-type="Call"]').click()
    await expect(rows(page)).to_have_count(2)
    await page.locator("#accounts").get_by_role("button", name="Acme").click()
    await expect(rows(page)).to_have_count(1)
    assert "account=Acme" in page.url
    assert "type=Call" in page.url
    await page.reload()
    await expect(rows(page)).to_have_count(1)
    await page.get_by_role("button", name="Clear").click()
    await expect(rows(page)).to_have_count(2)


@in_browser
async def test_text_and_months_filter_too(page: Page, filled: Any) -> None:
    await expect(rows(page)).to_have_count(3)
    await page.keyboard.press("/")
    await page.keyboard.type("subject 2")
    await expect(rows(page)).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Clear").click()
    await page.locator('[data-span="2025-02"]').click()
    await expect(rows(page)).to_have_count(1)
    await expect(page.locator("#from")).to_have_value("2025-02-01")
    await expect(page.locator("#to")).to_have_value("2025-02-28")


@in_browser
async def test_the_keyboard_opens_the_raw_body_and_closes_it(page: Page, filled: Any) -> None:
    await expect(rows(page)).to_have_count(3)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    raw = page.locator("#raw")
    await expect(raw).to_contain_text('"reference": "r-2"')
    [sent] = [each["body"] for each in await filled.get("activities") if each["reference"] == "r-2"]
    assert json.loads(await raw.inner_text()) == json.loads(sent)
    await page.get_by_role("button", name="exact bytes").click()
    await expect(raw).to_have_text(sent)
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()


@in_browser
async def test_every_put_is_listed_with_why_it_was_refused(page: Page, client: Any, activity: dict[str, Any]) -> None:
    await client.put(activity)
    await client.put({**activity, "type": ""})
    await page.get_by_role("button", name=re.compile("Every PUT")).click()
    await expect(page.locator(".entry")).to_have_count(2)
    await page.get_by_role("button", name="Not applied").click()
    await expect(page.locator(".entry")).to_have_count(1)
    await expect(page.locator(".entry")).to_contain_text("The type field is required.")


@in_browser
async def test_what_strangers_send_is_text_only(page: Page, client: Any, activity: dict[str, Any]) -> None:
    evil = "<img src=x onerror=document.title='pwned'></script><b>"
    information = {"subject": evil, evil: evil, "url": "javascript:document.title='pwned'"}
    words = {"reference": evil, "account": evil, "type": evil, "source": evil, "contact": evil}
    await client.put({**activity, **words, "additional_information_object": information})
    await rows(page).first.click()
    await expect(page.locator("#detail h3")).to_have_text(evil)
    assert await page.locator("img, #detail a, main b b").count() == 0
    assert "pwned" not in (await page.title()).replace(evil, "")


@in_browser
@pytest.mark.parametrize("width", [360, 800, 1100, 1600])
async def test_nothing_is_wider_than_the_window(page: Page, filled: Any, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await rows(page).first.click()
    await expect(page.locator("#raw")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(
        "document.getElementById('main').scrollWidth <= document.getElementById('main').clientWidth"
    )


@in_browser
async def test_the_theme_is_remembered(page: Page) -> None:
    before = await page.evaluate("document.documentElement.dataset.theme")
    await page.keyboard.press("t")
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") != before


def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    page = compose()
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in page.policy
    text = page.document.decode().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(|innerHTML|style=|\son\w+=""", text)


async def test_the_policy_is_sent(client: Any) -> None:
    async with client.session.get(client.sandbox.page) as answer:
        assert answer.headers["Content-Security-Policy"] == compose().policy
