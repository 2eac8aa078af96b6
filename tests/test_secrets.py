import pytest

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


def test_what_holds_no_secret_is_not_copied():
    value = {"a": [1, {"b": "text"}]}
    assert SECRETS.redact(value) is value
    assert Secrets({}).redact(value) is value
    assert Secrets({}).redact_text("text") == "text"
