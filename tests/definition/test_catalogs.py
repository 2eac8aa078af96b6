"""Where the functions of catalogs are looked for."""

import pytest

from perdure.definition import catalogs
from perdure.definition.catalogs import Catalogued

LOG = Catalogued("log", "1.0.0", "c")
RAW = "https://raw.githubusercontent.com/serverlessworkflow/catalog"


@pytest.mark.parametrize(
    ("endpoint", "places"),
    [
        ("https://a.example/root", ("https://a.example/root/functions/log/1.0.0/function.yaml",)),
        ("https://a.example/root/", ("https://a.example/root/functions/log/1.0.0/function.yaml",)),
        ("https://a.example?ref=main", ("https://a.example/functions/log/1.0.0/function.yaml?ref=main",)),
        (
            # The example of the DSL.
            "https://github.com/serverlessworkflow/catalog/tree/main",
            (
                f"{RAW}/refs/heads/main/functions/log/1.0.0/function.yaml",
                f"{RAW}/main/functions/log/1.0.0/function.yaml",
            ),
        ),
        # The example of the reference names no branch.
        ("https://github.com/serverlessworkflow/catalog", (f"{RAW}/HEAD/functions/log/1.0.0/function.yaml",)),
        ("https://github.com/serverlessworkflow/catalog.git", (f"{RAW}/HEAD/functions/log/1.0.0/function.yaml",)),
        (
            "https://github.com/serverlessworkflow/catalog/tree/refs/tags/v2/sub",
            (f"{RAW}/refs/tags/v2/sub/functions/log/1.0.0/function.yaml",),
        ),
        (
            f"https://github.com/serverlessworkflow/catalog/tree/{'a' * 40}",
            (f"{RAW}/{'a' * 40}/functions/log/1.0.0/function.yaml",),
        ),
        (f"{RAW}/main", (f"{RAW}/main/functions/log/1.0.0/function.yaml",)),
        (
            "https://gitlab.com/group/sub/project/-/tree/main/dir",
            ("https://gitlab.com/group/sub/project/-/raw/main/dir/functions/log/1.0.0/function.yaml",),
        ),
        (
            "https://gitlab.com/group/project",
            ("https://gitlab.com/group/project/-/raw/HEAD/functions/log/1.0.0/function.yaml",),
        ),
        (
            "https://git.example/group/project/-/tree/main",
            ("https://git.example/group/project/-/raw/main/functions/log/1.0.0/function.yaml",),
        ),
    ],
)
def test_the_file_structure_of_a_catalog(endpoint, places):
    assert catalogs.in_catalog(endpoint, LOG) == places


@pytest.mark.parametrize(
    ("uri", "places"),
    [
        ("https://a.example/f.yaml", ("https://a.example/f.yaml",)),
        ("https://a.example/f.JSON?x=1", ("https://a.example/f.JSON?x=1",)),
        ("https://a.example/f", ("https://a.example/f/function.yaml", "https://a.example/f")),
        (
            "https://github.com/o/r/blob/main/f/function.yaml",
            (
                "https://raw.githubusercontent.com/o/r/refs/heads/main/f/function.yaml",
                "https://raw.githubusercontent.com/o/r/main/f/function.yaml",
            ),
        ),
        # The example of the DSL.
        (
            "https://github.com/myorg/functions/validateEmailAddress@v1.0.0",
            (
                "https://raw.githubusercontent.com/myorg/functions/v1.0.0/validateEmailAddress/function.yaml",
                "https://raw.githubusercontent.com/myorg/functions/v1.0.0/validateEmailAddress",
            ),
        ),
        ("https://gitlab.com/g/p/-/blob/main/f.yaml", ("https://gitlab.com/g/p/-/raw/main/f.yaml",)),
    ],
)
def test_the_document_at_a_uri(uri, places):
    assert catalogs.at(uri) == places


def test_functions_are_called_by_name_version_and_catalog():
    assert catalogs.parse("charge-card:1.2.0-rc.1+b@ours") == Catalogued("charge-card", "1.2.0-rc.1+b", "ours")


@pytest.mark.parametrize(
    "function", ["../up:1.0.0@c", "Log:1.0.0@c", "log:latest@c", "log@c", "a/b:1.0.0@c", ":1.0.0@c"]
)
def test_what_no_function_can_be_called(function):
    with pytest.raises(ValueError, match="expected"):
        catalogs.parse(function)
