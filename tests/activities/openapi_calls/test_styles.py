"""Parameters as text, by the table "Style Values" of OpenAPI 3.1.1 and the collection formats of Swagger 2.0."""

import pytest

from perdure.activities.openapi.model import Style
from perdure.activities.openapi.styles import in_cookie, in_header, in_path, in_query

EMPTY, STRING, ARRAY = "", "blue", ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}
NOTHING = ""

PATHS = [
    # style, explode, empty, string, array, object
    ("matrix", False, ";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
    ("matrix", True, ";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
    ("label", False, ".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
    ("label", True, ".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
    ("simple", False, "", "blue", "blue,black,brown", "R,100,G,200,B,150"),
    ("simple", True, "", "blue", "blue,black,brown", "R=100,G=200,B=150"),
]
QUERIES = [
    ("form", False, "color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
    ("form", True, "color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
    ("spaceDelimited", False, None, None, "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"),
    ("spaceDelimited", True, None, None, "color=blue&color=black&color=brown", None),
    ("pipeDelimited", False, None, None, "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"),
    ("pipeDelimited", True, None, None, "color=blue&color=black&color=brown", None),
    ("tabDelimited", False, None, None, "color=blue%09black%09brown", None),
    ("deepObject", True, None, None, None, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
]


def rows(table):
    for style, explode, *texts in table:
        for value, text in zip((EMPTY, STRING, ARRAY, OBJECT), texts, strict=True):
            if text is not None:
                yield pytest.param(Style(style, explode), value, text, id=f"{style}-{explode}-{text}")


@pytest.mark.parametrize("style, value, text", list(rows(PATHS)))
def test_paths(style, value, text):
    assert in_path("color", value, style) == text


@pytest.mark.parametrize("style, value, text", list(rows(QUERIES)))
def test_queries(style, value, text):
    assert in_query("color", value, style) == text


@pytest.mark.parametrize("explode, text", [(False, "R,100,G,200,B,150"), (True, "R=100,G=200,B=150")])
def test_headers(explode, text):
    assert in_header(OBJECT, Style("simple", explode)) == text
    assert in_header(ARRAY, Style("simple", explode)) == "blue,black,brown"
    assert in_header("a b/ü", Style("simple", explode)) == "a b/ü"


@pytest.mark.parametrize(
    "value, explode, text",
    [
        (STRING, True, "color=blue"),
        ("a;b c", True, "color=a%3Bb%20c"),
        (ARRAY, False, "color=blue,black,brown"),
        (ARRAY, True, "color=blue; color=black; color=brown"),
        (OBJECT, True, "R=100; G=200; B=150"),
        (OBJECT, False, "color=R,100,G,200,B,150"),
    ],
)
def test_cookies(value, explode, text):
    assert in_cookie("color", value, Style("form", explode)) == text


@pytest.mark.parametrize(
    "value, text",
    [
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (9007199254740993, "9007199254740993"),
        ("a/b?c d&e=ü%20", "a%2Fb%3Fc%20d%26e%3D%C3%BC%2520"),
        ("a-b_c.d~e", "a-b_c.d~e"),
        (["a,b", "c"], "a%2Cb,c"),
        ([None, 1, {"x": 2}], "1,%7B%22x%22%3A2%7D"),
        ({"k/": [1]}, "k%2F,%5B1%5D"),
        ([], ""),
        ({}, ""),
        ([None], ""),
    ],
)
def test_values_in_a_path(value, text):
    assert in_path("p", value, Style("simple")) == text


@pytest.mark.parametrize("style", ["matrix", "label"])
@pytest.mark.parametrize("value", [[], {}, [None]])
def test_nothing_to_write_is_nothing(style, value):
    assert in_path("p", value, Style(style)) == in_query("p", value, Style("form")) == ""
    assert in_query("p", value, Style("form", True)) == in_query("p", value, Style("deepObject", True)) == ""


def test_deep_objects_go_on_in_brackets():
    value = {"a": {"b": [1, 2], "c d": None}, "e": {"f": {"g": "&"}}}
    assert (
        in_query("q", value, Style("deepObject", True))
        == "q%5Ba%5D%5Bb%5D=1&q%5Ba%5D%5Bb%5D=2&q%5Be%5D%5Bf%5D%5Bg%5D=%26"
    )
    deep = {}
    for _ in range(50):
        deep = {"a": deep}
    assert in_query("q", {"a": deep, "b": 1}, Style("deepObject", True)).count("%5Ba%5D") == 20


@pytest.mark.parametrize(
    "value, text",
    [
        ("a/b:c?d@e!$&'()*+,;=", "q=a/b:c?d@e!$&'()*+,;="),
        ("%2F and %zz", "q=%2F%20and%20%25zz"),
        ("#[]", "q=%23%5B%5D"),
        (["a/b", "c"], "q=a/b,c"),
    ],
)
def test_reserved_characters_are_left_where_the_document_allows_it(value, text):
    assert in_query("q", value, Style("form", allow_reserved=True)) == text
