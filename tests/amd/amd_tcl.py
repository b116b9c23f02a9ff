"""Two Tcl interpreters behind one function: a strict small one, and Tcl itself where Python has it.

The small one knows exactly the commands of the generated scripts and refuses everything else, so
the checks run on every Python; where `_tkinter` is there, the same checks run in real Tcl as well.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Command = Callable[..., str]


class TclError(Exception):
    """An error that a script raised, or that the interpreter found in it."""


class TclExitError(Exception):
    """``exit``."""


class _ReturnError(Exception):
    def __init__(self, value: str) -> None:
        self.value = value


def split_list(text: str) -> list[str]:
    """Elements of a Tcl list: words with braces, quotation marks and backslashes."""
    elements, at = [], 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return elements
        if text[at] == "{":
            end = _closing_brace(text, at)
            elements.append(text[at + 1 : end])
            at = end + 1
        elif text[at] == '"':
            end = text.index('"', at + 1)
            elements.append(text[at + 1 : end])
            at = end + 1
        else:
            end = at
            while end < len(text) and not text[end].isspace():
                end += 1
            elements.append(text[at:end])
            at = end


def make_list(elements: Sequence[str]) -> str:
    """A Tcl list of ``elements`` (none with unbalanced braces)."""
    special = set(' \t\n{}[]$";\\')
    return " ".join(f"{{{e}}}" if not e or special & set(e) else e for e in elements)


def _closing_brace(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise TclError("missing close-brace")


class _Small:
    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.commands: dict[str, Command] = dict(commands)
        self.script = Path()
        self.scopes: list[dict[str, str]] = [{}]
        own = (
            "set proc if foreach lappend list lindex llength lsearch lsort join file info source "
            "glob puts error exit return expr format cd"
        )
        for name in own.split():
            self.commands.setdefault(name, getattr(self, f"do_{name}"))

    # -- language -----------------------------------------------------------------------------

    def eval(self, text: str) -> str:
        result, at = self._commands(text, 0, None)
        assert at == len(text)
        return result

    def _commands(self, text: str, at: int, end: str | None) -> tuple[str, int]:
        result = ""
        while True:
            while at < len(text) and (text[at].isspace() or text[at] == ";"):
                at += 1
            if at >= len(text):
                if end is not None:
                    raise TclError("missing close-bracket")
                return result, at
            if text[at] == end:
                return result, at + 1
            if text[at] == "#":
                while at < len(text) and text[at] != "\n":
                    at += 2 if text[at] == "\\" else 1
                continue
            words, at = self._words(text, at, end)
            result = self.call(words)

    def _words(self, text: str, at: int, end: str | None) -> tuple[list[str], int]:
        words: list[str] = []
        while True:
            while at < len(text):
                if text.startswith("\\\n", at):
                    at += 2
                elif text[at] in " \t":
                    at += 1
                else:
                    break
            if at >= len(text) or text[at] in "\n;" or text[at] == end:
                return words, at
            if text[at] == "{":
                close = _closing_brace(text, at)
                words.append(text[at + 1 : close])
                at = close + 1
                self._word_end(text, at, end, "close-brace")
            elif text[at] == '"':
                word, at = self._substitute(text, at + 1, lambda c: c == '"')
                if at >= len(text):
                    raise TclError('missing "')
                at += 1
                words.append(word)
                self._word_end(text, at, end, "close-quote")
            else:
                word, at = self._substitute(text, at, lambda c: c.isspace() or c == ";" or c == end)
                words.append(word)

    @staticmethod
    def _word_end(text: str, at: int, end: str | None, what: str) -> None:
        ends = at >= len(text) or text[at].isspace() or text[at] in (";", end)
        if not ends and not text.startswith("\\\n", at):
            raise TclError(f"extra characters after {what}: {text[at : at + 20]!r}")

    def _substitute(self, text: str, at: int, stop: Callable[[str], bool]) -> tuple[str, int]:
        out = ""
        while at < len(text) and not stop(text[at]):
            piece, at = self._piece(text, at)
            out += piece
        return out, at

    def _piece(self, text: str, at: int) -> tuple[str, int]:
        if text[at] == "[":
            return self._commands(text, at + 1, "]")
        if text[at] == "\\":
            if text[at + 1] == "\n":
                at += 2
                while text[at] in " \t":
                    at += 1
                return " ", at
            return {"n": "\n", "t": "\t"}.get(text[at + 1], text[at + 1]), at + 2
        if text[at] == "$":
            if text[at + 1] == "{":
                close = text.index("}", at)
                return self.variable(text[at + 2 : close]), close + 1
            end = at + 1
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            if end > at + 1:
                return self.variable(text[at + 1 : end]), end
        return text[at], at + 1

    def variable(self, name: str) -> str:
        if name not in self.scopes[-1]:
            raise TclError(f'can\'t read "{name}": no such variable')
        return self.scopes[-1][name]

    def call(self, words: list[str]) -> str:
        if words[0] not in self.commands:
            raise TclError(f'invalid command name "{words[0]}"')
        return str(self.commands[words[0]](*words[1:]))

    def condition(self, text: str) -> bool:
        """``operand``, ``!operand`` or ``operand operator operand``: all that scripts need."""
        text = text.strip()
        negated = text.startswith("!")
        words, at = self._words(text[negated:], 0, None)
        if at != len(text) - negated or len(words) not in (1, 3) or (negated and len(words) == 3):
            raise TclError(f"expression beyond the small interpreter: {text}")
        if len(words) == 1:
            return (float(words[0]) != 0) != negated
        left, operator, right = words
        if operator in ("eq", "ne"):
            return (left == right) == (operator == "eq")
        compare = {
            "<": float.__lt__,
            ">": float.__gt__,
            "==": float.__eq__,
            "!=": float.__ne__,
            "<=": float.__le__,
            ">=": float.__ge__,
        }
        return bool(compare[operator](float(left), float(right)))

    # -- commands -----------------------------------------------------------------------------

    def do_set(self, name: str, *value: str) -> str:
        if value:
            (self.scopes[-1][name],) = value
        return self.variable(name)

    def do_proc(self, name: str, parameters: str, body: str) -> str:
        names = split_list(parameters)

        def call(*values: str) -> str:
            self.scopes.append(dict(zip(names, values, strict=True)))
            try:
                return self.eval(body)
            except _ReturnError as done:
                return done.value
            finally:
                self.scopes.pop()

        self.commands[name] = call
        return ""

    def do_if(self, condition: str, body: str, *rest: str) -> str:
        if self.condition(condition):
            return self.eval(body)
        if not rest:
            return ""
        if rest[0] == "elseif":
            return self.do_if(*rest[1:])
        keyword, body = rest
        if keyword != "else":
            raise TclError(f"'{keyword}' where 'else' stands")
        return self.eval(body)

    def do_foreach(self, names: str, values: str, body: str) -> str:
        variables, elements = split_list(names), split_list(values)
        for at in range(0, len(elements), len(variables)):
            chunk = elements[at : at + len(variables)]
            self.scopes[-1].update(zip(variables, chunk, strict=True))
            self.eval(body)
        return ""

    def do_lappend(self, name: str, *values: str) -> str:
        old = split_list(self.scopes[-1].get(name, ""))
        return self.do_set(name, make_list([*old, *values]))

    def do_list(self, *values: str) -> str:
        return make_list(values)

    def do_lindex(self, values: str, index: str) -> str:
        elements = split_list(values)
        at = len(elements) - 1 if index == "end" else int(index)
        return elements[at] if 0 <= at < len(elements) else ""

    def do_llength(self, values: str) -> str:
        return str(len(split_list(values)))

    def do_lsearch(self, option: str, values: str, wanted: str) -> str:
        assert option == "-exact"
        elements = split_list(values)
        return str(elements.index(wanted) if wanted in elements else -1)

    def do_lsort(self, *arguments: str) -> str:
        assert arguments[:-1] in ((), ("-dictionary",))
        return make_list(sorted(split_list(arguments[-1])))

    def do_join(self, values: str, separator: str) -> str:
        return separator.join(split_list(values))

    def do_file(self, action: str, *arguments: str) -> str:
        if action == "dirname":
            return str(Path(arguments[0]).parent)
        if action == "normalize":
            return str(Path(arguments[0]).resolve())
        if action == "join":
            return str(Path(*arguments))
        if action == "exists":
            return str(int(Path(arguments[0]).exists()))
        if action == "mkdir":
            Path(arguments[0]).mkdir(parents=True, exist_ok=True)
        elif action == "copy":
            option, source, target = arguments
            assert option == "-force"
            try:
                shutil.copyfile(source, target)
            except OSError as error:
                raise TclError(f'error copying "{source}": {error.strerror}') from None
        else:
            raise TclError(f"file {action}")
        return ""

    def do_info(self, what: str) -> str:
        assert what == "script"
        return str(self.script)

    def do_source(self, path: str) -> str:
        before, self.script = self.script, Path(path)
        try:
            return self.eval(Path(path).read_text())
        finally:
            self.script = before

    def do_glob(self, option: str, *patterns: str) -> str:
        assert option == "-nocomplain"
        found = [str(p) for x in patterns for p in sorted(Path("/").glob(x.lstrip("/")))]
        return make_list(found)

    def do_expr(self, text: str) -> str:
        """One division: all that scripts need."""
        words, _ = self._words(text, 0, None)
        left, operator, right = words
        assert operator == "/"
        return str(float(left) / float(right))

    def do_format(self, how: str, value: str) -> str:
        assert how == "%.6g"
        return how % float(value)

    def do_cd(self, folder: str) -> str:
        assert Path(folder).is_dir()
        return ""

    def do_puts(self, text: str) -> str:
        return ""

    def do_error(self, message: str) -> str:
        raise TclError(message)

    def do_exit(self) -> str:
        raise TclExitError

    def do_return(self, value: str = "") -> str:
        raise _ReturnError(value)


def run_small(script: Path, arguments: Sequence[str], commands: Mapping[str, Command]) -> None:
    """Run ``script`` with ``commands`` added; TclError for its first error."""
    interpreter = _Small(commands)
    interpreter.scopes[0]["argv"] = make_list(arguments)
    try:
        interpreter.do_source(str(script))
    except TclExitError:
        return


def run_real(script: Path, arguments: Sequence[str], commands: Mapping[str, Command]) -> None:
    """The same in Tcl itself."""
    import tkinter

    tcl = tkinter.Tcl()
    raised: list[BaseException] = []

    def guarded(command: Command) -> Command:
        def call(*words: str) -> str:
            try:
                return command(*words)
            except BaseException as error:
                raised.append(error)
                raise

        return call

    for name, command in commands.items():
        tcl.createcommand(name, guarded(command))
    tcl.eval("proc puts {text} {}")
    tcl.eval("proc cd {folder} {if {![file isdirectory $folder]} {error {no folder}}}")
    tcl.eval("proc exit {} {error sephw_exit}")
    tcl.eval(f"set argv [list {make_list(arguments)}]")
    try:
        tcl.eval(f"source {make_list([str(script)])}")
    except tkinter.TclError as error:
        if raised:
            raise raised[0] from None
        if str(error) != "sephw_exit":
            raise TclError(str(error)) from None


INTERPRETERS = {"small": run_small}
if importlib.util.find_spec("_tkinter") is not None:
    INTERPRETERS["tcl"] = run_real
