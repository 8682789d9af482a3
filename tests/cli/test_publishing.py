"""The publishing verbs as people call them: words, exit codes, and what is never shown."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys

import jsonschema
import pytest

from fhirpkg import fhirjson
from fhirpkg.cli import _run
from fhirpkg.publishing.bookkeeping.head import read_head
from fhirpkg.publishing.bookkeeping.state import Phase
from tests.packages.loopback import archive
from tests.packages.loopback import running as registry
from tests.publishing.sample import canonical, client, focus, resources
from tests.servers import vendors
from tests.servers.embedded import running
from tests.servers.habits import is_transaction, server_like
from tests.servers.scripted import Reply, scripted

DOCS = pathlib.Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "publishing.schema.json").read_text())


@pytest.fixture
def server():
    with running() as base_url:
        yield base_url


def folder(path, listed, version="1.0.0"):
    """A content folder with these resources and the guide that makes them a package."""
    guide = canonical("ImplementationGuide", "demo.walking", packageId="demo.walking")
    guide |= {"name": "Walking", "fhirVersion": ["4.0.1"], "date": "2026-01-01"}
    guide |= {"url": "http://example.org/fhir/ImplementationGuide/demo.walking"}
    guide |= {"version": version, "definition": {"resource": []}}
    home = path / "walking" / "fhir"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.iterdir():
        old.unlink()
    (path / "package.yaml").write_text("id: demo.walking\n")
    for resource in [*listed, guide]:
        file = home / f"{resource['resourceType']}-{resource['id']}.json"
        file.write_text(fhirjson.dump(resource))
    return str(path)


def test_plan_push_plan_verify_prune_and_rollback_end_with_their_codes(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    at = ["--server", server]
    assert _run(["plan", content, *at]) == 1
    assert _run(["push", content, *at, "--dry-run"]) == 1
    assert _run(["verify", content, *at]) == 1
    assert _run(["push", content, *at]) == 0
    assert "5 planned = 5 created + 0 updated + 0 unchanged" in capfd.readouterr().out
    assert _run(["plan", content, *at]) == 0
    assert _run(["push", content, *at]) == 0
    assert _run(["verify", content, *at]) == 0
    folder(tmp_path / "c", resources("Running")[:3], version="1.1.0")
    assert _run(["push", content, *at]) == 0
    assert _run(["prune", content, *at, "--dry-run"]) == 1
    assert _run(["prune", content, *at, "--max-delete", "0"]) == 2
    assert _run(["rollback", content, *at]) == 0
    folder(tmp_path / "c", resources())
    assert _run(["verify", content, *at]) == 0


def test_a_conflict_is_shown_field_by_field_and_ends_with_4(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    _run(["push", content, "--server", server])
    with client(server) as other:
        edited = canonical("PlanDefinition", "course", title="Edited", useContext=focus())
        other.request("PUT", "PlanDefinition/course", body=edited)
    assert _run(["plan", content, "--server", server]) == 4
    told = capfd.readouterr().out
    assert "title: server has 'Edited', content has 'Walking'" in told
    assert "drift: see the differences with 'plan'; 'push --overwrite drift'" in told
    assert _run(["push", content, "--server", server]) == 4
    assert "drift: see the differences with 'plan'; 'push" in capfd.readouterr().out
    assert _run(["push", content, "--server", server, "--overwrite", "drift"]) == 0


def test_other_content_under_a_published_version_is_a_conflict(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    at = ["--server", server]
    assert _run(["push", content, *at]) == 0
    folder(tmp_path / "c", resources("Running"))
    assert _run(["plan", content, *at]) == 4
    told = capfd.readouterr().out
    assert "PlanDefinition/course" in told
    assert "1.0.0" in told
    assert "title: server has 'Walking', content has 'Running'" in told
    assert "raise the version" in told
    assert _run(["push", content, *at]) == 4
    assert "immutable" in capfd.readouterr().out
    assert _run(["push", content, *at, "--overwrite", "immutable"]) == 0
    assert _run(["plan", content, *at]) == 0  # it is what the version means now
    folder(tmp_path / "c", resources("Jumping"), version="1.1.0")
    assert _run(["push", content, *at]) == 0


def test_a_saved_plan_is_carried_out_once_and_stale_afterwards(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    file = tmp_path / "plan.json"
    assert _run(["plan", content, "--server", server, "--out", str(file)]) == 1
    assert json.loads(file.read_text())["items"][0]["precondition"] == "absent"
    assert _run(["push", str(file), "--server", server]) == 0
    assert _run(["push", str(file), "--server", server]) == 4
    assert "the plan is stale" in capfd.readouterr().err


def test_an_ehr_is_refused_with_reasons_and_the_alternative(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    with scripted(server_like(*vendors.EPIC), server) as proxy:
        assert _run(["push", content, "--server", proxy.base_url]) == 1
        assert proxy.writes == []
    told = capfd.readouterr().out
    assert "this server does not take 5 of 5 resources" in told
    assert "PlanDefinition: the server does not know this type" in told
    assert "CDS Hooks" in told


def test_a_server_that_stops_answering_ends_a_push_with_1_and_true_counts(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())

    def script(request, forward):
        return Reply(503) if request.method == "POST" else forward(request)

    with scripted(script, server) as proxy:
        assert _run(["push", content, "--server", proxy.base_url, "--retry-for", "0"]) == 1
    assert "5 planned = 0 created" in capfd.readouterr().out


@pytest.mark.parametrize(
    "options, problem",
    [
        (["--token", "sesame.sesame"], "not the secret"),
        (["--token", "env:A", "--user", "b"], "cannot be used together"),
        (["--user", "b"], "--user needs --password"),
        (["--client-id", "b"], "needs either --client-secret or --private-key"),
        (["--key", "k.pem"], "--key needs --cert"),
        (["--ca", "no.pem"], "no.pem: cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_one_line_without_the_secret(
    server, tmp_path, capfd, options, problem
):
    content = folder(tmp_path / "c", resources())
    assert _run(["push", content, "--server", server, *options]) == 2
    told = capfd.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
    assert "sesame" not in told


def test_no_secret_is_in_a_plan_or_in_what_is_printed(server, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "sesame")
    content = folder(tmp_path / "c", resources())
    file = tmp_path / "plan.json"

    def refuse(request, forward):
        assert request.headers["authorization"] == "Bearer sesame"
        echoed = {"severity": "error", "code": "forbidden", "diagnostics": "no to Bearer sesame"}
        refusal = {"resourceType": "OperationOutcome", "issue": [echoed]}
        return Reply(403, refusal) if request.method != "GET" else forward(request)

    with scripted(refuse, server) as proxy:
        at = ["--server", proxy.base_url, "--token", "env:DEMO_TOKEN"]
        assert _run(["plan", content, *at, "--out", str(file)]) == 1
        assert _run(["push", content, *at]) == 2
    told = capfd.readouterr()
    assert "sesame" not in file.read_text() + told.out + told.err


def test_output_into_a_closed_pipe_is_no_crash(server, tmp_path):
    content = folder(tmp_path / "c", resources())
    command = f"{sys.executable} -m fhirpkg plan {content} --server {server} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("many", [False, True], ids=["at the end", "on the way"])
def test_a_push_whose_reader_went_away_does_not_end_with_0_unless_all_is_there(
    server, tmp_path, many
):
    listed = resources()
    listed += [
        canonical("PlanDefinition", f"wrong-{n}", date="soon") for n in range(60 if many else 1)
    ]
    content = folder(tmp_path / "c", listed)
    command = f"{sys.executable} -m fhirpkg push {content} --server {server} | true"
    script = f"set -o pipefail; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk_leaves_no_half_plan_and_says_so(server, tmp_path, unmeasured):
    content = folder(tmp_path / "c", resources())
    file = tmp_path / "plan.json"
    command = f"{sys.executable} -m fhirpkg plan {content} --server {server} --out {file}"
    script = f"ulimit -f 1; trap '' XFSZ; exec {command} > /dev/null"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert done.stderr.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["c"]


def test_a_push_needs_no_home(server, tmp_path):
    content = folder(tmp_path / "c", resources())
    command = [sys.executable, "-m", "fhirpkg", "push", content, "--server", server]
    home = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_plan_that_cannot_be_written_leaves_no_half_file(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    missing = tmp_path / "nowhere" / "plan.json"
    assert _run(["plan", content, "--server", server, "--out", str(missing)]) == 2
    assert "nowhere" in capfd.readouterr().err


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_push_ends_with_130_and_lets_others_in(server, tmp_path, sign):
    content = folder(tmp_path / "c", resources())
    process = []

    def script(request, forward):
        if is_transaction(request):
            process[0].send_signal(sign)
        return forward(request)

    with scripted(script, server) as proxy:
        command = [sys.executable, "-m", "fhirpkg", "push", content, "--server", proxy.base_url]
        process.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        _, told = process[0].communicate(timeout=60)
    assert (process[0].returncode, told.strip()) == (130, b"interrupted")
    with client(server) as reader:
        assert read_head(reader, "demo.walking").phase is Phase.INCOMPLETE
    assert _run(["push", content, "--server", server]) == 0


def as_json(capfd, verb, *arguments):
    """The exit code and the JSON object of a verb, and of its only release."""
    capfd.readouterr()
    code = _run([verb, *arguments, "--output-format", "json"])
    told = json.loads(capfd.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    assert (told["verb"], told["exitCode"]) == (verb, code)
    (found,) = told["releases"]
    return code, found


def actions(found):
    return {line["resource"]: line["action"] for line in found["resources"]}


def test_json_tells_counts_and_each_resource_with_its_action_and_reason(server, tmp_path, capfd):
    content = folder(tmp_path / "c", resources())
    at = [content, "--server", server]
    code, found = as_json(capfd, "plan", *at)
    assert (code, found["counts"], found["package"]) == (1, {"create": 5}, "demo.walking")
    code, found = as_json(capfd, "push", *at)
    assert (code, found["counts"]["created"]) == (0, 5)
    assert actions(found)["PlanDefinition/course"] == "created"
    assert found["verification"]["counts"]["missing"] == 0
    code, found = as_json(capfd, "push", *at)
    assert (code, set(actions(found).values())) == (0, {"unchanged"})
    with client(server) as other:
        other.request("DELETE", "DocumentReference/aftercare")
        edited = canonical("PlanDefinition", "course", title="Edited", useContext=focus())
        other.request("PUT", "PlanDefinition/course", body=edited)
    code, found = as_json(capfd, "verify", *at)
    verification = found["verification"]
    assert code == 1
    assert actions(verification)["DocumentReference/aftercare"] == "missing"
    assert actions(verification)["PlanDefinition/course"] == "altered"
    code, found = as_json(capfd, "push", *at)
    refused = next(r for r in found["resources"] if r["resource"] == "PlanDefinition/course")
    assert (code, refused["action"]) == (4, "refused")
    assert "edited on the server" in refused["reason"]
    assert _run(["push", *at, "--overwrite", "drift"]) == 0
    folder(tmp_path / "c", resources()[:3])
    _run(["push", *at])
    code, found = as_json(capfd, "prune", *at, "--dry-run")
    assert (code, found["dryRun"], found["counts"]["retired"]) == (1, True, 1)
    code, found = as_json(capfd, "prune", *at)
    assert (code, actions(found)) == (0, {"DocumentReference/aftercare": "retired"})
    code, found = as_json(capfd, "rollback", *at)
    assert (code, actions(found)["DocumentReference/aftercare"]) == (0, "updated")


def test_a_push_demands_the_sha256_that_package_wrote(server, tmp_path):
    content = folder(tmp_path / "c", resources())
    assert _run(["package", content, "--output", str(tmp_path / "dist")]) == 0
    sums = (tmp_path / "dist" / "SHA256SUMS").read_text().splitlines()
    archive = "demo.walking-1.0.0.tgz"
    (wanted,) = (line.split()[0] for line in sums if line.endswith(archive))
    at = [str(tmp_path / "dist" / archive), "--server", server, "--sha256"]
    assert _run(["push", *at, "0" * 64]) == 2
    with client(server) as reader:
        assert read_head(reader, "demo.walking") is None
    assert _run(["push", *at, wanted]) == 0
    assert _run(["push", content, "--server", server, "--sha256", wanted]) == 2
    verified = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "dist", check=False
    )
    assert verified.returncode == 0


def test_a_package_is_pushed_with_what_it_depends_on_each_as_a_release(
    server, tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    with registry() as packages:
        monkeypatch.setenv("FPL_REGISTRY", packages.base)
        for name, needed in (("demo.base", {}), ("demo.middle", {"demo.base": "1.0.0"})):
            files = {"v.json": canonical("ValueSet", name.replace(".", "-"))}
            packages.publish(archive(name, files=files, dependencies=needed), name)
        top = {"v.json": canonical("ValueSet", "top")}
        needed = {"demo.middle": "1.0.x", "hl7.fhir.r4.core": "4.0.1"}
        packages.publish(archive("demo.top", files=top, dependencies=needed), "demo.top")
        at = ["demo.top#1.0.0", "--server", server, "--with-dependencies"]
        assert _run(["push", *at, "--output-format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    names = [each["package"] for each in told["releases"]]
    assert names == ["demo.base", "demo.middle", "demo.top"]
    assert _run(["verify", *at]) == 0
    assert _run(["prune", "demo.middle#1.0.0", "--server", server]) == 0
    with client(server) as reader:
        assert reader.count("ValueSet", []) == 3


@pytest.fixture
def published(tmp_path, monkeypatch):
    """demo.one#1.0.0 on a registry on loopback, and an empty cache: its archive and its url."""
    packed = archive("demo.one", files={"v.json": canonical("ValueSet", "one")})
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    with registry() as packages:
        monkeypatch.setenv("FPL_REGISTRY", packages.base)
        packages.publish(packed, "demo.one")
        yield packed, f"{packages.base}/demo.one/1.0.0"


@pytest.mark.parametrize("by", ["name", "url"])
def test_the_sha256_of_a_name_or_url_is_that_of_its_archive(server, published, by):
    packed, url = published
    wanted = hashlib.sha256(packed).hexdigest()
    at = [url if by == "url" else "demo.one#1.0.0", "--server", server, "--sha256"]
    assert _run(["push", *at, "0" * 64]) == 2
    with client(server) as reader:
        assert read_head(reader, "demo.one") is None
    assert _run(["push", *at, wanted.upper()]) == 0
    assert _run(["push", *at, wanted]) == 0  # of a name: out of the cache
    assert _run(["push", *at, "0" * 64]) == 2


@pytest.mark.parametrize("what", ["changed after it was fetched", "which archive it came from"])
def test_a_package_in_the_cache_that_is_not_known_to_be_its_archive_has_no_sha256(
    server, published, tmp_path, capfd, what
):
    wanted = hashlib.sha256(published[0]).hexdigest()
    assert _run(["install", "demo.one#1.0.0"]) == 0
    cache = tmp_path / "cache"
    if what.startswith("changed"):
        file = cache / "demo.one#1.0.0" / "package" / "v.json"
        file.write_text(file.read_text().replace("1.0.0", "6.6.6"))
    else:
        (cache / ".fhirpkg" / "demo.one#1.0.0.json").unlink()
    at = ["demo.one#1.0.0", "--server", server]
    assert _run(["push", *at, "--sha256", wanted]) == 2
    assert what in capfd.readouterr().err
    assert _run(["push", *at]) == 0


def test_a_folder_and_a_plan_have_no_sha256(server, tmp_path):
    content = folder(tmp_path / "c", resources())
    at = ["--server", server]
    plan = str(tmp_path / "plan.json")
    assert _run(["plan", content, *at, "--out", plan]) == 1
    for each in (content, plan):
        assert _run(["push", each, *at, "--sha256", "0" * 64]) == 2
    with client(server) as reader:
        assert read_head(reader, "demo.walking") is None
