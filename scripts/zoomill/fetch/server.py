"""Ask a web server, which may answer anything, slowly, or without end: what goes wrong becomes Broken or Wrong."""

import contextlib
import email.utils
import math
import re
import signal
import time
import urllib.parse

import requests

from zoomill.fetch.expected_file import Broken, Wrong
from zoomill.printable import printable

TIMEOUT = (15, 60)  # seconds for connecting; seconds without a byte
MIN_RATE = 1000  # bytes of content a second, below which a server is given up
WINDOW = 60  # seconds of waiting for which it counts
MAX_WAIT = 120  # seconds that a server may ask us to wait
MAX_REDIRECTS = 10
BLOCK = 1 << 18  # bytes
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one in a moment
MOVED = (301, 302, 303, 307, 308)


class Session(requests.Session):
    """A session for :func:`answer`, which follows redirects itself: requests reads their content, however long."""

    def __init__(self):
        super().__init__()
        self.headers.update({"User-Agent": "zoomill", "Accept-Encoding": "identity"})

    def get_redirect_target(self, response):
        """Return None: there is nothing to follow."""


class Pace:
    """Holds a server to MIN_RATE, also where it keeps a library busy with headers or a byte now and then."""

    def __init__(self):
        self._bytes, self._left = 0, WINDOW

    def came(self, count):
        """Note bytes of content."""
        self._bytes += count

    @contextlib.contextmanager
    def waiting(self):
        """Raise Broken in the block, in the main thread, when time is over and too little came."""
        former = signal.signal(signal.SIGALRM, self._over)
        signal.setitimer(signal.ITIMER_REAL, max(self._left, 1e-3))
        try:
            yield
        finally:
            self._left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
            signal.signal(signal.SIGALRM, former)

    def _over(self, *_):
        if self._bytes < MIN_RATE * WINDOW:
            raise Broken(f"gave less than {MIN_RATE} bytes a second", wait=math.inf)
        self._bytes = 0
        signal.setitimer(signal.ITIMER_REAL, WINDOW)


@contextlib.contextmanager
def answer(session, location, headers, pace):
    """Yield the requests.Response to a GET, redirects followed, whose content :func:`blocks` reads.

    Args:
        session: :class:`Session`.
        location: http(s) URL.
        headers: of the request.
        pace: :class:`Pace`.

    Raises:
        Broken, Wrong: when there is none.
    """
    with contextlib.ExitStack() as stack:
        with _blaming("did not answer"), pace.waiting():
            response = stack.enter_context(_followed(session, location, headers))
        yield response


def blocks(response, pace, size=0):
    """Yield the content of an answer as it was sent, after ``size`` bytes that came before.

    Raises:
        Broken: when it breaks off.
    """
    while True:
        with _blaming(f"broke off after {size} bytes"), pace.waiting():
            # Not unpacked: what a server labels `Content-Encoding: gzip` for its name must stay packed.
            block = response.raw.read1(BLOCK, decode_content=False)
        if not block:
            return
        size += len(block)
        pace.came(len(block))
        yield block


def check_status(response):
    """Refuse any answer but content.

    Raises:
        Broken: with the time to wait, when the server is busy.
        Wrong: when it does not give the file.
    """
    status = response.status_code
    if status in (requests.codes.ok, requests.codes.partial_content):
        return
    text = f"answered {status} {printable(str(response.reason), 100)}"
    if status not in BUSY:
        raise Wrong(text)
    wait = _retry_after(response.headers.get("Retry-After", ""))
    raise Broken(f"{text}, to be asked again in {wait:.0f} s" if wait else text, wait)


def length(response):
    """Return the bytes of the content as the headers tell them, or None; whether it is chunked.

    Raises:
        Wrong: when they tell nonsense.
    """
    coding = response.headers.get("Transfer-Encoding", "").strip().lower()
    if coding == "chunked":
        return None, True
    text = response.headers.get("Content-Length")
    found = re.fullmatch(r"\s*([0-9]{1,18})(\s*,\s*\1)*\s*", text or "")
    if coding or (text is not None and not found):
        raise Wrong(f"has no length that can be read ({printable(coding or text, 30)})")
    return (int(found[1]) if found else None), False


def reason(error):
    """Return in a few words why a request failed, out of the errors nested in one of requests or urllib3."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return printable(str(getattr(error, "strerror", None) or error) or type(error).__name__, 200)


@contextlib.contextmanager
def _blaming(text):
    """Turn whatever requests, urllib3 and http.client raise for a bad answer into Broken or Wrong."""
    try:
        yield
    except (Broken, Wrong):
        raise
    except ValueError as error:  # also that of a URL or header which cannot be
        raise Wrong(f"cannot be asked ({reason(error)})") from None
    except Exception as error:
        raise Broken(f"{text} ({reason(error)})") from None


def _followed(session, location, headers):
    """Return an answer that is no redirect."""
    url, auth = location, requests.utils.get_auth_from_url(location)
    for _ in range(MAX_REDIRECTS + 1):
        own = any(auth) and not session.should_strip_auth(location, url)
        response = session.get(url, headers=headers, auth=auth if own else None, stream=True, timeout=TIMEOUT)
        target = response.headers.get("Location") if response.status_code in MOVED else None
        if target is None:
            return response
        response.close()
        # Headers are read as Latin-1; what is no ASCII in them is UTF-8.
        url = urllib.parse.urljoin(url, target.encode("latin-1").decode())
    raise Wrong(f"redirects more than {MAX_REDIRECTS} times")


def _retry_after(text):
    """Return the seconds that a ``Retry-After`` asks to wait, 0 where it says nothing."""
    if re.fullmatch("[0-9]+", text):
        return float(text)
    try:
        return max(0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return 0
