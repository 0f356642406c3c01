"""Running models in headless Chromium, on the page web/prove.html."""

import contextlib
import shutil

from zoomill import static_server
from zoomill.errors import UserError
from zoomill.tfjs_runtime import WEB, CannotRun

PROGRAM = "chromium"
# WebGPU is on, on a processor too where there is no graphics card; nothing is asked for over the network.
_FLAGS = (
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
)


class Browser:
    """A running Chromium.

    Attributes:
        version: of Chromium.
        adapter: what drives WebGPU, or None without.
    """

    def __init__(self, chromium, address, seconds):
        self._chromium, self._address, self._milliseconds = chromium, address, seconds * 1000
        self.version = chromium.version
        with self.page() as page:
            self.adapter = page.evaluate("adapter()")

    @contextlib.contextmanager
    def page(self, path="/web/prove.html"):
        """Yield a Playwright page of its own for the block."""
        page = self._chromium.new_page()
        try:
            page.goto(self._address + path)
            yield page
        finally:
            page.close()

    def call(self, function, request):
        """Return what a function of the page gives for a JSON value.

        Raises:
            CannotRun: with the page's reason, or when it takes too long.
        """
        from playwright.sync_api import Error, TimeoutError

        with self.page() as page:
            try:
                page.evaluate(
                    f"""request => {{
                        {function}(request).then(value => {{ window.answer = {{ value }}; }})
                            .catch(error => {{ window.answer = {{ error: String(error.message || error) }}; }});
                    }}""",
                    request,
                )
                answer = page.wait_for_function("window.answer", timeout=self._milliseconds).json_value()
            except TimeoutError as error:
                raise CannotRun(f"no answer within {self._milliseconds / 1000:g} s") from error
            except Error as error:
                raise CannotRun(str(error).splitlines()[0]) from error
        if "error" in answer:
            raise CannotRun(answer["error"].splitlines()[0])
        return answer["value"]


@contextlib.contextmanager
def start(folders, program=PROGRAM, seconds=300):
    """Yield a :class:`Browser` whose page finds the files of ``folders``.

    Args:
        folders: ``{name: folder}``: ``javascript``, the packages, and those of the models; ``web`` is our own.
        program: Chromium.
        seconds: how long a model may take.

    Raises:
        UserError: when Chromium is not installed or does not start.
    """
    from playwright.sync_api import Error, sync_playwright

    path = shutil.which(program)
    if path is None:
        raise UserError(f"{program}: is not installed; install it, or say `browser: false` in config.yaml")
    with static_server.serve({"web": WEB, **folders}) as address, sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, headless=True, args=_FLAGS)
        except Error as error:
            raise UserError(f"{path}: does not start: {str(error).splitlines()[0]}") from error
        try:
            yield Browser(chromium, address, seconds)
        finally:
            chromium.close()
