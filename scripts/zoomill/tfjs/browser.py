"""Running models in headless Chromium, on the page web/prove.html."""

import contextlib
import os
import shutil

from zoomill.errors import UserError
from zoomill.tfjs import static_server
from zoomill.tfjs.node_process import WEB, CannotRun

PROGRAM = "chromium"
_FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")
_WEBGPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
# Bytes of inputs that a page is given at once.
_AT_ONCE = 1 << 24
_ANSWERED = "zoomill: answered"
# Not awaited at once: waiting for a message has a time limit, and needs no eval, which the page's policy forbids.
_CALL = """request => {
    const tell = (answer) => {
        window.answer = answer;
        console.debug("%s");
    };
    %s(request).then((value) => tell({ value }), (error) => tell({ error: String(error.message || error) }));
}"""


class Browser:
    """A running Chromium.

    Attributes:
        version: of Chromium.
        adapter: what drives WebGPU, or None without.
        backends: of TensorFlow.js, WebGPU only where it has an adapter.
    """

    def __init__(self, chromium, address, seconds):
        self._chromium, self._address, self._seconds = chromium, address, seconds
        self.version = chromium.version
        self._page = None
        self.open()
        self.adapter = self._page.evaluate("adapter()")
        self.backends = ["wasm", "webgl", *(["webgpu"] if self.adapter else [])]

    def open(self, path="web/prove.html"):
        """Open a page in place of the one before."""
        if self._page:
            self._page.close()
        self._page = self._chromium.new_page()
        self._page.goto(f"{self._address}/{path}")

    def call(self, function, request):
        """Return what a function of the page gives for a JSON value.

        The page stays, and with it what it compiled. After an error it is opened anew.

        Raises:
            CannotRun: with the page's reason, or when it takes too long.
        """
        from playwright.sync_api import Error, TimeoutError

        try:
            with self._page.expect_console_message(_is_answer, timeout=self._seconds * 1000):
                self._page.evaluate(_CALL % (_ANSWERED, function), request)
            answer = self._page.evaluate("window.answer")
        except TimeoutError:
            answer = {"error": f"no answer within {self._seconds:g} s"}
        except Error as error:
            answer = {"error": str(error)}
        if "error" in answer:
            self.open()
            raise CannotRun(answer["error"].splitlines()[0])
        return answer["value"]


def in_parts(feeds):
    """Yield inputs, ``{name: array}`` each, in lists that a page can be given at once, of one at least."""
    part, size = [], 0
    for feed in feeds:
        more = sum(array.nbytes for array in feed.values())
        if part and size + more > _AT_ONCE:
            yield part
            part, size = [], 0
        part.append(feed)
        size += more
    yield part


def _is_answer(message):
    return message.text == _ANSWERED


@contextlib.contextmanager
def start(folders, program=PROGRAM, seconds=300, webgpu=True):
    """Yield a :class:`Browser` whose page finds the files of ``folders``.

    Args:
        folders: ``{name: folder}``: ``javascript``, the packages, and those of the models; ``web`` is our own.
        program: Chromium.
        seconds: how long a model may take.
        webgpu: whether Chromium is to have WebGPU, on the processor too where there is no graphics card.

    Raises:
        UserError: when Chromium is not installed or does not start.
    """
    from playwright.sync_api import Error, sync_playwright

    path = shutil.which(program)
    if path is None:
        raise UserError(f"{program}: is not installed; install it, or say `browser: false` in config.yaml")
    with static_server.serve({"web": WEB, **folders}) as address, sync_playwright() as playwright:
        flags = [*_FLAGS, *(_WEBGPU if webgpu else ())]
        try:
            chromium = playwright.chromium.launch(executable_path=os.path.abspath(path), args=flags)
        except Error as error:
            raise UserError(f"{path}: does not start: {str(error).splitlines()[0]}") from error
        try:
            yield Browser(chromium, address, seconds)
        finally:
            chromium.close()
