"""A person is forgotten while the daemon runs: nothing of them stays in its files, nothing of them is sent again."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.installation import Site, eventually, orders

ANNA = "Anna.Lindqvist@example.com"
HERS = ("sent", "waits", "refused")
UNKNOWN = {"message": "The given data was invalid.", "errors": {"account": ["is unknown"]}}


def line(number: str, *, company: str = "Acme", contact: str = ANNA, note: str = "a private matter") -> str:
    return f"{number},{company},{contact},Order,2026-03-04 10:00:00,{note},9.90,open\n"


def hers() -> str:
    """What is sent of her, waits, is refused, cannot be mapped, cannot be read, and names her in a text only."""
    mentioned = line("mentioned", contact="bob@example.com", note=f"on behalf of <{ANNA.lower()}>")
    return "".join(map(line, HERS)) + line("invalid", company="") + mentioned + f'torn,"{ANNA}"x,{"," * 40}\n'


def export() -> str:
    return orders(200) + hers()


def holding(folder: Path, *needles: str) -> dict[str, list[str]]:
    """The files below the folder in which one of these stands, in whatever case."""
    files = {path: path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()}
    found = {path.name: [needle for needle in needles if needle.lower().encode() in files[path]] for path in files}
    return {name: needles for name, needles in found.items() if needles}


def states(site: Site) -> dict[str, str]:
    listed = site.json("outbox", "list")
    return {each["reference"]: each["state"] for each in listed}


def troubled(site: Site) -> None:
    """Everything of others is delivered; hers is in every state there is."""
    site.sandbox.fault(
        {"kind": "status", "status": 422, "body": UNKNOWN, "reference": "order-refused"},
        {"kind": "status", "status": 503, "body": "", "reference": "order-waits"},
    )
    site.put("a.csv", export())
    eventually(lambda: states(site) == {"order-waits": "pending", "order-refused": "refused"})
    assert {each["kind"] for each in site.json("rejects", "list", "--each")} == {"invalid", "refused", "unreadable"}


def test_a_person_is_forgotten_while_the_daemon_runs(site: Site) -> None:
    site.running()
    troubled(site)
    state = site.folder / "state"
    words = (ANNA, "private matter", "order-sent", "order-waits", "order-refused", "order-mentioned")
    assert holding(state, ANNA)
    others = {name: each for name, each in site.sandbox.activities.items() if name[6:].isdigit()}
    backup = site.json("backup")["file"]

    foreseen = site.json("forget", ANNA, "--dry-run")
    assert foreseen["activities"] == {"delivered": 2, "pending": 1, "refused": 1}
    assert foreseen["rejects"] == 2
    assert states(site) == {"order-waits": "pending", "order-refused": "refused"}
    said = site.run("forget", ANNA.upper()).stdout
    assert "2" in said.partition("delivered activities")[2].splitlines()[0]
    assert "order-sent" in said
    assert backup in said
    Path(backup).unlink()
    assert holding(state, *words) == {}
    assert states(site) == {}

    site.sandbox.clear_faults()
    before = site.sandbox.stats["puts"]
    site.put("again.csv", export().replace("open", "closed"))
    eventually(lambda: site.sandbox.stats["puts"] >= before + 200)
    site.run("poll", "orders")
    assert {each["reference"] for each in site.sandbox.log()[before:]} == set(others)
    assert (states(site), site.json("rejects", "list")) == ({}, [])

    before = site.sandbox.stats["puts"]
    restarted(site)
    site.put(
        "new.csv",
        orders(1).replace("open", "closed") + line("new") + line("new-of-bob", contact="bob@example.com", note="fine"),
    )
    eventually(lambda: "order-new-of-bob" in site.sandbox.activities)
    assert [each["reference"] for each in site.sandbox.log()[before:]] == ["order-new-of-bob"]
    site.balances()
    assert holding(state, *words) == {}


def restarted(site: Site) -> None:
    site.processes[-1].terminate()
    assert site.processes[-1].wait(30) == 0
    site.running()
