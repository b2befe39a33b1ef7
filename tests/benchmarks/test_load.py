"""The load generator tells a whole answer from a part of one, and an open connection from a closed one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from benchmarks import load

HEAD = b"HTTP/1.1 200 OK\r\n"


def test_an_answer_is_complete_by_its_length_its_last_chunk_or_its_status() -> None:
    assert load.is_complete(bytearray(HEAD + b"Content-Length: 2\r\n\r\nok"))
    assert not load.is_complete(bytearray(HEAD + b"Content-Length: 3\r\n\r\nok"))
    assert load.is_complete(bytearray(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
    assert load.is_complete(bytearray(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"))
    assert not load.is_complete(bytearray(HEAD))


@contextmanager
def server(accepted: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that hands each of 20 connections on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            for _ in range(20):
                accepted(listener.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_sockets_that_the_server_keeps_are_open() -> None:
    connections: list[socket.socket] = []
    with server(connections.append) as port:
        assert load.open_slow_sockets(port, count=20, seconds=1) == 20
    for connection in connections:
        connection.close()


def test_sockets_that_the_server_closes_are_not_open_even_after_an_answer() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        connection.close()

    with server(refuse) as port:
        assert load.open_slow_sockets(port, count=20, seconds=1) == 0


def test_calibration_takes_time() -> None:
    assert load.calibration_seconds() > 0
