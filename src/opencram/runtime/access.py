"""Who may look, who may act, and under which name: tokens, roles, and the origin of a page."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opencram.errors import FileError

ROLES = ("viewer", "operator")
TOKEN_PREFIX = "token."
TOKEN_LENGTH_MIN = 16
TOKEN_CHARACTERS = frozenset("-._~+/=")  # beside letters and digits (RFC 6750 section 2.1)
NAME_MAX = 80
UNNAMED = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at a screen.  `name` is what the token file says; empty: the screen says who is there."""

    role: str
    name: str = ""

    def called(self, said: str) -> str:
        """Return the name to write into the log: the token's, else what the screen said, cleaned."""
        cleaned = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:NAME_MAX]
        return self.name or cleaned or UNNAMED


def read_tokens(path: Path) -> dict[str, Person]:
    """Return who has which token, from lines "ROLE TOKEN" or "ROLE TOKEN NAME"; # begins a line that says nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(
            f'cannot read tokens from {path}: {error}; give a text file of lines "operator TOKEN NAME"'
        ) from error
    found = {}
    for number, line in enumerate(lines, 1):
        role, token, name = (*line.split(maxsplit=2), "", "", "")[:3]
        if not role or role.startswith("#"):
            continue
        if role not in ROLES or not is_token(token):
            raise FileError(
                f'{path}, line {number}: must be "viewer TOKEN" or "operator TOKEN", with a name after it if you like, '
                f"the token at least {TOKEN_LENGTH_MIN} letters and digits; `openssl rand -hex 16` makes one"
            )
        found[token] = Person(role, name.strip()[:NAME_MAX])
    if not found:
        raise FileError(f'{path}: no token; give at least one line "operator TOKEN NAME"')
    return found


def is_token(text: str) -> bool:
    """Whether this may be a token.  Those of letters and digits alone go through a browser's WebSocket too."""
    rest = "".join(c for c in text if c not in TOKEN_CHARACTERS)
    return len(text) >= TOKEN_LENGTH_MIN and rest.isascii() and rest.isalnum()


def person_of(people: Mapping[str, Person], protocols: list[str]) -> Person | None:
    """Return whom the offered subprotocols prove, or None.  Without tokens everybody is an operator."""
    if not people:
        return Person("operator")
    offered = [p.removeprefix(TOKEN_PREFIX) for p in protocols if p.startswith(TOKEN_PREFIX)]
    return next((person for given in offered if (person := holder(people, given)) is not None), None)


def holder(people: Mapping[str, Person], given: str) -> Person | None:
    """Return who has this token, or None.  Every token is compared to its end, in constant time."""
    found = [who for token, who in people.items() if hmac.compare_digest(token.encode(), given.encode())]
    return found[0] if found else None


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a page of this very server asks; programs send no origin."""
    return origin is None or urlsplit(origin).netloc == host
