"""The guard and the server of local pages."""

import gzip
import json
import os
import signal
import socket
import threading
import time

import pytest
import served

from keras_gans.serving import web


async def echo(scope, receive, send):
    """Answers with the number of bytes that it was sent."""
    message = await receive()
    if scope["path"] == "/fails":
        raise RuntimeError("a secret")
    if scope["path"] == "/refuses":
        raise web.Refused(418, "short and stout")
    if scope["path"] == "/waits":
        WAITING.set()
        GO.wait(10)
    body = str(len(message["body"])).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


WAITING, GO = threading.Event(), threading.Event()


@pytest.fixture(scope="module")
def page():
    guard = web.Guard(echo, hosts=["gan.example"], max_body=1000, timeout=0.3)
    with web.WebServer(guard, timeout=0.3) as running:
        yield running


@pytest.fixture
def visitor(page):
    made = served.Client(page.port)
    yield made
    made.close()


def raw(page, data, patience=5):
    """Sends bytes as they are; returns the reply and the seconds it took."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=patience) as end:
        end.sendall(data)
        begun, reply = time.monotonic(), b""
        try:
            while part := end.recv(2**16):
                reply += part
        except ConnectionResetError:
            pass
        return reply, time.monotonic() - begun


def test_a_sound_request_passes_with_strict_headers(visitor):
    assert visitor.ask("POST", "/", b"x" * 1000) == (200, b"1000")
    policy = visitor.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert visitor.headers["x-content-type-options"] == "nosniff"
    assert visitor.headers["server"] is None


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8", "gan.example"])
def test_own_hosts_pass(visitor, host):
    assert visitor.ask("GET", "/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "[::1", "127.0.0.1.nip.io"]
)
def test_hosts_of_strangers_are_refused(visitor, host):
    status, told = visitor.ask("GET", "/", headers={"Host": host})
    assert status == 403
    assert repr(host) in told["error"]


def test_two_hosts_are_refused(page):
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert raw(page, head)[0].startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


def test_pages_of_other_origins_are_refused(page, visitor):
    own = f"http://127.0.0.1:{page.port}"
    assert visitor.ask("POST", "/", b"", {"Origin": own})[0] == 200
    for origin in ("http://evil.example", "null", own + "0", "http://[", "file://"):
        status, told = visitor.ask("POST", "/", b"", {"Origin": origin})
        assert status == 403, origin
        assert origin in told["error"]


def test_a_large_body_is_refused_before_it_comes(page):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
    reply, seconds = raw(page, head)
    assert reply.startswith(b"HTTP/1.1 413")
    assert b"more than 1000 bytes" in reply
    assert seconds < 0.25  # and not after the time that a body may take


def test_a_large_body_in_chunks_is_refused(page):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"100\r\n" + b"x" * 256 + b"\r\n" for _ in range(4))
    assert raw(page, head + chunks)[0].startswith(b"HTTP/1.1 413")


def test_bodies_of_all_requests_are_bounded(page):
    guard = web.Guard(echo, max_body=1000, max_bodies=1500, timeout=1)
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    with web.WebServer(guard, timeout=1) as small:
        with socket.create_connection(("127.0.0.1", small.port)) as slow:
            slow.sendall(head + b"x" * 999)
            time.sleep(0.1)
            assert raw(small, head + b"x" * 1000)[0].startswith(b"HTTP/1.1 503")
        time.sleep(0.1)
        visitor = served.Client(small.port)
        assert visitor.ask("POST", "/", b"x" * 1000) == (200, b"1000")
        visitor.close()


def test_bodies_may_be_packed(visitor):
    packed = {"Content-Encoding": "gzip"}
    assert visitor.ask("POST", "/", gzip.compress(b"x" * 999), packed) == (200, b"999")
    assert visitor.ask("POST", "/", b"x", {"Content-Encoding": "identity"})[0] == 200
    whole = gzip.compress(os.urandom(300))
    for body, encoding, status, told in (
        (gzip.compress(b"x" * 1001), "gzip", 413, "more than 1000 bytes"),
        (gzip.compress(b"x" * 900_000), "gzip", 413, "more than 1000 bytes"),
        (whole[:-1], "gzip", 400, "cut short"),
        (whole + whole, "gzip", 400, "more than one gzip"),
        (b"", "gzip", 400, "cut short"),
        (b"plain", "gzip", 400, "The body is no gzip"),
        (b"x", "br", 415, "plain or as gzip. Received: 'br'"),
    ):
        found, reply = visitor.ask("POST", "/", body, {"Content-Encoding": encoding})
        assert (found, told in reply["error"]) == (status, True), reply


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc", b"408"),
        (b"GET / HTTP/1.1\r\nHo", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT", b"200"),
    ],
)
def test_slow_clients_are_cut_off(page, sent, status):
    reply, seconds = raw(page, sent)
    assert reply[9:12] == status
    assert seconds < 2


def test_one_that_trickles_is_cut_off(page):
    """A byte now and then does not keep a connection."""
    with socket.create_connection(("127.0.0.1", page.port)) as slow:
        begun = time.monotonic()
        with pytest.raises(OSError):
            for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1000:
                slow.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.monotonic() - begun < 2


def test_a_failure_is_told_without_its_text(visitor, caplog):
    status, told = visitor.ask("GET", "/fails")
    assert status == 500
    assert "secret" not in json.dumps(told)
    assert "a secret" in caplog.text
    assert visitor.ask("GET", "/refuses") == (418, {"error": "short and stout"})


def test_requests_are_logged_in_one_line(visitor, caplog):
    caplog.set_level("INFO", "keras_gans.access")
    visitor.ask("GET", "/a%0A%1B%22b")
    lines = []
    deadline = time.monotonic() + 5  # it is logged once it is answered
    while not lines and time.monotonic() < deadline:
        lines = [m for m in caplog.messages if "GET /a" in m]
    [line] = lines
    assert line.startswith(r"127.0.0.1 GET /a\n\x1b" + '"b 200 1 bytes ')


def test_a_port_in_use_is_told(page):
    with pytest.raises(ValueError, match=rf"port {page.port} of 127.0.0.1 is in use"):
        web.WebServer(echo, port=page.port)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"port": 65536}, r"`port` must lie in \[0, 65535\]. Received: 65536"),
        ({"port": "80"}, "`port` must lie in"),
        ({"host": "no such host"}, "`host` must be an address of this machine"),
        ({"host": "192.0.2.1"}, "Cannot listen on port 0 of 192.0.2.1"),
    ],
)
def test_bad_places_are_told(given, told):
    with pytest.raises(ValueError, match=told):
        web.WebServer(echo, **given)


def test_a_signal_lets_requests_in_flight_be_answered(capfd):
    WAITING.clear()
    GO.clear()
    told, answers = [], []

    def visit():
        visitor = served.Client(told[0])
        threading.Thread(target=stop).start()
        answers.append(visitor.ask("GET", "/waits"))
        visitor.close()

    def stop():
        WAITING.wait(10)
        os.kill(os.getpid(), signal.SIGTERM)
        GO.set()

    def tell(url):
        told.append(int(url.rstrip("/").rpartition(":")[2]))
        thread.start()

    thread = threading.Thread(target=visit)
    web.run(web.Guard(echo), told=tell)
    thread.join()
    assert answers == [(200, b"0")]
    assert "SIGTERM: answering the last requests" in capfd.readouterr().err
