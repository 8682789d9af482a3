import base64
import pathlib

import pytest

from fhirpkg.bundling.content import CompressedResources, Content
from fhirpkg.bundling.reading import read_content
from fhirpkg.canonical import PackageId
from fhirpkg.pages.site import site_files

ROOT = pathlib.Path(__file__).parents[2]
BASE = "https://example.org/fhir"


@pytest.fixture(scope="session")
def ours():
    """Our content as it is built."""
    return read_content(ROOT / "resources")


@pytest.fixture(scope="session")
def our_site(ours):
    return files(ours)


def files(content):
    """The files of a site by name, those that are text as text."""
    return {name: data.decode() if is_text(name) else "" for name, data in site_files(content)}


def is_text(name):
    return name.endswith((".html", ".json", ".css", ".js"))


def content(*resources):
    """A content of these resources, by anybody."""
    kept = CompressedResources(resources)
    return Content(PackageId("a.b", "1"), BASE, kept, "here", kept.digest)


def resource(kind, identity, **elements):
    return {"resourceType": kind, "id": identity, "url": f"{BASE}/{kind}/{identity}", **elements}


def attached(data, kind="text/html", **elements):
    """A DocumentReference with one attachment."""
    encoded = base64.b64encode(data.encode()).decode()
    attachment = {"contentType": kind, "data": encoded} | elements
    return {"resourceType": "DocumentReference", "id": "d", "status": "current",
            "content": [{"attachment": attachment}]}  # fmt: skip
