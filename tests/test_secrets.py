import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from yarl import URL

from perdure.secrets import SecretMissing, Secrets

SECRETS = Secrets(
    {
        "PERDURE_SECRET_PLAIN": "open sesame",
        "PERDURE_SECRET_exact": "as written",
        "PERDURE_SECRET_MY_API_KEY": "key-1",
        "PERDURE_SECRET_OBJECT": (
            '{"username": "administrator", "password": "pa\\"ss\\nword", "pin": 12345, "n": ["deep-one"]}'
        ),
        "PERDURE_SECRET_QUOTED": '"quoted text"',
        "PERDURE_SECRET_DIGITS": "0123456",
        "PERDURE_SECRET_BRACE": "{not json",
        "PERDURE_SECRET_SHORT": "abc",
        "PERDURE_SECRET_LONGER": "open sesame seeds",
        "PERDURE_OTHER": "not a secret",
    }
)


@pytest.mark.parametrize(
    "name, value",
    [
        ("PLAIN", "open sesame"),
        ("plain", "open sesame"),
        ("exact", "as written"),
        ("my-api.key", "key-1"),
        ("QUOTED", "quoted text"),
        ("DIGITS", "0123456"),
        ("BRACE", "{not json"),
    ],
)
def test_get(name, value):
    assert SECRETS.get(name) == value


def test_an_object():
    assert SECRETS.get("object")["password"] == 'pa"ss\nword'


@pytest.mark.parametrize("name", ["other", "", "my-key"])
def test_missing(name):
    with pytest.raises(SecretMissing, match="expected the environment variable PERDURE_SECRET_"):
        SECRETS.get(name)


@pytest.mark.parametrize(
    "value, redacted",
    [
        ("say open sesame!", "say ***!"),
        ("open sesame seeds", "***"),
        ({"a": ["x", "key-1"], "key-1": 1}, {"a": ["x", "***"], "***": 1}),
        ('{"p": "pa\\"ss\\nword"}', '{"p": "***"}'),
        ("found " + repr('pa"ss\nword'), "found '***'"),
        ("a deep-one", "a ***"),
        ("abc", "abc"),
        ("the administrator", "the administrator"),
        ("not a secret", "not a secret"),
        (12345, 12345),
        (None, None),
    ],
)
def test_redact(value, redacted):
    assert SECRETS.redact(value) == redacted


TRICKY = 'to/ken+with "all" %&é'
TRICKED = Secrets({"PERDURE_SECRET_TRICKY": TRICKY, "PERDURE_SECRET_TINY": "abcd"})


@pytest.mark.parametrize(
    "text",
    [
        TRICKY,
        json.dumps(TRICKY)[1:-1],
        json.dumps(TRICKY, ensure_ascii=False)[1:-1],
        quote(TRICKY),
        quote(TRICKY, safe=""),
        quote_plus(TRICKY),
        quote_plus(TRICKY).lower(),
        str(URL("http://x/").with_query({"k": TRICKY})).partition("=")[2],
    ],
)
def test_spellings(text):
    assert TRICKED.redact_text(f"<{text}>") == "<***>"


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "a longer one:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_in_base64_wherever_it_begins(before, encode):
    encoded = encode(f"{before}{TRICKY} and more".encode()).decode()
    shown = TRICKED.redact_text(encoded)
    assert "***" in shown
    assert TRICKY[2:-2].encode() not in base64.b64decode(shown.partition("***")[0] + "==")
    assert len(shown) < len(encoded) - len(TRICKY)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("it said to/ken+wi…", "it said ***…"),
        ('string ("to/ken...) is no number', 'string ("***...) is no number'),
        ("to/ken+wi and no more", "to/ken+wi and no more"),
        ("to/…", "to/…"),
        ("to/ken… and to/ken+w...", "***… and ***..."),
        ("wait… abcd", "wait… ***"),
    ],
)
def test_what_was_cut_off(text, shown):
    assert TRICKED.redact_text(text) == shown


def test_short_secrets_are_not_looked_for_in_base64():
    assert TRICKED.redact_text(base64.b64encode(b"abcd").decode()) == "YWJjZA=="


def test_what_holds_no_secret_is_not_copied():
    value = {"a": [1, {"b": "text"}]}
    assert SECRETS.redact(value) is value
    assert Secrets({}).redact(value) is value
    assert Secrets({}).redact_text("text") == "text"
