"""An answer that is at hand, in the form in which it goes over the wire."""

from typing import NamedTuple

Headers = list[tuple[bytes, bytes]]


class Ready(NamedTuple):
    """What a server may send as it is; the line of the status, and what the connection needs, are its own."""

    status: int
    head: bytes
    """Lines of headers, each with its end; names in lower case."""
    body: bytes

    def headers(self) -> Headers:
        """As ASGI hands them over."""
        lines = (line.partition(b": ") for line in self.head.split(b"\r\n")[:-1])
        return [(name, value) for name, _, value in lines]


def head(headers: Headers) -> bytes:
    """Headers as lines."""
    return b"".join([b"%b: %b\r\n" % (name.lower(), value) for name, value in headers])
