"""Where pages and files are: relative in a folder of files, by paths on the embedded server."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses as one page writes them; `root` leads from it to the start.

    >>> Links("../").resource("Library/a"), Links("/", is_served=True).resource("Library/a")
    ('../resource/Library-a.html', '/show/Library/a')
    """

    root: str = ""
    is_served: bool = False

    @property
    def start(self) -> str:
        """The start page."""
        return self.root if self.is_served else f"{self.root}index.html"

    @property
    def search(self) -> str:
        """The page that searches all there is."""
        return f"{self.root}search" + ("" if self.is_served else ".html")

    def plan(self, identity: str) -> str:
        """The page of a procedure: of a PlanDefinition."""
        return f"{self.root}procedure/{quote(identity)}" + ("" if self.is_served else ".html")

    def resource(self, place: str) -> str:
        """The page of a resource, ``Type/id``."""
        if self.is_served:
            return f"{self.root}show/{place}"
        return f"{self.root}resource/{place.replace('/', '-')}.html"

    def page(self, place: str) -> str:
        """The page that shows most of a resource."""
        kind, _, identity = place.partition("/")
        return self.plan(identity) if kind == "PlanDefinition" else self.resource(place)

    def raw(self, place: str) -> str:
        """A resource as FHIR JSON."""
        if self.is_served:
            return f"{self.root}fhir/{place}?_format=json&_pretty=true"
        return f"{self.root}resource/{place.replace('/', '-')}.json"

    def type(self, name: str) -> str:
        """The list of a type."""
        return f"{self.root}type/{quote(name)}" + ("" if self.is_served else ".html")

    def asset(self, name: str) -> str:
        """The stylesheet, or the script of the search."""
        return f"{self.root}asset/{name}"

    def download(self, name: str) -> str:
        """A file to take away."""
        return f"{self.root}download/{quote(name)}"
