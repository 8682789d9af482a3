"""Read, create, update, delete and their conditional forms (http://hl7.org/fhir/R4/http.html)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server.client import rules_of

PLAN = {"resourceType": "PlanDefinition", "id": "p", "status": "draft", "url": "http://x.org/p"}
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
NEW = {key: value for key, value in PLAN.items() if key != "id"}
BY_URL = "PlanDefinition?url=http://x.org/p"


def test_an_update_creates_under_the_clients_id_and_says_where(server):
    made = server.put(PLAN)
    assert made.status_code == 201
    assert made.headers["ETag"] == 'W/"1"'
    assert made.headers["Location"] == f"{server.base}/PlanDefinition/p/_history/1"
    assert made.headers["Last-Modified"].endswith("GMT")
    assert made.json()["meta"]["versionId"] == "1"


def test_equal_content_makes_no_new_version_whatever_the_order_of_keys(server):
    server.put(PLAN)
    again = server.put(dict(reversed(PLAN.items())))
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')
    assert server.get("PlanDefinition/p/_history").json()["total"] == 1


def test_what_was_read_can_be_written_back_without_a_new_version(server):
    server.put(PLAN)
    assert server.put(server.get("PlanDefinition/p").json()).headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.0", "1.00"), ("1", "true"), ('"1"', "1"), ('{"a":[1,2]}', '{"a":[2,1]}')],
)
def test_content_that_only_python_takes_for_equal_makes_a_version(server, before, after):
    for value in (before, after):
        body = f'{{"resourceType":"Basic","id":"b","extension":[{{"valueX":{value}}}]}}'
        last = server("PUT", "Basic/b", body, Content_Type="application/json")
    assert last.headers["ETag"] == 'W/"2"'


def test_decimals_come_back_with_the_digits_they_were_written_with(server):
    body = '{"resourceType":"Basic","id":"b","extension":[{"valueDecimal":1.500e3}]}'
    server("PUT", "Basic/b", body, Content_Type="application/json")
    assert '"valueDecimal":1.500e3' in server.get("Basic/b").text


def test_other_content_makes_a_new_version_and_the_old_one_stays_readable(server):
    server.put(PLAN)
    assert server.put(PLAN | {"title": "new"}).headers["ETag"] == 'W/"2"'
    assert "title" not in server.get("PlanDefinition/p/_history/1").json()
    assert server.get("PlanDefinition/p").json()["title"] == "new"


def test_an_update_replaces_tags(server):
    server.put(PLAN | {"meta": {"tag": [{"system": "http://x.org", "code": "old"}]}})
    server.put(PLAN | {"meta": {"tag": [{"system": "http://x.org", "code": "new"}]}})
    assert server.found("PlanDefinition?_tag=http://x.org|old") == []
    assert server.found("PlanDefinition?_tag=http://x.org|new") == ["p"]


def test_a_create_gets_an_id_of_the_servers_whatever_id_it_has(server):
    made = server.post(PLAN)
    identity = made.json()["id"]
    assert made.status_code == 201
    assert identity != "p"
    assert made.headers["Location"] == f"{server.base}/PlanDefinition/{identity}/_history/1"
    assert server.get("PlanDefinition/p").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "rule"),
    [
        ("PlanDefinition/q", PLAN, 400, "server-body-id"),
        ("PlanDefinition/p", NEW, 400, "server-body-id"),
        ("Library/p", PLAN, 400, "server-body-type"),
        ("Plan/p", PLAN, 404, "server-unknown-type"),
        ("PlanDefinition/a_b", PLAN | {"id": "a_b"}, 400, "server-id"),
        ("PlanDefinition/" + "x" * 65, PLAN | {"id": "x" * 65}, 400, "server-id"),
        ("PlanDefinition/p", PLAN | {"meta": []}, 400, "server-value"),
        ("PlanDefinition/p", PLAN | {"date": "soon"}, 422, "server-value"),
        ("PlanDefinition/p", PLAN | {"title": {"no": 1}, "url": 5}, 422, "server-value"),
        ("PlanDefinition/p", PLAN | {"meta": {"tag": [SUBSETTED]}}, 422, "server-subsetted"),
        ("PlanDefinition/p", None, 400, "server-no-body"),
        ("PlanDefinition", None, 400, "server-no-body"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(server, path, body, status, rule):
    refused = server("PUT", path, body)
    assert (refused.status_code, rules_of(refused)) == (status, [rule])
    assert server.get("_history").json()["total"] == 0


def test_an_unknown_type_is_told_with_the_nearest_right_one(server):
    assert "did you mean 'PlanDefinition'?" in server.get("PlanDefinitions/p").text


def test_reading_what_was_deleted_is_told_apart_from_what_never_was(server):
    server.put(PLAN)
    gone = server.delete("PlanDefinition/p")
    assert (gone.status_code, gone.headers["ETag"], gone.content) == (204, 'W/"2"', b"")
    deleted = server.get("PlanDefinition/p")
    assert (deleted.status_code, rules_of(deleted)) == (410, ["server-deleted"])
    assert server.get("PlanDefinition/p/_history/2").status_code == 410
    assert server.get("PlanDefinition/p/_history/1").status_code == 200
    unknown = server.get("PlanDefinition/q")
    assert (unknown.status_code, rules_of(unknown)) == (404, ["server-unknown-resource"])


def test_deleting_what_is_not_there_is_done_at_once(server):
    assert server.delete("PlanDefinition/p").status_code == 204
    assert server.get("_history").json()["total"] == 0


def test_a_deleted_id_can_be_used_again_and_its_versions_go_on(server):
    server.put(PLAN)
    server.delete("PlanDefinition/p")
    assert server.found("PlanDefinition") == []
    again = server.put(PLAN)
    assert (again.status_code, again.headers["ETag"]) == (201, 'W/"3"')
    assert server.found(BY_URL) == ["p"]


@pytest.mark.parametrize("version", ["9", "x", "0", "9" * 30])
def test_an_unknown_version_is_told_with_the_newest(server, version):
    server.put(PLAN)
    unknown = server.get(f"PlanDefinition/p/_history/{version}")
    assert (unknown.status_code, rules_of(unknown)) == (404, ["server-unknown-version"])
    assert "the newest is 1" in unknown.text


@pytest.mark.parametrize("body", [PLAN, PLAN | {"title": "changed"}])
def test_a_stale_if_match_is_refused_whatever_the_content(server, body):
    server.put(PLAN)
    server.put(PLAN | {"title": "theirs"})
    stale = server.put(body, If_Match='W/"1"')
    assert (stale.status_code, rules_of(stale)) == (412, ["server-version-conflict"])
    assert server.get("PlanDefinition/p").json()["title"] == "theirs"


@pytest.mark.parametrize("tags", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_a_fitting_if_match_lets_an_update_through(server, tags):
    server.put(PLAN)
    assert server.put(PLAN | {"title": "new"}, If_Match=tags).headers["ETag"] == 'W/"2"'


@pytest.mark.parametrize("tags", ['W/"1"', "*"])
def test_if_match_never_creates(server, tags):
    refused = server.put(PLAN, If_Match=tags)
    assert (refused.status_code, rules_of(refused)) == (412, ["server-version-conflict"])
    assert server.get("PlanDefinition/p").status_code == 404


def test_an_if_match_that_is_no_etag_is_refused(server):
    for wrong in ("one", 'W/"1', 'w/"1"', 'W/"1" or', '"1" "2"', ""):
        assert rules_of(server.put(PLAN, If_Match=wrong)) == ["server-header"]


def test_if_none_match_star_keeps_what_is_there(server):
    assert server.put(PLAN, If_None_Match="*").status_code == 201
    refused = server.put(PLAN | {"title": "new"}, If_None_Match="*")
    assert (refused.status_code, rules_of(refused)) == (412, ["server-exists"])
    assert server.get("PlanDefinition/p").headers["ETag"] == 'W/"1"'
    server.delete("PlanDefinition/p")
    assert server.put(PLAN, If_None_Match="*").status_code == 201


def test_if_match_holds_for_deleting_too(server):
    server.put(PLAN)
    stale = server.delete("PlanDefinition/p", If_Match='W/"2"')
    assert (stale.status_code, rules_of(stale)) == (412, ["server-version-conflict"])
    assert server.get("PlanDefinition/p").status_code == 200
    assert server.delete("PlanDefinition/p", If_Match='W/"1"').status_code == 204


def test_what_a_client_has_already_is_not_sent_again(server):
    modified = server.put(PLAN).headers["Last-Modified"]
    same = server.get("PlanDefinition/p", If_None_Match='W/"1"')
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", 'W/"1"')
    assert server.get("PlanDefinition/p", If_None_Match='W/"2"').status_code == 200
    assert server.get("PlanDefinition/p", If_Modified_Since=modified).status_code == 304
    since = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert server.get("PlanDefinition/p", If_Modified_Since=since).status_code == 200
    assert server.get("PlanDefinition/p", If_Modified_Since="never").status_code == 200


def test_a_conditional_create_makes_one_and_then_finds_it(server):
    criteria = "url=http://x.org/p"
    made = server.post(PLAN, If_None_Exist=criteria)
    assert made.status_code == 201
    again = server.post(PLAN | {"title": "other"}, If_None_Exist=criteria)
    assert (again.status_code, again.headers["Location"]) == (200, made.headers["Location"])
    assert "title" not in again.json()
    assert server.get("_history").json()["total"] == 1


def test_a_conditional_interaction_with_several_matches_is_refused(server):
    server.put(PLAN)
    server.put(PLAN | {"id": "q"})
    for refused in (
        server.post(PLAN, If_None_Exist="url=http://x.org/p"),
        server("PUT", BY_URL, NEW),
        server.delete(BY_URL),
    ):
        assert (refused.status_code, rules_of(refused)) == (412, ["server-multiple-matches"])
    assert server.get("_history").json()["total"] == 2


@pytest.mark.parametrize(
    ("criteria", "status", "rule"),
    [
        ("colour=red", 400, "server-search-parameter"),
        ("url:foo=x", 400, "server-search-modifier"),
        ("date=soon", 400, "server-search-value"),
        ("", 412, "server-no-criteria"),
        ("url=", 412, "server-no-criteria"),
        ("_count=5", 400, "server-search-parameter"),
    ],
)
def test_criteria_that_do_not_select_are_refused(server, criteria, status, rule):
    server.put(PLAN)
    for refused in (
        server.post(PLAN, If_None_Exist=criteria),
        server("PUT", f"PlanDefinition?{criteria}", NEW),
        server.delete(f"PlanDefinition?{criteria}"),
    ):
        assert (refused.status_code, rules_of(refused)) == (status, [rule])
    assert server.get("_history").json()["total"] == 1


def test_a_conditional_update_without_a_match_creates_under_the_clients_id(server):
    assert server("PUT", BY_URL, PLAN).status_code == 201
    assert server.found(BY_URL) == ["p"]


def test_a_conditional_update_without_match_and_id_gets_an_id_of_the_servers(server):
    made = server("PUT", BY_URL, NEW)
    assert made.status_code == 201
    assert server.found(BY_URL) == [made.json()["id"]]


@pytest.mark.parametrize("body", [NEW | {"title": "new"}, PLAN | {"title": "new"}])
def test_a_conditional_update_changes_its_one_match(server, body):
    server.put(PLAN)
    changed = server("PUT", BY_URL, body)
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')
    assert server.get("PlanDefinition/p").json()["title"] == "new"
    assert server("PUT", BY_URL, body).headers["ETag"] == 'W/"2"'


def test_a_conditional_update_with_the_id_of_another_is_refused(server):
    server.put(PLAN)
    refused = server("PUT", BY_URL, PLAN | {"id": "q"})
    assert (refused.status_code, rules_of(refused)) == (400, ["server-match-id"])
    refused = server("PUT", "PlanDefinition?url=http://x.org/other", PLAN)
    assert (refused.status_code, rules_of(refused)) == (409, ["server-id-taken"])
    assert server.get("_history").json()["total"] == 1


def test_a_conditional_update_keeps_if_match(server):
    server.put(PLAN)
    assert server("PUT", BY_URL, NEW | {"title": "x"}, If_Match='W/"2"').status_code == 412


def test_a_conditional_delete_takes_its_one_match(server):
    server.put(PLAN)
    assert server.delete("PlanDefinition?url=http://x.org/other").status_code == 204
    assert server.get("PlanDefinition/p").status_code == 200
    assert server.delete(BY_URL).status_code == 204
    assert server.get("PlanDefinition/p").status_code == 410


def test_a_part_of_a_resource_is_read_by_elements_and_summary(server):
    server.put(PLAN | {"description": "long", "copyright": "x", "action": [{"title": "step"}]})
    part = server.get("PlanDefinition/p?_elements=url").json()
    assert part.keys() == {"resourceType", "id", "meta", "status", "url"}
    assert [tag["code"] for tag in part["meta"]["tag"]] == ["SUBSETTED"]
    assert "action" not in server.get("PlanDefinition/p?_summary=true").json()
    assert server.get("PlanDefinition/p?_summary=data").json()["action"]
    assert server.get("PlanDefinition/p?_summary=maybe").status_code == 400


def test_a_part_of_a_resource_does_not_replace_the_whole(server):
    server.put(PLAN | {"copyright": "x"})
    part = server.get("PlanDefinition/p?_elements=url").json()
    assert rules_of(server.put(part)) == ["server-subsetted"]
    assert server.get("PlanDefinition/p").json()["copyright"] == "x"


def test_clients_at_once_never_make_duplicates(server):
    def write(number):
        body = NEW | {"title": str(number % 3)}
        made = server.post(body, If_None_Exist="url=http://x.org/p").status_code
        return made, server("PUT", BY_URL, body).status_code

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(write, range(24)))
    assert sorted(made for made, _ in answers) == [200] * 23 + [201]
    assert {changed for _, changed in answers} == {200}
    assert len(server.found(BY_URL)) == 1


def test_of_two_that_update_the_same_version_one_is_refused(server):
    server.put(PLAN)
    with ThreadPoolExecutor(8) as clients:
        answers = list(
            clients.map(lambda n: server.put(PLAN | {"title": str(n)}, If_Match='W/"1"'), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


@pytest.mark.parametrize(
    "path", ["Patient/p?foo=1", "Patient/p/_history/1?_include=*", "Patient/p?_sumary=true"]
)
def test_a_read_takes_no_parameter_that_it_does_not_know(server, path):
    server.put({"resourceType": "Patient", "id": "p"})
    refused = server.get(path)
    assert (refused.status_code, rules_of(refused)) == (400, ["server-search-parameter"])
    assert server.get(path, Prefer="handling=lenient").status_code == 200


def test_a_version_has_one_name(server):
    server.put({"resourceType": "Patient", "id": "p"})
    found = {
        name: server.get(f"Patient/p/_history/{name}").status_code for name in ("1", "01", "+1")
    }
    assert found == {"1": 200, "01": 404, "+1": 404}
