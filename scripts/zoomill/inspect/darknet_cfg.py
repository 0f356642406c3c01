"""Reading .cfg files as Darknet does (``read_cfg`` and ``option_find`` in its src/parser.c and src/option_list.c)."""

import dataclasses
import math
import re

from zoomill.errors import UserError

# Darknet keeps numbers of an option in an int or a float. A network has some hundred layers.
_LARGEST = (1 << 31) - 1
_MOST_SECTIONS = 5000


@dataclasses.dataclass(frozen=True)
class Section:
    """One ``[section]`` of a .cfg file.

    Attributes:
        path: the file.
        line: number of the line with the section's name, from 1.
        kind: the name without brackets.
        options: ``{key: value}``, both without any blanks.
    """

    path: str
    line: int
    kind: str
    options: dict

    def error(self, message):
        """Return a :class:`UserError` that says where the section is."""
        return UserError(f"{self.path}: line {self.line}: [{self.kind}] {message}")

    def integer(self, key, default=None, least=0):
        """Return an option as an integer that is not below ``least``; one without a default must be there."""
        values = self.integers(key, None if default is None else [default])
        if len(values) > 1 or values[0] < least:
            raise self.error(f"{key}={self.options.get(key, default)} is not one integer from {least} on")
        return values[0]

    def real(self, key, default):
        """Return an option as a float."""
        values = self.reals(key, [default])
        if len(values) > 1:
            raise self.error(f"{key}={self.options[key]} is not one number")
        return values[0]

    def integers(self, key, default=None):
        """Return a comma-separated option as a list of integers; one without a default must be there."""
        return self._numbers(int, "integers", key, default)

    def reals(self, key, default=None):
        """Return a comma-separated option as a list of floats; one without a default must be there."""
        return self._numbers(float, "numbers", key, default)

    def expect(self, **neutral):
        """Refuse options that change the result in a way that is not supported.

        Args:
            neutral: for each option the value that changes nothing.
        """
        for key, value in neutral.items():
            if self.options.get(key, str(value)) != str(value):
                raise self.error(f"{key}={self.options[key]} is not supported, only {key}={value}")

    def _numbers(self, convert, kind, key, default):
        if key not in self.options:
            if default is None:
                raise self.error(f"needs {key}=")
            return default
        try:
            values = [convert(value) for value in self.options[key].rstrip(",").split(",")]
        except ValueError:
            values = [math.nan]
        if not all(abs(value) <= _LARGEST for value in values):  # nor is it a number that is none
            raise self.error(f"{key}={self.options[key][:60]} is not made of {kind}")
        return values


def read(path):
    """Read a .cfg file.

    As in Darknet, blanks count nowhere, of a repeated key the first one counts, and unknown keys are left alone. Cut
    off is also a comment behind a value, which Darknet's number parsing overlooks.

    Returns:
        the ``[net]`` section and the list of the layers' sections.

    Raises:
        UserError: for a file that cannot be read, a line that is neither a section nor ``key=value``, a file that does
            not begin with ``[net]``, or one with more layers than any network.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    sections = []
    for number, line in enumerate(lines, 1):
        text = re.split("[#;]", "".join(line.split()))[0]
        key, equals, value = text.partition("=")
        if text.startswith("["):
            sections.append(Section(str(path), number, text.strip("[]"), {}))
        elif equals and sections:
            sections[-1].options.setdefault(key, value)
        elif text:
            raise UserError(f"{path}: line {number}: {line.strip()[:60]!r} is no option of a section")
    if not sections or sections[0].kind not in ("net", "network"):
        raise UserError(f"{path}: does not begin with a [net] section; is it a Darknet .cfg file?")
    if len(sections) > _MOST_SECTIONS:
        raise UserError(f"{path}: has {len(sections)} sections, more than the {_MOST_SECTIONS} that a network may have")
    return sections[0], sections[1:]
