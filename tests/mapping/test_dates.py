"""Points in time as strangers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cgsync.mapping.dates import api_time, read_time
from cgsync.mapping.values import Unfit

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from([ZoneInfo(name) for name in (
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata",
    "Africa/Casablanca", "Pacific/Apia",
)])  # fmt: skip
FIRST, LAST = datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2200-01-01")
MOMENTS = st.datetimes(FIRST, LAST).map(lambda each: each.replace(microsecond=0))


def utc(value: object, zone: ZoneInfo = BERLIN, form: str | None = None) -> str:
    return api_time(read_time(value, zone, form=form), "utc")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-01T10:00:00Z", "2024-05-01 10:00:00"),
        ("2024-05-01t10:00:00z", "2024-05-01 10:00:00"),
        ("2024-05-01T10:00:00.123Z", "2024-05-01 10:00:00"),
        ("2024-05-01T10:00:00.1234567+02:00", "2024-05-01 08:00:00"),
        ("2024-05-01T10:00+0200", "2024-05-01 08:00:00"),
        ("20240501T100000Z", "2024-05-01 10:00:00"),
        ("2024-05-01 10:00:00", "2024-05-01 08:00:00"),
        (" 2024-05-01 10:00:00 ", "2024-05-01 08:00:00"),
        ("2024-05-01", "2024-04-30 22:00:00"),
        ("2019-03-06 10:00:00 +0530", "2019-03-06 04:30:00"),
        ("2019-03-06 10:00:00 UTC", "2019-03-06 10:00:00"),
        ("Mon, 20 Nov 1995 19:12:08 -0500", "1995-11-21 00:12:08"),
        ("20 Nov 1995 19:12 GMT", "1995-11-20 19:12:00"),
        ("Mon,  20 Nov 95 19:12:08 EST (Eastern)", "1995-11-21 00:12:08"),
        ("Mon, 20 Nov 1995 19:12:08 -0000", "1995-11-20 19:12:08"),
        (1714557600, "2024-05-01 10:00:00"),
        (1714557600.9, "2024-05-01 10:00:00"),
        (1714557600123, "2024-05-01 10:00:00"),
        ("1714557600", "2024-05-01 10:00:00"),
        ("1714557600.000200", "2024-05-01 10:00:00"),
        ("1714557600123", "2024-05-01 10:00:00"),
        (datetime.fromisoformat("2024-05-01T10:00"), "2024-05-01 08:00:00"),
    ],
)
def test_what_is_understood(written: object, meant: str) -> None:
    assert utc(written) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("01/02/2024", "name its format"),
        ("yesterday", "name its format"),
        ("", "not a date"),
        ("20240501", "ambiguous"),
        (20240501, "ambiguous"),
        ("202405011030", "may be a date or milliseconds"),
        ("20240501103000", "ambiguous"),
        (0, "ambiguous"),
        (-1714557600, "ambiguous"),
        (True, "true or false"),
        (None, "null"),
        ([2024], "a list"),
        (float("nan"), "not a point in time"),
        (float("inf"), "not a point in time"),
        (10**400, "not a point in time"),
        ("2024-02-30", "day"),
        ("2024-13-01 10:00:00", "month"),
        ("2024-05-01 25:00:00", "hour"),
        ("2024-05-01x10:00:00", "name its format"),
        ("2024-05-01 10:00:00 CET", "name its format"),
        ("0000-00-00 00:00:00", "year"),
        ("0001-01-01T00:00:00", "know no date"),
        ("1900-01-01", "know no date"),
        ("Mon, 20 Foo 1995 19:12:08 GMT", "there is no month"),
        ("Mon, 20 Nov 1995 19:12:08 CET", "zone"),
        ("Mon, 31 Feb 1995 19:12:08 GMT", "day"),
        ("9999-12-31T23:59:59-12:00", "range"),
        ("2024-05-01" * 100, "not a date"),
        ("٢٠٢٤-٠٥-٠١", "name its format"),
    ],
)
def test_what_is_refused_and_why(written: object, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        read_time(written, BERLIN)


def test_an_hour_that_the_clock_skips_does_not_exist() -> None:
    with pytest.raises(Unfit, match="does not exist in Europe/Berlin"):
        utc("2024-03-31 02:30:00")


def test_an_hour_that_the_clock_repeats_exists_twice() -> None:
    with pytest.raises(Unfit, match="exists twice in Europe/Berlin"):
        utc("2024-10-27 02:30:00")


def test_a_whole_day_that_a_country_skipped_does_not_exist() -> None:
    with pytest.raises(Unfit, match="does not exist"):
        utc("2011-12-30 12:00:00", ZoneInfo("Pacific/Apia"))


def test_with_an_offset_no_hour_is_ambiguous() -> None:
    assert utc("2024-10-27T02:30:00+02:00") == "2024-10-27 00:30:00"
    assert utc("2024-10-27T02:30:00+01:00") == "2024-10-27 01:30:00"


@pytest.mark.parametrize(
    ("written", "form", "meant"),
    [
        ("01.05.2024 12:00", "%d.%m.%Y %H:%M", "2024-05-01 10:00:00"),
        (20240501, "%Y%m%d", "2024-04-30 22:00:00"),
        ("05/01/24 12:00 +0530", "%m/%d/%y %H:%M %z", "2024-05-01 06:30:00"),
        (1000, "epoch", "1970-01-01 00:16:40"),
        ("946684800000", "epoch_ms", "2000-01-01 00:00:00"),
        ("2024-05-01", "iso", "2024-04-30 22:00:00"),
        ("20 Nov 1995 19:12 GMT", "rfc5322", "1995-11-20 19:12:00"),
    ],
)
def test_a_format_that_is_named(written: object, form: str, meant: str) -> None:
    assert utc(written, form=form) == meant


@pytest.mark.parametrize(
    ("written", "form", "said"),
    [
        ("x", "%d.%m.%Y", "does not fit the format"),
        ("01.05. 12:00", "%d.%m. %H:%M", "know no date"),
        ("01.05.2024 CET", "%d.%m.%Y %Z", "%Z"),
        ("x", "epoch", "number of seconds"),
        (True, "epoch_ms", "number of milliseconds"),
        (float("nan"), "epoch", "number of seconds"),
        (None, "iso", "null"),
        ("1" * 65, "%Y", "not a date"),
    ],
)
def test_a_format_that_does_not_fit(written: object, form: str, said: str) -> None:
    with pytest.raises(Unfit, match=said):
        utc(written, form=form)


def test_the_api_gets_an_offset_when_asked_for() -> None:
    assert api_time(datetime(2024, 5, 1, 10, tzinfo=BERLIN), "offset") == "2024-05-01 08:00:00 +0000"


@given(MOMENTS, ZONES)
def test_a_local_time_is_read_back_exactly_or_refused_where_the_clock_is_set(local: datetime, zone: ZoneInfo) -> None:
    candidates = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {each for each in candidates if each.astimezone(zone).replace(tzinfo=None) == local}
    try:
        moment = read_time(local.isoformat(" "), zone)
    except Unfit:
        assert len(real) != 1
    else:
        assert real == {moment.astimezone(UTC)}


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_every_way_to_write_a_moment_means_that_moment(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    seconds = int(moment.timestamp())
    ways = [moment.isoformat(), moment.isoformat(" "), moment.strftime("%Y-%m-%d %H:%M:%S %z"), format_datetime(moment)]
    for written in (*ways, seconds, str(seconds)):
        assert read_time(written, BERLIN) == moment


@given(st.integers(10**11, 10**13 - 1))
def test_milliseconds_are_told_from_seconds(number: int) -> None:
    assert read_time(number, BERLIN) == datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=number)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers())), ZONES)
def test_whatever_comes_is_read_or_refused_in_words(value: object, zone: ZoneInfo) -> None:
    try:
        moment = read_time(value, zone)
    except Unfit:
        pass
    else:
        assert len(api_time(moment, "utc")) == 19


@given(MOMENTS)
def test_a_time_sent_is_a_time_that_would_be_read_alike(moment: datetime) -> None:
    assume(moment.year > 1975)
    assert read_time(api_time(moment.replace(tzinfo=UTC), "offset"), BERLIN) == moment.replace(tzinfo=UTC)
