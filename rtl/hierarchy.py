"""The modules that SystemVerilog text defines and instantiates, and the sources of a design.

`scan` reads structure alone: it finds where statements begin, and a statement that reads
``name #(...) name (...)`` is an instance. All branches of `` `ifdef `` and of generate blocks
count, so one list of sources serves every tool, macro and parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from sephw.errors import SephwError
from sephw.rtl import SOURCES

_OURS = "sephw_"

# What carries no structure: comments, strings, directives with their words (a definition has
# further lines behind a backslash), and attributes, which @(*) is none of.
_NO_STRUCTURE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\])*"
    | `(?:default_nettype|ifdef|ifndef|elsif|undef)\s+\S+
    | `(?:else|endif|resetall|celldefine|endcelldefine)\b
    | `(?:define|timescale|include)\b(?:\\\n|[^\n])*
    | \(\*(?!\s*\)).*?\*\)""",
    re.DOTALL | re.VERBOSE,
)
_SPACE = re.compile(r"\s*")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w$]*|\\\S+")
_BRACKETS = re.compile(r"[()\[\]{}]")
_END_OF_STATEMENT = re.compile(r"[;:?()\[\]{}]")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


# A statement follows each of these at once, or behind the label of a block.
_BEFORE_A_STATEMENT = _words(
    r"""begin | end | fork | join(_any|_none)? | else | generate | end(generate|case|module|function
    |task) | always_(comb|latch) | initial | final | do | unique0? | priority"""
)
# A statement follows the parenthesis behind these.
_BEFORE_A_PARENTHESIS = _words("if | for | while | repeat | case[xz]? | foreach")
# Statements that end with a semicolon and are no instance.
_OTHER_STATEMENT = _words(
    r"""assign | parameter | localparam | wire | logic | reg | bit | byte | int(eger)? | shortint
    | longint | real | time | genvar | tri | supply[01] | wand | wor | typedef | enum | struct
    | union | const | static | automatic | var | function | task | import | export | return | break
    | continue | disable | assert | assume | cover | property | sequence | input | output | inout
    | defparam | signed | unsigned | void | n?and | n?or | xn?or | not | buf(if[01])? | notif[01]
    | specparam | alias | modport | clocking | primitive | package | interface | class | string
    | event | chandle | force | release | deassign"""
)


@dataclass(frozen=True)
class Modules:
    """Names of modules in the order in which a text first has them, each once."""

    defined: tuple[str, ...]
    instantiated: tuple[str, ...]


def scan(text: str) -> Modules:
    """The modules that SystemVerilog ``text`` defines and those that it instantiates."""
    scanner = _Scanner(_NO_STRUCTURE.sub(" ", text))
    scanner.run()
    return Modules(tuple(scanner.defined), tuple(scanner.instantiated))


def sources_of(
    modules: Iterable[str], generated: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The sources of ``modules`` and of all that they instantiate: text by file name, ascending.

    All of ``generated`` (text by file name) is among them, with what it instantiates; any other
    module stands in the file of its name in rtl/. Names without ``sephw_`` that no text defines are
    cells of a device, and have no source. Raises SephwError for any other module without a source,
    and for one that two texts define.
    """
    found = dict(generated or {})
    waiting = list(modules)
    homes: dict[str, str] = {}
    for file, text in found.items():
        below = scan(text)
        for module in below.defined:
            if homes.setdefault(module, file) != file:
                raise SephwError(
                    f"module '{module}' is defined in '{homes[module]}' and in '{file}'; rename "
                    "one of them"
                )
        waiting += below.instantiated
    while waiting:
        module = waiting.pop()
        if module in homes:
            continue
        homes[module] = f"{module}.sv"
        if (SOURCES / homes[module]).is_file():
            found[homes[module]], instantiated = _in_rtl(module)
            waiting += instantiated
        elif module.startswith(_OURS):
            raise SephwError(
                f"no source defines module '{module}'; put {module}.sv into rtl/, or hand its text "
                "over as generated"
            )
    return dict(sorted(found.items()))


@cache
def _in_rtl(module: str) -> tuple[str, tuple[str, ...]]:
    text = (SOURCES / f"{module}.sv").read_text(encoding="utf-8")
    return text, scan(text).instantiated


class _Scanner:
    """A position in a text without comments, moved from statement to statement."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # Insertion-ordered sets.
        self.defined: dict[str, None] = {}
        self.instantiated: dict[str, None] = {}

    def run(self) -> None:
        while self._next():
            self._statement()

    def _statement(self) -> None:
        word = self._identifier()
        if word in ("module", "macromodule"):
            name = self._identifier()
            while name in ("automatic", "static"):
                name = self._identifier()
            self.defined[name] = None
            self._skip_to_semicolon()
        elif _BEFORE_A_STATEMENT.fullmatch(word):
            if self._next() == ":":
                self._at += 1
                self._identifier()
        elif _BEFORE_A_PARENTHESIS.fullmatch(word):
            self._skip_brackets()
        elif word in ("always", "always_ff"):
            if self._next() == "@":
                self._at += 1
                self._skip_brackets()
        elif _OTHER_STATEMENT.fullmatch(word):
            self._skip_to_semicolon()
        elif not self._instance(word):
            self._skip_item()

    def _instance(self, module: str) -> bool:
        """Whether an instance begins behind ``module``; if so, it is noted."""
        if not module:
            return False
        if self._next() == "#":
            self._at += 1
            if self._next() == "(":
                self._skip_brackets()
        name = self._identifier()
        while name and self._next() == "[":
            self._skip_brackets()
        if name and self._next() == "(":
            self.instantiated[module] = None
            return True
        return False

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _identifier(self) -> str:
        """Moves behind an identifier that comes next; empty where none does."""
        self._next()
        match = _IDENTIFIER.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group().removeprefix("\\")

    def _skip_brackets(self) -> None:
        """Moves behind the bracket that closes the one that comes next."""
        if self._next() not in _CLOSING:
            return
        depth = 0
        for match in _BRACKETS.finditer(self._text, self._at):
            depth += 1 if match.group() in _CLOSING else -1
            if depth == 0:
                self._at = match.end()
                return
        self._at = len(self._text)

    def _skip_to_semicolon(self) -> None:
        self._at = self._text.find(";", self._at) + 1 or len(self._text)

    def _skip_item(self) -> None:
        """Moves behind an assignment or a call, or behind the colon of an item of a case."""
        if self._next() in ("<", "="):
            self._skip_to_semicolon()
            return
        chosen = 0
        while (match := _END_OF_STATEMENT.search(self._text, self._at)) is not None:
            sign = match.group()
            if sign in _CLOSING:
                self._at = match.start()
                self._skip_brackets()
                continue
            self._at = match.end()
            if sign == ";" or (sign == ":" and not chosen):
                return
            chosen += 1 if sign == "?" else -1 if sign == ":" else 0
        self._at = len(self._text)
