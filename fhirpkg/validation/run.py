"""One input being checked: what is looked up, what is found, and where.

The check functions and the rule families get a :class:`Run` and report to it. A place inside the
input is a :data:`Path` of JSON keys and indexes from the root; generated checks, which pass one
for every element, use a :data:`Trail` instead and only what is reported is made into a path.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from fhirpkg.definitions.terminology.coded import is_member
from fhirpkg.fhirpath.environment import Environment
from fhirpkg.identity import Bounded, ByIdentity
from fhirpkg.issues import Json, Resource, Severity
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.places import Trail, flat
from fhirpkg.validation.resources.bundle_index import BundleIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Path
    from fhirpkg.rules import Rule

_FHIR = "http://hl7.org/fhir"
"""The canonical base of FHIR itself and of guides beside it: no one guide defines all of it."""
_HOLDING = {"Bundle", "Parameters"}
_MOST_RETRIEVED = 200
"""Resources from outside the input that are held: a guide may refer to ten thousand."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How strictly a Validator checks; the defaults are those of `fhirpkg validate`.

    - `best_practice`: severity of best-practice constraints; None leaves them out
    - `wrong_display`: severity of a display that the code system does not have for the code
    - `html_in_text`: whether HTML tags are allowed in strings and markdown
    - `strict`: rules that R4's own examples break, and unknown extensions, are errors
    - `by_letter`: R4 as published, without the corrections that HL7 has made since
    - `experimental`: whether experimental definitions are allowed
    - `inner`: whether resources inside others (contained, entries) are checked in full
    - `entry_profiles`: pairs of an entry of a Bundle (`Patient`, `2` or `Patient:0`) and the
      profile that it must meet
    - `portability`: also report what known servers drop or evaluate differently
    - `targets`: what is required of references that lead out of the input: `ignore`, `exist`
      (they can be read) or `valid` (they are valid, too); by default their type is checked

    Pass them to a Validator:

        settings = fhirpkg.Settings(strict=True)
        outcome = fhirpkg.Validator(settings=settings).validate({"resourceType": "Patient"})
    """

    best_practice: Severity | None = None
    wrong_display: Severity = Severity.ERROR
    html_in_text: bool = True
    strict: bool = False
    by_letter: bool = False
    experimental: bool = True
    inner: bool = True
    entry_profiles: tuple[tuple[str, str], ...] = ()
    portability: bool = False
    targets: Literal["ignore", "", "exist", "valid"] = ""


class ProfileChecks(Protocol):
    """The compiled checks of profiles, as rules on values ask for them."""

    def check_profile(
        self, canonical: str, value: Json, trail: Trail, run: Run, unknown: Rule = ...
    ) -> None:
        """Check a value by a profile; `unknown` is reported where that is not loaded."""

    def conforms_to(self, value: Json, canonical: str, trail: Trail, run: Run) -> bool | None:
        """Whether a value meets a profile; None when that is unknown."""


class Finding(NamedTuple):
    """What was found, before it is put into words."""

    rule: Rule
    path: Path
    severity: Severity | None
    profile: str
    found: dict[str, Json]


class Run:
    """One input being checked; `root` is the resource it holds."""

    def __init__(
        self,
        root: Resource,
        definitions: Definitions,
        terminology: Terminology,
        settings: Settings | None = None,
        checks: ProfileChecks | None = None,
        retrieve: Callable[[str], Resource | None] | None = None,
        bases: Collection[str] = (),
        knows: Callable[[str], bool] | None = None,
    ) -> None:
        self._root = root
        self.definitions = definitions
        self.terminology = terminology
        self.settings = settings or Settings()
        self.findings: list[Finding] = []
        self.displays: dict[Path, Finding] = {}
        """Displays that their code system lacks, by place; a value set may give them yet."""
        self._environment = Environment()
        self._outlooks = 0
        self.element_ids: set[str] = set()
        """The ids of the elements of that resource met so far."""
        self.depth = 0
        """How many trials are under way: checks whose findings only say whether they hold."""
        self.conforming: ByIdentity[bool | None] = ByIdentity()
        """Whether a value meets a profile, by the value and the profile."""
        self._checks = checks
        self._retrieve = retrieve
        self._retrieved: Bounded[str, Resource | None] = Bounded(_MOST_RETRIEVED)
        self._knows = knows
        self._bases = tuple(f"{base.rstrip('/')}/" for base in bases if base != _FHIR)
        self._indexes: ByIdentity[BundleIndex] = ByIdentity()
        self._inner: ByIdentity[dict[str, Resource]] = ByIdentity()
        self._entered: ByIdentity[bool] = ByIdentity()
        self._visited: Resource | None = None

    @property
    def root(self) -> Resource:
        """The resource that the input holds; whoever asks looks beyond the value in question."""
        self._outlooks += 1
        return self._root

    @property
    def environment(self) -> Environment:
        """What FHIRPath sees of the resource that is being checked; asking for it is an outlook."""
        self._outlooks += 1
        return self._environment

    @property
    def is_at_root(self) -> bool:
        """Whether the resource that is being checked is in no other one."""
        return self._environment.resource is self._root

    @property
    def traces(self) -> tuple[int, ...]:
        """Numbers of which one changes when a check finds something or looks around its value."""
        return len(self.findings), len(self.displays), len(self.element_ids), self._outlooks

    @property
    def language(self) -> str:
        """The language of the resource around, or that of its container; empty where none is."""
        surroundings = self._environment
        around = (surroundings.resource, surroundings.root_resource, self._root)
        stated = (resource.get("language") for resource in around if resource)
        return next((each for each in stated if isinstance(each, str)), "")

    @property
    def root_of_names(self) -> Resource:
        """The root, for what a place is called: that is no outlook, values have their places."""
        return self._root

    def look_around(self) -> None:
        """Note that something beyond the value in question counts, such as what it stands in."""
        self._outlooks += 1

    @property
    def has_errors(self) -> bool:
        """Whether anything that was found is an error."""
        found = [*self.findings, *self.displays.values()]
        return any((each.severity or each.rule.severity).is_error for each in found)

    def report(
        self,
        rule: Rule,
        path: Path | Trail,
        /,
        *,
        severity: Severity | None = None,
        profile: str = "",
        **found: Json,
    ) -> None:
        """Note that a rule of the catalogue is broken at a place; `found` fills its words.

        A rule that the release of FHIR does not have cannot be broken.
        """
        if rule.releases and self.definitions.release.name not in rule.releases:
            return
        if self.settings.strict and rule.is_strict:
            severity = Severity.ERROR
        self.findings.append(Finding(rule, flat(path), severity, profile, found))

    def allow_display(self, path: Path | Trail) -> None:
        """Take back what was said of the display at a place: a value set bound there gives it."""
        if not self.depth:
            self.displays.pop(flat(path), None)

    @contextlib.contextmanager
    def inside(self, resource: Resource, trail: Trail, *, visited: bool = False) -> Iterator[None]:
        """While a resource is checked, be its surroundings.

        `visited` is for one that a reference led to: its own ids are looked for in itself.
        """
        outer, before, ids = self._environment, self._visited, self.element_ids
        self.element_ids = set()
        if visited:
            self._visited = resource
        self._environment = Environment(
            resource=resource,
            root_resource=self.owner(trail),
            resolve=lambda reference: self.resolve(reference, trail),
            member_of=lambda value, _, value_set: is_member(value, value_set, self.terminology),
            conforms_to=lambda value, canonical: self.conforms(value, canonical, trail),
        )
        try:
            yield
        finally:
            self._environment, self._visited, self.element_ids = outer, before, ids

    @contextlib.contextmanager
    def trial(self) -> Iterator[list[Finding]]:
        """Collect what is found apart; afterwards nothing of it remains here.

        What was checked before is checked again: what it broke counts here as well.
        """
        kept, entered = self.findings, self._entered
        found: list[Finding] = []
        self.findings, self._entered = found, ByIdentity()
        self.depth += 1
        try:
            yield found
        finally:
            self.findings, self._entered = kept, entered
            self.depth -= 1

    def enter(self, canonical: str, value: Json) -> bool:
        """Whether a value is still to be checked by a profile: each is once."""
        if self._entered.has(value, canonical):
            return False
        return self._entered.keep(value, True, canonical)

    def conforms(self, value: Json, canonical: str, trail: Trail) -> bool | None:
        """Whether a value meets a profile; None when that is unknown."""
        return self._checks.conforms_to(value, canonical, trail, self) if self._checks else None

    def check_profile(
        self, value: Json, canonical: str, trail: Trail, unknown: Rule | None = None
    ) -> None:
        """Check a value by a profile; `unknown` is the rule that a profile must be loaded."""
        assert self._checks, "only runs of a validator meet profiles"
        words = {"unknown": unknown} if unknown else {}
        self._checks.check_profile(canonical, value, trail, self, **words)

    @property
    def ignores_targets(self) -> bool:
        """Whether nothing is said of what lies outside the input and how it is named."""
        return self.settings.targets == "ignore"

    def severity_of(self, finding: Finding) -> Severity:
        """How bad a finding is: as it says, else as its rule does."""
        return finding.severity or finding.rule.severity

    def resolve(self, reference: str, path: Path | Trail) -> Resource | None:
        """The resource that a reference standing at `path` leads to, or None.

        It is sought among the contained resources, then in the Bundles around the place, then in
        the other inputs (http://hl7.org/fhir/R4/bundle.html#references).
        """
        if reference.startswith("#"):
            return self._contained(self.owner(path), reference[1:])
        for bundle, full_url in self._bundles_around(flat(path)):
            found = self.index(bundle).find(reference, full_url)
            if found is not None:
                return found
        if reference not in self._retrieved:
            self._retrieved[reference] = self._retrieve(reference) if self._retrieve else None
        return self._retrieved[reference]

    def has_contained(self, reference: str) -> bool:
        """Whether ``#id`` leads to a resource contained in that which is being checked."""
        owner = self.environment.root_resource
        if owner is None or reference == "#":
            return False
        return self._contained(owner, reference[1:]) is not None

    def _contained(self, owner: Resource, identifier: str) -> Resource | None:
        """As `contained`, by an index: each of many contained resources may be referred to."""
        if not identifier:
            return owner
        known = self._inner.get(owner)
        if known is None:
            items = objects(owner, "contained")
            named = {text_of(item, "id"): item for item in reversed(items)}
            known = self._inner.keep(owner, named)
        return known.get(identifier)

    def must_be_here(self, canonical: str) -> bool:
        """Whether a canonical is of a guide that the inputs hold, with all it defines."""
        return bool(self._bases) and canonical.startswith(self._bases)

    def must_lead_somewhere(self, path: Path | Trail) -> bool:
        """Whether a place is in a resource of a guide that the inputs hold, with all it defines.

        Not in the guide itself: what it lists as an example may lie elsewhere in its package.
        """
        if not self._bases:
            return False
        owner = self.owner(path)
        systems = [identifier.get("system") for identifier in objects(owner, "identifier")]
        return owner.get("resourceType") != "ImplementationGuide" and any(
            self.must_be_here(str(url)) for url in (owner.get("url"), *systems)
        )

    def is_elsewhere(self, reference: str) -> bool:
        """Whether another input is what a reference leads to, without reading that."""
        return self._knows is not None and self._knows(reference)

    def is_bundled(self, reference: str, path: Path | Trail) -> bool:
        """Whether a reference leads to an entry of a Bundle around its place."""
        around = self._bundles_around(flat(path))
        return any(self.index(bundle).find(reference, url) is not None for bundle, url in around)

    def bundle_type(self, path: Path | Trail) -> str | None:
        """The type of the outermost Bundle around a place; None where there is none."""
        for bundle, _ in self._bundles_around(flat(path))[::-1]:
            if bundle.get("resourceType") == "Bundle":
                return str(bundle.get("type", ""))
        return None

    def owner(self, path: Path | Trail) -> Resource:
        """The resource around a place that is contained in no other: `%rootResource`."""
        if self._visited is not None:
            return self._visited
        owner = self.root
        for step, resource in self._resources_around(flat(path)):
            if step != "contained":
                owner = resource
        return owner

    def index(self, bundle: Resource) -> BundleIndex:
        """The entries of a Bundle by their urls, made once."""
        return self._indexes.get(bundle) or self._indexes.keep(bundle, BundleIndex(bundle))

    def _resources_around(self, path: Path) -> Iterator[tuple[str, Resource]]:
        """The resources on the way to a place, outermost first, each with the property it is in."""
        node: Json = self.root
        name = ""
        yield name, self.root
        for step in path:
            name = step if isinstance(step, str) else name
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return
            if isinstance(node, dict) and "resourceType" in node:
                yield name, node

    def _bundles_around(self, path: Path) -> list[tuple[Resource, str]]:
        """The Bundles around a place, innermost first, each with the fullUrl of its entry there.

        Parameters, which hold resources for each other as well, count as Bundles.
        """
        around: list[tuple[Resource, str]] = []
        node: Json = self.root
        for at, step in enumerate((*path, "")):
            if isinstance(node, dict) and text_of(node, "resourceType") in _HOLDING:
                around.append((node, _full_url(node, path[at : at + 2])))
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                break
        return around[::-1]


def _full_url(bundle: Resource, steps: Path) -> str:
    """The fullUrl of the entry that a path into a Bundle leads to, or nothing."""
    if len(steps) < 2 or steps[0] != "entry":
        return ""
    try:
        url = bundle["entry"][steps[1]].get("fullUrl")
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return url if isinstance(url, str) else ""


def contained(resource: Resource, identifier: str) -> Resource | None:
    """The contained resource of an id; the resource itself for the empty id (``#``)."""
    if not identifier:
        return resource
    inner = resource.get("contained")
    for item in inner if isinstance(inner, list) else ():
        if isinstance(item, dict) and item.get("id") == identifier:
            return item
    return None
