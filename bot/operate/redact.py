"""Which parts of a text must never leave the program?"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_DEEPEST = 24  # a value that contains itself ends here

_NAMES = (
    r"x-mbx-apikey|x-bapi-api-key|x-bapi-sign|ok-access-(?:key|sign|passphrase)|"
    r"api[-_]?key|access[-_]?key|api[-_]?secret|secret[-_]?key|private[-_]?key|secret|"
    r"pass[-_]?phrase|passphrase|password|passwd|pwd|"
    r"access[-_]?token|auth[-_]?token|token|listen[-_]?key|signature|sign|sig|cookie|set-cookie"
)
_FIELD = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    (
        # "name": "value" of JSON, Python and log views; the quotes may be escaped themselves.
        re.compile(
            rf"""(?P<head>(?P<q>\\*["'])(?:{_NAMES})(?P=q)\s*[:=,]\s*b?)(?P<v>\\*["']).*?(?P=v)""",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\g<head>\g<v>{MASK}\g<v>",
    ),
    (
        # name=value of addresses and forms, name: value of headers.
        re.compile(
            rf"""(?:(?<![a-z0-9])|(?<=%[0-9a-f]{{2}}))(?P<head>(?:{_NAMES})\s*(?:=|:|%3D)\s*)(?!["']?\*\*\*)"""
            r"""(?P<v>"[^"]*"|'[^']*'|[^\s&"',;)}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\g<head>{MASK}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE),
        rf"\g<scheme>{MASK}@",
    ),
)
_PLAIN = re.compile(r"[\w.+-]*")
"""Numbers and single words: every pattern above wants a sign or a space that is not among these."""


class Redactor:
    """Removes secrets from texts and values; also a structlog processor.

    It knows two kinds: what looks like a secret by the name before it, and every value that was
    registered, wherever and in whichever usual encoding it appears.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._registered: re.Pattern[str] | None = None
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """Remove this value from now on: plain, base64, hex, URL-encoded and escaped.

        Empty values are ignored.
        """
        if not secret:
            return
        self._forms.update(_forms(secret))
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._registered = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._registered is not None:
            text = self._registered.sub(MASK, text)
        if _PLAIN.fullmatch(text):
            return text
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any) -> Any:
        """Return a value without secrets at any depth, keys included.

        Numbers, instants, truth values and ``None`` stay what they are; whatever is neither a
        text nor a container is kept if its text holds no secret, and replaced by that text if it
        does.
        """
        return self._value(value, 0)

    def __call__(
        self,
        logger: object,  # noqa: ARG002 - structlog passes it to every processor
        method: str,  # noqa: ARG002 - as above
        event: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Return a log event without secrets."""
        cleaned: MutableMapping[str, Any] = self.value(event)
        return cleaned

    def _value(self, value: Any, depth: int) -> Any:
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case _ if depth >= _DEEPEST:
                return MASK
            case Mapping():
                return {
                    self._key(key): MASK
                    if isinstance(key, str) and _FIELD.fullmatch(key) and item is not None
                    else self._value(item, depth + 1)
                    for key, item in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self._value(item, depth + 1) for item in value]
            case bytes() | bytearray():
                return self.text(bytes(value).decode(errors="backslashreplace"))
        seen = str(value)
        cleaned = self.text(seen)
        return value if cleaned == seen else cleaned

    def _key(self, key: object) -> object:
        return self.text(key) if isinstance(key, str) else key


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode()
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(raw)[2:-1]
    yield raw.hex()
    yield raw.hex().upper()
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        # Inside a longer base64 text ("user:secret") the secret starts at one of three offsets;
        # characters that also carry bits of a neighbour are left out.
        for offset in range(3):
            inner = encode(b"\0" * offset + raw).decode().rstrip("=")
            start, whole = -(-offset * 8 // 6), (offset + len(raw)) * 8 // 6
            if len(raw) > 4:  # noqa: PLR2004 - shorter pieces would match ordinary words
                yield inner[start:whole]
