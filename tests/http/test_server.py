"""What only shows on a socket: connections that live on, and those that are closed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from app.http import server
from app.http.bodies import BodyBounds
from app.http.middleware import RequestContext
from app.http.server import PortInUse, Timeouts, listen, run
from tests.http.conftest import SECRET, Connection
from tests.serving import eventually, served

Connect = Callable[[], Connection]
Logs = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(("path", "status"), [("/v1/fails", 500), ("/v1/hangs", 503), ("/nowhere", 404)])
def test_a_connection_survives_an_error(connect: Connect, path: str, status: int) -> None:
    connection = connect()

    assert connection.get(path)[0] == status
    assert connection.get("/v1/claims")[0] == 200


def test_a_failure_midway_closes_the_connection(connect: Connect) -> None:
    connection = connect()
    connection.send(b"GET /v1/fails-midway HTTP/1.1\r\nHost: test\r\n\r\n")
    received = connection.file.read()

    assert b"one piece" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert SECRET.encode() not in received


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_exactly_one_host_is_required(connect: Connect, hosts: bytes) -> None:
    connection = connect()
    connection.send(b"GET /v1/claims HTTP/1.1\r\n" + hosts + b"\r\n")

    status, headers, body = connection.answer()
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert b'"code":"malformed_request"' in body
    assert connection.get("/v1/claims")[0] == 200


@pytest.mark.parametrize("version", [b"0.9", b"2.0"])
def test_another_version_is_refused(connect: Connect, version: bytes) -> None:
    connection = connect()
    connection.send(b"GET /v1/claims HTTP/%s\r\nHost: test\r\n\r\n" % version)

    status, headers, body = connection.answer()
    assert (status, headers["content-type"], headers["connection"]) == (400, "application/problem+json", "close")
    assert b'"code":"malformed_request"' in body


def test_a_body_over_the_limit_is_refused_before_it_is_sent(connect: Connect) -> None:
    connection = connect()
    connection.send(b"POST /v1/drugs HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n")

    status, headers, _ = connection.answer()
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    connection.send(b"x" * 1001)
    assert connection.get("/v1/claims")[0] == 200


def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(connect: Connect) -> None:
    connection = connect()
    connection.send(b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send(b"1f4\r\n" + b"x" * 500 + b"\r\n")
    connection.send(b"1f5\r\n" + b"x" * 501 + b"\r\n")

    status, headers, body = connection.answer()
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert b"1000 bytes" in body
    connection.send(b"0\r\n\r\n")
    assert connection.get("/v1/claims")[0] == 200


def test_a_chunked_body_within_the_limit_arrives(connect: Connect) -> None:
    connection = connect()
    connection.send(b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.send(b"1f4\r\n" + b"x" * 500 + b"\r\n")
    connection.send(b"1f4\r\n" + b"x" * 500 + b"\r\n0\r\n\r\n")

    assert connection.answer()[::2] == (200, b"1000")


def test_a_connection_without_a_request_is_closed(connect: Connect) -> None:
    assert connect().closed()


def test_slow_headers_are_cut_off(connect: Connect) -> None:
    connection = connect()
    assert connection.get("/v1/claims")[0] == 200

    assert connection.trickle(b"GET /v1/claims HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 200)


def test_a_slow_body_is_cut_off(connect: Connect) -> None:
    connection = connect()
    connection.send(b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nContent-Length: 500\r\n\r\n")

    assert connection.trickle(b"x" * 200)


def test_blank_lines_do_not_keep_a_connection_open(connect: Connect) -> None:
    connection = connect()
    assert connection.get("/v1/claims")[0] == 200

    assert connection.trickle(b"\r\n" * 100)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /v1/claims HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 40_000, 431),
        (b"GET / HTTP/1.1\r\nHost: test\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(8000)), 431),
        (b"GET /v1/claims?condition=" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: test", 414),
        (b"\r\n\r\nGET /" + b"x" * 2_000_000, 414),
    ],
    ids=["one large header", "many headers", "a long address", "an address without end"],
)
def test_an_oversized_head_is_refused(connect: Connect, logs: Logs, head: bytes, status: int) -> None:
    connection = connect()
    assert connection.get("/v1/claims")[0] == 200
    connection.send(head + b"\r\n\r\n")

    assert_refused(connection, status, logs)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/claims HTTP/1.1\r\nHost: test\r\nContent-Length: a\r\n\r\n",
        b"GET /v1/claims HTTP/1.1\r\nHost: test\r\n broken: header\r\n\r\n",
        b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["no request", "length", "header", "chunk", "TLS", "HTTP/2"],
)
def test_what_the_parser_cannot_read_is_refused_like_anything_else(
    connect: Connect, logs: Logs, request_bytes: bytes
) -> None:
    connection = connect()
    connection.send(request_bytes)

    assert_refused(connection, 400, logs)


def test_requests_before_one_that_cannot_be_read_are_answered_first(connect: Connect, logs: Logs) -> None:
    connection = connect()
    connection.send(b"GET /v1/hangs HTTP/1.1\r\nHost: test\r\n\r\n" + ECHO % 1 + b"nonsense\r\n\r\n")

    assert connection.answer()[0] == 503
    assert connection.answer()[2] == b'["1"]'
    assert_refused(connection, 400, logs)


@pytest.mark.parametrize(
    ("line", "number", "status"),
    [(b"X: %s\r\n" % (b"x" * 40_000), 1, 431), (b"X: y\r\n", 200_000, 431), (b"", 0, 414)],
    ids=["one large header", "many headers", "a long address"],
)
def test_an_oversized_head_behind_another_request_is_refused(
    connect: Connect, logs: Logs, line: bytes, number: int, status: int
) -> None:
    """The request before it, with its body, is answered first."""
    connection = connect()
    address = b"/" + b"x" * (0 if number else 40_000)
    slow = b"GET /v1/hangs HTTP/1.1\r\nHost: test\r\nContent-Length: 13\r\n\r\n" + b"x" * 13
    connection.send(slow + b"GET %s HTTP/1.1\r\nHost: test\r\n" % address + line * number + b"\r\n")

    assert connection.answer()[0] == 503
    assert_refused(connection, status, logs)


def test_a_head_up_to_the_limit_is_read(connect: Connect) -> None:
    head = b"GET /v1/claims HTTP/1.1\r\nHost: test\r\nX: "
    large = head + b"x" * (server.MAX_HEAD_BYTES - len(head) - 4) + b"\r\n\r\n"
    connection = connect()
    connection.send(large * 3)

    assert [connection.answer()[0] for _ in range(3)] == [200] * 3
    connection.send(large.replace(b"X: ", b"X: x"))
    assert connection.answer()[0] == 431


CHUNKED = b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"1;" + b"x" * 100_000 + b"\r\nx\r\n0\r\n\r\n",
        b"1;%s\r\nx\r\n" % (b"x" * 200) * 500 + b"0\r\n\r\n",
        b"1\r\nx\r\n0\r\n" + b"X: yyyyyy\r\n" * 10_000 + b"\r\n",
        b"1\r\nx\r\n0\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["extension", "many extensions", "trailers", "one large trailer"],
)
def test_what_frames_a_body_is_bounded(connect: Connect, logs: Logs, body: bytes) -> None:
    connection = connect()
    connection.send(CHUNKED + body)

    assert_refused(connection, 400, logs)


@pytest.mark.parametrize(("size", "number"), [(1, 50_000), (7, 30_000), (4096, 250)])
def test_chunks_may_be_small_and_many(app: FastAPI, size: int, number: int) -> None:
    chunks = b"%x\r\n%s\r\n" % (size, b"x" * size) * number
    with served(RequestContext(app, max_body_bytes=BodyBounds(2_000_000, media_types=()), deadline_seconds=5)) as port:
        connection = Connection(port)
        connection.send(CHUNKED + chunks + b"0;last\r\nExpires: now\r\n\r\n" + ECHO % 1)
        assert connection.answer()[::2] == (200, b"%d" % (size * number))
        assert connection.answer()[::2] == (200, b'["1"]')
        connection.file.close()
        connection.socket.close()


def assert_refused(connection: Connection, status: int, logs: Logs) -> None:
    """A problem with an id that the log has too, and then the end of the connection."""
    answered, headers, body = connection.answer()
    assert (answered, headers["content-type"], headers["connection"]) == (status, "application/problem+json", "close")
    assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert connection.closed()
    eventually("logged", lambda: any(line.get("request_id") == headers["x-request-id"] for line in logs()))
    [line] = [line for line in logs() if line.get("request_id") == headers["x-request-id"]]
    assert (line["event"], line["status"]) == ("request", status)


def test_a_body_may_come_together_with_its_head(app: FastAPI) -> None:
    """It does not count as head, however much of it is received in one go."""
    with served(RequestContext(app, max_body_bytes=BodyBounds(1_000_000, media_types=()), deadline_seconds=5)) as port:
        for _ in range(20):
            connection = Connection(port)
            connection.send(
                b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
            )
            assert connection.answer()[::2] == (200, b"200000")
            connection.file.close()
            connection.socket.close()


def test_http_1_0_needs_no_host(connect: Connect) -> None:
    connection = connect()
    connection.send(b"GET /v1/claims HTTP/1.0\r\n\r\n")

    assert connection.answer()[0] == 200


def test_a_request_of_any_framing_is_bounded(connect: Connect) -> None:
    """Here by the extensions of its chunks, which no body shows."""
    connection = connect()
    connection.send(b"POST /v1/swallows HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1;")

    assert connection.flood(b"x" * (server.MAX_REQUEST_BYTES + 1_000_000))


@pytest.mark.parametrize("timeouts", [Timeouts(receive=60, shutdown=2)])
@pytest.mark.parametrize(
    "start",
    [b"GET /v1/claims HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "],
    ids=["header", "trailer"],
)
def test_a_header_without_end_is_not_collected(connect: Connect, start: bytes) -> None:
    connection = connect()
    connection.send(start)

    assert connection.flood(b"x" * 2_000_000)


def test_the_server_does_not_say_what_it_is_but_when(connect: Connect) -> None:
    _, headers, _ = connect().get("/v1/claims")

    assert "server" not in headers
    assert "date" in headers


def test_head_on_a_socket_sends_no_body(connect: Connect) -> None:
    connection = connect()
    connection.send(b"HEAD /v1/claims/a HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")

    head, _, body = connection.file.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length: 11" in head
    assert body == b""


ECHO = b"GET /v1/claims?condition=%d HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_wants_the_connection_closed_gets_the_whole_answer_first(connect: Connect, version: str) -> None:
    connection = connect()
    connection.send(ECHO.replace(b"1.1\r\n", f"{version}\r\nConnection: close\r\n".encode()) % 1)

    head, _, body = connection.file.read().partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert body == b'["1"]'


def test_requests_sent_in_one_go_are_answered_in_order(connect: Connect) -> None:
    """A hundred deep, behind one that takes its time: nothing overtakes."""
    slow = b"GET /v1/hangs HTTP/1.1\r\nHost: test\r\n\r\n"
    connection = connect()
    connection.send(ECHO % 0 + ECHO % 1 + slow + b"".join(ECHO % number for number in range(2, 100)))

    answers = [connection.answer() for _ in range(101)]
    assert answers[2][0] == 503
    assert [body for _, _, body in answers[:2] + answers[3:]] == [b'["%d"]' % number for number in range(100)]


def test_a_client_that_does_not_read_is_not_sent_more_and_more(connect: Connect) -> None:
    """What waits to be written holds back further answers, which come when it is read."""
    connection = connect()
    for _ in range(10):
        connection.send(b"GET /v1/claims/large HTTP/1.1\r\nHost: test\r\n\r\n" * 10)
    assert all(len(connection.answer()[2]) == 70_000 for _ in range(100))


def test_a_taken_port_is_reported_before_the_app_is_imported() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port} on 127.0.0.1 is taken; set PORT=\.\.\."):
            run("no_such_module:app", "127.0.0.1", port)
