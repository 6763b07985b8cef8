"""A secret that is looked for afterwards in everything that was written: outputs, logs, and the state folder."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.installation import Site, eventually, orders

CANARY = "canary-7f3e9b-yellow"

COMMANDS = (
    ("check",),
    ("check", "--online"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("status",),
    ("status", "--json"),
    ("preview", "orders"),
    ("rejects", "list"),
    ("explain", "order-1"),
    ("audit",),
    ("reload",),
)


def write(site: Site, *, broken: str = "") -> None:
    text = site.config.read_text().replace("client_secret: sandbox", f"client_secret: {CANARY}{broken}")
    site.config.write_text(text)


def test_no_output_no_log_and_no_file_holds_the_secret(site: Site) -> None:
    write(site)  # the sandbox refuses it, so that the error paths speak too
    site.put("a.csv", orders(5))
    said = []
    site.start()
    eventually(lambda: "sending is paused" in site.said())
    for command in COMMANDS:
        ended = site.run(*command, check=None)
        said.append(f"{command}: {ended.stdout}{ended.stderr}")
    write(site)
    site.config.write_text(site.config.read_text() + "  oops: 1\n")
    ended = site.run("check", check=78)
    said.append(ended.stdout + ended.stderr)
    assert CANARY not in "\n".join(said)
    assert CANARY not in site.said()
    for file in everything_in(site.folder):
        assert CANARY.encode() not in file.read_bytes(), file


def everything_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and file.name != "cgsync.yaml"]


def test_a_secret_from_a_file_is_masked_where_it_turns_up(site: Site) -> None:
    secret = site.folder / "secret"
    secret.write_text(CANARY)
    secret.chmod(0o600)
    site.config.write_text(site.config.read_text().replace("client_id: sandbox", f"client_id: ${{file:{secret}}}"))
    site.put("a.csv", orders(2))
    site.start()
    eventually(lambda: "sending is paused" in site.said())
    shown = site.run("config", "show").stdout + site.run("status").stdout + site.said()
    assert CANARY not in shown
