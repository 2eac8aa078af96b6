"""What PERDURE_CALL_LIMITS says, and which host has which limit."""

import pytest

from perdure.limits import CallLimits, Limit

TEXT = (
    "api.example.com=10/s,5; *.slow.example = 100/m ;10.0.0.5:8080=,2;*.very.slow.example=1/h;"
    "api.example.com:8443=,1; [2001:db8::1]:80=2/s; 2001:db8::2=3/s; bücher.example=0.5/s;"
)


@pytest.mark.parametrize(
    ("host", "port", "name", "limit"),
    [
        ("api.example.com", 443, "api.example.com", Limit(10, 5)),
        ("API.example.COM.", 80, "api.example.com", Limit(10, 5)),
        ("api.example.com", 8443, "api.example.com:8443", Limit(None, 1)),
        ("a.slow.example", 80, "a.slow.example", Limit(100 / 60)),
        ("b.a.slow.example", 80, "b.a.slow.example", Limit(100 / 60)),
        ("b.very.slow.example", 80, "b.very.slow.example", Limit(1 / 3600)),
        ("10.0.0.5", 8080, "10.0.0.5:8080", Limit(None, 2)),
        ("2001:DB8:0::1", 80, "[2001:db8::1]:80", Limit(2)),
        ("2001:db8::2", 81, "[2001:db8::2]", Limit(3)),
        ("xn--bcher-kva.example", 80, "xn--bcher-kva.example", Limit(0.5)),
    ],
)
def test_the_most_specific_entry_decides(host: str, port: int, name: str, limit: Limit) -> None:
    assert CallLimits(TEXT).of(host, port) == (name, limit)


@pytest.mark.parametrize(("host", "port"), [("example.com", 80), ("slow.example", 80), ("10.0.0.5", 80), ("::1", 80)])
def test_other_hosts_have_none(host: str, port: int) -> None:
    assert CallLimits(TEXT).of(host, port) is None
    assert CallLimits("").of(host, port) is None


@pytest.mark.parametrize("host", ["a" * 254, ".".join(["a" * 60] * 5), "a\0b", "a b", "", "\ud800", "a..b", "x/y"])
def test_what_is_no_host_has_none(host: str) -> None:
    assert CallLimits("*=1/s").of(host, 80) is None


def test_zones_of_addresses_are_no_part_of_the_name() -> None:
    assert CallLimits("*=1/s").of("fe80::1%\0", 80) == ("[fe80::1]", Limit(1))


def test_a_star_is_for_all_others_each_by_itself() -> None:
    limits = CallLimits("*=5/s; *:81=,3; a.example=1/s")
    assert limits.of("a.example", 81) == ("a.example", Limit(1))
    assert limits.of("b.example", 80) == ("b.example", Limit(5))
    assert limits.of("b.example", 81) == ("b.example:81", Limit(None, 3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api.example.com", "no `=`"),
        ("a.example=", "neither a rate nor a concurrency"),
        ("a.example=,", "neither a rate nor a concurrency"),
        ("a.example=10", "a rate is a number above 0 per s, m or h; found '10'"),
        ("a.example=0/s", "above 0"),
        ("a.example=-1/s", "above 0"),
        ("a.example=10/d", "per s, m or h"),
        ("a.example=1/s,0", "a whole number from 1 to 10000; found '0'"),
        ("a.example=1/s,2.5", "found '2.5'"),
        ("a.example=1/s,1,1", "found '1,1'"),
        ("a.example:0=1/s", "a port"),
        ("a.example:=1/s", "a port"),
        ("a.example:70000=1/s", "found '70000'"),
        ("http://a.example=1/s", "a port"),
        ("a example=1/s", "'a example' is no host"),
        ("*a.example=1/s", "is no host"),
        ("=1/s", "is no host"),
        ("*.=1/s", "is no host"),
        ("a.example=1/s; A.EXAMPLE=2/s", "a.example has two limits"),
        ("a.example=1/s; b.example=x", "'b.example=x' can't be understood"),
        (";".join(f"a{i}.example=1/s" for i in range(1001)), "up to 1000 entries; found 1001"),
    ],
)
def test_what_can_not_be_understood_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"PERDURE_CALL_LIMITS") as error:
        CallLimits(text)
    assert said in str(error.value)
