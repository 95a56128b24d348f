"""Problems: RFC 9457, with nothing in them that was not said."""

from http import HTTPStatus

import msgspec

from api.problems import FieldError, Problem, bad_parameters, problem_response
from api.resources import MetaResource

META = MetaResource(slot=5, position=9, generation=1, complete_through_slot=4, lag_s=0.25)


def test_a_problem_has_the_members_of_the_rfc_and_ours() -> None:
    response = problem_response(Problem(HTTPStatus.NOT_FOUND, "vault_not_found", "no vault"), "/v1/vaults/x", "id-1")
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert isinstance(response.body, bytes)
    assert msgspec.json.decode(response.body) == {
        "type": "urn:collateral-vault:problem:vault_not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "no vault",
        "instance": "/v1/vaults/x",
        "code": "vault_not_found",
        "requestId": "id-1",
    }


def test_a_problem_can_say_how_complete_we_are() -> None:
    response = problem_response(Problem(HTTPStatus.NOT_FOUND, "c", "d", meta=META), "/", "i")
    assert isinstance(response.body, bytes)
    assert msgspec.json.decode(response.body)["meta"] == {
        "slot": 5,
        "position": 9,
        "generation": 1,
        "completeThroughSlot": 4,
        "lagS": 0.25,
    }


def test_every_wrong_parameter_is_listed_and_in_the_sentence() -> None:
    problem = bad_parameters(FieldError(parameter="a", detail="is bad"), FieldError(parameter="b", detail="is worse"))
    assert problem.detail == "a: is bad; b: is worse"
    response = problem_response(problem, "/", "i")
    assert isinstance(response.body, bytes)
    body = msgspec.json.decode(response.body)
    assert body["errors"] == [{"parameter": "a", "detail": "is bad"}, {"parameter": "b", "detail": "is worse"}]
    assert response.status == 400


def test_headers_of_a_problem_are_sent() -> None:
    problem = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "c", "d", headers={"Retry-After": "1"})
    assert problem_response(problem, "/", "i").headers["Retry-After"] == "1"
